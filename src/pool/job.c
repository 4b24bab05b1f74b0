/* SPDX-License-Identifier: MIT */
#include "pool/job.h"

#include "pool/pending.h"
#include "pool/resize.h"

void
mproc_job_free (gpointer data)
{
  MprocJob *job = data;

  mproc_result_unref (job->result);
  mproc_task_options_free (job->options);
  g_free (job);
}

void
mproc_job_note_end (MprocJob *job, const GError *error)
{
  mproc_insight_settle (&job->note, job->number, job->task, error);
  job->note.insight = NULL;
}

void
mproc_job_settle (MprocJob *job, GVariant *value, GError *error)
{
  mproc_job_note_end (job, error);
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

void
mproc_job_settle_done (MprocJob *job)
{
  GError *error = NULL;
  GVariant *value = NULL;
  MprocOffset task = job->task;

  if (job->result != NULL)
    value = mproc_task_get_outcome (task, &error);
  mproc_result_set_output (job->result, job->part, mproc_task_get_output (task));
  mproc_job_settle (job, value, error);
  mproc_task_free (task);
}

/* ------------------------------------------------------------------ the table */

GPtrArray *
mproc_pool_list_jobs (MprocPool *self,
                      gboolean (*wanted) (const MprocJob *job, gpointer data),
                      gpointer data)
{
  GPtrArray *list = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer job;

  g_hash_table_iter_init (&iter, self->jobs);
  while (g_hash_table_iter_next (&iter, NULL, &job))
    if (wanted (job, data))
      g_ptr_array_add (list, job);
  return list;
}

void
mproc_pool_take_out (MprocPool *self, MprocJob *job)
{
  mproc_pool_forget_waiting (self, job);
  g_hash_table_steal (self->jobs, GUINT_TO_POINTER (job->serial));
  if (job->result != NULL)
    mproc_result_set_job (job->result, NULL);
  mproc_pool_make_room (self);
  if (job->fate != MPROC_FATE_OPEN)
    g_ptr_array_remove_fast (self->condemned, job);
  mproc_pool_end_tasks (self);
}

/* ------------------------------------------------------------------ numbers and records */

/* Another one than before, so that a record which names the old one claims nothing. */
static guint32
choose_serial (MprocPool *self)
{
  do
    self->last_serial++;
  while (self->last_serial == 0 ||
         g_hash_table_contains (self->jobs, GUINT_TO_POINTER (self->last_serial)));
  return self->last_serial;
}

static void
enter (MprocPool *self, MprocJob *job, guint32 serial)
{
  if (job->serial != 0)
    g_hash_table_steal (self->jobs, GUINT_TO_POINTER (job->serial));
  job->serial = serial;
  g_hash_table_insert (self->jobs, GUINT_TO_POINTER (serial), job);
}

void
mproc_pool_number_job (MprocPool *self, MprocJob *job)
{
  enter (self, job, choose_serial (self));
  mproc_task_queue (job->task, job->serial);
}

/* A map's priority is 0: others have their chunks handed over as tasks. */
static void
note_urgent (MprocPool *self, const MprocJob *job)
{
  if (job->backlog.priority > 0)
    mproc_store64 (&mproc_control_at (self->control)->urgent,
                   G_GUINT64_CONSTANT (1) << 32 | mproc_queue_get_put (self->tasks));
}

/* Serials and records are in the same order: that a task has been claimed says that every
 * earlier record is gone from the queue. */
gboolean
mproc_pool_put_job (MprocPool *self, MprocJob *job, GError **error)
{
  MprocTaskRecord record = { job->task, 0, 0 };
  gboolean was_known = job->serial != 0;

  /* Known here before any worker can see it. */
  mproc_pool_number_job (self, job);
  record.serial = job->serial;
  if (mproc_queue_put_bytes (self->tasks, &record, sizeof record, MPROC_FOREVER, error))
    {
      note_urgent (self, job);
      mproc_pool_feed_crew (self);
      return TRUE;
    }
  if (!was_known)
    g_hash_table_steal (self->jobs, GUINT_TO_POINTER (job->serial));
  mproc_pool_make_room (self);
  return FALSE;
}

gboolean
mproc_pool_take_back_job (MprocPool *self, MprocJob *job)
{
  guint32 serial = choose_serial (self);

  if (!mproc_task_take_back (job->task, job->serial, serial))
    return FALSE;
  enter (self, job, serial);
  return TRUE;
}
