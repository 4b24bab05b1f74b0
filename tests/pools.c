/* SPDX-License-Identifier: MIT */
#include "pools.h"

#include <string.h>

#define PATIENCE MPROC_SECONDS (50)

MprocPool *
mproc_test_pool (guint n_workers, int i)
{
  MprocPoolOptions *options = mproc_pool_options_new ();
  GError *error = NULL;
  MprocPool *pool;

  mproc_pool_options_set_start_method (options, mproc_test_method (i));
  pool = mproc_pool_new_full (n_workers, options, &error);
  mproc_pool_options_free (options);
  if (pool == NULL)
    ck_abort_msg ("%s", error->message);
  return pool;
}

void
mproc_test_end_pool (MprocPool *pool)
{
  mproc_pool_close (pool);
  ck_assert (mproc_pool_join (pool, PATIENCE));
  mproc_pool_unref (pool);
}

void
mproc_test_expect_failure (MprocResult *result, gint code, const char *text)
{
  GError *error = NULL;
  GVariant *value = mproc_result_get (result, PATIENCE, &error);

  ck_assert_ptr_null (value);
  ck_assert_msg (g_error_matches (error, MPROC_ERROR, code), "%s", error->message);
  ck_assert_msg (text == NULL || strstr (error->message, text) != NULL, "%s",
                 error->message);
  g_error_free (error);
  mproc_result_unref (result);
}

void
mproc_test_expect_success (MprocResult *result)
{
  GError *error = NULL;
  GVariant *value = mproc_result_get (result, PATIENCE, &error);

  ck_assert_msg (value != NULL, "%s", error != NULL ? error->message : "");
  g_variant_unref (value);
  mproc_result_unref (result);
}

MprocArray *
mproc_test_counters (guint n)
{
  MprocArray *counters = mproc_array_new ("i", n, NULL, NULL, NULL);

  ck_assert_ptr_nonnull (counters);
  return counters;
}

static gint *
counter_at (MprocArray *counters, guint i)
{
  return (gint *) mproc_array_get_data (counters, NULL) + i;
}

gint
mproc_test_count (MprocArray *counters, guint i)
{
  return g_atomic_int_get (counter_at (counters, i));
}

void
mproc_test_set_count (MprocArray *counters, guint i, gint count)
{
  g_atomic_int_set (counter_at (counters, i), count);
}

void
mproc_test_count_one (MprocArray *counters, guint i)
{
  g_atomic_int_inc (counter_at (counters, i));
}

GVariant *
mproc_test_count_task (GVariant *args, GError **error)
{
  MprocArray *counters;
  guint32 i;

  if (!mproc_unpack (args, error, "(&hu)", &counters, &i))
    return NULL;
  mproc_test_count_one (counters, i);
  return g_variant_new_uint32 (i);
}

GVariant *
mproc_test_run_for_ever (GVariant *args, GError **error)
{
  MprocArray *counters;
  guint32 i;

  if (!mproc_unpack (args, error, "(&hu)", &counters, &i))
    return NULL;
  mproc_test_count_one (counters, i);
  while (mproc_test_count (counters, i) >= 0)
    g_usleep (500);
  return NULL;
}

typedef struct
{
  MprocArray *counters;
  guint i;
  gint least;
} Await;

static gboolean
is_reached (gpointer data)
{
  Await *self = data;

  return mproc_test_count (self->counters, self->i) >= self->least;
}

/* A worker may have to be spawned first. */
void
mproc_test_await_count (MprocArray *counters, guint i, gint least)
{
  Await await = { counters, i, least };
  gboolean reached = FALSE;

  for (guint tries = 0; tries < 10 && !reached; tries++)
    reached = mproc_test_eventually (is_reached, &await);
  ck_assert (reached);
}

void
mproc_test_let_go (MprocArray *counters, guint i)
{
  mproc_test_set_count (counters, i, -1000);
}

void
mproc_test_expect_service (MprocPool *pool, gint n)
{
  MprocArray *counters = mproc_test_counters (1);

  for (gint i = 0; i < n; i++)
    {
      GVariant *value = mproc_pool_apply (pool, mproc_test_count_task,
                                          mproc_pack ("(hu)", counters, 0u), NULL);

      ck_assert_ptr_nonnull (value);
      g_variant_unref (value);
    }
  ck_assert_int_eq (mproc_test_count (counters, 0), n);
  mproc_array_unref (counters);
}
