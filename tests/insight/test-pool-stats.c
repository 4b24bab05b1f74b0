/* SPDX-License-Identifier: MIT */
/* What a pool's counters say. */
#include "pools.h"

#include "kill.h"

/* ------------------------------------------------------------------ looking */

typedef struct
{
  MprocPool *pool;
  guint n_running, n_waiting, n_workers, n_idle;
  guint64 n_lost;
} Wanted;

static gboolean
is_as_wanted (gpointer data)
{
  Wanted *wanted = data;
  MprocPoolStats *stats = mproc_pool_get_stats (wanted->pool);
  guint n_idle = 0;
  gboolean right;

  for (guint i = 0; i < stats->n_workers; i++)
    n_idle += stats->workers[i].state == MPROC_WORKER_IDLE;
  right = stats->n_running == wanted->n_running &&
          stats->n_waiting == wanted->n_waiting &&
          stats->n_workers == wanted->n_workers && n_idle == wanted->n_idle &&
          stats->n_lost == wanted->n_lost;
  mproc_pool_stats_free (stats);
  return right;
}

/* Every worker's times are within each other. */
static void
check_times (const MprocPoolStats *stats)
{
  for (guint i = 0; i < stats->n_workers; i++)
    {
      const MprocWorkerStats *worker = &stats->workers[i];

      ck_assert_uint_eq (worker->number, i + 1);
      ck_assert_int_ge (worker->startup, 0);
      ck_assert_int_ge (worker->busy, worker->longest);
      ck_assert_int_ge (worker->idle, 0);
      ck_assert_int_ge (worker->age, worker->startup + worker->busy + worker->idle - 1);
      if (worker->state != MPROC_WORKER_STARTING)
        ck_assert_int_gt (worker->pid, 0);
    }
}

START_TEST (outcomes_are_counted)
{
  MprocPool *pool = mproc_test_pool (2, _i);
  MprocPoolStats *stats;
  guint64 n_tasks = 0;

  for (gint32 i = 0; i < 10; i++)
    {
      GVariant *value =
          mproc_pool_apply (pool, mproc_test_refuse_odd, g_variant_new_int32 (i), NULL);

      ck_assert_int_eq (value != NULL, i % 2 == 0);
      g_clear_pointer (&value, g_variant_unref);
    }
  stats = mproc_pool_get_stats (pool);
  ck_assert_uint_eq (stats->n_done, 5);
  ck_assert_uint_eq (stats->n_failed, 5);
  ck_assert_uint_eq (stats->n_waiting, 0);
  ck_assert_uint_eq (stats->n_lost, 0);
  ck_assert_uint_eq (stats->n_workers, 2);
  for (guint i = 0; i < 2; i++)
    n_tasks += stats->workers[i].n_tasks;
  ck_assert_uint_eq (n_tasks, 10);
  check_times (stats);
  mproc_pool_stats_free (stats);
  mproc_pool_stats_free (NULL);
  mproc_test_end_pool (pool);
}
END_TEST

/* Of a map it is the items. */
START_TEST (items_of_a_map_are_counted)
{
  MprocPool *pool = mproc_test_pool (2, _i);
  GVariant *items[30], *value;
  MprocPoolStats *stats;

  for (gint32 i = 0; i < 30; i++)
    items[i] = g_variant_new_int32 (2 * i);
  value = mproc_pool_map (pool, mproc_test_refuse_odd,
                          g_variant_new_array (NULL, items, 30), 7, NULL);
  g_variant_unref (value);
  stats = mproc_pool_get_stats (pool);
  ck_assert_uint_eq (stats->n_done, 30);
  ck_assert_uint_eq (stats->n_failed, 0);
  mproc_pool_stats_free (stats);
  mproc_test_end_pool (pool);
}
END_TEST

/* Three tasks of two workers, each waiting for a word. */
START_TEST (who_runs_and_who_waits)
{
  MprocPool *pool = mproc_test_pool (2, _i);
  MprocQueue *go = mproc_queue_new (0, NULL);
  MprocResult *results[3];
  Wanted wanted = { pool, 2, 1, 2, 0, 0 };
  MprocPoolStats *stats;

  for (guint i = 0; i < 3; i++)
    results[i] = mproc_pool_apply_async (pool, mproc_test_wait_in_queue,
                                         mproc_pack ("(h)", go), NULL);
  ck_assert (mproc_test_eventually (is_as_wanted, &wanted));
  stats = mproc_pool_get_stats (pool);
  check_times (stats);
  for (guint i = 0; i < 2; i++)
    ck_assert_int_eq (stats->workers[i].state, MPROC_WORKER_BUSY);
  mproc_pool_stats_free (stats);

  for (guint i = 0; i < 3; i++)
    mproc_test_say (go, "go");
  for (guint i = 0; i < 3; i++)
    {
      ck_assert (mproc_result_wait (results[i], MPROC_SECONDS (30)));
      mproc_result_unref (results[i]);
    }
  wanted = (Wanted){ pool, 0, 0, 2, 2, 0 };
  ck_assert (mproc_test_eventually (is_as_wanted, &wanted));
  mproc_test_end_pool (pool);
  mproc_queue_unref (go);
}
END_TEST

