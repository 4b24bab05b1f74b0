/* SPDX-License-Identifier: MIT */
#include "pools.h"

MprocPoolOptions *
mproc_test_pool_options (int i)
{
  MprocPoolOptions *options = mproc_pool_options_new ();

  mproc_pool_options_set_start_method (options, mproc_test_method (i));
  return options;
}

MprocPool *
mproc_test_pool (guint n_workers, int i)
{
  return mproc_test_pool_with (n_workers, mproc_test_pool_options (i));
}

MprocPool *
mproc_test_pool_with (guint n_workers, MprocPoolOptions *options)
{
  GError *error = NULL;
  MprocPool *pool;

  mproc_test_default_signals ();
  pool = mproc_pool_new_full (n_workers, options, &error);
  mproc_pool_options_free (options);
  if (pool == NULL)
    ck_abort_msg ("%s", error->message);
  return pool;
}

MprocPool *
mproc_test_try_pool (guint n_workers, MprocStartMethod method, GError **error)
{
  MprocPoolOptions *options = mproc_pool_options_new ();
  MprocPool *pool;

  mproc_pool_options_set_start_method (options, method);
  pool = mproc_pool_new_full (n_workers, options, error);
  mproc_pool_options_free (options);
  return pool;
}

void
mproc_test_end_pool (MprocPool *pool)
{
  mproc_pool_close (pool);
  ck_assert (mproc_pool_join (pool, MPROC_TEST_PATIENCE));
  mproc_pool_unref (pool);
}

gint64
mproc_test_ask (MprocPool *pool, MprocFunc func)
{
  return mproc_test_long (mproc_test_value_of (mproc_pool_apply_async (pool, func, NULL,
                                                                       NULL)));
}

gboolean
mproc_test_has_no_nursery (gpointer pool)
{
  GVariant *parent =
      mproc_test_value_or_death (mproc_pool_apply_async (pool, mproc_test_tell_parent,
                                                         NULL, NULL));

  return parent != NULL &&
         mproc_test_long (parent) == mproc_process_get_pid (mproc_process_current ());
}

void
mproc_test_expect_service (MprocPool *pool, gint n)
{
  MprocArray *counters = mproc_test_counters (1);

  for (gint i = 0; i < n; i++)
    mproc_test_expect_success (mproc_pool_apply_async (pool, mproc_test_count_task,
                                                       mproc_pack ("(hu)", counters, 0u),
                                                       NULL));
  ck_assert_int_eq (mproc_test_count (counters, 0), n);
  mproc_array_unref (counters);
}

typedef struct
{
  MprocPool *pool;
  guint n;
} Wanted;

static gboolean
has_so_many (gpointer data)
{
  const Wanted *wanted = data;

  return mproc_pool_get_n_live_workers (wanted->pool) == wanted->n;
}

void
mproc_test_await_live_workers (MprocPool *pool, guint n)
{
  Wanted wanted = { pool, n };
  gboolean reached = FALSE;

  for (guint tries = 0; tries < 10 && !reached; tries++)
    reached = mproc_test_eventually (has_so_many, &wanted);
  ck_assert_uint_eq (mproc_pool_get_n_live_workers (pool), n);
}
