/* SPDX-License-Identifier: MIT */
/* A pool's control block in the arena: what the pool wants of its crew, and the crew of its workers.
 *
 * All of it are hints that are looked at again: a party that dies after writing one leaves nothing
 * undone that the next look of another does not find. */
#ifndef MPROC_CONTROL_H
#define MPROC_CONTROL_H

#include "arena/arena.h"

G_BEGIN_DECLS

typedef struct
{
  MprocAtomic32 wanted; /* workers; by the pool */
  MprocAtomic32 live;   /* those that the crew has started and that have not ended */
  MprocAtomic32
      leave; /* so many are to leave: raised by the crew, a worker that leaves takes one */
  MprocAtomic32
      hungry; /* 1: the crew would start a worker for another task; whoever hands over one
                           clears it, and wakes the crew */
  MprocAtomic64
      urgent; /* 1 << 32 | the last record of the task queue with a priority above a map's; 0: it has
                 been taken for sure; by the pool */
  MprocAtomic32
      own_slot; /* the worker that uses the pool's own slot of make's; see jobserver.h */

  MprocAtomic32 spare;   /* the process that waits to be a worker, 0: none; see spare.h */
  MprocAtomic32 called;  /* the one that is to wait no longer */
  MprocAtomic32 leaving; /* 1: it has been told, and not heard, that a worker leaves */
  MprocAtomic64 called_seat; /* and where it is to sit */
} MprocPoolControl;

static inline MprocPoolControl *
mproc_control_at (MprocOffset offset)
{
  return mproc_arena_at (offset, sizeof (MprocPoolControl));
}

G_END_DECLS

#endif
