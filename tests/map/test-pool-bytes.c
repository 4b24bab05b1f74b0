/* SPDX-License-Identifier: MIT */
/* Byte tasks. */
#include "pools.h"

#include "os.h"

#include <string.h>

/* ------------------------------------------------------------------ functions that run there */

static gboolean
square (gconstpointer item,
        gsize size,
        gpointer result,
        gsize result_size,
        GError **error)
{
  gint64 n = *(const gint64 *) item;

  (void) size, (void) result_size, (void) error;
  *(gint64 *) result = n * n;
  return TRUE;
}

/* The sizes it was told, then its item upside down. */
static gboolean
reverse (gconstpointer item,
         gsize size,
         gpointer result,
         gsize result_size,
         GError **error)
{
  const guint8 *from = item;
  guint8 *to = result;

  if (result_size != size + 2)
    return FALSE;
  to[0] = (guint8) size;
  to[1] = (guint8) result_size;
  for (gsize i = 0; i < size; i++)
    to[2 + i] = from[size - 1 - i];
  (void) error;
  return TRUE;
}

static gboolean
fail_at_seven (gconstpointer item,
               gsize size,
               gpointer result,
               gsize result_size,
               GError **error)
{
  if (*(const gint64 *) item != 7)
    return square (item, size, result, result_size, error);
  g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_INVALID, "it is seven");
  return FALSE;
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
die_at_seven (gconstpointer item,
              gsize size,
              gpointer result,
              gsize result_size,
              GError **error)
{
  if (*(const gint64 *) item == 7)
    mproc_os_kill_self ();
  return square (item, size, result, result_size, error);
}

static gboolean
write_pid (gconstpointer item,
           gsize size,
           gpointer result,
           gsize result_size,
           GError **error)
{
  (void) item, (void) size, (void) result_size, (void) error;
  *(gint64 *) result = mproc_process_get_pid (mproc_process_current ());
  return TRUE;
}

/* ------------------------------------------------------------------ tests */

static gint64 *
numbers_up_to (gsize n)
{
  gint64 *numbers = g_new (gint64, n);

  for (gsize i = 0; i < n; i++)
    numbers[i] = (gint64) i;
  return numbers;
}

static gboolean
are_squares (const gint64 *results, gsize n)
{
  for (gsize i = 0; i < n; i++)
    if (results[i] != (gint64) i * (gint64) i)
      return FALSE;
  return TRUE;
}

START_TEST (maps_bytes_in_order)
{
  static const gsize counts[] = { 1, 2, 129, 5000, 100000 };
  MprocPool *pool = mproc_test_pool (3, _i);

  for (guint i = 0; i < G_N_ELEMENTS (counts); i++)
    for (guint chunk = 0; chunk < 12; chunk += 5)
      {
        gint64 *numbers = numbers_up_to (counts[i]);
        gint64 *results = g_new0 (gint64, counts[i]);
        GError *error = NULL;

        ck_assert (mproc_pool_map_bytes (pool, square, numbers, counts[i],
                                         sizeof *numbers, results, sizeof *results, chunk,
                                         &error));
        ck_assert (are_squares (results, counts[i]));
        g_free (numbers);
        g_free (results);
      }
  mproc_test_end_pool (pool);
}
END_TEST

START_TEST (items_and_results_have_any_size)
{
  MprocPool *pool = mproc_test_pool (2, _i);
  char results[3][7];

  ck_assert (mproc_pool_map_bytes (pool, reverse, "abcdefghijklmno", 3, 5, results, 7, 1,
                                   NULL));
  ck_assert_int_eq (memcmp (results[0], "\5\7edcba", 7), 0);
  ck_assert_int_eq (memcmp (results[1], "\5\7jihgf", 7), 0);
  ck_assert_int_eq (memcmp (results[2], "\5\7onmlk", 7), 0);
  ck_assert (mproc_pool_map_bytes (pool, write_pid, NULL, 0, 5, NULL, 0, 1, NULL));
  mproc_test_end_pool (pool);
}
END_TEST

START_TEST (applies_bytes)
{
  MprocPool *pool = mproc_test_pool (2, _i);

  for (gint64 i = 0; i < 100; i++)
    {
      gint64 result = 0;

      ck_assert (mproc_pool_apply_bytes (pool, square, &i, sizeof i, &result,
                                         sizeof result, NULL));
      ck_assert_int_eq (result, i * i);
    }
  mproc_test_end_pool (pool);
}
END_TEST

