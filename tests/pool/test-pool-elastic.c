/* SPDX-License-Identifier: MIT */
/* Pools that grow and shrink. */
#include "pools.h"

#include "kill.h"

static void
resize (MprocPool *pool, guint n)
{
  GError *error = NULL;

  ck_assert_msg (mproc_pool_resize (pool, n, &error), "%s",
                 error != NULL ? error->message : "");
  ck_assert_uint_eq (mproc_pool_get_n_workers (pool), n);
}

static void
expect_values (MprocResult **results, guint n)
{
  for (guint i = 0; i < n; i++)
    mproc_test_expect_success (results[i]);
}

START_TEST (grows)
{
  MprocPool *pool = mproc_test_pool (1, _i);
  MprocResult *results[4];
  MprocTestGate gate;

  mproc_test_gate_init (&gate);
  ck_assert_uint_eq (mproc_pool_get_n_live_workers (pool), 1);
  results[0] = mproc_test_gate_occupy (&gate, pool, mproc_test_be_stuck);
  resize (pool, 4);
  /* All at the same time. */
  for (guint i = 1; i < 4; i++)
    results[i] = mproc_test_gate_occupy (&gate, pool, mproc_test_be_stuck);
  mproc_test_await_live_workers (pool, 4);
  mproc_test_gate_open (&gate, 4, 0);
  expect_values (results, 4);
  mproc_test_end_pool (pool);
  mproc_test_gate_clear (&gate);
}
END_TEST

START_TEST (those_that_are_idle_leave_first)
{
  MprocPool *pool = mproc_test_pool (4, _i);
  MprocResult *results[2];
  MprocTestGate gate;

  mproc_test_gate_init (&gate);
  for (guint i = 0; i < 2; i++)
    results[i] = mproc_test_gate_occupy (&gate, pool, mproc_test_be_stuck);
  resize (pool, 1);
  mproc_test_await_live_workers (pool, 2);
  for (guint i = 0; i < 2; i++)
    ck_assert (!mproc_result_is_ready (results[i]));
  mproc_test_gate_open (&gate, 2, 0);
  expect_values (results, 2);
  mproc_test_await_live_workers (pool, 1);
  mproc_test_expect_service (pool, 10);
  resize (pool, 2);
  mproc_test_await_live_workers (pool, 2);
  mproc_test_end_pool (pool);
  mproc_test_gate_clear (&gate);
}
END_TEST

#define TASKS 150

START_TEST (changes_its_size_under_load)
{
  MprocPool *pool = mproc_test_pool (3, _i);
  gint rounds = mproc_test_is_slow_platform () ? 1 : 12;
  MprocResult *results[TASKS];
  GRand *random = g_rand_new_with_seed (4711);

  for (gint round = 0; round < rounds; round++)
    {
      for (guint i = 0; i < TASKS; i++)
        {
          results[i] = mproc_pool_apply_async (pool, mproc_test_tell_number, NULL, NULL);
          if (i % 50 == 0)
            resize (pool, (guint) g_rand_int_range (random, 1, 5));
        }
      expect_values (results, TASKS);
    }
  resize (pool, 2);
  mproc_test_await_live_workers (pool, 2);
  g_rand_free (random);
  mproc_test_end_pool (pool);
}
END_TEST

