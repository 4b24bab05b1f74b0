/* SPDX-License-Identifier: MIT */
/* The end of a pool within a time: what is there is done, then cancelled or asked to stop, then killed.
 *
 * A task's fate is decided by its word, by compare-and-swap, against a worker that begins or finishes
 * it in that moment: so each is counted once, as what it came to. */
#include "pool/burial.h"

#include "arena/word.h"
#include "map/poolbatch.h"
#include "pool/obituary.h"
#include "pool/report.h"

/* How long the workers may take to be gone once they are killed, before it is left to the background. */
#define KILL_PATIENCE (4 * G_USEC_PER_SEC / 10)

/* How often tasks are asked to stop: one may have been claimed, and not be in its worker's seat yet. */
#define ASK_AGAIN (G_USEC_PER_SEC / 50)

static GError *
describe_end (const char *why)
{
  return g_error_new (MPROC_ERROR, MPROC_ERROR_CANCELLED, "the pool was shut down: %s",
                      why);
}

static guint
count_jobs (MprocPool *self)
{
  guint n;

  g_mutex_lock (&self->mutex);
  n = g_hash_table_size (self->jobs) + self->batches->len;
  g_mutex_unlock (&self->mutex);
  return n;
}

/* ------------------------------------------------------------------ cancelling */

/* In a list of their own, since a job that is failed leaves the table. */
static GPtrArray *
list_all (MprocPool *self)
{
  GPtrArray *list = g_ptr_array_sized_new (g_hash_table_size (self->jobs));
  GHashTableIter iter;
  gpointer job;

  g_hash_table_iter_init (&iter, self->jobs);
  while (g_hash_table_iter_next (&iter, NULL, &job))
    g_ptr_array_add (list, job);
  return list;
}

static gboolean
cancel_if_waiting (MprocPool *self, MprocJob *job)
{
  /* Nor is it to be begun again, if its worker dies. */
  job->is_cancelled = TRUE;
  if (!mproc_task_condemn (job->task, MPROC_TASK_QUEUED))
    return FALSE;
  mproc_pool_give_up_job (self, job, 0);
  mproc_job_settle (job, NULL, describe_end ("the task was not begun"));
  return TRUE;
}

/* Returns how many maps had nothing that runs. */
static guint
withdraw_batches (MprocPool *self)
{
  GError *why = describe_end ("the rest of the map was not begun");
  guint n = mproc_pool_withdraw_batches (self, why);

  g_error_free (why);
  return n;
}

/* Under the mutex.  Returns how many. */
static guint
cancel_waiting (MprocPool *self)
{
  GPtrArray *all = list_all (self);
  guint n = 0;

  for (guint i = 0; i < all->len; i++)
    n += cancel_if_waiting (self, g_ptr_array_index (all, i)) != FALSE;
  g_ptr_array_unref (all);
  return n + withdraw_batches (self);
}

/* ------------------------------------------------------------------ asking to stop */

/* Under the mutex.  What a seat names is one task and no later one: to ask too late does nothing. */
static void
ask_running (MprocPool *self)
{
  for (guint i = 0; i < self->seats->len; i++)
    {
      MprocSeat *seat = mproc_seat_at (g_array_index (self->seats, MprocOffset, i));

      if (mproc_load64 (&seat->word) != 0)
        mproc_store64 (&seat->stop, 1 + mproc_load64 (&seat->running));
    }
}

/* FALSE: not all have ended by @deadline. */
static gboolean
await_stop (MprocPool *self, gint64 deadline)
{
  gboolean ended;
  gint64 left;

  do
    {
      g_mutex_lock (&self->mutex);
      ask_running (self);
      g_mutex_unlock (&self->mutex);
      left = deadline == MPROC_OS_NEVER ? ASK_AGAIN : deadline - g_get_monotonic_time ();
      ended = mproc_pool_join (self, CLAMP (left, 0, ASK_AGAIN));
    }
  while (!ended && left > 0);
  return ended;
}

/* ------------------------------------------------------------------ killing */

