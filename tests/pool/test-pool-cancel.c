/* SPDX-License-Identifier: MIT */
/* Results that nobody wants any more: of tasks that wait, that run, that are done. */
#include "pools.h"

#include <string.h>

static MprocResult *
apply_counting (MprocPool *pool, MprocFunc func, MprocArray *counters, guint32 i)
{
  return mproc_pool_apply_async (pool, func, mproc_pack ("(hu)", counters, i), NULL);
}

/* ------------------------------------------------------------------ functions that run there */

/* `(hu)`: counts itself, and ends when it is asked to. */
static GVariant *
run_until_asked (GVariant *args, GError **error)
{
  MprocArray *counters;
  guint32 i;

  if (!mproc_unpack (args, error, "(&hu)", &counters, &i))
    return NULL;
  mproc_test_count_one (counters, i);
  while (mproc_task_check (error))
    g_usleep (500);
  return NULL;
}

/* The same, but it has something to give all the same. */
static GVariant *
give_when_asked (GVariant *args, GError **error)
{
  MprocArray *counters;
  guint32 i;

  if (!mproc_unpack (args, error, "(&hu)", &counters, &i))
    return NULL;
  mproc_test_count_one (counters, i);
  while (!mproc_task_should_stop ())
    g_usleep (500);
  return g_variant_new_string ("half of it");
}

/* ------------------------------------------------------------------ waiting ones */

START_TEST (a_task_that_waits_never_runs)
{
  MprocPool *pool = mproc_test_pool (1, _i);
  MprocArray *counters = mproc_test_counters (3);
  MprocResult *running = apply_counting (pool, run_until_asked, counters, 0);
  MprocResult *waiting = apply_counting (pool, mproc_test_count_task, counters, 1);
  MprocResult *last = apply_counting (pool, mproc_test_count_task, counters, 2);

  mproc_test_await_count (counters, 0, 1);
  ck_assert (mproc_result_cancel (waiting));
  ck_assert (mproc_result_is_ready (waiting));
  ck_assert (!mproc_result_cancel (waiting));
  ck_assert (!mproc_result_kill (waiting));
  mproc_test_expect_failure (waiting, MPROC_ERROR_CANCELLED, "before it was begun");
  ck_assert (mproc_result_cancel (running));
  mproc_test_expect_failure (running, MPROC_ERROR_CANCELLED, "while it ran");
  mproc_test_expect_success (last);
  mproc_test_end_pool (pool);
  ck_assert_int_eq (mproc_test_count (counters, 1), 0);
  mproc_array_unref (counters);
}
END_TEST

/* Nobody is left to take the tasks' records; their blocks go all the same. */
START_TEST (all_that_waits_can_be_cancelled_in_a_closed_pool)
{
  MprocPool *pool = mproc_test_pool (1, _i);
  MprocArray *counters = mproc_test_counters (2);
  MprocResult *running = apply_counting (pool, run_until_asked, counters, 0);
  MprocResult *waiting[20];

  for (guint i = 0; i < 20; i++)
    waiting[i] = apply_counting (pool, mproc_test_count_task, counters, 1);
  mproc_test_await_count (counters, 0, 1);
  mproc_pool_close (pool);
  for (guint i = 0; i < 20; i++)
    {
      ck_assert (mproc_result_kill (waiting[i]));
      mproc_test_expect_failure (waiting[i], MPROC_ERROR_CANCELLED, NULL);
    }
  ck_assert (mproc_result_cancel (running));
  ck_assert (mproc_pool_join (pool, MPROC_SECONDS (50)));
  mproc_test_expect_failure (running, MPROC_ERROR_CANCELLED, NULL);
  ck_assert_int_eq (mproc_test_count (counters, 1), 0);
  mproc_pool_unref (pool);
  mproc_array_unref (counters);
}
END_TEST

/* The last one first.  How long that takes, of @n. */
static gint64
cancel_many (MprocPool *pool, MprocArray *counters, guint n)
{
  MprocResult **waiting = g_new (MprocResult *, n);
  guint n_cancelled = 0;
  gint64 begun, taken;

  for (guint i = 0; i < n; i++)
    waiting[i] = apply_counting (pool, mproc_test_count_task, counters, 1);
  begun = g_get_monotonic_time ();
  for (guint i = n; i > 0; i--)
    n_cancelled += mproc_result_cancel (waiting[i - 1]) != FALSE;
  taken = g_get_monotonic_time () - begun;
  for (guint i = 0; i < n; i++)
    mproc_result_unref (waiting[i]);
  g_free (waiting);
  ck_assert_uint_eq (n_cancelled, n);
  return taken;
}

