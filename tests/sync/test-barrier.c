/* SPDX-License-Identifier: MIT */
/* Barriers, under every start method. */
#include "barriers.h"

/* ------------------------------------------------------------------ rounds */

START_TEST (gives_each_an_index)
{
  Fixture self = set_up (4);
  MprocProcess *waiters[3];
  guint seen = 0;

  for (guint round = 0; round < 3; round++)
    {
      ck_assert_uint_eq (mproc_barrier_get_parties (self.barrier), 4);
      ck_assert_uint_eq (mproc_barrier_get_n_waiting (self.barrier), 0);
      for (guint i = 0; i < 3; i++)
        waiters[i] = start_waiter (_i, &self, MPROC_FOREVER);
      ck_assert_uint_eq (mproc_queue_get_size (self.queue), 0);
      seen = 1u << wait_at (self.barrier, MPROC_SECONDS (30));
      for (guint i = 0; i < 3; i++)
        {
          seen |= 1u << mproc_test_hear (self.queue, MPROC_SECONDS (30));
          mproc_test_end_with (waiters[i], 0);
        }
      ck_assert_uint_eq (seen, 0xf);
      ck_assert (!mproc_barrier_is_broken (self.barrier));
    }
  tear_down (&self);
}
END_TEST

START_TEST (one_party_never_waits)
{
  MprocBarrier *barrier = mproc_barrier_new (1, NULL, NULL, 0, NULL);

  for (guint i = 0; i < 100; i++)
    ck_assert_int_eq (wait_at (barrier, i % 2 == 0 ? 0 : MPROC_BARRIER_TIMEOUT), 0);
  mproc_barrier_unref (mproc_barrier_ref (barrier));
  mproc_barrier_unref (barrier);
  mproc_barrier_unref (NULL);
}
END_TEST

START_TEST (refuses_what_can_never_be)
{
  static const guint wrong[] = { 0, 8192, G_MAXUINT };
  MprocQueue *queue = mproc_queue_new (0, NULL);
  MprocBarrier *barrier;
  GError *error = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      ck_assert_ptr_null (mproc_barrier_new (wrong[i], wait_once,
                                             mproc_pack ("(h)", queue), MPROC_FOREVER,
                                             &error));
      mproc_test_expect_error (&error, MPROC_ERROR_INVALID, "1 to 8191 parties");
    }
  barrier =
      mproc_barrier_new (8191, NULL, mproc_pack ("(h)", queue), MPROC_FOREVER, NULL);
  ck_assert_uint_eq (mproc_barrier_get_parties (barrier), 8191);
  ck_assert_int_eq (wait_at (barrier, 0), SAYS_BROKEN);
  mproc_test_count_criticals ();
  mproc_barrier_wait (barrier, -3, NULL);
  mproc_barrier_new (1, NULL, NULL, MPROC_BARRIER_TIMEOUT, NULL);
  mproc_barrier_abort ((MprocBarrier *) (gpointer) queue);
  mproc_barrier_get_n_waiting (NULL);
  ck_assert_uint_eq (mproc_test_count_criticals (), 4);
  mproc_barrier_unref (barrier);
  mproc_queue_unref (queue);
}
END_TEST

/* Each waits in all rounds; after each it looks whether its action was run once and before. */
static GVariant *
go_round (GVariant *args, GError **error)
{
  gint64 n_rounds;
  Fixture self;

  if (!unpack (args, &self, &n_rounds, error))
    return NULL;
  for (guint32 i = 0; i < n_rounds; i++)
    {
      gint index = wait_at (self.barrier, MPROC_FOREVER);

      if (index < 0 || index >= MAX_PARTIES)
        {
          mproc_add32 (&self.shared->n_wrong, 1);
          return NULL;
        }
      mproc_add32 (&self.shared->indices[index], 1);
      /* The next action cannot come before this one has come again. */
      if (mproc_load32 (&self.shared->n_actions) != i + 1)
        mproc_add32 (&self.shared->n_wrong, 1);
    }
  return NULL;
}

typedef struct
{
  MprocFunc func;
  GVariant *args;
  GError *error;
} Call;

