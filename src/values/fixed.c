/* SPDX-License-Identifier: MIT */
#include "values/fixed.h"

#include <mproc/error.h>
#include <string.h>

/* How deep tuples lie in each other: GVariant looks 128 deep, an array's items less one. */
#define MAX_DEPTH 64

/* What may be in a byte. */
enum
{
  ANYTHING,
  ZERO_OR_ONE,
  NOTHING
};

typedef struct
{
  guint8 *map; /* NULL: only the size is asked for */
  gsize size;
} Layout;

gsize
mproc_fixed_size_of_number (char letter)
{
  switch (letter)
    {
    case 'b':
    case 'y':
      return 1;
    case 'n':
    case 'q':
      return 2;
    case 'i':
    case 'u':
      return 4;
    case 'x':
    case 't':
    case 'd':
      return 8;
    default:
      return 0;
    }
}

/* A tuple has that of its largest number, however deep it lies. */
static gsize
find_alignment (const char *type)
{
  gsize alignment = 1;
  gint depth = 0;

  do
    {
      depth += *type == '(' || *type == '{';
      depth -= *type == ')' || *type == '}';
      alignment = MAX (alignment, mproc_fixed_size_of_number (*type));
      type++;
    }
  while (depth > 0);
  return alignment;
}

static void
add (Layout *layout, gsize n, guint8 what)
{
  if (layout->map != NULL)
    memset (layout->map + layout->size, what, n);
  layout->size += n;
}

static void
align (Layout *layout, gsize alignment)
{
  add (layout, (alignment - layout->size % alignment) % alignment, NOTHING);
}

/* Lays the first type out; gives what follows it. */
static const char *
lay_out (const char *type, Layout *layout)
{
  gsize alignment = find_alignment (type);
  gsize start;

  align (layout, alignment);
  if (*type != '(' && *type != '{')
    {
      add (layout, mproc_fixed_size_of_number (*type),
           *type == 'b' ? ZERO_OR_ONE : ANYTHING);
      return type + 1;
    }
  start = layout->size;
  for (type++; *type != ')' && *type != '}';)
    type = lay_out (type, layout);
  if (layout->size == start) /* the tuple of nothing is one byte */
    add (layout, 1, NOTHING);
  align (layout, alignment);
  return type + 1;
}

static gboolean
is_deep (const char *type)
{
  gint depth = 0;

  for (; *type != '\0' && depth <= MAX_DEPTH; type++)
    {
      depth += *type == '(' || *type == '{';
      depth -= *type == ')' || *type == '}';
    }
  return depth > MAX_DEPTH;
}

static gboolean
refuse (const char *type, const char *why, GError **error)
{
  char *name = g_utf8_make_valid (type, (gssize) MIN (strlen (type), 60));

  g_set_error (error, MPROC_ERROR, MPROC_ERROR_INVALID, "type \"%s\": %s", name, why);
  g_free (name);
  return FALSE;
}

gboolean
mproc_fixed_check (const char *type, gsize *size, GError **error)
{
  Layout layout = { NULL, 0 };

  if (strlen (type) > MPROC_FIXED_MAX || is_deep (type))
    return refuse (type, "too long for a shared value", error);
  if (!g_variant_type_string_is_valid (type))
    return refuse (type, "this is no type of a GVariant", error);
  if (strchr (type, 'h') != NULL)
    return refuse (type,
                   "a shared value cannot hold objects; hand them over in a message",
                   error);
  if (type[strspn (type, "bynqiuxtd(){}")] != '\0')
    return refuse (type,
                   "has no fixed size; shared values are of b y n q i u x t d, and of "
                   "tuples of these",
                   error);
  lay_out (type, &layout);
  *size = layout.size;
  return TRUE;
}

gboolean
mproc_fixed_map (const char *type, guint8 *map)
{
  Layout layout = { map, 0 };
  gsize i = 0;

  lay_out (type, &layout);
  while (i < layout.size && map[i] == ANYTHING)
    i++;
  return i < layout.size;
}

void
mproc_fixed_make_normal (guint8 *values, gsize n, const guint8 *map, gsize size)
{
  for (gsize k = 0; k < n; k++, values += size)
    for (gsize i = 0; i < size; i++)
      if (map[i] != ANYTHING)
        values[i] = map[i] == ZERO_OR_ONE && values[i] != 0;
}

GVariant *
mproc_fixed_normal (GVariant *value, const GVariantType *type, GError **error)
{
  if (g_variant_is_of_type (value, type))
    return g_variant_get_normal_form (value);
  g_set_error (error, MPROC_ERROR, MPROC_ERROR_INVALID,
               "a value of type \"%s\" was given, where \"%.*s\" is wanted",
               g_variant_get_type_string (value),
               (int) g_variant_type_get_string_length (type),
               g_variant_type_peek_string (type));
  return NULL;
}
