/* SPDX-License-Identifier: MIT */
/* The allocator and its limits. */
#include "processes.h"
#include "punch.h"

#include "arena/alloc.h"

#include <string.h>

/* Check writes a line for each assertion: one for all the bytes. */
static gboolean
is_filled (const guint8 *bytes, gsize size, guint8 with)
{
  for (gsize i = 0; i < size; i++)
    if (bytes[i] != with)
      return FALSE;
  return TRUE;
}

START_TEST (blocks_do_not_overlap)
{
  enum
  {
    N = 500
  };
  MprocOffset blocks[N];
  gsize sizes[N];

  for (guint round = 0; round < 3; round++)
    {
      for (guint i = 0; i < N; i++)
        {
          sizes[i] = 1 + i * i % 9000;
          blocks[i] = mproc_arena_alloc (sizes[i], NULL);
          ck_assert (blocks[i] != 0 && blocks[i] % 16 == 0);
          ck_assert (mproc_arena_block_size (blocks[i]) >= sizes[i]);
          memset (mproc_arena_at (blocks[i], sizes[i]), (int) i, sizes[i]);
        }
      for (guint i = 0; i < N; i++)
        {
          const guint8 *bytes = mproc_arena_at (blocks[i], sizes[i]);

          ck_assert (is_filled (bytes, sizes[i], (guint8) i));
        }
      for (guint i = 0; i < N; i++)
        mproc_arena_free (blocks[i]);
    }
}
END_TEST

START_TEST (freed_blocks_are_used_again)
{
  MprocOffset first = mproc_arena_alloc (1000, NULL);
  guint64 committed;

  mproc_arena_free (first);
  ck_assert_uint_eq (mproc_arena_alloc (1000, NULL), first);
  mproc_arena_free (first);
  committed = mproc_arena_get_committed ();
  for (guint i = 0; i < 10000; i++)
    mproc_arena_free (mproc_arena_alloc (100000, NULL));
  ck_assert_uint_le (mproc_arena_get_committed (), committed + (2 << 20));
}
END_TEST

START_TEST (large_blocks_come_back_zeroed_or_not_but_usable)
{
  for (guint i = 0; i < 20; i++)
    {
      gsize size = (gsize) 3 << 20;
      MprocOffset block = mproc_arena_alloc (size, NULL);
      guint8 *bytes = mproc_arena_at (block, size);

      memset (bytes, 0xaa, size);
      ck_assert_int_eq (bytes[size - 1], 0xaa);
      mproc_arena_free (block);
      block = mproc_arena_alloc0 (size, NULL);
      bytes = mproc_arena_at (block, size);
      ck_assert (bytes[0] == 0 && memcmp (bytes, bytes + 1, size - 1) == 0);
      mproc_arena_free (block);
    }
}
END_TEST

START_TEST (exhaustion_is_an_error_and_changes_nothing)
{
  GPtrArray *blocks = g_ptr_array_new ();
  GError *error = NULL;
  MprocOffset block;

  ck_assert (mproc_set_memory_limit (mproc_arena_get_committed () + (4 << 20), NULL));
  while ((block = mproc_arena_alloc (300000, &error)) != 0)
    g_ptr_array_add (blocks, GSIZE_TO_POINTER ((gsize) block));
  ck_assert (g_error_matches (error, MPROC_ERROR, MPROC_ERROR_NO_MEMORY));
  ck_assert (strstr (error->message, "mproc_set_memory_limit") != NULL);
  g_clear_error (&error);
  ck_assert (mproc_arena_alloc (300000, NULL) == 0);

  block = (MprocOffset) GPOINTER_TO_SIZE (g_ptr_array_remove_index (blocks, 0));
  mproc_arena_free (block);
  block = mproc_arena_alloc (300000, &error);
  ck_assert (block != 0 && error == NULL);
  mproc_arena_free (block);

  for (guint i = 0; i < blocks->len; i++)
    mproc_arena_free ((MprocOffset) GPOINTER_TO_SIZE (blocks->pdata[i]));
  g_ptr_array_unref (blocks);
  ck_assert (mproc_set_memory_limit (G_MAXUINT64, NULL));
}
END_TEST

