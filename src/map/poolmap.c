/* SPDX-License-Identifier: MIT */
/* Maps, as batches. */
#include "map/poolmap.h"

#include "family/function.h"
#include "map/inlinemap.h"
#include "map/poolbatch.h"
#include "pool/submit.h"
#include "shared/items.h"

#include <mproc/poolmap.h>
#include <mproc/value.h>

#include <string.h>

/* A batch that is to be handed over. */
typedef struct
{
  MprocBatchPlan plan;
  guint64 chunk;
  MprocFunc func;
  GVariant *args; /* VALUES: the items; ARRAY: array and argument; floating or ours */
  gconstpointer items; /* BYTES */
  gpointer results;    /* BYTES: where they go to; NULL: into the result */
  MprocResult *result;
} Order;

/* Takes the batch if it could be made. */
static gboolean
hand_over_batch (MprocPool *self,
                 const Order *order,
                 const MprocMessage *args,
                 GError **error)
{
  MprocBatchJob *job = g_new0 (MprocBatchJob, 1);

  job->result = mproc_result_ref (order->result);
  job->results = order->results;
  job->batch = mproc_batch_new (&order->plan, args, order->items,
                                mproc_pool_get_n_workers (self), error);
  if (job->batch != 0 && mproc_pool_hand_over_batch (self, job, error))
    return TRUE;
  if (job->batch != 0)
    mproc_batch_free (job->batch, FALSE);
  job->batch = 0;
  mproc_batch_job_free (job);
  return FALSE;
}

static gboolean
run_inline (MprocPool *self, const Order *order, GVariant *args, GError **error)
{
  const MprocInlineMap map = { order->plan, order->func, args, order->items,
                               order->results };
  GVariant *value = mproc_pool_map_inline (self, &map, error);

  if (value == NULL)
    return FALSE;
  mproc_result_set_part (order->result, 0, value, NULL);
  return TRUE;
}

static gboolean
hand_over_message (MprocPool *self,
                   const Order *order,
                   const MprocMessage *args,
                   GError **error)
{
  if (self->worker != NULL)
    return run_inline (self, order, args != NULL ? args->value : NULL, error);
  return hand_over_batch (self, order, args, error);
}

static gboolean
hand_over (MprocPool *self, Order *order, GError **error)
{
  MprocMessage message;
  gboolean ok;

  order->plan.function = mproc_function_get_ticket (order->func, error);
  if (order->plan.function == 0)
    return FALSE;
  mproc_batch_cut (&order->plan, order->chunk, mproc_pool_get_n_workers (self));
  if (order->args == NULL)
    return hand_over_message (self, order, NULL, error);
  if (!mproc_message_init (&message, order->args, error))
    return FALSE;
  ok = mproc_pool_check_message (&message, error) &&
       hand_over_message (self, order, &message, error);
  mproc_message_clear (&message, ok && self->worker == NULL);
  return ok;
}

/* Whatever goes wrong is the result. */
static MprocResult *
submit (MprocPool *self, Order *order, const MprocTaskOptions *options)
{
  GError *error = NULL;

  if (options != NULL)
    order->plan.limits = options->limits;
  order->result = mproc_result_new (self->callbacks, 1, MPROC_RESULT_VALUE);
  mproc_result_bind (order->result, self->link);
  if (!hand_over (self, order, &error))
    mproc_result_set_part (order->result, 0, NULL, error);
  return order->result;
}

static gboolean
await (MprocResult *result, GError **error)
{
  GVariant *value = mproc_result_take (result, error);

  if (value == NULL)
    return FALSE;
  g_variant_unref (value);
  return TRUE;
}

/* ------------------------------------------------------------------ values */

/* Nor where somebody watches: of the parts of a batch the pool hears when all of them are done. */
gboolean
mproc_pool_can_batch (MprocPool *self, const MprocTaskOptions *options)
{
  return !self->options->is_inline && self->insight.trace == NULL &&
         g_atomic_pointer_get (&self->insight.progress) == NULL &&
         (options == NULL || (options->attempts <= 1 && options->priority == 0 &&
                              !options->captures_output));
}

MprocResult *
mproc_pool_map_values (MprocPool *self,
                       MprocFunc func,
                       GVariant *items,
                       guint chunk,
                       const MprocTaskOptions *options)
{
  Order order = { .plan = { .kind = MPROC_BATCH_VALUES } };

  order.plan.n_items = g_variant_n_children (items);
  order.chunk = chunk;
  order.func = func;
  order.args = items;
  return submit (self, &order, options);
}

/* ------------------------------------------------------------------ bytes */