START_TEST (bytes_come_later)
{
  MprocPool *pool = mproc_test_pool (2, _i);
  gint64 *numbers = numbers_up_to (1000);
  MprocResult *result = mproc_pool_map_bytes_async (pool, square, numbers, 1000,
                                                    sizeof *numbers, sizeof *numbers, 0);
  MprocResult *none = mproc_pool_map_bytes_async (pool, square, NULL, 0, 8, 8, 0);
  GVariant *value;
  gconstpointer bytes;
  gsize n;

  memset (numbers, 0, 1000 * sizeof *numbers);
  value = mproc_result_get (result, MPROC_SECONDS (30), NULL);
  ck_assert (g_variant_is_of_type (value, G_VARIANT_TYPE_BYTESTRING));
  bytes = g_variant_get_fixed_array (value, &n, 1);
  ck_assert_uint_eq (n, 1000 * sizeof *numbers);
  memcpy (numbers, bytes, n);
  ck_assert (are_squares (numbers, 1000));
  g_variant_unref (value);
  mproc_result_unref (result);
  value = mproc_result_get (none, 0, NULL);
  ck_assert_uint_eq (g_variant_get_size (value), 0);
  g_variant_unref (value);
  mproc_result_unref (none);
  g_free (numbers);
  mproc_test_end_pool (pool);
}
END_TEST

/* What was there in the results stays. */
START_TEST (an_error_is_told_and_leaves_the_results_alone)
{
  MprocPool *pool = mproc_test_pool (2, _i);
  gint64 *numbers = numbers_up_to (50);
  gint64 results[50] = { 99 };
  GError *error = NULL;

  for (guint chunk = 0; chunk < 3; chunk++)
    {
      ck_assert (!mproc_pool_map_bytes (pool, fail_at_seven, numbers, 50, 8, results, 8,
                                        chunk, &error));
      mproc_test_expect_error (&error, MPROC_ERROR_INVALID, "it is seven");
      ck_assert_int_eq (results[0], 99);
    }
  ck_assert (!mproc_pool_apply_bytes (pool, fail_silently, numbers, 8, NULL, 0, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_FAILED, "did not say why");
  g_free (numbers);
  mproc_test_end_pool (pool);
}
END_TEST

START_TEST (a_death_is_told)
{
  MprocPool *pool;
  gint64 *numbers;
  gint64 results[50];
  GError *error = NULL;

  if (mproc_test_is_thread (_i))
    return; /* a thread cannot be killed */
  pool = mproc_test_pool (2, _i);
  numbers = numbers_up_to (50);
  ck_assert (!mproc_pool_map_bytes (pool, die_at_seven, numbers, 50, 8, results, 8, 1,
                                    &error));
  mproc_test_expect_error (&error, MPROC_ERROR_WORKER_DIED, "item 7 of map");
  ck_assert (mproc_pool_map_bytes (pool, square, numbers, 50, 8, results, 8, 1, NULL));
  ck_assert (are_squares (results, 50));
  g_free (numbers);
  mproc_test_end_pool (pool);
}
END_TEST

/* What a large map took is there again for the next one. */
START_TEST (large_maps_leave_nothing_behind)
{
  MprocPool *pool = mproc_test_pool (2, _i);
  gsize n = mproc_test_is_slow_platform () ? 4000 : 40000;
  guint8 *items = g_malloc0 (n * 500);
  gint64 *results = g_new (gint64, n);

  for (guint i = 0; i < 30; i++)
    ck_assert (mproc_pool_map_bytes (pool, write_pid, items, n, 500, results, 8, 0,
                                     NULL));
  g_free (items);
  g_free (results);
  mproc_test_end_pool (pool);
}
END_TEST

START_TEST (too_many_bytes_are_an_error)
{
  MprocPool *pool = mproc_test_pool (1, _i);
  gint64 item = 0;
  GError *error = NULL;
  MprocResult *result =
      mproc_pool_map_bytes_async (pool, square, &item, G_MAXSIZE / 8, 8, 8, 0);

  ck_assert_ptr_null (mproc_result_get (result, 0, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_TOO_LARGE, "more than can be handed over");
  mproc_result_unref (result);
  mproc_test_end_pool (pool);
}
END_TEST

Suite *
mproc_test_pool_bytes_suite (void)
{
  static const TTest *const *const tests[] = {
    &maps_bytes_in_order,
    &items_and_results_have_any_size,
    &applies_bytes,
    &bytes_come_later,
    &an_error_is_told_and_leaves_the_results_alone,
    &a_death_is_told,
    &large_maps_leave_nothing_behind,
    &too_many_bytes_are_an_error,
  };
  Suite *suite = suite_create ("pool-bytes");
  TCase *tcase = mproc_test_case (suite, "pool-bytes");

  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    tcase_add_loop_test (tcase, *tests[i], 0, (int) mproc_test_n_methods ());
  return suite;
}
