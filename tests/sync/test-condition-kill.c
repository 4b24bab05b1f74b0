/* SPDX-License-Identifier: MIT */
/* Those who wait for a condition, or hold its lock, are killed. */
#include "conditions.h"

/* ------------------------------------------------------------------ deaths */

/* Notifies, and ends while it holds the lock. */
static GVariant *
die_holding (GVariant *args, GError **error)
{
  Fixture self;
  gint notifications;

  if (!unpack (args, &self, &notifications, error))
    return NULL;
  mproc_condition_acquire (self.condition, MPROC_FOREVER);
  mproc_condition_notify (self.condition, (guint) notifications, NULL);
  mproc_process_exit (0);
}

/* Until something else is told than that the time is up. */
static MprocLockStatus
wait_in_patience (MprocCondition *condition, gint *asks)
{
  MprocLockStatus status = MPROC_LOCK_STATUS_TIMED_OUT;
  GError *error = NULL;

  for (guint i = 0; i < 300 && status == MPROC_LOCK_STATUS_TIMED_OUT; i++)
    {
      g_clear_error (&error);
      status = asks != NULL ? wait_for_asks (condition, asks, 100000, &error)
                            : mproc_condition_wait (condition, 100000, &error);
    }
  ck_assert_ptr_null (error);
  return status;
}

START_TEST (tells_of_an_owner_who_died)
{
  Fixture self = set_up (NULL);
  gint never = 0;

  if (mproc_test_is_thread (_i)) /* its death is not a process's */
    {
      tear_down (&self);
      return;
    }
  acquire (self.condition);
  for (gint notifications = 1; notifications >= 0; notifications--)
    {
      MprocProcess *child = start (_i, &self, die_holding, notifications);

      ck_assert_int_eq (wait_in_patience (self.condition, NULL),
                        MPROC_LOCK_STATUS_RECOVERED);
      ck_assert (mproc_rlock_is_mine (mproc_condition_get_lock (self.condition)));
      mproc_test_end_with (child, 0);
      child = start (_i, &self, die_holding, notifications);
      ck_assert_int_eq (wait_in_patience (self.condition, &never),
                        MPROC_LOCK_STATUS_RECOVERED);
      mproc_test_end_with (child, 0);
    }
  release (self.condition);
  tear_down (&self);
}
END_TEST

/* The one who has waited longest is dead: the next one is notified, whether somebody has seen the
 * death yet or not. */
START_TEST (a_dead_waiter_is_skipped)
{
  for (gint join = 0; join <= 1 && !mproc_test_is_thread (_i);
       join++) /* cannot be killed */
    {
      Fixture self = set_up (NULL);
      MprocProcess *waiters[5];

      for (gint i = 0; i < 5; i++)
        waiters[i] = start_waiter (_i, &self, i);
      for (gint i = 0; i < 3; i++)
        kill_one (waiters[i], join);
      mproc_store32 (&self.shared->stage, 1);
      notify (self.condition, 1);
      mproc_test_expect_number (self.queue, 103);
      ck_assert_int_eq (mproc_test_hear (self.queue, 20000), MPROC_TEST_SILENCE);
      notify (self.condition, 1);
      mproc_test_expect_number (self.queue, 104);
      for (gint i = 0; i < 5; i++)
        bury (waiters[i]);
      tear_down (&self);
    }
}
END_TEST

/* Two are notified, and die before they get the lock: their notifications go to the next two, and
 * to nobody else. */
START_TEST (a_dead_ones_notification_is_passed_on)
{
  for (gint join = 0; join <= 1 && !mproc_test_is_thread (_i); join++)
    {
      Fixture self = set_up (NULL);
      MprocProcess *waiters[5];

      for (gint i = 0; i < 5; i++)
        waiters[i] = start_waiter (_i, &self, i);
      acquire (self.condition);
      ck_assert (mproc_condition_notify (self.condition, 2, NULL));
      kill_one (waiters[0], join);
      kill_one (waiters[1], join);
      release (self.condition);
      expect_two (self.queue, 2, 3);
      ck_assert_int_eq (mproc_test_hear (self.queue, 250000), MPROC_TEST_SILENCE);
      notify (self.condition, 1);
      mproc_test_expect_number (self.queue, 4);
      for (gint i = 0; i < 5; i++)
        bury (waiters[i]);
      tear_down (&self);
    }
}
END_TEST