static MprocResult *
map_bytes (MprocPool *self,
           MprocBytesFunc func,
           gconstpointer items,
           gsize n,
           gsize size,
           gpointer results,
           gsize result_size,
           guint chunk)
{
  Order order = { .plan = { .kind = MPROC_BATCH_BYTES } };

  order.plan.n_items = n;
  order.plan.item_size = size;
  order.plan.result_size = result_size;
  order.chunk = chunk;
  order.func = (MprocFunc) (void (*) (void)) func;
  order.items = items;
  order.results = results;
  return submit (self, &order, self->options->task_options);
}

static MprocResult *
new_ready_result (GVariant *value)
{
  MprocResult *result = mproc_result_new (NULL, 1, MPROC_RESULT_VALUE);

  mproc_result_set_part (result, 0, g_variant_ref_sink (value), NULL);
  return result;
}

MprocResult *
mproc_pool_map_bytes_async (MprocPool *self,
                            MprocBytesFunc func,
                            gconstpointer items,
                            gsize n,
                            gsize size,
                            gsize result_size,
                            guint chunk)
{
  GError *error = NULL;

  g_return_val_if_fail (mproc_object_is (self, MPROC_KIND_POOL), NULL);
  g_return_val_if_fail (func != NULL, NULL);
  g_return_val_if_fail (items != NULL || n == 0, NULL);
  g_return_val_if_fail (size > 0, NULL);

  if (!mproc_pool_check_map (self, chunk, &error))
    return mproc_result_new_failed (error);
  if (n == 0)
    return new_ready_result (g_variant_new_from_data (G_VARIANT_TYPE_BYTESTRING, NULL, 0,
                                                      TRUE, NULL, NULL));
  return map_bytes (self, func, items, n, size, NULL, result_size, chunk);
}

gboolean
mproc_pool_map_bytes (MprocPool *self,
                      MprocBytesFunc func,
                      gconstpointer items,
                      gsize n,
                      gsize size,
                      gpointer results,
                      gsize result_size,
                      guint chunk,
                      GError **error)
{
  g_return_val_if_fail (mproc_object_is (self, MPROC_KIND_POOL), FALSE);
  g_return_val_if_fail (func != NULL, FALSE);
  g_return_val_if_fail (items != NULL || n == 0, FALSE);
  g_return_val_if_fail (size > 0, FALSE);
  g_return_val_if_fail (results != NULL || result_size == 0 || n == 0, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (!mproc_pool_check_map (self, chunk, error))
    return FALSE;
  return n == 0 ||
         await (map_bytes (self, func, items, n, size, results, result_size, chunk),
                error);
}

gboolean
mproc_pool_apply_bytes (MprocPool *self,
                        MprocBytesFunc func,
                        gconstpointer item,
                        gsize size,
                        gpointer result,
                        gsize result_size,
                        GError **error)
{
  return mproc_pool_map_bytes (self, func, item, 1, size, result, result_size, 1, error);
}

/* ------------------------------------------------------------------ slices */

static gboolean
check_slices (MprocPool *self, gsize chunk, GError **error)
{
  if (chunk <= G_MAXSSIZE)
    return mproc_pool_check_open (self, error);
  g_set_error (error, MPROC_ERROR, MPROC_ERROR_INVALID,
               "slices of %" G_GSIZE_FORMAT " items are longer than any array; 0 is "
               "chosen well",
               chunk);
  return FALSE;
}

MprocResult *
mproc_pool_map_array_async (MprocPool *self,
                            MprocArrayFunc func,
                            MprocArray *array,
                            gsize chunk,
                            GVariant *args)
{
  Order order = { .plan = { .kind = MPROC_BATCH_ARRAY } };
  GError *error = NULL;
  GVariant *given;

  g_return_val_if_fail (mproc_object_is (self, MPROC_KIND_POOL), NULL);
  g_return_val_if_fail (func != NULL, NULL);
  g_return_val_if_fail (MPROC_OBJECT_IS (array, MPROC_KIND_ARRAY), NULL);

  if (!check_slices (self, chunk, &error))
    {
      mproc_pool_refuse_value (args);
      return mproc_result_new_failed (error);
    }
  given = g_variant_new_maybe (G_VARIANT_TYPE_VARIANT,
                               args != NULL ? g_variant_new_variant (args) : NULL);
  order.plan.n_items = mproc_array_get_length (array);
  order.plan.item_size = ((MprocItems *) (gpointer) array)->size;
  order.chunk = chunk;
  order.func = (MprocFunc) (void (*) (void)) func;
  order.args = mproc_pack ("(h@mv)", array, given);
  return submit (self, &order, self->options->task_options);
}

gboolean
mproc_pool_map_array (MprocPool *self,
                      MprocArrayFunc func,
                      MprocArray *array,
                      gsize chunk,
                      GVariant *args,
                      GError **error)
{
  return await (mproc_pool_map_array_async (self, func, array, chunk, args), error);
}
