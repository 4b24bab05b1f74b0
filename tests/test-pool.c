/* SPDX-License-Identifier: MIT */
/* Pools: results, errors, order, the end. */
#include "mproc-test.h"

#include "kill.h"

#include <string.h>

static MprocPool *
make_pool (guint n_workers, MprocStartMethod method)
{
  MprocPoolOptions *options = mproc_pool_options_new ();
  GError *error = NULL;
  MprocPool *pool;

  mproc_pool_options_set_start_method (options, method);
  pool = mproc_pool_new_full (n_workers, options, &error);
  mproc_pool_options_free (options);
  if (pool == NULL)
    ck_abort_msg ("%s", error->message);
  return pool;
}

/* Closed, joined and gone. */
static void
end_pool (MprocPool *pool)
{
  mproc_pool_close (pool);
  ck_assert (mproc_pool_join (pool, MPROC_SECONDS (50)));
  mproc_pool_unref (pool);
}

static void
expect (GVariant *value, GError **error, gint code)
{
  ck_assert_ptr_null (value);
  ck_assert_msg (g_error_matches (*error, MPROC_ERROR, code), "%s", (*error)->message);
  g_clear_error (error);
}

static gint32
take_int (GVariant *value)
{
  gint32 number;

  ck_assert_ptr_nonnull (value);
  ck_assert (g_variant_is_of_type (value, G_VARIANT_TYPE_INT32));
  number = g_variant_get_int32 (value);
  g_variant_unref (value);
  return number;
}

/* ------------------------------------------------------------------ functions that run there */

static GVariant *
square (GVariant *x, GError **error)
{
  gint32 n = g_variant_get_int32 (x);

  if (n == 5)
    {
      g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_FAILED, "Invalid value");
      return NULL;
    }
  return g_variant_new_int32 (n * n);
}

static GVariant *
nothing (GVariant *args, GError **error)
{
  (void) args, (void) error;
  return NULL;
}

static GVariant *
type_of (GVariant *args, GError **error)
{
  (void) error;
  return g_variant_new_string (g_variant_get_type_string (args));
}

static GVariant *
own_error (GVariant *args, GError **error)
{
  (void) args;
  g_set_error (error, g_quark_from_string ("some-other-domain"), 77, "välue %d", 3);
  return NULL;
}

static GVariant *
own_pid (GVariant *args, GError **error)
{
  (void) args, (void) error;
  return g_variant_new_int64 (mproc_process_get_pid (mproc_process_current ()));
}

static GVariant *
die (GVariant *args, GError **error)
{
  (void) args, (void) error;
  mproc_test_kill_pid (mproc_process_get_pid (mproc_process_current ()));
  for (;;)
    g_usleep (1000);
  return NULL;
}

/* Says its pid on the first queue, then waits for a word on the second. */
static GVariant *
report_and_wait (GVariant *args, GError **error)
{
  MprocQueue *pids;
  MprocQueue *go;

  if (!mproc_unpack (args, error, "(&h&h)", &pids, &go))
    return NULL;
  mproc_queue_put (pids, own_pid (NULL, NULL), MPROC_FOREVER, error);
  g_bytes_unref (mproc_queue_get_bytes (go, MPROC_FOREVER, NULL));
  return g_variant_new_boolean (TRUE);
}

static GVariant *
large (GVariant *args, GError **error)
{
  guint32 size = g_variant_get_uint32 (args);
  guint8 *bytes = g_malloc (size + 1); /* NULL has no bytes, not even none */
  GVariant *value;

  (void) error;
  memset (bytes, 'x', size);
  value = g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, bytes, size, 1);
  g_free (bytes);
  return value;
}

static GVariant *
put_number (GVariant *args, GError **error)
{
  MprocQueue *queue;
  gint32 number;

  if (mproc_unpack (args, error, "(&hi)", &queue, &number))
    mproc_queue_put (queue, g_variant_new_int32 (number), MPROC_FOREVER, error);
  return NULL;
}

