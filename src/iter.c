/* SPDX-License-Identifier: MIT */
/* An iterator hands items over as outcomes are taken: whoever takes one asks the input for more. */
#include "cancel.h"
#include "function.h"
#include "pool.h"
#include "track.h"
#include "word.h"

#include <mproc/iter.h>

/* How many chunks are outstanding for each worker, where the pool sets no bound. */
#define CHUNKS_PER_WORKER 4

struct MprocIter
{
  MprocObject base;
  MprocPool *pool;
  MprocTrack *track;
  MprocFunc func;
  guint chunk;
  MprocTaskOptions *options; /* frozen; NULL: none */

  MprocNextFunc next;
  gpointer data;
  GDestroyNotify destroy;
  gboolean is_at_hand; /* the input is there already, all of it */

  guint most; /* outstanding chunks; under the track's mutex */

  /* Whoever fills works on these; that it does is under the track's mutex. */
  GThread *filler;
  GPtrArray *batch;    /* of GVariant: taken from the input, not handed over yet */
  gboolean has_ended;  /* the input */
  GError *input_error; /* what it ended with, to be given behind the batch */
};

/* ------------------------------------------------------------------ items of a value */

typedef struct
{
  GVariant *items;
  gsize i;
} Items;

static GVariant *
next_of_items (gpointer data, GError **error)
{
  Items *self = data;

  (void) error;
  if (self->i == g_variant_n_children (self->items))
    return NULL;
  return mproc_get_item (self->items, self->i++);
}

static void
free_items (gpointer data)
{
  Items *self = data;

  g_variant_unref (self->items);
  g_free (self);
}

/* ------------------------------------------------------------------ handing over */

static guint
most_outstanding (MprocIter *self)
{
  if (self->pool->options->max_pending != 0)
    return self->pool->options->max_pending;
  if (self->is_at_hand)
    return G_MAXUINT;
  return CHUNKS_PER_WORKER * MAX (1, mproc_pool_get_n_workers (self->pool));
}

/* Takes the mutex, of which the pool's order is the outer one. */
static void
lock (MprocIter *self)
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
                       .deadline = deadline };
  MprocPart *part =
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

static gboolean
has_more (MprocIter *self)
{
  return !self->has_ended || self->batch->len > 0;
}

/* Under the mutex, which it leaves meanwhile: the input is its owner's code, and the pool may have to
 * be waited for, where nothing else can be.  FALSE: nothing was handed over. */
static gboolean
fill (MprocIter *self, gint64 deadline)
{
  guint n_outstanding = self->track->parts.length;
  gboolean progress;

  if (self->filler != NULL || !has_more (self) || n_outstanding >= self->most)
    return FALSE;
  self->filler = g_thread_self ();
  g_mutex_unlock (&self->track->mutex);
  progress = hand_over_next (self, n_outstanding == 0 ? deadline : 0);
  g_mutex_lock (&self->track->mutex);
  self->filler = NULL;
  g_cond_broadcast (&self->track->changed);
  return progress;
}

/* ------------------------------------------------------------------ making */

static MprocIter *
make (MprocPool *pool, MprocFunc func, guint chunk, gboolean is_ordered)
{
  MprocIter *self = g_new0 (MprocIter, 1);

  mproc_object_init (&self->base, MPROC_KIND_ITER);
  self->pool = mproc_pool_ref (pool);
  self->track = mproc_track_new (is_ordered);
  self->func = func;
  self->chunk = MAX (chunk, 1);
  self->batch = g_ptr_array_new_with_free_func ((GDestroyNotify) g_variant_unref);
  return self;
}

static gboolean
may_make (MprocPool *pool, MprocFunc func, guint chunk, GError **error)
{
  gboolean ok;

  if (chunk > G_MAXINT)
    {
      g_propagate_error (error, mproc_pool_refuse_chunk (chunk));
      return FALSE;
    }
  g_mutex_lock (&pool->mutex);
  ok = mproc_pool_check_running (pool, error);
  g_mutex_unlock (&pool->mutex);
  return ok && mproc_function_get_ticket (func, error) != 0;
}

static MprocIter *
imap (MprocPool *pool,
      MprocFunc func,
      GVariant *items,
      guint chunk,
      gboolean is_ordered,
      const MprocTaskOptions *options,
      GError **error)
{
  MprocIter *self;
  Items *input;

  g_variant_ref_sink (items);
  if (!may_make (pool, func, chunk, error))
    {
      g_variant_unref (items);
      return NULL;
    }
  input = g_new0 (Items, 1);
  input->items = items;
  self = make (pool, func, chunk, is_ordered);
  self->options = mproc_pool_choose_options (pool, options);
  self->next = next_of_items;
  self->data = input;
  self->destroy = free_items;
  self->is_at_hand = TRUE;
  lock (self);
  while (fill (self, 0))
    continue;
  g_mutex_unlock (&self->track->mutex);
  return self;
}

MprocIter *
mproc_pool_imap (MprocPool *self,
                 MprocFunc func,
                 GVariant *items,
                 guint chunk,
                 const MprocTaskOptions *options,
                 GError **error)
{
  g_return_val_if_fail (mproc_pool_is_mine (self), NULL);
  g_return_val_if_fail (func != NULL, NULL);
  g_return_val_if_fail (items != NULL && g_variant_is_container (items), NULL);
  return imap (self, func, items, chunk, TRUE, options, error);
}

