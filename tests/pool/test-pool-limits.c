/* SPDX-License-Identifier: MIT */
/* Tasks whose time is limited: softly, so that they see it, or hard, so that their workers are killed. */
#include "pools.h"

#include "kill.h"

#include <string.h>

#define MS G_GINT64_CONSTANT (1000)

static MprocTaskOptions *
limit (gint64 soft, gint64 hard)
{
  MprocTaskOptions *options = mproc_task_options_new ();

  mproc_task_options_set_soft_limit (options, soft);
  mproc_task_options_set_hard_limit (options, hard);
  return options;
}

static MprocResult *
apply_limited (MprocPool *pool, MprocFunc func, GVariant *args, gint64 soft, gint64 hard)
{
  MprocTaskOptions *options = limit (soft, hard);
  MprocResult *result = mproc_pool_apply_async (pool, func, args, options);

  mproc_task_options_free (options);
  return result;
}

/* ------------------------------------------------------------------ functions that run there */

static GVariant *
run_until_told (GVariant *args, GError **error)
{
  (void) args, (void) error;
  while (!mproc_task_should_stop ())
    g_usleep (1000);
  return g_variant_new_string ("told");
}

static GVariant *
run_until_error (GVariant *args, GError **error)
{
  (void) args;
  while (mproc_task_check (error))
    g_usleep (1000);
  return NULL;
}

/* ------------------------------------------------------------------ hard */

/* The worker beside it has a task of its own all the while. */
START_TEST (a_task_over_its_limit_fails_alone_and_in_time)
{
  MprocPool *pool = mproc_test_pool (2, _i);
  MprocArray *counters = mproc_test_counters (9);
  MprocResult *beside = mproc_pool_apply_async (pool, mproc_test_run_for_ever,
                                                mproc_pack ("(hu)", counters, 8u), NULL);
  gint attempts = mproc_test_is_thread (_i) ? 1 : 8;
  gint64 best = G_MAXINT64;

  mproc_test_await_count (counters, 8, 1);
  for (gint i = 0; i < attempts && best > 450 * MS; i++)
    {
      gint64 begun = g_get_monotonic_time ();

      mproc_test_expect_failure (apply_limited (pool, mproc_test_run_for_ever,
                                                mproc_pack ("(hu)", counters,
                                                            (guint32) i),
                                                0, 200 * MS),
                                 MPROC_ERROR_TIMED_OUT, "hard limit of 0.200 s");
      best = MIN (best, g_get_monotonic_time () - begun);
      ck_assert_int_eq (mproc_test_count (counters, (guint) i), 1);
    }
  ck_assert_int_ge (best, 200 * MS);
  if (!mproc_test_is_slow_platform ())
    ck_assert_int_lt (best, 500 * MS);
  ck_assert (!mproc_result_is_ready (beside));
  for (guint i = 0; i < 9; i++)
    mproc_test_let_go (counters, i);
  mproc_test_expect_success (beside);
  mproc_test_expect_service (pool, 20);
  mproc_test_end_pool (pool);
  mproc_array_unref (counters);
}
END_TEST

/* What is done to options, or to a copy, later is nothing to the tasks that have been handed over. */
START_TEST (options_are_taken_as_they_are)
{
  MprocPool *pool = mproc_test_pool (2, _i);
  MprocTaskOptions *options = limit (0, 20 * MS);
  MprocTaskOptions *copy = mproc_task_options_copy (options);
  MprocArray *counters = mproc_test_counters (2);
  MprocResult *results[2];

  ck_assert_ptr_null (mproc_task_options_copy (NULL));
  mproc_task_options_set_name (copy, "copy");
  for (guint32 i = 0; i < 2; i++)
    results[i] = mproc_pool_apply_async (pool, mproc_test_run_for_ever,
                                         mproc_pack ("(hu)", counters, i),
                                         i == 0 ? options : copy);
  mproc_task_options_set_hard_limit (options, 0);
  mproc_task_options_set_name (copy, "later");
  mproc_task_options_free (copy);
  mproc_test_expect_failure (results[0], MPROC_ERROR_TIMED_OUT, "task 1 (");
  mproc_test_expect_failure (results[1], MPROC_ERROR_TIMED_OUT, "task 2 (copy)");
  for (guint i = 0; i < 2; i++)
    mproc_test_let_go (counters, i);
  mproc_test_end_pool (pool);
  mproc_task_options_free (options);
  mproc_array_unref (counters);
}
END_TEST

