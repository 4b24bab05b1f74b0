/* SPDX-License-Identifier: MIT */
#include "poolkit.h"

#include "kill.h"

MprocPool *
mproc_test_make_pool (guint n_workers, int i, MprocPoolOptions *options)
{
  GError *error = NULL;
  MprocPool *pool;

  if (options == NULL)
    options = mproc_pool_options_new ();
  mproc_test_default_signals ();
  mproc_pool_options_set_start_method (options, mproc_test_method (i));
  pool = mproc_pool_new_full (n_workers, options, &error);
  mproc_pool_options_free (options);
  if (pool == NULL)
    ck_abort_msg ("%s: %s", mproc_test_method_name (i), error->message);
  return pool;
}

gint32
mproc_test_int (GVariant *value)
{
  gint32 number;

  ck_assert_ptr_nonnull (value);
  ck_assert (g_variant_is_of_type (value, G_VARIANT_TYPE_INT32));
  number = g_variant_get_int32 (value);
  g_variant_unref (value);
  return number;
}

GVariant *
mproc_test_numbers (gint32 first, guint n)
{
  GVariantBuilder items;

  g_variant_builder_init (&items, G_VARIANT_TYPE ("ai"));
  for (guint i = 0; i < n; i++)
    g_variant_builder_add (&items, "i", first + (gint32) i);
  return g_variant_builder_end (&items);
}

GVariant *
mproc_test_square (GVariant *args, GError **error)
{
  gint32 n = g_variant_get_int32 (args);

  if (n != 5)
    return g_variant_new_int32 (n * n);
  g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_FAILED, "Invalid value");
  return NULL;
}

GVariant *
mproc_test_hold (GVariant *args, GError **error)
{
  MprocQueue *begun;
  MprocQueue *go;

  if (!mproc_unpack (args, error, "(&h&h)", &begun, &go))
    return NULL;
  mproc_test_tell (begun, 1);
  return mproc_queue_get (go, MPROC_FOREVER, error);
}

GVariant *
mproc_test_die_of_13 (GVariant *args, GError **error)
{
  gint32 n = g_variant_get_int32 (args);

  (void) error;
  if (n != 13)
    return g_variant_new_int32 (n * n);
  mproc_test_kill_pid (mproc_process_get_pid (mproc_process_current ()));
  for (;;)
    g_usleep (1000);
  return NULL;
}

void
mproc_test_hold_init (MprocTestHold *hold)
{
  hold->begun = mproc_queue_new (0, NULL);
  hold->go = mproc_queue_new (0, NULL);
}

void
mproc_test_hold_clear (MprocTestHold *hold)
{
  mproc_queue_unref (hold->begun);
  mproc_queue_unref (hold->go);
}

MprocResult *
mproc_test_hold_worker (MprocTestHold *hold, MprocPool *pool)
{
  MprocResult *result =
      mproc_pool_apply_async (pool, mproc_test_hold,
                              mproc_pack ("(hh)", hold->begun, hold->go), NULL);

  mproc_test_expect_number (hold->begun, 1);
  return result;
}