static gpointer
call_in_thread (gpointer data)
{
  Call *call = data;

  call->func (call->args, &call->error);
  return NULL;
}

/* Four processes and two threads. */
START_TEST (many_rounds)
{
  guint n = n_rounds (2000);
  Fixture self = set_up_with (6, count_actions, MPROC_FOREVER);
  Call calls[2];
  MprocProcess *children[4];
  GThread *threads[2];

  for (guint i = 0; i < 4; i++)
    children[i] = start (_i, &self, go_round, n);
  for (guint i = 0; i < 2; i++)
    {
      GVariant *args = mproc_pack ("(hhxx)", self.barrier, self.queue,
                                   (gint64) self.block, (gint64) n);

      calls[i] = (Call){ go_round, g_variant_ref_sink (args), NULL };
      threads[i] = g_thread_new (NULL, call_in_thread, &calls[i]);
    }
  for (guint i = 0; i < 2; i++)
    {
      g_thread_join (threads[i]);
      ck_assert_ptr_null (calls[i].error);
      g_variant_unref (calls[i].args);
    }
  for (guint i = 0; i < 4; i++)
    mproc_test_end_with (children[i], 0);
  ck_assert_uint_eq (mproc_load32 (&self.shared->n_wrong), 0);
  ck_assert_uint_eq (mproc_load32 (&self.shared->n_actions), n);
  for (guint i = 0; i < 6; i++)
    ck_assert_uint_eq (mproc_load32 (&self.shared->indices[i]), n);
  tear_down (&self);
}
END_TEST

/* Until the barrier is aborted, which is when there have been enough rounds. */
static GVariant *
go_round_until_broken (GVariant *args, GError **error)
{
  gint64 n;
  Fixture self;
  gint index;

  if (!unpack (args, &self, &n, error))
    return NULL;
  while ((index = wait_at (self.barrier, MPROC_FOREVER)) >= 0)
    if (mproc_add32 (&self.shared->indices[index], 1) + 1 >= n && index == 0)
      mproc_barrier_abort (self.barrier);
  if (index != SAYS_BROKEN)
    mproc_add32 (&self.shared->n_wrong, 1);
  return NULL;
}

/* How often each index was given differs by no more than one: nobody learns the end of another
 * round than his own, however late he looks. */
static void
run_crowd (int i, guint parties)
{
  Fixture self = set_up (parties);
  guint n = n_rounds (3000);
  MprocProcess *children[7];

  for (guint k = 0; k < 7; k++)
    children[k] = start (i, &self, go_round_until_broken, n);
  for (guint k = 0; k < 7; k++)
    mproc_test_end_with (children[k], 0);
  ck_assert_uint_eq (mproc_load32 (&self.shared->n_wrong), 0);
  for (guint k = 0; k < parties; k++)
    {
      guint32 given = mproc_load32 (&self.shared->indices[k]);

      ck_assert_msg (given >= n && given <= mproc_load32 (&self.shared->indices[0]) &&
                         given + 1 >= mproc_load32 (&self.shared->indices[0]),
                     "index %u of %u: %u times, 0: %u times", k, parties, given,
                     mproc_load32 (&self.shared->indices[0]));
    }
  tear_down (&self);
}

START_TEST (more_come_than_are_wanted)
{
  run_crowd (_i, 1);
  run_crowd (_i, 2);
  run_crowd (_i, 5);
}
END_TEST

/* One has come, and sleeps through the ends of many rounds after its own: this thread plays all
 * the parts. */