static GVariant *
give_queue (GVariant *args, GError **error)
{
  MprocQueue *queue = mproc_queue_new (0, error);
  GVariant *value = mproc_pack ("(h)", queue);

  (void) args;
  mproc_queue_put_bytes (queue, "made there", 10, MPROC_FOREVER, error);
  mproc_queue_unref (queue);
  return value;
}

static GVariant *
quit (GVariant *args, GError **error)
{
  (void) error;
  mproc_process_exit (g_variant_get_int32 (args));
  return NULL;
}

/* ------------------------------------------------------------------ tests */

START_TEST (applies)
{
  MprocPool *pool = make_pool (3, mproc_test_method (_i));
  GError *error = NULL;
  GVariant *value;

  for (gint32 i = 0; i < 10; i++)
    {
      value = mproc_pool_apply (pool, square, g_variant_new_int32 (i), &error);
      if (i != 5)
        ck_assert_int_eq (take_int (value), i * i);
      else
        {
          ck_assert_str_eq (error->message, "Invalid value");
          expect (value, &error, MPROC_ERROR_FAILED);
        }
    }
  value = mproc_pool_apply (pool, nothing, NULL, &error);
  ck_assert (mproc_is_nothing (value));
  g_variant_unref (value);
  value = mproc_pool_apply (pool, type_of, NULL, &error);
  ck_assert_str_eq (g_variant_get_string (value, NULL), "()");
  g_variant_unref (value);
  ck_assert_ptr_null (mproc_pool_apply (pool, own_error, NULL, &error));
  ck_assert (g_error_matches (error, g_quark_from_string ("some-other-domain"), 77));
  ck_assert_str_eq (error->message, "välue 3");
  g_clear_error (&error);
  end_pool (pool);
}
END_TEST

START_TEST (gives_results_later)
{
  MprocPool *pool = make_pool (2, mproc_test_method (_i));
  MprocQueue *pids = mproc_queue_new (0, NULL);
  MprocQueue *go = mproc_queue_new (0, NULL);
  MprocResult *slow =
      mproc_pool_apply_async (pool, report_and_wait, mproc_pack ("(hh)", pids, go), NULL);
  MprocResult *quick =
      mproc_pool_apply_async (pool, square, g_variant_new_int32 (4), NULL);
  GError *error = NULL;
  GVariant *value;

  ck_assert_int_eq (take_int (mproc_result_get (quick, MPROC_SECONDS (30), NULL)), 16);
  ck_assert_int_eq (take_int (mproc_result_get (quick, 0, NULL)), 16);
  ck_assert (mproc_result_is_ready (quick) && mproc_result_is_successful (quick));
  ck_assert (!mproc_result_is_ready (slow));
  ck_assert (!mproc_result_wait (slow, 1000));
  expect (mproc_result_get (slow, 1000, &error), &error, MPROC_ERROR_TIMED_OUT);
  ck_assert (mproc_queue_put_bytes (go, "", 0, 0, NULL));
  value = mproc_result_get (slow, MPROC_SECONDS (30), NULL);
  ck_assert (g_variant_get_boolean (value));
  g_variant_unref (value);
  mproc_result_unref (slow);
  mproc_result_unref (quick);
  end_pool (pool);
  mproc_queue_unref (pids);
  mproc_queue_unref (go);
}
END_TEST

static GVariant *
make_items (guint n)
{
  GVariantBuilder items;

  g_variant_builder_init (&items, G_VARIANT_TYPE ("ai"));
  for (guint i = 0; i < n; i++)
    g_variant_builder_add (&items, "i", (gint32) i + 6);
  return g_variant_builder_end (&items);
}

static void
check_map (MprocPool *pool, guint n, guint chunk)
{
  GVariant *all = mproc_pool_map (pool, square, make_items (n), chunk, NULL);

  ck_assert_ptr_nonnull (all);
  ck_assert_str_eq (g_variant_get_type_string (all), "av");
  ck_assert_uint_eq (g_variant_n_children (all), n);
  for (guint i = 0; i < n; i++)
    {
      GVariant *boxed = g_variant_get_child_value (all, i);

      ck_assert_int_eq (take_int (g_variant_get_variant (boxed)),
                        (gint32) ((i + 6) * (i + 6)));
      g_variant_unref (boxed);
    }
  g_variant_unref (all);
}

