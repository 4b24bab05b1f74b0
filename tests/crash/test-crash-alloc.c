/* SPDX-License-Identifier: MIT */
/* Deaths in the allocator. */
#include "crash.h"
#include "punch.h"

#include "arena/alloc.h"

#include <string.h>

#define LARGE ((gsize) 300 << 10)
#define HUGE_BLOCK ((gsize) 3 << 20)

/* Full of what says whose it is, so that overlaps show. */
static void
fill (MprocOffset block, gsize size, guint number)
{
  memset (mproc_arena_at (block, size), (gint) (number % 251 + 1), size);
}

static gboolean
is_filled (MprocOffset block, gsize size, guint number)
{
  const guint8 *bytes = mproc_arena_at (block, size);

  return bytes[0] == number % 251 + 1 && memcmp (bytes, bytes + 1, size - 1) == 0;
}

/* Noted as soon as it is there: whoever finds it frees it. */
static gboolean
allocate (CrashStage *stage, guint i, gsize size)
{
  MprocOffset block = mproc_arena_alloc (size, NULL);

  if (block == 0)
    return FALSE;
  fill (block, 64, i);
  mproc_store64 (&stage->blocks[i], block);
  return TRUE;
}

/* Of no interest to anybody before it is freed. */
static void
give_back (CrashStage *stage, guint i)
{
  MprocOffset block = mproc_load64 (&stage->blocks[i]);

  if (!is_filled (block, 64, i))
    mproc_add32 (&stage->n_torn, 1);
  mproc_store64 (&stage->blocks[i], 0);
  mproc_crash_order ();
  mproc_arena_free (block);
}

/* More than was ever free: the bump pointer and the watermark have to move.  In a rehearsal a
 * few only: what is free after it is not fresh for the next one. */
static GVariant *
use_fresh_memory (GVariant *args, GError **error)
{
  CrashPart part;

  if (!crash_begin (args, &part, error))
    return NULL;
  for (guint i = 0; i < (mproc_load32 (&part.stage->armed) ? CRASH_N_BLOCKS : 4); i++)
    if (!allocate (part.stage, i, LARGE))
      mproc_process_exit (9);
  return NULL;
}

/* Blocks of all sizes, so many large ones that some give their pages back. */
static GVariant *
use_and_free (GVariant *args, GError **error)
{
  const gsize sizes[] = { 50, 1000, 40000, HUGE_BLOCK };
  CrashPart part;

  if (!crash_begin (args, &part, error))
    return NULL;
  for (guint round = 0; round < 2; round++)
    {
      for (guint i = 0; i < 32; i++)
        if (!allocate (part.stage, i, sizes[i % 4]))
          mproc_process_exit (9);
      for (guint i = 0; i < 32; i++)
        give_back (part.stage, i);
    }
  return NULL;
}

static void
make_anything (CrashTrial *trial)
{
  trial->object = mproc_lock_new (NULL);
}

/* Everything works on, with what the dead one has left and with what is new. */
static void
expect_allocator (CrashTrial *trial)
{
  const gsize sizes[] = { 50, 1000, 40000, LARGE };
  MprocOffset blocks[3 * G_N_ELEMENTS (sizes)];
  guint n_wrong = 0;

  for (guint i = 0; i < G_N_ELEMENTS (blocks); i++)
    {
      blocks[i] = mproc_arena_alloc (sizes[i / 3], NULL);
      ck_assert (blocks[i] != 0);
      fill (blocks[i], sizes[i / 3], i + 100);
    }
  crash_has_gone_on (trial);
  for (guint i = 0; i < CRASH_N_BLOCKS; i++)
    if (mproc_load64 (&trial->stage->blocks[i]) != 0)
      give_back (trial->stage, i);
  for (guint i = 0; i < G_N_ELEMENTS (blocks); i++)
    {
      if (!is_filled (blocks[i], sizes[i / 3], i + 100))
        n_wrong++;
      mproc_arena_free (blocks[i]);
    }
  ck_assert_uint_eq (n_wrong, 0);
}

static const CrashScene of_fresh = {
  .set_up = make_anything,
  .doomed = use_fresh_memory,
  .check = expect_allocator,
};
static const CrashScene of_used = {
  .set_up = make_anything,
  .doomed = use_and_free,
  .check = expect_allocator,
};

#define AT(name) .at = MPROC_CRASH_##name
#define LOSES_BLOCK .lost_blocks = 1

static const CrashPlan plans[] = {
  { AT (ALLOC_POPPED), &of_used, 3, LOSES_BLOCK },
  { AT (ALLOC_RESERVED), &of_fresh, 2 },
  { AT (ALLOC_COMMITTED), &of_fresh, 2 },
  { AT (ALLOC_CARVED), &of_fresh, 2, LOSES_BLOCK },
  { AT (ALLOC_UNKEPT), &of_used, 2, LOSES_BLOCK },
  { AT (ALLOC_RECOMMITTED), &of_used, 2, LOSES_BLOCK, .is_here = mproc_test_can_punch },
  { AT (ALLOC_CLASSED), &of_used, 3, LOSES_BLOCK },
  { AT (FREE_DISOWNED), &of_used, 3, LOSES_BLOCK },
  { AT (FREE_MARKED), &of_used, 3, LOSES_BLOCK },
  { AT (FREE_LINKED), &of_used, 3, LOSES_BLOCK },
  { AT (PUNCH_DONE), &of_used, 2, LOSES_BLOCK, .is_here = mproc_test_can_punch },
  { AT (PUNCH_MARKED), &of_used, 2, LOSES_BLOCK, .is_here = mproc_test_can_punch },
};

CRASH_SUITE (crash_alloc, "crash-alloc", MPROC_CRASH_ALLOC_POINTS)
