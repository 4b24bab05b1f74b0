/* SPDX-License-Identifier: MIT */
/* Maps over tuples.  A function takes one value, so what tells them from other maps is the check. */
#include "pool/pool.h"

static gboolean
check_tuple (GVariant *items, gsize i, GError **error)
{
  GVariant *item = mproc_get_item (items, i);
  gboolean ok = g_variant_is_of_type (item, G_VARIANT_TYPE_TUPLE);

  if (!ok)
    g_set_error (error, MPROC_ERROR, MPROC_ERROR_INVALID,
                 "item %" G_GSIZE_FORMAT " of a starmap is of type %s, not a tuple of "
                 "arguments: use mproc_pool_map",
                 i, g_variant_get_type_string (item));
  g_variant_unref (item);
  return ok;
}

static gboolean
check_tuples (GVariant *items, GError **error)
{
  gsize n = g_variant_n_children (items);

  for (gsize i = 0; i < n; i++)
    if (!check_tuple (items, i, error))
      return FALSE;
  return TRUE;
}

MprocResult *
mproc_pool_starmap_async (MprocPool *self,
                          MprocFunc func,
                          GVariant *items,
                          guint chunk,
                          const MprocTaskOptions *options)
{
  GError *error = NULL;
  MprocResult *result;

  g_return_val_if_fail (mproc_object_is (self, MPROC_KIND_POOL), NULL);
  g_return_val_if_fail (func != NULL, NULL);
  g_return_val_if_fail (items != NULL && g_variant_is_container (items), NULL);

  g_variant_ref_sink (items);
  if (check_tuples (items, &error))
    result = mproc_pool_map_async (self, func, items, chunk, options);
  else
    result = mproc_result_new_failed (error);
  g_variant_unref (items);
  return result;
}

GVariant *
mproc_pool_starmap (MprocPool *self,
                    MprocFunc func,
                    GVariant *items,
                    guint chunk,
                    GError **error)
{
  return mproc_result_take (mproc_pool_starmap_async (self, func, items, chunk, NULL),
                            error);
}
