/* SPDX-License-Identifier: MIT */
/* Batches and parts that are ended before they are done: cancelled, or over a limit.
 * All of it under the pool's mutex. */
#include "map/poolbatch.h"

#include "pool/warden.h"

/* The pool's thread looks whether that was all; without room for the event, a little later. */
static void
announce (MprocPool *self, const MprocBatchJob *job)
{
  MprocPoolEvent event = { .kind = MPROC_EVENT_BATCH, .serial = job->serial };

  mproc_queue_put_bytes (self->events, &event, MPROC_EVENT_BASE_SIZE, 0, NULL);
}

/* Takes @why. */
static void
set_error (MprocBatchJob *job, GError *why)
{
  if (job->error == NULL)
    job->error = why;
  else
    g_error_free (why);
}

/* ------------------------------------------------------------------ parts that run */

static GError *
describe (MprocPool *self,
          const MprocBatchJob *job,
          const MprocPart *part,
          const MprocPartLoss *loss)
{
  char *what = mproc_batch_job_describe_part (job, part);
  gint64 hard = mproc_batch_get_plan (job->batch)->limits.hard;
  GError *error;

  if (loss->fate == MPROC_FATE_TIMED_OUT)
    error = g_error_new (MPROC_ERROR, MPROC_ERROR_TIMED_OUT,
                         "%s ran longer than the hard limit of %.3f s", what,
                         (double) hard / G_USEC_PER_SEC);
  else if (loss->fate == MPROC_FATE_NO_MEMORY)
    error = g_error_new (MPROC_ERROR, MPROC_ERROR_NO_MEMORY,
                         "%s ended with its worker, which had %" G_GUINT64_FORMAT
                         " bytes of memory for itself, where the limit is "
                         "%" G_GUINT64_FORMAT,
                         what, loss->bytes_used, self->options->kill_at);
  else
    error = g_error_new (MPROC_ERROR, MPROC_ERROR_CANCELLED,
                         "%s was cancelled while it ran", what);
  g_free (what);
  return error;
}

/* What the seat shows of it.  FALSE: none of this batch. */
static gboolean
is_running (const MprocSeat *seat, const MprocBatchJob *job, guint64 *name)
{
  *name = mproc_load64 (&seat->running);
  return mproc_load64 (&seat->batch) == job->batch && mproc_load64 (&seat->word) != 0 &&
         *name >> 32 == job->serial;
}

/* The block stays as long as the worker is in there, so that one which runs on, until it is killed or,
 * being a thread, comes back, does no harm. */
static gboolean
condemn (MprocPool *self,
         MprocBatchJob *job,
         MprocSeat *seat,
         guint64 name,
         const MprocPartLoss *loss)
{
  MprocPart part;

  if (!mproc_batch_condemn (job->batch, (guint32) name, mproc_load32 (&seat->member),
                            &part))
    return FALSE;
  set_error (job, describe (self, job, &part, loss));
  self->is_watched = TRUE;
  /* A thread cannot be killed: the crew puts another one in its place, and it may still look. */
  mproc_store64 (&seat->stop, 1 + name);
  mproc_store64 (&seat->kill, 1 + name);
  announce (self, job);
  return TRUE;
}

gboolean
mproc_pool_condemn_part (MprocPool *self,
                         guint32 serial,
                         MprocMember member,
                         const MprocPartLoss *loss)
{
  MprocBatchJob *job = mproc_pool_find_batch (self, serial);
  MprocSeat *seat = mproc_pool_find_seat (self, member);
  guint64 name;

  return job != NULL && seat != NULL && is_running (seat, job, &name) &&
         condemn (self, job, seat, name, loss);
}

/* FALSE: it has just ended. */
static gboolean
stop (MprocPool *self, MprocBatchJob *job, MprocSeat *seat, guint64 name)
{
  const MprocPartLoss loss = { MPROC_FATE_CANCELLED, 0 };

  if (job->is_killed)
    return condemn (self, job, seat, name, &loss);
  mproc_store64 (&seat->stop, 1 + name);
  return TRUE;
}

void
mproc_pool_look_at_part (MprocPool *self,
                         MprocSeat *seat,
                         guint64 name,
                         guint64 hard,
                         gint64 now)
{
  const MprocPartLoss loss = { MPROC_FATE_TIMED_OUT, 0 };
  MprocBatchJob *job = mproc_pool_find_batch (self, (guint32) (name >> 32));

  if (job == NULL)
    return;
  if (job->is_cancelled)
    stop (self, job, seat, name);
  if (hard != 0 && (guint64) now >= hard)
    condemn (self, job, seat, name, &loss);
}

/* Returns whether any was still running. */
static gboolean
end_running (MprocPool *self, MprocBatchJob *job)
{
  gboolean any = FALSE;

  for (guint i = 0; i < self->seats->len; i++)
    {
      MprocSeat *seat = mproc_seat_at (g_array_index (self->seats, MprocOffset, i));
      guint64 name;

      if (is_running (seat, job, &name))
        any |= stop (self, job, seat, name);
    }
  return any;
}

/* ------------------------------------------------------------------ batches */

/* Of what nobody has begun nothing will be.  FALSE: there was nothing. */
static gboolean
withdraw (MprocPool *self, MprocBatchJob *job, GError *why)
{
  if (mproc_batch_withdraw (job->batch) == 0)
    {
      g_error_free (why);
      return FALSE;
    }
  set_error (job, why);
  announce (self, job);
  return TRUE;
}

/* First what waits: a worker that is stopped takes the next one. */
static gboolean
end_batch (MprocPool *self, MprocBatchJob *job, gboolean kill)
{
  gboolean any;

  job->is_cancelled = TRUE;
  job->is_killed |= kill;
  self->is_watched = TRUE;
  any = withdraw (self, job,
                  g_error_new (MPROC_ERROR, MPROC_ERROR_CANCELLED, "map %u was cancelled",
                               job->serial));

  return end_running (self, job) || any;
}

gboolean
mproc_pool_end_batch_of (MprocPool *self, const MprocResult *result, gboolean kill)
{
  for (guint i = 0; i < self->batches->len; i++)
    {
      MprocBatchJob *job = g_ptr_array_index (self->batches, i);

      if (job->result == result)
        return end_batch (self, job, kill);
    }
  return FALSE;
}

guint
mproc_pool_withdraw_batches (MprocPool *self, const GError *why)
{
  guint n = 0;

  for (guint i = 0; i < self->batches->len; i++)
    {
      MprocBatchJob *job = g_ptr_array_index (self->batches, i);
      gboolean has_queued;

      withdraw (self, job, g_error_copy (why));
      n += mproc_batch_is_complete (job->batch, &has_queued) != FALSE;
    }
  return n;
}
