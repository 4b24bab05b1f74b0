/* SPDX-License-Identifier: MIT */
/* Conditions, under every start method. */
#include "processes.h"

#include "arena.h"
#include "word.h"

/* In the arena. */
typedef struct
{
  MprocAtomic32 stage;
  MprocAtomic32 n_put;
  MprocAtomic32 n_taken;
  MprocAtomic32 stop;
  MprocAtomic64 sum;
  guint32 ring[8];
} Shared;

typedef struct
{
  MprocCondition *condition;
  MprocQueue *queue; /* what the children have to say */
  MprocOffset block;
  Shared *shared;
} Fixture;

static Fixture
set_up (gpointer lock)
{
  Fixture self;

  self.condition = mproc_condition_new (lock, NULL);
  self.queue = mproc_queue_new (0, NULL);
  self.block = mproc_arena_alloc0 (sizeof (Shared), NULL);
  ck_assert (self.condition != NULL && self.queue != NULL && self.block != 0);
  self.shared = mproc_arena_at (self.block, sizeof (Shared));
  return self;
}

static void
tear_down (Fixture *self)
{
  mproc_condition_unref (self->condition);
  mproc_queue_unref (self->queue);
  mproc_arena_free (self->block);
}

static MprocProcess *
start (int i, const Fixture *self, MprocFunc func, gint number)
{
  return mproc_test_start (i, func,
                           mproc_pack ("(hhxi)", self->condition, self->queue,
                                       (gint64) self->block, number));
}

static gboolean
unpack (GVariant *args, Fixture *self, gint *number, GError **error)
{
  gint64 block;

  if (!mproc_unpack (args, error, "(&h&hxi)", &self->condition, &self->queue, &block,
                     number))
    return FALSE;
  self->block = (MprocOffset) block;
  self->shared = mproc_arena_at (self->block, sizeof (Shared));
  return TRUE;
}

static void
tell (MprocQueue *queue, gint number)
{
  mproc_queue_put (queue, g_variant_new_int32 (number), MPROC_FOREVER, NULL);
}

/* -1: nothing in time. */
static gint
hear (MprocQueue *queue, gint64 timeout_us)
{
  GVariant *value = mproc_queue_get (queue, timeout_us, NULL);
  gint number = value != NULL ? g_variant_get_int32 (value) : -1;

  if (value != NULL)
    g_variant_unref (value);
  return number;
}

static void
expect (MprocQueue *queue, gint number)
{
  ck_assert_int_eq (hear (queue, MPROC_SECONDS (30)), number);
}

static void
acquire (MprocCondition *condition)
{
  ck_assert_int_eq (mproc_condition_acquire (condition, MPROC_SECONDS (30)),
                    MPROC_LOCK_STATUS_ACQUIRED);
}

static void
release (MprocCondition *condition)
{
  ck_assert (mproc_condition_release (condition, NULL));
}

static void
notify (MprocCondition *condition, guint n)
{
  acquire (condition);
  ck_assert (mproc_condition_notify (condition, n, NULL));
  release (condition);
}

/* Its own number when it is about to wait, which it does before the lock is free again; and then
 * 100 times the stage in which it has the lock again. */
static GVariant *
wait_once (GVariant *args, GError **error)
{
  MprocLockStatus status;
  Fixture self;
  gint number;

  if (!unpack (args, &self, &number, error))
    return NULL;
  mproc_condition_acquire (self.condition, MPROC_FOREVER);
  tell (self.queue, number);
  status = mproc_condition_wait (self.condition, MPROC_FOREVER, error);
  if (status == MPROC_LOCK_STATUS_ACQUIRED)
    tell (self.queue, number + 100 * (gint) mproc_load32 (&self.shared->stage));
  mproc_condition_release (self.condition, NULL);
  return NULL;
}

/* It is in the list when this is over. */
static MprocProcess *
start_waiter (int i, const Fixture *self, gint number)
{
  MprocProcess *process = start (i, self, wait_once, number);

  expect (self->queue, number);
  acquire (self->condition);
  release (self->condition);
  return process;
}

static void
kill_one (MprocProcess *process, gboolean join)
{
  ck_assert (mproc_process_kill (process, NULL));
  if (join)
    ck_assert (mproc_process_join (process, MPROC_FOREVER));
}

static void
bury (MprocProcess *process)
{
  mproc_process_join (process, MPROC_FOREVER);
  mproc_process_unref (process);
}

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
  expect (self.queue, 101);
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
  expect (b.queue, 2);
  ck_assert_int_eq (hear (a.queue, 20000), -1);
  mproc_test_end_with (at_b, 0);
  tear_down (&b);
  notify (a.condition, 5);
  expect (a.queue, 1);
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

/* Two of the numbers, in any order: they race for the lock. */
static void
expect_two (MprocQueue *queue, gint a, gint b)
{
  gint first = hear (queue, MPROC_SECONDS (30));

  ck_assert (first == a || first == b);
  expect (queue, a + b - first);
}

