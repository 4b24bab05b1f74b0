/* SPDX-License-Identifier: MIT */
/* Size classes are powers of two and the steps halfway between them, in granules of 64
 * bytes: 64, 128, 192, 256, 384, 512, 768, ... up to 1 MiB, and from there on eight steps
 * for each doubling, since a third of a large block is too much to waste.  Each has a
 * stack of free blocks, linked through the block headers.  A popper may read the link of
 * a block that someone else has popped meanwhile: the memory is always there, and the tag
 * in the stack's head makes its exchange fail.  Nothing is coalesced: address space is
 * plenty.
 *
 * A process killed between two steps can only leak the one block in its hands. */
#include "arena/alloc.h"

#include "os.h"

#include <string.h>

#define GRANULE 64
#define GRANULE_BITS 30
#define GRANULE_MASK ((G_GUINT64_CONSTANT (1) << GRANULE_BITS) - 1)

/* The classes with two steps for each doubling; the last of them is 1 MiB.  Those above
 * have some more than the round size, since it is round sizes that people ask for: it is
 * there for the headers of the block and of what lies in it, and to begin at a page. */
#define N_COARSE 28
#define FINE_STEPS 8
#define FINE_BITS 17 /* of the first fine step */
#define HEADERS ((guint64) 32 << 10)

G_STATIC_ASSERT (G_GUINT64_CONSTANT (8)
                     << (FINE_BITS +
                         (MPROC_N_SIZE_CLASSES - 1 - N_COARSE) / FINE_STEPS) >=
                 MPROC_LARGEST_BLOCK);

/* Blocks of these classes give their pages back, once so many bytes of them are free: a
 * fresh page costs twenty times a used one. */
#define PUNCH_SIZE ((gsize) 32 << 10)
#define PUNCH_CLASS 17
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
  MprocAtomic32 owner; /* see mproc_arena_own */
} Block;

G_STATIC_ASSERT (sizeof (Block) == 16);
G_STATIC_ASSERT (PUNCH_SIZE == (gsize) 64 << (PUNCH_CLASS + 1) / 2);

void
mproc_allocator_init (MprocAllocator *allocator, gsize head_size)
{
  mproc_store64 (&allocator->bump, (head_size + GRANULE - 1) / GRANULE * GRANULE);
}

static guint64
coarse_size (guint c)
{
  if (c == 0)
    return GRANULE;
  return c & 1 ? (guint64) 64 << (c + 1) / 2 : (guint64) 96 << c / 2;
}

static guint64
fine_size (guint step)
{
  return ((guint64) (FINE_STEPS + step % FINE_STEPS) << (FINE_BITS + step / FINE_STEPS)) +
         HEADERS;
}

static guint64
class_size (guint c)
{
  return c < N_COARSE ? coarse_size (c) : fine_size (c - N_COARSE);
}

/* The caller has made sure that there is one. */
static guint
find_class (guint64 size)
{
  guint c = size > 4096 ? 11 : 0;

  if (size > coarse_size (N_COARSE - 1))
    for (c = N_COARSE; class_size (c + FINE_STEPS - 1) < size;)
      c += FINE_STEPS;
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
                               "shared memory is used up: its address space is given "
                               "away, all of it; free "
                               "objects that are not needed");
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

/* What of a block's payload is known to be zeros. */
typedef struct
{
  MprocOffset from;
  gsize length;
} Zeros;

/* A new block has never been written to, its state is 0.  The pages of a punched one are new
 * again. */
static gboolean
make_ready (Block *block, guint64 granule, guint c, Zeros *zeros, GError **error)
{
  MprocOffset start = granule * GRANULE;
  guint32 state = mproc_load32 (&block->state);

  *zeros = (Zeros){ 0, 0 };
  if (state == BLOCK_FREE && c >= PUNCH_CLASS)
    {
      atomic_fetch_sub (&mproc_arena_get_allocator ()->kept, class_size (c));
      MPROC_CRASH_POINT (ALLOC_UNKEPT);
    }
  else if (state == 0)
    *zeros = (Zeros){ start + sizeof (Block), (gsize) class_size (c) - sizeof (Block) };
  else if (state == BLOCK_PUNCHED &&
           find_pages (start, class_size (c), &zeros->from, &zeros->length))
    {
      if (!mproc_arena_recommit (zeros->from, zeros->length, error))
        return FALSE;
      MPROC_CRASH_POINT (ALLOC_RECOMMITTED);
    }
  mproc_store32 (&block->size_class, c);
  MPROC_CRASH_POINT (ALLOC_CLASSED);
  mproc_store32 (&block->state, BLOCK_USED);
  return TRUE;
}

static MprocOffset
hand_out (MprocAllocator *self, guint64 granule, guint c, Zeros *zeros, GError **error)
{
  if (make_ready (block_at (granule), granule, c, zeros, error))
    return granule * GRANULE + sizeof (Block);
  push (&self->punched[c], granule); /* only those can fail */
  return 0;
}

/* One that has its pages still, if there is one. */
static guint64
pop_free (MprocAllocator *self, guint c)
{
  guint64 granule = pop (&self->stacks[c]);

  return granule != 0 ? granule : pop (&self->punched[c]);
}

static MprocOffset
take (MprocAllocator *self, guint c, Zeros *zeros, GError **error)
{
  guint64 granule = pop_free (self, c);

  if (granule == 0)
    granule = carve (&self->bump, class_size (c), error);
  return granule != 0 ? hand_out (self, granule, c, zeros, error) : 0;
}

