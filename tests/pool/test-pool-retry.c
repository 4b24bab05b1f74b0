/* SPDX-License-Identifier: MIT */
/* Workers that die: what the error tells, which tasks are begun again, when a pool gives up. */
#include "pools.h"

#include "kill.h"
#include "os.h"

#include <string.h>

static MprocTaskOptions *
attempts (guint n)
{
  MprocTaskOptions *options = mproc_task_options_new ();

  mproc_task_options_set_attempts (options, n);
  mproc_task_options_set_name (options, "my task");
  return options;
}

#define N_COUNTERS 10

/* A pool whose workers die, and the tasks that they die of. */
typedef struct
{
  MprocPool *pool;
  MprocTaskOptions *options;
  MprocArray *counters;
} Loss;

/* FALSE where workers cannot be killed. */
static gboolean
loss_init (Loss *self, guint n_workers, int i, guint n_attempts)
{
  if (mproc_test_is_thread (i))
    return FALSE;
  self->pool = mproc_test_pool (n_workers, i);
  self->options = attempts (n_attempts);
  self->counters = mproc_test_counters (N_COUNTERS);
  return TRUE;
}

static void
loss_clear (Loss *self)
{
  mproc_test_end_pool (self->pool);
  mproc_task_options_free (self->options);
  mproc_array_unref (self->counters);
}

/* ------------------------------------------------------------------ functions that run there */

/* `(huu)`: counts itself, and kills its worker until it is begun for the so-many-th time. */
static GVariant *
need_attempts (GVariant *args, GError **error)
{
  MprocArray *counters;
  guint32 i, needed;

  if (!mproc_unpack (args, error, "(&huu)", &counters, &i, &needed))
    return NULL;
  mproc_test_count_one (counters, i);
  if (mproc_task_get_attempt () != (guint) mproc_test_count (counters, i))
    g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_FAILED, "miscounted");
  else if (mproc_task_get_attempt () < needed)
    mproc_os_kill_self ();
  return g_variant_new_uint32 (mproc_task_get_attempt ());
}

/* ------------------------------------------------------------------ lost workers */

START_TEST (the_error_tells_all)
{
  Loss loss;
  MprocResult *result;
  char *text;

  if (!loss_init (&loss, 1, _i, 1))
    return; /* threads cannot be killed */
  text = g_strdup_printf ("the worker (pid %" G_GINT64_FORMAT
                          ") that ran task 2 (my task) ended with exit code 6, "
                          "attempt 1 of 1",
                          mproc_test_ask (loss.pool, mproc_test_tell_pid));
  result =
      mproc_pool_apply_async (loss.pool, mproc_test_exit_with_six, NULL, loss.options);
  mproc_test_expect_failure (result, MPROC_ERROR_WORKER_DIED, text);
  /* A task without a name is told by its function's, where the system knows that. */
  g_free (text);
  text = mproc_os_symbol_at ((gconstpointer) (guintptr) mproc_test_exit_with_six);
  result = mproc_pool_apply_async (loss.pool, mproc_test_exit_with_six, NULL, NULL);
  mproc_test_expect_failure (result, MPROC_ERROR_WORKER_DIED,
                             text != NULL ? "task 3 (mproc_test_exit_with_six)"
                                          : "task 3 (mproc-tests");
  g_free (text);
  loss_clear (&loss);
}
END_TEST

START_TEST (a_task_is_begun_again_as_often_as_allowed)
{
  Loss loss;
  MprocResult *results[4];

  if (!loss_init (&loss, 2, _i, 3))
    return; /* threads cannot be killed */
  for (guint32 i = 0; i < 4; i++)
    results[i] = mproc_pool_apply_async (loss.pool, need_attempts,
                                         mproc_pack ("(huu)", loss.counters, i, i + 1),
                                         loss.options);
  for (guint i = 0; i < 3; i++)
    {
      mproc_test_expect_success (results[i]);
      ck_assert_int_eq (mproc_test_count (loss.counters, i), (gint) i + 1);
    }
  mproc_test_expect_failure (mproc_result_ref (results[3]), MPROC_ERROR_WORKER_DIED,
                             "attempt 3 of 3");
  mproc_test_expect_failure (results[3], MPROC_ERROR_WORKER_DIED, "poison");
  ck_assert_int_eq (mproc_test_count (loss.counters, 3), 3);
  mproc_test_expect_service (loss.pool, 10);
  loss_clear (&loss);
}
END_TEST