/* What was given back can be had again in another size. */
START_TEST (what_is_freed_counts_for_no_budget)
{
  guint64 before = mproc_arena_get_committed ();

  if (!mproc_test_can_punch ())
    return;
  ck_assert (mproc_set_memory_limit (before + (32 << 20), NULL));
  for (gsize size = 300000; size < 20000000; size *= 3)
    {
      guint n = (guint) (12000000 / size) + 1;
      MprocOffset blocks[64];

      for (guint i = 0; i < n; i++)
        {
          GError *error = NULL;

          blocks[i] = mproc_arena_alloc (size, &error);
          ck_assert_msg (blocks[i] != 0, "%u of %u blocks of %u bytes: %s", i, n,
                         (guint) size, error != NULL ? error->message : "");
        }
      for (guint i = 0; i < n; i++)
        mproc_arena_free (blocks[i]);
    }
  ck_assert (mproc_set_memory_limit (G_MAXUINT64, NULL));
}
END_TEST

/* Fills all there is, so that what comes back is anything but zeros by chance. */
static void
spoil (MprocOffset block)
{
  gsize size = mproc_arena_block_size (block);

  memset (mproc_arena_at (block, size), 0xaa, size);
}

/* New ones, used ones, and ones whose pages had been given back; as large as the block or not. */
START_TEST (zeros_are_zeros)
{
  static const gsize sizes[] = { 100, 30000, 300000, 3000000, 20000000 };
  guint n = mproc_test_can_punch () ? 5 : 4; /* the last is for those alone */

  for (guint round = 0; round < 3; round++)
    for (guint i = 0; i < n; i++)
      {
        MprocOffset block = mproc_arena_alloc (sizes[i], NULL);
        gsize size = mproc_arena_block_size (block) - round * 5000 * (sizes[i] > 100000);
        MprocOffset again;

        ck_assert_uint_ne (block, 0);
        spoil (block);
        mproc_arena_free (block);
        again = mproc_arena_alloc0 (size, NULL);
        ck_assert_uint_ne (again, 0);
        ck_assert (is_filled (mproc_arena_at (again, size), size, 0));
        spoil (again);
        mproc_arena_free (again);
        size = sizes[i] * 2 / 3;
        again = mproc_arena_alloc0 (size, NULL);
        ck_assert (is_filled (mproc_arena_at (again, size), size, 0));
        mproc_arena_free (again);
      }
}
END_TEST

static gsize
size_for (gsize wanted)
{
  MprocOffset block = mproc_arena_alloc (wanted, NULL);
  gsize size;

  ck_assert_uint_ne (block, 0);
  size = mproc_arena_block_size (block);
  mproc_arena_free (block);
  ck_assert_uint_ge (size, wanted);
  return size;
}

START_TEST (large_blocks_waste_little)
{
  gsize mib = (gsize) 1 << 20;

  for (gsize size = mib + 1; size < 4 * mib; size += size / 7)
    ck_assert_uint_le (size_for (size), size + size / 8 + (64 << 10));
  /* Round sizes least of all, with what the objects put before them. */
  for (gsize size = mib; size <= 6 * mib; size *= 2)
    ck_assert_uint_le (size_for (size + 8000), size + (64 << 10));
  for (gsize size = 3 * mib; size <= 6 * mib; size *= 2)
    ck_assert_uint_le (size_for (size + 8000), size + (64 << 10));
}
END_TEST

/* As many as there are. */
static void
use_up (GPtrArray *blocks, gsize size)
{
  MprocOffset block;

  while ((block = mproc_arena_alloc (size, NULL)) != 0)
    g_ptr_array_add (blocks, GSIZE_TO_POINTER ((gsize) block));
}

static void
free_first (GPtrArray *blocks)
{
  gpointer block = g_ptr_array_remove_index_fast (blocks, 0);

  mproc_arena_free ((MprocOffset) GPOINTER_TO_SIZE (block));
}

