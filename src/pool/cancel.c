/* SPDX-License-Identifier: MIT */
#include "pool/cancel.h"

#include "map/poolbatch.h"
#include "pool/burial.h"
#include "pool/obituary.h"
#include "pool/warden.h"

struct MprocPoolLink
{
  gint ref_count; /* atomic */
  gint64 creator; /* in another process the mutex may be held by nobody that exists */
  GMutex mutex;
  MprocPool *pool; /* NULL: it is gone; under the mutex */
};

MprocPoolLink *
mproc_pool_link_new (MprocPool *pool)
{
  MprocPoolLink *self = g_new0 (MprocPoolLink, 1);

  self->ref_count = 1;
  self->creator = mproc_os_pid ();
  self->pool = pool;
  g_mutex_init (&self->mutex);
  return self;
}

MprocPoolLink *
mproc_pool_link_ref (MprocPoolLink *self)
{
  g_atomic_int_inc (&self->ref_count);
  return self;
}

void
mproc_pool_link_unref (MprocPoolLink *self)
{
  if (self == NULL || !g_atomic_int_dec_and_test (&self->ref_count))
    return;
  g_mutex_clear (&self->mutex);
  g_free (self);
}

void
mproc_pool_link_cut (MprocPoolLink *self)
{
  g_mutex_lock (&self->mutex);
  self->pool = NULL;
  g_mutex_unlock (&self->mutex);
  mproc_pool_link_unref (self);
}

/* ------------------------------------------------------------------ one job */

typedef enum
{
  END_NONE,   /* it is done, or condemned already */
  END_ASKED,  /* its worker knows, or will be killed */
  END_TO_TELL /* out of the table: the caller settles it */
} End;

static End
end_queued (MprocPool *pool, MprocJob *job)
{
  if (!mproc_task_condemn (job->task, MPROC_TASK_QUEUED))
    return END_NONE;
  job->verdict = mproc_job_describe_cancel (job);
  mproc_pool_give_up_job (pool, job, 0);
  return END_TO_TELL;
}

static End
end_running (MprocPool *pool, MprocJob *job, MprocMember member, gboolean kill)
{
  if (!kill)
    mproc_warden_stop (pool, job, member);
  else if (!mproc_warden_condemn (pool, job, member, MPROC_FATE_CANCELLED))
    return END_NONE;
  return job->verdict != NULL ? END_TO_TELL : END_ASKED;
}

/* A worker may claim it, or finish it, between our look and our step: then we look again. */
static End
end_job (MprocPool *pool, MprocJob *job, gboolean kill)
{
  for (;;)
    {
      guint32 state = mproc_task_get_state (job->task);
      End end;

      if (state == MPROC_TASK_DONE || state == MPROC_TASK_CONDEMNED)
        return END_NONE;
      end = state == MPROC_TASK_QUEUED ? end_queued (pool, job)
                                       : end_running (pool, job, state, kill);
      if (end != END_NONE)
        return end;
    }
}

/* ------------------------------------------------------------------ a result's jobs */

typedef gboolean (*Wanted) (MprocResult *result, gpointer data);

static gboolean
is_same (MprocResult *result, gpointer data)
{
  return result == data;
}

typedef struct
{
  Wanted wanted;
  gpointer data;
} Choice;

static gboolean
is_chosen (const MprocJob *job, gpointer data)
{
  const Choice *choice = data;

  return job->result != NULL && choice->wanted (job->result, choice->data);
}

/* Of a result that one task gives, that one.  Under the mutex. */
static GPtrArray *
list_jobs (MprocPool *pool, Wanted wanted, gpointer data)
{
  Choice choice = { wanted, data };
  GPtrArray *jobs;

  if (wanted != is_same || !mproc_result_is_of_one (data))
    return mproc_pool_list_jobs (pool, is_chosen, &choice);
  jobs = g_ptr_array_new ();
  if (mproc_result_get_job (data) != NULL)
    g_ptr_array_add (jobs, mproc_result_get_job (data));
  return jobs;
}

/* The list of what the caller is to settle. */
static GPtrArray *
end_jobs (MprocPool *pool, GPtrArray *jobs, gboolean kill, gboolean *any)
{
  GPtrArray *ended = g_ptr_array_new ();

  /* First those that wait: a worker that is stopped takes the next one. */
  for (guint i = 0; i < jobs->len;)
    if (end_queued (pool, g_ptr_array_index (jobs, i)) == END_TO_TELL)
      g_ptr_array_add (ended, g_ptr_array_remove_index_fast (jobs, i));
    else
      i++;
  *any = ended->len > 0;
  for (guint i = 0; i < jobs->len; i++)
    {
      MprocJob *job = g_ptr_array_index (jobs, i);
      End end = end_job (pool, job, kill);

      *any |= end != END_NONE;
      if (end == END_TO_TELL)
        g_ptr_array_add (ended, job);
    }
  return ended;
}

/* The pool's thread tells the crew; it looks by itself a little later if this event finds no room. */
static gboolean
end_in_pool (MprocPool *pool,
             Wanted wanted,
             gpointer data,
             gboolean kill,
             GPtrArray **ended)
{
  MprocPoolEvent event = { .kind = MPROC_EVENT_CONDEMNED };
  GPtrArray *jobs;
  gboolean any;

  g_mutex_lock (&pool->mutex);
  jobs = list_jobs (pool, wanted, data);
  *ended = end_jobs (pool, jobs, kill, &any);
  if (wanted == is_same)
    any |= mproc_pool_end_batch_of (pool, data, kill);
  g_mutex_unlock (&pool->mutex);
  g_ptr_array_unref (jobs);
  /* While the pool is sure to be there, which counts them. */
  for (guint i = 0; i < (*ended)->len; i++)
    {
      MprocJob *job = g_ptr_array_index (*ended, i);

      mproc_job_note_end (job, job->verdict);
    }
  if (any && kill)
    mproc_queue_put_bytes (pool->events, &event, MPROC_EVENT_BASE_SIZE, 0, NULL);
  return any;
}

static gboolean
end_result (MprocResult *self, gboolean kill)
{
  MprocPoolLink *link = mproc_result_get_link (self);
  GPtrArray *ended = NULL;
  gboolean any = FALSE;

  if (link == NULL || link->creator != mproc_os_pid () || mproc_result_is_ready (self))
    return FALSE;
  g_mutex_lock (&link->mutex);
  if (link->pool != NULL)
    any = end_in_pool (link->pool, is_same, self, kill, &ended);
  g_mutex_unlock (&link->mutex);
  /* Nothing is held by now: somebody may be told, and call us again. */
  if (ended != NULL)
    mproc_warden_settle (ended);
  return any;
}

void
mproc_pool_cancel_where (MprocPool *pool, Wanted wanted, gpointer data)
{
  GPtrArray *ended;

  end_in_pool (pool, wanted, data, FALSE, &ended);
  mproc_warden_settle (ended);
}

gboolean
mproc_result_cancel (MprocResult *self)
{
  g_return_val_if_fail (mproc_object_is (self, MPROC_KIND_RESULT), FALSE);
  return end_result (self, FALSE);
}

gboolean
mproc_result_kill (MprocResult *self)
{
  g_return_val_if_fail (mproc_object_is (self, MPROC_KIND_RESULT), FALSE);
  return end_result (self, TRUE);
}