START_TEST (nothing_is_begun_twice_by_itself)
{
  Loss loss;
  MprocResult *results[10];

  if (!loss_init (&loss, 2, _i, 1))
    return; /* threads cannot be killed */
  for (guint32 i = 0; i < 10; i++)
    results[i] = mproc_pool_apply_async (loss.pool, need_attempts,
                                         mproc_pack ("(huu)", loss.counters, i,
                                                     i % 3 == 0 ? 2u : 1u),
                                         NULL);
  for (guint i = 0; i < 10; i++)
    {
      if (i % 3 == 0)
        mproc_test_expect_failure (results[i], MPROC_ERROR_WORKER_DIED, NULL);
      else
        mproc_test_expect_success (results[i]);
      ck_assert_int_eq (mproc_test_count (loss.counters, i), 1);
    }
  loss_clear (&loss);
}
END_TEST

/* Its last worker dies when no task waits any more. */
START_TEST (a_closed_pool_begins_again)
{
  Loss loss;
  MprocResult *result;

  if (!loss_init (&loss, 1, _i, 3))
    return; /* threads cannot be killed */
  result =
      mproc_pool_apply_async (loss.pool, need_attempts,
                              mproc_pack ("(huu)", loss.counters, 0u, 3u), loss.options);
  mproc_pool_close (loss.pool);
  mproc_test_expect_success (result);
  loss_clear (&loss);
}
END_TEST

START_TEST (a_map_begins_its_chunks_again)
{
  Loss loss;
  GVariant *items[6];
  GVariant *all;
  MprocResult *result;

  if (!loss_init (&loss, 2, _i, 2))
    return; /* threads cannot be killed */
  for (guint32 i = 0; i < 6; i++)
    items[i] = mproc_pack ("(huu)", loss.counters, i, i % 2 + 1);
  all = g_variant_new_array (NULL, items, 6);
  result = mproc_pool_map_async (loss.pool, need_attempts, all, 1, loss.options);
  mproc_test_expect_success (result);
  for (guint i = 0; i < 6; i++)
    ck_assert_int_eq (mproc_test_count (loss.counters, i), (gint) i % 2 + 1);
  loss_clear (&loss);
}
END_TEST

/* A limit's death is the task's own doing, and not tried again; nor is one that was cancelled. */
START_TEST (what_was_condemned_is_not_begun_again)
{
  Loss loss;
  MprocResult *result;

  if (!loss_init (&loss, 1, _i, 5))
    return; /* threads cannot be killed */
  result = mproc_pool_apply_async (loss.pool, mproc_test_run_for_ever,
                                   mproc_pack ("(hu)", loss.counters, 0u), loss.options);
  mproc_test_await_count (loss.counters, 0, 1);
  ck_assert (mproc_result_kill (result));
  mproc_test_expect_failure (result, MPROC_ERROR_CANCELLED, NULL);
  mproc_task_options_set_hard_limit (loss.options, 30000);
  result = mproc_pool_apply_async (loss.pool, mproc_test_run_for_ever,
                                   mproc_pack ("(hu)", loss.counters, 1u), loss.options);
  mproc_test_expect_failure (result, MPROC_ERROR_TIMED_OUT, NULL);
  mproc_test_expect_service (loss.pool, 3);
  for (guint i = 0; i < 2; i++)
    ck_assert_int_eq (mproc_test_count (loss.counters, i), 1);
  loss_clear (&loss);
}
END_TEST

