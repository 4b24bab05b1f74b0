/* SPDX-License-Identifier: MIT */
/* Workers are killed while their pool is at work: every result comes, what ran is lost and nothing else,
 * nothing that had begun runs twice, and the pool serves on. */
#include "pools.h"

#include "atomic.h"
#include "kill.h"

#define N_WORKERS 3
#define N_TASKS 300
#define N_PLACES 1024

/* What tasks leave: who is at work, what has been begun and what was done. */
typedef struct
{
  MprocPool *pool;
  MprocArray *pids; /* place i: the worker whose number is i modulo N_PLACES */
  MprocArray *begun;
  MprocArray *done;
  guint n_kills;
} Field;

static void
lay_out (Field *self, int method)
{
  self->pool = mproc_test_pool (N_WORKERS, method);
  self->pids = mproc_array_new ("t", N_PLACES, NULL, NULL, NULL);
  self->begun = mproc_test_counters (N_TASKS);
  self->done = mproc_test_counters (N_TASKS);
  self->n_kills = 0;
  ck_assert_ptr_nonnull (self->pids);
}

static void
clear (Field *self)
{
  mproc_test_expect_service (self->pool, 20);
  mproc_test_end_pool (self->pool);
  mproc_array_unref (self->pids);
  mproc_array_unref (self->begun);
  mproc_array_unref (self->done);
}

/* ------------------------------------------------------------------ who is at work */

static MprocAtomic64 *
place_of (MprocArray *pids, guint number)
{
  return (MprocAtomic64 *) mproc_array_get_data (pids, NULL) + number % N_PLACES;
}

/* In a worker.  Its number stays there when it is killed, so that it cannot say again that it is there,
 * and no pid is killed that is another's by then. */
static void
show_up (MprocArray *pids)
{
  guint64 number = mproc_worker_get_number ();
  guint64 pid = (guint64) mproc_process_get_pid (mproc_process_current ());
  MprocAtomic64 *place = place_of (pids, (guint) number);
  guint64 old = mproc_load64 (place);

  if (old >> 32 < number)
    mproc_cas64 (place, old, number << 32 | pid);
}

/* One of those that have shown up, from a random one on. */
static void
kill_one (Field *self)
{
  guint from = (guint) g_random_int_range (0, N_PLACES);

  for (guint i = 0; i < N_PLACES; i++)
    {
      MprocAtomic64 *place = place_of (self->pids, from + i);
      guint64 entry = mproc_load64 (place);

      if ((guint32) entry == 0 || !mproc_cas64 (place, entry, entry >> 32 << 32))
        continue;
      mproc_test_kill_pid ((guint32) entry);
      self->n_kills++;
      return;
    }
}

/* Where it takes a while to start a worker it shall get something done. */
static void
pause_between_kills (void)
{
  g_usleep (mproc_test_is_slow_platform () ? 200000 : 2000);
}

/* ------------------------------------------------------------------ functions that run there */

static GVariant *
leave_traces (GVariant *args, GError **error)
{
  MprocArray *pids, *begun, *done;
  guint32 i;

  if (!mproc_unpack (args, error, "(&h&h&hu)", &pids, &begun, &done, &i))
    return NULL;
  mproc_test_count_one (begun, i);
  show_up (pids);
  g_usleep (i % 7 * 100);
  mproc_test_count_one (done, i);
  return g_variant_new_uint32 (i);
}

/* ------------------------------------------------------------------ load */

static void
load (Field *self, MprocResult **results, guint attempts)
{
  MprocTaskOptions *options = mproc_task_options_new ();

  mproc_task_options_set_attempts (options, attempts);
  for (guint32 i = 0; i < N_TASKS; i++)
    {
      mproc_test_set_count (self->begun, i, 0);
      mproc_test_set_count (self->done, i, 0);
      results[i] = mproc_pool_apply_async (self->pool, leave_traces,
                                           mproc_pack ("(hhhu)", self->pids, self->begun,
                                                       self->done, i),
                                           options);
    }
  mproc_task_options_free (options);
}

static gboolean
all_ready (MprocResult **results)
{
  for (guint i = 0; i < N_TASKS; i++)
    if (!mproc_result_is_ready (results[i]))
      return FALSE;
  return TRUE;
}

/* TRUE: it has failed, as a task does whose worker died. */
static gboolean
has_failed (MprocResult *result, guint i)
{
  GVariant *value = mproc_test_value_or_death (result);

  if (value == NULL)
    return TRUE;
  ck_assert_uint_eq (g_variant_get_uint32 (value), i);
  g_variant_unref (value);
  return FALSE;
}

/* What has become of each.  Returns how many have failed. */
static guint
reckon (Field *self, MprocResult **results, gint attempts)
{
  guint n_failed = 0;

  for (guint i = 0; i < N_TASKS; i++)
    {
      gboolean failed = has_failed (results[i], i);
      gint begun = mproc_test_count (self->begun, i);

      n_failed += failed;
      /* A worker that was killed before the function's first line has begun it, and not counted it. */
      ck_assert_int_le (begun, attempts);
      ck_assert (failed || (begun > 0 && mproc_test_count (self->done, i) > 0));
    }
  return n_failed;
}

