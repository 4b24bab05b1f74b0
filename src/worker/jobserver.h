/* SPDX-License-Identifier: MIT */
/* GNU make's jobserver: a pool that runs in one of make's jobs runs no more tasks at a time than make
 * has slots free.
 *
 * The job itself has a slot, which one worker at a time may use; each other one takes a token from make
 * before its task and gives it back after it.  What a worker holds is noted in its seat, so that the
 * pool can give it back for one that has died.  Killed in the few instructions between the taking and
 * the note, or between the note's end and the giving back, a worker takes the token with it: make then
 * runs one job less, never one more. */
#ifndef MPROC_JOBSERVER_H
#define MPROC_JOBSERVER_H

#include "worker/seat.h"

G_BEGIN_DECLS

/* What a seat's slot says. */
#define MPROC_SLOT_NONE 0u
#define MPROC_SLOT_OWN 1u   /* the job's own */
#define MPROC_SLOT_TOKEN 2u /* and the token in the byte above */

/* Where the jobserver of the calling process is, g_free; NULL: it runs in none of make's jobs, or was
 * not let in. */
char *mproc_jobserver_find (void);

/* By a worker, before its task: waits for a slot.  FALSE, without one, once @is_over. */
gboolean mproc_jobserver_take (gintptr jobserver,
                               MprocSeat *seat,
                               gboolean (*is_over) (gpointer),
                               gpointer data);

/* After it; or by the pool, when the worker is dead. */
void mproc_jobserver_give (gintptr jobserver, MprocSeat *seat);

G_END_DECLS

#endif
