/* SPDX-License-Identifier: MIT */
/* What a pool consists of, and what its files call of each other: pool.c is its life,
 * submit.c hands tasks over, dispatch.c is the thread that gives results out. */
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

/* A settled task whose block somebody may still look at: the record that names it may be in the
 * queue, until a later one has been claimed; a worker may run it, until that is dead. */
typedef struct
{
  guint32 serial;
  MprocMember member; /* 0: no worker has it */
  MprocOffset task;
} MprocGrave;

/* A worker that is to be killed, and whose seat is not known yet. */
typedef struct
{
  MprocMember member;
  guint32 serial; /* of the task it has lost */
} MprocDoomed;

/* What has been decided about a task that its worker has lost. */
typedef enum
{
  MPROC_FATE_OPEN, /* nothing */
  MPROC_FATE_TIMED_OUT,
  MPROC_FATE_CANCELLED,
  MPROC_FATE_NO_MEMORY
} MprocFate;

/* A task as the pool sees it. */
typedef struct
{
  guint32 serial;
  MprocOffset task;
  MprocResult *result; /* NULL: pushed */
  guint part;
  MprocTaskOptions *options; /* frozen; NULL: none */
  guint32 number;            /* its first serial: each attempt has one of its own */
  guint n_begun;             /* when it was queued last */
  gboolean is_cancelled;     /* asked to end, and not to be begun again */
  MprocFate fate;
  MprocMember condemned; /* the worker that had it */
  MprocBacklogJob backlog;
  guint64 bytes_used; /* NO_MEMORY: by that worker */
  guint64 bytes_allowed;
  GError *verdict; /* what it is to be settled with, once no lock is held */
  MprocJobNote note;
} MprocJob;

/* A task that is to be handed over. */
typedef struct
{
  MprocFunc func;
  GVariant *args;
  guint32 flags;             /* MprocTaskFlags */
  MprocResult *result;       /* NULL: pushed */
  guint part;                /* of the result's */
  MprocTaskOptions *options; /* frozen; NULL: none */
  gint64 deadline;           /* until when it waits for room */
  guint n_items;             /* in the argument; 0: it is one */
} MprocOrder;

/* submit.c: consumes the order's args.  FALSE: nobody will settle it; MPROC_ERROR_FULL: there was no
 * room in time. */
gboolean mproc_pool_hand_over (MprocPool *self, const MprocOrder *order, GError **error);

/* Whether a task can carry it. */
gboolean mproc_pool_check_message (const MprocMessage *message, GError **error);

/* Whether tasks are taken; under the mutex. */
gboolean mproc_pool_check_running (MprocPool *self, GError **error);

/* Whether this process made it: one that was forked since has a copy of it, without its thread. */
gboolean mproc_pool_check_owner (MprocPool *self, GError **error);

/* Both; not under the mutex.  With the chunk of a map as well. */
gboolean mproc_pool_check_open (MprocPool *self, GError **error);
gboolean mproc_pool_check_map (MprocPool *self, guint chunk, GError **error);

/* Drops a value, which may be floating or NULL, that is not handed over. */
void mproc_pool_refuse_value (GVariant *value);

/* Frozen, a full reference; NULL: none. */
MprocTaskOptions *mproc_pool_choose_options (MprocPool *self,
                                             const MprocTaskOptions *given);

/* dispatch.c: the pool's one thread. */
gpointer mproc_pool_dispatch (gpointer pool);

/* pending.c: waits until one more task may be handed over.  FALSE with MPROC_ERROR_FULL once the
 * deadline is over.  Where the pool has ended meanwhile it is TRUE too.  Under the mutex. */
gboolean mproc_pool_await_room (MprocPool *self, gint64 deadline, GError **error);

/* A task is settled, or the pool takes none any more.  Under the mutex. */
void mproc_pool_make_room (MprocPool *self);

/* submit.c: the initializer's failure, which it takes, broke an inline pool. */
void mproc_pool_break_inline (MprocPool *self, GError *failure);

