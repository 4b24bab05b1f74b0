/* SPDX-License-Identifier: MIT */
/* Maps of values: a batch where that can be, else each chunk a task. */
#include "map/poolmap.h"

#include "pool/submit.h"

/* CPython's: a quarter of an even share, rounded up. */
static guint
choose_chunk (MprocPool *self, gsize n)
{
  gsize parts = (gsize) mproc_pool_get_n_workers (self) * 4;

  return (guint) MAX (1, (n + parts - 1) / parts);
}

/* The items of one chunk as a value. */
static GVariant *
slice (GVariant *items, gsize from, gsize n)
{
  GVariant **children = g_new (GVariant *, n);
  GVariant *value;

  for (gsize i = 0; i < n; i++)
    children[i] = g_variant_get_child_value (items, from + i);
  if (g_variant_is_of_type (items, G_VARIANT_TYPE_ARRAY))
    value = g_variant_new_array (g_variant_type_element (g_variant_get_type (items)),
                                 children, n);
  else
    value = g_variant_new_tuple (children, n);
  for (gsize i = 0; i < n; i++)
    g_variant_unref (children[i]);
  g_free (children);
  return value;
}

/* A negative number, as it looks when cast.  A pool that takes no tasks takes no map of 0 items. */
gboolean
mproc_pool_check_map (MprocPool *self, guint chunk, GError **error)
{
  if (chunk <= G_MAXINT)
    return mproc_pool_check_open (self, error);
  g_set_error (error, MPROC_ERROR, MPROC_ERROR_INVALID,
               "a chunk of %u items is more than a task can have; at most %d, and 0 is "
               "chosen well",
               chunk, G_MAXINT);
  return FALSE;
}

/* One chunk as a task: a chunk of one item is that item. */
static void
submit_chunk (MprocPool *self, MprocOrder *order, GVariant *items, gsize from)
{
  if (order->flags == 0)
    order->args = mproc_get_item (items, from);
  else
    order->args = g_variant_ref_sink (slice (items, from, order->n_items));
  mproc_pool_submit_part (self, order);
  g_variant_unref (order->args);
}

static MprocResult *
map_chunks (MprocPool *self,
            MprocFunc func,
            GVariant *items,
            guint chunk,
            MprocTaskOptions *options)
{
  gsize n = g_variant_n_children (items);
  gboolean one_by_one = chunk == 1;
  guint n_parts = (guint) ((n + chunk - 1) / chunk);
  MprocOrder order = { .func = func,
                       .flags = one_by_one ? 0 : MPROC_TASK_MAP,
                       .result = mproc_result_new (self->callbacks, n_parts,
                                                   one_by_one ? MPROC_RESULT_ITEMS
                                                              : MPROC_RESULT_CHUNKS),
                       .options = options,
                       .deadline = MPROC_OS_NEVER };

  for (order.part = 0; order.part < n_parts; order.part++)
    {
      gsize from = (gsize) order.part * chunk;

      order.n_items = (guint) MIN (chunk, n - from);
      submit_chunk (self, &order, items, from);
    }
  return order.result;
}

MprocResult *
mproc_pool_map_async (MprocPool *self,
                      MprocFunc func,
                      GVariant *items,
                      guint chunk,
                      const MprocTaskOptions *options)
{
  GError *error = NULL;
  MprocTaskOptions *chosen;
  MprocResult *result;
  gsize n;

  g_return_val_if_fail (mproc_object_is (self, MPROC_KIND_POOL), NULL);
  g_return_val_if_fail (func != NULL, NULL);
  g_return_val_if_fail (items != NULL && g_variant_is_container (items), NULL);
  g_variant_ref_sink (items);
  if (!mproc_pool_check_map (self, chunk, &error))
    {
      g_variant_unref (items);
      return mproc_result_new_failed (error);
    }
  n = g_variant_n_children (items);
  chosen = mproc_pool_choose_options (self, options);
  if (n > 0 && mproc_pool_can_batch (self, chosen))
    result = mproc_pool_map_values (self, func, items, chunk, chosen);
  else
    result = map_chunks (self, func, items, chunk != 0 ? chunk : choose_chunk (self, n),
                         chosen);
  mproc_task_options_free (chosen);
  g_variant_unref (items);
  return result;
}

GVariant *
mproc_pool_map (MprocPool *self,
                MprocFunc func,
                GVariant *items,
                guint chunk,
                GError **error)
{
  return mproc_result_take (mproc_pool_map_async (self, func, items, chunk, NULL), error);
}