/* One who was only asked to end, and died. */
START_TEST (what_was_cancelled_is_not_begun_again)
{
  Loss loss;
  MprocResult *result;
  gint64 pid;

  if (!loss_init (&loss, 1, _i, 5))
    return; /* threads cannot be killed */
  pid = mproc_test_ask (loss.pool, mproc_test_tell_pid);
  result = mproc_pool_apply_async (loss.pool, mproc_test_run_for_ever,
                                   mproc_pack ("(hu)", loss.counters, 0u), loss.options);
  mproc_test_await_count (loss.counters, 0, 1);
  ck_assert (mproc_result_cancel (result));
  mproc_test_kill_pid (pid);
  mproc_test_expect_failure (result, MPROC_ERROR_CANCELLED, NULL);
  mproc_test_expect_service (loss.pool, 3);
  ck_assert_int_eq (mproc_test_count (loss.counters, 0), 1);
  loss_clear (&loss);
}
END_TEST

START_TEST (a_killed_nursery_costs_an_attempt)
{
  MprocPool *pool = mproc_test_pool (2, 0);
  MprocTaskOptions *options = attempts (2);
  MprocArray *counters = mproc_test_counters (3);
  gint64 nursery = mproc_test_ask (pool, mproc_test_tell_parent);
  MprocResult *results[2];

  for (guint32 i = 0; i < 2; i++)
    {
      results[i] = mproc_pool_apply_async (pool, mproc_test_run_for_ever,
                                           mproc_pack ("(hu)", counters, i),
                                           i == 0 ? options : NULL);
      mproc_test_await_count (counters, i, 1);
    }
  mproc_test_kill_pid (nursery);
  mproc_test_await_count (counters, 0, 2);
  mproc_test_let_go (counters, 0);
  mproc_test_expect_success (results[0]);
  mproc_test_expect_failure (results[1], MPROC_ERROR_WORKER_DIED, "attempt 1 of 1");
  ck_assert_int_eq (mproc_test_count (counters, 1), 1);
  mproc_test_end_pool (pool);
  mproc_task_options_free (options);
  mproc_array_unref (counters);
}
END_TEST

/* ------------------------------------------------------------------ initializers */

/* `(hi)`: counts itself; those up to that count end at once, by exit code or (negative) by a signal. */
static GVariant *
crash_first (GVariant *args, GError **error)
{
  MprocArray *counters;
  gint32 n, code;

  if (!mproc_unpack (args, error, "(&hii)", &counters, &n, &code))
    return NULL;
  mproc_test_count_one (counters, 0);
  if (mproc_test_count (counters, 0) > n)
    return NULL;
  if (code < 0)
    mproc_os_kill_self ();
  mproc_process_exit (code);
  return NULL;
}

static MprocPool *
pool_with_initializer (int i, MprocArray *counters, gint32 n_crashes, gint32 code)
{
  MprocPoolOptions *options = mproc_test_pool_options (i);

  mproc_pool_options_set_initializer (options, crash_first,
                                      mproc_pack ("(hii)", counters, n_crashes, code));
  return mproc_test_pool_with (3, options);
}

