/* SPDX-License-Identifier: MIT */
#include "workers.h"

MprocPoolOptions *
mproc_test_pool_options (int i)
{
  MprocPoolOptions *options = mproc_pool_options_new ();

  mproc_pool_options_set_start_method (options, mproc_test_method (i));
  return options;
}

MprocPool *
mproc_test_pool_with (guint n_workers, MprocPoolOptions *options)
{
  GError *error = NULL;
  MprocPool *pool = mproc_pool_new_full (n_workers, options, &error);

  mproc_pool_options_free (options);
  if (pool == NULL)
    ck_abort_msg ("%s", error->message);
  return pool;
}

GVariant *
mproc_test_value_of (MprocResult *result)
{
  GError *error = NULL;
  GVariant *value = mproc_result_get (result, MPROC_SECONDS (50), &error);

  if (value == NULL)
    ck_abort_msg ("%s", error->message);
  mproc_result_unref (result);
  return value;
}

/* ------------------------------------------------------------------ in the workers */

static gboolean
begin (GVariant *args, MprocQueue **go, GError **error)
{
  MprocQueue *begun;

  return mproc_unpack (args, error, "(&h&h)", &begun, go) &&
         mproc_queue_put (begun, g_variant_new_uint32 (mproc_worker_get_number ()),
                          MPROC_FOREVER, error);
}

static GVariant *
take (MprocQueue *go, gint64 timeout)
{
  GBytes *item = mproc_queue_get_bytes (go, timeout, NULL);

  if (item == NULL)
    return NULL;
  g_bytes_unref (item);
  return g_variant_new_uint32 (mproc_worker_get_number ());
}

GVariant *
mproc_test_occupy (GVariant *args, GError **error)
{
  MprocQueue *go;
  GVariant *value = NULL;

  if (!begin (args, &go, error))
    return NULL;
  while (value == NULL && mproc_task_check (error))
    value = take (go, G_USEC_PER_SEC / 100);
  return value;
}

GVariant *
mproc_test_be_stuck (GVariant *args, GError **error)
{
  MprocQueue *go;

  return begin (args, &go, error) ? take (go, MPROC_FOREVER) : NULL;
}

GVariant *
mproc_test_tell_pid (GVariant *args, GError **error)
{
  (void) args, (void) error;
  return g_variant_new_int64 (mproc_process_get_pid (mproc_process_current ()));
}

GVariant *
mproc_test_tell_number (GVariant *args, GError **error)
{
  (void) args, (void) error;
  return g_variant_new_uint32 (mproc_worker_get_number ());
}

/* ------------------------------------------------------------------ the gate */

void
mproc_test_gate_init (MprocTestGate *gate)
{
  gate->begun = mproc_queue_new (0, NULL);
  gate->go = mproc_queue_new (0, NULL);
}

MprocResult *
mproc_test_gate_occupy (MprocTestGate *gate, MprocPool *pool, MprocFunc how)
{
  MprocResult *result =
      mproc_pool_apply_async (pool, how, mproc_pack ("(hh)", gate->begun, gate->go),
                              NULL);
  GVariant *number = mproc_queue_get (gate->begun, MPROC_SECONDS (50), NULL);

  if (number == NULL)
    ck_abort_msg ("no worker has begun");
  g_variant_unref (number);
  return result;
}

void
mproc_test_gate_open (MprocTestGate *gate, guint n)
{
  for (guint i = 0; i < n; i++)
    ck_assert (mproc_queue_put_bytes (gate->go, "", 0, MPROC_FOREVER, NULL));
}

void
mproc_test_gate_clear (MprocTestGate *gate)
{
  mproc_queue_unref (gate->begun);
  mproc_queue_unref (gate->go);
}
