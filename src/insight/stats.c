/* SPDX-License-Identifier: MIT */
/* A pool's counters, read from the seats while the workers go on: each number is right by itself, and
 * together they are of about the same instant. */
#include "pool/pool.h"

#include <stdlib.h>

static MprocWorkerState
state_of (const MprocSeat *seat, gboolean is_busy)
{
  switch (mproc_load32 (&seat->phase))
    {
    case MPROC_SEAT_WORKING:
      return is_busy ? MPROC_WORKER_BUSY : MPROC_WORKER_IDLE;
    case MPROC_SEAT_LEAVING:
    case MPROC_SEAT_LEFT:
      return MPROC_WORKER_LEAVING;
    default:
      return MPROC_WORKER_STARTING;
    }
}

static gint64
pid_of (const MprocSeat *seat)
{
  guint32 member = mproc_load32 (&seat->member);
  MprocOsIdentity who = { 0 };

  if (member != 0)
    mproc_member_get_identity (member, &who);
  return who.pid;
}

/* The counters first: a task that ends meanwhile is left out rather than counted twice. */
static void
read_seat (const MprocSeat *seat, gint64 now, MprocWorkerStats *out)
{
  gint64 born = (gint64) mproc_load64 (&seat->born);
  gint64 ready = (gint64) mproc_load64 (&seat->ready);
  gint64 busy = (gint64) mproc_load64 (&seat->busy);
  gint64 longest = (gint64) mproc_load64 (&seat->longest);
  guint64 n_tasks = mproc_load64 (&seat->n_tasks);
  gboolean is_busy = mproc_load64 (&seat->word) != 0;
  gint64 begun = (gint64) mproc_load64 (&seat->started);

  out->number = seat->number;
  out->pid = pid_of (seat);
  out->state = state_of (seat, is_busy);
  out->age = MAX (0, now - born);
  out->startup = ready != 0 ? ready - born : out->age;
  out->running = is_busy ? MAX (0, now - begun) : 0;
  out->busy = busy + out->running;
  out->idle = ready != 0 ? MAX (0, now - ready - out->busy) : 0;
  out->n_tasks = n_tasks;
  out->longest = MAX (longest, out->running);
}

static int
compare_numbers (const void *a, const void *b)
{
  guint x = ((const MprocWorkerStats *) a)->number;
  guint y = ((const MprocWorkerStats *) b)->number;

  return (x > y) - (x < y);
}

/* The seats are there as long as the mutex is held. */
static void
read_seats (MprocPool *self, MprocPoolStats *stats)
{
  gint64 now = g_get_monotonic_time ();

  stats->n_workers = self->seats->len;
  stats->workers = g_new0 (MprocWorkerStats, self->seats->len);
  for (guint i = 0; i < self->seats->len; i++)
    read_seat (mproc_seat_at (g_array_index (self->seats, MprocOffset, i)), now,
               &stats->workers[i]);
  stats->n_running = mproc_insight_count_running (self->seats);
}

MprocPoolStats *
mproc_pool_get_stats (MprocPool *self)
{
  MprocPoolStats *stats;

  g_return_val_if_fail (mproc_pool_is_mine (self), NULL);
  stats = g_new0 (MprocPoolStats, 1);
  g_mutex_lock (&self->mutex);
  read_seats (self, stats);
  g_mutex_unlock (&self->mutex);
  stats->n_waiting =
      mproc_insight_count_waiting (&self->insight, (guint) stats->n_running);
  stats->n_done = mproc_load64 (&self->insight.n_done);
  stats->n_failed = mproc_load64 (&self->insight.n_failed);
  stats->n_lost = mproc_load64 (&self->insight.n_lost);
  if (stats->n_workers > 1)
    qsort (stats->workers, stats->n_workers, sizeof *stats->workers, compare_numbers);
  return stats;
}

void
mproc_pool_stats_free (MprocPoolStats *self)
{
  if (self == NULL)
    return;
  g_free (self->workers);
  g_free (self);
}