static gboolean
sleep_long (gboolean pass)
{
  MprocOffset block =
      mproc_arena_alloc0 (sizeof (MprocRounds) + MPROC_ROUNDS_SIZE (2), NULL);
  MprocRounds *rounds =
      mproc_arena_at (block, sizeof (MprocRounds) + MPROC_ROUNDS_SIZE (2));
  MprocArrival sleeper;
  MprocArrival other;
  gboolean passed;

  mproc_rounds_init (rounds, 2);
  ck_assert (mproc_rounds_arrive (rounds, &sleeper, 0));
  ck_assert (!mproc_rounds_is_mine_to_finish (&sleeper));
  if (pass)
    {
      ck_assert (mproc_rounds_arrive (rounds, &other, 0));
      ck_assert (mproc_rounds_is_mine_to_finish (&other));
      ck_assert (!mproc_rounds_is_mine_to_finish (&sleeper));
      mproc_rounds_finish (&other, TRUE);
      ck_assert (mproc_rounds_wait (&other, 0));
    }
  else
    mproc_rounds_reset (rounds);
  for (guint i = 0; i < 100; i++)
    {
      ck_assert (mproc_rounds_arrive (rounds, &other, 0));
      ck_assert_uint_eq (mproc_rounds_count_inside (rounds), 1);
      if (i % 2 == 0)
        mproc_rounds_abort (rounds);
      mproc_rounds_reset (rounds);
      ck_assert (!mproc_rounds_wait (&other, 0));
    }
  passed = mproc_rounds_wait (&sleeper, 0);
  /* Its place is free only now. */
  for (guint i = 0; i < 2; i++)
    ck_assert (mproc_rounds_arrive (rounds, &other, 0));
  ck_assert (mproc_rounds_is_mine_to_finish (&other));
  mproc_arena_free (block);
  return passed;
}

START_TEST (learns_late_how_its_round_ended)
{
  MprocBarrier *barrier = mproc_barrier_new (1, NULL, NULL, 0, NULL);

  ck_assert (sleep_long (TRUE));
  ck_assert (!sleep_long (FALSE));
  mproc_barrier_unref (barrier);
}
END_TEST

START_TEST (comes_through_a_queue)
{
  Fixture self = set_up (2);
  MprocQueue *queue = mproc_queue_new (0, NULL);
  MprocProcess *waiter;
  MprocBarrier *copy;
  GVariant *value;

  ck_assert (mproc_queue_put (queue, mproc_pack ("(h)", self.barrier), MPROC_FOREVER,
                              NULL));
  value = mproc_queue_get (queue, MPROC_FOREVER, NULL);
  ck_assert (mproc_unpack (value, NULL, "(&h)", &copy));
  ck_assert_ptr_eq (copy, self.barrier);
  waiter = start (_i, &self, wait_once, MPROC_FOREVER);
  ck_assert_int_ge (wait_at (copy, MPROC_SECONDS (30)), 0);
  ck_assert_int_ge (mproc_test_hear (self.queue, MPROC_SECONDS (30)), 0);
  mproc_test_end_with (waiter, 0);
  g_variant_unref (value);
  mproc_queue_unref (queue);
  tear_down (&self);
}
END_TEST

/* ------------------------------------------------------------------ actions */

static GVariant *
fail_always (GVariant *args, GError **error)
{
  (void) args;
  g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_FAILED, "no");
  return NULL;
}

START_TEST (an_actions_error_is_its_callers)
{
  Fixture self = set_up_with (3, fail_always, MPROC_FOREVER);
  MprocProcess *waiters[2];
  GError *error = NULL;

  for (guint i = 0; i < 2; i++)
    waiters[i] = start_waiter (_i, &self, MPROC_FOREVER);
  ck_assert_int_eq (mproc_barrier_wait (self.barrier, MPROC_FOREVER, &error), -1);
  mproc_test_expect_error (&error, MPROC_ERROR_FAILED, "no");
  for (guint i = 0; i < 2; i++)
    {
      mproc_test_expect_number (self.queue, SAYS_BROKEN);
      mproc_test_end_with (waiters[i], 0);
    }
  ck_assert (mproc_barrier_is_broken (self.barrier));
  ck_assert_int_eq (wait_at (self.barrier, MPROC_FOREVER), SAYS_BROKEN);
  /* Whole again, with the same action. */
  mproc_barrier_reset (self.barrier);
  for (guint i = 0; i < 2; i++)
    waiters[i] = start_waiter (_i, &self, MPROC_FOREVER);
  ck_assert_int_eq (wait_at (self.barrier, MPROC_FOREVER), SAYS_ACTION_FAILED);
  for (guint i = 0; i < 2; i++)
    mproc_test_end_with (waiters[i], 0);
  tear_down (&self);
}
END_TEST

/* With one party, which runs the action. */
static MprocBarrier *lone;