/* The limit is so high that a free block of this size keeps its pages. */
START_TEST (at_the_end_a_larger_one_will_do)
{
  GPtrArray *large = g_ptr_array_new ();
  GPtrArray *small = g_ptr_array_new ();
  MprocOffset block;

  ck_assert (mproc_set_memory_limit (mproc_test_memory_in_use () + (40 << 20), NULL));
  use_up (large, 1300000);
  use_up (small, 1050000);
  ck_assert_uint_gt (large->len, 2);
  free_first (large); /* the last ones may themselves be larger */
  block = mproc_arena_alloc0 (1050000, NULL);
  ck_assert_uint_ne (block, 0);
  ck_assert_uint_gt (mproc_arena_block_size (block), 1200000);
  ck_assert (mproc_arena_alloc (1050000, NULL) == 0);
  mproc_arena_free (block);
  /* It is what it was. */
  block = mproc_arena_alloc (1300000, NULL);
  ck_assert_uint_ne (block, 0);
  mproc_arena_free (block);
  while (large->len > 0)
    free_first (large);
  while (small->len > 0)
    free_first (small);
  g_ptr_array_unref (large);
  g_ptr_array_unref (small);
  ck_assert (mproc_set_memory_limit (G_MAXUINT64, NULL));
}
END_TEST

START_TEST (absurd_sizes_are_refused)
{
  GError *error = NULL;

  ck_assert (mproc_arena_alloc (G_MAXSIZE - 100, &error) == 0);
  ck_assert (g_error_matches (error, MPROC_ERROR, MPROC_ERROR_NO_MEMORY));
  g_clear_error (&error);
}
END_TEST

/* A limit that could be raised is not what is in the way. */
START_TEST (the_range_has_an_end)
{
  guint64 committed = mproc_arena_get_committed ();
  GError *error = NULL;

  ck_assert (mproc_set_memory_limit (G_MAXUINT64, NULL));
  ck_assert (mproc_arena_alloc ((gsize) mproc_arena_get_size () - 64, &error) == 0);
  mproc_test_expect_error (&error, MPROC_ERROR_NO_MEMORY, "address space");
  ck_assert_uint_eq (mproc_arena_get_committed (), committed);
}
END_TEST

static gpointer
allocate_and_check (gpointer data)
{
  guint seed = GPOINTER_TO_UINT (data);

  for (guint i = 0; i < 20000; i++)
    {
      gsize size = 1 + (seed = seed * 1103515245 + 12345) / 65536 % 2000;
      MprocOffset block = mproc_arena_alloc (size, NULL);
      guint8 *bytes = mproc_arena_at (block, size);

      bytes[0] = (guint8) seed;
      bytes[size - 1] = (guint8) seed;
      if (bytes[0] != (guint8) seed)
        return NULL;
      mproc_arena_free (block);
    }
  return GUINT_TO_POINTER (1);
}

START_TEST (threads_allocate_at_once)
{
  GThread *threads[4];

  for (guint i = 0; i < 4; i++)
    threads[i] = g_thread_new ("allocate", allocate_and_check, GUINT_TO_POINTER (i + 1));
  for (guint i = 0; i < 4; i++)
    ck_assert (g_thread_join (threads[i]) != NULL);
}
END_TEST

Suite *
mproc_test_arena_suite (void)
{
  Suite *suite = suite_create ("arena");
  TCase *tcase = mproc_test_case (suite, "arena");

  tcase_add_test (tcase, blocks_do_not_overlap);
  tcase_add_test (tcase, freed_blocks_are_used_again);
  tcase_add_test (tcase, large_blocks_come_back_zeroed_or_not_but_usable);
  tcase_add_test (tcase, exhaustion_is_an_error_and_changes_nothing);
  tcase_add_test (tcase, at_the_end_a_larger_one_will_do);
  tcase_add_test (tcase, what_is_freed_counts_for_no_budget);
  tcase_add_test (tcase, zeros_are_zeros);
  tcase_add_test (tcase, large_blocks_waste_little);
  tcase_add_test (tcase, absurd_sizes_are_refused);
  tcase_add_test (tcase, the_range_has_an_end);
  tcase_add_test (tcase, threads_allocate_at_once);
  return suite;
}
