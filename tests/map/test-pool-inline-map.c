/* SPDX-License-Identifier: MIT */
/* Maps of bytes and of arrays in an inline pool: as in any other, but in the caller. */
#include "pools.h"

#include <mproc/shared.h>

#include <string.h>

static MprocPool *
inline_pool (MprocPoolOptions *options)
{
  if (options == NULL)
    options = mproc_pool_options_new ();
  mproc_pool_options_set_inline (options, TRUE);
  return mproc_test_pool_with (2, options);
}

/* ------------------------------------------------------------------ functions */

static gboolean
square (gconstpointer item,
        gsize size,
        gpointer result,
        gsize result_size,
        GError **error)
{
  gint32 n = *(const gint32 *) item;

  (void) size, (void) error;
  if (result_size == sizeof (gint64))
    *(gint64 *) result = (gint64) n * n;
  return TRUE;
}

static GArray *seen; /* in the order of the calls */

static gboolean
fail_at_seven (gconstpointer item,
               gsize size,
               gpointer result,
               gsize result_size,
               GError **error)
{
  gint32 n = *(const gint32 *) item;

  g_array_append_val (seen, n);
  if (n == 7)
    g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_INVALID, "seven");
  return n != 7 && square (item, size, result, result_size, error);
}

static gboolean
fail_silently (gconstpointer item,
               gsize size,
               gpointer result,
               gsize result_size,
               GError **error)
{
  (void) item, (void) size, (void) result, (void) result_size, (void) error;
  return FALSE;
}

static gboolean
add (gpointer items, gsize n, gsize first, GVariant *args, GError **error)
{
  gint32 *numbers = items;
  gint32 more = args != NULL ? g_variant_get_int32 (args) : 0;

  (void) error;
  for (gsize i = 0; i < n; i++)
    numbers[i] += (gint32) (first + i) + more;
  return TRUE;
}

static gboolean
fail_in_the_middle (gpointer items, gsize n, gsize first, GVariant *args, GError **error)
{
  if (first != 4)
    return add (items, n, first, args, error);
  g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_INVALID, "four");
  return FALSE;
}

static gint32 *
numbers_up_to (guint n)
{
  gint32 *numbers = g_new (gint32, n);

  for (guint i = 0; i < n; i++)
    numbers[i] = (gint32) i;
  return numbers;
}

/* ------------------------------------------------------------------ bytes */

static const guint chunks[] = { 0, 1, 7, 100000 };

START_TEST (bytes_give_what_other_pools_give)
{
  static const guint counts[] = { 1, 2, 100, 1001 };
  MprocPool *pools[] = { inline_pool (NULL), mproc_test_pool (2, _i) };

  for (guint i = 0; i < G_N_ELEMENTS (counts); i++)
    for (guint j = 0; j < G_N_ELEMENTS (chunks); j++)
      {
        gint32 *numbers = numbers_up_to (counts[i]);
        gint64 *results[2];

        for (guint k = 0; k < 2; k++)
          {
            results[k] = g_new0 (gint64, counts[i]);
            ck_assert (mproc_pool_map_bytes (pools[k], square, numbers, counts[i],
                                             sizeof *numbers, results[k],
                                             sizeof **results, chunks[j], NULL));
          }
        ck_assert_mem_eq (results[0], results[1], counts[i] * sizeof **results);
        ck_assert_int_eq (results[0][counts[i] - 1],
                          (gint64) (counts[i] - 1) * (counts[i] - 1));
        g_free (results[0]);
        g_free (results[1]);
        g_free (numbers);
      }
  for (guint k = 0; k < 2; k++)
    mproc_test_end_pool (pools[k]);
}
END_TEST

