/* SPDX-License-Identifier: MIT */
/* A task, as it lies in the arena between the pool and its workers.
 *
 * Its word (taskword.h) is claimed before the task queue's position moves past the record that names
 * it.  The serial makes a stale record, left by a worker killed in between, claim nothing when the
 * block serves another task. */
#ifndef MPROC_TASK_INTERNAL_H
#define MPROC_TASK_INTERNAL_H

#include "values/message.h"
#include "worker/seat.h"

G_BEGIN_DECLS

typedef enum
{
  MPROC_TASK_MAP =
      1, /* the argument is an array of items, the value an array of results */
  MPROC_TASK_PUSHED = 2, /* nobody wants the result: an error is printed */
  MPROC_TASK_EACH =
      4, /* the argument is an array of items, the value is as mproc_worker_run_all() has
                         it: an item's error is its own */
  MPROC_TASK_CAPTURED = 8 /* what it writes goes with the result */
} MprocTaskFlags;

/* What the task queue carries; without a task it wakes a worker to look around. */
typedef struct
{
  MprocOffset task;
  guint32 serial;
  guint32 is_batch; /* not a task, see batch.h */
} MprocTaskRecord;

/* What is known when it is made. */
typedef struct
{
  guint32 flags;
  MprocHandle function;
  MprocTaskLimits limits;
} MprocTaskPlan;

/* When it ran, and in which worker. */
typedef struct
{
  gint64 started;
  gint64 ended;
  MprocMember member;
} MprocTaskRun;

/* Child @i of @items, or what is inside of it where it is a variant: what a map's
 * function gets. */
GVariant *mproc_get_item (GVariant *items, gsize i);

/* A block with everything a worker needs. @args stays the caller's to clear as sent. 0
 * with error. */
MprocOffset
mproc_task_new (const MprocTaskPlan *plan, const MprocMessage *args, GError **error);

/* From here on it can be claimed, by a record with that serial. */
void mproc_task_queue (MprocOffset task, guint32 serial);

/* From here on only a record with serial @later can claim it.  FALSE: it has been claimed under
 * @serial. */
gboolean mproc_task_take_back (MprocOffset task, guint32 serial, guint32 later);

/* By a worker: FALSE if the task is not (any more) to be had. */
gboolean mproc_task_claim (const MprocTaskRecord *record);

/* By the worker that has it. */
const MprocTaskPlan *mproc_task_get_plan (MprocOffset task);
GVariant *mproc_task_get_args (MprocOffset task, GError **error);

/* By the worker that has it: how often it has been begun, 1 the first time. */
guint mproc_task_count_attempts (MprocOffset task);

/* By the worker that has it, around its run. */
void mproc_task_begin (MprocOffset task, guint32 serial, MprocSeat *seat);
void mproc_task_end (MprocOffset task, MprocSeat *seat);

/* Whether it can be a task's value.  With error: it has what only its own process can use. */
gboolean mproc_task_check_result (const MprocMessage *message, GError **error);

/* By the worker that has it: its outcome; consumes @value, or copies @error.  FALSE: the worker has been
 * condemned, and must not go on. */
gboolean mproc_task_finish (MprocOffset task, GVariant *value, const GError *error);

/* By the worker that has it, before it finishes: a block of its own, with what it has written, which is
 * the task's from here on. */
void mproc_task_set_output (MprocOffset task, MprocOffset output, gsize size);

/* By the pool, of a DONE task: a copy; NULL: it was not captured. */
GBytes *mproc_task_get_output (MprocOffset task);
/* By the pool, when the worker that had it is dead: what that may have left. */
void mproc_task_drop_outcome (MprocOffset task);

/* Nobody is to run it any more.  FALSE: it is not in @state (QUEUED, or a member) any more. */
gboolean mproc_task_condemn (MprocOffset task, guint32 state);

/* By the pool, once it is settled or its worker is dead. */
void mproc_task_get_run (MprocOffset task, MprocTaskRun *run);

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
