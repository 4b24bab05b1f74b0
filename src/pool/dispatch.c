/* SPDX-License-Identifier: MIT */
#include "pool/dispatch.h"

#include "arena/word.h"
#include "family/local.h"
#include "insight/capture.h"
#include "insight/progress.h"
#include "map/poolbatch.h"
#include "pool/burial.h"
#include "pool/memorywatch.h"
#include "pool/pending.h"
#include "pool/slots.h"
#include "pool/start.h"
#include "pool/warden.h"
#include "process/process.h"

/* A time in which some hundred results are given out. */
#define MOMENT 1000

/* Only the way out of the table is under the mutex, which those who submit want as
 * well. */
static void
settle_result (MprocPool *self, guint32 serial)
{
  MprocJob *job;

  g_mutex_lock (&self->mutex);
  if (self->graves->len > 0)
    mproc_pool_free_graves (self, serial);
  job = g_hash_table_lookup (self->jobs, GUINT_TO_POINTER (serial));
  if (job != NULL && mproc_task_get_state (job->task) == MPROC_TASK_DONE)
    mproc_pool_take_out (self, job);
  else
    job = NULL;
  mproc_pool_feed_queue (self);
  g_mutex_unlock (&self->mutex);
  if (job != NULL)
    mproc_job_settle_done (job);
}

void
mproc_pool_break (MprocPool *self, const char *why)
{
  if (self->broken == NULL)
    self->broken = g_error_new (MPROC_ERROR, MPROC_ERROR_STATE,
                                "the pool is broken, it can start no worker: %s", why);
  mproc_pool_make_room (self);
  mproc_pool_fail_all (self, self->broken);
}