/* Where there is nothing else: a free block of up to twice the size, which may still have
 * its pages. */
static MprocOffset
take_larger (MprocAllocator *self, guint c, guint64 size, Zeros *zeros)
{
  MprocOffset block = 0;

  while (block == 0 && ++c < MPROC_N_SIZE_CLASSES && class_size (c) <= 2 * size)
    {
      guint64 granule = pop_free (self, c);

      if (granule != 0)
        block = hand_out (self, granule, c, zeros, NULL);
    }
  return block;
}

static MprocOffset
allocate (gsize payload, Zeros *zeros, GError **error)
{
  MprocAllocator *self = mproc_arena_get_allocator ();
  guint64 size = (guint64) payload + sizeof (Block);
  GError *why = NULL;
  MprocOffset block;
  guint c;

  if (payload > mproc_arena_get_size () - sizeof (Block))
    {
      g_set_error (
          error, MPROC_ERROR, MPROC_ERROR_NO_MEMORY,
          "%" G_GSIZE_FORMAT
          " bytes are more than shared memory has address space for; make smaller "
          "objects",
          payload);
      return 0;
    }
  c = find_class (size);
  block = take (self, c, zeros, &why);
  if (block == 0)
    block = take_larger (self, c, size, zeros);
  if (block == 0)
    g_propagate_error (error, why);
  else
    g_clear_error (&why);
  return block;
}

MprocOffset
mproc_arena_alloc (gsize size, GError **error)
{
  Zeros zeros;

  return allocate (size, &zeros, error);
}

static void
clear (MprocOffset from, MprocOffset to)
{
  if (from < to)
    memset (mproc_arena_at (from, (gsize) (to - from)), 0, (gsize) (to - from));
}

/* To write zeros over zeros would touch pages that the caller will not use yet. */
MprocOffset
mproc_arena_alloc0 (gsize size, GError **error)
{
  Zeros zeros;
  MprocOffset block = allocate (size, &zeros, error);
  MprocOffset end = block + size;

  if (block == 0)
    return 0;
  if (zeros.length == 0)
    clear (block, end);
  else
    {
      clear (block, MIN (zeros.from, end));
      clear (zeros.from + zeros.length, end);
    }
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

/* Gives back the pages of one free block of a class.  FALSE: there is none, or the system
 * takes none. */
static gboolean
punch_one (MprocAllocator *self, guint c)
{
  guint64 granule = pop (&self->stacks[c]);
  MprocOffset from;
  gsize length;

  if (granule == 0)
    return FALSE;
  if (!find_pages (granule * GRANULE, class_size (c), &from, &length) ||
      !mproc_arena_punch (from, length))
    {
      push (&self->stacks[c], granule);
      return FALSE;
    }
  MPROC_CRASH_POINT (PUNCH_DONE);
  mproc_store32 (&block_at (granule)->state, BLOCK_PUNCHED);
  MPROC_CRASH_POINT (PUNCH_MARKED);
  atomic_fetch_sub (&self->kept, class_size (c));
  push (&self->punched[c], granule);
  return TRUE;
}

/* If too much is free: what is kept is counted for this alone, and a process that is killed
 * in between makes it a little wrong, and nothing else.  Other classes give back theirs
 * rather than class @c, which is in use: they may lie idle from an earlier day. */
static void
give_back_pages (MprocAllocator *self, guint c)
{
  guint64 most = MIN (KEPT_SIZE, mproc_arena_get_budget () / 8);

  for (guint i = 1; i <= MPROC_N_SIZE_CLASSES; i++)
    {
      guint other = (c + i) % MPROC_N_SIZE_CLASSES;

      while (other >= PUNCH_CLASS && mproc_load64 (&self->kept) > most &&
             punch_one (self, other))
        ;
    }
}

void
mproc_arena_free (MprocOffset payload)
{
  MprocAllocator *self = mproc_arena_get_allocator ();
  Block *block = block_of (payload);
  guint64 start = payload - sizeof (Block);
  guint c = mproc_load32 (&block->size_class);

  g_return_if_fail (mproc_load32 (&block->state) == BLOCK_USED);
  mproc_store32 (&block->owner, 0);
  MPROC_CRASH_POINT (FREE_DISOWNED);
  mproc_store32 (&block->state, BLOCK_FREE);
  if (c >= PUNCH_CLASS)
    atomic_fetch_add (&self->kept, class_size (c));
  MPROC_CRASH_POINT (FREE_MARKED);
  push (&self->stacks[c], start / GRANULE);
  if (c >= PUNCH_CLASS)
    give_back_pages (self, c);
}

void
mproc_arena_own (MprocOffset payload, guint32 owner)
{
  mproc_store32 (&block_of (payload)->owner, owner);
  mproc_crash_order ();
}

gboolean
mproc_arena_pass_on (MprocOffset payload, guint32 owner, guint32 next)
{
  return mproc_cas32 (&block_of (payload)->owner, owner, next);
}

gboolean
mproc_arena_disown (MprocOffset payload, guint32 owner)
{
  return mproc_arena_pass_on (payload, owner, 0);
}

gboolean
mproc_arena_free_of (MprocOffset payload, guint32 owner)
{
  if (!mproc_arena_disown (payload, owner))
    return FALSE;
  mproc_arena_free (payload);
  return TRUE;
}
