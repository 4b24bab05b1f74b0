/* SPDX-License-Identifier: MIT */
/* Values as the items of lists. */
#include "shared/listlayout.h"

#include <mproc/value.h>
#include <mproc/error.h>
#include <string.h>

static GVariant *
unbox (GVariant *value)
{
  g_variant_ref (value);
  while (g_variant_is_of_type (value, G_VARIANT_TYPE_VARIANT))
    {
      GVariant *inside = g_variant_get_variant (value);

      g_variant_unref (value);
      value = inside;
    }
  return value;
}

/* FALSE: it is none, or too large. */
static gboolean
read_integer (GVariant *value, gint64 *integer)
{
  switch (g_variant_classify (value))
    {
    case G_VARIANT_CLASS_BYTE:
      *integer = g_variant_get_byte (value);
      return TRUE;
    case G_VARIANT_CLASS_INT16:
      *integer = g_variant_get_int16 (value);
      return TRUE;
    case G_VARIANT_CLASS_UINT16:
      *integer = g_variant_get_uint16 (value);
      return TRUE;
    case G_VARIANT_CLASS_INT32:
      *integer = g_variant_get_int32 (value);
      return TRUE;
    case G_VARIANT_CLASS_UINT32:
      *integer = g_variant_get_uint32 (value);
      return TRUE;
    case G_VARIANT_CLASS_INT64:
      *integer = g_variant_get_int64 (value);
      return TRUE;
    case G_VARIANT_CLASS_UINT64:
      *integer = (gint64) g_variant_get_uint64 (value);
      return g_variant_get_uint64 (value) <= G_MAXINT64;
    default:
      return FALSE;
    }
}

static gboolean
read_item (MprocItem *self)
{
  GVariant *value = self->value;

  if (mproc_is_nothing (value))
    self->type = MPROC_ITEM_NOTHING;
  else if (g_variant_is_of_type (value, G_VARIANT_TYPE_BYTESTRING))
    {
      self->type = MPROC_ITEM_BYTES;
      self->data = g_variant_get_fixed_array (value, &self->size, 1);
    }
  else if (g_variant_is_of_type (value, G_VARIANT_TYPE_STRING))
    {
      self->type = MPROC_ITEM_TEXT;
      self->data = g_variant_get_string (value, &self->size);
    }
  else if (g_variant_is_of_type (value, G_VARIANT_TYPE_DOUBLE))
    {
      self->type = MPROC_ITEM_DOUBLE;
      self->number = g_variant_get_double (value);
    }
  else if (g_variant_is_of_type (value, G_VARIANT_TYPE_BOOLEAN))
    {
      self->type = MPROC_ITEM_BOOLEAN;
      self->integer = g_variant_get_boolean (value);
    }
  else
    {
      self->type = MPROC_ITEM_INTEGER;
      return read_integer (value, &self->integer);
    }
  return TRUE;
}

gboolean
mproc_item_init (MprocItem *self, GVariant *value, GError **error)
{
  memset (self, 0, sizeof *self);
  self->value = unbox (value);
  if (read_item (self))
    return TRUE;
  if (g_variant_is_of_type (self->value, G_VARIANT_TYPE_UINT64))
    g_set_error (error, MPROC_ERROR, MPROC_ERROR_INVALID,
                 "%" G_GUINT64_FORMAT " is larger than an integer of a list can be",
                 g_variant_get_uint64 (self->value));
  else
    g_set_error (error, MPROC_ERROR, MPROC_ERROR_INVALID,
                 "a value of type %s cannot be an item of a list",
                 g_variant_get_type_string (self->value));
  mproc_item_clear (self);
  return FALSE;
}

void
mproc_item_clear (MprocItem *self)
{
  if (self->value != NULL)
    g_variant_unref (self->value);
  self->value = NULL;
}

/* ------------------------------------------------------------------ comparing */

static gboolean
is_whole (const MprocItem *item)
{
  return item->type == MPROC_ITEM_INTEGER || item->type == MPROC_ITEM_BOOLEAN;
}

/* Exactly: not every integer is a double. */
static gboolean
equals_double (gint64 integer, double number)
{
  const double limit = 9223372036854775808.0;

  return number >= -limit && number < limit && (gint64) number == integer &&
         (double) (gint64) number == number;
}

gboolean
mproc_item_equal (const MprocItem *a, const MprocItem *b)
{
  if (is_whole (a) && is_whole (b))
    return a->integer == b->integer;
  if (is_whole (a) && b->type == MPROC_ITEM_DOUBLE)
    return equals_double (a->integer, b->number);
  if (is_whole (b) && a->type == MPROC_ITEM_DOUBLE)
    return equals_double (b->integer, a->number);
  if (a->type != b->type)
    return FALSE;
  if (a->type == MPROC_ITEM_DOUBLE)
    return a->number == b->number;
  return a->size == b->size && (a->size == 0 || memcmp (a->data, b->data, a->size) == 0);
}