START_TEST (the_error_tells_the_worker_and_the_task)
{
  MprocPool *pool = mproc_test_pool (1, _i);
  MprocTaskOptions *options = limit (0, 20 * MS);
  MprocArray *counters = mproc_test_counters (1);
  char *text = g_strdup_printf ("pid %" G_GINT64_FORMAT,
                                mproc_test_ask (pool, mproc_test_tell_pid));
  MprocResult *result;

  mproc_task_options_set_name (options, "my loop");
  result = mproc_pool_apply_async (pool, mproc_test_run_for_ever,
                                   mproc_pack ("(hu)", counters, 0u), options);
  mproc_result_wait (result, MPROC_FOREVER);
  mproc_test_expect_failure (mproc_result_ref (result), MPROC_ERROR_TIMED_OUT, text);
  mproc_test_expect_failure (result, MPROC_ERROR_TIMED_OUT, "task 2 (my loop)");
  mproc_test_let_go (counters, 0);
  mproc_test_end_pool (pool);
  mproc_task_options_free (options);
  mproc_array_unref (counters);
  g_free (text);
}
END_TEST

/* The limit is each task's own, not that of all that a worker does. */
START_TEST (short_tasks_are_left_alone)
{
  MprocPool *pool = mproc_test_pool (1, _i);
  MprocResult *results[24];

  for (guint i = 0; i < 24; i++)
    results[i] = apply_limited (pool, mproc_test_nap, g_variant_new_int64 (20000),
                                400 * MS, 400 * MS);
  for (guint i = 0; i < 24; i++)
    mproc_test_expect_success (results[i]);
  mproc_test_end_pool (pool);
}
END_TEST

/* Tasks that end just when they are condemned: each is one or the other, and was begun once. */
START_TEST (a_task_that_ends_at_its_limit_has_one_end)
{
  gint rounds = mproc_test_scale (mproc_test_is_slow_platform () ? 1 : 4);
  MprocPool *pool = mproc_test_pool (3, _i);
  gint in_time = 0;

  for (gint round = 0; round < rounds; round++)
    {
      MprocResult *results[6];

      for (guint i = 0; i < 6; i++)
        results[i] =
            apply_limited (pool, mproc_test_nap,
                           g_variant_new_int64 (g_random_int_range (0, 110000)), 0, 1);
      for (guint i = 0; i < 6; i++)
        {
          GError *error = NULL;
          GVariant *value = mproc_result_get (results[i], MPROC_SECONDS (50), &error);

          in_time += value != NULL;
          if (value == NULL)
            ck_assert (g_error_matches (error, MPROC_ERROR, MPROC_ERROR_TIMED_OUT));
          g_clear_pointer (&value, g_variant_unref);
          g_clear_error (&error);
          mproc_result_unref (results[i]);
        }
    }
  ck_assert_int_lt (in_time, rounds * 6);
  mproc_test_expect_service (pool, 10);
  mproc_test_end_pool (pool);
}
END_TEST

/* One chunk runs for ever meanwhile, in the other worker: the chunks beside it may take longer than the
 * limit, all of them together. */
