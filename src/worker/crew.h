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
#include "worker/poolevent.h"
#include "worker/seat.h"

#include <mproc/process.h>

G_BEGIN_DECLS

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

/* What has come of these, without having called anything else in between: whose end none of them tells of
 * is not looked at in the next call. */
void mproc_crew_note_waits (MprocCrew *self, const MprocOsWait *waits);

/* How many there are to look at. */
guint mproc_crew_get_size (MprocCrew *self);

gint64 mproc_crew_get_next_look (MprocCrew *self);

/* Ends all workers now and waits until they are gone (threads: tells them to end).  NULL is fine. */
void mproc_crew_free (MprocCrew *self);

G_END_DECLS

#endif
