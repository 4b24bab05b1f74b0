/* SPDX-License-Identifier: MIT */
/* What an iterator hands over: whoever takes an outcome asks the input for more. */
#include "result/iterdata.h"

#include "pool/submit.h"

/* How many chunks are outstanding for each worker, where the pool sets no bound. */
#define CHUNKS_PER_WORKER 4

static guint
most_outstanding (MprocIter *self)
{
  if (self->pool->options->max_pending != 0)
    return self->pool->options->max_pending;
  if (self->is_at_hand)
    return G_MAXUINT;
  return CHUNKS_PER_WORKER * MAX (1, mproc_pool_get_n_workers (self->pool));
}

void
mproc_iter_lock (MprocIter *self)
{
  guint most = most_outstanding (self);

  g_mutex_lock (&self->track->mutex);
  self->most = most;
}

/* A batch that no task was found for, to be tried once more, is not added to. */
static void
gather (MprocIter *self)
{
  while (self->batch->len < self->chunk && !self->has_ended)
    {
      GVariant *item = self->next (self->data, &self->input_error);

      self->has_ended = item == NULL || self->input_error != NULL;
      if (item != NULL)
        g_ptr_array_add (self->batch, g_variant_take_ref (item));
    }
}

static GVariant *
unbox (GVariant *item)
{
  if (g_variant_is_of_type (item, G_VARIANT_TYPE_VARIANT))
    return g_variant_get_variant (item);
  return g_variant_ref (item);
}

static GVariant *
get_args (MprocIter *self)
{
  if (self->chunk == 1)
    return unbox (g_ptr_array_index (self->batch, 0));
  return g_variant_ref_sink (g_variant_new_tuple ((GVariant **) self->batch->pdata,
                                                  self->batch->len));
}

static void
add_failure (MprocIter *self, GError *error, guint n_items)
{
  mproc_track_add (self->track, mproc_result_new_failed (error), n_items, TRUE);
}

/* A pool that takes no tasks any more is the end; what cannot be sent is its own items' failure. */
static void
note_failure (MprocIter *self, GError *error)
{
  self->has_ended =
      self->has_ended || g_error_matches (error, MPROC_ERROR, MPROC_ERROR_STATE);
  add_failure (self, error, self->batch->len);
  g_ptr_array_set_size (self->batch, 0);
}

/* FALSE: there is no room for it now. */
static gboolean
submit_batch (MprocIter *self, gint64 deadline)
{
  MprocResult *result = mproc_result_new (self->pool->callbacks, 1, MPROC_RESULT_VALUE);
  MprocOrder order = { .func = self->func,
                       .args = get_args (self),
                       .flags = self->chunk == 1 ? 0 : MPROC_TASK_EACH,
                       .result = result,
                       .options = self->options,
                       .deadline = deadline,
                       .n_items = self->batch->len };
  MprocTrackPart *part =
      mproc_track_add (self->track, result, self->batch->len, self->chunk == 1);
  GError *error = NULL;
  gboolean ok;

  ok = mproc_pool_hand_over (self->pool, &order, &error);
  g_variant_unref (order.args);
  if (ok)
    {
      g_ptr_array_set_size (self->batch, 0);
      return TRUE;
    }
  mproc_track_take_back (self->track, part);
  if (g_error_matches (error, MPROC_ERROR, MPROC_ERROR_FULL))
    {
      g_error_free (error);
      return FALSE;
    }
  note_failure (self, error);
  return TRUE;
}

/* FALSE: there is no room. */
static gboolean
hand_over_next (MprocIter *self, gint64 deadline)
{
  if (self->batch->len == 0)
    gather (self);
  if (self->batch->len > 0 && !submit_batch (self, deadline))
    return FALSE;
  if (self->input_error != NULL)
    add_failure (self, g_steal_pointer (&self->input_error), 1);
  return TRUE;
}

gboolean
mproc_iter_has_more (MprocIter *self)
{
  return !self->has_ended || self->batch->len > 0;
}

gboolean
mproc_iter_fill (MprocIter *self, gint64 deadline)
{
  guint n_outstanding = self->track->parts.length;
  gboolean progress;

  if (self->filler != NULL || !mproc_iter_has_more (self) || n_outstanding >= self->most)
    return FALSE;
  self->filler = g_thread_self ();
  g_mutex_unlock (&self->track->mutex);
  progress = hand_over_next (self, n_outstanding == 0 ? deadline : 0);
  g_mutex_lock (&self->track->mutex);
  self->filler = NULL;
  g_cond_broadcast (&self->track->changed);
  return progress;
}
