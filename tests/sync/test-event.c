/* SPDX-License-Identifier: MIT */
/* Events: who waits, who is woken, also by a set that is taken back at once. */
#include "atomic.h"
#include "kill.h"
#include "remote.h"

#define N_WAITERS 4

static MprocEvent *
make (void)
{
  GError *error = NULL;
  MprocEvent *self = mproc_event_new (&error);

  ck_assert_msg (self != NULL, "%s", error != NULL ? error->message : "no error");
  return self;
}

/* ------------------------------------------------------------------ one process */

START_TEST (is_set_and_cleared)
{
  MprocEvent *self = make ();

  for (guint i = 0; i < 3; i++)
    {
      ck_assert (!mproc_event_is_set (self));
      ck_assert (!mproc_event_wait (self, 0));
      mproc_event_clear (self);
      ck_assert (!mproc_event_is_set (self));
      mproc_event_set (self);
      ck_assert (mproc_event_is_set (self));
      ck_assert (mproc_event_wait (self, 0));
      ck_assert (mproc_event_wait (self, 1000));
      ck_assert (mproc_event_wait (self, MPROC_FOREVER));
      mproc_event_set (self);
      ck_assert (mproc_event_is_set (self));
      mproc_event_clear (self);
    }
  mproc_event_unref (self);
}
END_TEST

START_TEST (a_wait_ends_in_time)
{
  MprocEvent *self = make ();
  gint64 before = g_get_monotonic_time ();

  ck_assert (!mproc_event_wait (self, 30000));
  ck_assert_int_ge (g_get_monotonic_time () - before, 30000);
  /* What was before the call is no news. */
  mproc_event_set (self);
  mproc_event_clear (self);
  ck_assert (!mproc_event_wait (self, 30000));
  ck_assert (!mproc_event_is_set (self));
  mproc_event_unref (self);
}
END_TEST

START_TEST (misuse_is_noticed)
{
  MprocEvent *self = make ();
  MprocLock *lock = mproc_lock_new (NULL);

  mproc_test_count_criticals ();
  mproc_event_set (NULL);
  mproc_event_clear ((MprocEvent *) lock);
  ck_assert (!mproc_event_is_set (NULL));
  ck_assert (!mproc_event_wait ((MprocEvent *) lock, 0));
  ck_assert (!mproc_event_wait (self, -2));
  ck_assert_ptr_null (mproc_event_ref (NULL));
  mproc_event_unref ((MprocEvent *) lock);
  ck_assert_uint_eq (mproc_test_count_criticals (), 7);
  mproc_event_unref (NULL);
  ck_assert_uint_eq (mproc_test_count_criticals (), 0);
  ck_assert (!mproc_lock_is_locked (lock));
  mproc_event_unref (self);
  mproc_lock_unref (lock);
}
END_TEST

/* ------------------------------------------------------------------ several */

START_TEST (processes_see_each_others_events)
{
  MprocEvent *self = make ();
  Remote other = remote_start (_i, self);

  remote_ask (&other, "is-set", 0, "no");
  remote_ask (&other, "wait", 0, "timed out");
  remote_ask (&other, "wait", 10000, "timed out");
  mproc_event_set (self);
  remote_ask (&other, "is-set", 0, "yes");
  remote_ask (&other, "wait", 0, "set");
  remote_ask (&other, "wait", MPROC_FOREVER, "set");
  remote_ask (&other, "clear", 0, "done");
  ck_assert (!mproc_event_is_set (self));
  remote_tell (&other, "set", 0);
  ck_assert (mproc_event_wait (self, MPROC_FOREVER));
  remote_expect (&other, "done");
  remote_end (&other);
  ck_assert (mproc_event_is_set (self));
  mproc_event_unref (self);
}
END_TEST

static void
start_waiters (int i, MprocEvent *self, Remote *waiters, guint n)
{
  for (guint k = 0; k < n; k++)
    {
      waiters[k] = remote_start (i, self);
      remote_tell (&waiters[k], "is-set", 0);
      remote_tell (&waiters[k], "wait", MPROC_FOREVER);
    }
  for (guint k = 0; k < n; k++)
    remote_expect (&waiters[k], "no");
}

static gpointer
wait_in_thread (gpointer data)
{
  return GINT_TO_POINTER (mproc_event_wait (data, MPROC_FOREVER));
}

START_TEST (all_who_wait_are_woken)
{
  MprocEvent *self = make ();
  Remote waiters[N_WAITERS];
  GThread *threads[2];

  start_waiters (_i, self, waiters, N_WAITERS);
  for (guint k = 0; k < 2; k++)
    threads[k] = g_thread_new ("wait", wait_in_thread, self);
  for (guint k = 0; k < N_WAITERS; k++)
    ck_assert (!remote_has_answered (&waiters[k]));
  mproc_event_set (self);
  for (guint k = 0; k < N_WAITERS; k++)
    {
      remote_expect (&waiters[k], "set");
      remote_end (&waiters[k]);
    }
  for (guint k = 0; k < 2; k++)
    ck_assert (g_thread_join (threads[k]) != NULL);
  mproc_event_unref (self);
}
END_TEST

