/* SPDX-License-Identifier: MIT */
#include "family/classes.h"
#include "shared/items.h"

#include <mproc/shared.h>

struct MprocArray
{
  MprocItems items;
};

#define IS_ARRAY(self) MPROC_OBJECT_IS (self, MPROC_KIND_ARRAY)

const MprocClass *
mproc_array_get_class (void)
{
  static const MprocClass array_class = {
    .name = "array",
    .kind = MPROC_KIND_ARRAY,
    .open = mproc_items_open,
    .close = mproc_items_close,
    .destroy = mproc_items_destroy,
  };

  return &array_class;
}

/* ------------------------------------------------------------------ making */

/* How many items there will be, 0 with error. */
static gsize
choose_length (gsize length, GVariant *items, GError **error)
{
  gsize given = items != NULL ? g_variant_n_children (items) : 0;

  if (length == 0 && given == 0)
    g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_INVALID,
                         "a shared array needs one item at least");
  else if (length != 0 && given > length)
    g_set_error (error, MPROC_ERROR, MPROC_ERROR_INVALID,
                 "%" G_GSIZE_FORMAT " items do not fit into an array of %" G_GSIZE_FORMAT,
                 given, length);
  else
    return length != 0 ? length : given;
  return 0;
}

/* With @items in normal form. */
static MprocArray *
make_filled (const char *type,
             gsize length,
             GVariant *items,
             gpointer lock,
             GError **error)
{
  MprocArray *self = NULL;

  length = choose_length (length, items, error);
  if (length != 0)
    self = mproc_items_new (mproc_array_get_class (), type, length, lock, error);
  if (self != NULL && items != NULL)
    mproc_items_fill (&self->items, items);
  return self;
}

static MprocArray *
make (const char *type, gsize length, GVariant *items, gpointer lock, GError **error)
{
  GVariantType *array_type;
  GVariant *normal;
  MprocArray *self;
  gsize size;

  if (!mproc_fixed_check (type, &size, error))
    return NULL;
  if (items == NULL)
    return make_filled (type, length, NULL, lock, error);
  array_type = g_variant_type_new_array ((const GVariantType *) type);
  normal = mproc_fixed_normal (items, array_type, error);
  g_variant_type_free (array_type);
  if (normal == NULL)
    return NULL;
  self = make_filled (type, length, normal, lock, error);
  g_variant_unref (normal);
  return self;
}