/* dispatch.c: says of the pool that it has no workers, and fails what it has; under the mutex. */
void mproc_pool_break (MprocPool *self, const char *why);

/* pool.c: FALSE: the calling thread is one of those that its end waits for. */
gboolean mproc_pool_may_wait (MprocPool *self);

/* Not under the mutex: a task, or another thread, may be just ending it. */
MprocPoolState mproc_pool_get_state (MprocPool *self);

/* No thread uses it any more. */
void mproc_pool_free (MprocPool *self);

void mproc_job_free (gpointer job);

/* Counts that it has ended, and how; once, and while its pool is sure to be there. */
void mproc_job_note_end (MprocJob *job, const GError *error);

/* Puts the end to a job that is out of the table: takes all three. */
void mproc_job_settle (MprocJob *job, GVariant *value, GError *error);

/* The same with the outcome of a task that is DONE. */
void mproc_job_settle_done (MprocJob *job);

/* Those that are @wanted, in a list of their own, since what is done with them takes them out of the table.
 * Under the mutex. */
GPtrArray *mproc_pool_list_jobs (MprocPool *self,
                                 gboolean (*wanted) (const MprocJob *job, gpointer data),
                                 gpointer data);

/* Out of the table.  Under the mutex; the last one of a closed pool ends the workers. */
void mproc_pool_take_out (MprocPool *self, MprocJob *job);

/* backlog.c: into the table, and into the queue as soon as it is its turn.  FALSE: it is in neither.
 * Under the mutex, as the next three. */
gboolean mproc_pool_queue_job (MprocPool *self, MprocJob *job, GError **error);

/* What is in the queue and of a lower priority is taken back. */
void mproc_pool_take_back_below (MprocPool *self, gint priority);

/* As many into the queue as are to be there. */
void mproc_pool_feed_queue (MprocPool *self);

/* It waits no more. */
void mproc_pool_forget_waiting (MprocPool *self, MprocJob *job);

/* submit.c: its parts.  Gives the job a serial of its own; and the queue a record of it.  Under the
 * mutex. */
void mproc_pool_number_job (MprocPool *self, MprocJob *job);
gboolean mproc_pool_put_job (MprocPool *self, MprocJob *job, GError **error);

/* Another serial, so that its record claims nothing any more.  FALSE: it has been claimed. */
gboolean mproc_pool_take_back_job (MprocPool *self, MprocJob *job);

/* warden.c: where @member sits; NULL: nobody has told of it yet.  Under the mutex. */
MprocSeat *mproc_pool_find_seat (MprocPool *self, MprocMember member);

/* What an event says of a worker's seat; under the mutex. */
void mproc_pool_note_seat (MprocPool *self, const MprocPoolEvent *event);

/* Whether it takes tasks; under the mutex. */
gboolean mproc_pool_check_running (MprocPool *self, GError **error);

/* Whether a pool can have so many workers. */
gboolean mproc_pool_check_size (guint n_workers, GError **error);

/* slots.c: looks for GNU make's, if it is to be used. */
void mproc_pool_find_jobserver (MprocPool *self);
void mproc_pool_close_jobserver (MprocPool *self);

/* What a worker that is dead held is given back. */
void mproc_pool_recover_slot (MprocPool *self, MprocOffset seat);

/* resize.c: there is another task; under the mutex. */
void mproc_pool_feed_crew (MprocPool *self);

/* pool.c: a closed pool that has nothing to do lets its workers go.  Under the mutex. */
void mproc_pool_end_tasks (MprocPool *self);

/* pool.c: what its crew, wherever that is, has to know. */
void mproc_pool_fill_plan (MprocPool *self, MprocStartMethod method, MprocCrewPlan *plan);

/* Whether it is a pool, and of the calling process; also at its end. */
gboolean mproc_pool_is_mine (MprocPool *self);

G_END_DECLS

#endif
