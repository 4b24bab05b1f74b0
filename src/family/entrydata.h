/* SPDX-License-Identifier: MIT */
/* An entry of the object table, for entry.c, which is its life, and holders.c, which counts its
 * references. */
#ifndef MPROC_ENTRY_DATA_H
#define MPROC_ENTRY_DATA_H

#include "family/entry.h"

G_BEGIN_DECLS

#define MPROC_ENTRY_GENERATION_BITS 14
#define MPROC_ENTRY_GENERATION ((1u << MPROC_ENTRY_GENERATION_BITS) - 1)
#define MPROC_ENTRY_STATE 0xffu /* the part of the word that is the state */
#define MPROC_N_INLINE_HOLDERS 4

enum
{
  MPROC_ENTRY_FREE,
  MPROC_ENTRY_MAKING,
  MPROC_ENTRY_LIVE,
  MPROC_ENTRY_DESTROYING
};

typedef struct
{
  MprocAtomic32 word; /* generation << 8 | state */
  MprocAtomic32 kind;
  MprocAtomic64 body;
  MprocAtomic32 in_flight; /* messages that carry the handle */
  MprocAtomic32 moves;     /* raised when another holder or message has come in */
  MprocAtomic64 holders[MPROC_N_INLINE_HOLDERS]; /* one bit for each member, by slot */
  MprocAtomic64 more; /* offset of the bits of the slots above, made when needed; stays
                                      with the entry, since anybody may be looking at it */
} MprocEntry;

G_STATIC_ASSERT (sizeof (MprocEntry) == 64);

/* How many have ever been used. */
guint mproc_entry_count (void);

/* One of those. */
MprocEntry *mproc_entry_at (guint index);

/* NULL for a handle that cannot be. */
MprocEntry *mproc_entry_of (MprocHandle handle);

static inline guint32
mproc_handle_generation (MprocHandle handle)
{
  return (guint32) handle & MPROC_ENTRY_GENERATION;
}

static inline guint32
mproc_entry_word (MprocHandle handle, guint32 state)
{
  return mproc_handle_generation (handle) << 8 | state;
}

G_END_DECLS

#endif
