/* SPDX-License-Identifier: MIT */
/* A pool's life: made, closed or terminated, joined, gone. */
#include "pool/pool.h"

#include "arena/word.h"
#include "insight/progress.h"
#include "map/poolbatch.h"
#include "pool/burial.h"
#include "pool/cancel.h"
#include "pool/exit.h"
#include "pool/memorywatch.h"
#include "pool/pending.h"
#include "pool/resize.h"
#include "pool/slots.h"
#include "pool/start.h"
#include "pool/warden.h"
#include "process/process.h"
#include "worker/setup.h"
#include "worker/worker.h"

gboolean
mproc_pool_is_mine (MprocPool *self)
{
  return self != NULL && self->base.kind == MPROC_KIND_POOL &&
         self->creator == mproc_os_pid ();
}

MprocPoolState
mproc_pool_get_state (MprocPool *self)
{
  MprocPoolState state;

  g_mutex_lock (&self->mutex);
  state = self->state;
  g_mutex_unlock (&self->mutex);
  return state;
}

gboolean
mproc_pool_check_running (MprocPool *self, GError **error)
{
  if (self->broken != NULL)
    g_propagate_error (error, g_error_copy (self->broken));
  else if (self->state != MPROC_POOL_RUNNING)
    g_set_error (error, MPROC_ERROR, MPROC_ERROR_STATE,
                 "the pool is not running: it has been %s",
                 self->state == MPROC_POOL_CLOSED ? "closed" : "terminated");
  else
    return TRUE;
  return FALSE;
}

gboolean
mproc_pool_check_owner (MprocPool *self, GError **error)
{
  if (mproc_pool_is_mine (self))
    return TRUE;
  g_set_error (error, MPROC_ERROR, MPROC_ERROR_STATE,
               "the pool belongs to the process with pid %" G_GINT64_FORMAT
               ", which made it, and this is another one, forked since: make a pool here",
               self->creator);
  return FALSE;
}

gboolean
mproc_pool_check_open (MprocPool *self, GError **error)
{
  gboolean ok;

  if (!mproc_pool_check_owner (self, error))
    return FALSE;
  g_mutex_lock (&self->mutex);
  ok = mproc_pool_check_running (self, error);
  g_mutex_unlock (&self->mutex);
  return ok;
}

/* ------------------------------------------------------------------ making */

static void
free_seats (MprocPool *self)
{
  for (guint i = 0; i < self->seats->len; i++)
    mproc_arena_free (g_array_index (self->seats, MprocOffset, i));
  g_array_unref (self->seats);
}

void
mproc_pool_free (MprocPool *self)
{
  mproc_pool_link_cut (self->link);
  mproc_nursery_free (self->nursery);
  mproc_crew_free (self->crew);
  if (self->tasks != NULL)
    mproc_queue_unref (self->tasks);
  if (self->events != NULL)
    mproc_queue_unref (self->events);
  mproc_callbacks_unref (self->callbacks);
  mproc_inline_free (self->worker);
  if (self->setup != NULL)
    g_variant_unref (self->setup);
  mproc_insight_clear (&self->insight);
  mproc_pool_options_free (self->options);
  g_hash_table_unref (self->jobs);
  g_array_unref (self->graves);
  g_ptr_array_unref (self->batches);
  g_ptr_array_unref (self->ended_batches);
  g_ptr_array_unref (self->condemned);
  g_array_unref (self->doomed);
  free_seats (self);
  mproc_backlog_clear (&self->backlog);
  mproc_pool_close_jobserver (self);
  if (self->control != 0)
    mproc_arena_free (self->control);
  g_clear_error (&self->broken);
  g_cond_clear (&self->changed);
  g_cond_clear (&self->room);
  g_mutex_clear (&self->mutex);
  g_free (self);
}

static MprocPool *
new_bare (guint n_workers, MprocStartMethod method, const MprocPoolOptions *options)
{
  MprocPool *self = g_new0 (MprocPool, 1);

  mproc_object_init (&self->base, MPROC_KIND_POOL);
  self->creator = mproc_os_pid ();
  self->options =
      options != NULL ? mproc_pool_options_copy (options) : mproc_pool_options_new ();
  self->n_workers = n_workers;
  self->method = method;
  g_mutex_init (&self->mutex);
  g_cond_init (&self->changed);
  g_cond_init (&self->room);
  self->jobs = g_hash_table_new_full (NULL, NULL, NULL, mproc_job_free);
  mproc_backlog_init (&self->backlog);
  mproc_pool_find_jobserver (self);
  self->graves = g_array_new (FALSE, FALSE, sizeof (MprocGrave));
  self->batches = g_ptr_array_new ();
  self->ended_batches = g_ptr_array_new_with_free_func (mproc_batch_job_free);
  self->condemned = g_ptr_array_new ();
  self->doomed = g_array_new (FALSE, FALSE, sizeof (MprocDoomed));
  self->link = mproc_pool_link_new (self);
  self->seats = g_array_new (FALSE, FALSE, sizeof (MprocOffset));
  return self;
}

/* Negative numbers, as they look when cast. */
static gboolean
check_numbers (const MprocPoolOptions *options, GError **error)
{
  if (options == NULL)
    return TRUE;
  if (options->max_pending <= G_MAXINT && options->max_tasks <= G_MAXINT)
    return mproc_task_options_check (options->task_options, error);
  g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_INVALID,
                       "max_pending and max_tasks_per_worker of a pool are at most "
                       "2147483647");
  return FALSE;
}

/* An inline pool starts nothing, by whatever method. */
static gboolean
choose_method (const MprocPoolOptions *options, MprocStartMethod *method, GError **error)
{
  if (options != NULL && options->is_inline)
    *method = MPROC_START_METHOD_THREAD;
  else
    *method = mproc_start_resolve (options != NULL ? options->method
                                                   : MPROC_START_METHOD_DEFAULT,
                                   error);
  return *method != MPROC_START_METHOD_DEFAULT;
}

