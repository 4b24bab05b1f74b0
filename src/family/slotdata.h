/* SPDX-License-Identifier: MIT */
/* A slot of the process table, for slot.c, which is its life, and death.c, which is its end. */
#ifndef MPROC_SLOT_DATA_H
#define MPROC_SLOT_DATA_H

#include "family/slot.h"

G_BEGIN_DECLS

#define MPROC_SLOT_STATE 0xffu /* the part of the word that is the state */

typedef struct
{
  MprocAtomic32 word;    /* generation << 8 | state */
  MprocAtomic32 starter; /* 0: nobody */
  MprocAtomic32 sweeper; /* who sweeps it, 0: nobody */
  MprocAtomic32 has_threads;
  MprocAtomic64 pid;
  MprocAtomic64 start_time;
  MprocAtomic64 space;
  MprocAtomic64 exit; /* generation << 32 | exit code; stays until the slot is reused */
  MprocAtomic64 intent;
  MprocAtomic64 borrowed; /* the first segment of cells, see borrow.c */
  guint64 unused[8];
} MprocSlot;

G_STATIC_ASSERT (sizeof (MprocSlot) == 128);

/* One of those. */
MprocSlot *mproc_slot_at (guint index);

/* NULL for a member that cannot be. */
MprocSlot *mproc_slot_of (MprocMember member);

static inline guint32
mproc_slot_word (guint32 generation, MprocMemberState state)
{
  return generation << 8 | (guint32) state;
}

static inline gboolean
mproc_slot_is_of (guint32 word, MprocMember member)
{
  return word >> 8 == MPROC_MEMBER_GENERATION (member);
}

G_END_DECLS

#endif
