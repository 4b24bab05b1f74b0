/* SPDX-License-Identifier: MIT */
/* The crew: keeps a pool's workers at their number, and says who died.
 *
 * It lives where the workers are started: in the pool's nursery (fork), or in the
 * pool's own thread (spawn, thread).  Everything it has to tell goes through the pool's
 * event queue, behind whatever the dead one had published there itself. */
#ifndef MPROC_CREW_H
#define MPROC_CREW_H

#include "family/family.h"
#include "os.h"
#include "queue/queue.h"
#include "worker/control.h"
#include "worker/seat.h"

#include <mproc/process.h>

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
} MprocEventKind;

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

#define MPROC_EVENT_BASE_SIZE G_STRUCT_OFFSET (MprocPoolEvent, text)

/* Puts an event; waits for room as long as it takes: not for the pool's own thread,
 * which makes the room. */
void mproc_event_post (MprocQueue *events, const MprocPoolEvent *event);

/* An MprocQueueClaim that takes an event into the MprocPoolEvent at @data. */
gboolean mproc_event_copy (gconstpointer payload, gsize size, gpointer data);

typedef struct
{
  MprocOffset control; /* says how many workers there are to be */
  gboolean
      starts_on_demand; /* idle ones leave, and are missing only when there are tasks */
  MprocStartMethod method;
  char *name; /* the crew's */
  MprocQueue *tasks;
  MprocQueue *events;
  GVariant *setup; /* what each worker is told at its start; see worker.h */
} MprocCrewPlan;

typedef struct MprocCrew MprocCrew;

/* Copies @plan, takes references. */
MprocCrew *mproc_crew_new (const MprocCrewPlan *plan);

/* Starts as many as there are to be. */
gboolean mproc_crew_fill (MprocCrew *self, GError **error);

/* Reaps those that have ended, reports, replaces some.  FALSE: there is nothing left to do,
 * and the event that says so has been posted. */
gboolean mproc_crew_tend (MprocCrew *self);

/* Whether more are to be started: then the next call is to come soon. */
gboolean mproc_crew_is_short (const MprocCrew *self);

/* What to wait for until the next call, appended as MprocOsWait, and when not to wait any longer. */
void mproc_crew_list_waits (MprocCrew *self, GArray *waits);
gint64 mproc_crew_get_next_look (MprocCrew *self);

/* Ends all workers now and waits until they are gone (threads: tells them to end). */
void mproc_crew_kill (MprocCrew *self);

void mproc_crew_free (MprocCrew *self);

G_END_DECLS

#endif