START_TEST (refuses_sizes_that_cannot_be)
{
  MprocPool *pool = mproc_test_pool (1, _i);
  GError *error = NULL;

  ck_assert (!mproc_pool_resize (pool, 4097, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_INVALID, "4097");
  ck_assert_uint_eq (mproc_pool_get_n_workers (pool), 1);
  ck_assert (mproc_pool_resize (pool, 0, &error));
  ck_assert_uint_eq (mproc_pool_get_n_workers (pool), mproc_cpu_count ());
  mproc_pool_close (pool);
  ck_assert (!mproc_pool_resize (pool, 2, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_STATE, "closed");
  ck_assert (mproc_pool_join (pool, MPROC_SECONDS (50)));
  mproc_pool_unref (pool);
}
END_TEST

START_TEST (an_inline_pool_has_no_workers)
{
  MprocPoolOptions *options = mproc_pool_options_new ();
  MprocPoolReport *report;
  MprocPool *pool;

  mproc_pool_options_set_inline (options, TRUE);
  pool = mproc_test_pool_with (2, options);
  ck_assert_uint_eq (mproc_pool_get_n_live_workers (pool), 0);
  ck_assert (mproc_pool_resize (pool, 3, NULL)); /* which changes nothing */
  ck_assert_uint_eq (mproc_pool_get_n_live_workers (pool), 0);
  mproc_test_expect_service (pool, 3);
  report = mproc_pool_shutdown (pool, 0, 0);
  ck_assert (mproc_pool_report_has_ended (report));
  ck_assert_uint_eq (mproc_pool_report_get_n_killed (report), 0);
  mproc_pool_report_free (report);
  mproc_pool_unref (pool);
}
END_TEST

/* ------------------------------------------------------------------ idle */

static MprocPool *
make_idler (guint n_workers, int i, gint64 timeout)
{
  MprocPoolOptions *options = mproc_test_pool_options (i);

  mproc_pool_options_set_idle_timeout (options, timeout);
  return mproc_test_pool_with (n_workers, options);
}

static gint64
serve (MprocPool *pool)
{
  gint64 start = g_get_monotonic_time ();

  mproc_test_expect_success (mproc_pool_apply_async (pool, mproc_test_tell_number, NULL,
                                                     NULL));
  return g_get_monotonic_time () - start;
}

/* What a start costs here, with the pool's own. */
static gint64
measure_start (int i)
{
  gint64 start = g_get_monotonic_time ();
  MprocPool *pool = mproc_test_pool (1, i);
  gint64 taken;

  serve (pool);
  taken = g_get_monotonic_time () - start;
  mproc_test_end_pool (pool);
  return taken;
}

START_TEST (nobody_is_there_when_there_is_nothing_to_do)
{
  MprocPool *pool = make_idler (2, _i, MPROC_SECONDS (0.05));
  gint64 worst = measure_start (_i) + MPROC_SECONDS (0.1);
  gint64 best = G_MAXINT64;

  for (gint attempt = 0; attempt < 5 && best > worst; attempt++)
    {
      gint64 taken;

      mproc_test_await_live_workers (pool, 0);
      ck_assert_uint_eq (mproc_pool_get_n_workers (pool), 2);
      taken = serve (pool);
      best = MIN (best, taken);
    }
  ck_assert_int_le (best, worst);
  /* Also the end finds nobody. */
  mproc_test_await_live_workers (pool, 0);
  mproc_test_end_pool (pool);
}
END_TEST

START_TEST (as_many_come_back_as_there_are_tasks)
{
  MprocPool *pool = make_idler (3, _i, MPROC_SECONDS (0.2));
  MprocResult *results[4];
  MprocTestGate gate;

  mproc_test_gate_init (&gate);
  mproc_test_await_live_workers (pool, 0);
  for (guint i = 0; i < 2; i++)
    results[i] = mproc_test_gate_occupy (&gate, pool, mproc_test_be_stuck);
  mproc_test_await_live_workers (pool, 2);
  results[2] = mproc_test_gate_occupy (&gate, pool, mproc_test_be_stuck);
  results[3] = mproc_pool_apply_async (pool, mproc_test_tell_number, NULL, NULL);
  mproc_test_await_live_workers (pool, 3);
  mproc_test_gate_open (&gate, 3, 0);
  expect_values (results, 4);
  mproc_test_await_live_workers (pool, 0);
  mproc_test_end_pool (pool);
  mproc_test_gate_clear (&gate);
}
END_TEST

/* Workers that leave as soon as there is nothing, tasks that come at any instant of that. */
START_TEST (no_task_is_left_behind)
{
  gint rounds = mproc_test_scale (mproc_test_is_slow_platform () ? 3 : 40);
  MprocPool *pool = make_idler (2, _i, 0);
  GRand *random = g_rand_new_with_seed (4712);

  for (gint round = 0; round < rounds; round++)
    {
      serve (pool);
      g_usleep ((gulong) g_rand_int_range (random, 0, 3000));
    }
  g_rand_free (random);
  mproc_test_end_pool (pool);
}
END_TEST

START_TEST (a_nursery_without_workers_is_replaced)
{
  MprocPoolOptions *options = mproc_pool_options_new ();
  MprocPool *pool;
  gint64 nursery;

  mproc_pool_options_set_start_method (options, MPROC_START_METHOD_FORK);
  mproc_pool_options_set_idle_timeout (options, MPROC_SECONDS (0.02));
  pool = mproc_test_pool_with (2, options);
  nursery = mproc_test_ask (pool, mproc_test_tell_parent);
  mproc_test_await_live_workers (pool, 0);
  mproc_test_kill_pid (nursery);
  mproc_test_expect_service (pool, 3);
  mproc_test_end_pool (pool);
}
END_TEST

Suite *
mproc_test_pool_elastic_suite (void)
{
  Suite *suite = suite_create ("pool-elastic");
  TCase *tcase = mproc_test_case (suite, "pool-elastic");
  int n = (int) mproc_test_n_methods ();

  tcase_add_loop_test (tcase, grows, 0, n);
  tcase_add_loop_test (tcase, those_that_are_idle_leave_first, 0, n);
  tcase_add_loop_test (tcase, changes_its_size_under_load, 0, n);
  tcase_add_loop_test (tcase, refuses_sizes_that_cannot_be, 0, n);
  tcase_add_loop_test (tcase, nobody_is_there_when_there_is_nothing_to_do, 0, n);
  tcase_add_loop_test (tcase, as_many_come_back_as_there_are_tasks, 0, n);
  tcase_add_loop_test (tcase, no_task_is_left_behind, 0, n);
  tcase_add_test (tcase, an_inline_pool_has_no_workers);
  if (mproc_test_can_fork ())
    tcase_add_test (tcase, a_nursery_without_workers_is_replaced);
  return suite;
}
