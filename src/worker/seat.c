/* SPDX-License-Identifier: MIT */
#include "worker/seat.h"

MprocOffset
mproc_seat_new (guint number, GError **error)
{
  MprocOffset offset = mproc_arena_alloc0 (sizeof (MprocSeat), error);
  MprocSeat *self;

  if (offset == 0)
    return 0;
  self = mproc_seat_at (offset);
  self->number = number;
  mproc_store64 (&self->born, (guint64) g_get_monotonic_time ());
  return offset;
}

static guint64
deadline_after (gint64 now, gint64 limit)
{
  return limit > 0 ? (guint64) (now + limit) : 0;
}

gint64
mproc_seat_begin (MprocSeat *self,
                  MprocOffset word,
                  guint64 name,
                  const MprocTaskLimits *limits)
{
  gint64 now = g_get_monotonic_time ();

  mproc_store64 (&self->running, name);
  mproc_store64 (&self->started, (guint64) now);
  mproc_store64 (&self->soft, deadline_after (now, limits->soft));
  mproc_store64 (&self->hard, deadline_after (now, limits->hard));
  mproc_store64 (&self->word, word);
  return now;
}

/* Only the worker writes the counters. */
gint64
mproc_seat_end (MprocSeat *self)
{
  gint64 now = g_get_monotonic_time ();
  guint64 taken = (guint64) now - mproc_load64 (&self->started);

  mproc_store64 (&self->word, 0);
  mproc_store64 (&self->n_tasks, mproc_load64 (&self->n_tasks) + 1);
  mproc_store64 (&self->busy, mproc_load64 (&self->busy) + taken);
  if (taken > mproc_load64 (&self->longest))
    mproc_store64 (&self->longest, taken);
  return now;
}

gboolean
mproc_seat_should_stop (MprocSeat *self, gboolean *cancelled)
{
  guint64 soft = mproc_load64 (&self->soft);

  *cancelled = mproc_load64 (&self->stop) == 1 + mproc_load64 (&self->running);
  return *cancelled || (soft != 0 && (guint64) g_get_monotonic_time () >= soft);
}