MprocPool *
mproc_pool_new_full (guint n_workers, const MprocPoolOptions *options, GError **error)
{
  MprocStartMethod method;
  MprocPool *self;

  if (!check_numbers (options, error) || !choose_method (options, &method, error))
    return NULL;
  if (!mproc_pool_check_size (n_workers, error) ||
      (options != NULL && (!mproc_setup_check (options, method, error) ||
                           !mproc_memory_check (options, method, error))))
    return NULL;
  self = new_bare (n_workers != 0 ? n_workers : mproc_cpu_count (), method, options);
  if (!mproc_pool_set_up (self, error))
    {
      mproc_pool_free (self);
      return NULL;
    }
  mproc_pool_remember (self);
  return self;
}

MprocPool *
mproc_pool_new (guint n_workers, GError **error)
{
  return mproc_pool_new_full (n_workers, NULL, error);
}

MprocPool *
mproc_pool_ref (MprocPool *self)
{
  g_return_val_if_fail (mproc_object_is (self, MPROC_KIND_POOL), NULL);
  g_atomic_int_inc (&self->base.ref_count);
  return self;
}

/* ------------------------------------------------------------------ ending */

static gboolean
enter_state (MprocPool *self, MprocPoolState state)
{
  gboolean changed;

  g_mutex_lock (&self->mutex);
  changed = self->state < state;
  if (changed)
    {
      self->state = state;
      mproc_pool_make_room (self);
    }
  g_mutex_unlock (&self->mutex);
  return changed;
}

/* A worker that dies may leave its task to another one: until the last task is settled there have to
 * be workers that take some. */
void
mproc_pool_end_tasks (MprocPool *self)
{
  if (self->state == MPROC_POOL_CLOSED && g_hash_table_size (self->jobs) == 0 &&
      self->batches->len == 0)
    mproc_queue_shutdown (self->tasks, FALSE);
}

/* FALSE: it is none. */
static gboolean
end_inline (MprocPool *self)
{
  if (self->worker == NULL)
    return FALSE;
  mproc_inline_end (self->worker);
  mproc_progress_report (self, TRUE);
  return TRUE;
}

void
mproc_pool_close (MprocPool *self)
{
  g_return_if_fail (mproc_pool_is_mine (self));
  if (!enter_state (self, MPROC_POOL_CLOSED))
    return;
  if (end_inline (self))
    return;
  g_mutex_lock (&self->mutex);
  mproc_pool_end_tasks (self);
  g_mutex_unlock (&self->mutex);
}

/* The thread has ended; whoever comes first joins it. */
static void
put_away (MprocPool *self)
{
  GThread *thread;

  g_mutex_lock (&self->mutex);
  thread = g_steal_pointer (&self->thread);
  g_mutex_unlock (&self->mutex);
  if (thread != NULL)
    g_thread_join (thread);
}

void
mproc_pool_terminate (MprocPool *self)
{
  MprocPoolEvent stop = { .kind = MPROC_EVENT_STOP };

  g_return_if_fail (mproc_pool_is_mine (self));
  if (!enter_state (self, MPROC_POOL_TERMINATED))
    return;
  if (end_inline (self))
    return;
  g_mutex_lock (&self->mutex);
  mproc_pool_cancel_batches (self);
  g_mutex_unlock (&self->mutex);
  mproc_queue_shutdown (self->tasks, TRUE);
  /* The thread that makes room for events cannot wait for it. */
  if (mproc_callbacks_are_mine (self->callbacks))
    self->stops_itself = TRUE;
  else
    mproc_pool_event_post (self->events, &stop);
}

/* A callback that waits for its own thread's end would wait for ever, and so would a task that
 * waits for its own. */
gboolean
mproc_pool_may_wait (MprocPool *self)
{
  return !mproc_callbacks_are_mine (self->callbacks) &&
         !mproc_worker_serves (self->tasks);
}

/* Waits for the thread, which ends when the workers have, or when told to. */
gboolean
mproc_pool_join (MprocPool *self, gint64 timeout_us)
{
  gint64 deadline;
  gboolean in_time = TRUE;

  g_return_val_if_fail (mproc_pool_is_mine (self), FALSE);
  g_return_val_if_fail (timeout_us >= MPROC_FOREVER, FALSE);
  g_return_val_if_fail (mproc_pool_get_state (self) != MPROC_POOL_RUNNING, FALSE);
  deadline = mproc_pool_may_wait (self) ? mproc_deadline (timeout_us) : 0;
  g_mutex_lock (&self->mutex);
  while (!self->thread_ended && in_time)
    if (deadline == MPROC_OS_NEVER)
      g_cond_wait (&self->changed, &self->mutex);
    else
      in_time = g_cond_wait_until (&self->changed, &self->mutex, deadline);
  in_time = self->thread_ended;
  g_mutex_unlock (&self->mutex);
  if (in_time)
    put_away (self);
  return in_time;
}

void
mproc_pool_unref (MprocPool *self)
{
  g_return_if_fail (self == NULL || mproc_object_is (self, MPROC_KIND_POOL));

  if (self == NULL || !mproc_pool_drop (self) || !mproc_pool_is_mine (self))
    return;
  mproc_pool_terminate (self);
  /* The thread looks when the last worker has ended, and so after this. */
  if (!mproc_pool_may_wait (self))
    {
      g_mutex_lock (&self->mutex);
      self->frees_itself = TRUE;
      g_mutex_unlock (&self->mutex);
      return;
    }
  mproc_pool_join (self, MPROC_FOREVER);
  mproc_pool_free (self);
}
