/* SPDX-License-Identifier: MIT */
/* A pool's events: what its workers and its crew have to tell its one thread. */
#ifndef MPROC_POOL_EVENT_H
#define MPROC_POOL_EVENT_H

#include "arena/arena.h"
#include "queue/queue.h"

G_BEGIN_DECLS

typedef enum
{
  MPROC_EVENT_RESULT, /* a task is DONE */
  MPROC_EVENT_SEAT,  /* a worker is about to be started: its seat is the pool's to free */
  MPROC_EVENT_DEATH, /* a worker has ended, or could not be started */
  MPROC_EVENT_READY, /* all workers have been started */
  MPROC_EVENT_LEAVING, /* a worker has had its tasks, or there are no more: only its process ends */
  MPROC_EVENT_BROKEN,    /* none can be started: text; member: one that cannot work */
  MPROC_EVENT_FINISHED,  /* the tasks are used up and the last worker has ended */
  MPROC_EVENT_STOP,      /* the pool's thread shall end */
  MPROC_EVENT_CONDEMNED, /* a worker is to be killed, see MprocSeat */
  MPROC_EVENT_WAKE,      /* the pool's thread shall look for callbacks */
  MPROC_EVENT_TEND,   /* the crew is to look around, if it is the pool's thread's own */
  MPROC_EVENT_OUTPUT, /* a worker has made a file for what its tasks write: see its seat */
  MPROC_EVENT_BATCH   /* a worker has left a batch, or shared a part of it out: item */
} MprocPoolEventKind;

/* BATCH: its item. */
#define MPROC_EVENT_BATCH_LEFT 0u
#define MPROC_EVENT_BATCH_SHARED 1u
#define MPROC_EVENT_BATCH_EARLY 2u /* and there was more to do */
#define MPROC_EVENT_BATCH_AWAY 3u  /* the same, for something urgent: it will come back */

/* What the event queue carries.  All of it, so that a record says everything. */
typedef struct
{
  guint32 kind;
  guint32 serial; /* RESULT: of the task */
  guint32 item;   /* RESULT: which of its parts, where it has several */
  guint32 member; /* DEATH, BROKEN; 0: it was never there */
  gint32 exit_code;
  gint64 pid;
  MprocOffset seat; /* SEAT, DEATH, OUTPUT */
  char text[160];   /* BROKEN; sent only as far as it goes */
} MprocPoolEvent;

/* How long, in microseconds, until there may be room for an event. */
#define MPROC_EVENT_PAUSE 1000

#define MPROC_EVENT_BASE_SIZE G_STRUCT_OFFSET (MprocPoolEvent, text)

/* FALSE: there is no memory for it now. */
gboolean mproc_pool_event_try_post (MprocQueue *events, const MprocPoolEvent *event);

/* The same; waits for room as long as it takes: not for the pool's own thread, which makes the room. */
void mproc_pool_event_post (MprocQueue *events, const MprocPoolEvent *event);

/* An MprocQueueClaim that takes an event into the MprocPoolEvent at @data. */
gboolean mproc_pool_event_copy (gconstpointer payload, gsize size, gpointer data);

G_END_DECLS

#endif
