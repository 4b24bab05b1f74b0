/* SPDX-License-Identifier: MIT */
/* A worker's seat: a block in the arena where the others see what it does, and can ask it to stop.
 *
 * The crew makes it before the worker is started and says so in an event; the pool's thread frees it
 * when the worker's end has been told.  The worker writes it; the pool, which shows counters, enforces
 * limits and cancels, reads it, and writes what it wants of the worker; the crew kills the worker whose
 * seat says so. */
#ifndef MPROC_SEAT_H
#define MPROC_SEAT_H

#include "worker/taskword.h"

G_BEGIN_DECLS

typedef enum
{
  MPROC_SEAT_STARTING,
  MPROC_SEAT_WORKING, /* it takes tasks */
  MPROC_SEAT_LEAVING, /* it takes no more, and ends */
  MPROC_SEAT_LEFT     /* it has done all that a worker does, and only its process ends */
} MprocSeatPhase;

/* Times are g_get_monotonic_time(), durations microseconds. */
typedef struct
{
  MprocAtomic32 member; /* 0: not there yet */
  MprocAtomic32 phase;
  guint32 number; /* among the crew's workers, 1 the first */
  guint32
      place; /* 0 to as many as there may be; a replacement's is that of one that is gone */

  MprocOffset control; /* the pool's */
  MprocAtomic32 slot;  /* of GNU make's, that it holds; see jobserver.h */

  /* What it runs.  The word's offset is written last, and taken away first: who finds it, and the
   * member in the word itself, knows what the rest belongs to. */
  MprocAtomic64 word;    /* where the task's word is; 0: it runs nothing */
  MprocAtomic64 running; /* serial << 32 | item */
  MprocAtomic64 started;
  MprocAtomic64 soft; /* when it should have stopped; 0: whenever */
  MprocAtomic64 hard; /* when it is killed; 0: never */

  MprocAtomic64 stop; /* 1 + running, of a task that is asked to end; by the pool */
  MprocAtomic64
      kill; /* the same, of one that has been condemned: this worker is to be killed, and
                         takes no other */

  /* Counters, since the start. */
  MprocAtomic64 born;
  MprocAtomic64 ready; /* the initializer is done; 0: not yet */
  MprocAtomic64 n_tasks;
  MprocAtomic64 busy;
  MprocAtomic64 longest;

  MprocAtomic64 output;      /* 1 + the file that captured output goes to; 0: none yet */
  MprocAtomic32 output_seen; /* 1: the pool has it open, or cannot */
  guint32 unused_too;
  MprocAtomic64 batch; /* the one it is in, which therefore is not freed; 0: none */
} MprocSeat;

typedef struct
{
  gint64 soft; /* 0: none */
  gint64 hard;
} MprocTaskLimits;

/* 0 with error. */
MprocOffset mproc_seat_new (guint number, GError **error);

static inline MprocSeat *
mproc_seat_at (MprocOffset offset)
{
  return mproc_arena_at (offset, sizeof (MprocSeat));
}

static inline guint64
mproc_seat_name (guint32 serial, guint32 item)
{
  return (guint64) serial << 32 | item;
}

/* By the worker: it runs what has that word from now on, which it has claimed.  Returns now. */
gint64 mproc_seat_begin (MprocSeat *self,
                         MprocOffset word,
                         guint64 name,
                         const MprocTaskLimits *limits);

/* By the worker: no more.  Returns now. */
gint64 mproc_seat_end (MprocSeat *self);

/* By the worker: whether what it runs is asked to end; *cancelled: by the pool, else its time is up. */
gboolean mproc_seat_should_stop (MprocSeat *self, gboolean *cancelled);

G_END_DECLS

#endif
