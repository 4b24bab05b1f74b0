/* SPDX-License-Identifier: MIT */
/* What a map promises about its parts, whether they are one batch or tasks of their own: how they are cut,
 * that all are run, and which error is the map's. */
#include "pools.h"

#define N_ITEMS 24
#define N_LOST 5 /* the item that fails */

/* Options that do not change anything, but make each chunk a task. */
static MprocTaskOptions *
options_for_tasks (void)
{
  MprocTaskOptions *options = mproc_task_options_new ();

  mproc_task_options_set_attempts (options, 2);
  return options;
}

/* Items `(hu)`: the counters, and the number. */
static GVariant *
counted_items (MprocArray *counters)
{
  GVariantBuilder items;

  g_variant_builder_init (&items, G_VARIANT_TYPE ("a(hu)"));
  for (guint32 i = 0; i < N_ITEMS; i++)
    g_variant_builder_add_value (&items, mproc_pack ("(hu)", counters, i));
  return g_variant_builder_end (&items);
}

static gboolean
fails_at (guint32 i, guint32 which, GError **error)
{
  if (i == which)
    g_set_error (error, MPROC_ERROR, MPROC_ERROR_FAILED, "item %u", i);
  return i == which;
}

/* ------------------------------------------------------------------ chunks */

static guint64
count_tasks (MprocPool *pool)
{
  MprocPoolStats *stats = mproc_pool_get_stats (pool);
  guint64 n = 0;

  for (guint i = 0; i < stats->n_workers; i++)
    n += stats->workers[i].n_tasks;
  mproc_pool_stats_free (stats);
  return n;
}

/* As CPython cuts: a quarter of an even share, rounded up. */
START_TEST (a_chunk_is_a_quarter_of_a_share)
{
  static const struct
  {
    guint n_items;
    guint n_tasks; /* of two workers */
  } cases[] = { { 1, 1 }, { 8, 8 }, { 9, 5 }, { 100, 8 }, { 101, 8 }, { 257, 8 } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      MprocPool *pool = mproc_test_pool (2, _i);
      MprocTaskOptions *options = options_for_tasks ();
      GVariant *values = mproc_test_value_of (mproc_pool_map_async (
          pool, mproc_test_square, mproc_test_numbers (0, cases[i].n_items), 0, options));

      mproc_test_expect_squares (values, 0, cases[i].n_items);
      ck_assert_uint_eq (count_tasks (pool), cases[i].n_tasks);
      mproc_task_options_free (options);
      mproc_test_end_pool (pool);
    }
}
END_TEST

/* ------------------------------------------------------------------ no fail-fast */

static GVariant *
count_and_fail_at_five (GVariant *args, GError **error)
{
  MprocArray *counters;
  guint32 i;

  if (!mproc_unpack (args, error, "(&hu)", &counters, &i))
    return NULL;
  mproc_test_count_one (counters, i);
  if (fails_at (i, N_LOST, error))
    return NULL;
  return g_variant_new_uint32 (i);
}

/* Each item has been run once by then, but for those that stand behind the failed one in its chunk. */
static void
expect_all_run (MprocPool *pool, guint chunk, const MprocTaskOptions *options)
{
  MprocArray *counters = mproc_test_counters (N_ITEMS);
  guint end_of_chunk = (N_LOST / chunk + 1) * chunk;

  mproc_test_expect_failure (mproc_pool_map_async (pool, count_and_fail_at_five,
                                                   counted_items (counters), chunk,
                                                   options),
                             MPROC_ERROR_FAILED, "item 5");
  for (guint i = 0; i < N_ITEMS; i++)
    ck_assert_int_eq (mproc_test_count (counters, i),
                      i <= N_LOST || i >= end_of_chunk ? 1 : 0);
  mproc_array_unref (counters);
}

START_TEST (an_error_ends_its_chunk_alone)
{
  MprocPool *pool = mproc_test_pool (2, _i);
  MprocTaskOptions *options = options_for_tasks ();

  for (guint chunk = 1; chunk <= 4; chunk++)
    {
      expect_all_run (pool, chunk, NULL);
      expect_all_run (pool, chunk, options);
    }
  mproc_task_options_free (options);
  mproc_test_end_pool (pool);
}
END_TEST

/* ------------------------------------------------------------------ which error */

/* The first item fails as well, but not before all others have been begun. */
static GVariant *
fail_after_five (GVariant *args, GError **error)
{
  MprocArray *counters;
  guint32 i;

  if (!mproc_unpack (args, error, "(&hu)", &counters, &i))
    return NULL;
  mproc_test_count_one (counters, N_ITEMS);
  while (i == 0 && mproc_test_count (counters, N_ITEMS) < N_ITEMS)
    g_usleep (500);
  if (fails_at (i, 0, error) || fails_at (i, N_LOST, error))
    return NULL;
  return g_variant_new_uint32 (i);
}

/* In time, as in Python, not by its place.  The other worker does one item after the other, and the one
 * that fails is not the last. */
static void
expect_error_of_five (MprocPool *pool, const MprocTaskOptions *options)
{
  MprocArray *counters = mproc_test_counters (N_ITEMS + 1);

  mproc_test_expect_failure (mproc_pool_map_async (pool, fail_after_five,
                                                   counted_items (counters), 1, options),
                             MPROC_ERROR_FAILED, "item 5");
  mproc_array_unref (counters);
}

START_TEST (the_error_that_came_first_is_the_maps)
{
  MprocPool *pool = mproc_test_pool (2, _i);
  MprocTaskOptions *options = options_for_tasks ();

  for (guint i = 0; i < 5; i++)
    {
      expect_error_of_five (pool, NULL);
      expect_error_of_five (pool, options);
    }
  mproc_task_options_free (options);
  mproc_test_end_pool (pool);
}
END_TEST

Suite *
mproc_test_pool_map_rules_suite (void)
{
  Suite *suite = suite_create ("pool-map-rules");
  TCase *tcase = mproc_test_case (suite, "pool-map-rules");
  int n = (int) mproc_test_n_methods ();

  tcase_add_loop_test (tcase, a_chunk_is_a_quarter_of_a_share, 0, n);
  tcase_add_loop_test (tcase, an_error_ends_its_chunk_alone, 0, n);
  tcase_add_loop_test (tcase, the_error_that_came_first_is_the_maps, 0, n);
  return suite;
}
