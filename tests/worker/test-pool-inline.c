/* SPDX-License-Identifier: MIT */
/* Inline pools: everything happens in the caller, before it returns. */
#include "pools.h"

#include <string.h>

static MprocPool *
inline_pool (MprocPoolOptions *options)
{
  if (options == NULL)
    options = mproc_pool_options_new ();
  mproc_pool_options_set_inline (options, TRUE);
  return mproc_test_pool_with (2, options);
}

/* ------------------------------------------------------------------ tasks */

static gint n_run; /* a variable of the one process that there is */

static GVariant *
count (GVariant *args, GError **error)
{
  n_run++;
  return mproc_test_square_but_five (args, error);
}

static GVariant *
is_worker_one (GVariant *args, GError **error)
{
  (void) args, (void) error;
  return g_variant_new_boolean (mproc_worker_get_number () == 1 &&
                                mproc_task_get_attempt () == 1);
}

START_TEST (runs_at_once)
{
  MprocPool *pool = inline_pool (NULL);
  MprocResult *result;
  GError *error = NULL;
  GVariant *value;
  char *text;

  n_run = 0;
  ck_assert_uint_eq (mproc_pool_get_n_workers (pool), 2);
  result = mproc_pool_apply_async (pool, count, g_variant_new_int32 (7), NULL);
  ck_assert (mproc_result_is_ready (result));
  ck_assert_int_eq (n_run, 1);
  ck_assert_int_eq (mproc_test_int (mproc_result_get (result, 0, NULL)), 49);
  mproc_result_unref (result);
  ck_assert_ptr_null (mproc_pool_apply (pool, count, g_variant_new_int32 (5), &error));
  mproc_test_expect_error (&error, MPROC_ERROR_FAILED, "Invalid value");
  for (guint chunk = 0; chunk < 4; chunk++)
    {
      value = mproc_pool_map (pool, count, mproc_test_numbers (6, 4), chunk, NULL);
      text = g_variant_print (value, FALSE);
      ck_assert_str_eq (text, "[<36>, <49>, <64>, <81>]");
      g_free (text);
      g_variant_unref (value);
    }
  ck_assert_int_eq (n_run, 18);
  ck_assert (mproc_pool_push (pool, count, g_variant_new_int32 (7), NULL));
  ck_assert_int_eq (n_run, 19);
  value = mproc_pool_apply (pool, is_worker_one, NULL, NULL);
  ck_assert (g_variant_get_boolean (value));
  g_variant_unref (value);
  ck_assert_uint_eq (mproc_worker_get_number (), 0);
  mproc_test_end_pool (pool);
}
END_TEST

static void
note_thread (MprocResult *result, gpointer data)
{
  if (mproc_result_is_ready (result))
    *(GThread **) data = g_thread_self ();
}

START_TEST (calls_back_at_once)
{
  MprocPool *pool = inline_pool (NULL);
  GMainContext *context = g_main_context_new ();
  MprocResult *result =
      mproc_pool_apply_async (pool, count, g_variant_new_int32 (7), NULL);
  MprocResult *other =
      mproc_pool_apply_async (pool, count, g_variant_new_int32 (7), NULL);
  GThread *thread = NULL;

  mproc_result_set_callback (result, NULL, note_thread, &thread, NULL);
  ck_assert_ptr_eq (thread, g_thread_self ());
  thread = NULL;
  mproc_result_set_callback (other, context, note_thread, &thread, NULL);
  ck_assert_ptr_null (thread);
  ck_assert (g_main_context_iteration (context, FALSE));
  ck_assert_ptr_eq (thread, g_thread_self ());
  mproc_result_unref (result);
  mproc_result_unref (other);
  g_main_context_unref (context);
  mproc_test_end_pool (pool);
}
END_TEST

static GVariant *
count_up (gpointer data, GError **error)
{
  (void) error;
  return g_variant_new_int32 ((*(gint32 *) data)++);
}

