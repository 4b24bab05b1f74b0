/* SPDX-License-Identifier: MIT */
/* The allocator's words in the arena's head, and what it needs of the arena. */
#ifndef MPROC_ALLOC_H
#define MPROC_ALLOC_H

#include "arena/arena.h"

G_BEGIN_DECLS

#define MPROC_N_SIZE_CLASSES 157
#define MPROC_LARGEST_BLOCK (G_GUINT64_CONSTANT (64) << 30) /* its header included */

typedef struct
{
  _Alignas(128) MprocAtomic64 bump; /* where the next new block starts, in bytes */
  MprocAtomic64 kept; /* bytes of large free blocks whose pages were not given back */
  /* Free blocks of each class: 30 bits of the first one's granule, 34 bits of tag.  Those
   * whose pages were given back lie apart, for when there is no other. */
  _Alignas(128) MprocAtomic64 stacks[MPROC_N_SIZE_CLASSES];
  MprocAtomic64 punched[MPROC_N_SIZE_CLASSES];
} MprocAllocator;

/* Blocks start behind the arena's head, which is @head_size bytes. */
void mproc_allocator_init (MprocAllocator *allocator, gsize head_size);

MprocAllocator *mproc_arena_get_allocator (void);

/* Commits everything below @end. */
gboolean mproc_arena_commit (guint64 end, GError **error);

/* Pages inside a block: given back to the system, and reserved again. */
gboolean mproc_arena_punch (MprocOffset from, gsize size);
gboolean mproc_arena_recommit (MprocOffset from, gsize size, GError **error);

G_END_DECLS

#endif
