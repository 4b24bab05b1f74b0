/* SPDX-License-Identifier: MIT */
/* Those who wait at a barrier, or run its action, are killed; and it is reset all the time. */
#include "barriers.h"

/* ------------------------------------------------------------------ deaths */

/* One inside is killed; how long the other one takes to learn of it. */
static gint64
time_death (int i, gconstpointer data)
{
  Fixture self = set_up (3);
  MprocProcess *victim = start_waiter (i, &self, MPROC_FOREVER);
  MprocProcess *others[2] = { start_waiter (i, &self, MPROC_FOREVER), NULL };
  gint64 before = g_get_monotonic_time ();

  ck_assert (mproc_process_kill (victim, NULL));
  mproc_test_expect_number (self.queue, SAYS_BROKEN);
  before = g_get_monotonic_time () - before;
  ck_assert (mproc_barrier_is_broken (self.barrier));
  kill_one (victim);
  mproc_test_end_with (others[0], 0);
  /* The dead one's place is free. */
  mproc_barrier_reset (self.barrier);
  ck_assert_uint_eq (mproc_barrier_get_n_waiting (self.barrier), 0);
  for (guint k = 0; k < 2; k++)
    others[k] = start_waiter (i, &self, MPROC_FOREVER);
  ck_assert_int_ge (wait_at (self.barrier, MPROC_SECONDS (30)), 0);
  for (guint k = 0; k < 2; k++)
    {
      ck_assert_int_ge (mproc_test_hear (self.queue, MPROC_SECONDS (30)), 0);
      mproc_test_end_with (others[k], 0);
    }
  tear_down (&self);
  return before;
}

START_TEST (a_death_inside_breaks_it)
{
  if (mproc_test_is_thread (_i)) /* cannot be killed */
    return;
  ck_assert_int_le (mproc_test_best (time_death, _i, NULL, 300000), 300000);
}
END_TEST

/* Whoever comes last knows of a death that somebody has seen. */
START_TEST (a_dead_one_is_not_counted)
{
  Fixture self = set_up (2);

  if (!mproc_test_is_thread (_i))
    {
      kill_one (start_waiter (_i, &self, MPROC_FOREVER));
      ck_assert_int_eq (wait_at (self.barrier, MPROC_SECONDS (30)), SAYS_BROKEN);
    }
  tear_down (&self);
}
END_TEST

/* Of one party, with another one waiting for its turn; or of two. */
START_TEST (the_runners_death_breaks_it)
{
  for (guint parties = 1; parties <= 2 && !mproc_test_is_thread (_i); parties++)
    {
      Fixture self = set_up_with (parties, run_until_stopped, MPROC_FOREVER);
      MprocProcess *waiter = NULL;
      MprocProcess *runner;

      if (parties == 2)
        waiter = start_waiter (_i, &self, MPROC_FOREVER);
      runner = start (_i, &self, wait_once, MPROC_FOREVER);
      mproc_test_expect_number (self.queue, SAYS_RUNS);
      if (parties == 1)
        waiter = start (_i, &self, wait_once, MPROC_FOREVER);
      ck_assert (mproc_process_kill (runner, NULL));
      mproc_test_expect_number (self.queue, SAYS_BROKEN);
      ck_assert (mproc_barrier_is_broken (self.barrier));
      kill_one (runner);
      mproc_test_end_with (waiter, 0);
      tear_down (&self);
    }
}
END_TEST

/* Goes on and on; a barrier that is broken is made whole again. */
static GVariant *
insist (GVariant *args, GError **error)
{
  gint64 unused;
  Fixture self;

  if (!unpack (args, &self, &unused, error))
    return NULL;
  while (!mproc_load32 (&self.shared->stop))
    {
      gint index = wait_at (self.barrier, MPROC_FOREVER);

      if (index >= 0)
        mproc_add32 (&self.shared->n_passed, 1);
      else if (index != SAYS_BROKEN)
        mproc_add32 (&self.shared->n_wrong, 1);
      else if (mproc_barrier_is_broken (self.barrier))
        mproc_barrier_reset (self.barrier);
    }
  return NULL;
}

