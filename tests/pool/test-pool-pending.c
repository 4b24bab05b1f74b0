/* SPDX-License-Identifier: MIT */
/* Back-pressure: who hands over more than may be pending waits; and hosts that fork meanwhile. */
#include "pools.h"

#include "os.h"
#include "pool/pool.h"

static MprocPool *
bounded_pool (guint n_workers, int i, guint max_pending)
{
  MprocPoolOptions *options = mproc_test_pool_options (i);

  mproc_pool_options_set_max_pending (options, max_pending);
  return mproc_test_pool_with (n_workers, options);
}

static gboolean
somebody_waits (gpointer data)
{
  MprocPool *pool = data;
  gboolean waits;

  g_mutex_lock (&pool->mutex);
  waits = pool->n_waiting_for_room > 0;
  g_mutex_unlock (&pool->mutex);
  return waits;
}

/* ------------------------------------------------------------------ one that waits */

typedef enum
{
  BY_APPLY,
  BY_PUSH,
  BY_MAP,
  N_WAYS
} Way;

typedef struct
{
  MprocPool *pool;
  Way way;
  MprocResult *result;
  gboolean ok;
  GError *error;
} Submitter;

static gpointer
submit (gpointer data)
{
  Submitter *self = data;

  if (self->way == BY_APPLY)
    self->result = mproc_pool_apply_async (self->pool, mproc_test_square,
                                           g_variant_new_int32 (6), NULL);
  else if (self->way == BY_PUSH)
    self->ok = mproc_pool_push (self->pool, mproc_test_square, g_variant_new_int32 (6),
                                &self->error);
  else
    self->result = mproc_pool_map_async (self->pool, mproc_test_square,
                                         mproc_test_numbers (6, 30), 7, NULL);
  return NULL;
}

/* A full pool, and a thread that wants to hand over one more. */
typedef struct
{
  MprocTestGate gate;
  MprocResult *held;
  Submitter submitter;
  GThread *thread;
} Jam;

static void
jam_init (Jam *self, int i, Way way)
{
  self->submitter = (Submitter){ .pool = bounded_pool (1, i, 1), .way = way };
  mproc_test_gate_init (&self->gate);
  self->held =
      mproc_test_gate_occupy (&self->gate, self->submitter.pool, mproc_test_be_stuck);
  self->thread = g_thread_new ("submit", submit, &self->submitter);
  while (!somebody_waits (self->submitter.pool))
    ck_assert (mproc_test_eventually (somebody_waits, self->submitter.pool));
}

static void
jam_clear (Jam *self)
{
  mproc_result_unref (self->held);
  mproc_result_unref (self->submitter.result);
  mproc_test_gate_clear (&self->gate);
}

START_TEST (waits_for_room)
{
  for (Way way = BY_APPLY; way < N_WAYS; way++)
    {
      Jam jam;

      jam_init (&jam, _i, way);
      mproc_test_gate_open (&jam.gate, 1, 1);
      g_thread_join (jam.thread);
      if (way == BY_PUSH)
        ck_assert (jam.submitter.ok);
      else
        {
          ck_assert (mproc_result_wait (jam.submitter.result, MPROC_SECONDS (30)));
          ck_assert (mproc_result_is_successful (jam.submitter.result));
        }
      mproc_test_end_pool (jam.submitter.pool);
      jam_clear (&jam);
    }
}
END_TEST

static void
expect_refusal (Jam *jam, const char *text)
{
  Submitter *self = &jam->submitter;

  if (self->way != BY_PUSH)
    {
      ck_assert (mproc_result_is_ready (self->result));
      ck_assert_ptr_null (mproc_result_get (self->result, 0, &self->error));
    }
  mproc_test_expect_error (&self->error, MPROC_ERROR_STATE, text);
}

START_TEST (the_end_wakes_it)
{
  for (Way way = BY_APPLY; way < N_WAYS; way++)
    {
      Jam jam;

      jam_init (&jam, _i, way);
      if (way == BY_PUSH)
        mproc_pool_terminate (jam.submitter.pool);
      else
        mproc_pool_close (jam.submitter.pool);
      g_thread_join (jam.thread);
      expect_refusal (&jam, way == BY_PUSH ? "terminated" : "closed");
      mproc_test_gate_open (&jam.gate, 1, 1);
      ck_assert (mproc_pool_join (jam.submitter.pool, MPROC_SECONDS (30)));
      mproc_pool_unref (jam.submitter.pool);
      jam_clear (&jam);
    }
}
END_TEST

/* `(hb)`: fails from the second worker on. */
static GVariant *
fail_later (GVariant *args, GError **error)
{
  MprocQueue *first;

  if (mproc_unpack (args, error, "(&h)", &first) && mproc_test_hear (first, 0) != 1)
    g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_FAILED, "no more");
  return NULL;
}

/* The pool breaks while somebody waits: its worker's successor does not come to life. */
START_TEST (a_broken_pool_wakes_it)
{
  MprocPoolOptions *options = mproc_test_pool_options (_i);
  MprocQueue *first = mproc_queue_new (0, NULL);
  Jam jam = { .submitter = { .way = BY_MAP } };

  mproc_test_tell (first, 1);
  mproc_pool_options_set_max_pending (options, 1);
  mproc_pool_options_set_max_tasks_per_worker (options, 1);
  mproc_pool_options_set_initializer (options, fail_later, mproc_pack ("(h)", first));
  jam.submitter.pool = mproc_test_pool_with (1, options);
  mproc_test_gate_init (&jam.gate);
  jam.held = mproc_test_gate_occupy (&jam.gate, jam.submitter.pool, mproc_test_be_stuck);
  jam.thread = g_thread_new ("submit", submit, &jam.submitter);
  mproc_test_gate_open (&jam.gate, 1, 1);
  g_thread_join (jam.thread);
  ck_assert (mproc_result_wait (jam.submitter.result, MPROC_SECONDS (30)));
  expect_refusal (&jam, "no more");
  mproc_test_end_pool (jam.submitter.pool);
  jam_clear (&jam);
  mproc_queue_unref (first);
}
END_TEST

