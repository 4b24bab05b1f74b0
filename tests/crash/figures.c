/* SPDX-License-Identifier: MIT */
/* What is in use in the arena, from inside. */
#include "crash.h"

#include "arena/alloc.h"
#include "family/entrydata.h"
#include "family/slotdata.h"

#define N_COARSE 28

/* As the allocator has them: in granules of 64 bytes, powers of two and the steps halfway, and
 * eighths with 32 KiB for headers above 1 MiB. */
static guint64
size_of_class (guint c)
{
  if (c == 0)
    return 64;
  if (c < N_COARSE)
    return c & 1 ? (guint64) 64 << (c + 1) / 2 : (guint64) 96 << c / 2;
  c -= N_COARSE;
  return ((guint64) (8 + c % 8) << (17 + c / 8)) + (32 << 10);
}

/* The first word of a free block is the granule of the next one. */
static guint64
count_free (MprocAtomic64 *stack)
{
  guint32 granule = (guint32) (mproc_load64 (stack) & 0x3fffffff);
  guint64 n = 0;

  for (; granule != 0; n++)
    granule = mproc_load32 (mproc_arena_at ((MprocOffset) granule * 64, 4));
  return n;
}

static guint64
count_bytes (void)
{
  MprocAllocator *allocator = mproc_arena_get_allocator ();
  guint64 bytes = mproc_load64 (&allocator->bump);

  for (guint c = 0; c < MPROC_N_SIZE_CLASSES; c++)
    bytes -= (count_free (&allocator->stacks[c]) + count_free (&allocator->punched[c])) *
             size_of_class (c);
  return bytes;
}

CrashFigures
crash_count (void)
{
  CrashFigures figures = { .bytes = count_bytes () };

  for (guint i = 0; i < mproc_entry_count (); i++)
    if ((mproc_load32 (&mproc_entry_at (i)->word) & MPROC_ENTRY_STATE) !=
        MPROC_ENTRY_FREE)
      figures.n_entries++;
  for (guint i = 0; i < mproc_slot_count (); i++)
    if ((mproc_load32 (&mproc_slot_at (i)->word) & MPROC_SLOT_STATE) != MPROC_MEMBER_FREE)
      figures.n_slots++;
  return figures;
}

gboolean
crash_is_size_of_blocks (guint64 bytes, guint n)
{
  if (bytes == 0)
    return TRUE;
  for (guint c = 0; n > 0 && c < MPROC_N_SIZE_CLASSES && size_of_class (c) <= bytes; c++)
    if (crash_is_size_of_blocks (bytes - size_of_class (c), n - 1))
      return TRUE;
  return FALSE;
}

void
crash_sweep (void)
{
  for (guint i = 0; i < mproc_slot_count (); i++)
    {
      guint32 word = mproc_load32 (&mproc_slot_at (i)->word);

      if ((word & MPROC_SLOT_STATE) != MPROC_MEMBER_FREE)
        mproc_member_is_dead (i << 19 | (word >> 8) << 1);
    }
}

void
crash_check_figures (const CrashFigures *before, guint lost_blocks)
{
  CrashFigures after;

  crash_sweep ();
  after = crash_count ();
  ck_assert_uint_eq (after.n_slots, before->n_slots);
  ck_assert_uint_eq (after.n_entries, before->n_entries);
  ck_assert_msg (after.bytes >= before->bytes &&
                     crash_is_size_of_blocks (after.bytes - before->bytes, lost_blocks),
                 "%" G_GUINT64_FORMAT " bytes were in use, now %" G_GUINT64_FORMAT,
                 before->bytes, after.bytes);
}