/* One who came later did not wait when the notification was given. */
START_TEST (it_is_not_passed_on_to_a_later_one)
{
  for (gint join = 0; join <= 1 && !mproc_test_is_thread (_i); join++)
    {
      Fixture self = set_up (NULL);
      MprocProcess *waiter = start_waiter (_i, &self, 1);

      acquire (self.condition);
      ck_assert (mproc_condition_notify_all (self.condition, NULL));
      kill_one (waiter, join);
      ck_assert_int_eq (mproc_condition_wait (self.condition, 350000, NULL),
                        MPROC_LOCK_STATUS_TIMED_OUT);
      release (self.condition);
      bury (waiter);
      tear_down (&self);
    }
}
END_TEST

typedef struct
{
  Fixture *fixture;
  gint64 looked; /* for the dead, by chance */
  gint64 end;    /* of the wait that counts, if nobody notifies */
  gint64 killed;
} ShortWait;

/* A thread: its wait is shorter than a nap, and than what is between two looks by chance.  Says 2
 * when it is about to. */
static gpointer
wait_shortly (gpointer data)
{
  ShortWait *self = data;
  Fixture *fixture = self->fixture;

  mproc_condition_acquire (fixture->condition, MPROC_FOREVER);
  self->looked = g_get_monotonic_time ();
  mproc_condition_wait (fixture->condition, 1000, NULL);
  mproc_test_tell (fixture->queue, 2);
  self->end = g_get_monotonic_time () + MPROC_NAP / 3;
  if (mproc_condition_wait (fixture->condition, MPROC_NAP / 3, NULL) ==
      MPROC_LOCK_STATUS_ACQUIRED)
    mproc_test_tell (fixture->queue, 3);
  mproc_condition_release (fixture->condition, NULL);
  return NULL;
}

/* On a slow machine the time may be over before the notification is given, or the next look by
 * chance may have come. */
static gboolean
was_fast (const ShortWait *self)
{
  return self->killed < self->end - MPROC_NAP / 6 &&
         self->end < self->looked + MPROC_NAP / 2 - 5000;
}

/* Who does not wait as long as a nap gets it as well, at the end of his time. */
START_TEST (a_short_wait_gets_it_too)
{
  Fixture self = set_up (NULL);
  MprocProcess *waiter;
  GThread *thread;
  gint answer = -1;

  for (gint attempt = 0; attempt < 50 && answer < 0 && !mproc_test_is_thread (_i);
       attempt++)
    {
      ShortWait wait = { &self, 0, 0, 0 };

      waiter = start_waiter (_i, &self, 1);
      thread = g_thread_new (NULL, wait_shortly, &wait);
      mproc_test_expect_number (self.queue, 2);
      acquire (self.condition);
      ck_assert (mproc_condition_notify (self.condition, 1, NULL));
      kill_one (waiter, TRUE);
      wait.killed = g_get_monotonic_time ();
      release (self.condition);
      g_thread_join (thread);
      bury (waiter);
      answer = mproc_test_hear (self.queue, 0);
      ck_assert (!was_fast (&wait) || answer == 3);
    }
  ck_assert (mproc_test_is_thread (_i) || answer == 3);
  tear_down (&self);
}
END_TEST

static gint64
time_notify_all (MprocCondition *condition)
{
  gint64 before = g_get_monotonic_time ();

  mproc_condition_acquire (condition, MPROC_FOREVER);
  mproc_condition_notify_all (condition, NULL);
  mproc_condition_release (condition, NULL);
  return g_get_monotonic_time () - before;
}

/* Twenty dead waiters, nobody else: the notifier waits for none of them. */
START_TEST (a_notifier_waits_for_nobody)
{
  Fixture self = set_up (NULL);
  MprocProcess *waiters[20];
  gint64 best = G_MAXINT64;

  for (gint round = 0; round < 3 && !mproc_test_is_thread (_i); round++)
    {
      gint64 taken;

      for (gint i = 0; i < 20; i++)
        waiters[i] = start_waiter (_i, &self, i);
      for (gint i = 0; i < 20; i++)
        kill_one (waiters[i], i % 2 == 0);
      taken = time_notify_all (self.condition);
      best = MIN (best, taken);
      for (gint i = 0; i < 20; i++)
        bury (waiters[i]);
      if (best < 20000)
        break;
    }
  ck_assert (mproc_test_is_thread (_i) || best < 20000);
  tear_down (&self);
}
END_TEST

/* ------------------------------------------------------------------ kills */

#define N_WORKERS 6

/* Takes what has been put, one store each, until told to stop.  Says when it has got so far. */
static GVariant *
consume (GVariant *args, GError **error)
{
  Fixture self;
  gint number;

  if (!unpack (args, &self, &number, error))
    return NULL;
  mproc_condition_acquire (self.condition, MPROC_FOREVER);
  mproc_test_tell (self.queue, 0);
  while (!mproc_load32 (&self.shared->stop))
    {
      guint32 n = mproc_load32 (&self.shared->n_taken);

      if (n < mproc_load32 (&self.shared->n_put))
        mproc_store32 (&self.shared->n_taken, n + 1);
      else
        mproc_condition_wait (self.condition, MPROC_FOREVER, NULL);
    }
  mproc_condition_release (self.condition, NULL);
  return NULL;
}

