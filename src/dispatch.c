/* SPDX-License-Identifier: MIT */
/* The pool's one thread: reads one stream of events and settles jobs.
 *
 * A worker's results stand in the stream before its death, so whatever it had finished
 * counts; then the tasks whose words still name it are failed, and no others. */
#include "pool.h"

#include "capture.h"
#include "local.h"
#include "process.h"
#include "progress.h"
#include "word.h"

void
mproc_job_free (gpointer data)
{
  MprocJob *job = data;

  mproc_result_unref (job->result);
  mproc_task_options_free (job->options);
  g_free (job);
}

/* The job's end, out of the table already: takes @job, @value and @error. */
static void
settle (MprocJob *job, GVariant *value, GError *error)
{
  mproc_insight_settle (&job->note, job->serial, job->task, error);
  if (job->result != NULL)
    mproc_result_set_part (job->result, job->part, value, error);
  else
    {
      g_clear_error (&error);
      if (value != NULL)
        g_variant_unref (value);
    }
  mproc_job_free (job);
}

static void
settle_done (MprocJob *job)
{
  GError *error = NULL;
  GVariant *value = NULL;
  MprocOffset task = job->task;

  if (job->result != NULL)
    value = mproc_task_get_outcome (task, &error);
  if (job->result != NULL)
    mproc_result_set_output (job->result, job->part, mproc_task_get_output (task));
  settle (job, value, error);
  mproc_task_free (task);
}

static void
take_out (MprocPool *self, MprocJob *job)
{
  g_hash_table_steal (self->jobs, GUINT_TO_POINTER (job->serial));
}

/* ------------------------------------------------------------------ death */

static GError *
describe_death (const MprocPoolEvent *death, MprocJob *job)
{
  const char *signal =
      death->exit_code < 0 ? mproc_os_signal_name (-death->exit_code) : NULL;
  char *how = signal != NULL
                  ? g_strdup_printf ("was killed by %s", signal)
                  : g_strdup_printf ("ended with exit code %d", death->exit_code);
  GError *error =
      g_error_new (MPROC_ERROR, MPROC_ERROR_WORKER_DIED,
                   "the worker (pid %" G_GINT64_FORMAT ") that ran task %u %s",
                   death->pid, job->serial, how);

  g_free (how);
  return error;
}

/* Jobs in a list of their own, since settling takes them out of the table. */
static GPtrArray *
list_jobs (MprocPool *self,
           gboolean (*wanted) (guint32 state, guint32 member),
           guint32 member)
{
  GPtrArray *list = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer job;

  g_hash_table_iter_init (&iter, self->jobs);
  while (g_hash_table_iter_next (&iter, NULL, &job))
    if (wanted (mproc_task_get_state (((MprocJob *) job)->task), member))
      g_ptr_array_add (list, job);
  return list;
}

static gboolean
is_lost (guint32 state, guint32 member)
{
  return state == member || state == MPROC_TASK_DONE;
}

static gboolean
is_any (guint32 state, guint32 member)
{
  (void) state, (void) member;
  return TRUE;
}

/* Under the mutex. */
static void
fail_job (MprocPool *self, MprocJob *job, GError *error)
{
  MprocGrave grave = { job->serial, job->task };

  g_array_append_val (self->graves, grave);
  take_out (self, job);
  settle (job, NULL, error);
}

/* What is DONE by now was finished by the dead one just before, or is by a live worker
 * whose event will find the job settled. */
static void
bury_worker (MprocPool *self, const MprocPoolEvent *death)
{
  GPtrArray *lost = list_jobs (self, is_lost, death->member);

  for (guint i = 0; i < lost->len; i++)
    {
      MprocJob *job = g_ptr_array_index (lost, i);

      if (mproc_task_get_state (job->task) == MPROC_TASK_DONE)
        {
          take_out (self, job);
          settle_done (job);
        }
      else
        {
          mproc_result_set_output (job->result, job->part,
                                   mproc_capture_rescue (&self->insight, death->seat,
                                                         job->options));
          fail_job (self, job, describe_death (death, job));
        }
    }
  g_ptr_array_unref (lost);
}

static void
free_graves (MprocPool *self, gboolean all, guint32 claimed)
{
  for (guint i = 0; i < self->graves->len;)
    {
      MprocGrave *grave = &g_array_index (self->graves, MprocGrave, i);

      if (all || (gint32) (claimed - grave->serial) > 0)
        {
          mproc_task_free (grave->task);
          g_array_remove_index_fast (self->graves, i);
        }
      else
        i++;
    }
}

static void
fail_all (MprocPool *self, const GError *why)
{
  GPtrArray *all = list_jobs (self, is_any, 0);

  for (guint i = 0; i < all->len; i++)
    fail_job (self, g_ptr_array_index (all, i), g_error_copy (why));
  g_ptr_array_unref (all);
}

/* ------------------------------------------------------------------ the stream */

/* Only the way out of the table is under the mutex, which those who submit want as
 * well. */
static void
settle_result (MprocPool *self, guint32 serial)
{
  MprocJob *job;

  g_mutex_lock (&self->mutex);
  if (self->graves->len > 0)
    free_graves (self, FALSE, serial);
  job = g_hash_table_lookup (self->jobs, GUINT_TO_POINTER (serial));
  if (job != NULL && mproc_task_get_state (job->task) == MPROC_TASK_DONE)
    take_out (self, job);
  else
    job = NULL;
  g_mutex_unlock (&self->mutex);
  if (job != NULL)
    settle_done (job);
}

static void
break_pool (MprocPool *self, const char *why)
{
  if (self->broken == NULL)
    self->broken = g_error_new (MPROC_ERROR, MPROC_ERROR_STATE,
                                "the pool is broken, it can start no worker: %s", why);
  fail_all (self, self->broken);
}