START_TEST (notifies_exactly_as_many_in_order)
{
  Fixture self = set_up (NULL);
  MprocProcess *waiters[6];

  for (gint i = 0; i < 6; i++)
    waiters[i] = start_waiter (_i, &self, i);
  mproc_store32 (&self.shared->stage, 1);
  notify (self.condition, 0);
  ck_assert_int_eq (hear (self.queue, 20000), -1);
  notify (self.condition, 1);
  expect (self.queue, 100);
  ck_assert_int_eq (hear (self.queue, 50000), -1);
  mproc_store32 (&self.shared->stage, 2);
  notify (self.condition, 2);
  expect_two (self.queue, 201, 202);
  ck_assert_int_eq (hear (self.queue, 50000), -1);
  mproc_store32 (&self.shared->stage, 3);
  notify (self.condition, 1);
  expect (self.queue, 303);
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

static gboolean
is_positive (gpointer data)
{
  return --*(gint *) data >= 0;
}

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
  tell (self.queue, n);
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
      expect (self.queue, 2);
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

static MprocLockStatus
wait_for_asks (MprocCondition *condition, gint *asks, gint64 timeout_us, GError **error)
{
  return mproc_condition_wait_for (condition, is_positive, asks, timeout_us, error);
}

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
      expect (self.queue, 103);
      ck_assert_int_eq (hear (self.queue, 20000), -1);
      notify (self.condition, 1);
      expect (self.queue, 104);
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
      ck_assert_int_eq (hear (self.queue, 250000), -1);
      notify (self.condition, 1);
      expect (self.queue, 4);
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

/* A thread: it waits in bits shorter than a nap, until notified.  Says 2 when it is about to. */
static gpointer
wait_in_bits (gpointer fixture)
{
  Fixture *self = fixture;

  mproc_condition_acquire (self->condition, MPROC_FOREVER);
  tell (self->queue, 2);
  /* One wait: a later one would be too late. */
  if (mproc_condition_wait (self->condition, MPROC_NAP / 2, NULL) ==
      MPROC_LOCK_STATUS_ACQUIRED)
    tell (self->queue, 3);
  mproc_condition_release (self->condition, NULL);
  return NULL;
}

/* Who does not wait as long as a nap gets it as well, at the end of his time. */
START_TEST (a_short_wait_gets_it_too)
{
  Fixture self = set_up (NULL);
  MprocProcess *waiter;
  GThread *thread;
  gint answer = -1;

  for (gint attempt = 0; attempt < 20 && answer < 0 && !mproc_test_is_thread (_i);
       attempt++)
    {
      waiter = start_waiter (_i, &self, 1);
      thread = g_thread_new (NULL, wait_in_bits, &self);
      expect (self.queue, 2);
      /* On a slow machine the time may be over before the notification is given. */
      acquire (self.condition);
      ck_assert (mproc_condition_notify (self.condition, 1, NULL));
      kill_one (waiter, FALSE);
      release (self.condition);
      g_thread_join (thread);
      bury (waiter);
      answer = hear (self.queue, 0);
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
      for (gint i = 0; i < 20; i++)
        waiters[i] = start_waiter (_i, &self, i);
      for (gint i = 0; i < 20; i++)
        kill_one (waiters[i], i % 2 == 0);
      best = MIN (best, time_notify_all (self.condition));
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
  tell (self.queue, 0);
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
    expect (self->queue, 0);
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
      expect (self.queue, 0);
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
mproc_test_condition_suite (void)
{
  Suite *suite = suite_create ("condition");
  TCase *plain = mproc_test_case (suite, "condition");
  TCase *methods = mproc_test_case (suite, "between processes");
  TCase *deaths = mproc_test_case (suite, "deaths");
  int n = (int) mproc_test_n_methods ();

  tcase_add_test (plain, has_a_recursive_lock_of_its_own);
  tcase_add_test (plain, a_notification_for_nobody_is_not_remembered);
  tcase_add_test (plain, a_wait_ends_in_time_with_the_lock_held);
  tcase_add_test (plain, only_the_locks_owner_waits_and_notifies);
  tcase_add_test (plain, refuses_what_is_wrong);
  tcase_add_test (plain, waits_for_what_is_there_already_or_never);
  tcase_add_test (plain, gives_all_memory_back);
  tcase_add_loop_test (methods, takes_a_given_lock, 0, n);
  tcase_add_loop_test (methods, shares_a_lock_with_another_one, 0, n);
  tcase_add_loop_test (methods, a_wait_releases_all_recursions, 0, n);
  tcase_add_loop_test (methods, notifies_exactly_as_many_in_order, 0, n);
  tcase_add_loop_test (methods, another_process_is_no_owner, 0, n);
  tcase_add_loop_test (methods, waits_until_it_is_there, 0, n);
  tcase_add_loop_test (methods, producers_and_consumers, 0, n);
  tcase_add_loop_test (methods, goes_through_a_queue_with_its_lock, 0, n);
  tcase_add_loop_test (deaths, tells_of_an_owner_who_died, 0, n);
  tcase_add_loop_test (deaths, a_dead_waiter_is_skipped, 0, n);
  tcase_add_loop_test (deaths, a_dead_ones_notification_is_passed_on, 0, n);
  tcase_add_loop_test (deaths, it_is_not_passed_on_to_a_later_one, 0, n);
  tcase_add_loop_test (deaths, a_short_wait_gets_it_too, 0, n);
  tcase_add_loop_test (deaths, a_notifier_waits_for_nobody, 0, n);
  tcase_add_test (deaths, every_item_is_taken_whoever_is_killed);
  return suite;
}
