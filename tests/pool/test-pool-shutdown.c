/* SPDX-License-Identifier: MIT */
/* Pools that end within a time, and the terminal's interrupt. */
#include "group.h"
#include "pools.h"

#include <string.h>

#define NO_TIME 0
#define PLENTY MPROC_SECONDS (50)

static GVariant *
tell_serial (GVariant *args, GError **error)
{
  (void) error;
  return g_variant_ref (args);
}

static GVariant *
fails_always (GVariant *args, GError **error)
{
  (void) args;
  g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_FAILED, "as it should");
  return NULL;
}

static void
expect_counts (const MprocPoolReport *report,
               guint done,
               guint cancelled,
               guint stopped,
               guint killed)
{
  char *text = mproc_pool_report_to_string (report);

  ck_assert_msg (mproc_pool_report_get_n_done (report) == done &&
                     mproc_pool_report_get_n_cancelled (report) == cancelled &&
                     mproc_pool_report_get_n_stopped (report) == stopped &&
                     mproc_pool_report_get_n_killed (report) == killed,
                 "%s", text);
  g_free (text);
}

START_TEST (what_is_there_is_done_first)
{
  MprocPool *pool = mproc_test_pool (2, _i);
  MprocResult *results[20];
  MprocPoolReport *report;
  char *text;

  for (gint32 i = 0; i < 20; i++)
    results[i] = mproc_pool_apply_async (pool, i == 7 ? fails_always : tell_serial,
                                         g_variant_new_int32 (i), NULL);
  report = mproc_pool_shutdown (pool, PLENTY, PLENTY);
  /* Some may have been done before it was called. */
  expect_counts (report, mproc_pool_report_get_n_done (report), 0, 0, 0);
  ck_assert (mproc_pool_report_has_ended (report));
  ck_assert_ptr_null (mproc_pool_report_get_killed (report)[0]);
  text = mproc_pool_report_to_string (report);
  ck_assert_msg (strstr (text, "tasks done, 0 cancelled, 0 stopped, 0 killed") != NULL,
                 "%s", text);
  g_free (text);
  mproc_pool_report_free (report);
  for (gint32 i = 0; i < 20; i++)
    if (i == 7)
      mproc_test_expect_failure (results[i], MPROC_ERROR_FAILED, "as it should");
    else
      g_variant_unref (mproc_test_value_of (results[i]));
  mproc_pool_unref (pool);
}
END_TEST

START_TEST (tasks_that_look_are_stopped_and_those_that_wait_cancelled)
{
  MprocPool *pool = mproc_test_pool (2, _i);
  MprocTestGate gate;
  MprocResult *running[2], *waiting[3];
  MprocPoolReport *report;
  GError *error = NULL;

  mproc_test_gate_init (&gate);
  for (guint i = 0; i < 2; i++)
    running[i] = mproc_test_gate_occupy (&gate, pool, mproc_test_occupy);
  for (gint32 i = 0; i < 3; i++)
    waiting[i] =
        mproc_pool_apply_async (pool, tell_serial, g_variant_new_int32 (i), NULL);
  report = mproc_pool_shutdown (pool, NO_TIME, PLENTY);
  expect_counts (report, 0, 3, 2, 0);
  ck_assert (mproc_pool_report_has_ended (report));
  mproc_pool_report_free (report);
  for (guint i = 0; i < 2; i++)
    mproc_test_expect_failure (running[i], MPROC_ERROR_CANCELLED, "while it ran");
  for (guint i = 0; i < 3; i++)
    mproc_test_expect_failure (waiting[i], MPROC_ERROR_CANCELLED, "not begun");
  ck_assert (!mproc_pool_push (pool, fails_always, NULL, &error));
  ck_assert (g_error_matches (error, MPROC_ERROR, MPROC_ERROR_STATE));
  g_error_free (error);
  mproc_pool_unref (pool);
  mproc_test_gate_clear (&gate);
}
END_TEST

/* One task of two is stuck.  Returns how long the shutdown took. */
static gint64
shut_down_stuck (int i, gint64 drain, gint64 stop)
{
  MprocPool *pool = mproc_test_pool (2, i);
  gboolean is_thread = mproc_test_method (i) == MPROC_START_METHOD_THREAD;
  MprocTaskOptions *options = mproc_task_options_new ();
  MprocTestGate gate;
  MprocResult *stuck, *looking, *waiting;
  MprocPoolReport *report;
  gint64 start, taken;

  mproc_test_gate_init (&gate);
  mproc_task_options_set_name (options, "the stuck one");
  looking = mproc_test_gate_occupy (&gate, pool, mproc_test_occupy);
  stuck = mproc_test_gate_submit (&gate, pool, mproc_test_be_stuck, options);
  mproc_test_gate_await (&gate);
  waiting = mproc_pool_apply_async (pool, tell_serial, NULL, NULL);
  start = g_get_monotonic_time ();
  report = mproc_pool_shutdown (pool, drain, stop);
  taken = g_get_monotonic_time () - start;
  ck_assert_uint_eq (mproc_pool_report_get_n_done (report), 0);
  ck_assert_uint_eq (mproc_pool_report_get_n_cancelled (report), 1);
  /* Without time to look the other one is killed too. */
  ck_assert_uint_eq (mproc_pool_report_get_n_killed (report) +
                         mproc_pool_report_get_n_stopped (report),
                     2);
  ck_assert (g_strv_contains (mproc_pool_report_get_killed (report),
                              "task 2 (the stuck one)"));
  mproc_test_expect_failure (stuck, MPROC_ERROR_CANCELLED, "killed");
  mproc_test_expect_failure (looking, MPROC_ERROR_CANCELLED, "");
  mproc_test_expect_failure (waiting, MPROC_ERROR_CANCELLED, "not begun");
  if (is_thread) /* which runs on until its function returns */
    {
      ck_assert (!mproc_pool_report_has_ended (report));
      mproc_test_gate_open (&gate, 2, 0);
    }
  ck_assert (mproc_pool_join (pool, PLENTY));
  mproc_pool_report_free (report);
  mproc_pool_unref (pool);
  mproc_test_gate_clear (&gate);
  mproc_task_options_free (options);
  return taken;
}

