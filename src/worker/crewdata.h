/* SPDX-License-Identifier: MIT */
/* What a crew consists of, and what its files call of each other: crew.c is its life, crewstart.c starts
 * workers, crewreap.c notices their ends, crewsize.c decides how many there are to be. */
#ifndef MPROC_CREW_DATA_H
#define MPROC_CREW_DATA_H

#include "worker/crew.h"
#include "worker/spare.h"

G_BEGIN_DECLS

typedef struct
{
  MprocProcess *process;
  MprocOffset seat; /* the pool's */
  guint place;
  gint64 started;
  guint32 taken;      /* of the task queue's records, at its start */
  gint64 left;        /* when it was seen to have left; 0: not yet */
  gboolean is_listed; /* among what is waited for */
  gboolean is_quiet;  /* it was, and the wait has not told of its end */
} MprocCrewWorker;

struct MprocCrew
{
  MprocCrewPlan plan;
  GArray *workers; /* of MprocCrewWorker */
  GArray *lost; /* the same: condemned, and nobody can kill them; others do their work */
  GArray *ending; /* the same: their ends are told, and the system takes them down */
  MprocSpare spare;
  GByteArray *places; /* whether each is taken */
  guint n_started;
  gint64 not_before; /* the next start */
  gint64 pause;
  gboolean is_short;  /* of workers that can be started at once */
  guint n_unready;    /* ended in a row before they were ready */
  gint32 unready_end; /* the last one's exit code */
};

static inline MprocPoolControl *
mproc_crew_get_control (MprocCrew *self)
{
  return mproc_control_at (self->plan.control);
}

static inline guint32
mproc_crew_worker_get_phase (const MprocCrewWorker *worker)
{
  return mproc_load32 (&mproc_seat_at (worker->seat)->phase);
}

/* FALSE: not now.  The caller may be the one who makes room, and comes again. */
gboolean mproc_crew_post (MprocCrew *self, const MprocPoolEvent *event);

/* The same with an event of that kind, and the error's text (NULL: none). */
gboolean
mproc_crew_report (MprocCrew *self, MprocPoolEventKind kind, const GError *error);

/* Those who ask for their number see it. */
void mproc_crew_tell_live (MprocCrew *self);

/* Some more, while there are fewer than @n.  FALSE with error: no more can be started now. */
gboolean mproc_crew_start_some (MprocCrew *self, guint n, GError **error);

/* The place of a worker that is gone. */
void mproc_crew_give_place_back (MprocCrew *self, guint place);

/* Until the next start: longer each time, where the last worker was of no use. */
void mproc_crew_take_break (MprocCrew *self, gboolean was_short);

/* Those whose task has been taken from them. */
void mproc_crew_kill_condemned (MprocCrew *self);

/* Takes those that have ended, and have been reported, out of the lists. */
void mproc_crew_reap (MprocCrew *self);

/* Tells as many as there are too many to leave. */
void mproc_crew_shrink (MprocCrew *self);

/* Starts some that are missing.  FALSE: none can be started, and that has been told. */
gboolean mproc_crew_replace (MprocCrew *self);

G_END_DECLS

#endif