MprocIter *
mproc_pool_imap_unordered (MprocPool *self,
                           MprocFunc func,
                           GVariant *items,
                           guint chunk,
                           const MprocTaskOptions *options,
                           GError **error)
{
  g_return_val_if_fail (mproc_pool_is_mine (self), NULL);
  g_return_val_if_fail (func != NULL, NULL);
  g_return_val_if_fail (items != NULL && g_variant_is_container (items), NULL);
  return imap (self, func, items, chunk, FALSE, options, error);
}

static void
set_input (MprocIter *self, MprocNextFunc next, gpointer data, GDestroyNotify destroy)
{
  self->next = next;
  self->data = data;
  self->destroy = destroy;
}

MprocIter *
mproc_pool_imap_from (MprocPool *self,
                      MprocFunc func,
                      MprocNextFunc next,
                      gpointer data,
                      GDestroyNotify destroy,
                      guint chunk,
                      const MprocTaskOptions *options,
                      GError **error)
{
  MprocIter *iter;

  g_return_val_if_fail (mproc_pool_is_mine (self), NULL);
  g_return_val_if_fail (func != NULL && next != NULL, NULL);
  if (!may_make (self, func, chunk, error))
    {
      if (destroy != NULL)
        destroy (data);
      return NULL;
    }
  iter = make (self, func, chunk, TRUE);
  iter->options = mproc_pool_choose_options (self, options);
  set_input (iter, next, data, destroy);
  return iter;
}

MprocIter *
mproc_pool_imap_unordered_from (MprocPool *self,
                                MprocFunc func,
                                MprocNextFunc next,
                                gpointer data,
                                GDestroyNotify destroy,
                                guint chunk,
                                const MprocTaskOptions *options,
                                GError **error)
{
  MprocIter *iter =
      mproc_pool_imap_from (self, func, next, data, destroy, chunk, options, error);

  if (iter != NULL)
    iter->track->is_ordered = FALSE;
  return iter;
}

MprocIter *
mproc_iter_ref (MprocIter *self)
{
  g_return_val_if_fail (mproc_object_is (self, MPROC_KIND_ITER), NULL);
  g_atomic_int_inc (&self->base.ref_count);
  return self;
}

/* Under the pool's mutex: a job's result is not ready, and so keeps its part. */
static gboolean
is_of_track (MprocResult *result, gpointer track)
{
  return mproc_track_has (track, result);
}

void
mproc_iter_unref (MprocIter *self)
{
  g_return_if_fail (self == NULL || mproc_object_is (self, MPROC_KIND_ITER));
  if (self == NULL || !g_atomic_int_dec_and_test (&self->base.ref_count) ||
      !mproc_pool_is_mine (self->pool))
    return;
  mproc_track_abandon (self->track);
  if (self->pool->worker == NULL)
    mproc_pool_cancel_where (self->pool, is_of_track, self->track);
  mproc_track_unref (self->track);
  if (self->destroy != NULL)
    self->destroy (self->data);
  g_ptr_array_unref (self->batch);
  g_clear_error (&self->input_error);
  mproc_task_options_free (self->options);
  mproc_pool_unref (self->pool);
  g_free (self);
}

/* ------------------------------------------------------------------ taking */

/* Nobody brings anything while the calling thread waits. */
static gboolean
cannot_wait (MprocIter *self)
{
  return self->filler == g_thread_self () ||
         mproc_callbacks_are_mine (self->pool->callbacks);
}

/* FALSE with error. */
static gboolean
wait (MprocIter *self, gint64 deadline, GError **error)
{
  MprocTrack *track = self->track;

  if (cannot_wait (self))
    g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_STATE,
                         "no outcome is there yet, and none can come while the thread "
                         "that brings it waits");
  else if (deadline == MPROC_OS_NEVER)
    {
      g_cond_wait (&track->changed, &track->mutex);
      return TRUE;
    }
  else if (g_cond_wait_until (&track->changed, &track->mutex, deadline))
    return TRUE;
  else
    g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_TIMED_OUT,
                         "no outcome is there yet");
  return FALSE;
}

/* Under the mutex.  An outcome that is there already does not wait for more than one chunk of the
 * input. */
static GVariant *
take_next (MprocIter *self, gint64 deadline, GError **error)
{
  GVariant *value = NULL;

  for (;;)
    {
      gboolean filled = fill (self, deadline);

      if (mproc_track_take (self->track, &value, error))
        return value;
      if (filled)
        continue;
      if (self->filler == NULL && !has_more (self) && self->track->parts.length == 0)
        return NULL;
      if (!wait (self, deadline, error))
        return NULL;
    }
}

GVariant *
mproc_iter_next (MprocIter *self, gint64 timeout_us, GError **error)
{
  GVariant *value;

  g_return_val_if_fail (mproc_object_is (self, MPROC_KIND_ITER), NULL);
  g_return_val_if_fail (MPROC_IS_TIMEOUT (timeout_us), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);
  if (!mproc_pool_is_mine (self->pool))
    {
      g_set_error_literal (
          error, MPROC_ERROR, MPROC_ERROR_STATE,
          "the iterator belongs to the process that made it, and this is "
          "another one, forked since");
      return NULL;
    }
  lock (self);
  value = take_next (self, mproc_deadline (timeout_us), error);
  g_mutex_unlock (&self->track->mutex);
  return value;
}