START_TEST (a_result_to_come_is_there)
{
  MprocPool *pool = inline_pool (NULL);
  gint32 *numbers = numbers_up_to (50);
  gint64 squared = 0;
  MprocResult *result;
  GVariant *value;

  result = mproc_pool_map_bytes_async (pool, square, numbers, 50, sizeof *numbers,
                                       sizeof (gint64), 0);
  ck_assert (mproc_result_is_ready (result));
  value = mproc_result_get (result, 0, NULL);
  ck_assert_str_eq (g_variant_get_type_string (value), "ay");
  ck_assert_uint_eq (g_variant_get_size (value), 50 * sizeof (gint64));
  memcpy (&squared, (const gint64 *) g_variant_get_data (value) + 49, sizeof squared);
  ck_assert_int_eq (squared, 49 * 49);
  g_variant_unref (value);
  mproc_result_unref (result);
  ck_assert (mproc_pool_apply_bytes (pool, square, &numbers[9], sizeof *numbers, &squared,
                                     sizeof squared, NULL));
  ck_assert_int_eq (squared, 81);
  ck_assert (mproc_pool_apply_bytes (pool, square, &numbers[9], sizeof *numbers, NULL, 0,
                                     NULL));
  g_free (numbers);
  mproc_test_end_pool (pool);
}
END_TEST