static GVariant *
abort_lone (GVariant *args, GError **error)
{
  (void) args;
  (void) error;
  mproc_barrier_abort (lone);
  return NULL;
}

static GVariant *
reset_lone (GVariant *args, GError **error)
{
  (void) args;
  (void) error;
  mproc_barrier_reset (lone);
  return NULL;
}

/* Its own round does not pass then. */
START_TEST (an_action_may_break_or_reset_it)
{
  const MprocFunc actions[] = { abort_lone, reset_lone };

  for (guint i = 0; i < G_N_ELEMENTS (actions); i++)
    {
      lone = mproc_barrier_new (1, actions[i], NULL, MPROC_FOREVER, NULL);
      ck_assert_int_eq (wait_at (lone, MPROC_FOREVER), SAYS_BROKEN);
      ck_assert (mproc_barrier_is_broken (lone) == (actions[i] == abort_lone));
      ck_assert_uint_eq (mproc_barrier_get_n_waiting (lone), 0);
      mproc_barrier_unref (lone);
    }
}
END_TEST

static void
stop_action (Fixture *self)
{
  mproc_store32 (&self->shared->stop, 1);
  mproc_word_wake (&self->shared->stop, G_MAXINT32);
}

/* Those who come meanwhile wait for the next round. */
START_TEST (nobody_enters_while_the_action_runs)
{
  Fixture self = set_up_with (2, run_until_stopped, MPROC_FOREVER);
  MprocProcess *waiters[4];
  gint sum = 0;

  for (guint i = 0; i < 4; i++)
    waiters[i] = start (_i, &self, wait_once, MPROC_FOREVER);
  mproc_test_expect_number (self.queue, SAYS_RUNS);
  ck_assert_int_eq (mproc_test_hear (self.queue, 50000), MPROC_TEST_SILENCE);
  ck_assert_uint_eq (mproc_barrier_get_n_waiting (self.barrier), 2);
  stop_action (&self);
  for (guint i = 0; i < 5; i++)
    sum += mproc_test_hear (self.queue, MPROC_SECONDS (30));
  ck_assert_int_eq (sum, 0 + 1 + 0 + 1 + SAYS_RUNS);
  for (guint i = 0; i < 4; i++)
    mproc_test_end_with (waiters[i], 0);
  tear_down (&self);
}
END_TEST

/* By one inside, or by one who has come while the action runs: it breaks the barrier. */
START_TEST (time_may_end_during_the_action)
{
  for (guint parties = 1; parties <= 2; parties++)
    {
      Fixture self = set_up_with (parties, run_until_stopped, MPROC_FOREVER);
      MprocProcess *runner = NULL;
      MprocProcess *late = NULL;

      if (parties == 2)
        late = start_waiter (_i, &self, 300000);
      runner = start (_i, &self, wait_once, MPROC_FOREVER);
      /* A machine may be so slow that the time is over before. */
      if (mproc_test_hear (self.queue, MPROC_SECONDS (30)) == SAYS_RUNS)
        {
          if (parties == 1)
            late = start (_i, &self, wait_once, 0);
          mproc_test_expect_number (self.queue, SAYS_BROKEN);
          ck_assert (mproc_barrier_is_broken (self.barrier));
          stop_action (&self);
        }
      mproc_test_expect_number (self.queue, SAYS_BROKEN);
      if (late != NULL)
        mproc_test_end_with (late, 0);
      mproc_test_end_with (runner, 0);
      tear_down (&self);
    }
}
END_TEST

/* ------------------------------------------------------------------ breaking */

START_TEST (time_breaks_it)
{
  static const gint64 timeouts[] = { 0, 30000, MPROC_BARRIER_TIMEOUT };

  for (guint i = 0; i < G_N_ELEMENTS (timeouts); i++)
    {
      Fixture self = set_up_with (3, NULL, 40000);
      MprocProcess *waiter = start_waiter (_i, &self, MPROC_FOREVER);
      gint64 before = g_get_monotonic_time ();
      gint64 timeout_us = timeouts[i] == MPROC_BARRIER_TIMEOUT ? 40000 : timeouts[i];

      ck_assert_int_eq (wait_at (self.barrier, timeouts[i]), SAYS_BROKEN);
      ck_assert_int_ge (g_get_monotonic_time () - before, timeout_us);
      ck_assert (mproc_barrier_is_broken (self.barrier));
      ck_assert_uint_eq (mproc_barrier_get_n_waiting (self.barrier), 0);
      mproc_test_expect_number (self.queue, SAYS_BROKEN);
      mproc_test_end_with (waiter, 0);
      tear_down (&self);
    }
}
END_TEST

