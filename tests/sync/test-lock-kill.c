/* SPDX-License-Identifier: MIT */
/* Lock and RLock: what becomes of those whose owner dies. */
#include "kill.h"
#include "locks.h"

#define SOON MPROC_SECONDS (0.3)

START_TEST (a_dead_owner_is_told_of_once)
{
  if (mproc_test_is_thread (_i))
    return; /* a thread cannot be killed */
  FOR_EACH_KIND (kind)
  {
    gpointer lock = make (kind);
    Remote owner = remote_start (_i, lock);

    remote_ask (&owner, "acquire", 0, "acquired");
    local_ask (lock, "acquire", 0, "timed out");
    remote_kill (&owner);
    local_ask (lock, "is-locked", 0, "yes");
    local_ask (lock, "acquire", kind == 0 ? 0 : MPROC_FOREVER, "recovered");
    local_ask (lock, "release", 0, "released");
    local_ask (lock, "acquire", MPROC_FOREVER, "acquired");
    local_ask (lock, "release", 0, "released");
    drop (kind, lock);
  }
}
END_TEST

/* It is taken over with one acquisition, however often the dead one had acquired it. */
START_TEST (a_dead_owners_recursions_are_gone)
{
  MprocRLock *lock = make (1);
  Remote owner;

  if (mproc_test_is_thread (_i))
    {
      mproc_rlock_unref (lock);
      return; /* a thread cannot be killed */
    }
  owner = remote_start (_i, lock);
  for (guint i = 0; i < 5; i++)
    remote_ask (&owner, "acquire", 0, "acquired");
  remote_kill (&owner);
  local_ask (lock, "is-mine", 0, "no");
  local_ask (lock, "release", 0, "not owner");
  local_ask (lock, "acquire", 0, "recovered");
  local_ask (lock, "acquire", 0, "acquired");
  local_ask (lock, "release", 0, "released");
  local_ask (lock, "release", 0, "released");
  local_ask (lock, "is-locked", 0, "no");
  mproc_rlock_unref (lock);
}
END_TEST

/* From the kill to the answer of one who waited; nobody has joined the dead one yet. */
static gint64
measure_recovery (int i, gconstpointer data)
{
  guint kind = GPOINTER_TO_UINT (data);
  gpointer lock = make (kind);
  Remote owner = remote_start (i, lock);
  Remote waiter = remote_start (i, lock);
  gint64 before;

  remote_ask (&owner, "acquire", 0, "acquired");
  remote_ask (&waiter, "acquire", 10000, "timed out");
  remote_tell (&waiter, "acquire", MPROC_FOREVER);
  before = g_get_monotonic_time ();
  remote_kill_only (&owner);
  remote_expect (&waiter, "recovered");
  before = g_get_monotonic_time () - before;
  remote_bury (&owner);
  remote_ask (&waiter, "release", 0, "released");
  remote_end (&waiter);
  drop (kind, lock);
  return before;
}

START_TEST (a_dead_owner_is_noticed_soon)
{
  if (mproc_test_is_thread (_i))
    return; /* a thread cannot be killed */
  FOR_EACH_KIND (kind)
  ck_assert_int_le (mproc_test_best (measure_recovery, _i, GUINT_TO_POINTER (kind), SOON),
                    SOON);
}
END_TEST

/* One of them is told, the others acquire it as ever. */
START_TEST (one_of_several_waiters_is_told)
{
  if (mproc_test_is_thread (_i))
    return; /* a thread cannot be killed */
  FOR_EACH_KIND (kind)
  {
    gpointer lock = make (kind);
    Remote owner = remote_start (_i, lock);
    Remote waiters[3];
    guint n_recovered = 0;

    remote_ask (&owner, "acquire", 0, "acquired");
    for (guint i = 0; i < 3; i++)
      {
        waiters[i] = remote_start (_i, lock);
        remote_tell (&waiters[i], "acquire", MPROC_FOREVER);
        remote_tell (&waiters[i], "release", 0);
      }
    remote_kill (&owner);
    for (guint i = 0; i < 3; i++)
      {
        GVariant *answer = mproc_queue_get (waiters[i].answers, MPROC_SECONDS (30), NULL);

        ck_assert_ptr_nonnull (answer);
        if (g_str_equal (g_variant_get_string (answer, NULL), "recovered"))
          n_recovered++;
        else
          ck_assert_str_eq (g_variant_get_string (answer, NULL), "acquired");
        g_variant_unref (answer);
        remote_expect (&waiters[i], "released");
        remote_end (&waiters[i]);
      }
    ck_assert_uint_eq (n_recovered, 1);
    drop (kind, lock);
  }
}
END_TEST