static void
check_crash_loop (int i, gint32 code, const char *text)
{
  MprocArray *counters = mproc_test_counters (1);
  MprocPool *pool = pool_with_initializer (i, counters, 1000, code);
  MprocResult *results[10];
  GError *error = NULL;

  for (guint k = 0; k < 10; k++)
    results[k] = mproc_pool_apply_async (pool, mproc_test_tell_pid, NULL, NULL);
  for (guint k = 0; k < 10; k++)
    {
      mproc_test_expect_failure (mproc_result_ref (results[k]), MPROC_ERROR_STATE, text);
      mproc_test_expect_failure (results[k], MPROC_ERROR_STATE, "initializer");
    }
  ck_assert (!mproc_pool_push (pool, mproc_test_tell_pid, NULL, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_STATE, "");
  mproc_test_end_pool (pool);
  ck_assert_int_le (mproc_test_count (counters, 0), 10);
  mproc_array_unref (counters);
}

START_TEST (an_initializer_that_exits_breaks_the_pool)
{
  check_crash_loop (_i, 3, "exit code 3");
  check_crash_loop (_i, 0, "exit code 0");
}
END_TEST

START_TEST (an_initializer_that_crashes_breaks_the_pool)
{
  if (!mproc_test_is_thread (_i))
    check_crash_loop (_i, -1, "the last");
}
END_TEST

START_TEST (an_initializer_that_crashes_now_and_then_does_not)
{
  MprocArray *counters = mproc_test_counters (1);
  MprocPool *pool = pool_with_initializer (_i, counters, 4, 1);

  mproc_test_expect_service (pool, 20);
  mproc_test_end_pool (pool);
  mproc_array_unref (counters);
}
END_TEST

/* ------------------------------------------------------------------ how often they are replaced */

static gpointer
kill_soon (gpointer data)
{
  g_usleep (2000);
  mproc_os_kill_self ();
}

/* `(h)`: says so, and its worker is ready before it dies. */
static GVariant *
begin_and_die (GVariant *args, GError **error)
{
  MprocQueue *begun;

  if (!mproc_unpack (args, error, "(&h)", &begun))
    return NULL;
  mproc_test_tell (begun, 1);
  g_thread_unref (g_thread_new ("killer", kill_soon, NULL));
  return NULL;
}

/* In this time, from the first one on. */
static guint
count_starts (int i, gint64 time)
{
  MprocPoolOptions *options = mproc_test_pool_options (i);
  MprocQueue *begun = mproc_queue_new (0, NULL);
  guint n = 0;
  MprocPool *pool;
  gint64 end, left;

  mproc_pool_options_set_initializer (options, begin_and_die, mproc_pack ("(h)", begun));
  pool = mproc_test_pool_with (1, options);
  mproc_test_expect_number (begun, 1);
  end = g_get_monotonic_time () + time;
  while ((left = end - g_get_monotonic_time ()) > 0)
    n += mproc_test_hear (begun, left) == 1;
  mproc_pool_unref (pool);
  mproc_queue_unref (begun);
  return n;
}

/* The pauses are of 10, 20, 40 ms and so on: 7 in the first 0.7 seconds.  On a busy machine a worker may
 * live long enough to count as one that was of use, and without the pauses there are some 200 by fork. */
START_TEST (workers_that_are_of_no_use_are_replaced_ever_more_slowly)
{
  guint least = G_MAXUINT;

  for (guint i = 0; i < 6 && least > 12; i++)
    {
      guint n = count_starts (_i, MPROC_SECONDS (0.7));

      least = MIN (least, n);
    }
  ck_assert_uint_le (least, 12);
}
END_TEST

Suite *
mproc_test_pool_retry_suite (void)
{
  Suite *suite = suite_create ("pool-retry");
  TCase *tcase = mproc_test_case (suite, "pool-retry");
  int n = (int) mproc_test_n_methods ();

  tcase_add_loop_test (tcase, the_error_tells_all, 0, n);
  tcase_add_loop_test (tcase, a_task_is_begun_again_as_often_as_allowed, 0, n);
  tcase_add_loop_test (tcase, nothing_is_begun_twice_by_itself, 0, n);
  tcase_add_loop_test (tcase, a_closed_pool_begins_again, 0, n);
  tcase_add_loop_test (tcase, a_map_begins_its_chunks_again, 0, n);
  tcase_add_loop_test (tcase, what_was_condemned_is_not_begun_again, 0, n);
  tcase_add_loop_test (tcase, what_was_cancelled_is_not_begun_again, 0, n);
  tcase_add_loop_test (tcase, an_initializer_that_exits_breaks_the_pool, 0, n);
  tcase_add_loop_test (tcase, an_initializer_that_crashes_breaks_the_pool, 0, n);
  tcase_add_loop_test (tcase, an_initializer_that_crashes_now_and_then_does_not, 0, n);
  for (int i = 0; i < n; i++)
    if (mproc_test_method (i) !=
        MPROC_START_METHOD_THREAD) /* which dies with the program */
      tcase_add_loop_test (tcase,
                           workers_that_are_of_no_use_are_replaced_ever_more_slowly, i,
                           i + 1);
  if (mproc_test_can_fork () && mproc_test_method (0) == MPROC_START_METHOD_FORK)
    tcase_add_test (tcase, a_killed_nursery_costs_an_attempt);
  return suite;
}
