/* SPDX-License-Identifier: MIT */
/* Pools that lose what they start their workers with, or end where that is awkward. */
#include "pools.h"

#include "family/family.h"
#include "kill.h"
#include "os.h"

static MprocPool *
forked_pool (void)
{
  GError *error = NULL;
  MprocPool *pool = mproc_test_try_pool (2, MPROC_START_METHOD_FORK, &error);

  ck_assert_msg (pool != NULL, "%s", error != NULL ? error->message : "");
  return pool;
}

/* ------------------------------------------------------------------ functions that run there */

/* As exit () does, but for the leak checkers that look at what is left then. */
static GVariant *
leave_program (GVariant *args, GError **error)
{
  (void) error;
  mproc_shutdown (MPROC_FOREVER);
  mproc_os_exit (g_variant_get_int32 (args));
  return NULL;
}

/* ------------------------------------------------------------------ the nursery */

/* The pool's own process, which the workers die with. */
static void
kill_nursery (MprocPool *pool)
{
  mproc_test_kill_pid (mproc_test_ask (pool, mproc_test_tell_parent));
}

/* Those that have died with it are none. */
static guint
count_workers (MprocPool *pool)
{
  MprocPoolStats *stats = mproc_pool_get_stats (pool);
  guint n = stats->n_workers;

  mproc_pool_stats_free (stats);
  return n;
}

START_TEST (a_killed_nursery_costs_the_running_tasks_alone)
{
  MprocPool *pool = forked_pool ();
  MprocTestGate gate;
  gint64 nursery = mproc_test_ask (pool, mproc_test_tell_parent);
  MprocResult *running[2], *queued;

  mproc_test_gate_init (&gate);
  for (guint i = 0; i < 2; i++)
    running[i] = mproc_test_gate_occupy (&gate, pool, mproc_test_be_stuck);
  queued =
      mproc_pool_apply_async (pool, mproc_test_square, g_variant_new_int32 (7), NULL);
  mproc_test_kill_pid (nursery);
  for (guint i = 0; i < 2; i++)
    mproc_test_expect_failure (running[i], MPROC_ERROR_WORKER_DIED, NULL);
  ck_assert_int_eq (mproc_test_int (mproc_test_value_of (queued)), 49);
  ck_assert_uint_le (count_workers (pool), 2);
  mproc_test_end_pool (pool);
  mproc_test_gate_clear (&gate);
}
END_TEST

/* At any instant, also of the pool's end: every result comes. */
START_TEST (a_nursery_killed_at_random_leaves_no_result_out)
{
  for (gint round = mproc_test_scale (15); round > 0; round--)
    {
      MprocPool *pool = forked_pool ();
      MprocResult *results[40];

      kill_nursery (pool);
      for (gint32 i = 0; i < 40; i++)
        results[i] = mproc_pool_apply_async (pool, mproc_test_square,
                                             g_variant_new_int32 (i), NULL);
      if (round % 3 == 0)
        mproc_pool_terminate (pool);
      if (round % 3 == 1)
        mproc_pool_close (pool);
      for (gint32 i = 0; i < 40; i++)
        {
          ck_assert (mproc_result_wait (results[i], MPROC_SECONDS (30)));
          mproc_result_unref (results[i]);
        }
      mproc_pool_unref (pool);
    }
}
END_TEST

/* ------------------------------------------------------------------ why it is broken */

/* `(h)`: only the first worker lives. */
static GVariant *
die_later (GVariant *args, GError **error)
{
  MprocQueue *first;

  if (mproc_unpack (args, error, "(&h)", &first) && mproc_test_hear (first, 0) != 1)
    mproc_os_kill_self ();
  return NULL;
}

static void
hold_pool (MprocResult *result, gpointer gate)
{
  (void) result;
  mproc_test_hear (((MprocTestGate *) gate)->go, MPROC_TEST_PATIENCE);
}

static gboolean
is_dead (gpointer who)
{
  return mproc_os_is_dead (who);
}

/* The nursery has given up and is gone, and the pool's thread, which is busy, has not read why.  What is
 * handed over by then is taken, and fails with the reason; after that nothing is taken. */