/* ------------------------------------------------------------------ pulses */

static gboolean
have_all_answered (gpointer data)
{
  Remote *waiters = data;

  for (guint k = 0; k < N_WAITERS; k++)
    if (!remote_has_answered (&waiters[k]))
      return FALSE;
  return TRUE;
}

static void
stop (Remote *waiters, gboolean on)
{
  for (guint k = 0; k < N_WAITERS; k++)
    ck_assert (mproc_test_stop_pid (mproc_process_get_pid (waiters[k].process), on));
}

/* TRUE if one pulse, given @pause after all have said that they are about to wait, has
 * woken all of them; else more of them follow, for those who were not waiting yet.  Who is
 * stopped meanwhile cannot see anything of it but that it has been. */
static gboolean
pulse (Remote *waiters, MprocEvent *self, gulong pause, gboolean stopped)
{
  gboolean all;

  for (guint k = 0; k < N_WAITERS; k++)
    {
      remote_tell (&waiters[k], "is-set", 0);
      remote_tell (&waiters[k], "wait", MPROC_FOREVER);
    }
  for (guint k = 0; k < N_WAITERS; k++)
    remote_expect (&waiters[k], "no");
  g_usleep (pause);
  if (stopped)
    stop (waiters, TRUE);
  mproc_event_set (self);
  mproc_event_clear (self);
  if (stopped)
    stop (waiters, FALSE);
  all = mproc_test_eventually (have_all_answered, waiters);
  while (!all && !have_all_answered (waiters))
    {
      mproc_event_set (self);
      mproc_event_clear (self);
      g_thread_yield ();
    }
  for (guint k = 0; k < N_WAITERS; k++)
    remote_expect (&waiters[k], "set");
  return all;
}

/* Nothing says when a process is inside the call: who was too slow in one round has more
 * time in the next. */
static void
expect_pulses (int i, gboolean stopped)
{
  MprocEvent *self = make ();
  Remote waiters[N_WAITERS];
  guint n_whole = 0;
  gulong pause = 1000;

  for (guint k = 0; k < N_WAITERS; k++)
    waiters[k] = remote_start (i, self);
  for (guint round = 0; round < 8 && n_whole < 3; round++)
    if (pulse (waiters, self, pause, stopped))
      n_whole++;
    else
      pause *= 2;
  ck_assert_uint_eq (n_whole, 3);
  ck_assert (!mproc_event_is_set (self));
  for (guint k = 0; k < N_WAITERS; k++)
    remote_end (&waiters[k]);
  mproc_event_unref (self);
}

START_TEST (a_pulse_wakes_all) { expect_pulses (_i, FALSE); }
END_TEST

START_TEST (a_pulse_is_not_missed)
{
  if (mproc_test_is_thread (_i))
    return; /* it is this process, which would stop */
  expect_pulses (_i, TRUE);
}
END_TEST

/* Says by a semaphore that it will wait again. */
static GVariant *
wait_often (GVariant *args, GError **error)
{
  MprocEvent *event;
  MprocSemaphore *ready;
  gint32 n;

  if (!mproc_unpack (args, error, "(&h&hi)", &event, &ready, &n))
    return NULL;
  for (gint32 i = 0; i < n; i++)
    {
      if (!mproc_semaphore_release (ready, error))
        return NULL;
      mproc_event_wait (event, MPROC_FOREVER);
    }
  return NULL;
}

/* Set, cleared, and set again as fast as they come: nobody sleeps on. */
START_TEST (many_pulses)
{
  gint n = mproc_test_is_slow_platform () ? 50 : 500;
  MprocEvent *self = make ();
  MprocSemaphore *ready = mproc_semaphore_new (0, 0, MPROC_SEMAPHORE_DEFAULT, NULL);
  MprocProcess *waiters[N_WAITERS];
  gint asked = 0;

  for (guint k = 0; k < N_WAITERS; k++)
    waiters[k] = mproc_test_start (_i, wait_often, mproc_pack ("(hhi)", self, ready, n));
  while (asked < N_WAITERS * n)
    {
      if (mproc_semaphore_acquire (ready, 0))
        asked++;
      mproc_event_set (self);
      if (asked < N_WAITERS * n)
        mproc_event_clear (self);
    }
  for (guint k = 0; k < N_WAITERS; k++)
    mproc_test_end_with (waiters[k], 0);
  ck_assert_int_eq (mproc_semaphore_get_value (ready), 0);
  mproc_semaphore_unref (ready);
  mproc_event_unref (self);
}
END_TEST