/* One that fails loses the rest of its chunk. */
START_TEST (an_error_is_the_maps_and_the_others_are_run)
{
  MprocPool *pool = inline_pool (NULL);
  gint32 *numbers = numbers_up_to (20);
  gint64 results[20];
  GError *error = NULL;

  seen = g_array_new (FALSE, FALSE, sizeof (gint32));
  memset (results, 1, sizeof results);
  ck_assert (!mproc_pool_map_bytes (pool, fail_at_seven, numbers, 20, sizeof *numbers,
                                    results, sizeof *results, 5, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_INVALID, "seven");
  ck_assert_uint_eq (seen->len, 18);
  for (guint i = 0; i < seen->len; i++)
    ck_assert_int_eq (g_array_index (seen, gint32, i), (gint32) (i < 8 ? i : i + 2));
  for (guint i = 0; i < sizeof results; i++)
    ck_assert_uint_eq (((guint8 *) results)[i], 1);
  ck_assert (!mproc_pool_apply_bytes (pool, fail_silently, numbers, sizeof *numbers, NULL,
                                      0, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_FAILED, "did not say why");
  g_array_free (seen, TRUE);
  g_free (numbers);
  mproc_test_end_pool (pool);
}
END_TEST

/* ------------------------------------------------------------------ arrays */

static void
expect_array (MprocArray *array, gint32 times, gint32 more)
{
  gsize n;
  const gint32 *numbers = mproc_array_get_data (array, &n);

  for (gsize i = 0; i < n; i++)
    ck_assert_int_eq (numbers[i], (gint32) i * times + more);
}

START_TEST (arrays_are_worked_on)
{
  MprocPool *pool = inline_pool (NULL);
  MprocArray *array = mproc_array_new ("i", 100, NULL, NULL, NULL);
  MprocResult *result;
  GError *error = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (chunks); i++)
    {
      ck_assert (mproc_pool_map_array (pool, add, array, chunks[i],
                                       g_variant_new_int32 (3), &error));
      expect_array (array, (gint32) i + 1, 3 * ((gint32) i + 1));
    }
  result = mproc_pool_map_array_async (pool, add, array, 0, NULL);
  ck_assert (mproc_result_is_ready (result));
  mproc_test_expect_success (result);
  expect_array (array, 5, 12);
  mproc_array_unref (array);
  array = mproc_array_new ("i", 10, NULL, NULL, NULL);
  ck_assert (!mproc_pool_map_array (pool, fail_in_the_middle, array, 2, NULL, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_INVALID, "four");
  ck_assert_int_eq (((gint32 *) mproc_array_get_data (array, NULL))[4], 0);
  ck_assert_int_eq (((gint32 *) mproc_array_get_data (array, NULL))[9], 9);
  mproc_array_unref (array);
  mproc_test_end_pool (pool);
}
END_TEST

START_TEST (what_cannot_be_sent_fails_here_too)
{
  MprocPool *pool = inline_pool (NULL);
  MprocArray *array = mproc_array_new ("i", 10, NULL, NULL, NULL);
  MprocConnection *here, *there;
  GError *error = NULL;

  ck_assert (mproc_pipe (FALSE, &here, &there, NULL));
  ck_assert (!mproc_pool_map_array (pool, add, array, 2, mproc_pack ("h", here), &error));
  mproc_test_expect_error (&error, MPROC_ERROR_NOT_SUPPORTED, "connection");
  mproc_connection_unref (here);
  mproc_connection_unref (there);
  mproc_array_unref (array);
  mproc_test_end_pool (pool);
}
END_TEST

/* ------------------------------------------------------------------ the rest of a pool */

START_TEST (what_is_counted_is_the_same)
{
  MprocPool *pools[] = { inline_pool (NULL), mproc_test_pool (1, _i) };
  gint32 *numbers = numbers_up_to (30);
  MprocPoolStats *stats[2];

  seen = g_array_new (FALSE, FALSE, sizeof (gint32));
  for (guint k = 0; k < 2; k++)
    {
      ck_assert (mproc_pool_map_bytes (pools[k], square, numbers, 30, sizeof *numbers,
                                       NULL, 0, 4, NULL));
      ck_assert (!mproc_pool_map_bytes (pools[k], fail_silently, numbers, 11,
                                        sizeof *numbers, NULL, 0, 0, NULL));
      stats[k] = mproc_pool_get_stats (pools[k]);
    }
  ck_assert_uint_eq (stats[0]->n_done, stats[1]->n_done);
  ck_assert_uint_eq (stats[0]->n_failed, stats[1]->n_failed);
  ck_assert_uint_eq (stats[0]->n_done, 30);
  ck_assert_uint_eq (stats[0]->n_failed, 11);
  for (guint k = 0; k < 2; k++)
    {
      mproc_pool_stats_free (stats[k]);
      mproc_test_end_pool (pools[k]);
    }
  g_array_free (seen, TRUE);
  g_free (numbers);
}
END_TEST

static gboolean
run_into_limit (gconstpointer item,
                gsize size,
                gpointer result,
                gsize result_size,
                GError **error)
{
  gint64 end = g_get_monotonic_time () + MPROC_SECONDS (20);

  (void) item, (void) size, (void) result, (void) result_size;
  while (!mproc_task_should_stop () && g_get_monotonic_time () < end)
    continue;
  return mproc_task_check (error);
}

START_TEST (soft_limits_hold)
{
  MprocPoolOptions *options = mproc_pool_options_new ();
  MprocTaskOptions *limits = mproc_task_options_new ();
  gint32 numbers[3] = { 1, 2, 3 };
  GError *error = NULL;
  MprocPool *pool;

  mproc_task_options_set_soft_limit (limits, 1000);
  mproc_pool_options_set_task_options (options, limits);
  mproc_task_options_free (limits);
  pool = inline_pool (options);
  ck_assert (!mproc_pool_map_bytes (pool, run_into_limit, numbers, 3, sizeof *numbers,
                                    NULL, 0, 1, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_TIMED_OUT, "soft limit");
  mproc_test_end_pool (pool);
}
END_TEST

/* ------------------------------------------------------------------ its worker's life */

static GString *life;
static MprocPool *pool_to_end;

static GVariant *
note (GVariant *args, GError **error)
{
  (void) error;
  g_string_append_printf (life, "%s%u ", g_variant_get_string (args, NULL),
                          mproc_worker_get_number ());
  return NULL;
}

/* 2 closes the pool, 3 terminates it. */
static gboolean
note_item (gconstpointer item,
           gsize size,
           gpointer result,
           gsize result_size,
           GError **error)
{
  gint32 n = *(const gint32 *) item;

  (void) size, (void) result, (void) result_size, (void) error;
  g_string_append_printf (life, "%d ", n);
  if (n == 2)
    mproc_pool_close (pool_to_end);
  else if (n == 3)
    mproc_pool_terminate (pool_to_end);
  return TRUE;
}

static void
run_life (guint max_tasks, const gint32 *numbers, guint n, gint code, const char *text)
{
  MprocPoolOptions *options = mproc_pool_options_new ();
  GError *error = NULL;
  gboolean ok;

  life = g_string_new (NULL);
  mproc_pool_options_set_initializer (options, note, g_variant_new_string ("i"));
  mproc_pool_options_set_finalizer (options, note, g_variant_new_string ("f"));
  mproc_pool_options_set_max_tasks_per_worker (options, max_tasks);
  pool_to_end = inline_pool (options);
  ok = mproc_pool_map_bytes (pool_to_end, note_item, numbers, n, sizeof *numbers, NULL, 0,
                             1, &error);
  ck_assert_int_eq (ok, code < 0);
  if (!ok)
    mproc_test_expect_error (&error, code, "terminated");
  mproc_test_end_pool (pool_to_end);
  ck_assert_str_eq (life->str, text);
  g_string_free (life, TRUE);
}

START_TEST (its_worker_has_a_life)
{
  static const gint32 plain[] = { 4, 5, 6 };
  static const gint32 closed[] = { 4, 2, 5, 6 };
  static const gint32 terminated[] = { 4, 3, 5, 6 };

  run_life (0, plain, 3, -1, "i1 4 5 6 f1 ");
  run_life (2, plain, 3, -1, "i1 4 5 f1 i2 6 f2 ");
  run_life (0, closed, 4, -1, "i1 4 2 5 6 f1 ");
  run_life (0, terminated, 4, MPROC_ERROR_CANCELLED, "i1 4 3 f1 ");
}
END_TEST

static GVariant *
refuse_the_second (GVariant *args, GError **error)
{
  (void) args;
  if (mproc_worker_get_number () == 2)
    g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_FAILED, "no database here");
  return NULL;
}

START_TEST (a_failed_initializer_breaks_it)
{
  MprocPoolOptions *options = mproc_pool_options_new ();
  gint32 *numbers = numbers_up_to (5);
  GError *error = NULL;
  MprocPool *pool;

  mproc_pool_options_set_initializer (options, refuse_the_second, NULL);
  mproc_pool_options_set_max_tasks_per_worker (options, 2);
  pool = inline_pool (options);
  for (guint i = 0; i < 2; i++)
    {
      ck_assert (!mproc_pool_map_bytes (pool, square, numbers, 5, sizeof *numbers, NULL,
                                        0, 1, &error));
      mproc_test_expect_error (&error, MPROC_ERROR_STATE, "no database here");
    }
  g_free (numbers);
  mproc_test_end_pool (pool);
}
END_TEST

Suite *mproc_test_pool_inline_map_suite (void);

Suite *
mproc_test_pool_inline_map_suite (void)
{
  Suite *suite = suite_create ("pool-inline-map");
  TCase *tcase = mproc_test_case (suite, "pool-inline-map");
  int n = (int) mproc_test_n_methods ();

  tcase_add_loop_test (tcase, bytes_give_what_other_pools_give, 0, n);
  tcase_add_test (tcase, a_result_to_come_is_there);
  tcase_add_test (tcase, an_error_is_the_maps_and_the_others_are_run);
  tcase_add_test (tcase, arrays_are_worked_on);
  tcase_add_test (tcase, what_cannot_be_sent_fails_here_too);
  tcase_add_loop_test (tcase, what_is_counted_is_the_same, 0, n);
  tcase_add_test (tcase, soft_limits_hold);
  tcase_add_test (tcase, its_worker_has_a_life);
  tcase_add_test (tcase, a_failed_initializer_breaks_it);
  return suite;
}
