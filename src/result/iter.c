/* SPDX-License-Identifier: MIT */
#include "result/iterdata.h"

#include "arena/word.h"
#include "family/function.h"
#include "map/poolmap.h"
#include "pool/cancel.h"
#include "pool/submit.h"

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
  return mproc_pool_check_map (pool, chunk, error) &&
         mproc_function_get_ticket (func, error) != 0;
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
  mproc_iter_lock (self);
  while (mproc_iter_fill (self, 0))
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
  g_return_val_if_fail (mproc_object_is (self, MPROC_KIND_POOL), NULL);
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
  g_return_val_if_fail (mproc_object_is (self, MPROC_KIND_POOL), NULL);
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

  g_return_val_if_fail (mproc_object_is (self, MPROC_KIND_POOL), NULL);
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
      gboolean filled = mproc_iter_fill (self, deadline);

      if (mproc_track_take (self->track, &value, error))
        return value;
      if (filled)
        continue;
      if (self->filler == NULL && !mproc_iter_has_more (self) &&
          self->track->parts.length == 0)
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
  mproc_iter_lock (self);
  value = take_next (self, mproc_deadline (timeout_us), error);
  g_mutex_unlock (&self->track->mutex);
  return value;
}
