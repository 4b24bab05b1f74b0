/* SPDX-License-Identifier: MIT */
/* What a pool consists of.  What its files and the rooms beside this one call of each other is in the
 * header of the file that has it. */
#ifndef MPROC_POOL_INTERNAL_H
#define MPROC_POOL_INTERNAL_H

#include "family/object.h"
#include "insight/insight.h"
#include "pool/backlog.h"
#include "pool/pooloptions.h"
#include "result/callbacks.h"
#include "result/result.h"
#include "worker/control.h"
#include "worker/crew.h"
#include "worker/inline.h"
#include "worker/nursery.h"
#include "worker/task.h"

#include <mproc/pool.h>

G_BEGIN_DECLS

typedef enum
{
  MPROC_POOL_RUNNING,
  MPROC_POOL_CLOSED,
  MPROC_POOL_TERMINATED
} MprocPoolState;

struct MprocPool
{
  MprocObject base;
  gint64 creator;            /* pid of the process it belongs to */
  MprocPoolOptions *options; /* a copy */
  guint n_workers;           /* when it was made */
  MprocOffset control;
  MprocStartMethod method;
  GVariant *setup; /* for the workers */
  MprocQueue *tasks;
  MprocQueue *events;
  MprocNursery *nursery; /* under fork; else */
  MprocCrew *crew;       /* the thread's own */
  GThread *thread;
  MprocCallbacks *callbacks; /* what the thread calls */
  MprocInline *worker;       /* of an inline pool, which has neither thread nor workers */
  gint64 hurry_until;        /* the thread's own: a worker is about to end */
  gboolean stops_itself;     /* the thread's own: terminated in one of these */
  gboolean frees_itself;     /* the same: the last reference went there */

  GMutex mutex;  /* over what follows */
  GCond changed; /* of thread_ended */
  GCond room;    /* there is some, or none to wait for any more; see pending.c */
  guint n_waiting_for_room;
  MprocPoolState state;
  gboolean thread_ended;
  GError *broken;   /* why no worker is to be had any more */
  GHashTable *jobs; /* serial -> MprocJob: handed over and not settled */
  guint32 last_serial;
  MprocBacklog backlog;
  GArray *graves;       /* of MprocGrave */
  GPtrArray *condemned; /* of MprocJob, not owned: settled when their workers are dead */
  GArray *doomed;       /* of MprocDoomed */
  gboolean is_watched;  /* there has been a limit, or something to stop */
  GArray *
      seats; /* of MprocOffset: the workers', from before they start until they have ended */
  GPtrArray *batches;         /* of MprocBatchJob: handed over and not settled */
  GPtrArray *ended_batches;   /* settled, but a worker may still be in there */
  gintptr jobserver;          /* MPROC_OS_NONE: none */
  char *jobserver_name;       /* for its workers */
  gint64 next_memory_look;    /* the dispatcher's alone */
  struct MprocPoolLink *link; /* by which results find it */

  MprocInsight insight;
};

/* What state it is in, by one look: a task, or another thread, may be just ending it.  Not under the
 * mutex. */
MprocPoolState mproc_pool_get_state (MprocPool *self);

/* Whether it is a pool, and of the calling process; also at its end. */
gboolean mproc_pool_is_mine (MprocPool *self);

/* Whether this process made it: one that was forked since has a copy of it, without its thread. */
gboolean mproc_pool_check_owner (MprocPool *self, GError **error);

/* Whether tasks are taken; under the mutex. */
gboolean mproc_pool_check_running (MprocPool *self, GError **error);

/* Both; not under the mutex. */
gboolean mproc_pool_check_open (MprocPool *self, GError **error);

/* FALSE: the calling thread is one of those that its end waits for. */
gboolean mproc_pool_may_wait (MprocPool *self);

/* A closed pool that has nothing to do lets its workers go.  Under the mutex. */
void mproc_pool_end_tasks (MprocPool *self);

/* No thread uses it any more. */
void mproc_pool_free (MprocPool *self);

G_END_DECLS

#endif