/* Eight times as many take about eight times as long, and not 64 times. */
START_TEST (what_it_costs_does_not_depend_on_how_many_wait)
{
  guint n = mproc_test_is_slow_platform () ? 500 : 1500;
  MprocPool *pool = mproc_test_pool (1, _i);
  MprocArray *counters = mproc_test_counters (2);
  MprocResult *running = apply_counting (pool, run_until_asked, counters, 0);
  gdouble ratio = G_MAXDOUBLE;

  mproc_test_await_count (counters, 0, 1);
  for (guint tries = 0; tries < 4 && ratio > 25; tries++)
    {
      gint64 few = cancel_many (pool, counters, n);
      gint64 many = cancel_many (pool, counters, 8 * n);

      ratio = MIN (ratio, (gdouble) many / (gdouble) MAX (few, 1));
    }
  ck_assert (ratio <= 25);
  ck_assert (mproc_result_cancel (running));
  mproc_result_unref (running);
  mproc_test_end_pool (pool);
  ck_assert_int_eq (mproc_test_count (counters, 1), 0);
  mproc_array_unref (counters);
}
END_TEST

/* ------------------------------------------------------------------ running ones */

START_TEST (a_running_task_is_asked_to_end)
{
  MprocPool *pool = mproc_test_pool (2, _i);
  MprocArray *counters = mproc_test_counters (2);
  MprocResult *result = apply_counting (pool, give_when_asked, counters, 0);
  MprocResult *other = apply_counting (pool, run_until_asked, counters, 1);
  GVariant *value;

  mproc_test_await_count (counters, 0, 1);
  mproc_test_await_count (counters, 1, 1);
  ck_assert (mproc_result_cancel (result));
  mproc_result_cancel (result);
  value = mproc_result_get (result, MPROC_SECONDS (50), NULL);
  ck_assert_str_eq (g_variant_get_string (value, NULL), "half of it");
  g_variant_unref (value);
  ck_assert (!mproc_result_cancel (result));
  mproc_result_unref (result);
  ck_assert (!mproc_result_is_ready (other));
  ck_assert (mproc_result_cancel (other));
  mproc_test_expect_failure (other, MPROC_ERROR_CANCELLED, NULL);
  mproc_test_expect_service (pool, 10);
  mproc_test_end_pool (pool);
  mproc_array_unref (counters);
}
END_TEST

/* It would not end by itself. */
START_TEST (a_running_task_can_be_killed)
{
  gint rounds = mproc_test_is_slow_platform () ? 2 : 10;
  MprocPool *pool = mproc_test_pool (2, _i);
  MprocArray *counters = mproc_test_counters (12);
  MprocResult *other = apply_counting (pool, run_until_asked, counters, 11);

  mproc_test_await_count (counters, 11, 1);
  for (gint i = 0; i < rounds; i++)
    {
      MprocResult *result =
          apply_counting (pool, mproc_test_run_for_ever, counters, (guint32) i);

      mproc_test_await_count (counters, (guint) i, 1);
      ck_assert (mproc_result_kill (result));
      ck_assert (!mproc_result_kill (result));
      mproc_test_expect_failure (result, MPROC_ERROR_CANCELLED, "pid");
    }
  ck_assert (!mproc_result_is_ready (other));
  ck_assert (mproc_result_cancel (other));
  mproc_test_expect_failure (other, MPROC_ERROR_CANCELLED, NULL);
  mproc_test_expect_service (pool, 10);
  for (gint i = 0; i < rounds; i++)
    mproc_test_let_go (counters, (guint) i); /* threads run on */
  mproc_test_end_pool (pool);
  mproc_array_unref (counters);
}
END_TEST

/* ------------------------------------------------------------------ maps */

static GVariant *
make_items (MprocArray *counters, guint n)
{
  GVariant **items = g_new (GVariant *, n);
  GVariant *all;

  for (guint i = 0; i < n; i++)
    items[i] = mproc_pack ("(hu)", counters, i);
  all = g_variant_new_array (NULL, items, n);
  g_free (items);
  return all;
}

