/* SPDX-License-Identifier: MIT */
#include "map/inlinemap.h"

#include "insight/progress.h"
#include "map/batchrun.h"
#include "pool/submit.h"

#include <mproc/poolmap.h>
#include <mproc/shared.h>
#include <mproc/value.h>

#include <string.h>

/* A part, and what all of them have. */
typedef struct
{
  const MprocInlineMap *map;
  guint64 first;
  guint64 end;
  guint8 *results; /* BYTES: not yet given to anybody */
  guint8 *data;    /* ARRAY */
  GVariant *given; /* ARRAY: what the function is given */
} Run;

/* ------------------------------------------------------------------ one part */

static gboolean
run_bytes (Run *self, GError **error)
{
  MprocBytesFunc func = (MprocBytesFunc) (void (*) (void)) self->map->func;
  gsize item_size = (gsize) self->map->plan.item_size;
  gsize result_size = (gsize) self->map->plan.result_size;
  const guint8 *items = self->map->items;

  for (guint64 i = self->first; i < self->end; i++)
    if (!func (items + i * item_size, item_size, self->results + i * result_size,
               result_size, error))
      return FALSE;
  return TRUE;
}

static gboolean
run_slice (Run *self, GError **error)
{
  MprocArrayFunc func = (MprocArrayFunc) (void (*) (void)) self->map->func;

  return func (self->data + self->first * self->map->plan.item_size,
               (gsize) (self->end - self->first), (gsize) self->first, self->given,
               error);
}

static gboolean
run_part (gpointer data, GError **error)
{
  Run *self = data;
  gboolean ok = self->map->plan.kind == MPROC_BATCH_BYTES ? run_bytes (self, error)
                                                          : run_slice (self, error);

  if (!ok && *error == NULL)
    mproc_set_silent_failure (error);
  return ok;
}

/* ------------------------------------------------------------------ all parts */

/* FALSE: no part is to be run any more. */
static gboolean
do_part (MprocPool *pool, Run *run, GError **error)
{
  GError *failure = NULL;

  if (mproc_pool_get_state (pool) == MPROC_POOL_TERMINATED)
    {
      g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_CANCELLED,
                           "the pool was terminated");
      return FALSE;
    }
  mproc_inline_do (pool->worker, run_part, run, &run->map->plan.limits, &failure, error);
  if (failure == NULL)
    return TRUE;
  mproc_pool_break_inline (pool, failure);
  g_mutex_lock (&pool->mutex);
  mproc_pool_check_running (pool, error);
  g_mutex_unlock (&pool->mutex);
  return FALSE;
}

/* What fails does not keep the others from being run. */
static gboolean
do_parts (MprocPool *pool, Run *run, GError **first_error)
{
  const MprocBatchPlan *plan = &run->map->plan;
  guint64 part = (guint64) plan->step * plan->covered;
  gboolean goes_on = TRUE;

  mproc_inline_begin_map (pool->worker);
  for (guint64 i = 0; goes_on && i < plan->n_items; i += part)
    {
      GError *error = NULL;

      run->first = i;
      run->end = MIN (i + part, plan->n_items);
      goes_on = do_part (pool, run, &error);
      if (error != NULL && *first_error == NULL)
        *first_error = error;
      else
        g_clear_error (&error);
    }
  mproc_inline_end_map (pool->worker);
  return *first_error == NULL;
}

/* ------------------------------------------------------------------ what there is */

static GVariant *
give_results (Run *self)
{
  gsize size = (gsize) (self->map->plan.n_items * self->map->plan.result_size);
  gpointer bytes = g_steal_pointer (&self->results);

  if (self->map->plan.kind == MPROC_BATCH_BYTES && self->map->results == NULL)
    return g_variant_ref_sink (g_variant_new_from_data (G_VARIANT_TYPE_BYTESTRING, bytes,
                                                        size, TRUE, g_free, bytes));
  if (size > 0 && bytes != NULL)
    memcpy (self->map->results, bytes, size);
  g_free (bytes);
  return g_variant_ref_sink (g_variant_new_maybe (G_VARIANT_TYPE_VARIANT, NULL));
}

/* As large as the program has asked for, which may be more than there is. */
static gboolean
make_room (Run *run, GError **error)
{
  gsize size = (gsize) (run->map->plan.n_items * run->map->plan.result_size);

  run->results = g_try_malloc (size);
  if (run->results != NULL || size == 0)
    return TRUE;
  g_set_error (error, MPROC_ERROR, MPROC_ERROR_NO_MEMORY,
               "there is no memory for the results of a map, %" G_GSIZE_FORMAT " bytes",
               size);
  return FALSE;
}

static GVariant *
run_all (MprocPool *pool, Run *run, GError **error)
{
  const MprocBatchPlan *plan = &run->map->plan;

  if (plan->kind == MPROC_BATCH_ARRAY
          ? !mproc_batch_open_array (run->map->args, &run->data, &run->given, error)
          : !mproc_batch_check_size (plan, error))
    return NULL;
  if (plan->kind == MPROC_BATCH_BYTES && !make_room (run, error))
    return NULL;
  return do_parts (pool, run, error) ? give_results (run) : NULL;
}

GVariant *
mproc_pool_map_inline (MprocPool *self, const MprocInlineMap *map, GError **error)
{
  Run run = { .map = map };
  GError *failure = NULL;
  GVariant *value = NULL;
  gboolean ok;

  g_mutex_lock (&self->mutex);
  ok = mproc_pool_check_running (self, error);
  g_mutex_unlock (&self->mutex);
  if (!ok)
    return NULL;
  value = run_all (self, &run, &failure);
  mproc_insight_count (&self->insight, (guint) map->plan.n_items, failure);
  mproc_progress_report (self, FALSE);
  g_clear_pointer (&run.given, g_variant_unref);
  g_free (run.results);
  if (failure != NULL)
    g_propagate_error (error, failure);
  return value;
}
