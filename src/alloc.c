/* SPDX-License-Identifier: MIT */
/* Size classes are powers of two and the steps halfway between them, in granules of 64
 * bytes: 64, 128, 192, 256, 384, 512, 768, ...  Each has a stack of free blocks, linked
 * through the block headers.  A popper may read the link of a block that someone else
 * has popped meanwhile: the memory is always there, and the tag in the stack's head
 * makes its exchange fail.  Nothing is coalesced: address space is plenty.
 *
 * A process killed between two steps can only leak the one block in its hands. */
#include "alloc.h"

#include "os.h"

#include <string.h>

#define GRANULE 64
#define GRANULE_BITS 30
#define GRANULE_MASK ((G_GUINT64_CONSTANT (1) << GRANULE_BITS) - 1)

/* Blocks from this size on give their pages back when freed, once so many bytes of them
 * are free: a fresh page costs twenty times a used one. */
#define PUNCH_SIZE ((gsize) 32 << 10)
#define KEPT_SIZE ((guint64) 16 << 20)

typedef enum
{
  BLOCK_USED = 0x75736564,
  BLOCK_FREE = 0x66726565,
  BLOCK_PUNCHED = 0x68 /* free, and its whole pages have to be reserved again */
} BlockState;

/* Lies before the payload, outside of what is punched. */
typedef struct
{
  MprocAtomic32 next; /* granule of the next free block */
  MprocAtomic32 size_class;
  MprocAtomic32 state;
  guint32 unused;
} Block;

G_STATIC_ASSERT (sizeof (Block) == 16);

void
mproc_allocator_init (MprocAllocator *allocator, gsize head_size)
{
  mproc_store64 (&allocator->bump, (head_size + GRANULE - 1) / GRANULE * GRANULE);
}

static guint64
class_size (guint c)
{
  if (c == 0)
    return GRANULE;
  return c & 1 ? (guint64) 64 << (c + 1) / 2 : (guint64) 96 << c / 2;
}

static guint
find_class (gsize size)
{
  guint c = size > 4096 ? 11 : 0;

  while (class_size (c) < size)
    c++;
  return c;
}

static Block *
block_at (guint64 granule)
{
  return mproc_arena_at (granule * GRANULE, sizeof (Block));
}

static guint64
pop (MprocAtomic64 *stack)
{
  for (;;)
    {
      guint64 top = mproc_load64 (stack);
      guint64 granule = top & GRANULE_MASK;
      guint64 tag = top >> GRANULE_BITS;
      guint64 next;

      if (granule == 0)
        return 0;
      next = mproc_load32 (&block_at (granule)->next);
      if (!mproc_cas64 (stack, top, (tag + 1) << GRANULE_BITS | next))
        continue;
      MPROC_CRASH_POINT (ALLOC_POPPED);
      return granule;
    }
}

static void
push (MprocAtomic64 *stack, guint64 granule)
{
  guint64 top;

  do
    {
      top = mproc_load64 (stack);
      mproc_store32 (&block_at (granule)->next, (guint32) (top & GRANULE_MASK));
      MPROC_CRASH_POINT (FREE_LINKED);
    }
  while (!mproc_cas64 (stack, top,
                       ((top >> GRANULE_BITS) + 1) << GRANULE_BITS | granule));
}

/* Commit first, then move the pointer: a failure has changed nothing. */
static guint64
carve (MprocAtomic64 *bump, guint64 size, GError **error)
{
  for (;;)
    {
      guint64 start = mproc_load64 (bump);

      if (start / GRANULE > GRANULE_MASK)
        {
          g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_NO_MEMORY,
                               "the arena's address range is used up");
          return 0;
        }
      if (!mproc_arena_commit (start + size, error))
        return 0;
      MPROC_CRASH_POINT (ALLOC_COMMITTED);
      if (!mproc_cas64 (bump, start, start + size))
        continue;
      MPROC_CRASH_POINT (ALLOC_CARVED);
      return start / GRANULE;
    }
}