START_TEST (a_map_has_the_limit_for_each_chunk)
{
  MprocPool *pool = mproc_test_pool (2, _i);
  MprocTaskOptions *options = limit (0, 400 * MS);
  MprocArray *counters = mproc_test_counters (2);
  GVariant *quick = g_variant_new_parsed ("[@x 60000, 60000, 60000, 60000, 60000, 60000, "
                                          "60000, 60000]");
  GVariant *items[2];
  MprocResult *endless;

  for (guint32 i = 0; i < 2; i++)
    items[i] = mproc_pack ("(hu)", counters, i);
  mproc_test_let_go (counters, 1);
  endless = mproc_pool_map_async (pool, mproc_test_run_for_ever,
                                  g_variant_new_array (NULL, items, 2), 1, options);
  mproc_test_await_count (counters, 0, 1);
  mproc_test_expect_success (mproc_pool_map_async (pool, mproc_test_nap, quick, 1,
                                                   options));
  mproc_test_expect_failure (endless, MPROC_ERROR_TIMED_OUT, NULL);
  mproc_test_let_go (counters, 0);
  mproc_test_expect_service (pool, 10);
  mproc_test_end_pool (pool);
  mproc_task_options_free (options);
  mproc_array_unref (counters);
}
END_TEST

START_TEST (a_pool_can_limit_all_its_tasks)
{
  MprocPoolOptions *options = mproc_test_pool_options (_i);
  MprocTaskOptions *limits = limit (0, 50 * MS);
  MprocArray *counters = mproc_test_counters (1);
  MprocPool *pool;

  mproc_pool_options_set_task_options (options, limits);
  mproc_task_options_free (limits);
  pool = mproc_test_pool_with (1, options);
  mproc_test_expect_failure (mproc_pool_apply_async (pool, mproc_test_run_for_ever,
                                                     mproc_pack ("(hu)", counters, 0u),
                                                     NULL),
                             MPROC_ERROR_TIMED_OUT, "0.050 s");
  mproc_test_let_go (counters, 0);
  mproc_test_expect_service (pool, 3);
  mproc_test_end_pool (pool);
  mproc_array_unref (counters);
}
END_TEST

/* A closed pool ends although a task would not. */
START_TEST (a_closed_pool_enforces_limits)
{
  MprocPool *pool = mproc_test_pool (1, _i);
  MprocArray *counters = mproc_test_counters (1);
  MprocResult *looping = apply_limited (pool, mproc_test_run_for_ever,
                                        mproc_pack ("(hu)", counters, 0u), 0, 50 * MS);
  MprocResult *behind = mproc_pool_apply_async (pool, mproc_test_count_task,
                                                mproc_pack ("(hu)", counters, 0u), NULL);

  mproc_pool_close (pool);
  mproc_test_expect_failure (looping, MPROC_ERROR_TIMED_OUT, NULL);
  mproc_test_expect_success (behind);
  mproc_test_let_go (counters, 0); /* a thread has to come back by itself */
  ck_assert (mproc_pool_join (pool, MPROC_SECONDS (50)));
  mproc_pool_unref (pool);
  mproc_array_unref (counters);
}
END_TEST

/* With whoever would have killed the workers. */
START_TEST (a_limit_outlives_the_nursery)
{
  gint rounds = mproc_test_scale (4);

  for (gint round = 0; round < rounds; round++)
    {
      MprocPool *pool = mproc_test_pool (2, 0);
      MprocArray *counters = mproc_test_counters (2);
      gint64 nursery = mproc_test_ask (pool, mproc_test_tell_parent);
      MprocResult *results[2];

      for (guint i = 0; i < 2; i++)
        results[i] = apply_limited (pool, mproc_test_run_for_ever,
                                    mproc_pack ("(hu)", counters, i), 0, 60 * MS);
      g_usleep ((gulong) g_random_int_range (0, 160000));
      mproc_test_kill_pid (nursery);
      for (guint i = 0; i < 2; i++)
        {
          GError *error = NULL;

          ck_assert_ptr_null (mproc_result_get (results[i], MPROC_SECONDS (50), &error));
          ck_assert_msg (g_error_matches (error, MPROC_ERROR, MPROC_ERROR_TIMED_OUT) ||
                             g_error_matches (error, MPROC_ERROR,
                                              MPROC_ERROR_WORKER_DIED),
                         "%s", error->message);
          g_error_free (error);
          mproc_result_unref (results[i]);
        }
      /* Spawned workers have limits as well.  One that was forked meanwhile dies with the nursery. */
      while (!mproc_test_has_no_nursery (pool))
        continue;
      mproc_test_expect_failure (apply_limited (pool, mproc_test_run_for_ever,
                                                mproc_pack ("(hu)", counters, 0u), 0,
                                                20 * MS),
                                 MPROC_ERROR_TIMED_OUT, NULL);
      mproc_test_end_pool (pool);
      mproc_array_unref (counters);
    }
}
END_TEST

