/* SPDX-License-Identifier: MIT */
/* A batch is offered by records in the task queue, one for each worker that may join.  A worker that
 * leaves when everything is done, or died, may have taken the last of them: what is left is offered
 * again.
 *
 * A settled batch stays until no record names it, and no worker's seat says that it is in there: none of
 * those that the pool knows, nor of those that it is still to be told of.  A worker's seat is told of
 * before the worker is started; so when it is over, and nobody enters any more, the events that are there
 * by then tell of all who are in there. */
#include "map/poolbatch.h"

#include "family/function.h"
#include "map/batchvalues.h"
#include "pool/obituary.h"
#include "pool/pending.h"
#include "pool/resize.h"

#include <string.h>

void
mproc_batch_job_free (gpointer data)
{
  MprocBatchJob *job = data;

  if (job->batch != 0)
    {
      mproc_batchvalues_discard_all (job->batch);
      mproc_batch_free (job->batch, TRUE);
    }
  mproc_result_unref (job->result);
  g_clear_error (&job->error);
  g_free (job);
}

/* ------------------------------------------------------------------ offers */

/* Under the mutex. */
static gboolean
offer (MprocPool *self, MprocBatchJob *job, guint n, GError **error)
{
  MprocTaskRecord record = { job->batch, job->serial, TRUE };

  n = MIN (n, mproc_batch_count_parts (job->batch));
  for (guint i = 0; i < n; i++)
    {
      /* One is enough; without it the next look tries again. */
      if (!mproc_queue_put_bytes (self->tasks, &record, sizeof record, MPROC_FOREVER,
                                  i == 0 ? error : NULL))
        return i > 0;
      job->last_record = mproc_queue_get_put (self->tasks);
    }
  mproc_pool_feed_crew (self);
  return TRUE;
}

MprocBatchJob *
mproc_pool_find_batch (MprocPool *self, guint32 serial)
{
  for (guint i = 0; i < self->batches->len; i++)
    {
      MprocBatchJob *job = g_ptr_array_index (self->batches, i);

      if (job->serial == serial)
        return job;
    }
  return NULL;
}

static guint32
choose_serial (MprocPool *self)
{
  do
    self->last_serial++;
  while (self->last_serial == 0 ||
         mproc_pool_find_batch (self, self->last_serial) != NULL ||
         g_hash_table_contains (self->jobs, GUINT_TO_POINTER (self->last_serial)));
  return self->last_serial;
}

static void
take_out (MprocPool *self, MprocBatchJob *job)
{
  g_ptr_array_remove (self->batches, job);
  mproc_pool_make_room (self);
}

gboolean
mproc_pool_hand_over_batch (MprocPool *self, MprocBatchJob *job, GError **error)
{
  gboolean ok;

  mproc_insight_hand_over (&self->insight, &job->note, NULL, NULL,
                           (guint) mproc_batch_get_plan (job->batch)->n_items);
  g_mutex_lock (&self->mutex);
  ok = mproc_pool_await_room (self, MPROC_OS_NEVER, error) &&
       mproc_pool_check_running (self, error);
  if (ok)
    {
      job->serial = choose_serial (self);
      mproc_batch_queue (job->batch, job->serial);
      g_ptr_array_add (self->batches, job);
      self->is_watched |= mproc_batch_get_plan (job->batch)->limits.hard > 0;
      mproc_pool_take_back_below (self, 0);
      ok = offer (self, job, mproc_pool_get_n_workers (self), error);
      if (!ok)
        take_out (self, job);
      mproc_pool_feed_queue (self);
    }
  g_mutex_unlock (&self->mutex);
  if (!ok)
    mproc_insight_take_back (&job->note);
  return ok;
}

/* ------------------------------------------------------------------ the end */

/* Some record that names it is in the queue. */
static gboolean
is_offered (MprocPool *self, const MprocBatchJob *job)
{
  return (gint32) (mproc_queue_get_taken (self->tasks) - job->last_record) < 0;
}

/* A worker's note is stored before the queue's position moves past its record. */
static gboolean
is_reached (MprocPool *self, const MprocBatchJob *job)
{
  if (is_offered (self, job))
    return TRUE;
  for (guint i = 0; i < self->seats->len; i++)
    {
      MprocSeat *seat = mproc_seat_at (g_array_index (self->seats, MprocOffset, i));

      if (mproc_load64 (&seat->batch) == job->batch)
        return TRUE;
    }
  return FALSE;
}