/* The whole pages inside a block's payload. */
static gboolean
find_pages (MprocOffset start, guint64 size, MprocOffset *from, gsize *length)
{
  guint64 page = mproc_os_page_size ();
  guint64 first = (start + sizeof (Block) + page - 1) / page * page;
  guint64 end = (start + size) / page * page;

  *from = first;
  *length = first < end ? (gsize) (end - first) : 0;
  return *length > 0;
}

static gboolean
make_ready (Block *block, guint64 granule, guint c, GError **error)
{
  MprocOffset from;
  gsize length;

  if (mproc_load32 (&block->state) == BLOCK_FREE && class_size (c) >= PUNCH_SIZE)
    {
      atomic_fetch_sub (&mproc_arena_get_allocator ()->kept, class_size (c));
      MPROC_CRASH_POINT (ALLOC_UNKEPT);
    }
  if (mproc_load32 (&block->state) == BLOCK_PUNCHED &&
      find_pages (granule * GRANULE, class_size (c), &from, &length))
    {
      if (!mproc_arena_recommit (from, length, error))
        return FALSE;
      MPROC_CRASH_POINT (ALLOC_RECOMMITTED);
    }
  mproc_store32 (&block->size_class, c);
  MPROC_CRASH_POINT (ALLOC_CLASSED);
  mproc_store32 (&block->state, BLOCK_USED);
  return TRUE;
}

MprocOffset
mproc_arena_alloc (gsize size, GError **error)
{
  MprocAllocator *self = mproc_arena_get_allocator ();
  guint64 granule;
  Block *block;
  guint c;

  if (size > mproc_arena_get_size () - sizeof (Block))
    {
      g_set_error (error, MPROC_ERROR, MPROC_ERROR_NO_MEMORY,
                   "%" G_GSIZE_FORMAT " bytes are more than the whole arena has", size);
      return 0;
    }
  c = find_class (size + sizeof (Block));
  granule = pop (&self->stacks[c]);
  if (granule == 0)
    granule = carve (&self->bump, class_size (c), error);
  if (granule == 0)
    return 0;
  block = block_at (granule);
  if (!make_ready (block, granule, c, error))
    {
      push (&self->stacks[c], granule);
      return 0;
    }
  return granule * GRANULE + sizeof (Block);
}

MprocOffset
mproc_arena_alloc0 (gsize size, GError **error)
{
  MprocOffset block = mproc_arena_alloc (size, error);

  if (block != 0)
    memset (mproc_arena_at (block, size), 0, size);
  return block;
}

static Block *
block_of (MprocOffset payload)
{
  return mproc_arena_at (payload - sizeof (Block), sizeof (Block));
}

gsize
mproc_arena_block_size (MprocOffset block)
{
  return (gsize) class_size (mproc_load32 (&block_of (block)->size_class)) -
         sizeof (Block);
}

/* What is kept is counted for this choice alone: a process killed in between makes it a
 * little wrong, and nothing else. */
static BlockState
give_back_pages (MprocAllocator *self, guint64 start, guint64 size)
{
  MprocOffset from;
  gsize length;

  if (size < PUNCH_SIZE)
    return BLOCK_FREE;
  if (atomic_fetch_add (&self->kept, size) + size <=
      MIN (KEPT_SIZE, mproc_arena_get_budget () / 8))
    return BLOCK_FREE;
  if (!find_pages (start, size, &from, &length) || !mproc_arena_punch (from, length))
    return BLOCK_FREE;
  atomic_fetch_sub (&self->kept, size);
  MPROC_CRASH_POINT (FREE_PUNCHED);
  return BLOCK_PUNCHED;
}

void
mproc_arena_free (MprocOffset payload)
{
  MprocAllocator *self = mproc_arena_get_allocator ();
  Block *block = block_of (payload);
  guint64 start = payload - sizeof (Block);
  guint c = mproc_load32 (&block->size_class);

  g_return_if_fail (mproc_load32 (&block->state) == BLOCK_USED);
  mproc_store32 (&block->state, give_back_pages (self, start, class_size (c)));
  MPROC_CRASH_POINT (FREE_MARKED);
  push (&self->stacks[c], start / GRANULE);
}
