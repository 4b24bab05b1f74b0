/* SPDX-License-Identifier: MIT */
/* Maps whose workers die. */
#include "pools.h"

#include "kill.h"
#include "os.h"

/* Adds one to its item's count of runs, then dies if it is asked to. */
static GVariant *
count_run (GVariant *x, GError **error)
{
  MprocArray *counts;
  gboolean dies;
  guint32 i;
  gint32 *data;

  if (!mproc_unpack (x, error, "(&hub)", &counts, &i, &dies))
    return NULL;
  data = mproc_array_get_data (counts, NULL);
  g_atomic_int_inc (&data[i]);
  if (dies)
    mproc_os_kill_self ();
  return NULL;
}

/* One item that kills, among @n that count how often they were run. */
static GVariant *
counted_items (MprocArray *counts, guint n, guint every)
{
  GVariantBuilder items;

  g_variant_builder_init (&items, G_VARIANT_TYPE ("a(hub)"));
  for (guint i = 0; i < n; i++)
    g_variant_builder_add_value (&items,
                                 mproc_pack ("(hub)", counts, i,
                                             every != 0 && i % every == every - 1));
  return g_variant_builder_end (&items);
}

START_TEST (a_death_fails_its_part_and_nothing_runs_twice)
{
  guint n = mproc_test_is_slow_platform () ? 60 : 600;
  MprocPool *pool;
  GError *error = NULL;
  MprocArray *counts;
  gint32 *data;
  guint n_once = 0;

  if (mproc_test_is_thread (_i))
    return; /* a thread cannot be killed */
  pool = mproc_test_pool (3, _i);
  counts = mproc_array_new ("i", n, NULL, NULL, NULL);
  data = mproc_array_get_data (counts, NULL);
  ck_assert_ptr_null (mproc_pool_map (pool, count_run, counted_items (counts, n, n / 6),
                                      1, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_WORKER_DIED, "of map");
  for (guint i = 0; i < n; i++)
    n_once += data[i] == 1;
  ck_assert_uint_eq (n_once, n);
  mproc_test_expect_squares (mproc_pool_map (pool, mproc_test_square,
                                             mproc_test_numbers (0, 100), 1, NULL),
                             0, 100);
  mproc_test_end_pool (pool);
  mproc_array_unref (counts);
}
END_TEST

START_TEST (a_death_loses_the_rest_of_its_chunk)
{
  MprocPool *pool;
  GError *error = NULL;
  MprocArray *counts;
  gint32 *data;

  if (mproc_test_is_thread (_i))
    return; /* a thread cannot be killed */
  pool = mproc_test_pool (2, _i);
  counts = mproc_array_new ("i", 20, NULL, NULL, NULL);
  data = mproc_array_get_data (counts, NULL);
  ck_assert_ptr_null (mproc_pool_map (pool, count_run, counted_items (counts, 20, 18), 5,
                                      &error));
  mproc_test_expect_error (&error, MPROC_ERROR_WORKER_DIED, "items 15 to 19 of map");
  for (guint i = 0; i < 18; i++)
    ck_assert_int_eq (data[i], 1);
  ck_assert_int_eq (data[18] + data[19], 0);
  mproc_test_end_pool (pool);
  mproc_array_unref (counts);
}
END_TEST

typedef struct
{
  MprocPool *pool;
  gint end;
} Killing;

/* Whoever is in the pool, one after the other. */
static gpointer
kill_workers (gpointer data)
{
  Killing *killing = data;
  GVariant *pids = mproc_pool_map (killing->pool, mproc_test_tell_pid,
                                   mproc_test_numbers (0, 64), 1, NULL);

  for (gsize i = 0; pids != NULL && !g_atomic_int_get (&killing->end); i = (i + 1) % 64)
    {
      GVariant *pid;

      g_usleep (2000);
      g_variant_get_child (pids, i, "v", &pid);
      mproc_test_kill_pid (g_variant_get_int64 (pid));
      g_variant_unref (pid);
      g_variant_unref (pids);
      do
        pids = mproc_pool_map (killing->pool, mproc_test_tell_pid,
                               mproc_test_numbers (0, 64), 1, NULL);
      while (pids == NULL && !g_atomic_int_get (&killing->end));
    }
  g_clear_pointer (&pids, g_variant_unref);
  return NULL;
}

/* Each comes to its end, whichever way. */
START_TEST (maps_end_while_workers_are_killed)
{
  gint rounds = mproc_test_scale (mproc_test_is_slow_platform () ? 3 : 20);
  Killing killing = { NULL, 0 };
  GThread *thread;
  gint n_lost = 0;

  if (mproc_test_is_thread (_i))
    return; /* a thread cannot be killed */
  killing.pool = mproc_test_pool (3, _i);
  thread = g_thread_new ("killer", kill_workers, &killing);
  for (gint i = 0; i < rounds; i++)
    {
      MprocResult *result =
          mproc_pool_map_async (killing.pool, mproc_test_pause_and_square,
                                mproc_test_numbers (0, 100), i % 4, NULL);
      GVariant *value = mproc_test_value_or_death (result);

      if (value != NULL)
        mproc_test_expect_squares (value, 0, 100);
      else
        n_lost++;
    }
  g_atomic_int_set (&killing.end, TRUE);
  g_thread_join (thread);
  ck_assert_int_le (n_lost, rounds);
  mproc_test_expect_squares (mproc_pool_map (killing.pool, mproc_test_square,
                                             mproc_test_numbers (0, 100), 1, NULL),
                             0, 100);
  mproc_test_end_pool (killing.pool);
}
END_TEST

static GVariant *
stay_at_seven (GVariant *x, GError **error)
{
  if (g_variant_get_int32 (x) == 7)
    for (;;)
      g_usleep (1000);
  return mproc_test_square (x, error);
}

START_TEST (a_part_over_its_limit_fails_and_the_others_are_run)
{
  MprocTaskOptions *options;
  MprocPool *pool;
  MprocResult *result;
  GError *error = NULL;

  if (mproc_test_is_thread (_i))
    return; /* a thread that does not come back cannot be ended */
  options = mproc_task_options_new ();
  mproc_task_options_set_hard_limit (options, G_USEC_PER_SEC / 2);
  pool = mproc_test_pool (2, _i);
  result =
      mproc_pool_map_async (pool, stay_at_seven, mproc_test_numbers (0, 40), 1, options);
  ck_assert_ptr_null (mproc_result_get (result, MPROC_SECONDS (30), &error));
  mproc_test_expect_error (&error, MPROC_ERROR_TIMED_OUT, "item 7 of map");
  mproc_result_unref (result);
  mproc_test_expect_squares (mproc_pool_map (pool, mproc_test_square,
                                             mproc_test_numbers (0, 100), 1, NULL),
                             0, 100);
  mproc_task_options_free (options);
  mproc_test_end_pool (pool);
}
END_TEST

Suite *
mproc_test_pool_map_loss_suite (void)
{
  static const TTest *const *const tests[] = {
    &a_death_fails_its_part_and_nothing_runs_twice,
    &a_death_loses_the_rest_of_its_chunk,
    &a_part_over_its_limit_fails_and_the_others_are_run,
    &maps_end_while_workers_are_killed,
  };
  Suite *suite = suite_create ("pool-map-loss");
  TCase *tcase = mproc_test_case (suite, "pool-map-loss");

  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    tcase_add_loop_test (tcase, *tests[i], 0, (int) mproc_test_n_methods ());
  return suite;
}
