/* SPDX-License-Identifier: MIT */
/* One process: made, started, looked at, ended. */
#include "processes.h"

#include "os.h"
#include "process/process.h"

#include <string.h>

/* ------------------------------------------------------------------ running */

static GVariant *
say_args (GVariant *args, GError **error)
{
  MprocQueue *queue;
  const char *text;

  if (mproc_unpack (args, error, "(&h&s)", &queue, &text))
    mproc_test_say (queue, text);
  return NULL;
}

START_TEST (runs_its_function)
{
  MprocQueue *queue = mproc_queue_new (0, NULL);
  MprocProcess *process =
      mproc_test_start (_i, say_args, mproc_pack ("(hs)", queue, "hello bob"));

  mproc_test_expect_text (queue, "hello bob");
  mproc_test_end_with (process, 0);
  mproc_queue_unref (queue);
}
END_TEST

START_TEST (several_at_once_and_in_turn)
{
  MprocQueue *queue = mproc_queue_new (0, NULL);
  MprocProcess *processes[5];

  for (guint i = 0; i < G_N_ELEMENTS (processes); i++)
    processes[i] = mproc_test_start (_i, say_args, mproc_pack ("(hs)", queue, "x"));
  for (guint i = 0; i < G_N_ELEMENTS (processes); i++)
    mproc_test_end_with (processes[i], 0);
  for (guint i = 0; i < G_N_ELEMENTS (processes); i++)
    mproc_test_end_with (mproc_test_start (_i, say_args, mproc_pack ("(hs)", queue, "x")),
                         0);
  for (guint i = 0; i < 2 * G_N_ELEMENTS (processes); i++)
    mproc_test_expect_text (queue, "x");
  mproc_queue_unref (queue);
}
END_TEST

START_TEST (no_function_is_fine)
{
  mproc_test_end_with (mproc_test_start (_i, NULL, NULL), 0);
  mproc_test_end_with (mproc_test_start (_i, NULL, g_variant_new_int32 (1)), 0);
}
END_TEST

static GVariant *
exit_by_type (GVariant *args, GError **error)
{
  (void) error;
  mproc_process_exit (g_variant_is_of_type (args, G_VARIANT_TYPE_UNIT) ? 3 : 4);
}

START_TEST (no_args_arrive_as_unit)
{
  mproc_test_end_with (mproc_test_start (_i, exit_by_type, NULL), 3);
  mproc_test_end_with (mproc_test_start (_i, exit_by_type, g_variant_new_int32 (1)), 4);
}
END_TEST

static GVariant *
return_value (GVariant *args, GError **error)
{
  (void) error;
  return g_variant_get_boolean (args) ? g_variant_ref (args)
                                      : g_variant_new_string ("floating");
}

START_TEST (returned_values_are_dropped)
{
  mproc_test_end_with (mproc_test_start (_i, return_value, g_variant_new_boolean (TRUE)),
                       0);
  mproc_test_end_with (mproc_test_start (_i, return_value, g_variant_new_boolean (FALSE)),
                       0);
}
END_TEST

static GVariant *
say_other (GVariant *args, GError **error)
{
  MprocQueue *queue;
  const char *text;

  if (mproc_unpack (args, error, "(&h&s)", &queue, &text))
    mproc_test_say (queue, "other");
  return NULL;
}

START_TEST (function_can_be_replaced)
{
  MprocQueue *queue = mproc_queue_new (0, NULL);
  MprocProcess *process = mproc_process_new (say_args, mproc_pack ("(hs)", queue, "x"));

  mproc_process_set_func (process, say_other);
  mproc_test_start_it (_i, process);
  mproc_test_expect_text (queue, "other");
  mproc_test_end_with (process, 0);
  mproc_queue_unref (queue);
}
END_TEST

static GVariant *
fail_quietly (GVariant *args, GError **error)
{
  (void) args;
  g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_FAILED,
                       "Invalid value (expected line)");
  return NULL;
}

