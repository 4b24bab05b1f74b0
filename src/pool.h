/* SPDX-License-Identifier: MIT */
/* What a pool consists of, and what its files call of each other: pool.c is its life,
 * submit.c hands tasks over, dispatch.c is the thread that gives results out. */
#ifndef MPROC_POOL_INTERNAL_H
#define MPROC_POOL_INTERNAL_H

#include "crew.h"
#include "insight.h"
#include "nursery.h"
#include "object.h"
#include "pooloptions.h"
#include "result.h"
#include "task.h"

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
  guint n_workers;
  MprocStartMethod method;
  GVariant *setup; /* for the workers */
  MprocQueue *tasks;
  MprocQueue *events;
  MprocNursery *nursery; /* under fork; else */
  MprocCrew *crew;       /* the thread's own */
  GThread *thread;

  GMutex mutex;  /* over what follows */
  GCond changed; /* of state and thread_ended */
  MprocPoolState state;
  gboolean thread_ended;
  GError *broken;   /* why no worker is to be had any more */
  GHashTable *jobs; /* serial -> MprocJob: handed over and not settled */
  guint32 last_serial;
  GArray *graves; /* of MprocGrave; the dispatcher's alone */
  GArray *
      seats; /* of MprocOffset: the workers', from before they start until they have ended */

  MprocInsight insight;
};

/* A task whose worker died: the record that names it may still be in the queue, so its
 * block stays until a later one has been claimed. */
typedef struct
{
  guint32 serial;
  MprocOffset task;
} MprocGrave;

/* A task as the pool sees it. */
typedef struct
{
  guint32 serial;
  MprocOffset task;
  MprocResult *result; /* NULL: pushed */
  guint part;
  MprocTaskOptions *options; /* frozen; NULL: none */
  MprocJobNote note;
} MprocJob;

/* dispatch.c: the pool's one thread. */
gpointer mproc_pool_dispatch (gpointer pool);

void mproc_job_free (gpointer job);

/* What an event says of a worker's seat; under the mutex. */
void mproc_pool_note_seat (MprocPool *self, const MprocPoolEvent *event);

/* pool.c: what its crew, wherever that is, has to know. */
void mproc_pool_fill_plan (MprocPool *self, MprocStartMethod method, MprocCrewPlan *plan);

/* Whether it is a pool, and of the calling process; also at its end. */
gboolean mproc_pool_is_mine (MprocPool *self);

G_END_DECLS

#endif
