/* SPDX-License-Identifier: MIT */
/* Pools: results, errors, order, the end. */
#include "pools.h"

#include "kill.h"

#include <string.h>

static void
expect (GVariant *value, GError **error, gint code)
{
  ck_assert_ptr_null (value);
  ck_assert_msg (g_error_matches (*error, MPROC_ERROR, code), "%s", (*error)->message);
  g_clear_error (error);
}

/* ------------------------------------------------------------------ functions that run there */

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

/* ------------------------------------------------------------------ tests */

START_TEST (applies)
{
  MprocPool *pool = mproc_test_pool (3, _i);
  GError *error = NULL;
  GVariant *value;

  for (gint32 i = 0; i < 10; i++)
    {
      value = mproc_pool_apply (pool, mproc_test_square_but_five, g_variant_new_int32 (i),
                                &error);
      if (i != 5)
        ck_assert_int_eq (mproc_test_int (value), i * i);
      else
        {
          ck_assert_str_eq (error->message, "Invalid value");
          expect (value, &error, MPROC_ERROR_FAILED);
        }
    }
  value = mproc_pool_apply (pool, mproc_test_do_nothing, NULL, &error);
  ck_assert (mproc_is_nothing (value));
  g_variant_unref (value);
  value = mproc_pool_apply (pool, type_of, NULL, &error);
  ck_assert_str_eq (g_variant_get_string (value, NULL), "()");
  g_variant_unref (value);
  ck_assert_ptr_null (mproc_pool_apply (pool, own_error, NULL, &error));
  ck_assert (g_error_matches (error, g_quark_from_string ("some-other-domain"), 77));
  ck_assert_str_eq (error->message, "välue 3");
  g_clear_error (&error);
  mproc_test_end_pool (pool);
}
END_TEST

START_TEST (gives_results_later)
{
  MprocPool *pool = mproc_test_pool (2, _i);
  MprocTestGate gate;
  MprocResult *slow, *quick;
  GError *error = NULL;

  mproc_test_gate_init (&gate);
  slow = mproc_test_gate_submit (&gate, pool, mproc_test_be_stuck, NULL);
  quick = mproc_pool_apply_async (pool, mproc_test_square_but_five,
                                  g_variant_new_int32 (4), NULL);
  ck_assert_int_eq (mproc_test_int (mproc_result_get (quick, MPROC_SECONDS (30), NULL)),
                    16);
  ck_assert_int_eq (mproc_test_int (mproc_result_get (quick, 0, NULL)), 16);
  ck_assert (mproc_result_is_ready (quick) && mproc_result_is_successful (quick));
  ck_assert (!mproc_result_is_ready (slow));
  ck_assert (!mproc_result_wait (slow, 1000));
  expect (mproc_result_get (slow, 1000, &error), &error, MPROC_ERROR_TIMED_OUT);
  mproc_test_gate_open (&gate, 1, 6);
  ck_assert_int_eq (mproc_test_int (mproc_test_value_of (slow)), 6);
  mproc_result_unref (quick);
  mproc_test_end_pool (pool);
  mproc_test_gate_clear (&gate);
}
END_TEST

static void
check_map (MprocPool *pool, guint n, guint chunk)
{
  mproc_test_expect_squares (mproc_pool_map (pool, mproc_test_square,
                                             mproc_test_numbers (6, n), chunk, NULL),
                             6, n);
}

START_TEST (maps)
{
  MprocPool *pool = mproc_test_pool (3, _i);
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
  mproc_test_end_pool (pool);
}
END_TEST

START_TEST (a_failing_item_fails_the_map_and_no_other_task)
{
  MprocPool *pool = mproc_test_pool (2, _i);
  GError *error = NULL;

  expect (mproc_pool_map (pool, mproc_test_square_but_five,
                          g_variant_new_parsed ("[1, 2, 3, 4, 5, 6, 7, 8]"), 3, &error),
          &error, MPROC_ERROR_FAILED);
  check_map (pool, 20, 3);
  mproc_test_end_pool (pool);
}
END_TEST

