/* SPDX-License-Identifier: MIT */
/* The spare: a process that a nursery has forked ahead, where a fork takes long.
 *
 * A fork copies the page tables of all that the program had touched when the pool was made, and that
 * costs some ten milliseconds for each GiB.  So the crew of a pool where it does keeps one process that
 * waits; a worker that is missing is then there at once, and the next spare is forked behind its back.
 *
 * A spare is no worker.  It has no seat, so that nobody counts, limits or kills it as one, and it runs
 * nothing of the program's: setup and initializer come when it has been called.  It is told its seat
 * in the pool's control block: first the seat, then the call.  If it dies before it is called, another
 * one is forked; if it dies after that, a worker has died. */
#ifndef MPROC_SPARE_H
#define MPROC_SPARE_H

#include "worker/crew.h"

G_BEGIN_DECLS

typedef struct
{
  const MprocCrewPlan *plan; /* the crew's */
  MprocProcess *process;     /* NULL: there is none */
  gint64 fork_time;          /* the shortest that the crew has seen; processor time */
  gint64 not_before;         /* the next fork */
} MprocSpare;

/* From what time of a fork on it pays, in microseconds; tests lower it. */
extern gint64 mproc_spare_pays_from;

void mproc_spare_init (MprocSpare *self, const MprocCrewPlan *plan);

/* A worker has been started without a spare, and that has taken so long. */
void mproc_spare_note_start (MprocSpare *self, gint64 took);

/* The spare becomes the worker of that seat: a full reference.  NULL: there is no spare. */
MprocProcess *mproc_spare_call (MprocSpare *self, MprocOffset seat);

/* Forks one if it is time for that; notices that one has died. */
void mproc_spare_tend (MprocSpare *self);

/* When it wants to be looked after; MPROC_OS_NEVER: not before something happens. */
gint64 mproc_spare_get_next_look (const MprocSpare *self);

/* Appends MprocOsWait. */
void mproc_spare_list_waits (MprocSpare *self, GArray *waits);

/* Ends the one that waits, and waits until it is gone. */
void mproc_spare_end (MprocSpare *self);

G_END_DECLS

#endif
