/* SPDX-License-Identifier: MIT */
#include "insight/insight.h"

#include "insight/capture.h"
#include "insight/progress.h"

void
mproc_insight_hand_over (MprocInsight *self,
                         MprocJobNote *note,
                         MprocFunc func,
                         const MprocTaskOptions *options,
                         guint n_items)
{
  note->insight = self;
  note->n_items = n_items;
  note->handed = 0;
  note->name = NULL;
  note->n_told = 0;
  mproc_add64 (&self->n_handed, n_items);
  if (self->trace == NULL || func == NULL)
    return;
  note->handed = g_get_monotonic_time ();
  note->name = options != NULL && options->name != NULL
                   ? options->name
                   : mproc_trace_name_function (self->trace, func);
}

void
mproc_insight_take_back (MprocJobNote *note)
{
  mproc_add64 (&note->insight->n_handed, 0 - (guint64) note->n_items);
}

void
mproc_insight_count (MprocInsight *self, guint n_items, const GError *error)
{
  mproc_add64 (&self->n_handed, n_items);
  mproc_add64 (error == NULL ? &self->n_done : &self->n_failed, n_items);
}

/* A task that was begun before, and has ended without being begun again, has told of that already. */
void
mproc_insight_note_attempt (MprocJobNote *note,
                            guint32 serial,
                            MprocOffset task,
                            const char *outcome)
{
  MprocTraceTask entry = { .name = note->name, .serial = serial, .outcome = outcome };
  MprocTaskRun run;

  if (note->insight == NULL || note->insight->trace == NULL)
    return;
  mproc_task_get_run (task, &run);
  entry.attempt = mproc_task_count_attempts (task);
  if (run.started == 0 || entry.attempt == note->n_told)
    return;
  note->n_told = entry.attempt;
  entry.member = run.member;
  entry.handed = note->handed;
  entry.started = run.started;
  entry.ended = run.ended;
  entry.n_items = note->n_items;
  mproc_trace_task (note->insight->trace, &entry);
}

void
mproc_insight_settle_batch (MprocJobNote *note, const GError *error)
{
  MprocInsight *self = note->insight;

  mproc_add64 (error == NULL ? &self->n_done : &self->n_failed, note->n_items);
}

void
mproc_insight_settle (MprocJobNote *note,
                      guint32 serial,
                      MprocOffset task,
                      const GError *error)
{
  MprocInsight *self = note->insight;

  if (self == NULL)
    return;
  mproc_add64 (error == NULL ? &self->n_done : &self->n_failed, note->n_items);
  mproc_insight_note_attempt (note, serial, task, mproc_trace_outcome (error));
}

/* ------------------------------------------------------------------ workers */

static void
trace_death (MprocTrace *trace, const MprocPoolEvent *death, gboolean is_loss)
{
  const char *signal =
      death->exit_code < 0 ? mproc_os_signal_name (-death->exit_code) : NULL;
  char *how = NULL;

  mproc_trace_worker (trace, mproc_seat_at (death->seat));
  if (is_loss && signal != NULL)
    how = g_strdup_printf ("died of %s", signal);
  else if (is_loss)
    how = g_strdup_printf ("died with exit code %d", death->exit_code);
  mproc_trace_worker_end (trace, death->member, how);
  g_free (how);
}

/* One that was told to end, by a limit of tasks or for want of them, has said that it is leaving. */
void
mproc_insight_note_death (MprocInsight *self, const MprocPoolEvent *death)
{
  gboolean is_loss;

  if (death->member == 0 || death->seat == 0)
    return;
  is_loss = mproc_load32 (&mproc_seat_at (death->seat)->phase) < MPROC_SEAT_LEAVING;
  if (is_loss)
    mproc_add64 (&self->n_lost, 1);
  if (self->trace != NULL)
    trace_death (self->trace, death, is_loss);
  mproc_capture_forget (self, death->seat);
}

guint
mproc_insight_count_running (const GArray *seats)
{
  guint n = 0;

  for (guint i = 0; i < seats->len; i++)
    n += mproc_load64 (&mproc_seat_at (g_array_index (seats, MprocOffset, i))->word) != 0;
  return n;
}

/* The three are read one after the other, while all of them grow. */
guint
mproc_insight_count_waiting (MprocInsight *self, guint n_running)
{
  guint64 settled = mproc_load64 (&self->n_done) + mproc_load64 (&self->n_failed);
  guint64 handed = mproc_load64 (&self->n_handed);

  return handed > settled + n_running ? (guint) (handed - settled - n_running) : 0;
}

void
mproc_insight_look (MprocInsight *self, const GArray *seats)
{
  guint n_running;

  if (self->outputs != NULL)
    mproc_capture_trim (self);
  if (self->trace == NULL)
    return;
  for (guint i = 0; i < seats->len; i++)
    mproc_trace_worker (self->trace,
                        mproc_seat_at (g_array_index (seats, MprocOffset, i)));
  n_running = mproc_insight_count_running (seats);
  mproc_trace_count (self->trace, mproc_insight_count_waiting (self, n_running),
                     n_running);
  mproc_trace_flush (self->trace, FALSE);
}

void
mproc_insight_clear (MprocInsight *self)
{
  g_clear_pointer (&self->trace, mproc_trace_free);
  g_clear_pointer (&self->progress, mproc_progress_unref);
  mproc_capture_clear (self);
}