START_TEST (pushed_tasks_run_before_a_closed_pool_ends)
{
  MprocPool *pool = mproc_test_pool (3, _i);
  MprocQueue *queue = mproc_queue_new (0, NULL);
  gint32 sum = 0;

  for (gint32 i = 0; i < 50; i++)
    ck_assert (mproc_pool_push (pool, put_number, mproc_pack ("(hi)", queue, i), NULL));
  mproc_test_end_pool (pool);
  for (gint32 i = 0; i < 50; i++)
    sum += mproc_test_int (mproc_queue_get (queue, 0, NULL));
  ck_assert_int_eq (sum, 50 * 49 / 2);
  mproc_queue_unref (queue);
}
END_TEST

START_TEST (large_arguments_and_results)
{
  MprocPool *pool = mproc_test_pool (2, _i);
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
  mproc_test_end_pool (pool);
}
END_TEST

START_TEST (results_carry_objects)
{
  MprocPool *pool = mproc_test_pool (2, _i);
  GVariant *value = mproc_pool_apply (pool, give_queue, NULL, NULL);
  MprocQueue *queue;
  GBytes *bytes;

  mproc_test_end_pool (pool);
  ck_assert (mproc_unpack (value, NULL, "(&h)", &queue));
  bytes = mproc_queue_get_bytes (queue, 0, NULL);
  ck_assert_mem_eq (g_bytes_get_data (bytes, NULL), "made there", 10);
  g_bytes_unref (bytes);
  g_variant_unref (value);
}
END_TEST

