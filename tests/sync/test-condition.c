/* SPDX-License-Identifier: MIT */
/* Conditions, under every start method. */
#include "conditions.h"

/* ------------------------------------------------------------------ the lock */

START_TEST (has_a_recursive_lock_of_its_own)
{
  MprocCondition *conditions[2] = { mproc_condition_new (NULL, NULL),
                                    mproc_condition_new (MPROC_OWN_LOCK, NULL) };
  GError *error = NULL;

  for (guint i = 0; i < 2; i++)
    {
      MprocRLock *lock = mproc_condition_get_lock (conditions[i]);

      ck_assert_ptr_nonnull (lock);
      acquire (conditions[i]);
      acquire (conditions[i]);
      ck_assert (mproc_rlock_is_mine (lock));
      release (conditions[i]);
      ck_assert (mproc_rlock_is_mine (lock));
      release (conditions[i]);
      ck_assert (!mproc_rlock_is_locked (lock));
      ck_assert (!mproc_condition_release (conditions[i], &error));
      mproc_test_expect_error (&error, MPROC_ERROR_NOT_OWNER, "not held");
    }
  ck_assert_ptr_ne (mproc_condition_get_lock (conditions[0]),
                    mproc_condition_get_lock (conditions[1]));
  mproc_condition_unref (mproc_condition_ref (conditions[0]));
  mproc_condition_unref (conditions[0]);
  mproc_condition_unref (conditions[1]);
  mproc_condition_unref (NULL);
}
END_TEST

START_TEST (takes_a_given_lock)
{
  MprocLock *lock = mproc_lock_new (NULL);
  Fixture self = set_up (lock);
  MprocProcess *waiter;

  ck_assert_ptr_eq (mproc_condition_get_lock (self.condition), lock);
  waiter = start_waiter (_i, &self, 1);
  ck_assert_int_eq (mproc_lock_acquire (lock, MPROC_FOREVER), MPROC_LOCK_STATUS_ACQUIRED);
  ck_assert (mproc_condition_notify (self.condition, 1, NULL));
  mproc_store32 (&self.shared->stage, 1);
  ck_assert (mproc_lock_release (lock, NULL));
  mproc_test_expect_number (self.queue, 101);
  mproc_test_end_with (waiter, 0);
  tear_down (&self);
  ck_assert (!mproc_lock_is_locked (lock));
  mproc_lock_unref (lock);
}
END_TEST

/* Two conditions, one lock: each has its own waiters, and the lock lives as long as the last of
 * them. */
START_TEST (shares_a_lock_with_another_one)
{
  MprocRLock *lock = mproc_rlock_new (NULL);
  Fixture a = set_up (lock);
  Fixture b = set_up (lock);
  MprocProcess *at_a = start_waiter (_i, &a, 1);
  MprocProcess *at_b = start_waiter (_i, &b, 2);

  mproc_rlock_unref (lock);
  notify (b.condition, 5);
  mproc_test_expect_number (b.queue, 2);
  ck_assert_int_eq (mproc_test_hear (a.queue, 20000), MPROC_TEST_SILENCE);
  mproc_test_end_with (at_b, 0);
  tear_down (&b);
  notify (a.condition, 5);
  mproc_test_expect_number (a.queue, 1);
  mproc_test_end_with (at_a, 0);
  tear_down (&a);
}
END_TEST

static GVariant *
notify_one (GVariant *args, GError **error)
{
  Fixture self;
  gint number;

  if (!unpack (args, &self, &number, error))
    return NULL;
  mproc_condition_acquire (self.condition, MPROC_FOREVER);
  mproc_condition_notify (self.condition, 1, error);
  mproc_condition_release (self.condition, NULL);
  return NULL;
}

