/* SPDX-License-Identifier: MIT */
/* A worker's results stand in the stream of events before its death, so whatever it had finished
 * counts; then the tasks whose words still name it have lost their worker, and no others. */
#include "pool/burial.h"

#include "insight/capture.h"
#include "map/poolbatch.h"
#include "pool/obituary.h"

/* ------------------------------------------------------------------ graves */

void
mproc_pool_give_up_job (MprocPool *self, MprocJob *job, MprocMember member)
{
  MprocGrave grave = { job->serial, member, job->task };

  g_array_append_val (self->graves, grave);
  mproc_pool_take_out (self, job);
}

void
mproc_pool_free_graves (MprocPool *self, guint32 claimed)
{
  for (guint i = 0; i < self->graves->len;)
    {
      MprocGrave *grave = &g_array_index (self->graves, MprocGrave, i);

      if (grave->member == 0 && (gint32) (claimed - grave->serial) > 0)
        {
          mproc_task_free (grave->task);
          g_array_remove_index_fast (self->graves, i);
        }
      else
        i++;
    }
}

void
mproc_pool_free_all_graves (MprocPool *self)
{
  for (guint i = 0; i < self->graves->len; i++)
    mproc_task_free (g_array_index (self->graves, MprocGrave, i).task);
  g_array_set_size (self->graves, 0);
}

/* Nobody writes into their blocks any more. */
static void
release_graves (MprocPool *self, MprocMember dead)
{
  for (guint i = 0; i < self->graves->len; i++)
    if (g_array_index (self->graves, MprocGrave, i).member == dead)
      g_array_index (self->graves, MprocGrave, i).member = 0;
}

/* ------------------------------------------------------------------ one job */

static void
fail_job (MprocPool *self, MprocJob *job, GError *error)
{
  mproc_pool_give_up_job (self, job, 0);
  mproc_job_settle (job, NULL, error);
}

/* A worker that dies between the claim and the run has begun nothing: that costs no attempt. */
static gboolean
may_run_again (const MprocJob *job)
{
  guint begun = mproc_task_count_attempts (job->task);

  return begun == job->n_begun || begun < mproc_job_get_attempts (job);
}

/* Under a new serial, so that a record which the dead one left claims nothing.  Only now, that it is
 * certainly dead: it might write into the block. */
static void
queue_again (MprocPool *self, MprocJob *job, const MprocPoolEvent *death)
{
  GError *error = NULL;
  GError *loss = mproc_job_describe_death (job, death);

  mproc_insight_note_attempt (&job->note, job->number, job->task, "died");
  g_hash_table_steal (self->jobs, GUINT_TO_POINTER (job->serial));
  mproc_task_drop_outcome (job->task);
  job->n_begun = mproc_task_count_attempts (job->task);
  if (mproc_pool_queue_job (self, job, &error))
    {
      g_error_free (loss);
      return;
    }
  g_prefix_error (&loss, "the task cannot be queued again (%s): ", error->message);
  g_error_free (error);
  fail_job (self, job, loss);
}

/* What it had written until then goes with its error. */
static void
fail_lost_job (MprocPool *self, MprocJob *job, const MprocPoolEvent *death, GError *error)
{
  mproc_result_set_output (job->result, job->part,
                           mproc_capture_rescue (&self->insight, death->seat,
                                                 job->options));
  fail_job (self, job, error);
}

static void
settle_finished_job (MprocPool *self, MprocJob *job)
{
  mproc_pool_take_out (self, job);
  mproc_job_settle_done (job);
}

/* What is DONE by now was finished by the dead one just before, or is by a live worker
 * whose event will find the job settled. */
static void
bury_job (MprocPool *self, MprocJob *job, const MprocPoolEvent *death)
{
  if (mproc_task_get_state (job->task) == MPROC_TASK_DONE)
    settle_finished_job (self, job);
  else if (job->fate != MPROC_FATE_OPEN)
    fail_lost_job (self, job, death, mproc_job_describe_fate (job, death->pid));
  else if (!may_run_again (job))
    fail_lost_job (self, job, death, mproc_job_describe_death (job, death));
  else if (job->is_cancelled)
    fail_lost_job (self, job, death, mproc_job_describe_cancel (job));
  else
    queue_again (self, job, death);
}

/* ------------------------------------------------------------------ several */

static gboolean
is_lost (const MprocJob *job, gpointer data)
{
  MprocMember member = GPOINTER_TO_UINT (data);
  guint32 state = mproc_task_get_state (job->task);

  return state == member || state == MPROC_TASK_DONE ||
         (job->fate != MPROC_FATE_OPEN && job->condemned == member);
}

static gboolean
is_begun (const MprocJob *job, gpointer data)
{
  (void) data;
  return mproc_task_get_state (job->task) != MPROC_TASK_QUEUED;
}

static gboolean
is_any (const MprocJob *job, gpointer data)
{
  (void) job, (void) data;
  return TRUE;
}

void
mproc_pool_bury_worker (MprocPool *self, const MprocPoolEvent *death)
{
  GPtrArray *lost =
      mproc_pool_list_jobs (self, is_lost, GUINT_TO_POINTER (death->member));

  for (guint i = 0; i < lost->len; i++)
    bury_job (self, g_ptr_array_index (lost, i), death);
  g_ptr_array_unref (lost);
  release_graves (self, death->member);
  mproc_pool_bury_in_batches (self, death);
}

void
mproc_pool_bury_orphans (MprocPool *self)
{
  GPtrArray *lost = mproc_pool_list_jobs (self, is_begun, NULL);

  for (guint i = 0; i < lost->len; i++)
    {
      MprocJob *job = g_ptr_array_index (lost, i);
      MprocPoolEvent death = { .exit_code = -9 };
      MprocOsIdentity who = { 0 };

      death.member = job->fate != MPROC_FATE_OPEN ? job->condemned
                                                  : mproc_task_get_state (job->task);
      if (death.member != MPROC_TASK_DONE)
        mproc_member_get_identity (death.member, &who);
      death.pid = who.pid;
      bury_job (self, job, &death);
    }
  g_ptr_array_unref (lost);
  mproc_pool_bury_in_batches (self, NULL);
}

static gboolean
is_done (const MprocJob *job, gpointer data)
{
  (void) data;
  return mproc_task_get_state (job->task) == MPROC_TASK_DONE;
}

void
mproc_pool_settle_finished (MprocPool *self)
{
  GPtrArray *done = mproc_pool_list_jobs (self, is_done, NULL);

  for (guint i = 0; i < done->len; i++)
    settle_finished_job (self, g_ptr_array_index (done, i));
  g_ptr_array_unref (done);
}

void
mproc_pool_fail_all (MprocPool *self, const GError *why)
{
  GPtrArray *all = mproc_pool_list_jobs (self, is_any, NULL);

  for (guint i = 0; i < all->len; i++)
    fail_job (self, g_ptr_array_index (all, i), g_error_copy (why));
  g_ptr_array_unref (all);
  mproc_pool_fail_batches (self, why);
}