START_TEST (maps)
{
  MprocPool *pool = make_pool (3, mproc_test_method (_i));
  GVariant *all;
  char *text;

  check_map (pool, 0, 0);
  check_map (pool, 1, 0);
  check_map (pool, 100, 0);
  check_map (pool, 100, 1);
  check_map (pool, 100, 7);
  check_map (pool, 3, 1000);
  /* Variants are unboxed, and a tuple's items need not be of one type. */
  all =
      mproc_pool_map (pool, type_of, g_variant_new_parsed ("(<'x'>, 5, [1.0])"), 2, NULL);
  text = g_variant_print (all, FALSE);
  ck_assert_str_eq (text, "[<'s'>, <'i'>, <'ad'>]");
  g_free (text);
  g_variant_unref (all);
  end_pool (pool);
}
END_TEST

START_TEST (a_failing_item_fails_the_map_and_no_other_task)
{
  MprocPool *pool = make_pool (2, mproc_test_method (_i));
  GError *error = NULL;

  expect (mproc_pool_map (pool, square, g_variant_new_parsed ("[1, 2, 3, 4, 5, 6, 7, 8]"),
                          3, &error),
          &error, MPROC_ERROR_FAILED);
  check_map (pool, 20, 3);
  end_pool (pool);
}
END_TEST

START_TEST (pushed_tasks_run_before_a_closed_pool_ends)
{
  MprocPool *pool = make_pool (3, mproc_test_method (_i));
  MprocQueue *queue = mproc_queue_new (0, NULL);
  gint32 sum = 0;

  for (gint32 i = 0; i < 50; i++)
    ck_assert (mproc_pool_push (pool, put_number, mproc_pack ("(hi)", queue, i), NULL));
  end_pool (pool);
  for (gint32 i = 0; i < 50; i++)
    sum += take_int (mproc_queue_get (queue, 0, NULL));
  ck_assert_int_eq (sum, 50 * 49 / 2);
  mproc_queue_unref (queue);
}
END_TEST

START_TEST (large_arguments_and_results)
{
  MprocPool *pool = make_pool (2, mproc_test_method (_i));
  guint32 sizes[] = { 0, 1, 100, 5000, 1 << 20, 16 << 20 };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      GVariant *value =
          mproc_pool_apply (pool, large, g_variant_new_uint32 (sizes[i]), NULL);
      GVariant *type;

      ck_assert_ptr_nonnull (value);
      ck_assert_uint_eq (g_variant_get_size (value), sizes[i]);
      type = mproc_pool_apply (pool, type_of, value, NULL);
      ck_assert_str_eq (g_variant_get_string (type, NULL), "ay");
      g_variant_unref (type);
      g_variant_unref (value);
    }
  end_pool (pool);
}
END_TEST

START_TEST (results_carry_objects)
{
  MprocPool *pool = make_pool (2, mproc_test_method (_i));
  GVariant *value = mproc_pool_apply (pool, give_queue, NULL, NULL);
  MprocQueue *queue;
  GBytes *bytes;

  end_pool (pool);
  ck_assert (mproc_unpack (value, NULL, "(&h)", &queue));
  bytes = mproc_queue_get_bytes (queue, 0, NULL);
  ck_assert_mem_eq (g_bytes_get_data (bytes, NULL), "made there", 10);
  g_bytes_unref (bytes);
  g_variant_unref (value);
}
END_TEST

START_TEST (what_cannot_be_sent_fails_that_task)
{
  MprocPool *pool = make_pool (1, mproc_test_method (_i));
  MprocConnection *a;
  MprocConnection *b;
  GError *error = NULL;

  expect (mproc_pool_apply (pool, nothing, g_variant_new ("(h)", 12345), &error), &error,
          MPROC_ERROR_HANDLE);
  ck_assert (mproc_pipe (FALSE, &a, &b, NULL));
  expect (mproc_pool_apply (pool, nothing, mproc_pack ("(h)", a), &error), &error,
          MPROC_ERROR_NOT_SUPPORTED);
  mproc_connection_unref (a);
  mproc_connection_unref (b);
  ck_assert_int_eq (take_int (mproc_pool_apply (pool, square, g_variant_new_int32 (3),
                                                NULL)),
                    9);
  end_pool (pool);
}
END_TEST

