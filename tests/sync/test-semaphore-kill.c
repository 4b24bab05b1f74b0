/* SPDX-License-Identifier: MIT */
/* Semaphores: whose units come back when they die. */
#include "kill.h"
#include "semaphores.h"

#include "family/slotdata.h"

#define SOON MPROC_SECONDS (0.3)

START_TEST (a_dead_takers_unit_is_gone)
{
  MprocSemaphore *self = make (2, 2, MPROC_SEMAPHORE_DEFAULT);
  Remote taker;

  if (mproc_test_is_thread (_i))
    {
      mproc_semaphore_unref (self);
      return; /* a thread cannot be killed */
    }
  taker = remote_start (_i, self);
  remote_ask (&taker, "acquire", 0, "acquired");
  remote_kill (&taker);
  ck_assert (mproc_semaphore_acquire (self, 0));
  ck_assert (!mproc_semaphore_acquire (self, SOON));
  expect_value (self, 0);
  mproc_semaphore_unref (self);
}
END_TEST

START_TEST (a_dead_holders_units_come_back)
{
  MprocSemaphore *self = make (3, 3, MPROC_SEMAPHORE_RESTORE);
  Remote holder;

  if (mproc_test_is_thread (_i))
    {
      mproc_semaphore_unref (self);
      return; /* a thread cannot be killed */
    }
  holder = remote_start (_i, self);
  remote_ask (&holder, "acquire", 0, "acquired");
  remote_ask (&holder, "acquire", 0, "acquired");
  ck_assert (mproc_semaphore_acquire (self, 0));
  ck_assert (!mproc_semaphore_acquire (self, 0));
  remote_kill (&holder);
  ck_assert (mproc_semaphore_acquire (self, 0));
  ck_assert (mproc_semaphore_acquire (self, 0));
  ck_assert (!mproc_semaphore_acquire (self, 0));
  for (guint i = 0; i < 3; i++)
    ck_assert (mproc_semaphore_release (self, NULL));
  expect_over_release (self, "all of its 3 units");
  mproc_semaphore_unref (self);
}
END_TEST

/* From the kill to the answer of one who waited; nobody has joined the dead one yet. */
static gint64
measure_return (int i, gconstpointer data)
{
  MprocSemaphore *self = make (1, 1, MPROC_SEMAPHORE_RESTORE);
  Remote holder = remote_start (i, self);
  Remote waiter = remote_start (i, self);
  gint64 before;

  remote_ask (&holder, "acquire", 0, "acquired");
  remote_ask (&waiter, "acquire", 10000, "timed out");
  remote_tell (&waiter, "acquire", MPROC_FOREVER);
  before = g_get_monotonic_time ();
  remote_kill_only (&holder);
  remote_expect (&waiter, "acquired");
  before = g_get_monotonic_time () - before;
  remote_bury (&holder);
  remote_end (&waiter);
  mproc_semaphore_unref (self);
  return before;
}

START_TEST (they_come_back_soon)
{
  if (mproc_test_is_thread (_i))
    return; /* a thread cannot be killed */
  ck_assert_int_le (mproc_test_best (measure_return, _i, NULL, SOON), SOON);
}
END_TEST

/* As above, of one who only tries: his looks are all there are. */
static gint64
measure_tries (int i, gconstpointer data)
{
  MprocSemaphore *self = make (1, 1, MPROC_SEMAPHORE_RESTORE);
  Remote holder = remote_start (i, self);
  gint64 before, time;

  remote_ask (&holder, "acquire", 0, "acquired");
  ck_assert (!mproc_semaphore_acquire (self, 0));
  before = g_get_monotonic_time ();
  remote_kill_only (&holder);
  do
    time = g_get_monotonic_time () - before;
  while (!mproc_semaphore_acquire (self, 0) && time < MPROC_TEST_PATIENCE);
  remote_bury (&holder);
  mproc_semaphore_unref (self);
  return time;
}

START_TEST (a_try_is_enough)
{
  if (mproc_test_is_thread (_i))
    return; /* a thread cannot be killed */
  ck_assert_int_le (mproc_test_best (measure_tries, _i, NULL, SOON), SOON);
}
END_TEST