static void
check_map (int method, guint chunk, gboolean kill)
{
  MprocPool *pool = mproc_test_pool (2, method);
  MprocArray *counters = mproc_test_counters (100);
  MprocResult *result = mproc_pool_map_async (pool, run_until_asked,
                                              make_items (counters, 100), chunk, NULL);
  guint begun = 0;

  mproc_test_await_count (counters, 0, 1);
  ck_assert (kill ? mproc_result_kill (result) : mproc_result_cancel (result));
  mproc_test_expect_failure (result, MPROC_ERROR_CANCELLED, NULL);
  for (guint i = 0; i < 100; i++)
    {
      ck_assert_int_le (mproc_test_count (counters, i), 1);
      begun += (guint) mproc_test_count (counters, i);
    }
  ck_assert_uint_le (begun, 2);
  mproc_test_expect_service (pool, 10);
  mproc_test_end_pool (pool);
  mproc_array_unref (counters);
}

START_TEST (a_map_is_cancelled_as_a_whole)
{
  check_map (_i, 1, FALSE);
  check_map (_i, 10, FALSE);
}
END_TEST

START_TEST (a_map_is_killed_as_a_whole)
{
  check_map (_i, 1, TRUE);
  check_map (_i, 10, TRUE);
}
END_TEST

/* ------------------------------------------------------------------ too late */

START_TEST (what_is_done_cannot_be_cancelled)
{
  MprocPool *pool = mproc_test_pool (1, _i);
  MprocArray *counters = mproc_test_counters (2);
  MprocResult *done = apply_counting (pool, mproc_test_count_task, counters, 0);
  MprocResult *refused;
  MprocResult *left;

  ck_assert (mproc_result_wait (done, MPROC_SECONDS (50)));
  ck_assert (!mproc_result_cancel (done));
  ck_assert (!mproc_result_kill (done));
  ck_assert (mproc_result_is_successful (done));
  left = apply_counting (pool, mproc_test_count_task, counters, 0);
  mproc_pool_close (pool);
  refused = apply_counting (pool, mproc_test_count_task, counters, 0);
  ck_assert (!mproc_result_cancel (refused));
  mproc_test_expect_failure (refused, MPROC_ERROR_STATE, NULL);
  mproc_pool_unref (pool);
  ck_assert (!mproc_result_cancel (left));
  ck_assert (!mproc_result_kill (left));
  ck_assert (!mproc_result_cancel (done));
  mproc_result_unref (done);
  mproc_result_unref (left);
  mproc_array_unref (counters);
}
END_TEST

/* ------------------------------------------------------------------ races */

/* A result that was cancelled before it was begun was never begun, any other was begun once; and each
 * comes. */
static void
check_end (MprocResult *result, gint begun, gboolean may_be_killed)
{
  GError *error = NULL;
  GVariant *value = mproc_result_get (result, MPROC_SECONDS (50), &error);

  if (value != NULL)
    ck_assert_int_eq (begun, 1);
  else
    {
      ck_assert_msg (g_error_matches (error, MPROC_ERROR, MPROC_ERROR_CANCELLED), "%s",
                     error->message);
      if (strstr (error->message, "before it was begun") != NULL)
        ck_assert_int_eq (begun, 0);
      else
        ck_assert (may_be_killed && begun <= 1);
    }
  g_clear_error (&error);
  g_clear_pointer (&value, g_variant_unref);
  mproc_result_unref (result);
}

static void
storm (int method, gboolean kill)
{
  gint rounds = mproc_test_scale (mproc_test_is_slow_platform () ? 1 : kill ? 8 : 25);
  MprocPool *pool = mproc_test_pool (3, method);
  gint step = !kill ? 3 : mproc_test_is_slow_platform () ? 40 : 12;

  for (gint round = 0; round < rounds; round++)
    {
      MprocArray *counters = mproc_test_counters (50);
      MprocResult *results[50];

      for (guint32 i = 0; i < 50; i++)
        results[i] = apply_counting (pool, mproc_test_count_task, counters, i);
      for (guint i = 0; i < 50; i += (guint) g_random_int_range (1, step))
        if (kill)
          mproc_result_kill (results[i]);
        else
          mproc_result_cancel (results[i]);
      for (guint i = 0; i < 50; i++)
        {
          mproc_result_wait (results[i], MPROC_SECONDS (50));
          check_end (results[i], mproc_test_count (counters, i), kill);
        }
      mproc_array_unref (counters);
    }
  mproc_test_expect_service (pool, 10);
  mproc_test_end_pool (pool);
}