static void
free_seat (MprocPool *self, MprocOffset seat)
{
  for (guint i = 0; i < self->seats->len; i++)
    if (g_array_index (self->seats, MprocOffset, i) == seat)
      {
        g_array_remove_index_fast (self->seats, i);
        mproc_pool_recover_slot (self, seat);
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

/* Its process is about to end, and its successor may begin before that is over.  Who leaves from here
 * on says so again; who did not, because another one had said it, is seen by the look that follows. */
static void
hurry (MprocPool *self)
{
  atomic_store (&mproc_control_at (self->control)->leaving, 0);
  self->hurry_until = g_get_monotonic_time () + MPROC_NAP;
  if (self->nursery != NULL)
    mproc_nursery_wake (self->nursery);
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
  if (event->kind == MPROC_EVENT_BATCH)
    {
      mproc_pool_handle_batch (self, event);
      return TRUE;
    }
  if (event->kind == MPROC_EVENT_TEND)
    {
      if (self->crew != NULL)
        mproc_crew_tend (self->crew);
      return TRUE;
    }
  if (event->kind == MPROC_EVENT_CONDEMNED)
    {
      mproc_warden_look (self);
      return TRUE;
    }
  if (event->kind == MPROC_EVENT_FINISHED || event->kind == MPROC_EVENT_STOP)
    return FALSE;
  if (event->kind == MPROC_EVENT_LEAVING)
    hurry (self);
  g_mutex_lock (&self->mutex);
  if (event->kind == MPROC_EVENT_DEATH && event->member != 0)
    mproc_pool_bury_worker (self, event);
  else if (event->kind == MPROC_EVENT_BROKEN)
    mproc_pool_break (self, event->text);
  mproc_pool_note_seat (self, event);
  if (event->kind == MPROC_EVENT_DEATH || event->kind == MPROC_EVENT_SEAT)
    mproc_pool_offer_batches (self, event->kind == MPROC_EVENT_DEATH);
  g_mutex_unlock (&self->mutex);
  return event->kind != MPROC_EVENT_BROKEN;
}

/* Of those whose end nobody tells of. */
static void
free_all_seats (MprocPool *self)
{
  while (self->seats->len > 0)
    free_seat (self, g_array_index (self->seats, MprocOffset, 0));
  mproc_store32 (&mproc_control_at (self->control)->live, 0);
}

/* The nursery's crew is dead with all its workers, so nobody tells of their deaths, nor counts them. */
static void
bury_seats (MprocPool *self)
{
  for (guint i = 0; i < self->seats->len; i++)
    {
      MprocPoolEvent death = { .kind = MPROC_EVENT_DEATH, .exit_code = -9 };

      death.seat = g_array_index (self->seats, MprocOffset, i);
      death.member = mproc_load32 (&mproc_seat_at (death.seat)->member);
      mproc_insight_note_death (&self->insight, &death);
    }
  free_all_seats (self);
}

/* The nursery was killed.  Forking is not for a process that has threads by now; a crew
 * of spawned workers is the next best. */
static void
replace_nursery (MprocPool *self)
{
  MprocCrewPlan plan;

  mproc_nursery_free (self->nursery);
  self->nursery = NULL;
  mproc_pool_bury_orphans (self);
  bury_seats (self);
  if (self->state == MPROC_POOL_TERMINATED)
    return;
  mproc_pool_fill_plan (self, MPROC_START_METHOD_SPAWN, &plan);
  self->crew = mproc_crew_new (&plan);
}

/* What nobody sends an event for.  What a nursery and its workers have sent before they
 * died is read first, so it has to be @quiet. */
static void
look_around (MprocPool *self, gboolean quiet)
{
  /* Who was to say that he leaves may have been killed before he did. */
  mproc_store32 (&mproc_control_at (self->control)->leaving, 0);
  mproc_insight_look (&self->insight, self->seats);
  g_mutex_lock (&self->mutex);
  mproc_pool_feed_queue (self);
  g_mutex_unlock (&self->mutex);
  mproc_memory_look (self);
  mproc_warden_look (self);
  mproc_pool_tend_batches (self);
  if (quiet && self->nursery != NULL && mproc_nursery_is_deserted (self->nursery))
    {
      g_mutex_lock (&self->mutex);
      replace_nursery (self);
      g_mutex_unlock (&self->mutex);
    }
  if (self->crew != NULL)
    mproc_crew_tend (self->crew);
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
  mproc_pool_settle_finished (self);
  mproc_pool_fail_all (self, why);
  /* Rather lost than written to by a worker that nobody could end. */
  if (alone)
    {
      mproc_pool_free_all_graves (self);
      g_ptr_array_set_size (self->ended_batches, 0);
      free_all_seats (self);
    }
  else
    g_ptr_array_set_free_func (self->ended_batches, NULL);
  g_mutex_unlock (&self->mutex);
  g_error_free (why);
}

/* The thread's last act.  Whoever waits for it may free the pool from here on; if nobody is left who
 * could, it does so itself. */
static void
leave (MprocPool *self)
{
  gboolean frees_itself;

  while (!mproc_callbacks_end (self->callbacks))
    mproc_callbacks_run (self->callbacks);
  mproc_gate_enter ();
  g_mutex_lock (&self->mutex);
  frees_itself = self->frees_itself;
  if (!frees_itself)
    {
      self->thread_ended = TRUE;
      g_cond_broadcast (&self->changed);
    }
  g_mutex_unlock (&self->mutex);
  if (frees_itself)
    {
      g_thread_unref (self->thread);
      mproc_pool_free (self);
    }
  mproc_gate_leave ();
}

/* How long until it looks around.  A crew of its own is asked often while a worker ends that has to be
 * replaced; a nursery sees that by itself.  One that has more workers to start is asked as soon as
 * @nothing else is to be done, or what there was has had a moment. */
static gint64
time_to_look (MprocPool *self, gint64 now, gboolean nothing)
{
  if (self->crew != NULL && mproc_crew_is_short (self->crew))
    return nothing ? 0 : MOMENT;
  return self->crew != NULL && now < self->hurry_until ? MOMENT : MPROC_NAP / 2;
}

gpointer
mproc_pool_dispatch (gpointer pool)
{
  MprocPool *self = pool;
  MprocPoolEvent event;
  gboolean go_on = TRUE;
  gboolean got = FALSE;
  gint64 now = g_get_monotonic_time ();
  gint64 last_look = now;

  self->stops_itself = self->broken != NULL;
  mproc_callbacks_serve (self->callbacks);
  while (go_on)
    {
      gint64 nap = time_to_look (self, now, !got);

      got = mproc_queue_take (self->events, last_look + nap, mproc_pool_event_copy,
                              &event, NULL);
      now = g_get_monotonic_time ();
      mproc_gate_enter ();
      if (self->stops_itself)
        go_on = FALSE;
      else if (got)
        go_on = handle (self, &event);
      if (go_on && now - last_look >= nap)
        {
          look_around (self, !got);
          last_look = g_get_monotonic_time ();
        }
      if (!go_on)
        finish (self);
      mproc_gate_leave ();
      mproc_progress_report (self, !go_on);
      mproc_callbacks_run (self->callbacks);
    }
  leave (self);
  return NULL;
}