static gpointer
submit_many (gpointer data)
{
  for (gint32 i = 0; i < 50; i++)
    if (!mproc_pool_push (data, mproc_test_square, g_variant_new_int32 (6), NULL))
      return NULL;
  return data;
}

START_TEST (several_wait)
{
  MprocPool *pool = bounded_pool (2, _i, 3);
  GThread *threads[4];

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("submit", submit_many, pool);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    ck_assert_ptr_eq (g_thread_join (threads[i]), pool);
  mproc_test_end_pool (pool);
}
END_TEST

/* ------------------------------------------------------------------ hosts that fork */

static void
note_call (MprocResult *result, gpointer data)
{
  if (mproc_result_is_ready (result))
    g_atomic_int_inc ((gint *) data);
}

static gboolean
fails_with_state (GVariant *value, GError **error)
{
  gboolean ok = value == NULL && g_error_matches (*error, MPROC_ERROR, MPROC_ERROR_STATE);

  g_clear_error (error);
  return ok;
}

static GVariant *
next_six (gpointer data, GError **error)
{
  (void) data, (void) error;
  return g_variant_new_int32 (6);
}

/* What the child finds of its parent's pool: an error wherever it would wait for ever. */
static gboolean
look_in_child (MprocPool *pool, MprocResult *done, MprocResult *pending, MprocIter *iter)
{
  GError *error = NULL;
  GVariant *value = mproc_result_get (done, MPROC_FOREVER, NULL);
  gboolean ok = value != NULL && g_variant_get_int32 (value) == 36;

  mproc_test_count_criticals ();
  ok = fails_with_state (mproc_result_get (pending, MPROC_FOREVER, &error), &error) && ok;
  ok = !mproc_result_wait (pending, MPROC_FOREVER) && ok;
  ok = fails_with_state (mproc_iter_next (iter, MPROC_FOREVER, &error), &error) && ok;
  ok = fails_with_state (mproc_pool_apply (pool, mproc_test_square, NULL, &error),
                         &error) &&
       ok;
  ok = mproc_test_count_criticals () == 0 && ok;
  mproc_iter_unref (iter);
  mproc_result_unref (pending);
  mproc_pool_unref (pool);
  return ok;
}

/* With callbacks, iterators and results on their way. */
START_TEST (a_forked_host)
{
  MprocTestGate gate;
  MprocPool *pool;
  MprocResult *done, *pending;
  MprocIter *iter;
  gint n_calls = 0;

  if (!mproc_test_can_fork ())
    return;
  pool = mproc_test_pool (2, _i);
  mproc_test_gate_init (&gate);
  pending = mproc_test_gate_occupy (&gate, pool, mproc_test_be_stuck);
  done = mproc_pool_apply_async (pool, mproc_test_square, g_variant_new_int32 (6), NULL);
  ck_assert (mproc_result_wait (done, MPROC_SECONDS (30)));
  iter =
      mproc_pool_imap_from (pool, mproc_test_square, next_six, NULL, NULL, 2, NULL, NULL);
  for (gint i = 0; i < 20; i++)
    {
      MprocResult *result = mproc_pool_map_async (pool, mproc_test_square,
                                                  mproc_test_numbers (6, 40), 1, NULL);
      MprocOsChild child;
      gint forked;

      mproc_result_set_callback (result, NULL, note_call, &n_calls, NULL);
      mproc_result_unref (result);
      ck_assert_int_eq (mproc_test_int (mproc_iter_next (iter, MPROC_SECONDS (30), NULL)),
                        36);
      forked = mproc_os_fork (&child, NULL);
      if (forked == 0)
        mproc_os_exit (look_in_child (pool, done, pending, iter) ? 6 : 7);
      ck_assert_int_eq (forked, 1);
      ck_assert (mproc_os_child_wait (&child, MPROC_OS_NEVER));
      ck_assert_int_eq (child.exit_code, 6);
      mproc_os_child_clear (&child);
    }
  mproc_iter_unref (iter);
  mproc_test_gate_open (&gate, 1, 8);
  ck_assert_int_eq (mproc_test_int (mproc_result_get (pending, MPROC_SECONDS (30), NULL)),
                    8);
  mproc_result_unref (pending);
  mproc_result_unref (done);
  mproc_test_end_pool (pool);
  ck_assert_int_eq (n_calls, 20);
  mproc_test_gate_clear (&gate);
}
END_TEST

Suite *
mproc_test_pool_pending_suite (void)
{
  Suite *suite = suite_create ("pool-pending");
  TCase *tcase = mproc_test_case (suite, "pending");
  int n = (int) mproc_test_n_methods ();

  tcase_add_loop_test (tcase, waits_for_room, 0, n);
  tcase_add_loop_test (tcase, the_end_wakes_it, 0, n);
  tcase_add_loop_test (tcase, a_broken_pool_wakes_it, 0, n);
  tcase_add_loop_test (tcase, several_wait, 0, n);
  tcase_add_loop_test (tcase, a_forked_host, 0, n);
  return suite;
}
