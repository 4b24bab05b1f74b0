/* SPDX-License-Identifier: MIT */
#include "tasks.h"

#include "os.h"

GVariant *
mproc_test_square (GVariant *x, GError **error)
{
  gint32 n = g_variant_get_int32 (x);

  (void) error;
  return g_variant_new_int32 (n * n);
}

GVariant *
mproc_test_square_but_five (GVariant *x, GError **error)
{
  if (g_variant_get_int32 (x) != 5)
    return mproc_test_square (x, error);
  g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_FAILED, "Invalid value");
  return NULL;
}

GVariant *
mproc_test_die_of_13 (GVariant *x, GError **error)
{
  if (g_variant_get_int32 (x) == 13)
    mproc_os_kill_self ();
  return mproc_test_square (x, error);
}

GVariant *
mproc_test_pause_and_square (GVariant *x, GError **error)
{
  g_usleep (200);
  return mproc_test_square (x, error);
}

GVariant *
mproc_test_refuse_odd (GVariant *x, GError **error)
{
  if (g_variant_get_int32 (x) % 2 == 0)
    return NULL;
  g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_FAILED, "odd");
  return NULL;
}

GVariant *
mproc_test_nap (GVariant *us, GError **error)
{
  g_usleep ((gulong) g_variant_get_int64 (us));
  return mproc_test_tell_pid (us, error);
}

GVariant *
mproc_test_tell_pid (GVariant *args, GError **error)
{
  (void) args, (void) error;
  return g_variant_new_int64 (mproc_process_get_pid (mproc_process_current ()));
}

GVariant *
mproc_test_tell_parent (GVariant *args, GError **error)
{
  (void) args, (void) error;
  return g_variant_new_int64 (mproc_process_get_pid (mproc_process_parent ()));
}

GVariant *
mproc_test_tell_number (GVariant *args, GError **error)
{
  (void) args, (void) error;
  return g_variant_new_uint32 (mproc_worker_get_number ());
}

GVariant *
mproc_test_give_connection (GVariant *args, GError **error)
{
  MprocConnection *here, *there;
  GVariant *value;

  (void) args;
  if (!mproc_pipe (FALSE, &here, &there, error))
    return NULL;
  value = mproc_pack ("(h)", here);
  mproc_connection_unref (here);
  mproc_connection_unref (there);
  return value;
}

GVariant *
mproc_test_die (GVariant *args, GError **error)
{
  (void) args, (void) error;
  mproc_os_kill_self ();
}

/* ------------------------------------------------------------------ counters */

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

/* ------------------------------------------------------------------ the gate */

static gboolean
begin (GVariant *args, MprocQueue **go, GError **error)
{
  MprocQueue *begun;

  return mproc_unpack (args, error, "(&h&h)", &begun, go) &&
         mproc_queue_put (begun, mproc_test_tell_pid (NULL, NULL), MPROC_FOREVER, error);
}

GVariant *
mproc_test_be_stuck (GVariant *args, GError **error)
{
  MprocQueue *go;

  return begin (args, &go, error) ? mproc_queue_get (go, MPROC_FOREVER, error) : NULL;
}

GVariant *
mproc_test_occupy (GVariant *args, GError **error)
{
  MprocQueue *go;
  GVariant *value = NULL;

  if (!begin (args, &go, error))
    return NULL;
  while (value == NULL && mproc_task_check (error))
    value = mproc_queue_get (go, MPROC_SECONDS (0.01), NULL);
  return value;
}

void
mproc_test_gate_init (MprocTestGate *gate)
{
  gate->begun = mproc_queue_new (0, NULL);
  gate->go = mproc_queue_new (0, NULL);
}

void
mproc_test_gate_clear (MprocTestGate *gate)
{
  mproc_queue_unref (gate->begun);
  mproc_queue_unref (gate->go);
}

MprocResult *
mproc_test_gate_submit (MprocTestGate *gate,
                        MprocPool *pool,
                        MprocFunc how,
                        const MprocTaskOptions *options)
{
  return mproc_pool_apply_async (pool, how, mproc_pack ("(hh)", gate->begun, gate->go),
                                 options);
}

gint64
mproc_test_gate_await (MprocTestGate *gate)
{
  GVariant *value = mproc_queue_get (gate->begun, MPROC_TEST_PATIENCE, NULL);
  gint64 pid;

  if (value == NULL)
    ck_abort_msg ("no worker has begun");
  pid = g_variant_get_int64 (value);
  g_variant_unref (value);
  return pid;
}

MprocResult *
mproc_test_gate_occupy (MprocTestGate *gate, MprocPool *pool, MprocFunc how)
{
  MprocResult *result = mproc_test_gate_submit (gate, pool, how, NULL);

  mproc_test_gate_await (gate);
  return result;
}

void
mproc_test_gate_open (MprocTestGate *gate, guint n, gint number)
{
  for (guint i = 0; i < n; i++)
    mproc_test_tell (gate->go, number);
}