/* ------------------------------------------------------------------ tests */

/* All workers run something, and one is killed: that costs its task, and no other. */
static void
kill_one_of_all (MprocPool *pool, guint which)
{
  MprocResult *results[N_WORKERS];
  gint64 pids[N_WORKERS];
  MprocTestGate gate;

  mproc_test_gate_init (&gate);
  for (guint i = 0; i < N_WORKERS; i++)
    {
      results[i] = mproc_test_gate_submit (&gate, pool, mproc_test_be_stuck, NULL);
      pids[i] = mproc_test_gate_await (&gate);
    }
  mproc_test_kill_pid (pids[which]);
  mproc_test_expect_failure (results[which], MPROC_ERROR_WORKER_DIED, "attempt 1 of 1");
  mproc_test_expect_service (pool, 5);
  for (guint i = 0; i < N_WORKERS; i++)
    if (i != which)
      ck_assert (!mproc_result_is_ready (results[i]));
  mproc_test_gate_open (&gate, N_WORKERS - 1, 0);
  for (guint i = 0; i < N_WORKERS; i++)
    if (i != which)
      mproc_test_expect_success (results[i]);
  mproc_test_gate_clear (&gate);
}

START_TEST (each_worker_in_turn)
{
  gint rounds = mproc_test_scale (mproc_test_is_slow_platform () ? 1 : 2);
  MprocPool *pool;

  if (mproc_test_is_thread (_i))
    return; /* a thread cannot be killed */
  pool = mproc_test_pool (N_WORKERS, _i);
  for (gint round = 0; round < rounds; round++)
    for (guint which = 0; which < N_WORKERS; which++)
      kill_one_of_all (pool, which);
  mproc_test_end_pool (pool);
}
END_TEST

/* A kill every two milliseconds until all results are there, again and again. */
static void
kill_under_load (int method, gint attempts)
{
  gint64 duration = mproc_test_scale (mproc_test_is_slow_platform () ? 2000 : 300) * 1000;
  gint64 end = g_get_monotonic_time () + duration;
  Field field;

  lay_out (&field, method);
  /* On a busy machine a load may be done before anybody could be killed. */
  while (g_get_monotonic_time () < end ||
         (field.n_kills == 0 && g_get_monotonic_time () < end + MPROC_TEST_PATIENCE / 2))
    {
      MprocResult *results[N_TASKS];
      guint n_kills = field.n_kills;
      guint n_failed;

      load (&field, results, (guint) attempts);
      while (!all_ready (results))
        {
          kill_one (&field);
          pause_between_kills ();
        }
      n_failed = reckon (&field, results, attempts);
      /* One that was killed just before may have had a task of this load. */
      ck_assert_uint_le (n_failed * (guint) attempts,
                         field.n_kills - n_kills + N_WORKERS * (guint) attempts);
    }
  ck_assert_uint_gt (field.n_kills, 0);
  clear (&field);
}

START_TEST (random_ones_under_load)
{
  if (mproc_test_is_thread (_i))
    return; /* a thread cannot be killed */
  kill_under_load (_i, 1);
}
END_TEST

START_TEST (random_ones_while_tasks_are_begun_again)
{
  if (mproc_test_is_thread (_i))
    return; /* a thread cannot be killed */
  kill_under_load (_i, 4);
}
END_TEST

/* The process that the workers die with. */
START_TEST (the_nursery_under_load)
{
  for (gint round = mproc_test_scale (3); round > 0; round--)
    {
      MprocResult *results[N_TASKS];
      gint64 nursery;
      Field field;

      lay_out (&field, 0);
      nursery = mproc_test_ask (field.pool, mproc_test_tell_parent);
      load (&field, results, 1);
      g_usleep ((gulong) g_random_int_range (0, 40000));
      mproc_test_kill_pid (nursery);
      ck_assert_uint_le (reckon (&field, results, 1), N_WORKERS);
      clear (&field);
    }
}
END_TEST

/* ------------------------------------------------------------------ everything at once */

static MprocResult *
submit_some (Field *self, guint32 i)
{
  MprocTaskOptions *options = mproc_task_options_new ();
  MprocResult *result;

  mproc_task_options_set_attempts (options, i % 3 + 1);
  mproc_task_options_set_hard_limit (options, i % 2 * 20000);
  if (i % 40 == 17)
    result = mproc_pool_apply_async (self->pool, mproc_test_run_for_ever,
                                     mproc_pack ("(hu)", self->begun, i), options);
  else
    result = mproc_pool_apply_async (self->pool, leave_traces,
                                     mproc_pack ("(hhhu)", self->pids, self->begun,
                                                 self->done, i),
                                     options);
  mproc_task_options_free (options);
  return result;
}

static void
check_any_end (MprocResult *result)
{
  GError *error = NULL;
  GVariant *value = mproc_result_get (result, MPROC_TEST_PATIENCE, &error);

  if (value == NULL)
    ck_assert_msg (g_error_matches (error, MPROC_ERROR, MPROC_ERROR_WORKER_DIED) ||
                       g_error_matches (error, MPROC_ERROR, MPROC_ERROR_TIMED_OUT) ||
                       g_error_matches (error, MPROC_ERROR, MPROC_ERROR_CANCELLED),
                   "%s", error->message);
  g_clear_error (&error);
  g_clear_pointer (&value, g_variant_unref);
  mproc_result_unref (result);
}