START_TEST (iterates)
{
  MprocPool *pool = inline_pool (NULL);
  gint32 i = 6;
  MprocIter *iter = mproc_pool_imap_from (pool, mproc_test_square_but_five, count_up, &i,
                                          NULL, 3, NULL, NULL);

  ck_assert_int_eq (i, 6);
  for (gint32 k = 6; k < 30; k++)
    ck_assert_int_eq (mproc_test_int (mproc_iter_next (iter, 0, NULL)), k * k);
  mproc_iter_unref (iter);
  iter = mproc_pool_imap_unordered (pool, mproc_test_square_but_five,
                                    mproc_test_numbers (6, 5), 2, NULL, NULL);
  for (gint32 k = 6; k < 11; k++)
    ck_assert_int_eq (mproc_test_int (mproc_iter_next (iter, 0, NULL)), k * k);
  ck_assert_ptr_null (mproc_iter_next (iter, 0, NULL));
  mproc_iter_unref (iter);
  mproc_test_end_pool (pool);
}
END_TEST

START_TEST (what_cannot_be_sent_fails_here_too)
{
  MprocPool *pool = inline_pool (NULL);
  MprocConnection *here, *there;
  GError *error = NULL;

  ck_assert (mproc_pipe (FALSE, &here, &there, NULL));
  ck_assert_ptr_null (mproc_pool_apply (pool, count, mproc_pack ("(h)", here), &error));
  mproc_test_expect_error (&error, MPROC_ERROR_NOT_SUPPORTED, "connection");
  mproc_connection_unref (here);
  mproc_connection_unref (there);
  ck_assert_ptr_null (mproc_pool_apply (pool, count, g_variant_new ("(h)", 12345),
                                        &error));
  mproc_test_expect_error (&error, MPROC_ERROR_HANDLE, "");
  ck_assert_ptr_null (mproc_pool_apply (pool, mproc_test_give_connection, NULL, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_NOT_SUPPORTED, "result cannot be sent");
  mproc_test_end_pool (pool);
}
END_TEST

START_TEST (has_no_workers_to_count)
{
  MprocPool *pool = inline_pool (NULL);

  ck_assert (mproc_pool_resize (pool, 3, NULL));
  ck_assert_uint_eq (mproc_pool_get_n_live_workers (pool), 0);
  mproc_test_end_pool (pool);
}
END_TEST

/* A task that hands over another one, and looks who it is then. */
static GVariant *
apply_inside (GVariant *args, GError **error)
{
  MprocPool *pool = (MprocPool *) (gsize) g_variant_get_uint64 (args);
  GVariant *value;

  mproc_worker_set_data (pool, NULL);
  value = mproc_pool_apply (pool, count, g_variant_new_int32 (9), error);
  if (value != NULL && mproc_worker_get_data () == pool && mproc_task_get_attempt () == 1)
    return value;
  g_clear_pointer (&value, g_variant_unref);
  return NULL;
}

START_TEST (tasks_nest)
{
  MprocPool *pool = inline_pool (NULL);

  ck_assert_int_eq (mproc_test_int (mproc_pool_apply (
                        pool, apply_inside, g_variant_new_uint64 ((guint64) (gsize) pool),
                        NULL)),
                    81);
  mproc_test_end_pool (pool);
}
END_TEST

/* Looks once before its time is up, and once after. */
static GVariant *
run_into_limit (GVariant *args, GError **error)
{
  gint64 end = g_get_monotonic_time () + MPROC_SECONDS (20);

  (void) args;
  while (!mproc_task_should_stop () && g_get_monotonic_time () < end)
    continue;
  mproc_task_check (error);
  return NULL;
}

START_TEST (soft_limits_hold)
{
  MprocPool *pool = inline_pool (NULL);
  MprocTaskOptions *options = mproc_task_options_new ();
  GError *error = NULL;
  MprocResult *result;

  mproc_task_options_set_soft_limit (options, 1000);
  result = mproc_pool_apply_async (pool, run_into_limit, NULL, options);
  ck_assert_ptr_null (mproc_result_get (result, 0, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_TIMED_OUT, "soft limit");
  mproc_result_unref (result);
  mproc_task_options_free (options);
  mproc_test_end_pool (pool);
}
END_TEST

/* ------------------------------------------------------------------ its worker's life */

static GString *life;

static GVariant *
note (GVariant *args, GError **error)
{
  (void) error;
  g_string_append_printf (life, "%s%u ", g_variant_get_string (args, NULL),
                          mproc_worker_get_number ());
  return NULL;
}

static GVariant *
work (GVariant *args, GError **error)
{
  (void) args, (void) error;
  g_string_append_printf (life, "w%u ", mproc_worker_get_number ());
  return NULL;
}

static void
expect_life (const char *text)
{
  ck_assert_str_eq (life->str, text);
  g_string_truncate (life, 0);
}

START_TEST (has_a_workers_life)
{
  MprocPoolOptions *options = mproc_pool_options_new ();
  MprocPool *pool;

  life = g_string_new (NULL);
  mproc_pool_options_set_initializer (options, note, g_variant_new_string ("i"));
  mproc_pool_options_set_finalizer (options, note, g_variant_new_string ("f"));
  mproc_pool_options_set_max_tasks_per_worker (options, 2);
  pool = inline_pool (options);
  expect_life ("i1 ");
  for (guint i = 0; i < 3; i++)
    ck_assert (mproc_pool_push (pool, work, NULL, NULL));
  expect_life ("w1 w1 f1 i2 w2 ");
  mproc_pool_close (pool);
  expect_life ("f2 ");
  mproc_pool_terminate (pool);
  ck_assert (mproc_pool_join (pool, 0));
  ck_assert (!mproc_pool_push (pool, work, NULL, NULL));
  mproc_pool_unref (pool);
  expect_life ("");
  g_string_free (life, TRUE);
}
END_TEST

static GVariant *
close_inside (GVariant *args, GError **error)
{
  (void) error;
  mproc_pool_close ((MprocPool *) (gsize) g_variant_get_uint64 (args));
  g_string_append (life, "closed ");
  return NULL;
}

START_TEST (a_task_may_close_it)
{
  MprocPoolOptions *options = mproc_pool_options_new ();
  MprocPool *pool;

  life = g_string_new (NULL);
  mproc_pool_options_set_finalizer (options, note, g_variant_new_string ("f"));
  pool = inline_pool (options);
  g_variant_unref (mproc_pool_apply (pool, close_inside,
                                     g_variant_new_uint64 ((guint64) (gsize) pool),
                                     NULL));
  expect_life ("closed f1 ");
  ck_assert (mproc_pool_join (pool, 0));
  mproc_pool_unref (pool);
  g_string_free (life, TRUE);
}
END_TEST

static GVariant *
refuse (GVariant *args, GError **error)
{
  (void) args;
  g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_FAILED, "no database here");
  return NULL;
}

START_TEST (a_failed_initializer_breaks_it)
{
  MprocPoolOptions *options = mproc_pool_options_new ();
  GError *error = NULL;
  MprocPool *pool;

  mproc_pool_options_set_initializer (options, refuse, NULL);
  pool = inline_pool (options);
  for (guint i = 0; i < 2; i++)
    {
      ck_assert_ptr_null (mproc_pool_apply (pool, count, NULL, &error));
      mproc_test_expect_error (&error, MPROC_ERROR_STATE, "no database here");
    }
  mproc_test_end_pool (pool);
}
END_TEST

static gpointer
apply_often (gpointer data)
{
  for (gint32 i = 6; i < 100; i++)
    {
      GVariant *value = mproc_pool_apply (data, count, g_variant_new_int32 (i), NULL);

      if (value == NULL || g_variant_get_int32 (value) != i * i)
        return NULL;
      g_variant_unref (value);
    }
  return data;
}

/* One task at a time: the count needs no lock. */
START_TEST (threads_share_it)
{
  MprocPool *pool = inline_pool (NULL);
  GThread *threads[4];

  n_run = 0;
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("apply", apply_often, pool);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    ck_assert_ptr_eq (g_thread_join (threads[i]), pool);
  ck_assert_int_eq (n_run, 4 * 94);
  mproc_test_end_pool (pool);
}
END_TEST

Suite *
mproc_test_pool_inline_suite (void)
{
  Suite *suite = suite_create ("pool-inline");
  TCase *tcase = mproc_test_case (suite, "inline");

  tcase_add_test (tcase, runs_at_once);
  tcase_add_test (tcase, calls_back_at_once);
  tcase_add_test (tcase, iterates);
  tcase_add_test (tcase, what_cannot_be_sent_fails_here_too);
  tcase_add_test (tcase, has_no_workers_to_count);
  tcase_add_test (tcase, tasks_nest);
  tcase_add_test (tcase, soft_limits_hold);
  tcase_add_test (tcase, has_a_workers_life);
  tcase_add_test (tcase, a_task_may_close_it);
  tcase_add_test (tcase, a_failed_initializer_breaks_it);
  tcase_add_test (tcase, threads_share_it);
  return suite;
}