START_TEST (runs_here_and_now)
{
  MprocProcess *process = mproc_process_new (fail_quietly, NULL);
  GError *error = NULL;

  ck_assert (!mproc_process_run (process, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_FAILED, "Invalid value");
  mproc_process_set_func (process, NULL);
  ck_assert (mproc_process_run (process, &error));
  mproc_process_unref (process);
}
END_TEST

/* ------------------------------------------------------------------ exit codes */

static GVariant *
exit_with (GVariant *args, GError **error)
{
  (void) error;
  mproc_process_exit (g_variant_get_int32 (args));
}

START_TEST (exit_codes)
{
  mproc_test_end_with (mproc_test_start (_i, exit_with, g_variant_new_int32 (0)), 0);
  mproc_test_end_with (mproc_test_start (_i, exit_with, g_variant_new_int32 (7)), 7);
  mproc_test_end_with (mproc_test_start (_i, exit_with, g_variant_new_int32 (256 + 9)),
                       mproc_os_can_fork () ? 9 : 256 + 9);
  mproc_test_end_with (mproc_test_start (_i, fail_quietly, NULL), 1);
}
END_TEST

START_TEST (signals_show_in_the_exit_code)
{
  MprocQueue *queue = mproc_queue_new (0, NULL);
  gboolean is_thread = mproc_test_is_thread (_i);
  gboolean has_signals = mproc_os_can_fork ();
  GError *error = NULL;
  MprocProcess *process;

  if (!is_thread)
    {
      process =
          mproc_test_start (_i, mproc_test_wait_in_queue, mproc_pack ("(h)", queue));
      ck_assert (mproc_process_kill (process, NULL));
      mproc_test_end_with (process, has_signals ? -9 : -15);
      process =
          mproc_test_start (_i, mproc_test_wait_in_queue, mproc_pack ("(h)", queue));
      ck_assert (mproc_process_terminate (process, NULL));
      mproc_process_ref (process);
      mproc_test_end_with (process, -15);
      /* One that has ended is no error. */
      ck_assert (mproc_process_kill (process, NULL));
      mproc_process_unref (process);
    }
  process = mproc_test_start (_i, mproc_test_wait_in_queue, mproc_pack ("(h)", queue));
  ck_assert (mproc_process_interrupt (process, &error) == (!is_thread && has_signals));
  if (error != NULL)
    {
      mproc_test_expect_error (&error, MPROC_ERROR_NOT_SUPPORTED, "");
      mproc_test_say (queue, "go on");
    }
  mproc_test_end_with (process, !is_thread && has_signals ? -2 : 0);
  mproc_queue_unref (queue);
}
END_TEST

START_TEST (threads_cannot_be_ended)
{
  MprocQueue *queue = mproc_queue_new (0, NULL);
  MprocProcess *process =
      mproc_process_new (mproc_test_wait_in_queue, mproc_pack ("(h)", queue));
  GError *error = NULL;

  mproc_process_set_start_method (process, MPROC_START_METHOD_THREAD);
  ck_assert (mproc_process_start (process, NULL));
  ck_assert (!mproc_process_kill (process, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_NOT_SUPPORTED, "thread");
  ck_assert (!mproc_process_terminate (process, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_NOT_SUPPORTED, "thread");
  ck_assert_int_eq (mproc_process_get_pid (process), mproc_os_pid ());
  mproc_test_say (queue, "go on");
  mproc_test_end_with (process, 0);
  mproc_queue_unref (queue);
}
END_TEST

/* ------------------------------------------------------------------ life */

START_TEST (alive_from_start_to_end)
{
  MprocQueue *queue = mproc_queue_new (0, NULL);
  MprocProcess *process =
      mproc_process_new (mproc_test_wait_in_queue, mproc_pack ("(h)", queue));
  int code = -1000;

  ck_assert (!mproc_process_is_alive (process));
  ck_assert_int_eq (mproc_process_get_pid (process), 0);
  ck_assert (!mproc_process_get_exit_code (process, &code));
  mproc_test_start_it (_i, process);
  ck_assert (mproc_process_is_alive (process));
  ck_assert_int_ne (mproc_process_get_pid (process), 0);
  ck_assert_int_eq (mproc_process_get_start_method (process), mproc_test_method (_i));
  ck_assert (!mproc_process_get_exit_code (process, &code));
  ck_assert (!mproc_process_join (process, 0));
  ck_assert (!mproc_process_join (process, MPROC_SECONDS (0.01)));
  ck_assert_int_eq (code, -1000);
  mproc_test_say (queue, "go on");
  ck_assert (mproc_process_join (process, MPROC_FOREVER));
  ck_assert (mproc_process_join (process, 0));
  ck_assert (!mproc_process_is_alive (process));
  mproc_test_end_with (process, 0);
  mproc_queue_unref (queue);
}
END_TEST

START_TEST (starts_once)
{
  MprocProcess *process = mproc_test_start (_i, NULL, NULL);
  GError *error = NULL;

  ck_assert (!mproc_process_start (process, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_STATE, "started before");
  ck_assert (mproc_process_join (process, MPROC_FOREVER));
  ck_assert (!mproc_process_start (process, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_STATE, "started before");
  mproc_process_unref (process);
}
END_TEST

START_TEST (nothing_works_before_the_start)
{
  MprocProcess *process = mproc_process_new (NULL, NULL);
  GError *error = NULL;

  ck_assert (!mproc_process_kill (process, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_STATE, "not been started");
  ck_assert (!mproc_process_terminate (process, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_STATE, "not been started");
  ck_assert (!mproc_process_interrupt (process, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_STATE, "not been started");
  ck_assert_int_eq (mproc_process_get_sentinel (process, &error), -1);
  mproc_test_expect_error (&error, MPROC_ERROR_STATE, "not been started");
  mproc_process_unref (process);
}
END_TEST

START_TEST (misuse_is_critical)
{
  MprocProcess *process = mproc_process_new (NULL, NULL);
  MprocQueue *queue = mproc_queue_new (0, NULL);

  mproc_test_count_criticals ();
  mproc_process_join (process, 0);
  ck_assert_uint_eq (mproc_test_count_criticals (), 1);
  mproc_process_start (NULL, NULL);
  mproc_process_is_alive ((MprocProcess *) queue);
  mproc_process_set_name (process, NULL);
  mproc_process_join (mproc_process_current (), 0);
  ck_assert_uint_eq (mproc_test_count_criticals (), 4);
  mproc_test_start_it (_i, process);
  mproc_process_set_daemon (process, TRUE);
  mproc_process_set_name (process, "too late");
  mproc_process_set_func (process, NULL);
  mproc_process_join (process, -2);
  ck_assert_uint_eq (mproc_test_count_criticals (), 4);
  ck_assert (!mproc_process_is_daemon (process));
  mproc_test_end_with (process, 0);
  mproc_process_unref (NULL);
  mproc_queue_unref (queue);
}
END_TEST

/* ------------------------------------------------------------------ sentinels */

static gboolean
has_ended (MprocProcess *process, gint64 deadline)
{
  MprocOsWait wait;

  ck_assert (mproc_process_get_wait (process, &wait, NULL));
  ck_assert_int_eq (mproc_process_get_sentinel (process, NULL), wait.handle);
  return mproc_os_wait_many (&wait, 1, deadline, NULL) == 1;
}

START_TEST (sentinel_tells_of_the_end)
{
  MprocQueue *queue = mproc_queue_new (0, NULL);
  MprocProcess *process =
      mproc_test_start (_i, mproc_test_wait_in_queue, mproc_pack ("(h)", queue));

  ck_assert (!has_ended (process, 0));
  mproc_test_say (queue, "go on");
  ck_assert (has_ended (process, MPROC_OS_NEVER));
  ck_assert (has_ended (process, 0));
  mproc_test_end_with (process, 0);

  /* Asked for when it is all over. */
  process = mproc_test_start (_i, NULL, NULL);
  ck_assert (mproc_process_join (process, MPROC_FOREVER));
  ck_assert (has_ended (process, 0));
  mproc_process_unref (process);
  mproc_queue_unref (queue);
}
END_TEST

/* ------------------------------------------------------------------ texts */

static void
expect_string (MprocProcess *process, const char *format)
{
  char *text = mproc_process_to_string (process);
  char *wanted = g_strdup_printf (format, mproc_process_get_name (process));

  ck_assert_str_eq (text, wanted);
  g_free (text);
  g_free (wanted);
}

START_TEST (to_string_shows_the_state)
{
  MprocQueue *queue = mproc_queue_new (0, NULL);
  MprocProcess *process =
      mproc_process_new (mproc_test_wait_in_queue, mproc_pack ("(h)", queue));

  expect_string (process, "<Process(%s, initial)>");
  ck_assert (g_str_has_prefix (mproc_process_get_name (process), "Process-"));
  mproc_process_set_name (process, "fun1\xe8\xbf\x9b\xe7\xa8\x8b");
  ck_assert_str_eq (mproc_process_get_name (process), "fun1\xe8\xbf\x9b\xe7\xa8\x8b");
  mproc_process_set_daemon (process, TRUE);
  expect_string (process, "<Process(%s, initial daemon)>");
  mproc_test_start_it (_i, process);
  expect_string (process, "<Process(fun1\xe8\xbf\x9b\xe7\xa8\x8b, started daemon)>");
  if (mproc_test_is_thread (_i))
    mproc_test_say (queue, "go on");
  else
    mproc_process_terminate (process, NULL);
  mproc_process_join (process, MPROC_FOREVER);
  expect_string (process, mproc_test_is_thread (_i)
                              ? "<Process(%s, stopped daemon)>"
                              : "<Process(%s, stopped[SIGTERM] daemon)>");
  mproc_process_unref (process);

  process = mproc_test_start (_i, exit_with, g_variant_new_int32 (1));
  mproc_process_join (process, MPROC_FOREVER);
  expect_string (process, "<Process(%s, stopped[1])>");
  mproc_process_unref (process);
  expect_string (mproc_process_current (), "<_MainProcess(MainProcess, started)>");
  mproc_queue_unref (queue);
}
END_TEST

/* ------------------------------------------------------------------ the method */

START_TEST (methods_that_do_not_exist)
{
  MprocProcess *process = mproc_process_new (NULL, NULL);
  GError *error = NULL;

  if (!mproc_os_can_fork ())
    {
      mproc_process_set_start_method (process, MPROC_START_METHOD_FORKSERVER);
      ck_assert (!mproc_process_start (process, &error));
      mproc_test_expect_error (&error, MPROC_ERROR_NOT_SUPPORTED, "forkserver");
      ck_assert (!mproc_set_start_method (MPROC_START_METHOD_FORKSERVER, &error));
      mproc_test_expect_error (&error, MPROC_ERROR_NOT_SUPPORTED, "forkserver");
      mproc_process_set_start_method (process, MPROC_START_METHOD_FORK);
      ck_assert (!mproc_process_start (process, &error));
      mproc_test_expect_error (&error, MPROC_ERROR_NOT_SUPPORTED, "SPAWN");
    }
  /* A start that failed can be tried again. */
  mproc_process_set_start_method (process, MPROC_START_METHOD_SPAWN);
  ck_assert (mproc_process_start (process, NULL));
  mproc_test_end_with (process, 0);
}
END_TEST

START_TEST (default_does_not_fork_beside_threads)
{
  MprocQueue *queue = mproc_queue_new (0, NULL);
  MprocProcess *thread =
      mproc_process_new (mproc_test_wait_in_queue, mproc_pack ("(h)", queue));
  MprocStartMethod alone =
      mproc_os_can_fork () ? MPROC_START_METHOD_FORK : MPROC_START_METHOD_SPAWN;

  ck_assert_int_eq (mproc_get_start_method (), alone);
  /* The harness may have a thread of its own. */
  if (mproc_os_thread_count () <= 1)
    ck_assert_int_eq (mproc_start_resolve (MPROC_START_METHOD_DEFAULT, NULL), alone);
  mproc_process_set_start_method (thread, MPROC_START_METHOD_THREAD);
  ck_assert (mproc_process_start (thread, NULL));
  ck_assert_int_eq (mproc_start_resolve (MPROC_START_METHOD_DEFAULT, NULL),
                    mproc_os_can_fork () ? MPROC_START_METHOD_FORKSERVER
                                         : MPROC_START_METHOD_SPAWN);
  mproc_test_say (queue, "go on");
  mproc_test_end_with (thread, 0);
  mproc_queue_unref (queue);
}
END_TEST

START_TEST (processors_are_counted) { ck_assert_uint_ge (mproc_cpu_count (), 1); }
END_TEST

Suite *
mproc_test_process_suite (void)
{
  Suite *suite = suite_create ("process");
  TCase *tcase = mproc_test_case (suite, "process");
  int n = (int) mproc_test_n_methods ();

  tcase_add_loop_test (tcase, runs_its_function, 0, n);
  tcase_add_loop_test (tcase, several_at_once_and_in_turn, 0, n);
  tcase_add_loop_test (tcase, no_function_is_fine, 0, n);
  tcase_add_loop_test (tcase, no_args_arrive_as_unit, 0, n);
  tcase_add_loop_test (tcase, returned_values_are_dropped, 0, n);
  tcase_add_loop_test (tcase, function_can_be_replaced, 0, n);
  tcase_add_test (tcase, runs_here_and_now);
  tcase_add_loop_test (tcase, exit_codes, 0, n);
  tcase_add_loop_test (tcase, signals_show_in_the_exit_code, 0, n);
  tcase_add_test (tcase, threads_cannot_be_ended);
  tcase_add_loop_test (tcase, alive_from_start_to_end, 0, n);
  tcase_add_loop_test (tcase, starts_once, 0, n);
  tcase_add_test (tcase, nothing_works_before_the_start);
  tcase_add_loop_test (tcase, misuse_is_critical, 0, n);
  tcase_add_loop_test (tcase, sentinel_tells_of_the_end, 0, n);
  tcase_add_loop_test (tcase, to_string_shows_the_state, 0, n);
  tcase_add_test (tcase, methods_that_do_not_exist);
  tcase_add_test (tcase, default_does_not_fork_beside_threads);
  tcase_add_test (tcase, processors_are_counted);
  return suite;
}
