/* SPDX-License-Identifier: MIT */
#include "pool/job.h"

/* So many tasks for each worker are in the queue where others wait, and some more for workers whose
 * tasks are short. */
#define AHEAD 2
#define MORE 8

static MprocJob *
job_of (GList *link)
{
  return link->data;
}

/* The highest first. */
static gint
compare (gconstpointer a, gconstpointer b, gpointer data)
{
  gint one = GPOINTER_TO_INT (a);
  gint other = GPOINTER_TO_INT (b);

  (void) data;
  return one > other ? -1 : one < other;
}

void
mproc_backlog_init (MprocBacklog *self)
{
  g_queue_init (&self->queued);
  self->waiting = g_tree_new_full (compare, NULL, NULL, g_free);
  self->n_waiting = 0;
}

void
mproc_backlog_clear (MprocBacklog *self)
{
  g_tree_unref (self->waiting);
}

/* ------------------------------------------------------------------ the two places */

/* Its links are the jobs' own. */
static GQueue *
class_of (MprocBacklog *self, gint priority)
{
  GQueue *class = g_tree_lookup (self->waiting, GINT_TO_POINTER (priority));

  if (class != NULL)
    return class;
  class = g_new0 (GQueue, 1);
  g_tree_insert (self->waiting, GINT_TO_POINTER (priority), class);
  return class;
}

static void
set_waiting (MprocBacklog *self, MprocJob *job, gboolean first)
{
  GQueue *class = class_of (self, job->backlog.priority);

  job->backlog.place = MPROC_BACKLOG_WAITING;
  self->n_waiting++;
  if (first)
    g_queue_push_head_link (class, &job->backlog.link);
  else
    g_queue_push_tail_link (class, &job->backlog.link);
}

static void
set_queued (MprocBacklog *self, MprocJob *job)
{
  job->backlog.place = MPROC_BACKLOG_QUEUED;
  g_queue_push_tail_link (&self->queued, &job->backlog.link);
}

void
mproc_pool_forget_waiting (MprocPool *self, MprocJob *job)
{
  MprocBacklog *backlog = &self->backlog;
  GQueue *class;

  if (job->backlog.place == MPROC_BACKLOG_QUEUED)
    g_queue_unlink (&backlog->queued, &job->backlog.link);
  else if (job->backlog.place == MPROC_BACKLOG_WAITING)
    {
      class = class_of (backlog, job->backlog.priority);
      g_queue_unlink (class, &job->backlog.link);
      backlog->n_waiting--;
      if (class->length == 0)
        g_tree_remove (backlog->waiting, GINT_TO_POINTER (job->backlog.priority));
    }
  job->backlog.place = MPROC_BACKLOG_NOWHERE;
}

/* Tasks are claimed in the queue's order. */
static void
drop_begun (MprocPool *self)
{
  GQueue *queued = &self->backlog.queued;

  while (queued->head != NULL &&
         mproc_task_get_state (job_of (queued->head)->task) != MPROC_TASK_QUEUED)
    mproc_pool_forget_waiting (self, job_of (queued->head));
}

static gboolean
take_first (gpointer priority, gpointer class, gpointer first)
{
  (void) priority;
  *(GList **) first = ((GQueue *) class)->head;
  return TRUE;
}

/* The one that is to come next. */
static MprocJob *
first_waiting (MprocBacklog *self)
{
  GList *first = NULL;

  g_tree_foreach (self->waiting, take_first, &first);
  return job_of (first);
}

/* ------------------------------------------------------------------ back and forth */

/* From the end on, so that the first one is put in front of the others last.  One that has just been
 * claimed stays; and so do those before it, which have been claimed as well. */
void
mproc_pool_take_back_below (MprocPool *self, gint priority)
{
  GQueue *queued = &self->backlog.queued;

  while (queued->tail != NULL && job_of (queued->tail)->backlog.priority < priority)
    {
      MprocJob *job = job_of (queued->tail);

      if (!mproc_pool_take_back_job (self, job))
        return;
      mproc_pool_forget_waiting (self, job);
      set_waiting (&self->backlog, job, TRUE);
    }
}

/* FALSE: there is no memory for its record now. */
static gboolean
feed_one (MprocPool *self)
{
  MprocJob *job = first_waiting (&self->backlog);

  mproc_pool_forget_waiting (self, job);
  if (mproc_pool_put_job (self, job, NULL))
    {
      set_queued (&self->backlog, job);
      return TRUE;
    }
  set_waiting (&self->backlog, job, TRUE);
  return FALSE;
}

void
mproc_pool_feed_queue (MprocPool *self)
{
  guint most;

  if (self->backlog.n_waiting == 0)
    return;
  drop_begun (self);
  most = AHEAD * mproc_pool_get_n_workers (self) + MORE;
  while (self->backlog.n_waiting > 0 && self->backlog.queued.length < most)
    if (!feed_one (self))
      return;
}

/* Whether its record may go to the end of the queue. */
static gboolean
may_be_queued (MprocPool *self, gint priority)
{
  MprocBacklog *backlog = &self->backlog;

  return backlog->n_waiting == 0 &&
         (backlog->queued.tail == NULL ||
          job_of (backlog->queued.tail)->backlog.priority == priority);
}

gboolean
mproc_pool_queue_job (MprocPool *self, MprocJob *job, GError **error)
{
  mproc_pool_forget_waiting (self, job); /* where it is begun once more */
  job->backlog.link.data = job;
  job->backlog.priority = job->options != NULL ? job->options->priority : 0;
  drop_begun (self);
  if (may_be_queued (self, job->backlog.priority))
    {
      if (!mproc_pool_put_job (self, job, error))
        return FALSE;
      set_queued (&self->backlog, job);
      return TRUE;
    }
  mproc_pool_take_back_below (self, job->backlog.priority);
  mproc_pool_number_job (self, job);
  set_waiting (&self->backlog, job, FALSE);
  mproc_pool_feed_queue (self);
  return TRUE;
}