START_TEST (a_wait_releases_all_recursions)
{
  Fixture self = set_up (NULL);
  MprocRLock *lock = mproc_condition_get_lock (self.condition);
  MprocProcess *notifier;

  for (guint i = 0; i < 3; i++)
    acquire (self.condition);
  notifier = start (_i, &self, notify_one, 0);
  ck_assert_int_eq (mproc_condition_wait (self.condition, MPROC_SECONDS (30), NULL),
                    MPROC_LOCK_STATUS_ACQUIRED);
  for (guint i = 0; i < 3; i++)
    {
      ck_assert (mproc_rlock_is_mine (lock));
      release (self.condition);
    }
  ck_assert (!mproc_rlock_is_mine (lock));
  mproc_test_end_with (notifier, 0);
  tear_down (&self);
}
END_TEST

/* ------------------------------------------------------------------ who is notified */

START_TEST (notifies_exactly_as_many_in_order)
{
  Fixture self = set_up (NULL);
  MprocProcess *waiters[6];

  for (gint i = 0; i < 6; i++)
    waiters[i] = start_waiter (_i, &self, i);
  mproc_store32 (&self.shared->stage, 1);
  notify (self.condition, 0);
  ck_assert_int_eq (mproc_test_hear (self.queue, 20000), MPROC_TEST_SILENCE);
  notify (self.condition, 1);
  mproc_test_expect_number (self.queue, 100);
  ck_assert_int_eq (mproc_test_hear (self.queue, 50000), MPROC_TEST_SILENCE);
  mproc_store32 (&self.shared->stage, 2);
  notify (self.condition, 2);
  expect_two (self.queue, 201, 202);
  ck_assert_int_eq (mproc_test_hear (self.queue, 50000), MPROC_TEST_SILENCE);
  mproc_store32 (&self.shared->stage, 3);
  notify (self.condition, 1);
  mproc_test_expect_number (self.queue, 303);
  mproc_store32 (&self.shared->stage, 4);
  acquire (self.condition);
  ck_assert (mproc_condition_notify_all (self.condition, NULL));
  release (self.condition);
  expect_two (self.queue, 404, 405);
  for (gint i = 0; i < 6; i++)
    mproc_test_end_with (waiters[i], 0);
  tear_down (&self);
}
END_TEST

START_TEST (a_notification_for_nobody_is_not_remembered)
{
  MprocCondition *condition = mproc_condition_new (NULL, NULL);

  acquire (condition);
  ck_assert (mproc_condition_notify (condition, 3, NULL));
  ck_assert (mproc_condition_notify_all (condition, NULL));
  ck_assert_int_eq (mproc_condition_wait (condition, 20000, NULL),
                    MPROC_LOCK_STATUS_TIMED_OUT);
  release (condition);
  mproc_condition_unref (condition);
}
END_TEST

START_TEST (a_wait_ends_in_time_with_the_lock_held)
{
  static const gint64 timeouts[] = { 0, 30000, 130000 };
  MprocLock *lock = mproc_lock_new (NULL);
  MprocCondition *conditions[2] = { mproc_condition_new (NULL, NULL),
                                    mproc_condition_new (lock, NULL) };
  GError *error = NULL;

  for (guint i = 0; i < 2 * G_N_ELEMENTS (timeouts); i++)
    {
      MprocCondition *condition = conditions[i % 2];
      gint64 before = g_get_monotonic_time ();

      acquire (condition);
      ck_assert_int_eq (mproc_condition_wait (condition, timeouts[i / 2], &error),
                        MPROC_LOCK_STATUS_TIMED_OUT);
      mproc_test_expect_error (&error, MPROC_ERROR_TIMED_OUT, "not notified in time");
      ck_assert_int_ge (g_get_monotonic_time () - before, timeouts[i / 2]);
      ck_assert (mproc_condition_notify (condition, 1, NULL));
      release (condition);
    }
  mproc_condition_unref (conditions[0]);
  mproc_condition_unref (conditions[1]);
  mproc_lock_unref (lock);
}
END_TEST