/* Those who live get through the barrier, again and again. */
static void
expect_progress (Fixture *self)
{
  gint64 until = g_get_monotonic_time () + MPROC_SECONDS (20);
  guint32 before = mproc_load32 (&self->shared->n_passed);

  while (mproc_load32 (&self->shared->n_passed) - before < 20 &&
         g_get_monotonic_time () < until)
    g_usleep (200);
  ck_assert_uint_ge (mproc_load32 (&self->shared->n_passed) - before, 20);
}

#define N_WORKERS 5

static void
run_kills (guint parties, gint n_kills)
{
  GRand *rand = g_rand_new_with_seed (parties);
  Fixture self =
      set_up_with (parties, parties == 2 ? count_actions : NULL, MPROC_FOREVER);
  MprocProcess *workers[N_WORKERS];

  for (guint i = 0; i < N_WORKERS; i++)
    workers[i] = start (0, &self, insist, 0);
  for (gint k = 0; k < n_kills; k++)
    {
      gint i = g_rand_int_range (rand, 0, N_WORKERS);

      if (k % 3 == 0)
        mproc_barrier_reset (self.barrier);
      g_usleep ((gulong) g_rand_int_range (rand, 0, 1000));
      ck_assert (mproc_process_kill (workers[i], NULL));
      /* Those who are left find the death themselves, or are told by the join. */
      if (k % 4 == 0)
        expect_progress (&self);
      kill_one (workers[i]);
      workers[i] = start (0, &self, insist, 0);
    }
  expect_progress (&self);
  mproc_store32 (&self.shared->stop, 1);
  for (guint i = 0; i < N_WORKERS; i++)
    kill_one (workers[i]);
  ck_assert_uint_eq (mproc_load32 (&self.shared->n_wrong), 0);
  tear_down (&self);
  g_rand_free (rand);
}

START_TEST (those_who_live_go_on)
{
  static const guint parties[] = { 2, 3, N_WORKERS - 1 };

  if (!mproc_test_is_thread (0))
    run_kills (parties[_i], mproc_test_scale (mproc_test_is_slow_platform () ? 8 : 80));
}
END_TEST

/* Somebody resets it all the time; who waits is told so, and else nothing happens. */
START_TEST (resets_without_end)
{
  Fixture self = set_up (3);
  MprocProcess *workers[N_WORKERS];
  guint n = n_rounds (20000);

  for (guint i = 0; i < N_WORKERS; i++)
    workers[i] = start (_i, &self, insist, 0);
  for (guint i = 0; i < n; i++)
    mproc_barrier_reset (self.barrier);
  expect_progress (&self);
  mproc_store32 (&self.shared->stop, 1);
  mproc_barrier_abort (self.barrier);
  while (mproc_process_is_alive (workers[0]) || mproc_process_is_alive (workers[1]) ||
         mproc_process_is_alive (workers[2]) || mproc_process_is_alive (workers[3]) ||
         mproc_process_is_alive (workers[4]))
    mproc_barrier_abort (self.barrier);
  for (guint i = 0; i < N_WORKERS; i++)
    mproc_test_end_with (workers[i], 0);
  ck_assert_uint_eq (mproc_load32 (&self.shared->n_wrong), 0);
  tear_down (&self);
}
END_TEST

Suite *
mproc_test_barrier_kill_suite (void)
{
  Suite *suite = suite_create ("barrier-kill");
  TCase *deaths = mproc_test_case (suite, "deaths");
  int n = (int) mproc_test_n_methods ();

  tcase_add_loop_test (deaths, resets_without_end, 0, n);
  tcase_add_loop_test (deaths, a_death_inside_breaks_it, 0, n);
  tcase_add_loop_test (deaths, a_dead_one_is_not_counted, 0, n);
  tcase_add_loop_test (deaths, the_runners_death_breaks_it, 0, n);
  tcase_add_loop_test (deaths, those_who_live_go_on, 0, 3);
  return suite;
}