START_TEST (what_cannot_be_sent_fails_that_task)
{
  MprocPool *pool = mproc_test_pool (1, _i);
  MprocConnection *a;
  MprocConnection *b;
  GError *error = NULL;

  expect (mproc_pool_apply (pool, mproc_test_do_nothing, g_variant_new ("(h)", 12345),
                            &error),
          &error, MPROC_ERROR_HANDLE);
  ck_assert (mproc_pipe (FALSE, &a, &b, NULL));
  expect (mproc_pool_apply (pool, mproc_test_do_nothing, mproc_pack ("(h)", a), &error),
          &error, MPROC_ERROR_NOT_SUPPORTED);
  mproc_connection_unref (a);
  mproc_connection_unref (b);
  ck_assert_ptr_null (mproc_pool_apply (pool, mproc_test_give_connection, NULL, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_NOT_SUPPORTED, "result cannot be sent");
  for (guint chunk = 0; chunk < 3; chunk++)
    {
      ck_assert_ptr_null (mproc_pool_map (pool, mproc_test_give_connection,
                                          mproc_test_numbers (0, 3), chunk, &error));
      mproc_test_expect_error (&error, MPROC_ERROR_NOT_SUPPORTED,
                               "result cannot be sent");
    }
  ck_assert_int_eq (mproc_test_int (mproc_pool_apply (pool, mproc_test_square_but_five,
                                                      g_variant_new_int32 (3), NULL)),
                    9);
  mproc_test_end_pool (pool);
}
END_TEST

START_TEST (a_closed_pool_takes_nothing)
{
  MprocPool *pool = mproc_test_pool (1, _i);
  GError *error = NULL;

  mproc_pool_close (pool);
  mproc_pool_close (pool);
  expect (mproc_pool_apply (pool, mproc_test_square_but_five, g_variant_new_int32 (1),
                            &error),
          &error, MPROC_ERROR_STATE);
  ck_assert (!mproc_pool_push (pool, mproc_test_square_but_five, g_variant_new_int32 (1),
                               &error));
  expect (NULL, &error, MPROC_ERROR_STATE);
  ck_assert (mproc_pool_join (pool, MPROC_FOREVER));
  ck_assert (mproc_pool_join (pool, 0));
  mproc_pool_unref (pool);
}
END_TEST

/* Without waiting for what runs: it would run for ever. */
START_TEST (terminates)
{
  MprocPool *pool = mproc_test_pool (1, _i);
  MprocTestGate gate;
  MprocResult *running, *queued;
  GError *error = NULL;

  mproc_test_gate_init (&gate);
  running = mproc_test_gate_occupy (&gate, pool, mproc_test_be_stuck);
  queued =
      mproc_pool_apply_async (pool, mproc_test_square, g_variant_new_int32 (4), NULL);
  mproc_pool_terminate (pool);
  if (mproc_test_is_thread (_i)) /* which has to end by itself */
    mproc_test_gate_open (&gate, 1, 0);
  ck_assert (mproc_pool_join (pool, MPROC_SECONDS (30)));
  if (!mproc_test_is_thread (_i))
    expect (mproc_result_get (running, 0, &error), &error, MPROC_ERROR_CANCELLED);
  expect (mproc_result_get (queued, 0, &error), &error, MPROC_ERROR_CANCELLED);
  mproc_pool_unref (pool);
  mproc_result_unref (running);
  mproc_result_unref (queued);
  mproc_test_gate_clear (&gate);
}
END_TEST

START_TEST (the_last_reference_terminates)
{
  MprocPool *pool = mproc_test_pool (2, _i);
  MprocResult *result = mproc_pool_apply_async (pool, mproc_test_square_but_five,
                                                g_variant_new_int32 (4), NULL);

  mproc_pool_unref (pool);
  ck_assert (mproc_result_is_ready (result));
  mproc_result_unref (result);
}
END_TEST

START_TEST (a_lost_worker_fails_its_task_alone)
{
  MprocPool *pool;
  MprocResult *results[20];
  GError *error = NULL;

  if (mproc_test_is_thread (_i))
    return; /* a thread cannot be lost */
  pool = mproc_test_pool (2, _i);
  for (gint32 i = 0; i < 20; i++)
    results[i] =
        mproc_pool_apply_async (pool,
                                i % 7 == 3 ? mproc_test_die : mproc_test_square_but_five,
                                g_variant_new_int32 (i + 10), NULL);
  for (gint32 i = 0; i < 20; i++)
    {
      GVariant *value = mproc_result_get (results[i], MPROC_SECONDS (50), &error);

      if (i % 7 != 3)
        ck_assert_int_eq (mproc_test_int (value), (i + 10) * (i + 10));
      else
        {
          ck_assert (strstr (error->message, "pid") != NULL);
          expect (value, &error, MPROC_ERROR_WORKER_DIED);
        }
      mproc_result_unref (results[i]);
    }
  expect (mproc_pool_apply (pool, mproc_test_exit_with_six, NULL, &error), &error,
          MPROC_ERROR_WORKER_DIED);
  check_map (pool, 50, 1);
  mproc_test_end_pool (pool);
}
END_TEST

START_TEST (a_worker_killed_from_outside_is_replaced)
{
  gint kills = mproc_test_scale (mproc_test_is_slow_platform () ? 3 : 20);
  MprocTestGate gate;
  MprocPool *pool;

  if (mproc_test_is_thread (_i))
    return; /* a thread cannot be killed */
  pool = mproc_test_pool (2, _i);
  mproc_test_gate_init (&gate);
  for (gint i = 0; i < kills; i++)
    {
      MprocResult *result =
          mproc_test_gate_submit (&gate, pool, mproc_test_be_stuck, NULL);

      mproc_test_kill_pid (mproc_test_gate_await (&gate));
      mproc_test_expect_failure (result, MPROC_ERROR_WORKER_DIED, NULL);
    }
  check_map (pool, 100, 1);
  mproc_test_end_pool (pool);
  mproc_test_gate_clear (&gate);
}
END_TEST

/* Random instants: every result comes, as a value or as its worker's death. */
START_TEST (survives_random_kills)
{
  gint rounds = mproc_test_scale (mproc_test_is_slow_platform () ? 5 : 60);
  gint died = 0;
  MprocPool *pool;

  if (mproc_test_is_thread (_i))
    return; /* a thread cannot be killed */
  pool = mproc_test_pool (3, _i);
  for (gint round = 0; round < rounds; round++)
    {
      MprocResult *results[60];
      GVariant *pid = mproc_pool_apply (pool, mproc_test_tell_pid, NULL, NULL);

      for (gint32 i = 0; i < 60; i++)
        results[i] = mproc_pool_apply_async (pool, mproc_test_square_but_five,
                                             g_variant_new_int32 (i + 10), NULL);
      g_usleep ((gulong) g_random_int_range (0, 300));
      if (pid != NULL)
        mproc_test_kill_pid (g_variant_get_int64 (pid));
      for (gint32 i = 0; i < 60; i++)
        {
          GVariant *value = mproc_test_value_or_death (results[i]);

          if (value != NULL)
            ck_assert_int_eq (mproc_test_int (value), (i + 10) * (i + 10));
          else
            died++;
        }
      g_clear_pointer (&pid, g_variant_unref);
    }
  ck_assert_int_le (died, rounds); /* a kill costs one task at most */
  mproc_test_end_pool (pool);
}
END_TEST

START_TEST (the_workers_are_as_many_as_asked_for)
{
  MprocPool *pool = mproc_test_pool (4, _i);
  MprocPool *other;
  GError *error = NULL;

  ck_assert_uint_eq (mproc_pool_get_n_workers (pool), 4);
  ck_assert_ptr_null (mproc_pool_new (5000, &error));
  expect (NULL, &error, MPROC_ERROR_INVALID);
  ck_assert_ptr_null (mproc_pool_new ((guint) -1, &error));
  expect (NULL, &error, MPROC_ERROR_INVALID);
  other = mproc_test_pool (0, _i);
  ck_assert_uint_eq (mproc_pool_get_n_workers (other), mproc_cpu_count ());
  check_map (other, 10, 1);
  mproc_test_end_pool (other);
  mproc_test_end_pool (pool);
}
END_TEST

static gpointer
use_pool (gpointer data)
{
  for (gint32 i = 10; i < 60; i++)
    {
      GVariant *value = mproc_pool_apply (data, mproc_test_square_but_five,
                                          g_variant_new_int32 (i), NULL);

      if (value == NULL || g_variant_get_int32 (value) != i * i)
        return NULL;
      g_variant_unref (value);
    }
  return data;
}

START_TEST (threads_share_a_pool)
{
  MprocPool *pool = mproc_test_pool (2, _i);
  GThread *threads[4];

  for (guint i = 0; i < 4; i++)
    threads[i] = g_thread_new ("use-pool", use_pool, pool);
  for (guint i = 0; i < 4; i++)
    ck_assert_ptr_eq (g_thread_join (threads[i]), pool);
  mproc_test_end_pool (pool);
}
END_TEST

START_TEST (mistakes_are_criticals)
{
  MprocPool *pool = mproc_test_try_pool (1, MPROC_START_METHOD_THREAD, NULL);
  MprocQueue *queue = mproc_queue_new (0, NULL);
  MprocResult *result =
      mproc_result_ref (mproc_pool_apply_async (pool, mproc_test_square_but_five,
                                                g_variant_new_int32 (1), NULL));

  g_test_expect_message ("mproc", G_LOG_LEVEL_CRITICAL, "*MPROC_KIND_POOL*");
  ck_assert_ptr_null (mproc_pool_apply ((gpointer) queue, mproc_test_square_but_five,
                                        NULL, NULL));
  g_test_expect_message ("mproc", G_LOG_LEVEL_CRITICAL, "*func != NULL*");
  ck_assert_ptr_null (mproc_pool_apply (pool, NULL, NULL, NULL));
  g_test_expect_message ("mproc", G_LOG_LEVEL_CRITICAL, "*items != NULL*");
  ck_assert_ptr_null (mproc_pool_map (pool, mproc_test_square_but_five, NULL, 1, NULL));
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
  mproc_test_end_pool (pool);
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
