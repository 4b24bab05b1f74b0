/* SPDX-License-Identifier: MIT */
/* The rounds of a barrier, each a generation.  There is no lock: the state is one word, its
 * generation and what the generation is at, and there is an entry for each party:
 *
 *   last used in generation t               t, 0
 *   taken in generation t by a member       t, member
 *   the same, and told that t has passed    t, member | 1
 *
 * To arrive is one compare-and-swap of an entry; to break, or to move on to the next generation, is
 * one of the state.  An entry is taken only from a use in an earlier generation, so once in each at
 * most: so the last one to come sees that all are taken in this one, and a compare-and-swap that comes
 * late, of one that was stopped before it, cannot pass for an arrival of long ago.
 *
 * A waiter gives its entry back itself, when it has seen how its generation has ended: from the
 * state, which tells that of the last one, or from the entry, where whoever ends a generation notes
 * before that the one before it has passed.  So one that was stopped for a thousand generations
 * still learns how its own ended.
 *
 * Model: tests/models/barrier.pml */
#ifndef MPROC_ROUNDS_H
#define MPROC_ROUNDS_H

#include "family/watch.h"

G_BEGIN_DECLS

/* A count of rings, above one bit: somebody listens. */
typedef struct
{
  MprocAtomic32 word;
} MprocBell;

/* In the arena, zeros, and MPROC_ROUNDS_SIZE bytes for the entries behind it. */
typedef struct
{
  MprocAtomic64 state;
  MprocBell end;   /* of the generation, for those inside */
  MprocBell place; /* there may be one, for those who are not */
  MprocWatch watch;
  guint32 parties;
  guint32 unused;
} MprocRounds;

#define MPROC_ROUNDS_SIZE(parties) ((gsize) (parties) * sizeof (MprocAtomic64))

/* One who has arrived. */
typedef struct
{
  MprocRounds *rounds;
  guint64 generation;
  MprocAtomic64 *entry;
  guint index; /* the entry's, counted from the generation's first */
} MprocArrival;

void mproc_rounds_init (MprocRounds *self, guint parties);

/* Waits, while an action runs or those of the round before have not left yet.  FALSE: broken, also
 * by the caller, whose time is up. */
gboolean mproc_rounds_arrive (MprocRounds *self, MprocArrival *arrival, gint64 deadline);

/* After that.  TRUE for one of those of a round, when all have come: it says when they may go on,
 * or that they may not. */
gboolean mproc_rounds_is_mine_to_finish (MprocArrival *arrival);
void mproc_rounds_finish (MprocArrival *arrival, gboolean passed);

/* After that, always: waits for the end, and leaves.  Whether all came. */
gboolean mproc_rounds_wait (MprocArrival *arrival, gint64 deadline);

void mproc_rounds_abort (MprocRounds *self);
void mproc_rounds_reset (MprocRounds *self);
gboolean mproc_rounds_is_broken (MprocRounds *self);
guint mproc_rounds_count_inside (MprocRounds *self);

G_END_DECLS

#endif