/* What is DONE by now counts.  A task that the warden has condemned already is as good as killed. */
static void
condemn (MprocPool *self, MprocJob *job, MprocPoolReport *report)
{
  guint32 state = mproc_task_get_state (job->task);
  GError *error;

  if (state == MPROC_TASK_DONE)
    return;
  if (state == MPROC_TASK_CONDEMNED)
    error = mproc_job_describe_fate (job, mproc_os_pid ());
  else if (mproc_task_condemn (job->task, state))
    error = describe_end ("the task did not end in time, and was killed");
  else
    return;
  g_ptr_array_add (report->killed, mproc_job_name (job));
  /* Its worker may write into the block as long as it lives. */
  mproc_pool_give_up_job (self, job,
                          state == MPROC_TASK_CONDEMNED ? job->condemned : state);
  mproc_job_settle (job, NULL, error);
}

static void
condemn_batches (MprocPool *self, MprocPoolReport *report)
{
  GError *why = describe_end ("the map did not end in time, and was killed");

  for (guint i = 0; i < self->batches->len; i++)
    {
      const MprocBatchJob *job = g_ptr_array_index (self->batches, i);
      gboolean has_queued;

      if (!mproc_batch_is_complete (job->batch, &has_queued))
        g_ptr_array_add (report->killed, g_strdup_printf ("map %u", job->serial));
    }
  mproc_pool_fail_batches (self, why);
  g_error_free (why);
}

/* Under the mutex. */
static void
condemn_running (MprocPool *self, MprocPoolReport *report)
{
  GPtrArray *all = list_all (self);

  for (guint i = 0; i < all->len; i++)
    {
      MprocJob *job = g_ptr_array_index (all, i);

      if (cancel_if_waiting (self, job))
        report->n_cancelled++;
      else
        condemn (self, job, report);
    }
  g_ptr_array_unref (all);
  condemn_batches (self, report);
}

/* ------------------------------------------------------------------ the whole */

/* What is left after the drain.  Returns how many tasks run. */
static guint
end_drain (MprocPool *self, MprocPoolReport *report, guint n_at_start)
{
  guint n_left;

  g_mutex_lock (&self->mutex);
  n_left = g_hash_table_size (self->jobs) + self->batches->len;
  report->n_done = n_at_start - n_left;
  report->n_cancelled = cancel_waiting (self);
  g_mutex_unlock (&self->mutex);
  return n_left - report->n_cancelled;
}

/* What runs after it was asked to stop. */
static void
end_stop (MprocPool *self, MprocPoolReport *report, guint n_asked)
{
  guint n_cancelled = report->n_cancelled;

  g_mutex_lock (&self->mutex);
  condemn_running (self, report);
  g_mutex_unlock (&self->mutex);
  /* Some may have been about to be begun again after their worker's death. */
  report->n_stopped = n_asked - report->killed->len - (report->n_cancelled - n_cancelled);
}

static void
kill_all (MprocPool *self, MprocPoolReport *report)
{
  gint64 patience = self->method == MPROC_START_METHOD_THREAD ? 0 : KILL_PATIENCE;

  mproc_pool_terminate (self);
  if (mproc_pool_may_wait (self))
    report->has_ended = mproc_pool_join (self, patience);
}

static void
drain (MprocPool *self, MprocPoolReport *report, gint64 drain_us, gint64 stop_us)
{
  gboolean waits = mproc_pool_may_wait (self);
  guint n_at_start = count_jobs (self);
  guint n_asked;

  if (waits && mproc_pool_join (self, drain_us))
    {
      report->n_done = n_at_start;
      report->has_ended = TRUE;
      return;
    }
  n_asked = end_drain (self, report, n_at_start);
  report->has_ended = waits && await_stop (self, mproc_deadline (stop_us));
  end_stop (self, report, n_asked);
  if (!report->has_ended)
    kill_all (self, report);
}

MprocPoolReport *
mproc_pool_shutdown (MprocPool *self, gint64 drain_us, gint64 stop_us)
{
  MprocPoolReport *report;

  g_return_val_if_fail (mproc_pool_is_mine (self), NULL);
  g_return_val_if_fail (MPROC_IS_TIMEOUT (drain_us) && MPROC_IS_TIMEOUT (stop_us), NULL);

  report = mproc_pool_report_new ();
  mproc_pool_close (self);
  drain (self, report, drain_us, stop_us);
  mproc_pool_report_complete (report);
  return report;
}
