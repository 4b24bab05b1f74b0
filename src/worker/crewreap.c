/* SPDX-License-Identifier: MIT */
/* The ends of a crew's workers. */
#include "worker/crewdata.h"

#include "process/process.h"

/* How long a killed worker may take to be gone before others are looked after. */
#define PATIENCE (G_USEC_PER_SEC / 100)

/* A worker that ends sooner than this after its start, and with no task taken by anyone
 * since then, was no use: the next replacement waits. */
#define SHORT_LIFE (G_USEC_PER_SEC / 10)
#define LONGEST_PAUSE G_USEC_PER_SEC

static gboolean
report_death (MprocCrew *self, MprocCrewWorker *worker)
{
  MprocPoolEvent event = { .kind = MPROC_EVENT_DEATH };
  /* With its death told, its seat is gone. */
  gboolean was_ready = mproc_load64 (&mproc_seat_at (worker->seat)->ready) != 0;

  event.seat = worker->seat;
  event.member = mproc_process_get_member (worker->process);
  event.pid = mproc_process_get_pid (worker->process);
  if (!mproc_process_get_exit_code (worker->process, &event.exit_code))
    mproc_member_get_exit_code (event.member, &event.exit_code);
  if (!mproc_crew_post (self, &event))
    return FALSE;
  self->n_unready = was_ready ? 0 : self->n_unready + 1;
  self->unready_end = event.exit_code;
  return TRUE;
}

static gboolean
was_no_use (MprocCrew *self, const MprocCrewWorker *worker, gboolean left)
{
  return !left && g_get_monotonic_time () - worker->started < SHORT_LIFE &&
         mproc_queue_get_taken (self->plan.tasks) == worker->taken;
}

void
mproc_crew_take_break (MprocCrew *self, gboolean was_short)
{
  gint64 now = g_get_monotonic_time ();

  if (!was_short)
    self->pause = 0;
  else
    self->pause = CLAMP (self->pause * 2, G_USEC_PER_SEC / 100, LONGEST_PAUSE);
  self->not_before = now + self->pause;
}

/* Those whose task has been taken from them.  Such a one takes no other, so it does not matter what it
 * does just now.  A thread is left alone, and ends when its task does. */
void
mproc_crew_kill_condemned (MprocCrew *self)
{
  for (guint i = 0; i < self->workers->len;)
    {
      MprocCrewWorker worker = g_array_index (self->workers, MprocCrewWorker, i);

      if (mproc_load64 (&mproc_seat_at (worker.seat)->kill) == 0)
        i++;
      else if (mproc_process_kill (worker.process, NULL))
        {
          mproc_process_join (worker.process, PATIENCE);
          g_array_index (self->workers, MprocCrewWorker, i).is_quiet = FALSE;
          MPROC_CRASH_POINT (CONDEMNED_KILLED);
          i++;
        }
      else
        {
          g_array_append_val (self->lost, worker);
          g_array_remove_index_fast (self->workers, i);
        }
    }
}

/* Of thousands, each look by a system call would take as long as the end of all of them. */
static gboolean
has_gone (const MprocCrewWorker *worker)
{
  return !worker->is_quiet && mproc_process_join (worker->process, 0);
}

/* One that has left in good order has ended for us when it has written its exit code, the last thing
 * that it does: to take down what it had of our memory takes the system as long as the fork did. */
static gboolean
has_ended (MprocCrewWorker *worker)
{
  if (has_gone (worker))
    return TRUE;
  if (mproc_crew_worker_get_phase (worker) != MPROC_SEAT_LEFT)
    return FALSE;
  if (worker->left == 0)
    worker->left = g_get_monotonic_time ();
  return mproc_member_get_state (mproc_process_get_member (worker->process)) ==
         MPROC_MEMBER_LEAVING;
}

static void
put_away (MprocCrew *self, const MprocCrewWorker *worker)
{
  if (has_gone (worker))
    mproc_process_unref (worker->process);
  else
    g_array_append_val (self->ending, *worker);
}

static void
reap_ending (MprocCrew *self)
{
  for (guint i = 0; i < self->ending->len;)
    {
      const MprocCrewWorker *worker = &g_array_index (self->ending, MprocCrewWorker, i);

      if (!has_gone (worker))
        {
          i++;
          continue;
        }
      mproc_process_unref (worker->process);
      g_array_remove_index_fast (self->ending, i);
    }
}

static void
reap_from (MprocCrew *self, GArray *workers)
{
  for (guint i = 0; i < workers->len;)
    {
      MprocCrewWorker *worker = &g_array_index (workers, MprocCrewWorker, i);
      gboolean left = mproc_crew_worker_get_phase (worker) >= MPROC_SEAT_LEAVING;

      if (!has_ended (worker) || !report_death (self, worker))
        {
          i++;
          continue;
        }
      MPROC_CRASH_POINT (DEATH_TOLD);
      if (!mproc_queue_is_finished (self->plan.tasks))
        mproc_crew_take_break (self, was_no_use (self, worker, left));
      put_away (self, worker);
      mproc_crew_give_place_back (self, worker->place);
      g_array_remove_index_fast (workers, i);
    }
  mproc_crew_tell_live (self);
}

void
mproc_crew_reap (MprocCrew *self)
{
  reap_from (self, self->workers);
  reap_from (self, self->lost);
  reap_ending (self);
}