static void
free_seat (MprocPool *self, MprocOffset seat)
{
  for (guint i = 0; i < self->seats->len; i++)
    if (g_array_index (self->seats, MprocOffset, i) == seat)
      {
        g_array_remove_index_fast (self->seats, i);
        mproc_arena_free (seat);
        return;
      }
}

void
mproc_pool_note_seat (MprocPool *self, const MprocPoolEvent *event)
{
  if (event->kind == MPROC_EVENT_SEAT)
    g_array_append_val (self->seats, event->seat);
  else if (event->kind == MPROC_EVENT_OUTPUT)
    mproc_capture_note (&self->insight, event);
  else if (event->kind == MPROC_EVENT_DEATH)
    {
      mproc_insight_note_death (&self->insight, event);
      free_seat (self, event->seat);
    }
}

/* FALSE: this was the last one. */
static gboolean
handle (MprocPool *self, const MprocPoolEvent *event)
{
  if (event->kind == MPROC_EVENT_RESULT)
    {
      settle_result (self, event->serial);
      return TRUE;
    }
  if (event->kind == MPROC_EVENT_FINISHED || event->kind == MPROC_EVENT_STOP)
    return FALSE;
  g_mutex_lock (&self->mutex);
  if (event->kind == MPROC_EVENT_DEATH && event->member != 0)
    bury_worker (self, event);
  else if (event->kind == MPROC_EVENT_BROKEN)
    break_pool (self, event->text);
  mproc_pool_note_seat (self, event);
  g_mutex_unlock (&self->mutex);
  return event->kind != MPROC_EVENT_BROKEN;
}

/* Workers die with their nursery.  All of them have: what they ran is failed. */
static void
bury_orphans (MprocPool *self)
{
  GPtrArray *all = list_jobs (self, is_any, 0);

  for (guint i = 0; i < all->len; i++)
    {
      MprocJob *job = g_ptr_array_index (all, i);
      guint32 state = mproc_task_get_state (job->task);
      MprocPoolEvent death = { .member = state, .exit_code = -9 };
      MprocOsIdentity who;

      if (state == MPROC_TASK_QUEUED)
        continue;
      if (state == MPROC_TASK_DONE)
        {
          take_out (self, job);
          settle_done (job);
          continue;
        }
      mproc_member_get_identity (state, &who);
      death.pid = who.pid;
      fail_job (self, job, describe_death (&death, job));
    }
  g_ptr_array_unref (all);
}

/* The nursery was killed.  Forking is not for a process that has threads by now; a crew
 * of spawned workers is the next best.  FALSE: there is none to be had. */
static gboolean
replace_nursery (MprocPool *self)
{
  MprocCrewPlan plan;
  GError *error = NULL;

  mproc_nursery_free (self->nursery);
  self->nursery = NULL;
  bury_orphans (self);
  if (self->state == MPROC_POOL_TERMINATED)
    return TRUE;
  mproc_pool_fill_plan (self, MPROC_START_METHOD_SPAWN, &plan);
  self->crew = mproc_crew_new (&plan);
  if (mproc_crew_fill (self->crew, &error))
    return TRUE;
  break_pool (self, error->message);
  g_error_free (error);
  return FALSE;
}

/* What nobody sends an event for.  What a nursery and its workers have sent before they
 * died is read first, so it has to be @quiet.  FALSE: the pool is broken. */
static gboolean
look_around (MprocPool *self, gboolean quiet)
{
  gboolean go_on = TRUE;

  mproc_insight_look (&self->insight, self->seats);
  if (self->crew != NULL)
    mproc_crew_tend (self->crew);
  else if (quiet && self->nursery != NULL && mproc_nursery_is_deserted (self->nursery))
    {
      g_mutex_lock (&self->mutex);
      go_on = replace_nursery (self);
      g_mutex_unlock (&self->mutex);
    }
  return go_on;
}

/* TRUE: no worker is left after this. Thread workers end when their task does, which
 * may fork meanwhile: it must not meet a closed gate. */
static gboolean
end_workers (MprocPool *self)
{
  gboolean threads = self->method == MPROC_START_METHOD_THREAD;
  gboolean all;

  if (threads)
    mproc_gate_leave ();
  all = mproc_nursery_free (self->nursery);
  self->nursery = NULL;
  g_clear_pointer (&self->crew, mproc_crew_free);
  if (threads)
    mproc_gate_enter ();
  return all;
}

static void
finish (MprocPool *self)
{
  GError *why =
      g_error_new_literal (MPROC_ERROR, MPROC_ERROR_CANCELLED, "the pool was terminated");
  gboolean alone = end_workers (self);

  g_mutex_lock (&self->mutex);
  fail_all (self, why);
  /* Rather lost than written to by a worker that nobody could end. */
  if (alone)
    free_graves (self, TRUE, 0);
  self->thread_ended = TRUE;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->mutex);
  g_error_free (why);
}

gpointer
mproc_pool_dispatch (gpointer pool)
{
  MprocPool *self = pool;
  MprocPoolEvent event;
  gboolean go_on = TRUE;
  gint64 last_look = 0;

  while (go_on)
    {
      gint64 now = g_get_monotonic_time ();
      gboolean got = mproc_queue_take (self->events, now + MPROC_NAP / 2,
                                       mproc_event_copy, &event, NULL);

      mproc_gate_enter ();
      if (got)
        go_on = handle (self, &event);
      if (go_on && now - last_look >= MPROC_NAP / 2)
        {
          go_on = look_around (self, !got);
          last_look = now;
        }
      if (!go_on)
        finish (self);
      mproc_gate_leave ();
      mproc_progress_report (self, !go_on);
    }
  return NULL;
}