/* All who wait get one of those that come back. */
START_TEST (several_come_back_to_several)
{
  MprocSemaphore *self = make (3, 3, MPROC_SEMAPHORE_RESTORE);
  Remote waiters[3];
  Remote holder;

  if (mproc_test_is_thread (_i))
    {
      mproc_semaphore_unref (self);
      return; /* a thread cannot be killed */
    }
  holder = remote_start (_i, self);
  for (guint i = 0; i < 3; i++)
    {
      remote_ask (&holder, "acquire", 0, "acquired");
      waiters[i] = remote_start (_i, self);
    }
  for (guint i = 0; i < 3; i++)
    remote_tell (&waiters[i], "acquire", MPROC_FOREVER);
  remote_kill (&holder);
  for (guint i = 0; i < 3; i++)
    remote_expect (&waiters[i], "acquired");
  ck_assert (!mproc_semaphore_acquire (self, 0));
  for (guint i = 0; i < 3; i++)
    remote_end (&waiters[i]);
  for (guint i = 0; i < 3; i++)
    ck_assert (mproc_semaphore_acquire (self, MPROC_FOREVER));
  ck_assert (!mproc_semaphore_acquire (self, 0));
  mproc_semaphore_unref (self);
}
END_TEST

START_TEST (a_holder_that_returns_gives_them_back)
{
  MprocSemaphore *self = make (2, 2, MPROC_SEMAPHORE_RESTORE);
  Remote holder = remote_start (_i, self);
  Remote waiter = remote_start (_i, self);

  remote_ask (&holder, "acquire", 0, "acquired");
  remote_ask (&holder, "acquire", 0, "acquired");
  remote_tell (&waiter, "acquire", MPROC_FOREVER);
  remote_end (&holder);
  remote_expect (&waiter, "acquired");
  ck_assert (mproc_semaphore_acquire (self, 0));
  ck_assert (!mproc_semaphore_acquire (self, 0));
  remote_end (&waiter);
  ck_assert (mproc_semaphore_release (self, NULL));
  ck_assert (mproc_semaphore_acquire (self, 0));
  ck_assert (mproc_semaphore_acquire (self, 0));
  ck_assert (!mproc_semaphore_acquire (self, 0));
  mproc_semaphore_unref (self);
}
END_TEST

/* One takes it, another gives it back: the first one's end gives nothing. */
START_TEST (a_unit_comes_back_once)
{
  MprocSemaphore *self = make (1, 0, MPROC_SEMAPHORE_RESTORE);
  Remote taker = remote_start (_i, self);
  Remote giver = remote_start (_i, self);

  remote_ask (&taker, "acquire", 0, "acquired");
  remote_ask (&giver, "release", 0, "released");
  remote_end (&taker);
  remote_end (&giver);
  expect_value (self, 1);
  ck_assert (mproc_semaphore_acquire (self, 0));
  ck_assert (!mproc_semaphore_acquire (self, 0));
  ck_assert (!mproc_semaphore_acquire (self, MPROC_SECONDS (0.15)));
  mproc_semaphore_unref (self);
}
END_TEST

/* Units that were never taken belong to nobody, whoever added them. */
START_TEST (an_added_unit_stays)
{
  MprocSemaphore *self = make (0, 0, MPROC_SEMAPHORE_RESTORE);
  Remote giver = remote_start (_i, self);

  for (guint i = 0; i < 3; i++)
    remote_ask (&giver, "release", 0, "released");
  remote_end (&giver);
  expect_value (self, 3);
  for (guint i = 0; i < 3; i++)
    ck_assert (mproc_semaphore_acquire (self, 0));
  ck_assert (!mproc_semaphore_acquire (self, 0));
  mproc_semaphore_unref (self);
}
END_TEST

/* Whoever comes into a dead holder's slot does not come into its units, and does not keep them
 * from coming back, whether it uses the semaphore or not. */
START_TEST (a_holders_slot_may_be_reused)
{
  MprocSemaphore *self = make (4, 4, MPROC_SEMAPHORE_RESTORE);

  for (guint round = 0; round < 60; round++)
    {
      Remote holder = remote_start (_i, self);

      for (guint k = 0; k < 4; k++)
        remote_ask (&holder, "acquire", MPROC_FOREVER, "acquired");
      remote_ask (&holder, "acquire", 0, "timed out");
      if (round % 3 == 0)
        remote_ask (&holder, "release", 0, "released");
      remote_end (&holder);
    }
  for (guint k = 0; k < 4; k++)
    ck_assert (mproc_semaphore_acquire (self, 0));
  ck_assert (!mproc_semaphore_acquire (self, 0));
  mproc_semaphore_unref (self);
}
END_TEST

/* A target: tells which slot it has, and takes all but one unit. */
static GVariant *
take_three (GVariant *args, GError **error)
{
  MprocSemaphore *self;
  MprocQueue *queue;

  if (!mproc_unpack (args, error, "(&h&h)", &self, &queue))
    return NULL;
  for (guint i = 0; i < 3; i++)
    mproc_semaphore_acquire (self, 0);
  mproc_test_tell (queue, (gint) MPROC_MEMBER_SLOT (mproc_self ()));
  return NULL;
}

