/* SPDX-License-Identifier: MIT */
#include "values/payload.h"

#include "values/message.h"

#include <mproc/error.h>
#include <string.h>

#define PREFIX_SIZE 12
#define PREFIX_VERSION 1
#define PICKLE_FIRST_BYTE 0x80

/* GLib gives up at 128 when it looks at a foreign value, and counts a little
 * differently. */
#define MAX_DEPTH 100

/* A level of nesting costs two bytes at least, so that smaller values need no look. */
#define SHALLOW_SIZE (2 * MAX_DEPTH)

#if G_BYTE_ORDER == G_LITTLE_ENDIAN
#define HOST_ORDER 'l'
#else
#define HOST_ORDER 'B'
#endif

/* ------------------------------------------------------------------ how deep values are */

/* How deep a type string nests, MAX_DEPTH + 1 for all that is deeper.  The string need
 * not be a valid one. */
static guint
type_depth (const char *type)
{
  char open[MAX_DEPTH];
  guint n = 0, deepest = 0;

  for (; *type != '\0'; type++)
    {
      if (strchr ("am({", *type) != NULL)
        {
          if (n == MAX_DEPTH)
            return MAX_DEPTH + 1;
          open[n++] = *type;
          deepest = MAX (deepest, n);
          continue;
        }
      if (*type == ')' || *type == '}')
        {
          while (n > 0 && strchr ("({", open[n - 1]) == NULL)
            n--;
          n -= n > 0;
        }
      while (n > 0 && strchr ("am", open[n - 1]) != NULL)
        n--;
    }
  return deepest;
}

static gboolean
value_fits (GVariant *value, guint levels)
{
  const char *type = g_variant_get_type_string (value);
  gboolean fits = TRUE;

  if (strchr (type, 'v') == NULL)
    return type_depth (type) <= levels;
  if (levels == 0)
    return FALSE;
  for (gsize i = 0, n = g_variant_n_children (value); i < n && fits; i++)
    {
      GVariant *child = g_variant_get_child_value (value, i);

      fits = value_fits (child, levels - 1);
      g_variant_unref (child);
    }
  return fits;
}

/* ------------------------------------------------------------------ writing payloads */

gboolean
mproc_payload_check_value (GVariant *value, GError **error)
{
  const char *type = g_variant_get_type_string (value);

  if (!g_variant_is_normal_form (value))
    {
      g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_INVALID,
                           "the value is not in normal form");
      return FALSE;
    }
  if (strlen (type) > G_MAXUINT16)
    {
      g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_TOO_LARGE,
                           "the value's type string is too long");
      return FALSE;
    }
  if (type_depth (type) > MAX_DEPTH ||
      (strchr (type, 'v') != NULL && g_variant_get_size (value) > SHALLOW_SIZE &&
       !value_fits (value, MAX_DEPTH)))
    {
      g_set_error (error, MPROC_ERROR, MPROC_ERROR_TOO_LARGE,
                   "the value is nested more than %d levels deep", MAX_DEPTH);
      return FALSE;
    }
  return TRUE;
}

static gsize
prefix_size (gsize type_length, gsize n_handles)
{
  gsize size = PREFIX_SIZE + type_length + n_handles * sizeof (gint32);

  return (size + 7) & ~(gsize) 7;
}

guint8 *
mproc_payload_new_prefix (GVariant *value, const GArray *handles, gsize *size)
{
  const char *type = g_variant_get_type_string (value);
  guint16 type_length = (guint16) strlen (type);
  guint32 n_handles = handles != NULL ? handles->len : 0;
  guint8 *prefix;

  *size = prefix_size (type_length, n_handles);
  prefix = g_malloc0 (*size);
  prefix[0] = 'G';
  prefix[1] = PREFIX_VERSION;
  prefix[2] = HOST_ORDER;
  memcpy (prefix + 4, &type_length, sizeof type_length);
  memcpy (prefix + 8, &n_handles, sizeof n_handles);
  memcpy (prefix + PREFIX_SIZE, type, type_length);
  if (n_handles > 0)
    memcpy (prefix + PREFIX_SIZE + type_length, handles->data,
            n_handles * sizeof (gint32));
  return prefix;
}

/* ------------------------------------------------------------------ reading payloads */

/* What a payload's prefix says, checked against the payload's size. */
typedef struct
{
  gboolean swapped;
  guint16 type_length;
  guint32 n_handles;
  const guint8 *handles;
  gsize size;
} Prefix;

static gboolean
refuse (GError **error, const char *why)
{
  g_set_error (error, MPROC_ERROR, MPROC_ERROR_PROTOCOL, "no message of mproc's: %s",
               why);
  return FALSE;
}

