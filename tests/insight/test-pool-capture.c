/* SPDX-License-Identifier: MIT */
/* What tasks write to standard output and standard error, kept for their results. */
#include "pools.h"

#include "os.h"

#include <stdio.h>
#include <string.h>

#define LIMIT (1024 * 1024)

static MprocTaskOptions *
captured (void)
{
  MprocTaskOptions *options = mproc_task_options_new ();

  mproc_task_options_set_capture_output (options, TRUE);
  return options;
}

static MprocResult *
run (MprocPool *pool, MprocFunc func, GVariant *args)
{
  MprocTaskOptions *options = captured ();
  MprocResult *result = mproc_pool_apply_async (pool, func, args, options);

  mproc_task_options_free (options);
  ck_assert (mproc_result_wait (result, MPROC_SECONDS (30)));
  return result;
}

/* Without the carriage returns that the C library of Windows writes in a process of its own.  NULL: it
 * has none. */
static char *
output_of (MprocResult *result)
{
  GBytes *output = mproc_result_get_output (result);
  gsize size;
  const char *text;
  GString *copy;

  if (output == NULL)
    return NULL;
  text = g_bytes_get_data (output, &size);
  copy = g_string_new (NULL);
  for (gsize i = 0; i < size; i++)
    if (text[i] != '\r')
      g_string_append_c (copy, text[i]);
  g_bytes_unref (output);
  return g_string_free (copy, FALSE);
}

/* Drops the result. */
static void
expect_output (MprocResult *result, const char *wanted)
{
  char *output = output_of (result);

  ck_assert_ptr_nonnull (output);
  ck_assert_str_eq (output, wanted);
  g_free (output);
  mproc_result_unref (result);
}

/* ------------------------------------------------------------------ functions that run there */

static GVariant *
say_number (GVariant *x, GError **error)
{
  gint32 n = g_variant_get_int32 (x);

  printf ("out %d\n", n);
  fflush (stdout);
  fprintf (stderr, "err %d\n", n);
  printf ("no line feed");
  if (n < 0)
    g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_FAILED, "negative");
  return NULL;
}

static GVariant *
say_line (GVariant *x, GError **error)
{
  (void) error;
  printf ("line %d\n", g_variant_get_int32 (x));
  return g_variant_new_int32 (g_variant_get_int32 (x));
}

static GVariant *
say_in_child (GVariant *args, GError **error)
{
  (void) args, (void) error;
  printf ("the child\n");
  return NULL;
}

static GVariant *
have_child_say (GVariant *args, GError **error)
{
  MprocProcess *process = mproc_process_new (say_in_child, NULL);

  (void) args;
  printf ("before\n");
  if (mproc_process_start (process, error))
    mproc_process_join (process, MPROC_FOREVER);
  mproc_process_unref (process);
  printf ("after\n");
  return NULL;
}

static GVariant *
say_much (GVariant *n, GError **error)
{
  (void) error;
  for (guint32 i = 0; i < g_variant_get_uint32 (n); i++)
    printf ("%07u\n", i);
  return NULL;
}

/* As a crash would. */
static GVariant *
say_and_die (GVariant *args, GError **error)
{
  (void) args, (void) error;
  printf ("last words\n");
  fflush (stdout);
  mproc_os_kill_self ();
  return NULL;
}

static GVariant *
say_and_stay (GVariant *args, GError **error)
{
  (void) args, (void) error;
  printf ("so far\n");
  fflush (stdout);
  for (;;)
    g_usleep (G_USEC_PER_SEC);
  return NULL;
}

/* ------------------------------------------------------------------ tests */

/* In the order in which they were written, and mproc_test_do_nothing of one in another's. */
START_TEST (both_streams_are_kept)
{
  MprocPool *pool;

  if (mproc_test_is_thread (_i))
    return; /* threads share one standard output: see below */
  pool = mproc_test_pool (1, _i);
  for (gint32 i = 1; i < 4; i++)
    {
      char *wanted = g_strdup_printf ("out %d\nerr %d\nno line feed", i, i);

      expect_output (run (pool, say_number, g_variant_new_int32 (i)), wanted);
      g_free (wanted);
    }
  mproc_test_end_pool (pool);
}
END_TEST