START_TEST (a_closed_pool_takes_nothing)
{
  MprocPool *pool = make_pool (1, mproc_test_method (_i));
  GError *error = NULL;

  mproc_pool_close (pool);
  mproc_pool_close (pool);
  expect (mproc_pool_apply (pool, square, g_variant_new_int32 (1), &error), &error,
          MPROC_ERROR_STATE);
  ck_assert (!mproc_pool_push (pool, square, g_variant_new_int32 (1), &error));
  expect (NULL, &error, MPROC_ERROR_STATE);
  ck_assert (mproc_pool_join (pool, MPROC_FOREVER));
  ck_assert (mproc_pool_join (pool, 0));
  mproc_pool_unref (pool);
}
END_TEST

/* Without waiting for what runs: it would run for ever. */
START_TEST (terminates)
{
  MprocStartMethod method = mproc_test_method (_i);
  MprocPool *pool = make_pool (1, method);
  MprocQueue *pids = mproc_queue_new (0, NULL);
  MprocQueue *go = mproc_queue_new (0, NULL);
  MprocResult *running =
      mproc_pool_apply_async (pool, report_and_wait, mproc_pack ("(hh)", pids, go), NULL);
  MprocResult *queued =
      mproc_pool_apply_async (pool, square, g_variant_new_int32 (4), NULL);
  GError *error = NULL;

  g_variant_unref (mproc_queue_get (pids, MPROC_FOREVER, NULL));
  mproc_pool_terminate (pool);
  if (method == MPROC_START_METHOD_THREAD) /* a thread has to end by itself */
    ck_assert (mproc_queue_put_bytes (go, "", 0, 0, NULL));
  ck_assert (mproc_pool_join (pool, MPROC_SECONDS (30)));
  if (method != MPROC_START_METHOD_THREAD)
    expect (mproc_result_get (running, 0, &error), &error, MPROC_ERROR_CANCELLED);
  expect (mproc_result_get (queued, 0, &error), &error, MPROC_ERROR_CANCELLED);
  mproc_pool_unref (pool);
  mproc_result_unref (running);
  mproc_result_unref (queued);
  mproc_queue_unref (pids);
  mproc_queue_unref (go);
}
END_TEST

START_TEST (the_last_reference_terminates)
{
  MprocPool *pool = make_pool (2, mproc_test_method (_i));
  MprocResult *result =
      mproc_pool_apply_async (pool, square, g_variant_new_int32 (4), NULL);

  mproc_pool_unref (pool);
  ck_assert (mproc_result_is_ready (result));
  mproc_result_unref (result);
}
END_TEST

START_TEST (a_lost_worker_fails_its_task_alone)
{
  MprocStartMethod method = mproc_test_method (_i);
  MprocPool *pool;
  MprocResult *results[20];
  GError *error = NULL;

  if (method == MPROC_START_METHOD_THREAD)
    return; /* a thread cannot be lost */
  pool = make_pool (2, method);
  for (gint32 i = 0; i < 20; i++)
    results[i] = mproc_pool_apply_async (pool, i % 7 == 3 ? die : square,
                                         g_variant_new_int32 (i + 10), NULL);
  for (gint32 i = 0; i < 20; i++)
    {
      GVariant *value = mproc_result_get (results[i], MPROC_SECONDS (50), &error);

      if (i % 7 != 3)
        ck_assert_int_eq (take_int (value), (i + 10) * (i + 10));
      else
        {
          ck_assert (strstr (error->message, "pid") != NULL);
          expect (value, &error, MPROC_ERROR_WORKER_DIED);
        }
      mproc_result_unref (results[i]);
    }
  expect (mproc_pool_apply (pool, quit, g_variant_new_int32 (3), &error), &error,
          MPROC_ERROR_WORKER_DIED);
  check_map (pool, 50, 1);
  end_pool (pool);
}
END_TEST

