/* SPDX-License-Identifier: MIT */
/* A pool while there is no shared memory: whatever is asked of it is done or refused, soon, and it
 * serves on once there is some again. */
#include "hoard.h"
#include "pools.h"

#include <mproc/iter.h>
#include <mproc/poolmap.h>

#define N_ITEMS 100
#define LONG_SIZE 100000

static GVariant *
give_back (GVariant *args, GError **error)
{
  return g_variant_ref (args);
}

static gboolean
square_byte (gconstpointer item,
             gsize size,
             gpointer result,
             gsize result_size,
             GError **error)
{
  const guint8 *x = item;
  guint8 *y = result;

  *y = (guint8) (*x * *x);
  return TRUE;
}

static GVariant *
make_long (void)
{
  guint8 *bytes = g_malloc0 (LONG_SIZE);

  return g_variant_new_from_data (G_VARIANT_TYPE_BYTESTRING, bytes, LONG_SIZE, TRUE,
                                  g_free, bytes);
}

/* One or the other: the value, or that there is no memory. */
static gboolean
is_refused (GVariant *value, GError *error)
{
  ck_assert ((value == NULL) == (error != NULL));
  if (value != NULL)
    g_variant_unref (value);
  else
    mproc_test_expect_error (&error, MPROC_ERROR_NO_MEMORY, "");
  return value == NULL;
}

static gboolean
is_result_refused (MprocResult *result)
{
  GError *error = NULL;
  GVariant *value = mproc_result_get (result, MPROC_SECONDS (30), &error);

  mproc_result_unref (result);
  return is_refused (value, error);
}

static guint
iterate (MprocIter *iter, GError *error)
{
  guint n_refused = 0;

  if (iter == NULL)
    return is_refused (NULL, error);
  for (guint i = 0; i < N_ITEMS; i++)
    {
      GError *failure = NULL;
      GVariant *value = mproc_iter_next (iter, MPROC_SECONDS (30), &failure);

      n_refused += is_refused (value, failure);
    }
  mproc_iter_unref (iter);
  return n_refused;
}

/* How many of them were refused. */
static guint
ask_for_all (MprocPool *pool)
{
  guint8 bytes[N_ITEMS] = { 0 };
  GError *error = NULL;
  MprocIter *iter;
  guint n = 0;

  n += is_result_refused (mproc_pool_apply_async (pool, give_back, make_long (), NULL));
  n += is_result_refused (mproc_pool_apply_async (pool, mproc_test_square,
                                                  g_variant_new_int32 (3), NULL));
  n +=
      is_result_refused (mproc_pool_map_async (pool, mproc_test_square,
                                               mproc_test_numbers (0, N_ITEMS), 1, NULL));
  n += is_result_refused (mproc_pool_map_bytes_async (pool, square_byte, bytes, N_ITEMS,
                                                      1, 1, 1));
  iter = mproc_pool_imap (pool, mproc_test_square, mproc_test_numbers (0, N_ITEMS), 1,
                          NULL, &error);
  n += iterate (iter, error);
  return n;
}

START_TEST (a_pool_without_memory_refuses_and_serves_on)
{
  MprocPool *pool = mproc_test_pool (2, _i);
  MprocTestHoard hoard;

  ck_assert_uint_eq (ask_for_all (pool), 0);
  for (guint round = 0; round < 3; round++)
    {
      mproc_test_hoard_init (&hoard);
      ck_assert_uint_gt (ask_for_all (pool), 0);
      mproc_test_hoard_clear (&hoard);
      ck_assert_uint_eq (ask_for_all (pool), 0);
    }
  mproc_test_end_pool (pool);
}
END_TEST

/* Nor is there any for a new one; where nothing but memory is missing, it is there with it. */
START_TEST (a_pool_that_no_memory_is_left_for_is_not_made)
{
  MprocTestHoard hoard;
  GError *error = NULL;
  MprocPool *pool;

  mproc_test_hoard_init (&hoard);
  pool = mproc_test_try_pool (2, mproc_test_method (_i), &error);
  ck_assert_ptr_null (pool);
  mproc_test_expect_error (&error, MPROC_ERROR_NO_MEMORY, "");
  mproc_test_hoard_clear (&hoard);
  pool = mproc_test_pool (2, _i);
  mproc_test_expect_service (pool, 3);
  mproc_test_end_pool (pool);
}
END_TEST

Suite *
mproc_test_pool_scarce_suite (void)
{
  Suite *suite = suite_create ("pool-scarce");
  TCase *tcase = mproc_test_case (suite, "pool-scarce");
  int n = (int) mproc_test_n_methods ();

  tcase_add_loop_test (tcase, a_pool_without_memory_refuses_and_serves_on, 0, n);
  tcase_add_loop_test (tcase, a_pool_that_no_memory_is_left_for_is_not_made, 0, n);
  return suite;
}