START_TEST (an_error_has_output_as_well)
{
  MprocPool *pool;
  MprocResult *result;

  if (mproc_test_is_thread (_i))
    return; /* see below */
  pool = mproc_test_pool (1, _i);
  result = run (pool, say_number, g_variant_new_int32 (-1));
  ck_assert (!mproc_result_is_successful (result));
  expect_output (result, "out -1\nerr -1\nno line feed");
  mproc_test_end_pool (pool);
}
END_TEST

START_TEST (a_map_has_it_in_order)
{
  MprocTaskOptions *options = captured ();
  GString *wanted = g_string_new (NULL);
  GVariant *items[20];
  MprocResult *result;
  MprocPool *pool;

  for (gint32 i = 0; i < 20; i++)
    {
      items[i] = g_variant_ref_sink (g_variant_new_int32 (i));
      g_string_append_printf (wanted, "line %d\n", i);
    }
  for (guint chunk = mproc_test_is_slow_platform () ? 3 : 1;
       chunk < 5 && !mproc_test_is_thread (_i); chunk += 2)
    {
      pool = mproc_test_pool (3, _i);
      result =
          mproc_pool_map_async (pool, say_line,
                                g_variant_new_array (G_VARIANT_TYPE_INT32, items, 20),
                                chunk, options);
      ck_assert (mproc_result_wait (result, MPROC_SECONDS (30)));
      ck_assert (mproc_result_is_successful (result));
      expect_output (result, wanted->str);
      mproc_test_end_pool (pool);
    }
  for (gint32 i = 0; i < 20; i++)
    g_variant_unref (items[i]);
  g_string_free (wanted, TRUE);
  mproc_task_options_free (options);
}
END_TEST

START_TEST (what_a_child_writes_is_kept)
{
  MprocPool *pool;

  if (mproc_test_is_thread (_i))
    return; /* see below */
  pool = mproc_test_pool (1, _i);
  expect_output (run (pool, have_child_say, NULL), "before\nthe child\nafter\n");
  mproc_test_end_pool (pool);
}
END_TEST

START_TEST (of_very_much_the_end_is_kept)
{
  const guint32 n = mproc_test_is_slow_platform () ? 140000 : 300000;
  char *last = g_strdup_printf ("%07u\n", n - 1);
  const char *note = "[the first ";
  MprocPool *pool;
  MprocResult *result;
  GBytes *output;
  const char *text;
  gsize size;
  guint64 cut;

  if (mproc_test_is_thread (_i))
    {
      g_free (last);
      return; /* see below */
    }
  pool = mproc_test_pool (1, _i);
  result = run (pool, say_much, g_variant_new_uint32 (n));
  output = mproc_result_get_output (result);
  text = g_bytes_get_data (output, &size);
  ck_assert_uint_le (size, LIMIT + 100);
  ck_assert_uint_ge (size, LIMIT - 100);
  ck_assert_int_eq (memcmp (text, note, strlen (note)), 0);
  ck_assert_int_eq (memcmp (text + size - strlen (last), last, strlen (last)), 0);
  cut = g_ascii_strtoull (text + strlen (note), NULL, 10);
  text = (const char *) memchr (text, '\n', size) + 1;
  ck_assert_uint_eq (cut + size -
                         (gsize) (text - (const char *) g_bytes_get_data (output, NULL)),
                     8 * (guint64) n);
  ck_assert_uint_eq (g_ascii_strtoull (text, NULL, 10), cut / 8);
  g_bytes_unref (output);
  mproc_result_unref (result);
  /* The next one has its own alone. */
  expect_output (run (pool, say_line, g_variant_new_int32 (7)), "line 7\n");
  mproc_test_end_pool (pool);
  g_free (last);
}
END_TEST