START_TEST (abort_breaks_it)
{
  Fixture self = set_up (3);
  MprocProcess *waiter = start_waiter (_i, &self, MPROC_FOREVER);

  mproc_barrier_abort (self.barrier);
  mproc_barrier_abort (self.barrier);
  mproc_test_expect_number (self.queue, SAYS_BROKEN);
  mproc_test_end_with (waiter, 0);
  ck_assert (mproc_barrier_is_broken (self.barrier));
  ck_assert_int_eq (wait_at (self.barrier, MPROC_FOREVER), SAYS_BROKEN);
  mproc_barrier_reset (self.barrier);
  ck_assert (!mproc_barrier_is_broken (self.barrier));
  mproc_barrier_abort (self.barrier);
  ck_assert (mproc_barrier_is_broken (self.barrier));
  tear_down (&self);
}
END_TEST

START_TEST (reset_makes_it_whole_and_empty)
{
  Fixture self = set_up (2);
  MprocProcess *waiters[2];

  mproc_barrier_reset (self.barrier);
  for (guint round = 0; round < 4; round++)
    {
      waiters[0] = start_waiter (_i, &self, MPROC_FOREVER);
      mproc_barrier_reset (self.barrier);
      mproc_test_expect_number (self.queue, SAYS_BROKEN);
      mproc_test_end_with (waiters[0], 0);
      ck_assert (!mproc_barrier_is_broken (self.barrier));
      ck_assert_uint_eq (mproc_barrier_get_n_waiting (self.barrier), 0);
      mproc_barrier_reset (self.barrier);
      if (round % 2 == 0)
        mproc_barrier_abort (self.barrier);
      mproc_barrier_reset (self.barrier);
      ck_assert (!mproc_barrier_is_broken (self.barrier));
    }
  for (guint i = 0; i < 2; i++)
    waiters[i] = start (_i, &self, wait_once, MPROC_FOREVER);
  ck_assert_int_eq (mproc_test_hear (self.queue, MPROC_SECONDS (30)) +
                        mproc_test_hear (self.queue, MPROC_SECONDS (30)),
                    1);
  for (guint i = 0; i < 2; i++)
    mproc_test_end_with (waiters[i], 0);
  tear_down (&self);
}
END_TEST

Suite *
mproc_test_barrier_suite (void)
{
  Suite *suite = suite_create ("barrier");
  TCase *plain = mproc_test_case (suite, "barrier");
  TCase *rounds = mproc_test_case (suite, "rounds");
  TCase *breaking = mproc_test_case (suite, "breaking");
  int n = (int) mproc_test_n_methods ();

  tcase_add_test (plain, one_party_never_waits);
  tcase_add_test (plain, refuses_what_can_never_be);
  tcase_add_test (plain, an_action_may_break_or_reset_it);
  tcase_add_test (plain, learns_late_how_its_round_ended);
  tcase_add_loop_test (rounds, gives_each_an_index, 0, n);
  tcase_add_loop_test (rounds, many_rounds, 0, n);
  tcase_add_loop_test (rounds, more_come_than_are_wanted, 0, n);
  tcase_add_loop_test (rounds, comes_through_a_queue, 0, n);
  tcase_add_loop_test (rounds, an_actions_error_is_its_callers, 0, n);
  tcase_add_loop_test (rounds, nobody_enters_while_the_action_runs, 0, n);
  tcase_add_loop_test (breaking, time_may_end_during_the_action, 0, n);
  tcase_add_loop_test (breaking, time_breaks_it, 0, n);
  tcase_add_loop_test (breaking, abort_breaks_it, 0, n);
  tcase_add_loop_test (breaking, reset_makes_it_whole_and_empty, 0, n);
  return suite;
}