MprocArray *
mproc_array_new (const char *type,
                 gsize length,
                 GVariant *items,
                 gpointer lock,
                 GError **error)
{
  MprocArray *self;

  g_return_val_if_fail (type != NULL, NULL);
  g_return_val_if_fail (mproc_lockref_is_valid (lock), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (items != NULL)
    g_variant_ref_sink (items);
  self = make (type, length, items, lock, error);
  g_clear_pointer (&items, g_variant_unref);
  return self;
}

MprocArray *
mproc_array_ref (MprocArray *self)
{
  g_return_val_if_fail (IS_ARRAY (self), NULL);

  return (MprocArray *) mproc_object_ref (&self->items.plain.object);
}

void
mproc_array_unref (MprocArray *self)
{
  g_return_if_fail (self == NULL || IS_ARRAY (self));

  if (self != NULL)
    mproc_object_unref (&self->items.plain.object);
}

const char *
mproc_array_get_type_string (MprocArray *self)
{
  g_return_val_if_fail (IS_ARRAY (self), NULL);

  return self->items.type + 1;
}

gsize
mproc_array_get_length (MprocArray *self)
{
  g_return_val_if_fail (IS_ARRAY (self), 0);

  return self->items.length;
}

/* ------------------------------------------------------------------ the lock */

gpointer
mproc_array_get_lock (MprocArray *self)
{
  g_return_val_if_fail (IS_ARRAY (self), NULL);

  return mproc_items_get_lock (&self->items);
}

MprocLockStatus
mproc_array_acquire (MprocArray *self, gint64 timeout_us)
{
  g_return_val_if_fail (IS_ARRAY (self), MPROC_LOCK_STATUS_TIMED_OUT);
  g_return_val_if_fail (MPROC_IS_TIMEOUT (timeout_us), MPROC_LOCK_STATUS_TIMED_OUT);
  g_return_val_if_fail (self->items.lock != 0, MPROC_LOCK_STATUS_TIMED_OUT);

  return mproc_items_acquire (&self->items, timeout_us);
}

gboolean
mproc_array_release (MprocArray *self, GError **error)
{
  g_return_val_if_fail (IS_ARRAY (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);
  g_return_val_if_fail (self->items.lock != 0, FALSE);

  return mproc_items_release (&self->items, error);
}

/* ------------------------------------------------------------------ items */

gpointer
mproc_array_get_data (MprocArray *self, gsize *length)
{
  g_return_val_if_fail (IS_ARRAY (self), NULL);

  if (length != NULL)
    *length = self->items.length;
  return self->items.data;
}

static gboolean
find_item (MprocArray *self, gssize index, MprocSlice *slice, GError **error)
{
  gssize length = (gssize) self->items.length;

  if (index < -length || index >= length)
    {
      g_set_error (error, MPROC_ERROR, MPROC_ERROR_INVALID,
                   "index %" G_GSSIZE_FORMAT " is out of the range of %" G_GSSIZE_FORMAT
                   " items",
                   index, length);
      return FALSE;
    }
  *slice = (MprocSlice){ (gsize) (index < 0 ? index + length : index), 1, 1 };
  return TRUE;
}

GVariant *
mproc_array_get (MprocArray *self, gssize index, GError **error)
{
  MprocSlice slice;

  g_return_val_if_fail (IS_ARRAY (self), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (!find_item (self, index, &slice, error))
    return NULL;
  return mproc_items_read (&self->items, &slice, mproc_items_item_type (&self->items),
                           error);
}

gboolean
mproc_array_set (MprocArray *self, gssize index, GVariant *value, GError **error)
{
  GVariant *normal = NULL;
  MprocSlice slice;

  g_return_val_if_fail (IS_ARRAY (self), FALSE);
  g_return_val_if_fail (value != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  g_variant_ref_sink (value);
  if (find_item (self, index, &slice, error))
    normal = mproc_fixed_normal (value, mproc_items_item_type (&self->items), error);
  g_variant_unref (value);
  if (normal == NULL)
    return FALSE;
  mproc_items_write (&self->items, &slice, normal);
  g_variant_unref (normal);
  return TRUE;
}

/* ------------------------------------------------------------------ slices */

/* Where a slice starts or stops: negative numbers count from the end, and what lies outside is
 * the place just outside, or just inside, from which @step goes on. */
static gssize
clamp (gssize place, gssize length, gssize step)
{
  gssize first = step < 0 ? -1 : 0;

  return place < 0 ? MAX (place + length, first) : MIN (place, first + length);
}

static gboolean
find_slice (MprocArray *self,
            gssize start,
            gssize stop,
            gssize step,
            MprocSlice *slice,
            GError **error)
{
  gssize length = (gssize) self->items.length;

  if (step == 0)
    {
      g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_INVALID,
                           "a slice's step cannot be 0");
      return FALSE;
    }
  step = MAX (step, -G_MAXSSIZE); /* so that there is one of the other sign */
  start = clamp (start, length, step);
  stop = clamp (stop, length, step);
  *slice = (MprocSlice){ (gsize) start, 0, step };
  if (step > 0 && start < stop)
    slice->n = (gsize) ((stop - start - 1) / step + 1);
  else if (step < 0 && start > stop)
    slice->n = (gsize) ((start - stop - 1) / -step + 1);
  return TRUE;
}

GVariant *
mproc_array_get_slice (MprocArray *self,
                       gssize start,
                       gssize stop,
                       gssize step,
                       GError **error)
{
  MprocSlice slice;

  g_return_val_if_fail (IS_ARRAY (self), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (!find_slice (self, start, stop, step, &slice, error))
    return NULL;
  return mproc_items_read (&self->items, &slice, mproc_items_type (&self->items), error);
}

static gboolean
set_slice (MprocArray *self, const MprocSlice *slice, GVariant *items, GError **error)
{
  GVariant *normal = mproc_fixed_normal (items, mproc_items_type (&self->items), error);
  gsize n;

  if (normal == NULL)
    return FALSE;
  n = g_variant_n_children (normal);
  if (n == slice->n)
    mproc_items_write (&self->items, slice, normal);
  else
    g_set_error (error, MPROC_ERROR, MPROC_ERROR_INVALID,
                 "%" G_GSIZE_FORMAT " items were given for a slice of %" G_GSIZE_FORMAT
                 "; an array cannot change its length",
                 n, slice->n);
  g_variant_unref (normal);
  return n == slice->n;
}

gboolean
mproc_array_set_slice (MprocArray *self,
                       gssize start,
                       gssize stop,
                       gssize step,
                       GVariant *items,
                       GError **error)
{
  MprocSlice slice;
  gboolean ok;

  g_return_val_if_fail (IS_ARRAY (self), FALSE);
  g_return_val_if_fail (items != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  g_variant_ref_sink (items);
  ok = find_slice (self, start, stop, step, &slice, error) &&
       set_slice (self, &slice, items, error);
  g_variant_unref (items);
  return ok;
}
