/* SPDX-License-Identifier: MIT */
/* A task, as it lies in the arena between the pool and its workers.
 *
 * Its state is one word: the task's serial above, below it
 *
 *   TASK_QUEUED    nobody has it
 *   a member       that worker runs it (always even and not 0)
 *   TASK_DONE      the outcome is in the block
 *
 * A worker claims it by one compare-and-swap, made before the task queue's position moves past
 * the record that names it.  So at any instant exactly the tasks whose word names a worker
 * are that worker's, and when it dies those fail, and only those.  The serial makes a stale record,
 * left by a worker killed in between, claim nothing when the block serves another task. */
#ifndef MPROC_TASK_H
#define MPROC_TASK_H

#include "message.h"

G_BEGIN_DECLS

#define MPROC_TASK_QUEUED 0u
#define MPROC_TASK_DONE 1u

typedef enum
{
  MPROC_TASK_MAP =
      1, /* the argument is an array of items, the value an array of results */
  MPROC_TASK_PUSHED = 2 /* nobody wants the result: an error is printed */
} MprocTaskFlags;

/* What the task queue carries. */
typedef struct
{
  MprocOffset task;
  guint32 serial;
  guint32 unused;
} MprocTaskRecord;

/* What a worker has to know to run it. */
typedef struct
{
  MprocHandle function;
  guint32 flags;
  GVariant *args;
} MprocTaskWork;

/* Child @i of @items, or what is inside of it where it is a variant: what a map's
 * function gets. */
GVariant *mproc_get_item (GVariant *items, gsize i);

/* A block with everything a worker needs. @args stays the caller's to clear as sent. 0
 * with error. */
MprocOffset mproc_task_new (guint32 flags,
                            MprocHandle function,
                            const MprocMessage *args,
                            GError **error);

/* From here on it can be claimed, by a record with that serial. */
void mproc_task_queue (MprocOffset task, guint32 serial);

/* By a worker: FALSE if the task is not (any more) to be had. */
gboolean mproc_task_claim (const MprocTaskRecord *record);

/* By the worker that has it: the function's ticket and its argument. */
gboolean mproc_task_get_work (MprocOffset task, MprocTaskWork *work, GError **error);

/* By the worker that has it: its outcome; consumes @value, or copies @error. */
void mproc_task_finish (MprocOffset task, GVariant *value, const GError *error);

/* The lower half of its state. */
guint32 mproc_task_get_state (MprocOffset task);

/* By the pool, of a DONE task: its value, or NULL with its error. */
GVariant *mproc_task_get_outcome (MprocOffset task, GError **error);

/* By the pool, when no worker can reach it any more: gives back the block and what it
 * carries. */
void mproc_task_free (MprocOffset task);

/* The same for one that never reached the queue: its argument's message is still the
 * caller's. */
void mproc_task_free_unsent (MprocOffset task);

G_END_DECLS

#endif
