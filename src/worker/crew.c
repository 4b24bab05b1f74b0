/* SPDX-License-Identifier: MIT */
#include "worker/crewdata.h"

#include "process/process.h"

/* How often, and how long at most, we look whether one who has left is gone. */
#define LOOK_FOR_END (G_USEC_PER_SEC / 4000)
#define HURRY (G_USEC_PER_SEC / 100)

MprocCrew *
mproc_crew_new (const MprocCrewPlan *plan)
{
  MprocCrew *self = g_new0 (MprocCrew, 1);

  self->plan = *plan;
  self->plan.name = g_strdup (plan->name);
  self->plan.setup = g_variant_ref (plan->setup);
  mproc_queue_ref (plan->tasks);
  mproc_queue_ref (plan->events);
  self->workers = g_array_new (FALSE, FALSE, sizeof (MprocCrewWorker));
  self->lost = g_array_new (FALSE, FALSE, sizeof (MprocCrewWorker));
  self->ending = g_array_new (FALSE, FALSE, sizeof (MprocCrewWorker));
  mproc_spare_init (&self->spare, &self->plan);
  self->places = g_byte_array_new ();
  return self;
}

void
mproc_crew_tell_live (MprocCrew *self)
{
  mproc_store32 (&mproc_crew_get_control (self)->live, self->workers->len);
}

/* ------------------------------------------------------------------ what it tells */

gboolean
mproc_crew_post (MprocCrew *self, const MprocPoolEvent *event)
{
  if (mproc_pool_event_try_post (self->plan.events, event))
    return TRUE;
  g_usleep (MPROC_EVENT_PAUSE);
  return FALSE;
}

gboolean
mproc_crew_report (MprocCrew *self, MprocPoolEventKind kind, const GError *error)
{
  MprocPoolEvent event = { .kind = kind };

  if (error != NULL)
    g_strlcpy (event.text, error->message, sizeof event.text);
  return mproc_crew_post (self, &event);
}

/* ------------------------------------------------------------------ a look around */

gboolean
mproc_crew_tend (MprocCrew *self)
{
  gboolean go_on;

  self->is_short = FALSE;
  mproc_crew_kill_condemned (self);
  mproc_crew_reap (self);
  if (!mproc_queue_is_finished (self->plan.tasks))
    {
      mproc_crew_shrink (self);
      go_on = mproc_crew_replace (self);
      /* Both go through the same pages, and the new worker is to have a processor. */
      if (self->ending->len == 0)
        mproc_spare_tend (&self->spare);
      return go_on;
    }
  mproc_spare_end (&self->spare);
  if (self->workers->len > 0 || self->lost->len > 0 || self->ending->len > 0)
    return TRUE;
  return !mproc_crew_report (self, MPROC_EVENT_FINISHED, NULL);
}

/* ------------------------------------------------------------------ until the next look */

gboolean
mproc_crew_is_short (const MprocCrew *self)
{
  return self->is_short;
}

static void
list_ends (GArray *workers, GArray *waits)
{
  for (guint i = 0; i < workers->len; i++)
    {
      MprocCrewWorker *worker = &g_array_index (workers, MprocCrewWorker, i);
      MprocOsWait wait;

      worker->is_quiet = FALSE;
      worker->is_listed = mproc_process_get_wait (worker->process, &wait, NULL);
      if (worker->is_listed)
        g_array_append_val (waits, wait);
    }
}

void
mproc_crew_list_waits (MprocCrew *self, GArray *waits)
{
  list_ends (self->workers, waits);
  list_ends (self->ending, waits);
  mproc_spare_list_waits (&self->spare, waits);
}

/* Returns behind them.  Of one that is not listed nothing has been told. */
static const MprocOsWait *
note_ends (GArray *workers, const MprocOsWait *wait)
{
  for (guint i = 0; i < workers->len; i++)
    {
      MprocCrewWorker *worker = &g_array_index (workers, MprocCrewWorker, i);

      worker->is_quiet = worker->is_listed && !wait->ready;
      wait += worker->is_listed;
    }
  return wait;
}

void
mproc_crew_note_waits (MprocCrew *self, const MprocOsWait *waits)
{
  note_ends (self->ending, note_ends (self->workers, waits));
}

guint
mproc_crew_get_size (MprocCrew *self)
{
  return self->workers->len + self->ending->len;
}

/* The last that a process does tells nobody: so we look, and, if that takes it long, wait for its end. */
gint64
mproc_crew_get_next_look (MprocCrew *self)
{
  gint64 next =
      self->ending->len == 0 ? mproc_spare_get_next_look (&self->spare) : MPROC_OS_NEVER;
  gint64 now = g_get_monotonic_time ();

  if (self->is_short)
    return now;
  if (self->not_before > now)
    next = MIN (next, self->not_before);
  for (guint i = 0; i < self->workers->len; i++)
    {
      gint64 left = g_array_index (self->workers, MprocCrewWorker, i).left;

      if (left != 0 && now < left + HURRY)
        next = MIN (next, now + LOOK_FOR_END);
    }
  return next;
}

/* ------------------------------------------------------------------ the end */

static void
await_end (GArray *workers)
{
  for (guint i = 0; i < workers->len; i++)
    {
      MprocProcess *process = g_array_index (workers, MprocCrewWorker, i).process;

      mproc_process_join (process, MPROC_FOREVER);
      mproc_process_unref (process);
    }
  g_array_set_size (workers, 0);
}

static void
end_all (MprocCrew *self)
{
  /* Threads have to be told.  Otherwise the queue is the pool's to end: as long as that has not heard that it
   * is broken, and why, it takes tasks. */
  if (self->plan.method == MPROC_START_METHOD_THREAD)
    mproc_queue_shutdown (self->plan.tasks, TRUE);
  for (guint i = 0; i < self->workers->len; i++)
    mproc_process_kill (g_array_index (self->workers, MprocCrewWorker, i).process, NULL);
  mproc_spare_end (&self->spare);
  await_end (self->workers);
  await_end (self->lost);
  await_end (self->ending);
}

void
mproc_crew_free (MprocCrew *self)
{
  if (self == NULL)
    return;
  end_all (self);
  g_array_unref (self->workers);
  g_array_unref (self->lost);
  g_array_unref (self->ending);
  g_byte_array_unref (self->places);
  g_variant_unref (self->plan.setup);
  mproc_queue_unref (self->plan.tasks);
  mproc_queue_unref (self->plan.events);
  g_free (self->plan.name);
  g_free (self);
}