/* ------------------------------------------------------------------ death */

START_TEST (waiters_may_die)
{
  MprocEvent *self = make ();
  Remote waiters[N_WAITERS];

  if (mproc_test_is_thread (_i))
    {
      mproc_event_unref (self);
      return; /* a thread cannot be killed */
    }
  start_waiters (_i, self, waiters, N_WAITERS);
  for (guint k = 0; k < N_WAITERS; k += 2)
    remote_kill (&waiters[k]);
  mproc_event_set (self);
  for (guint k = 1; k < N_WAITERS; k += 2)
    {
      remote_expect (&waiters[k], "set");
      remote_end (&waiters[k]);
    }
  mproc_event_unref (self);
}
END_TEST

START_TEST (what_the_dead_have_set_is_set)
{
  MprocEvent *self = make ();
  Remote setter;

  if (mproc_test_is_thread (_i))
    {
      mproc_event_unref (self);
      return; /* a thread cannot be killed */
    }
  setter = remote_start (_i, self);
  remote_ask (&setter, "set", 0, "done");
  remote_kill (&setter);
  ck_assert (mproc_event_wait (self, 0));
  mproc_event_clear (self);
  ck_assert (!mproc_event_wait (self, 0));
  mproc_event_unref (self);
}
END_TEST

/* One thread does some work and sets the event, which may be set still; the other clears it, then
 * looks for work, then waits.  It must see one of the two. */
typedef struct
{
  MprocEvent *event;
  _Alignas(128) MprocAtomic32 work;  /* in lines of their own, as work mostly is */
  _Alignas(128) MprocAtomic32 round; /* the worker may begin */
  _Alignas(128) MprocAtomic32 ended; /* it has */
} Race;

#define N_RACES 50000
#define NO_MORE G_MAXUINT32

static gpointer
work_and_set (gpointer data)
{
  Race *race = data;

  for (guint32 i = 1;; i++)
    {
      guint32 round;

      while ((round = mproc_load32 (&race->round)) != i)
        if (round == NO_MORE)
          return NULL;
      for (volatile guint32 pause = 0; pause < i * 7 % 40; pause++)
        ;
      atomic_store_explicit (&race->work, 1, memory_order_relaxed);
      mproc_event_set (race->event);
      mproc_store32 (&race->ended, i);
    }
}

static gboolean
misses_work (Race *race, guint32 i)
{
  guint32 found;

  mproc_event_set (race->event);
  mproc_store32 (&race->work, 0);
  mproc_store32 (&race->round, i);
  for (volatile guint32 pause = 0; pause < i % 64; pause++)
    ;
  mproc_event_clear (race->event);
  found = atomic_load_explicit (&race->work, memory_order_relaxed);
  while (mproc_load32 (&race->ended) != i)
    ;
  return !found && !mproc_event_wait (race->event, 0);
}

START_TEST (what_is_done_before_a_set_is_seen)
{
  Race race = { mproc_event_new (NULL), 0, 0, 0 };
  GThread *thread = g_thread_new ("worker", work_and_set, &race);
  gint64 end = g_get_monotonic_time () + MPROC_SECONDS (1);
  guint n_missed = 0;

  /* Many on two processors, few where the threads have to share one. */
  for (guint32 i = 1; i <= N_RACES && g_get_monotonic_time () < end; i++)
    n_missed += misses_work (&race, i);
  mproc_store32 (&race.round, NO_MORE);
  g_thread_join (thread);
  ck_assert_uint_eq (n_missed, 0);
  mproc_event_unref (race.event);
}
END_TEST

Suite *
mproc_test_event_suite (void)
{
  Suite *suite = suite_create ("event");
  TCase *tcase = mproc_test_case (suite, "event");
  int n = (int) mproc_test_n_methods ();

  tcase_add_test (tcase, is_set_and_cleared);
  tcase_add_test (tcase, a_wait_ends_in_time);
  tcase_add_test (tcase, misuse_is_noticed);
  tcase_add_loop_test (tcase, processes_see_each_others_events, 0, n);
  tcase_add_loop_test (tcase, all_who_wait_are_woken, 0, n);
  tcase_add_test (tcase, what_is_done_before_a_set_is_seen);
  tcase_add_loop_test (tcase, a_pulse_wakes_all, 0, n);
  tcase_add_loop_test (tcase, a_pulse_is_not_missed, 0, n);
  tcase_add_loop_test (tcase, many_pulses, 0, n);
  tcase_add_loop_test (tcase, waiters_may_die, 0, n);
  tcase_add_loop_test (tcase, what_the_dead_have_set_is_set, 0, n);
  return suite;
}