static gboolean
check_first_bytes (const guint8 *data, gsize size, GError **error)
{
  if (size > 0 && data[0] == PICKLE_FIRST_BYTE)
    return refuse (error, "a pickle; peers that run Python are not supported yet");
  if (size < PREFIX_SIZE || data[0] != 'G')
    return refuse (error, "sent as plain bytes, perhaps?");
  if (data[1] != PREFIX_VERSION)
    return refuse (error, "of another version");
  if (data[2] != 'l' && data[2] != 'B')
    return refuse (error, "of an unknown byte order");
  if (data[3] != 0 || data[6] != 0 || data[7] != 0)
    return refuse (error, "unknown flags");
  return TRUE;
}

static gboolean
parse_prefix (const guint8 *data, gsize size, Prefix *prefix, GError **error)
{
  if (!check_first_bytes (data, size, error))
    return FALSE;
  prefix->swapped = data[2] != HOST_ORDER;
  memcpy (&prefix->type_length, data + 4, sizeof prefix->type_length);
  memcpy (&prefix->n_handles, data + 8, sizeof prefix->n_handles);
  if (prefix->swapped)
    {
      prefix->type_length = GUINT16_SWAP_LE_BE (prefix->type_length);
      prefix->n_handles = GUINT32_SWAP_LE_BE (prefix->n_handles);
    }
  if (prefix->type_length > size || prefix->n_handles > size / sizeof (gint32))
    return refuse (error, "cut off");
  prefix->size = prefix_size (prefix->type_length, prefix->n_handles);
  if (prefix->size > size)
    return refuse (error, "cut off");
  prefix->handles = data + PREFIX_SIZE + prefix->type_length;
  for (const guint8 *p = prefix->handles + prefix->n_handles * sizeof (gint32);
       p < data + prefix->size; p++)
    if (*p != 0)
      return refuse (error, "padded with something");
  return TRUE;
}

static GVariantType *
parse_type (const guint8 *data, const Prefix *prefix, GError **error)
{
  char *type = g_strndup ((const char *) data + PREFIX_SIZE, prefix->type_length);

  /* The depth first: a GLib before 2.60 looks at any depth, on its stack. */
  if (strlen (type) != prefix->type_length || type_depth (type) > MAX_DEPTH ||
      !g_variant_type_string_is_valid (type) ||
      !g_variant_type_is_definite ((const GVariantType *) type))
    {
      refuse (error, "of no valid type");
      g_free (type);
      return NULL;
    }
  return (GVariantType *) type;
}

/* Normal form does not depend on the byte order, so it is looked at first: values that
 * are not normal may take very long to swap. */
static GVariant *
parse_value (GBytes *payload,
             const GVariantType *type,
             const Prefix *prefix,
             GError **error)
{
  gsize size = g_bytes_get_size (payload) - prefix->size;
  GBytes *data = g_bytes_new_from_bytes (payload, prefix->size, size);
  GVariant *value = g_variant_ref_sink (g_variant_new_from_bytes (type, data, FALSE));

  g_bytes_unref (data);
  if (g_variant_get_size (value) != size || !g_variant_is_normal_form (value))
    {
      refuse (error, "data that are not of its type");
      g_variant_unref (value);
      return NULL;
    }
  if (prefix->swapped)
    {
      GVariant *swapped = g_variant_byteswap (value);

      g_variant_unref (value);
      return swapped;
    }
  return value;
}

/* The handles that the prefix lists are those in the value, in order. */
static gboolean
check_handles (const GArray *handles,
               const Prefix *prefix,
               gboolean family,
               GError **error)
{
  if (handles->len != prefix->n_handles)
    return refuse (error, "the handles in it are not those it lists");
  if (handles->len > 0 && !family)
    return refuse (error, "handles from outside the family");
  for (guint i = 0; i < handles->len; i++)
    {
      gint32 listed;

      memcpy (&listed, prefix->handles + i * sizeof listed, sizeof listed);
      if (prefix->swapped)
        listed = (gint32) GUINT32_SWAP_LE_BE ((guint32) listed);
      if (listed != g_array_index (handles, gint32, i))
        return refuse (error, "the handles in it are not those it lists");
    }
  return TRUE;
}

GVariant *
mproc_payload_decode (GBytes *payload, gboolean family, GArray **handles, GError **error)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (payload, &size);
  Prefix prefix = { 0 };
  GVariantType *type;
  GVariant *value;
  GArray *found;

  if (!parse_prefix (data, size, &prefix, error))
    return NULL;
  type = parse_type (data, &prefix, error);
  if (type == NULL)
    return NULL;
  value = parse_value (payload, type, &prefix, error);
  g_variant_type_free (type);
  if (value == NULL)
    return NULL;

  found = g_array_new (FALSE, FALSE, sizeof (gint32));
  mproc_value_collect_handles (value, found);
  if (!check_handles (found, &prefix, family, error))
    g_clear_pointer (&value, g_variant_unref);
  if (value != NULL && found->len > 0)
    *handles = found;
  else
    g_array_unref (found);
  return value;
}