START_TEST (nobody_is_told_that_it_is_broken_without_a_reason)
{
  MprocPoolOptions *options = mproc_test_pool_options (0);
  MprocQueue *first = mproc_queue_new (0, NULL);
  MprocOsIdentity nursery;
  GError *error = NULL;
  MprocTestGate gate;
  MprocResult *held, *late;
  MprocPool *pool;

  mproc_test_gate_init (&gate);
  mproc_test_tell (first, 1);
  mproc_pool_options_set_start_method (options, MPROC_START_METHOD_FORK);
  mproc_pool_options_set_initializer (options, die_later, mproc_pack ("(h)", first));
  pool = mproc_test_pool_with (1, options);
  ck_assert (mproc_member_find (mproc_test_ask (pool, mproc_test_tell_parent), &nursery));
  held = mproc_test_gate_occupy (&gate, pool, mproc_test_be_stuck);
  mproc_result_set_callback (held, NULL, hold_pool, &gate, NULL);
  mproc_test_gate_open (&gate, 1, 1);
  ck_assert (mproc_pool_push (pool, mproc_test_die, NULL, NULL));
  for (guint tries = 0; tries < 20 && !is_dead (&nursery); tries++)
    mproc_test_eventually (is_dead, &nursery);
  ck_assert (is_dead (&nursery));
  ck_assert_msg (mproc_pool_push (pool, mproc_test_square, g_variant_new_int32 (6),
                                  &error),
                 "%s", error != NULL ? error->message : "");
  late = mproc_pool_apply_async (pool, mproc_test_square, g_variant_new_int32 (6), NULL);
  mproc_test_gate_open (&gate, 1, 1);
  mproc_test_expect_failure (late, MPROC_ERROR_STATE, "the pool is broken");
  ck_assert (!mproc_pool_push (pool, mproc_test_square, g_variant_new_int32 (6), &error));
  mproc_test_expect_error (&error, MPROC_ERROR_STATE, "the pool is broken");
  mproc_result_unref (held);
  mproc_test_end_pool (pool);
  mproc_test_gate_clear (&gate);
  mproc_queue_unref (first);
}
END_TEST

/* ------------------------------------------------------------------ in a process of its own */

static void
run_alone (MprocFunc func, MprocStartMethod method, gint exit_code)
{
  MprocProcess *process = mproc_process_new (func, NULL);
  gint code = -1;

  mproc_process_set_start_method (process, method);
  ck_assert (mproc_process_start (process, NULL));
  ck_assert (mproc_process_join (process, MPROC_SECONDS (50)));
  ck_assert (mproc_process_get_exit_code (process, &code));
  ck_assert_int_eq (code, exit_code);
  mproc_process_unref (process);
}

/* Makes spawning impossible.  A worker may still give a result, or die of it, before
 * the pool knows that there are none. */
static GVariant *
lose_all_workers (GVariant *args, GError **error)
{
  MprocPool *pool = mproc_test_try_pool (2, MPROC_START_METHOD_FORK, error);
  gboolean broken = FALSE;

  (void) args;
  if (pool == NULL || !mproc_set_executable ("/bin/true", error))
    return NULL;
  kill_nursery (pool);
  while (!broken)
    {
      GError *reason = NULL;
      GVariant *value =
          mproc_pool_apply (pool, mproc_test_square, g_variant_new_int32 (1), &reason);

      broken = g_error_matches (reason, MPROC_ERROR, MPROC_ERROR_STATE);
      g_clear_error (&reason);
      g_clear_pointer (&value, g_variant_unref);
    }
  mproc_pool_close (pool);
  if (!mproc_pool_join (pool, MPROC_SECONDS (30)))
    g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_TIMED_OUT, "it does not end");
  mproc_pool_unref (pool);
  return NULL;
}

START_TEST (a_pool_that_can_start_no_worker_is_broken_and_ends)
{
  run_alone (lose_all_workers, MPROC_START_METHOD_FORK, 0);
}
END_TEST

static GVariant *
end_from_a_worker (GVariant *args, GError **error)
{
  MprocPool *pool = mproc_test_try_pool (2, MPROC_START_METHOD_THREAD, error);

  (void) args;
  if (pool != NULL)
    mproc_pool_apply (pool, leave_program, g_variant_new_int32 (3), error);
  return NULL;
}

START_TEST (a_worker_that_is_a_thread_can_end_the_program)
{
  MprocStartMethod method = mproc_test_method (_i);

  if (method != MPROC_START_METHOD_THREAD)
    run_alone (end_from_a_worker, method, 3);
}
END_TEST

Suite *
mproc_test_pool_loss_suite (void)
{
  Suite *suite = suite_create ("pool-loss");
  TCase *tcase = mproc_test_case (suite, "pool-loss");

  tcase_add_loop_test (tcase, a_worker_that_is_a_thread_can_end_the_program, 0,
                       (int) mproc_test_n_methods ());
  if (!mproc_test_can_fork ())
    return suite;
  tcase_add_test (tcase, a_killed_nursery_costs_the_running_tasks_alone);
  tcase_add_test (tcase, a_nursery_killed_at_random_leaves_no_result_out);
  tcase_add_test (tcase, nobody_is_told_that_it_is_broken_without_a_reason);
  tcase_add_test (tcase, a_pool_that_can_start_no_worker_is_broken_and_ends);
  return suite;
}