START_TEST (last_words_are_delivered)
{
  GError *error = NULL;
  MprocPool *pool;
  MprocResult *result;

  if (mproc_test_is_thread (_i))
    return; /* threads cannot be killed */
  pool = mproc_test_pool (1, _i);
  for (guint i = 0; i < 2; i++)
    {
      result = run (pool, say_and_die, NULL);
      ck_assert_ptr_null (mproc_result_get (result, 0, &error));
      mproc_test_expect_error (&error, MPROC_ERROR_WORKER_DIED, "");
      expect_output (result, "last words\n");
    }
  expect_output (run (pool, say_line, g_variant_new_int32 (1)), "line 1\n");
  mproc_test_end_pool (pool);
}
END_TEST

START_TEST (a_limit_leaves_what_was_said)
{
  MprocTaskOptions *options = captured ();
  GError *error = NULL;
  MprocPool *pool;
  MprocResult *result;

  if (!mproc_test_is_thread (_i)) /* threads cannot be killed */
    {
      mproc_task_options_set_hard_limit (options, MPROC_SECONDS (1));
      pool = mproc_test_pool (1, _i);
      result = mproc_pool_apply_async (pool, say_and_stay, NULL, options);
      ck_assert (mproc_result_wait (result, MPROC_SECONDS (30)));
      ck_assert_ptr_null (mproc_result_get (result, 0, &error));
      mproc_test_expect_error (&error, MPROC_ERROR_TIMED_OUT, "");
      expect_output (result, "so far\n");
      mproc_test_end_pool (pool);
    }
  mproc_task_options_free (options);
}
END_TEST

START_TEST (what_nobody_asked_for_is_not_kept)
{
  MprocPool *pool;
  MprocResult *result;

  if (mproc_test_is_thread (_i))
    return; /* see below */
  pool = mproc_test_pool (1, _i);
  /* What this one has not written yet is not the next one's. */
  expect_output (run (pool, say_line, g_variant_new_int32 (1)), "line 1\n");
  result = mproc_pool_apply_async (pool, mproc_test_do_nothing, NULL, NULL);
  ck_assert (mproc_result_wait (result, MPROC_SECONDS (30)));
  ck_assert_ptr_null (mproc_result_get_output (result));
  mproc_result_unref (result);
  expect_output (run (pool, mproc_test_do_nothing, NULL), "");
  mproc_test_end_pool (pool);
}
END_TEST

START_TEST (threads_refuse)
{
  GError *error = NULL;
  MprocPool *pool;
  MprocResult *result;

  if (!mproc_test_is_thread (_i))
    return;
  pool = mproc_test_pool (1, _i);
  result = run (pool, say_line, g_variant_new_int32 (1));
  ck_assert_ptr_null (mproc_result_get (result, 0, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_NOT_SUPPORTED, "standard output");
  mproc_result_unref (result);
  mproc_test_end_pool (pool);
}
END_TEST

Suite *
mproc_test_pool_capture_suite (void)
{
  Suite *suite = suite_create ("pool-capture");
  TCase *tcase = mproc_test_case (suite, "pool-capture");
  int n = (int) mproc_test_n_methods ();

  tcase_add_loop_test (tcase, both_streams_are_kept, 0, n);
  tcase_add_loop_test (tcase, an_error_has_output_as_well, 0, n);
  tcase_add_loop_test (tcase, a_map_has_it_in_order, 0, n);
  tcase_add_loop_test (tcase, what_a_child_writes_is_kept, 0, n);
  tcase_add_loop_test (tcase, of_very_much_the_end_is_kept, 0, n);
  tcase_add_loop_test (tcase, last_words_are_delivered, 0, n);
  tcase_add_loop_test (tcase, a_limit_leaves_what_was_said, 0, n);
  tcase_add_loop_test (tcase, what_nobody_asked_for_is_not_kept, 0, n);
  tcase_add_loop_test (tcase, threads_refuse, 0, n);
  return suite;
}