/* It is over. */
static void
end_batch (MprocPool *self, MprocBatchJob *job)
{
  mproc_batch_end (job->batch);
  job->last_event = mproc_queue_get_put (self->events);
}

static gboolean
may_be_freed (MprocPool *self, const MprocBatchJob *job)
{
  guint32 n_events = mproc_queue_get_taken (self->events) - job->last_event;

  return (gint32) n_events >= 0 && !is_reached (self, job);
}

static void
free_unreached (MprocPool *self)
{
  for (guint i = 0; i < self->ended_batches->len;)
    {
      MprocBatchJob *job = g_ptr_array_index (self->ended_batches, i);

      if (may_be_freed (self, job))
        g_ptr_array_remove_index_fast (self->ended_batches, i);
      else
        i++;
    }
}

static GVariant *
copy_results (MprocBatchJob *job)
{
  const MprocBatchPlan *plan = mproc_batch_get_plan (job->batch);
  gsize size = (gsize) (plan->n_items * plan->result_size);
  gpointer bytes;

  if (job->results == NULL)
    {
      bytes = g_malloc (size);
      if (size > 0)
        memcpy (bytes, mproc_batch_get_results (job->batch, 0, plan->n_items), size);
      return g_variant_ref_sink (g_variant_new_from_data (G_VARIANT_TYPE_BYTESTRING,
                                                          bytes, size, TRUE, g_free,
                                                          bytes));
    }
  if (size > 0)
    memcpy (job->results, mproc_batch_get_results (job->batch, 0, plan->n_items), size);
  return g_variant_ref_sink (g_variant_new_maybe (G_VARIANT_TYPE_VARIANT, NULL));
}

static GVariant *
collect (MprocBatchJob *job, GError **error)
{
  switch (mproc_batch_get_plan (job->batch)->kind)
    {
    case MPROC_BATCH_VALUES:
      return mproc_batchvalues_collect (job->batch, error);
    case MPROC_BATCH_BYTES:
      return copy_results (job);
    default:
      return g_variant_ref_sink (g_variant_new_maybe (G_VARIANT_TYPE_VARIANT, NULL));
    }
}

/* It is in no table, and nobody runs a part of it.  Takes @error. */
static void
settle (MprocBatchJob *job, GError *error)
{
  GVariant *value = NULL;

  if (error == NULL && job->error != NULL)
    error = g_error_copy (job->error);
  if (error == NULL)
    error = mproc_batch_get_error (job->batch);
  if (error == NULL && mproc_batch_lacks_parts (job->batch))
    error = g_error_new (MPROC_ERROR, MPROC_ERROR_CANCELLED,
                         "map %u was cancelled, or the pool terminated", job->serial);
  if (error == NULL)
    value = collect (job, &error);
  mproc_insight_settle_batch (&job->note, error);
  mproc_result_set_part (job->result, 0, value, error);
}

/* From the one table to the other, where it waits for its last visitors. */
static void
settle_all (MprocPool *self, GPtrArray *done)
{
  for (guint i = 0; i < done->len; i++)
    settle (g_ptr_array_index (done, i), NULL);
  g_mutex_lock (&self->mutex);
  for (guint i = 0; i < done->len; i++)
    g_ptr_array_add (self->ended_batches, g_ptr_array_index (done, i));
  free_unreached (self);
  mproc_pool_end_tasks (self);
  g_mutex_unlock (&self->mutex);
}

/* Under the mutex: takes it out if it is complete. */
static gboolean
take_complete (MprocPool *self, MprocBatchJob *job, GPtrArray *done, gboolean *has_queued)
{
  *has_queued = FALSE;
  if (!mproc_batch_is_done (job->batch) &&
      !mproc_batch_is_complete (job->batch, has_queued))
    return FALSE;
  end_batch (self, job);
  take_out (self, job);
  g_ptr_array_add (done, job);
  return TRUE;
}