START_TEST (time_is_spent_where_it_was_spent)
{
  MprocPool *pool = mproc_test_pool (1, _i);
  const gint64 us = 60000;
  MprocPoolStats *stats;

  for (guint i = 0; i < 2; i++)
    g_variant_unref (mproc_pool_apply (pool, mproc_test_nap, g_variant_new_int64 (us),
                                       NULL));
  stats = mproc_pool_get_stats (pool);
  ck_assert_int_ge (stats->workers[0].busy, 2 * us);
  ck_assert_int_ge (stats->workers[0].longest, us);
  ck_assert_int_lt (stats->workers[0].longest, stats->workers[0].busy);
  check_times (stats);
  mproc_pool_stats_free (stats);
  mproc_test_end_pool (pool);
}
END_TEST

START_TEST (a_worker_that_is_killed_is_lost)
{
  MprocPool *pool;
  MprocQueue *go;
  Wanted wanted;
  MprocResult *result;
  MprocPoolStats *stats;

  if (mproc_test_is_thread (_i))
    return; /* threads cannot be killed */
  pool = mproc_test_pool (1, _i);
  go = mproc_queue_new (0, NULL);
  result = mproc_pool_apply_async (pool, mproc_test_wait_in_queue, mproc_pack ("(h)", go),
                                   NULL);
  wanted = (Wanted){ pool, 1, 0, 1, 0, 0 };
  ck_assert (mproc_test_eventually (is_as_wanted, &wanted));
  stats = mproc_pool_get_stats (pool);
  mproc_test_kill_pid (stats->workers[0].pid);
  mproc_pool_stats_free (stats);
  ck_assert (mproc_result_wait (result, MPROC_SECONDS (30)));
  mproc_result_unref (result);
  g_variant_unref (mproc_pool_apply (pool, mproc_test_nap, g_variant_new_int64 (0),
                                     NULL));
  wanted = (Wanted){ pool, 0, 0, 1, 1, 1 };
  ck_assert (mproc_test_eventually (is_as_wanted, &wanted));
  stats = mproc_pool_get_stats (pool);
  ck_assert_uint_eq (stats->n_failed, 1);
  ck_assert_uint_eq (stats->n_done, 1);
  mproc_pool_stats_free (stats);
  mproc_test_end_pool (pool);
  mproc_queue_unref (go);
}
END_TEST

/* Replaced after each task, and nothing lost. */
START_TEST (a_worker_that_leaves_is_not_lost)
{
  MprocPoolOptions *options = mproc_test_pool_options (_i);
  MprocPoolStats *stats;
  MprocPool *pool;

  mproc_pool_options_set_max_tasks_per_worker (options, 1);
  pool = mproc_test_pool_with (1, options);
  for (guint i = 0; i < 3; i++)
    g_variant_unref (mproc_pool_apply (pool, mproc_test_nap, g_variant_new_int64 (0),
                                       NULL));
  stats = mproc_pool_get_stats (pool);
  ck_assert_uint_eq (stats->n_lost, 0);
  ck_assert_uint_eq (stats->n_done, 3);
  mproc_pool_stats_free (stats);
  mproc_test_end_pool (pool);
}
END_TEST

Suite *
mproc_test_pool_stats_suite (void)
{
  Suite *suite = suite_create ("pool-stats");
  TCase *tcase = mproc_test_case (suite, "pool-stats");
  int n = (int) mproc_test_n_methods ();

  tcase_add_loop_test (tcase, outcomes_are_counted, 0, n);
  tcase_add_loop_test (tcase, items_of_a_map_are_counted, 0, n);
  tcase_add_loop_test (tcase, who_runs_and_who_waits, 0, n);
  tcase_add_loop_test (tcase, time_is_spent_where_it_was_spent, 0, n);
  tcase_add_loop_test (tcase, a_worker_that_is_killed_is_lost, 0, n);
  tcase_add_loop_test (tcase, a_worker_that_leaves_is_not_lost, 0, n);
  return suite;
}