/* A target: the number of units that it could take, if it has that slot; else -1. */
static GVariant *
take_all_in_slot (GVariant *args, GError **error)
{
  MprocSemaphore *self;
  MprocQueue *queue;
  gint32 slot;
  gint n = -1;

  if (!mproc_unpack (args, error, "(&h&hi)", &self, &queue, &slot))
    return NULL;
  if ((gint32) MPROC_MEMBER_SLOT (mproc_self ()) == slot)
    for (n = 0; n < 5 && mproc_semaphore_acquire (self, 0); n++)
      ;
  mproc_test_tell (queue, n);
  return NULL;
}

/* The first to use the semaphore after a holder's end has its slot. */
START_TEST (an_heir_gives_back_what_was_taken)
{
  MprocSemaphore *self = make (4, 4, MPROC_SEMAPHORE_RESTORE);
  MprocQueue *queue = mproc_queue_new (0, NULL);
  gint slot, n = -1;

  mproc_test_end_with (mproc_test_start (_i, take_three,
                                         mproc_pack ("(hh)", self, queue)),
                       0);
  slot = mproc_test_hear (queue, 0);
  /* They go round. */
  for (guint i = 0; i < 2 * mproc_slot_count () && n < 0; i++)
    {
      mproc_test_end_with (mproc_test_start (_i, take_all_in_slot,
                                             mproc_pack ("(hhi)", self, queue, slot)),
                           0);
      n = mproc_test_hear (queue, 0);
    }
  ck_assert_int_eq (n, 4);
  mproc_queue_unref (queue);
  mproc_semaphore_unref (self);
}
END_TEST

START_TEST (a_stopped_holder_is_not_dead)
{
  MprocSemaphore *self = make (1, 1, MPROC_SEMAPHORE_RESTORE);
  gint64 pid;
  Remote holder;

  if (mproc_test_is_thread (_i))
    {
      mproc_semaphore_unref (self);
      return; /* it is this process, which would stop */
    }
  holder = remote_start (_i, self);
  pid = mproc_process_get_pid (holder.process);
  remote_ask (&holder, "acquire", 0, "acquired");
  ck_assert (mproc_test_stop_pid (pid, TRUE));
  /* Several of the looks that find out a dead one. */
  ck_assert (!mproc_semaphore_acquire (self, 0));
  ck_assert (!mproc_semaphore_acquire (self, MPROC_SECONDS (0.4)));
  ck_assert (mproc_test_stop_pid (pid, FALSE));
  remote_ask (&holder, "release", 0, "released");
  ck_assert (mproc_semaphore_acquire (self, 0));
  remote_end (&holder);
  mproc_semaphore_unref (self);
}
END_TEST

START_TEST (waiters_may_die)
{
  if (mproc_test_is_thread (_i))
    return; /* a thread cannot be killed */
  FOR_EACH_FLAG (flag)
  {
    MprocSemaphore *self = make (0, 0, both[flag]);
    Remote dying = remote_start (_i, self);
    Remote waiter = remote_start (_i, self);

    remote_tell (&dying, "acquire", MPROC_FOREVER);
    remote_tell (&waiter, "acquire", MPROC_FOREVER);
    remote_kill (&dying);
    ck_assert (mproc_semaphore_release (self, NULL));
    remote_expect (&waiter, "acquired");
    remote_end (&waiter);
    mproc_semaphore_unref (self);
  }
}
END_TEST

Suite *
mproc_test_semaphore_kill_suite (void)
{
  Suite *suite = suite_create ("semaphore-kill");
  TCase *tcase = mproc_test_case (suite, "death");
  int n = (int) mproc_test_n_methods ();

  tcase_add_loop_test (tcase, a_dead_takers_unit_is_gone, 0, n);
  tcase_add_loop_test (tcase, a_dead_holders_units_come_back, 0, n);
  tcase_add_loop_test (tcase, they_come_back_soon, 0, n);
  tcase_add_loop_test (tcase, a_try_is_enough, 0, n);
  tcase_add_loop_test (tcase, an_heir_gives_back_what_was_taken, 0, n);
  tcase_add_loop_test (tcase, several_come_back_to_several, 0, n);
  tcase_add_loop_test (tcase, a_holder_that_returns_gives_them_back, 0, n);
  tcase_add_loop_test (tcase, a_unit_comes_back_once, 0, n);
  tcase_add_loop_test (tcase, an_added_unit_stays, 0, n);
  tcase_add_loop_test (tcase, a_holders_slot_may_be_reused, 0, n);
  tcase_add_loop_test (tcase, a_stopped_holder_is_not_dead, 0, n);
  tcase_add_loop_test (tcase, waiters_may_die, 0, n);
  return suite;
}
