/* SPDX-License-Identifier: MIT */
/* The arena: one region of memory that every process of the family maps.
 *
 * It may lie at a different address in each process, so inside it there are offsets,
 * never pointers.  A large range is reserved at once; real pages are reserved before
 * use, up to one shared watermark, so that touching an allocated block never fails.
 * Blocks come from lock-free stacks, one for each size class, else from a bump pointer
 * that only grows. */
#ifndef MPROC_ARENA_H
#define MPROC_ARENA_H

#include "atomic.h"

#include <glib.h>

G_BEGIN_DECLS

/* From the arena's start, in bytes; 0 is nothing. */
typedef guint64 MprocOffset;

/* Offsets of what the upper floors keep in the arena, set once. */
typedef enum
{
  MPROC_ROOT_FAMILY,
  MPROC_ROOT_OBJECTS,
  MPROC_ROOT_PARKING,
  MPROC_N_ROOTS
} MprocRoot;

/* Raised whenever what lies in the arena changes its shape. */
#define MPROC_LAYOUT 6

/* Makes the arena if this process has none. */
gboolean mproc_arena_create (GError **error);

/* Maps the arena whose handle this process inherited; refuses one that is not of this
 * layout, or whose nonce differs. */
gboolean mproc_arena_adopt (gintptr handle, guint64 size, guint64 nonce, GError **error);

gboolean mproc_arena_exists (void);
gintptr mproc_arena_get_handle (void);
guint64 mproc_arena_get_size (void);
guint64 mproc_arena_get_nonce (void);
void mproc_arena_set_budget (guint64 bytes);
guint64 mproc_arena_get_budget (void);
guint64 mproc_arena_get_committed (void); /* with what was given back again */
guint64 mproc_arena_get_punched (void);   /* what was */
MprocAtomic64 *mproc_arena_root (MprocRoot which);

/* Set by a member that cannot take part in process barriers; then runners pay fences. */
MprocAtomic32 *mproc_arena_need_fences (void);

/* What lies at @offset.  Opens the pages up to the watermark where this process has not
 * touched them yet.  @offset and @size come from the arena itself and are trusted. */
gpointer mproc_arena_at (MprocOffset offset, gsize size);
MprocOffset mproc_arena_offset (gconstpointer pointer);

/* A block of at least @size bytes, aligned to 16; its contents are anything (alloc) or
 * zeros (alloc0).  0 with MPROC_ERROR_NO_MEMORY when the budget, the range or the
 * machine's memory is used up; nothing has changed then. */
MprocOffset mproc_arena_alloc (gsize size, GError **error);
MprocOffset mproc_arena_alloc0 (gsize size, GError **error);

/* How many bytes the block really has. */
gsize mproc_arena_block_size (MprocOffset block);

/* Large blocks give their pages back to the system.  The free ones of each size are kept for
 * their size; where nothing else is left, for one down to the half. */
void mproc_arena_free (MprocOffset block);

/* For a block that changes hands: several words may name it for an instant, so that it is
 * never named by none, and whoever finds one of them after a death frees it only if it
 * still has the owner that goes with the word.  Exactly one of them succeeds, since the
 * dead own nothing new.  @owner: a member, with the low bit for a stage on its way. */
void mproc_arena_own (MprocOffset block, guint32 owner);
gboolean mproc_arena_free_of (MprocOffset block, guint32 owner);

/* The first half of that: TRUE if it was so, and the block is the caller's to free.  The living
 * let go of their words between the two, since who is free is soon somebody else's. */
gboolean mproc_arena_disown (MprocOffset block, guint32 owner);

/* Another stage: FALSE if it was not so, and the block may be anybody's. */
gboolean mproc_arena_pass_on (MprocOffset block, guint32 owner, guint32 next);

G_END_DECLS

#endif