/* One that is told the lock's last owner died does what the owner may have left undone. */
static void
acquire_for_producing (Fixture *self)
{
  MprocLockStatus status = mproc_condition_acquire (self->condition, MPROC_SECONDS (30));

  ck_assert_int_ne (status, MPROC_LOCK_STATUS_TIMED_OUT);
  if (status == MPROC_LOCK_STATUS_RECOVERED)
    mproc_condition_notify_all (self->condition, NULL);
}

/* Kills the @victim before, while those who are notified cannot go on yet, or after. */
static void
produce_and_kill (Fixture *self, MprocProcess *victim, GRand *rand)
{
  gint when = g_rand_int_range (rand, 0, 4);

  for (gint i = 0; i < 5; i++)
    {
      acquire_for_producing (self);
      mproc_add32 (&self->shared->n_put, 1);
      mproc_condition_notify (self->condition, 1, NULL);
      if (i == when)
        kill_one (victim, g_rand_boolean (rand));
      release (self->condition);
      if (g_rand_boolean (rand))
        g_usleep ((gulong) g_rand_int_range (rand, 0, 300));
    }
}

/* Without any further notification. */
static void
expect_all_taken (Fixture *self)
{
  gint64 until = g_get_monotonic_time () + MPROC_SECONDS (20);
  guint32 n = mproc_load32 (&self->shared->n_put);

  acquire_for_producing (self);
  release (self->condition);
  while (mproc_load32 (&self->shared->n_taken) < n && g_get_monotonic_time () < until)
    g_usleep (200);
  ck_assert_uint_eq (mproc_load32 (&self->shared->n_taken), n);
}

/* Some of six are killed, the others have to do what is to be done. */
static void
run_round (int method, Fixture *self, MprocProcess **workers, gint n_kills, GRand *rand)
{
  gint first = g_rand_int_range (rand, 0, N_WORKERS);

  for (gint k = 0; k < n_kills; k++)
    produce_and_kill (self, workers[(first + k) % N_WORKERS], rand);
  expect_all_taken (self);
  for (gint k = 0; k < n_kills; k++)
    {
      gint i = (first + k) % N_WORKERS;

      bury (workers[i]);
      workers[i] = start (method, self, consume, 0);
    }
  for (gint k = 0; k < n_kills; k++)
    mproc_test_expect_number (self->queue, 0);
}

static void
run_kills (int method, gint n_kills)
{
  GRand *rand = g_rand_new_with_seed (7);
  Fixture self = set_up (NULL);
  MprocProcess *workers[N_WORKERS];

  for (gint i = 0; i < N_WORKERS; i++)
    {
      workers[i] = start (method, &self, consume, i);
      mproc_test_expect_number (self.queue, 0);
    }
  for (; n_kills > 0; n_kills -= 4)
    run_round (method, &self, workers, 4, rand);
  mproc_store32 (&self.shared->stop, 1);
  acquire_for_producing (&self);
  mproc_condition_notify_all (self.condition, NULL);
  release (self.condition);
  for (gint i = 0; i < N_WORKERS; i++)
    mproc_test_end_with (workers[i], 0);
  tear_down (&self);
  g_rand_free (rand);
}

START_TEST (every_item_is_taken_whoever_is_killed)
{
  if (!mproc_test_is_thread (0)) /* cannot be killed */
    run_kills (0, mproc_test_scale (mproc_test_is_slow_platform () ? 12 : 240));
}
END_TEST

Suite *
mproc_test_condition_kill_suite (void)
{
  Suite *suite = suite_create ("condition-kill");
  TCase *deaths = mproc_test_case (suite, "deaths");
  int n = (int) mproc_test_n_methods ();

  tcase_add_loop_test (deaths, tells_of_an_owner_who_died, 0, n);
  tcase_add_loop_test (deaths, a_dead_waiter_is_skipped, 0, n);
  tcase_add_loop_test (deaths, a_dead_ones_notification_is_passed_on, 0, n);
  tcase_add_loop_test (deaths, it_is_not_passed_on_to_a_later_one, 0, n);
  tcase_add_loop_test (deaths, a_short_wait_gets_it_too, 0, n);
  tcase_add_loop_test (deaths, a_notifier_waits_for_nobody, 0, n);
  tcase_add_test (deaths, every_item_is_taken_whoever_is_killed);
  return suite;
}