START_TEST (cancelling_races_with_running) { storm (_i, FALSE); }
END_TEST

START_TEST (killing_races_with_running) { storm (_i, TRUE); }
END_TEST

typedef struct
{
  MprocResult *results[100];
  gint stop;
} Cancelled;

static gpointer
cancel_all (gpointer data)
{
  Cancelled *self = data;

  while (!g_atomic_int_get (&self->stop))
    for (guint i = 0; i < 100; i++)
      if (i % 5 != 0)
        mproc_result_cancel (self->results[i]);
      else
        mproc_result_kill (self->results[i]);
  return NULL;
}

/* The pool goes while another thread cancels its tasks. */
START_TEST (a_pool_may_end_meanwhile)
{
  gint rounds = mproc_test_scale (mproc_test_is_slow_platform () ? 1 : 8);

  for (gint round = 0; round < rounds; round++)
    {
      MprocPool *pool = mproc_test_pool (2, _i);
      MprocArray *counters = mproc_test_counters (1);
      Cancelled all = { .stop = FALSE };
      GThread *thread;

      for (guint i = 0; i < 100; i++)
        all.results[i] = apply_counting (pool, mproc_test_count_task, counters, 0);
      thread = g_thread_new ("cancel", cancel_all, &all);
      if (round % 2 == 0)
        mproc_pool_close (pool);
      else
        mproc_pool_terminate (pool);
      ck_assert (mproc_pool_join (pool, MPROC_SECONDS (50)));
      mproc_pool_unref (pool);
      g_atomic_int_set (&all.stop, TRUE);
      g_thread_join (thread);
      for (guint i = 0; i < 100; i++)
        {
          ck_assert (mproc_result_is_ready (all.results[i]));
          mproc_result_unref (all.results[i]);
        }
      mproc_array_unref (counters);
    }
}
END_TEST

START_TEST (mistakes_are_criticals)
{
  MprocArray *counters = mproc_test_counters (1);

  g_test_expect_message ("mproc", G_LOG_LEVEL_CRITICAL, "*MPROC_KIND_RESULT*");
  ck_assert (!mproc_result_cancel ((gpointer) counters));
  g_test_expect_message ("mproc", G_LOG_LEVEL_CRITICAL, "*MPROC_KIND_RESULT*");
  ck_assert (!mproc_result_kill (NULL));
  g_test_assert_expected_messages ();
  mproc_array_unref (counters);
}
END_TEST

Suite *
mproc_test_pool_cancel_suite (void)
{
  Suite *suite = suite_create ("pool-cancel");
  TCase *tcase = mproc_test_case (suite, "pool-cancel");
  int n = (int) mproc_test_n_methods ();

  tcase_add_loop_test (tcase, a_task_that_waits_never_runs, 0, n);
  tcase_add_loop_test (tcase, all_that_waits_can_be_cancelled_in_a_closed_pool, 0, n);
  tcase_add_loop_test (tcase, what_it_costs_does_not_depend_on_how_many_wait, 0, n);
  tcase_add_loop_test (tcase, a_running_task_is_asked_to_end, 0, n);
  tcase_add_loop_test (tcase, a_running_task_can_be_killed, 0, n);
  tcase_add_loop_test (tcase, a_map_is_cancelled_as_a_whole, 0, n);
  tcase_add_loop_test (tcase, a_map_is_killed_as_a_whole, 0, n);
  tcase_add_loop_test (tcase, what_is_done_cannot_be_cancelled, 0, n);
  tcase_add_loop_test (tcase, cancelling_races_with_running, 0, n);
  tcase_add_loop_test (tcase, killing_races_with_running, 0, n);
  tcase_add_loop_test (tcase, a_pool_may_end_meanwhile, 0, n);
  tcase_add_test (tcase, mistakes_are_criticals);
  return suite;
}