START_TEST (a_worker_killed_from_outside_is_replaced)
{
  MprocStartMethod method = mproc_test_method (_i);
  gint kills = mproc_test_scale (mproc_test_is_slow_platform () ? 3 : 20);
  MprocQueue *pids;
  MprocQueue *go;
  MprocPool *pool;
  GError *error = NULL;

  if (method == MPROC_START_METHOD_THREAD)
    return; /* a thread cannot be killed */
  pool = make_pool (2, method);
  pids = mproc_queue_new (0, NULL);
  go = mproc_queue_new (0, NULL);
  for (gint i = 0; i < kills; i++)
    {
      MprocResult *result = mproc_pool_apply_async (pool, report_and_wait,
                                                    mproc_pack ("(hh)", pids, go), NULL);
      GVariant *pid = mproc_queue_get (pids, MPROC_SECONDS (30), NULL);

      ck_assert_ptr_nonnull (pid);
      mproc_test_kill_pid (g_variant_get_int64 (pid));
      g_variant_unref (pid);
      expect (mproc_result_get (result, MPROC_SECONDS (30), &error), &error,
              MPROC_ERROR_WORKER_DIED);
      mproc_result_unref (result);
    }
  check_map (pool, 100, 1);
  end_pool (pool);
  mproc_queue_unref (pids);
  mproc_queue_unref (go);
}
END_TEST

/* Random instants: every result comes, as a value or as its worker's death. */
START_TEST (survives_random_kills)
{
  MprocStartMethod method = mproc_test_method (_i);
  gint rounds = mproc_test_scale (mproc_test_is_slow_platform () ? 5 : 60);
  gint died = 0;
  MprocPool *pool;

  if (method == MPROC_START_METHOD_THREAD)
    return; /* a thread cannot be killed */
  pool = make_pool (3, method);
  for (gint round = 0; round < rounds; round++)
    {
      MprocResult *results[60];
      GVariant *pid = mproc_pool_apply (pool, own_pid, NULL, NULL);

      for (gint32 i = 0; i < 60; i++)
        results[i] =
            mproc_pool_apply_async (pool, square, g_variant_new_int32 (i + 10), NULL);
      g_usleep ((gulong) g_random_int_range (0, 300));
      if (pid != NULL)
        mproc_test_kill_pid (g_variant_get_int64 (pid));
      for (gint32 i = 0; i < 60; i++)
        {
          GError *error = NULL;
          GVariant *value = mproc_result_get (results[i], MPROC_SECONDS (50), &error);

          if (value != NULL)
            ck_assert_int_eq (take_int (value), (i + 10) * (i + 10));
          else
            {
              died++;
              expect (value, &error, MPROC_ERROR_WORKER_DIED);
            }
          mproc_result_unref (results[i]);
        }
      g_clear_pointer (&pid, g_variant_unref);
    }
  ck_assert_int_le (died, rounds); /* a kill costs one task at most */
  end_pool (pool);
}
END_TEST

START_TEST (the_workers_are_as_many_as_asked_for)
{
  MprocPool *pool = make_pool (4, mproc_test_method (_i));
  MprocPool *other;
  GError *error = NULL;

  ck_assert_uint_eq (mproc_pool_get_n_workers (pool), 4);
  ck_assert_ptr_null (mproc_pool_new (5000, &error));
  expect (NULL, &error, MPROC_ERROR_INVALID);
  ck_assert_ptr_null (mproc_pool_new ((guint) -1, &error));
  expect (NULL, &error, MPROC_ERROR_INVALID);
  other = make_pool (0, mproc_test_method (_i));
  ck_assert_uint_eq (mproc_pool_get_n_workers (other), mproc_cpu_count ());
  check_map (other, 10, 1);
  end_pool (other);
  end_pool (pool);
}
END_TEST

static gpointer
use_pool (gpointer data)
{
  for (gint32 i = 10; i < 60; i++)
    {
      GVariant *value = mproc_pool_apply (data, square, g_variant_new_int32 (i), NULL);

      if (value == NULL || g_variant_get_int32 (value) != i * i)
        return NULL;
      g_variant_unref (value);
    }
  return data;
}

