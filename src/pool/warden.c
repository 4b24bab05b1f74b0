/* SPDX-License-Identifier: MIT */
#include "pool/warden.h"

#include "map/poolbatch.h"
#include "pool/burial.h"
#include "pool/obituary.h"

/* What a seat shows.  FALSE: nothing that is sure.
 *
 * A worker stores the name, then the limits, then the word, and takes the word away first.  So who reads
 * a word behind a name, and the same name behind the limits, has read the limits that belong to it. */
typedef struct
{
  guint64 name;
  guint64 hard;
  MprocMember member;
} View;

static gboolean
view (const MprocSeat *seat, View *out)
{
  guint64 word;

  out->name = mproc_load64 (&seat->running);
  word = mproc_load64 (&seat->word);
  out->hard = mproc_load64 (&seat->hard);
  out->member = mproc_load32 (&seat->member);
  return word != 0 && mproc_load64 (&seat->running) == out->name;
}

MprocSeat *
mproc_pool_find_seat (MprocPool *self, MprocMember member)
{
  for (guint i = 0; i < self->seats->len; i++)
    {
      MprocSeat *seat = mproc_seat_at (g_array_index (self->seats, MprocOffset, i));

      if (mproc_load32 (&seat->member) == member)
        return seat;
    }
  return NULL;
}

/* FALSE: nobody has told us of its seat yet.  It is asked to end as well, which is all that can be done
 * to a thread. */
static gboolean
order_kill (MprocPool *self, const MprocDoomed *doomed)
{
  MprocSeat *seat = mproc_pool_find_seat (self, doomed->member);
  guint64 name = 1 + mproc_seat_name (doomed->serial, 0);

  if (seat == NULL)
    return FALSE;
  mproc_store64 (&seat->stop, name);
  mproc_store64 (&seat->kill, name);
  return TRUE;
}

static void
doom (MprocPool *self, const MprocJob *job)
{
  const MprocDoomed doomed = { job->condemned, job->serial };

  if (!order_kill (self, &doomed))
    g_array_append_val (self->doomed, doomed);
}

/* Of those that had no seat. */
static void
kill_doomed (MprocPool *self)
{
  for (guint i = 0; i < self->doomed->len;)
    {
      const MprocDoomed *doomed = &g_array_index (self->doomed, MprocDoomed, i);

      if (order_kill (self, doomed) || !mproc_member_is_current (doomed->member))
        g_array_remove_index_fast (self->doomed, i);
      else
        i++;
    }
}

void
mproc_warden_stop (MprocPool *self, MprocJob *job, MprocMember member)
{
  MprocSeat *seat = mproc_pool_find_seat (self, member);

  job->is_cancelled = TRUE;
  self->is_watched = TRUE;
  /* It may have claimed the task and not said so in its seat: it compares when it is asked. */
  if (seat != NULL)
    mproc_store64 (&seat->stop, 1 + mproc_seat_name (job->serial, 0));
}

gboolean
mproc_warden_condemn (MprocPool *self, MprocJob *job, MprocMember member, MprocFate fate)
{
  if (!mproc_task_condemn (job->task, member))
    return FALSE;
  self->is_watched = TRUE;
  job->fate = fate;
  job->condemned = member;
  if (self->method == MPROC_START_METHOD_THREAD)
    {
      /* The thread is asked to end, and may write into the block until it does.  The crew finds that it
       * cannot be killed, and starts another one. */
      job->verdict = mproc_job_describe_fate (job, mproc_os_pid ());
      mproc_pool_give_up_job (self, job, member);
    }
  else
    g_ptr_array_add (self->condemned, job);
  doom (self, job);
  return TRUE;
}

void
mproc_warden_settle (GPtrArray *jobs)
{
  for (guint i = 0; i < jobs->len; i++)
    {
      MprocJob *job = g_ptr_array_index (jobs, i);

      mproc_job_settle (job, NULL, g_steal_pointer (&job->verdict));
    }
  g_ptr_array_unref (jobs);
}

/* ------------------------------------------------------------------ the look */

/* Jobs to settle go into @ended. */
static void
look_at (MprocPool *self, MprocSeat *seat, gint64 now, GPtrArray *ended)
{
  View seen;
  MprocJob *job;

  if (!view (seat, &seen))
    return;
  job = g_hash_table_lookup (self->jobs, GUINT_TO_POINTER ((guint32) (seen.name >> 32)));
  if (job == NULL)
    mproc_pool_look_at_part (self, seat, seen.name, seen.hard, now);
  if (job == NULL || job->fate != MPROC_FATE_OPEN)
    return;
  if (job->is_cancelled)
    mproc_store64 (&seat->stop, 1 + seen.name);
  if (seen.hard != 0 && (guint64) now >= seen.hard &&
      mproc_warden_condemn (self, job, seen.member, MPROC_FATE_TIMED_OUT) &&
      job->verdict != NULL)
    g_ptr_array_add (ended, job);
}

static void
look_at_all (MprocPool *self, GPtrArray *ended)
{
  gint64 now = g_get_monotonic_time ();

  for (guint i = 0; i < self->seats->len; i++)
    look_at (self, mproc_seat_at (g_array_index (self->seats, MprocOffset, i)), now,
             ended);
  kill_doomed (self);
}

/* Again at each look: an order can be lost. */
static void
tell_crew (MprocPool *self)
{
  if (self->nursery != NULL)
    mproc_nursery_wake (self->nursery);
  else if (self->crew != NULL)
    mproc_crew_tend (self->crew);
}

/* Whose worker is to be killed, and whose death has not been told yet. */
static gboolean
has_killed_seat (MprocPool *self)
{
  if (!self->is_watched)
    return FALSE;
  for (guint i = 0; i < self->seats->len; i++)
    if (mproc_load64 (&mproc_seat_at (g_array_index (self->seats, MprocOffset, i))
                           ->kill) != 0)
      return TRUE;
  return FALSE;
}

void
mproc_warden_look (MprocPool *self)
{
  GPtrArray *ended = NULL;
  gboolean has_condemned;

  g_mutex_lock (&self->mutex);
  if (self->is_watched)
    {
      ended = g_ptr_array_new ();
      look_at_all (self, ended);
    }
  has_condemned = self->condemned->len > 0 || has_killed_seat (self);
  g_mutex_unlock (&self->mutex);
  if (ended != NULL)
    mproc_warden_settle (ended);
  if (has_condemned)
    tell_crew (self);
}