/* ------------------------------------------------------------------ soft */

START_TEST (a_task_sees_its_soft_limit)
{
  MprocPool *pool = mproc_test_pool (1, _i);
  MprocResult *result =
      apply_limited (pool, run_until_told, NULL, 50 * MS, MPROC_SECONDS (40));
  GVariant *value = mproc_result_get (result, MPROC_SECONDS (50), NULL);

  ck_assert_str_eq (g_variant_get_string (value, NULL), "told");
  g_variant_unref (value);
  mproc_result_unref (result);
  mproc_test_expect_failure (apply_limited (pool, run_until_error, NULL, 50 * MS, 0),
                             MPROC_ERROR_TIMED_OUT, "soft limit");
  mproc_test_expect_service (pool, 3);
  mproc_test_end_pool (pool);
}
END_TEST

static GVariant *
ask_at_once (GVariant *args, GError **error)
{
  (void) args;
  return g_variant_new_boolean (mproc_task_should_stop () || !mproc_task_check (error));
}

START_TEST (without_a_limit_nothing_is_to_stop)
{
  MprocPool *pool = mproc_test_pool (1, _i);
  GVariant *value;

  /* Also when the task before had one. */
  mproc_test_expect_success (apply_limited (pool, run_until_told, NULL, 1, 0));
  value = mproc_pool_apply (pool, ask_at_once, NULL, NULL);
  ck_assert (!g_variant_get_boolean (value));
  g_variant_unref (value);
  ck_assert (!mproc_task_should_stop ());
  ck_assert (mproc_task_check (NULL));
  mproc_test_end_pool (pool);
}
END_TEST

Suite *
mproc_test_pool_limits_suite (void)
{
  Suite *suite = suite_create ("pool-limits");
  TCase *tcase = mproc_test_case (suite, "pool-limits");
  int n = (int) mproc_test_n_methods ();

  tcase_add_loop_test (tcase, a_task_over_its_limit_fails_alone_and_in_time, 0, n);
  tcase_add_loop_test (tcase, options_are_taken_as_they_are, 0, n);
  tcase_add_loop_test (tcase, the_error_tells_the_worker_and_the_task, 0, n);
  tcase_add_loop_test (tcase, short_tasks_are_left_alone, 0, n);
  tcase_add_loop_test (tcase, a_task_that_ends_at_its_limit_has_one_end, 0, n);
  tcase_add_loop_test (tcase, a_map_has_the_limit_for_each_chunk, 0, n);
  tcase_add_loop_test (tcase, a_pool_can_limit_all_its_tasks, 0, n);
  tcase_add_loop_test (tcase, a_closed_pool_enforces_limits, 0, n);
  tcase_add_loop_test (tcase, a_task_sees_its_soft_limit, 0, n);
  tcase_add_loop_test (tcase, without_a_limit_nothing_is_to_stop, 0, n);
  if (mproc_test_can_fork () && mproc_test_method (0) == MPROC_START_METHOD_FORK)
    tcase_add_test (tcase, a_limit_outlives_the_nursery);
  return suite;
}