START_TEST (stuck_tasks_are_killed) { shut_down_stuck (_i, NO_TIME, NO_TIME); }
END_TEST

START_TEST (it_comes_back_in_time)
{
  gint64 best = G_MAXINT64;

  for (gint attempt = 0; attempt < 3 && best > MPROC_SECONDS (1.5); attempt++)
    {
      gint64 taken = shut_down_stuck (_i, MPROC_SECONDS (0.7), MPROC_SECONDS (0.3));

      best = MIN (best, taken);
    }
  ck_assert_int_ge (best, MPROC_SECONDS (1));
  ck_assert_int_le (best, MPROC_SECONDS (1.5));
}
END_TEST

START_TEST (a_pool_that_has_ended_is_shut_down_again)
{
  MprocPool *pool = mproc_test_pool (1, _i);
  MprocPoolReport *report;

  mproc_pool_terminate (pool);
  for (guint i = 0; i < 2; i++)
    {
      report = mproc_pool_shutdown (pool, PLENTY, NO_TIME);
      expect_counts (report, 0, 0, 0, 0);
      ck_assert (mproc_pool_report_has_ended (report));
      mproc_pool_report_free (report);
    }
  mproc_pool_unref (pool);
}
END_TEST

/* ------------------------------------------------------------------ the interrupt */

static gboolean
is_value (MprocResult *result, GError **error)
{
  GVariant *value = mproc_result_get (result, PLENTY, error);

  mproc_result_unref (result);
  if (value == NULL)
    return FALSE;
  g_variant_unref (value);
  return TRUE;
}

/* Interrupted while both workers run a task, which must not take note of it. */
static gboolean
interrupt_workers (MprocPool *pool, GError **error)
{
  MprocResult *results[2];
  MprocTestGate gate;
  gboolean ok = TRUE;

  mproc_test_gate_init (&gate);
  for (guint i = 0; i < 2; i++)
    results[i] = mproc_test_gate_submit (&gate, pool, mproc_test_be_stuck, NULL);
  for (guint i = 0; i < 2; i++)
    g_variant_unref (mproc_queue_get (gate.begun, MPROC_FOREVER, NULL));
  mproc_test_interrupt_group ();
  mproc_test_gate_open (&gate, 2, 0);
  for (guint i = 0; i < 2; i++)
    ok = is_value (results[i], ok ? error : NULL) && ok;
  mproc_test_gate_clear (&gate);
  return ok;
}

/* Pools that are interrupted while their workers start, as well. */
static GVariant *
lead_and_interrupt (GVariant *args, GError **error)
{
  MprocStartMethod method = (MprocStartMethod) g_variant_get_uint32 (args);

  if (!mproc_test_lead_group ())
    return NULL;
  for (guint n = 1; n <= 3 && *error == NULL; n++)
    {
      MprocPool *pool = mproc_test_try_pool (2, method, error);

      if (pool == NULL)
        return NULL;
      if (interrupt_workers (pool, error) && mproc_test_count_interrupts () != n)
        g_set_error (error, MPROC_ERROR, MPROC_ERROR_FAILED, "%u interrupts, not %u",
                     mproc_test_count_interrupts (), n);
      mproc_pool_close (pool);
      mproc_pool_join (pool, PLENTY);
      mproc_pool_unref (pool);
    }
  return NULL;
}

START_TEST (an_interrupt_is_the_parents_alone)
{
  MprocStartMethod method = mproc_test_method (_i);
  MprocProcess *process =
      mproc_process_new (lead_and_interrupt, g_variant_new_uint32 (method));
  int code = -1;

  /* In a process of its own, since it becomes the head of a group. */
  mproc_process_set_start_method (process, method == MPROC_START_METHOD_THREAD
                                               ? MPROC_START_METHOD_SPAWN
                                               : method);
  ck_assert (mproc_process_start (process, NULL));
  ck_assert (mproc_process_join (process, PLENTY));
  ck_assert (mproc_process_get_exit_code (process, &code));
  ck_assert_int_eq (code, 0);
  mproc_process_unref (process);
}
END_TEST

Suite *
mproc_test_pool_shutdown_suite (void)
{
  Suite *suite = suite_create ("pool-shutdown");
  TCase *tcase = mproc_test_case (suite, "pool-shutdown");
  int n = (int) mproc_test_n_methods ();

  tcase_add_loop_test (tcase, what_is_there_is_done_first, 0, n);
  tcase_add_loop_test (tcase, tasks_that_look_are_stopped_and_those_that_wait_cancelled,
                       0, n);
  tcase_add_loop_test (tcase, stuck_tasks_are_killed, 0, n);
  tcase_add_loop_test (tcase, it_comes_back_in_time, 0, n);
  tcase_add_loop_test (tcase, a_pool_that_has_ended_is_shut_down_again, 0, n);
  tcase_add_loop_test (tcase, an_interrupt_is_the_parents_alone, 0, n);
  return suite;
}
