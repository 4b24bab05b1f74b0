/* SPDX-License-Identifier: MIT */
#include "values/pack.h"

#include "family/function.h"
#include "values/message.h"

#include <mproc/value.h>

#include <string.h>

static char
closing (char opening)
{
  return opening == '(' ? ')' : '}';
}

/* The end of the one format string that starts at @format (GLib keeps its own scanner
 * to itself). */
static const char *
scan (const char *format)
{
  const char *end = NULL;

  switch (*format)
    {
    case '&':
    case 'm':
      return scan (format + 1);
    case '^':
      for (format++; *format == 'a' || *format == '&';)
        format++;
      return format + 1;
    case '(':
    case '{':
      for (end = format + 1; *end != closing (*format);)
        end = scan (end);
      return end + 1;
    case '@':
      format++;
      break;
    default:
      break;
    }
  if (!g_variant_type_string_scan (format, NULL, &end))
    g_error ("mproc: invalid format string at \"%s\"", format);
  return end;
}

static char *
copy_leaf (const char **format)
{
  const char *start = *format;

  *format = scan (start);
  return g_strndup (start, (gsize) (*format - start));
}

char *
mproc_format_to_type (const char *format)
{
  char *type = g_new (char, strlen (format) + 1);
  char *to = type;

  for (; *format != '\0'; format++)
    if (strchr ("&@^", *format) == NULL)
      *to++ = *format == 'f' ? 'h' : *format;
  *to = '\0';
  if (g_variant_type_string_is_valid (type))
    return type;
  g_free (type);
  return NULL;
}

void
mproc_format_set_error (const char *format,
                        const char *type,
                        gsize length,
                        GError **error)
{
  g_set_error (error, MPROC_ERROR, MPROC_ERROR_INVALID,
               "a value of type %.*s does not have the form \"%s\"", (int) length, type,
               format);
}

/* ------------------------------------------------------------------ pack */

/* An object's handle; 0, which is refused where the value is sent, if it cannot have
 * one. */
static MprocHandle
pack_object (MprocObject *object, GPtrArray *objects)
{
  g_return_val_if_fail (mproc_object_is_shareable (object), 0);
  if (!mproc_object_publish (object, 0, NULL))
    return 0;
  g_ptr_array_add (objects, mproc_object_ref (object));
  return object->handle;
}

static GVariant *pack (const char **format, va_list *arguments, GPtrArray *objects);

static GVariant *
pack_container (const char **format, va_list *arguments, GPtrArray *objects)
{
  char end = closing (**format);
  GVariantBuilder builder;

  g_variant_builder_init (&builder,
                          end == ')' ? G_VARIANT_TYPE_TUPLE : G_VARIANT_TYPE_DICT_ENTRY);
  for (++*format; **format != end;)
    g_variant_builder_add_value (&builder, pack (format, arguments, objects));
  ++*format;
  return g_variant_builder_end (&builder);
}

static GVariant *
pack (const char **format, va_list *arguments, GPtrArray *objects)
{
  GVariant *value;
  char *leaf;

  if (**format == '&' && (*format)[1] == 'h')
    ++*format; /* so that one format serves both ways */
  switch (**format)
    {
    case '(':
    case '{':
      return pack_container (format, arguments, objects);
    case 'h':
      ++*format;
      return g_variant_new_handle (pack_object (va_arg (*arguments, gpointer), objects));
    case 'f':
      ++*format;
      return g_variant_new_handle (mproc_function_get_ticket (va_arg (*arguments,
                                                                      MprocFunc),
                                                              NULL));
    default:
      leaf = copy_leaf (format);
      value = g_variant_new_va (leaf, NULL, arguments);
      g_free (leaf);
      return value;
    }
}

GVariant *
mproc_pack_va (const char *format, va_list *arguments)
{
  GPtrArray *objects;
  GVariant *value;

  g_return_val_if_fail (format != NULL, NULL);
  g_return_val_if_fail (mproc_family_ensure (NULL), NULL);
  objects = g_ptr_array_new_with_free_func ((GDestroyNotify) mproc_object_unref);
  value = pack (&format, arguments, objects);
  g_warn_if_fail (*format == '\0');
  if (objects->len > 0)
    return mproc_value_hold (value, objects);
  g_ptr_array_unref (objects);
  return value;
}

GVariant *
mproc_pack (const char *format, ...)
{
  va_list arguments;
  GVariant *value;

  va_start (arguments, format);
  value = mproc_pack_va (format, &arguments);
  va_end (arguments);
  return value;
}

/* ------------------------------------------------------------------ unpack */

/* What the first pass has found for the letters of ours, in order, for the second to
 * hand out. */
typedef struct
{
  GPtrArray *objects; /* our references */
  GArray *functions;  /* of MprocFunc */
  guint next_object;
  guint next_function;
} Found;

static gboolean
refuse (GVariant *value, const char *format, GError **error)
{
  const char *type = g_variant_get_type_string (value);

  mproc_format_set_error (format, type, strlen (type), error);
  return FALSE;
}

