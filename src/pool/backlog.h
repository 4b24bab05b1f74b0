/* SPDX-License-Identifier: MIT */
/* Which task comes next: that of the highest priority, among equals the one handed over first.
 *
 * As long as all waiting tasks are of one priority their records go straight into the task queue.  What
 * is not to be begun yet waits here, numbered but without a record, and is fed to the queue a few at a
 * time.  One that comes with a higher priority than what is in the queue takes that back, by giving it
 * another number: its record there then claims nothing.  So the order is exact at any instant.
 *
 * All of it under the pool's mutex. */
#ifndef MPROC_BACKLOG_H
#define MPROC_BACKLOG_H

#include <mproc/pool.h>

G_BEGIN_DECLS

typedef struct MprocJob MprocJob; /* see job.h */

typedef struct
{
  GQueue
      queued; /* of MprocJob: with a record, in the queue's order; the first may have been begun */
  GTree *
      waiting; /* priority -> GQueue of MprocJob, without; none is above those that are queued */
  guint n_waiting;
} MprocBacklog;

/* Where a job is. */
typedef enum
{
  MPROC_BACKLOG_NOWHERE,
  MPROC_BACKLOG_QUEUED,
  MPROC_BACKLOG_WAITING
} MprocBacklogPlace;

typedef struct MprocBacklogJob
{
  GList link; /* its data is the MprocJob */
  gint priority;
  MprocBacklogPlace place;
} MprocBacklogJob;

void mproc_backlog_init (MprocBacklog *self);
void mproc_backlog_clear (MprocBacklog *self);

/* Into the table, and into the queue as soon as it is its turn.  FALSE: it is in neither. */
gboolean mproc_pool_queue_job (MprocPool *self, MprocJob *job, GError **error);

/* What is in the queue and of a lower priority is taken back. */
void mproc_pool_take_back_below (MprocPool *self, gint priority);

/* As many into the queue as are to be there. */
void mproc_pool_feed_queue (MprocPool *self);

/* It waits no more. */
void mproc_pool_forget_waiting (MprocPool *self, MprocJob *job);

G_END_DECLS

#endif