START_TEST (kills_limits_and_cancelling_at_once)
{
  gint rounds = mproc_test_scale (mproc_test_is_slow_platform () ? 1 : 2);
  Field field;

  if (mproc_test_is_thread (_i))
    return; /* a thread cannot be killed */
  lay_out (&field, _i);
  for (gint round = 0; round < rounds; round++)
    {
      MprocResult *results[N_TASKS];

      for (guint32 i = 0; i < N_TASKS; i++)
        {
          mproc_test_set_count (field.begun, i, 0);
          results[i] = submit_some (&field, i);
        }
      while (!all_ready (results))
        {
          guint some = (guint) g_random_int_range (0, N_TASKS);

          kill_one (&field);
          mproc_result_cancel (results[some]);
          mproc_result_kill (results[(some * 7) % N_TASKS]);
          pause_between_kills ();
        }
      for (guint i = 0; i < N_TASKS; i++)
        {
          check_any_end (results[i]);
          ck_assert_int_le (mproc_test_count (field.begun, i), (gint) i % 3 + 1);
        }
    }
  clear (&field);
}
END_TEST

/* ------------------------------------------------------------------ many at once */

/* All but the first. */
static void
kill_most (MprocPool *pool, guint n)
{
  MprocResult **held = g_new (MprocResult *, n);
  gint64 *pids = g_new (gint64, n);
  MprocTestGate gate;

  mproc_test_gate_init (&gate);
  for (guint k = 0; k < n; k++)
    held[k] = mproc_test_gate_submit (&gate, pool, mproc_test_be_stuck, NULL);
  for (guint k = 0; k < n; k++)
    pids[k] = mproc_test_gate_await (&gate);
  mproc_test_gate_open (&gate, n, 1);
  for (guint k = 0; k < n; k++)
    mproc_test_expect_success (held[k]);
  for (guint k = 1; k < n; k++)
    mproc_test_kill_pid (pids[k]);
  mproc_test_gate_clear (&gate);
  g_free (pids);
  g_free (held);
}

static gint64
time_one (MprocPool *pool)
{
  gint64 begin = g_get_monotonic_time ();
  GVariant *value =
      mproc_test_value_or_death (mproc_pool_apply_async (pool, mproc_test_square,
                                                         g_variant_new_int32 (3), NULL));

  g_clear_pointer (&value, g_variant_unref);
  return g_get_monotonic_time () - begin;
}

static gboolean
are_replaced (MprocPool *pool, guint n_killed)
{
  MprocPoolStats *stats = mproc_pool_get_stats (pool);
  gboolean all = stats->n_lost >= n_killed &&
                 mproc_pool_get_n_live_workers (pool) == mproc_pool_get_n_workers (pool);

  mproc_pool_stats_free (stats);
  return all;
}

/* How long a task took at most while all others were replaced, and how long that took. */
static gint64
time_worst (int i, guint n, gint64 *all)
{
  MprocPool *pool = mproc_test_pool (n, i);
  gint64 begin, worst = 0;

  kill_most (pool, n);
  begin = g_get_monotonic_time ();
  while (!are_replaced (pool, n - 1))
    {
      gint64 taken = time_one (pool);

      worst = MAX (worst, taken);
      g_usleep (200);
    }
  *all = g_get_monotonic_time () - begin;
  mproc_test_end_pool (pool);
  return worst;
}

/* The pool's thread starts workers itself, and does not leave its results lying meanwhile. */
START_TEST (others_are_served_while_workers_are_started)
{
  guint n = mproc_test_is_slow_platform () ? 6 : 40;
  gboolean served = FALSE;

  if (mproc_test_is_thread (_i) || mproc_test_method (_i) == MPROC_START_METHOD_FORK)
    return; /* nothing to kill; started by another process */
  for (guint attempt = 0; attempt < 10 && !served; attempt++)
    {
      gint64 all;
      gint64 worst = time_worst (_i, n, &all);

      served = worst < all / 2;
    }
  ck_assert (served);
}
END_TEST

Suite *
mproc_test_pool_kill_suite (void)
{
  Suite *suite = suite_create ("pool-kill");
  TCase *tcase = mproc_test_case (suite, "pool-kill");
  int n = (int) mproc_test_n_methods ();

  tcase_add_loop_test (tcase, each_worker_in_turn, 0, n);
  tcase_add_loop_test (tcase, random_ones_under_load, 0, n);
  tcase_add_loop_test (tcase, random_ones_while_tasks_are_begun_again, 0, n);
  tcase_add_loop_test (tcase, kills_limits_and_cancelling_at_once, 0, n);
  tcase_add_loop_test (tcase, others_are_served_while_workers_are_started, 0, n);
  if (mproc_test_can_fork () && mproc_test_method (0) == MPROC_START_METHOD_FORK)
    tcase_add_test (tcase, the_nursery_under_load);
  return suite;
}
