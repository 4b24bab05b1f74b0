/* SPDX-License-Identifier: MIT */
/* Lock and RLock: who gets them, and who may release them. */
#include "locks.h"

#include "arena/arena.h"
#include "os.h"

#define N_ROUNDS 2000

/* ------------------------------------------------------------------ one process */

START_TEST (is_acquired_and_released)
{
  FOR_EACH_KIND (kind)
  {
    gpointer lock = make (kind);

    local_ask (lock, "is-locked", 0, "no");
    local_ask (lock, "acquire", 0, "acquired");
    local_ask (lock, "is-locked", 0, "yes");
    local_ask (lock, "release", 0, "released");
    local_ask (lock, "is-locked", 0, "no");
    local_ask (lock, "acquire", 1000, "acquired");
    local_ask (lock, "release", 0, "released");
    local_ask (lock, "acquire", MPROC_FOREVER, "acquired");
    local_ask (lock, "release", 0, "released");
    drop (kind, lock);
  }
}
END_TEST

START_TEST (a_free_lock_is_not_released)
{
  MprocLock *lock = make (0);
  MprocRLock *rlock = make (1);
  GError *error = NULL;

  ck_assert (!mproc_lock_release (lock, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_OVER_RELEASE, "released more often");
  ck_assert (!mproc_lock_release (lock, NULL));
  local_ask (lock, "is-locked", 0, "no");
  ck_assert (!mproc_rlock_release (rlock, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_NOT_OWNER, "not held");
  ck_assert (!mproc_rlock_release (rlock, NULL));
  local_ask (rlock, "acquire", 0, "acquired");
  local_ask (rlock, "release", 0, "released");
  local_ask (rlock, "release", 0, "not owner");
  mproc_lock_unref (lock);
  mproc_rlock_unref (rlock);
}
END_TEST

START_TEST (a_lock_is_not_recursive)
{
  MprocLock *lock = make (0);
  gint64 before;

  local_ask (lock, "acquire", 0, "acquired");
  local_ask (lock, "acquire", 0, "timed out");
  before = g_get_monotonic_time ();
  local_ask (lock, "acquire", 30000, "timed out");
  ck_assert_int_ge (g_get_monotonic_time () - before, 30000);
  local_ask (lock, "release", 0, "released");
  mproc_lock_unref (lock);
}
END_TEST

START_TEST (a_recursive_lock_counts)
{
  MprocRLock *lock = make (1);

  for (guint i = 0; i < 100; i++)
    local_ask (lock, "acquire", i % 2 == 0 ? 0 : MPROC_FOREVER, "acquired");
  for (guint i = 0; i < 100; i++)
    {
      local_ask (lock, "is-mine", 0, "yes");
      thread_ask (lock, "acquire", 0, "timed out");
      local_ask (lock, "release", 0, "released");
    }
  local_ask (lock, "is-mine", 0, "no");
  local_ask (lock, "is-locked", 0, "no");
  thread_ask (lock, "acquire", 0, "acquired");
  mproc_rlock_unref (lock);
}
END_TEST

START_TEST (threads_differ_in_what_they_may_release)
{
  MprocLock *lock = make (0);
  MprocRLock *rlock = make (1);

  local_ask (lock, "acquire", 0, "acquired");
  thread_ask (lock, "acquire", 1000, "timed out");
  thread_ask (lock, "release", 0, "released");
  thread_ask (lock, "acquire", 0, "acquired");
  local_ask (lock, "release", 0, "released");

  local_ask (rlock, "acquire", 0, "acquired");
  thread_ask (rlock, "is-locked", 0, "yes");
  thread_ask (rlock, "is-mine", 0, "no");
  thread_ask (rlock, "acquire", 1000, "timed out");
  thread_ask (rlock, "release", 0, "not owner");
  local_ask (rlock, "is-mine", 0, "yes");
  local_ask (rlock, "release", 0, "released");
  mproc_lock_unref (lock);
  mproc_rlock_unref (rlock);
}
END_TEST

START_TEST (misuse_is_noticed)
{
  MprocLock *lock = make (0);
  MprocRLock *rlock = make (1);

  mproc_test_count_criticals ();
  ck_assert_int_eq (mproc_lock_acquire (NULL, 0), MPROC_LOCK_STATUS_TIMED_OUT);
  ck_assert_int_eq (mproc_lock_acquire ((MprocLock *) rlock, 0),
                    MPROC_LOCK_STATUS_TIMED_OUT);
  ck_assert_int_eq (mproc_lock_acquire (lock, -2), MPROC_LOCK_STATUS_TIMED_OUT);
  ck_assert (!mproc_lock_release ((MprocLock *) rlock, NULL));
  ck_assert (!mproc_lock_is_locked (NULL));
  ck_assert_ptr_null (mproc_lock_ref (NULL));
  mproc_lock_unref ((MprocLock *) rlock);
  ck_assert_uint_eq (mproc_test_count_criticals (), 7);
  ck_assert_int_eq (mproc_rlock_acquire (NULL, 0), MPROC_LOCK_STATUS_TIMED_OUT);
  ck_assert_int_eq (mproc_rlock_acquire (rlock, -2), MPROC_LOCK_STATUS_TIMED_OUT);
  ck_assert (!mproc_rlock_release ((MprocRLock *) lock, NULL));
  ck_assert (!mproc_rlock_is_locked (NULL));
  ck_assert (!mproc_rlock_is_mine ((MprocRLock *) lock));
  ck_assert_ptr_null (mproc_rlock_ref (NULL));
  mproc_rlock_unref ((MprocRLock *) lock);
  ck_assert_uint_eq (mproc_test_count_criticals (), 7);
  mproc_lock_unref (NULL);
  mproc_rlock_unref (NULL);
  ck_assert_uint_eq (mproc_test_count_criticals (), 0);
  local_ask (lock, "is-locked", 0, "no");
  local_ask (rlock, "is-locked", 0, "no");
  mproc_lock_unref (lock);
  mproc_rlock_unref (rlock);
}
END_TEST

/* ------------------------------------------------------------------ several */

START_TEST (processes_see_each_others_locks)
{
  FOR_EACH_KIND (kind)
  {
    gpointer lock = make (kind);
    Remote other = remote_start (_i, lock);

    remote_ask (&other, "is-locked", 0, "no");
    local_ask (lock, "acquire", 0, "acquired");
    remote_ask (&other, "is-locked", 0, "yes");
    remote_ask (&other, "acquire", 0, "timed out");
    remote_ask (&other, "acquire", 20000, "timed out");
    remote_tell (&other, "acquire", MPROC_FOREVER);
    local_ask (lock, "release", 0, "released");
    remote_expect (&other, "acquired");
    local_ask (lock, "is-locked", 0, "yes");
    local_ask (lock, "acquire", 0, "timed out");
    remote_ask (&other, "release", 0, "released");
    local_ask (lock, "is-locked", 0, "no");
    remote_end (&other);
    drop (kind, lock);
  }
}
END_TEST

START_TEST (anybody_releases_a_lock)
{
  MprocLock *lock = make (0);
  Remote one = remote_start (_i, lock);
  Remote two = remote_start (_i, lock);

  remote_ask (&one, "acquire", 0, "acquired");
  remote_ask (&two, "release", 0, "released");
  remote_ask (&one, "release", 0, "over-release");
  remote_ask (&one, "acquire", 0, "acquired");
  remote_tell (&two, "acquire", MPROC_FOREVER);
  local_ask (lock, "release", 0, "released");
  remote_expect (&two, "acquired");
  thread_ask (lock, "release", 0, "released");
  local_ask (lock, "is-locked", 0, "no");
  remote_end (&one);
  remote_end (&two);
  mproc_lock_unref (lock);
}
END_TEST

START_TEST (only_its_holder_releases_an_rlock)
{
  MprocRLock *lock = make (1);
  Remote one = remote_start (_i, lock);
  Remote two = remote_start (_i, lock);

  remote_ask (&one, "acquire", 0, "acquired");
  remote_ask (&one, "acquire", MPROC_FOREVER, "acquired");
  remote_ask (&two, "is-mine", 0, "no");
  remote_ask (&two, "release", 0, "not owner");
  local_ask (lock, "release", 0, "not owner");
  remote_tell (&two, "acquire", MPROC_FOREVER);
  remote_ask (&one, "release", 0, "released");
  remote_ask (&one, "is-mine", 0, "yes");
  ck_assert (!remote_has_answered (&two));
  remote_ask (&one, "release", 0, "released");
  remote_expect (&two, "acquired");
  remote_ask (&one, "is-mine", 0, "no");
  remote_ask (&one, "release", 0, "not owner");
  remote_ask (&two, "release", 0, "released");
  remote_end (&one);
  remote_end (&two);
  mproc_rlock_unref (lock);
}
END_TEST

START_TEST (a_child_does_not_hold_what_its_parent_holds)
{
  MprocRLock *lock = make (1);
  Remote child;

  local_ask (lock, "acquire", 0, "acquired");
  local_ask (lock, "acquire", 0, "acquired");
  child = remote_start (_i, lock);
  remote_ask (&child, "is-mine", 0, "no");
  remote_ask (&child, "is-locked", 0, "yes");
  remote_ask (&child, "acquire", 0, "timed out");
  remote_ask (&child, "release", 0, "not owner");
  local_ask (lock, "is-mine", 0, "yes");
  local_ask (lock, "release", 0, "released");
  local_ask (lock, "release", 0, "released");
  remote_ask (&child, "acquire", MPROC_FOREVER, "acquired");
  remote_ask (&child, "release", 0, "released");
  remote_end (&child);
  mproc_rlock_unref (lock);
}
END_TEST

/* fork () as the host calls it, without a word to the library. */
START_TEST (a_child_forked_by_hand_does_not_either)
{
  MprocRLock *lock = make (1);
  MprocOsChild child;
  gint forked;

  local_ask (lock, "acquire", 0, "acquired");
  forked = mproc_os_fork (&child, NULL);
  if (forked == 0)
    mproc_os_exit (mproc_rlock_is_mine (lock) || mproc_rlock_release (lock, NULL) ||
                           mproc_rlock_acquire (lock, 1000)
                       ? 1
                       : 0);
  ck_assert_int_eq (forked, 1);
  ck_assert (mproc_os_child_wait (&child, MPROC_OS_NEVER));
  ck_assert_int_eq (child.exit_code, 0);
  mproc_os_child_clear (&child);
  local_ask (lock, "is-mine", 0, "yes");
  local_ask (lock, "release", 0, "released");
  mproc_rlock_unref (lock);
}
END_TEST

/* ------------------------------------------------------------------ exclusion */

/* Neither is atomic: a hole in the lock tears them. */
typedef struct
{
  guint64 a;
  guint64 b;
  guint64 n_torn;
} Pair;

static void
change (Pair *pair)
{
  if (pair->a != pair->b)
    pair->n_torn++;
  pair->a++;
  if (pair->a % 64 == 0)
    g_thread_yield ();
  pair->b++;
}

static gboolean
change_under_lock (Pair *pair, MprocLock *lock)
{
  if (mproc_lock_acquire (lock, MPROC_FOREVER) != MPROC_LOCK_STATUS_ACQUIRED)
    return FALSE;
  change (pair);
  return mproc_lock_release (lock, NULL);
}

static gboolean
change_under_rlock (Pair *pair, MprocRLock *lock)
{
  if (mproc_rlock_acquire (lock, MPROC_FOREVER) != MPROC_LOCK_STATUS_ACQUIRED)
    return FALSE;
  if (pair->a % 3 != 0)
    {
      change (pair);
      return mproc_rlock_release (lock, NULL);
    }
  if (mproc_rlock_acquire (lock, MPROC_FOREVER) != MPROC_LOCK_STATUS_ACQUIRED)
    return FALSE;
  change (pair);
  return mproc_rlock_release (lock, NULL) && mproc_rlock_release (lock, NULL);
}

static gint
n_rounds (void)
{
  return mproc_test_is_slow_platform () ? N_ROUNDS / 10 : N_ROUNDS;
}

static gboolean
change_often (Pair *pair, guint kind, gpointer lock)
{
  for (gint i = 0; i < n_rounds (); i++)
    if (!(kind == 0 ? change_under_lock (pair, lock) : change_under_rlock (pair, lock)))
      return FALSE;
  return TRUE;
}

static GVariant *
change_in_process (GVariant *args, GError **error)
{
  gpointer lock;
  guint32 kind;
  guint64 offset;

  if (mproc_unpack (args, error, "(&hut)", &lock, &kind, &offset) &&
      !change_often (mproc_arena_at (offset, sizeof (Pair)), kind, lock))
    g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_FAILED, "not acquired");
  return NULL;
}

typedef struct
{
  Pair *pair;
  guint kind;
  gpointer lock;
} Task;

static gpointer
change_in_thread (gpointer data)
{
  Task *self = data;

  return GINT_TO_POINTER (change_often (self->pair, self->kind, self->lock));
}

/* Processes, and threads of this one. */
static void
expect_exclusion (int i, guint kind)
{
  gpointer lock = make (kind);
  MprocOffset offset = mproc_arena_alloc0 (sizeof (Pair), NULL);
  Task task = { mproc_arena_at (offset, sizeof (Pair)), kind, lock };
  MprocProcess *processes[3];
  GThread *threads[2];

  for (guint k = 0; k < 3; k++)
    processes[k] = mproc_test_start (i, change_in_process,
                                     mproc_pack ("(hut)", lock, kind, (guint64) offset));
  for (guint k = 0; k < 2; k++)
    threads[k] = g_thread_new ("change", change_in_thread, &task);
  for (guint k = 0; k < 2; k++)
    ck_assert (g_thread_join (threads[k]) != NULL);
  for (guint k = 0; k < 3; k++)
    mproc_test_end_with (processes[k], 0);
  ck_assert_uint_eq (task.pair->n_torn, 0);
  ck_assert_uint_eq (task.pair->a, 5 * (guint) n_rounds ());
  ck_assert_uint_eq (task.pair->b, 5 * (guint) n_rounds ());
  local_ask (lock, "is-locked", 0, "no");
  mproc_arena_free (offset);
  drop (kind, lock);
}

START_TEST (one_at_a_time)
{
  FOR_EACH_KIND (kind)
  expect_exclusion (_i, kind);
}
END_TEST

Suite *
mproc_test_lock_suite (void)
{
  Suite *suite = suite_create ("lock");
  TCase *tcase = mproc_test_case (suite, "lock");
  int n = (int) mproc_test_n_methods ();

  tcase_add_test (tcase, is_acquired_and_released);
  tcase_add_test (tcase, a_free_lock_is_not_released);
  tcase_add_test (tcase, a_lock_is_not_recursive);
  tcase_add_test (tcase, a_recursive_lock_counts);
  tcase_add_test (tcase, threads_differ_in_what_they_may_release);
  tcase_add_test (tcase, misuse_is_noticed);
  tcase_add_loop_test (tcase, processes_see_each_others_locks, 0, n);
  tcase_add_loop_test (tcase, anybody_releases_a_lock, 0, n);
  tcase_add_loop_test (tcase, only_its_holder_releases_an_rlock, 0, n);
  tcase_add_loop_test (tcase, a_child_does_not_hold_what_its_parent_holds, 0, n);
  if (mproc_test_can_fork ())
    tcase_add_test (tcase, a_child_forked_by_hand_does_not_either);
  tcase_add_loop_test (tcase, one_at_a_time, 0, n);
  return suite;
}