static void
expect_not_owner (MprocCondition *condition)
{
  gint never = 0;
  GError *error = NULL;

  ck_assert_int_eq (mproc_condition_wait (condition, MPROC_FOREVER, &error),
                    MPROC_LOCK_STATUS_TIMED_OUT);
  mproc_test_expect_error (&error, MPROC_ERROR_NOT_OWNER, "to wait");
  ck_assert_int_eq (mproc_condition_wait_for (condition, is_positive, &never,
                                              MPROC_FOREVER, &error),
                    MPROC_LOCK_STATUS_TIMED_OUT);
  mproc_test_expect_error (&error, MPROC_ERROR_NOT_OWNER, "to wait");
  ck_assert_int_eq (never, 0);
  ck_assert (!mproc_condition_notify (condition, 1, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_NOT_OWNER, "to notify");
  ck_assert (!mproc_condition_notify_all (condition, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_NOT_OWNER, "to notify");
}

static gpointer
expect_not_owner_in_thread (gpointer condition)
{
  expect_not_owner (condition);
  return NULL;
}

START_TEST (only_the_locks_owner_waits_and_notifies)
{
  MprocLock *lock = mproc_lock_new (NULL);
  MprocCondition *recursive = mproc_condition_new (NULL, NULL);
  MprocCondition *plain = mproc_condition_new (lock, NULL);

  expect_not_owner (recursive);
  expect_not_owner (plain);
  acquire (recursive);
  g_thread_join (g_thread_new (NULL, expect_not_owner_in_thread, recursive));
  release (recursive);
  mproc_condition_unref (recursive);
  mproc_condition_unref (plain);
  mproc_lock_unref (lock);
}
END_TEST

/* 1 for each of the refusals. */
static GVariant *
try_without_lock (GVariant *args, GError **error)
{
  GError *refusals[2] = { NULL, NULL };
  gint n = 0;
  Fixture self;
  gint number;

  if (!unpack (args, &self, &number, error))
    return NULL;
  mproc_condition_wait (self.condition, 0, &refusals[0]);
  mproc_condition_notify (self.condition, 1, &refusals[1]);
  for (guint i = 0; i < 2; i++)
    {
      n += g_error_matches (refusals[i], MPROC_ERROR, MPROC_ERROR_NOT_OWNER);
      g_clear_error (&refusals[i]);
    }
  mproc_test_tell (self.queue, n);
  return NULL;
}

START_TEST (another_process_is_no_owner)
{
  MprocLock *lock = mproc_lock_new (NULL);
  gpointer locks[2] = { NULL, lock };

  for (guint i = 0; i < 2; i++)
    {
      Fixture self = set_up (locks[i]);
      MprocProcess *child;

      acquire (self.condition);
      child = start (_i, &self, try_without_lock, 0);
      mproc_test_expect_number (self.queue, 2);
      release (self.condition);
      mproc_test_end_with (child, 0);
      tear_down (&self);
    }
  mproc_lock_unref (lock);
}
END_TEST

START_TEST (refuses_what_is_wrong)
{
  MprocCondition *condition = mproc_condition_new (NULL, NULL);
  MprocEvent *event = mproc_event_new (NULL);

  mproc_test_count_criticals ();
  ck_assert_ptr_null (mproc_condition_new (event, NULL));
  mproc_condition_wait (condition, -7, NULL);
  mproc_condition_wait_for (condition, NULL, NULL, 0, NULL);
  mproc_condition_wait ((MprocCondition *) (gpointer) event, 0, NULL);
  mproc_condition_notify (NULL, 1, NULL);
  ck_assert_uint_eq (mproc_test_count_criticals (), 5);
  mproc_event_unref (event);
  mproc_condition_unref (condition);
}
END_TEST

/* ------------------------------------------------------------------ predicates */

static gboolean
is_third_question (gpointer data)
{
  return ++*(gint *) data == 3;
}

START_TEST (waits_for_what_is_there_already_or_never)
{
  MprocCondition *condition = mproc_condition_new (NULL, NULL);
  GError *error = NULL;
  gint n = 1;

  acquire (condition);
  ck_assert_int_eq (wait_for_asks (condition, &n, 0, NULL), MPROC_LOCK_STATUS_ACQUIRED);
  ck_assert_int_eq (n, 0);
  ck_assert_int_eq (wait_for_asks (condition, &n, 30000, &error),
                    MPROC_LOCK_STATUS_TIMED_OUT);
  mproc_test_expect_error (&error, MPROC_ERROR_TIMED_OUT, "in time");
  /* At first, and at the end of the time. */
  ck_assert_int_eq (n, -2);
  n = 1;
  ck_assert_int_eq (mproc_condition_wait_for (condition, is_third_question, &n, 20000,
                                              &error),
                    MPROC_LOCK_STATUS_ACQUIRED);
  ck_assert_ptr_null (error);
  release (condition);
  mproc_condition_unref (condition);
}
END_TEST

typedef struct
{
  MprocCondition *condition;
  GThread *thread; /* which has the lock */
  MprocEvent *held;
  MprocEvent *enough;
} LettingGo;

static gpointer
hold_until_enough (gpointer data)
{
  LettingGo *self = data;
  gboolean is_mine;

  mproc_condition_acquire (self->condition, MPROC_FOREVER);
  mproc_event_set (self->held);
  mproc_event_wait (self->enough, MPROC_TEST_PATIENCE);
  is_mine = mproc_rlock_is_mine (mproc_condition_get_lock (self->condition));
  return GINT_TO_POINTER (mproc_condition_release (self->condition, NULL) && is_mine);
}

static gboolean
lets_another_in (gpointer data)
{
  LettingGo *self = data;

  mproc_condition_release (self->condition, NULL);
  self->thread = g_thread_new (NULL, hold_until_enough, self);
  mproc_event_wait (self->held, MPROC_TEST_PATIENCE);
  return FALSE;
}

/* What a predicate has released is not released once more: it is another thread's. */
START_TEST (a_predicate_that_lets_go_takes_nothing_from_others)
{
  LettingGo self = { mproc_condition_new (NULL, NULL), NULL, mproc_event_new (NULL),
                     mproc_event_new (NULL) };
  GError *error = NULL;

  acquire (self.condition);
  ck_assert_int_eq (mproc_condition_wait_for (self.condition, lets_another_in, &self,
                                              MPROC_TEST_PATIENCE, &error),
                    MPROC_LOCK_STATUS_TIMED_OUT);
  mproc_test_expect_error (&error, MPROC_ERROR_NOT_OWNER, "to wait");
  mproc_event_set (self.enough);
  ck_assert (GPOINTER_TO_INT (g_thread_join (self.thread)));
  mproc_event_unref (self.held);
  mproc_event_unref (self.enough);
  mproc_condition_unref (self.condition);
}
END_TEST

/* Puts three, one notification each, and notifies once without anything. */
static GVariant *
put_three (GVariant *args, GError **error)
{
  Fixture self;
  gint number;

  if (!unpack (args, &self, &number, error))
    return NULL;
  for (guint i = 0; i < 4; i++)
    {
      mproc_condition_acquire (self.condition, MPROC_FOREVER);
      if (i != 1)
        mproc_add32 (&self.shared->n_put, 1);
      mproc_condition_notify (self.condition, 1, error);
      mproc_condition_release (self.condition, NULL);
    }
  return NULL;
}

static gboolean
are_three (gpointer shared)
{
  return mproc_load32 (&((Shared *) shared)->n_put) == 3;
}

START_TEST (waits_until_it_is_there)
{
  Fixture self = set_up (NULL);
  MprocProcess *child;

  acquire (self.condition);
  child = start (_i, &self, put_three, 0);
  ck_assert_int_eq (mproc_condition_wait_for (self.condition, are_three, self.shared,
                                              MPROC_SECONDS (30), NULL),
                    MPROC_LOCK_STATUS_ACQUIRED);
  ck_assert_uint_eq (mproc_load32 (&self.shared->n_put), 3);
  release (self.condition);
  mproc_test_end_with (child, 0);
  tear_down (&self);
}
END_TEST

/* ------------------------------------------------------------------ work */

/* Producers put numbers into a ring, each under the lock, until all have been put. */
#define N_NUMBERS 4000

typedef struct
{
  MprocCondition *not_full;
  MprocCondition *not_empty;
  Shared *shared;
} Work;

static gboolean
put_one (Work *self, guint32 max)
{
  Shared *shared = self->shared;
  guint32 n;

  mproc_condition_acquire (self->not_full, MPROC_FOREVER);
  while (mproc_load32 (&shared->n_put) < max &&
         mproc_load32 (&shared->n_put) - mproc_load32 (&shared->n_taken) == 8)
    mproc_condition_wait (self->not_full, MPROC_FOREVER, NULL);
  n = mproc_load32 (&shared->n_put);
  if (n < max)
    {
      shared->ring[n % 8] = n + 1;
      mproc_store32 (&shared->n_put, n + 1);
      mproc_condition_notify (self->not_empty, 1, NULL);
    }
  else
    {
      mproc_condition_notify_all (self->not_empty, NULL);
      mproc_condition_notify_all (self->not_full, NULL);
    }
  mproc_condition_release (self->not_full, NULL);
  return n < max;
}

static gboolean
take_one (Work *self, guint32 max)
{
  Shared *shared = self->shared;
  guint32 n;

  mproc_condition_acquire (self->not_empty, MPROC_FOREVER);
  while (mproc_load32 (&shared->n_taken) < max &&
         mproc_load32 (&shared->n_taken) == mproc_load32 (&shared->n_put))
    mproc_condition_wait (self->not_empty, MPROC_FOREVER, NULL);
  n = mproc_load32 (&shared->n_taken);
  if (n < max)
    {
      shared->sum = shared->sum + shared->ring[n % 8];
      shared->ring[n % 8] = 0;
      mproc_store32 (&shared->n_taken, n + 1);
      mproc_condition_notify (self->not_full, 1, NULL);
    }
  else
    mproc_condition_notify_all (self->not_empty, NULL);
  mproc_condition_release (self->not_empty, NULL);
  return n < max;
}

static guint32
n_numbers (void)
{
  return mproc_test_is_slow_platform () ? N_NUMBERS / 20 : N_NUMBERS;
}

static gpointer
put_all (gpointer work)
{
  while (put_one (work, n_numbers ()))
    ;
  return NULL;
}

static gpointer
take_all (gpointer work)
{
  while (take_one (work, n_numbers ()))
    ;
  return NULL;
}

static GVariant *
work (GVariant *args, GError **error)
{
  gboolean is_producer;
  gint64 block;
  Work self;

  if (!mproc_unpack (args, error, "(&h&hxb)", &self.not_full, &self.not_empty, &block,
                     &is_producer))
    return NULL;
  self.shared = mproc_arena_at ((MprocOffset) block, sizeof (Shared));
  if (is_producer)
    put_all (&self);
  else
    take_all (&self);
  return NULL;
}

START_TEST (producers_and_consumers)
{
  gpointer lock = _i % 2 == 0 ? (gpointer) mproc_lock_new (NULL) : mproc_rlock_new (NULL);
  Work self = { mproc_condition_new (lock, NULL), mproc_condition_new (lock, NULL),
                NULL };
  MprocOffset block = mproc_arena_alloc0 (sizeof (Shared), NULL);
  MprocProcess *children[6];
  GThread *threads[2];
  guint64 n = n_numbers ();

  self.shared = mproc_arena_at (block, sizeof (Shared));
  for (guint i = 0; i < 6; i++)
    children[i] = mproc_test_start (_i, work,
                                    mproc_pack ("(hhxb)", self.not_full, self.not_empty,
                                                (gint64) block, i % 2 == 0));
  threads[0] = g_thread_new (NULL, put_all, &self);
  threads[1] = g_thread_new (NULL, take_all, &self);
  for (guint i = 0; i < 2; i++)
    g_thread_join (threads[i]);
  for (guint i = 0; i < 6; i++)
    mproc_test_end_with (children[i], 0);
  ck_assert_uint_eq (mproc_load64 (&self.shared->sum), n * (n + 1) / 2);
  mproc_condition_unref (self.not_full);
  mproc_condition_unref (self.not_empty);
  mproc_arena_free (block);
  if (_i % 2 == 0)
    mproc_lock_unref (lock);
  else
    mproc_rlock_unref (lock);
}
END_TEST

/* Gets a condition from the queue, and its lock with it. */
static GVariant *
notify_one_from_queue (GVariant *args, GError **error)
{
  MprocCondition *condition;
  MprocQueue *queue;
  GVariant *value;
  MprocRLock *lock;

  if (!mproc_unpack (args, error, "(&h)", &queue))
    return NULL;
  value = mproc_queue_get (queue, MPROC_FOREVER, error);
  if (value == NULL || !mproc_unpack (value, error, "(h)", &condition))
    return NULL;
  g_variant_unref (value);
  lock = mproc_rlock_ref (mproc_condition_get_lock (condition));
  mproc_rlock_acquire (lock, MPROC_FOREVER);
  mproc_condition_notify (condition, 1, error);
  mproc_condition_unref (condition);
  /* It does not need the condition. */
  mproc_rlock_release (lock, NULL);
  mproc_rlock_unref (lock);
  return NULL;
}

START_TEST (goes_through_a_queue_with_its_lock)
{
  MprocCondition *condition = mproc_condition_new (NULL, NULL);
  MprocQueue *queue = mproc_queue_new (0, NULL);
  MprocProcess *child =
      mproc_test_start (_i, notify_one_from_queue, mproc_pack ("(h)", queue));

  acquire (condition);
  ck_assert (mproc_queue_put (queue, mproc_pack ("(h)", condition), MPROC_FOREVER, NULL));
  ck_assert_int_eq (mproc_condition_wait (condition, MPROC_SECONDS (30), NULL),
                    MPROC_LOCK_STATUS_ACQUIRED);
  release (condition);
  mproc_test_end_with (child, 0);
  mproc_condition_unref (condition);
  mproc_queue_unref (queue);
}
END_TEST

START_TEST (gives_all_memory_back)
{
  guint64 committed = 0;

  for (guint i = 0; i < 20000; i++)
    {
      MprocCondition *condition = mproc_condition_new (NULL, NULL);

      mproc_condition_acquire (condition, MPROC_FOREVER);
      mproc_condition_wait (condition, 0, NULL);
      mproc_condition_release (condition, NULL);
      mproc_condition_unref (condition);
      if (i == 10)
        committed = mproc_arena_get_committed ();
    }
  ck_assert_uint_eq (mproc_arena_get_committed (), committed);
}
END_TEST

Suite *
mproc_test_condition_suite (void)
{
  Suite *suite = suite_create ("condition");
  TCase *plain = mproc_test_case (suite, "condition");
  TCase *methods = mproc_test_case (suite, "between processes");
  int n = (int) mproc_test_n_methods ();

  tcase_add_test (plain, has_a_recursive_lock_of_its_own);
  tcase_add_test (plain, a_notification_for_nobody_is_not_remembered);
  tcase_add_test (plain, a_wait_ends_in_time_with_the_lock_held);
  tcase_add_test (plain, only_the_locks_owner_waits_and_notifies);
  tcase_add_test (plain, refuses_what_is_wrong);
  tcase_add_test (plain, waits_for_what_is_there_already_or_never);
  tcase_add_test (plain, a_predicate_that_lets_go_takes_nothing_from_others);
  tcase_add_test (plain, gives_all_memory_back);
  tcase_add_loop_test (methods, takes_a_given_lock, 0, n);
  tcase_add_loop_test (methods, shares_a_lock_with_another_one, 0, n);
  tcase_add_loop_test (methods, a_wait_releases_all_recursions, 0, n);
  tcase_add_loop_test (methods, notifies_exactly_as_many_in_order, 0, n);
  tcase_add_loop_test (methods, another_process_is_no_owner, 0, n);
  tcase_add_loop_test (methods, waits_until_it_is_there, 0, n);
  tcase_add_loop_test (methods, producers_and_consumers, 0, n);
  tcase_add_loop_test (methods, goes_through_a_queue_with_its_lock, 0, n);
  return suite;
}