static gboolean
check (GVariant *value, const char **format, Found *found, GError **error);

static gboolean
check_container (GVariant *value, const char **format, Found *found, GError **error)
{
  const char *start = *format;
  char end = closing (*start);
  gsize i = 0;

  if (!g_variant_is_of_type (value, end == ')' ? G_VARIANT_TYPE_TUPLE
                                               : G_VARIANT_TYPE_DICT_ENTRY))
    return refuse (value, start, error);
  for (++*format; **format != end; i++)
    {
      GVariant *child;
      gboolean ok;

      if (i >= g_variant_n_children (value))
        return refuse (value, start, error);
      child = g_variant_get_child_value (value, i);
      ok = check (child, format, found, error);
      g_variant_unref (child);
      if (!ok)
        return FALSE;
    }
  ++*format;
  return i == g_variant_n_children (value) || refuse (value, start, error);
}

static gboolean
check_object (GVariant *value, Found *found, GError **error)
{
  MprocObject *object =
      mproc_object_open (g_variant_get_handle (value), MPROC_KIND_NONE, error);

  if (object == NULL)
    return FALSE;
  g_ptr_array_add (found->objects, object);
  return TRUE;
}

static gboolean
check_function (GVariant *value, Found *found, GError **error)
{
  MprocFunc func = mproc_function_resolve (g_variant_get_handle (value), error);

  if (func == NULL)
    return FALSE;
  g_array_append_val (found->functions, func);
  return TRUE;
}

static gboolean
check_leaf (GVariant *value, const char **format, GError **error)
{
  char *leaf = copy_leaf (format);
  gboolean ok =
      g_variant_check_format_string (value, leaf, FALSE) || refuse (value, leaf, error);

  g_free (leaf);
  return ok;
}

/* Whether one of our letters comes next; steps over it. */
static char
take_letter (const char **format)
{
  if (**format == '&' && (*format)[1] == 'h')
    {
      *format += 2;
      return '&';
    }
  if (**format == 'h' || **format == 'f')
    return *(*format)++;
  return 0;
}

static gboolean
check (GVariant *value, const char **format, Found *found, GError **error)
{
  const char *start = *format;
  char letter;

  if (*start == '(' || *start == '{')
    return check_container (value, format, found, error);
  letter = take_letter (format);
  if (letter == 0)
    return check_leaf (value, format, error);
  if (!g_variant_is_of_type (value, G_VARIANT_TYPE_HANDLE))
    return refuse (value, start, error);
  return letter == 'f' ? check_function (value, found, error)
                       : check_object (value, found, error);
}

static void
write_letter (char letter, Found *found, va_list *arguments)
{
  if (letter == 'f')
    {
      MprocFunc *to = va_arg (*arguments, MprocFunc *);

      if (to != NULL)
        *to = g_array_index (found->functions, MprocFunc, found->next_function);
      found->next_function++;
    }
  else
    {
      gpointer *to = va_arg (*arguments, gpointer *);
      MprocObject *object = g_ptr_array_index (found->objects, found->next_object++);

      if (to != NULL)
        *to = letter == '&' ? object : mproc_object_ref (object);
    }
}

static void
write_out (GVariant *value, const char **format, Found *found, va_list *arguments)
{
  char letter;

  if (**format == '(' || **format == '{')
    {
      char end = closing (**format);
      gsize i = 0;

      for (++*format; **format != end; i++)
        {
          GVariant *child = g_variant_get_child_value (value, i);

          write_out (child, format, found, arguments);
          g_variant_unref (child);
        }
      ++*format;
      return;
    }
  letter = take_letter (format);
  if (letter != 0)
    write_letter (letter, found, arguments);
  else
    {
      char *leaf = copy_leaf (format);

      g_variant_get_va (value, leaf, NULL, arguments);
      g_free (leaf);
    }
}

gboolean
mproc_unpack_va (GVariant *value, GError **error, const char *format, va_list *arguments)
{
  const char *at = format;
  Found found = { 0 };
  gboolean ok;

  g_return_val_if_fail (value != NULL && format != NULL, FALSE);
  if (!mproc_family_ensure (error))
    return FALSE;
  found.objects = g_ptr_array_new_with_free_func ((GDestroyNotify) mproc_object_unref);
  found.functions = g_array_new (FALSE, FALSE, sizeof (MprocFunc));
  ok =
      check (value, &at, &found, error) && (*at == '\0' || refuse (value, format, error));
  if (ok)
    write_out (value, &format, &found, arguments);
  g_array_unref (found.functions);
  g_ptr_array_unref (found.objects);
  return ok;
}

gboolean
mproc_unpack (GVariant *value, GError **error, const char *format, ...)
{
  va_list arguments;
  gboolean ok;

  va_start (arguments, format);
  ok = mproc_unpack_va (value, error, format, &arguments);
  va_end (arguments);
  return ok;
}

gboolean
mproc_is_nothing (GVariant *value)
{
  return value != NULL && g_variant_is_of_type (value, G_VARIANT_TYPE ("mv")) &&
         g_variant_n_children (value) == 0;
}