void
mproc_pool_handle_batch (MprocPool *self, const MprocPoolEvent *event)
{
  GPtrArray *done = g_ptr_array_new ();
  MprocBatchJob *job;
  gboolean has_queued;

  g_mutex_lock (&self->mutex);
  job = mproc_pool_find_batch (self, event->serial);
  if (job == NULL || take_complete (self, job, done, &has_queued))
    ;
  else if (event->item == MPROC_EVENT_BATCH_SHARED)
    offer (self, job, mproc_pool_get_n_workers (self), NULL);
  else if (event->item == MPROC_EVENT_BATCH_AWAY ||
           (event->item == MPROC_EVENT_BATCH_EARLY && !is_offered (self, job)))
    offer (self, job, 1, NULL);
  g_mutex_unlock (&self->mutex);
  if (done->len > 0)
    settle_all (self, done);
  g_ptr_array_unref (done);
}

/* Before what is counted in 32 bits comes round to it again. */
static void
forget_urgent (MprocPool *self)
{
  MprocAtomic64 *urgent = &mproc_control_at (self->control)->urgent;
  guint32 last = (guint32) mproc_load64 (urgent);

  if ((gint32) (mproc_queue_get_taken (self->tasks) - last) >= 0)
    mproc_store64 (urgent, 0);
}

/* Nobody is in a batch, and no record is there for anyone to come: its parts are offered again.  That nobody
 * was there is seen before the words are looked at. */
void
mproc_pool_tend_batches (MprocPool *self)
{
  GPtrArray *done = g_ptr_array_new ();

  g_mutex_lock (&self->mutex);
  forget_urgent (self);
  free_unreached (self);
  for (guint i = self->batches->len; i-- > 0;)
    {
      MprocBatchJob *job = g_ptr_array_index (self->batches, i);
      gboolean has_queued;

      if (!is_reached (self, job) && !take_complete (self, job, done, &has_queued) &&
          has_queued)
        offer (self, job, mproc_pool_get_n_workers (self), NULL);
    }
  g_mutex_unlock (&self->mutex);
  if (done->len > 0)
    settle_all (self, done);
  g_ptr_array_unref (done);
}

/* ------------------------------------------------------------------ deaths */

char *
mproc_batch_job_describe_part (const MprocBatchJob *job, const MprocPart *part)
{
  char *func = mproc_function_describe (mproc_batch_get_plan (job->batch)->function);
  char *text;

  if (part->end - part->first == 1)
    text = g_strdup_printf ("item %" G_GUINT64_FORMAT " of map %u (%s)", part->first,
                            job->serial, func);
  else
    text = g_strdup_printf ("items %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT
                            " of map %u (%s)",
                            part->first, part->end - 1, job->serial, func);
  g_free (func);
  return text;
}

static void
bury (MprocBatchJob *job, const MprocPoolEvent *death)
{
  MprocPart part;
  char *what;

  if (mproc_batch_bury (job->batch, death != NULL ? death->member : 0, &part) == 0 ||
      job->error != NULL)
    return;
  what = mproc_batch_job_describe_part (job, &part);
  if (death != NULL)
    job->error = mproc_describe_death (death, what);
  else
    job->error = g_error_new (MPROC_ERROR, MPROC_ERROR_WORKER_DIED,
                              "the worker that ran %s was killed", what);
  g_free (what);
}

void
mproc_pool_bury_in_batches (MprocPool *self, const MprocPoolEvent *death)
{
  for (guint i = 0; i < self->batches->len; i++)
    bury (g_ptr_array_index (self->batches, i), death);
}

void
mproc_pool_offer_batches (MprocPool *self, gboolean for_lost)
{
  for (guint i = 0; i < self->batches->len; i++)
    {
      MprocBatchJob *job = g_ptr_array_index (self->batches, i);

      if (for_lost || !is_offered (self, job))
        offer (self, job, 1, NULL);
    }
}

/* Under the mutex: whoever waits for room in the pool does not hold it. */
void
mproc_pool_fail_batches (MprocPool *self, const GError *why)
{
  while (self->batches->len > 0)
    {
      MprocBatchJob *job =
          g_ptr_array_remove_index_fast (self->batches, self->batches->len - 1);

      end_batch (self, job);
      settle (job, g_error_copy (why));
      g_ptr_array_add (self->ended_batches, job);
    }
}

/* Workers that leave one may be seen before the order to end is: what they left is told as cancelled, since
 * parts are lacking. */
void
mproc_pool_cancel_batches (MprocPool *self)
{
  for (guint i = 0; i < self->batches->len; i++)
    mproc_batch_cancel (((MprocBatchJob *) g_ptr_array_index (self->batches, i))->batch);
}