START_TEST (threads_share_a_pool)
{
  MprocPool *pool = make_pool (2, mproc_test_method (_i));
  GThread *threads[4];

  for (guint i = 0; i < 4; i++)
    threads[i] = g_thread_new ("use-pool", use_pool, pool);
  for (guint i = 0; i < 4; i++)
    ck_assert_ptr_eq (g_thread_join (threads[i]), pool);
  end_pool (pool);
}
END_TEST

START_TEST (mistakes_are_criticals)
{
  MprocPool *pool = make_pool (1, MPROC_START_METHOD_THREAD);
  MprocQueue *queue = mproc_queue_new (0, NULL);
  MprocResult *result =
      mproc_result_ref (mproc_pool_apply_async (pool, square, g_variant_new_int32 (1),
                                                NULL));

  g_test_expect_message ("mproc", G_LOG_LEVEL_CRITICAL, "*MPROC_KIND_POOL*");
  ck_assert_ptr_null (mproc_pool_apply ((gpointer) queue, square, NULL, NULL));
  g_test_expect_message ("mproc", G_LOG_LEVEL_CRITICAL, "*func != NULL*");
  ck_assert_ptr_null (mproc_pool_apply (pool, NULL, NULL, NULL));
  g_test_expect_message ("mproc", G_LOG_LEVEL_CRITICAL, "*items != NULL*");
  ck_assert_ptr_null (mproc_pool_map (pool, square, NULL, 1, NULL));
  g_test_expect_message ("mproc", G_LOG_LEVEL_CRITICAL, "*MPROC_KIND_POOL*");
  mproc_pool_unref ((gpointer) result);
  g_test_expect_message ("mproc", G_LOG_LEVEL_CRITICAL, "*MPROC_KIND_RESULT*");
  ck_assert_ptr_null (mproc_result_get ((gpointer) queue, 0, NULL));
  g_test_expect_message ("mproc", G_LOG_LEVEL_CRITICAL, "*MPROC_KIND_RESULT*");
  ck_assert (!mproc_result_is_ready (NULL));
  g_test_assert_expected_messages ();
  mproc_result_unref (result);
  mproc_result_unref (result);
  mproc_queue_unref (queue);
  end_pool (pool);
}
END_TEST

Suite *
mproc_test_pool_suite (void)
{
  Suite *suite = suite_create ("pool");
  TCase *tcase = mproc_test_case (suite, "pool");
  int n = (int) mproc_test_n_methods ();

  tcase_add_loop_test (tcase, applies, 0, n);
  tcase_add_loop_test (tcase, gives_results_later, 0, n);
  tcase_add_loop_test (tcase, maps, 0, n);
  tcase_add_loop_test (tcase, a_failing_item_fails_the_map_and_no_other_task, 0, n);
  tcase_add_loop_test (tcase, pushed_tasks_run_before_a_closed_pool_ends, 0, n);
  tcase_add_loop_test (tcase, large_arguments_and_results, 0, n);
  tcase_add_loop_test (tcase, results_carry_objects, 0, n);
  tcase_add_loop_test (tcase, what_cannot_be_sent_fails_that_task, 0, n);
  tcase_add_loop_test (tcase, a_closed_pool_takes_nothing, 0, n);
  tcase_add_loop_test (tcase, terminates, 0, n);
  tcase_add_loop_test (tcase, the_last_reference_terminates, 0, n);
  tcase_add_loop_test (tcase, a_lost_worker_fails_its_task_alone, 0, n);
  tcase_add_loop_test (tcase, a_worker_killed_from_outside_is_replaced, 0, n);
  tcase_add_loop_test (tcase, survives_random_kills, 0, n);
  tcase_add_loop_test (tcase, the_workers_are_as_many_as_asked_for, 0, n);
  tcase_add_loop_test (tcase, threads_share_a_pool, 0, n);
  tcase_add_test (tcase, mistakes_are_criticals);
  return suite;
}