START_TEST (a_dead_taker_passes_it_on)
{
  if (mproc_test_is_thread (_i))
    return; /* a thread cannot be killed */
  FOR_EACH_KIND (kind)
  {
    gpointer lock = make (kind);
    Remote owner = remote_start (_i, lock);

    remote_ask (&owner, "acquire", 0, "acquired");
    for (guint i = 0; i < 3; i++)
      {
        Remote taker = remote_start (_i, lock);

        remote_tell (&taker, "acquire", MPROC_FOREVER);
        remote_kill (&owner);
        remote_expect (&taker, "recovered");
        owner = taker;
      }
    remote_kill (&owner);
    local_ask (lock, "acquire", MPROC_FOREVER, "recovered");
    local_ask (lock, "release", 0, "released");
    local_ask (lock, "acquire", 0, "acquired");
    drop (kind, lock);
  }
}
END_TEST

/* A process, or a thread that is one of its own. */
START_TEST (an_owner_that_returns_is_told_of_as_well)
{
  FOR_EACH_KIND (kind)
  {
    gpointer lock = make (kind);
    Remote owner = remote_start (_i, lock);
    Remote waiter = remote_start (_i, lock);

    remote_ask (&owner, "acquire", 0, "acquired");
    remote_tell (&waiter, "acquire", MPROC_FOREVER);
    remote_end (&owner);
    remote_expect (&waiter, "recovered");
    remote_ask (&waiter, "release", 0, "released");
    remote_ask (&waiter, "acquire", 0, "acquired");
    remote_end (&waiter);
    local_ask (lock, "acquire", 0, "recovered");
    local_ask (lock, "release", 0, "released");
    drop (kind, lock);
  }
}
END_TEST

/* The successors in its slot keep nobody from it. */
START_TEST (an_owners_slot_may_be_reused)
{
  MprocLock *lock = make (0);
  Remote owner = remote_start (_i, lock);

  remote_ask (&owner, "acquire", 0, "acquired");
  remote_end (&owner);
  for (guint i = 0; i < 40; i++)
    mproc_test_end_with (mproc_test_start (_i, NULL, NULL), 0);
  local_ask (lock, "acquire", 0, "recovered");
  mproc_lock_unref (lock);
}
END_TEST

START_TEST (waiters_may_die)
{
  if (mproc_test_is_thread (_i))
    return; /* a thread cannot be killed */
  FOR_EACH_KIND (kind)
  {
    gpointer lock = make (kind);
    Remote dying = remote_start (_i, lock);
    Remote waiter = remote_start (_i, lock);

    local_ask (lock, "acquire", 0, "acquired");
    remote_tell (&dying, "acquire", MPROC_FOREVER);
    remote_tell (&waiter, "acquire", MPROC_FOREVER);
    remote_kill (&dying);
    local_ask (lock, "release", 0, "released");
    remote_expect (&waiter, "acquired");
    remote_ask (&waiter, "release", 0, "released");
    remote_end (&waiter);
    drop (kind, lock);
  }
}
END_TEST

START_TEST (a_stopped_owner_is_not_dead)
{
  MprocLock *lock = make (0);
  gint64 pid;
  Remote owner;

  if (mproc_test_is_thread (_i))
    {
      mproc_lock_unref (lock);
      return; /* it is this process, which would stop */
    }
  owner = remote_start (_i, lock);
  pid = mproc_process_get_pid (owner.process);
  remote_ask (&owner, "acquire", 0, "acquired");
  ck_assert (mproc_test_stop_pid (pid, TRUE));
  /* Several of the looks that find out a dead one. */
  local_ask (lock, "acquire", 0, "timed out");
  local_ask (lock, "acquire", MPROC_SECONDS (0.4), "timed out");
  ck_assert (mproc_test_stop_pid (pid, FALSE));
  remote_ask (&owner, "release", 0, "released");
  local_ask (lock, "acquire", 0, "acquired");
  remote_end (&owner);
  mproc_lock_unref (lock);
}
END_TEST

Suite *
mproc_test_lock_kill_suite (void)
{
  Suite *suite = suite_create ("lock-kill");
  TCase *tcase = mproc_test_case (suite, "death");
  int n = (int) mproc_test_n_methods ();

  tcase_add_loop_test (tcase, a_dead_owner_is_told_of_once, 0, n);
  tcase_add_loop_test (tcase, a_dead_owners_recursions_are_gone, 0, n);
  tcase_add_loop_test (tcase, a_dead_owner_is_noticed_soon, 0, n);
  tcase_add_loop_test (tcase, one_of_several_waiters_is_told, 0, n);
  tcase_add_loop_test (tcase, a_dead_taker_passes_it_on, 0, n);
  tcase_add_loop_test (tcase, an_owner_that_returns_is_told_of_as_well, 0, n);
  tcase_add_loop_test (tcase, an_owners_slot_may_be_reused, 0, n);
  tcase_add_loop_test (tcase, waiters_may_die, 0, n);
  tcase_add_loop_test (tcase, a_stopped_owner_is_not_dead, 0, n);
  return suite;
}
