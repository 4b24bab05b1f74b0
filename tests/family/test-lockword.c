/* SPDX-License-Identifier: MIT */
/* The lock word, wait words, and what becomes of the locks of the dead. */
#include "mproc-test.h"

#include "arena/arena.h"
#include "family/lockword.h"

typedef struct
{
  MprocAtomic32 lock;
  MprocAtomic32 ready;
  MprocAtomic64 a;
  MprocAtomic64 b;
  MprocAtomic64 recovered;
} Shared;

static MprocOffset
make_shared (Shared **shared)
{
  MprocOffset offset = mproc_arena_alloc0 (sizeof (Shared), NULL);

  *shared = mproc_arena_at (offset, sizeof (Shared));
  return offset;
}

static Shared *
get_shared (GVariant *args)
{
  return mproc_arena_at (g_variant_get_uint64 (args), sizeof (Shared));
}

static void
wait_for (MprocAtomic32 *word, guint32 value)
{
  guint32 seen;

  while ((seen = mproc_load32 (word)) != value)
    mproc_word_wait (word, seen, MPROC_OS_NEVER);
}

static void
announce (MprocAtomic32 *word, guint32 value)
{
  mproc_store32 (word, value);
  mproc_word_wake (word, G_MAXINT32);
}

static MprocProcess *
start (MprocFunc func, MprocOffset offset, MprocStartMethod method)
{
  MprocProcess *process = mproc_process_new (func, g_variant_new_uint64 (offset));
  GError *error = NULL;

  mproc_process_set_start_method (process, method);
  if (!mproc_process_start (process, &error))
    ck_abort_msg ("%s", error->message);
  return process;
}

START_TEST (only_its_owner_releases)
{
  Shared *shared;
  MprocOffset offset = make_shared (&shared);

  ck_assert (!mproc_lockword_release (&shared->lock));
  ck_assert_int_eq (mproc_lockword_acquire (&shared->lock, 0), MPROC_LOCKED);
  ck_assert_int_eq (mproc_lockword_acquire (&shared->lock, 0), MPROC_LOCKED_NOT);
  ck_assert (mproc_lockword_release (&shared->lock));
  ck_assert (!mproc_lockword_release (&shared->lock));
  mproc_arena_free (offset);
}
END_TEST

static GVariant *
count (GVariant *args, GError **error)
{
  Shared *shared = get_shared (args);

  (void) error;
  for (guint i = 0; i < 5000; i++)
    {
      mproc_lockword_acquire (&shared->lock, MPROC_OS_NEVER);
      /* Two plain halves of one change: a hole in the lock tears them. */
      shared->a = shared->a + 1;
      shared->b = shared->b + 1;
      mproc_lockword_release (&shared->lock);
    }
  return NULL;
}

START_TEST (excludes)
{
  Shared *shared;
  MprocOffset offset = make_shared (&shared);
  MprocProcess *processes[4];

  for (guint i = 0; i < 4; i++)
    processes[i] = start (count, offset, mproc_test_method (_i));
  for (guint i = 0; i < 4; i++)
    {
      mproc_process_join (processes[i], MPROC_FOREVER);
      mproc_process_unref (processes[i]);
    }
  ck_assert_uint_eq (shared->a, 20000);
  ck_assert_uint_eq (shared->b, 20000);
  mproc_arena_free (offset);
}
END_TEST

static GVariant *
hold (GVariant *args, GError **error)
{
  Shared *shared = get_shared (args);

  (void) error;
  mproc_lockword_acquire (&shared->lock, MPROC_OS_NEVER);
  announce (&shared->ready, 1);
  wait_for (&shared->ready, 2); /* which never comes */
  return NULL;
}

/* Takes @offset's lock in a process that is killed while it holds it. */
static void
leave_dead_owner (Shared *shared, MprocOffset offset, MprocStartMethod method)
{
  MprocProcess *process = start (hold, offset, method);

  wait_for (&shared->ready, 1);
  ck_assert_int_eq (mproc_lockword_acquire (&shared->lock, 0), MPROC_LOCKED_NOT);
  ck_assert (mproc_process_kill (process, NULL));
  ck_assert (mproc_process_join (process, MPROC_FOREVER));
  mproc_process_unref (process);
}

START_TEST (a_dead_owners_lock_is_taken_over_once)
{
  MprocStartMethod method = mproc_test_method (_i);
  Shared *shared;
  MprocOffset offset;
  gint64 before;

  if (method == MPROC_START_METHOD_THREAD)
    return; /* a thread cannot be killed */
  offset = make_shared (&shared);
  leave_dead_owner (shared, offset, method);
  before = g_get_monotonic_time ();
  ck_assert_int_eq (mproc_lockword_acquire (&shared->lock, MPROC_OS_NEVER),
                    MPROC_LOCKED_RECOVERED);
  ck_assert_int_lt (g_get_monotonic_time () - before, MPROC_SECONDS (2));
  ck_assert (mproc_lockword_release (&shared->lock));
  ck_assert_int_eq (mproc_lockword_acquire (&shared->lock, 0), MPROC_LOCKED);
  ck_assert (mproc_lockword_release (&shared->lock));
  mproc_arena_free (offset);
}
END_TEST

START_TEST (a_try_takes_over_as_well)
{
  MprocStartMethod method = mproc_test_method (_i);
  Shared *shared;
  MprocOffset offset;

  if (method == MPROC_START_METHOD_THREAD)
    return; /* a thread cannot be killed */
  offset = make_shared (&shared);
  leave_dead_owner (shared, offset, method);
  ck_assert_int_eq (mproc_lockword_acquire (&shared->lock, 0), MPROC_LOCKED_RECOVERED);
  ck_assert (mproc_lockword_release (&shared->lock));
  mproc_arena_free (offset);
}
END_TEST

/* The slot of the dead is another process's by now: the word's generation tells them
 * apart. */
START_TEST (a_reused_slot_does_not_keep_the_lock)
{
  MprocStartMethod method = mproc_test_method (0);
  Shared *shared;
  MprocOffset offset = make_shared (&shared);
  Shared *other;
  MprocOffset other_offset = make_shared (&other);
  MprocProcess *newcomer[8];

  leave_dead_owner (shared, offset, method);
  for (guint i = 0; i < 8; i++)
    newcomer[i] = start (hold, other_offset, method);
  ck_assert_int_eq (mproc_lockword_acquire (&shared->lock, MPROC_OS_NEVER),
                    MPROC_LOCKED_RECOVERED);
  for (guint i = 0; i < 8; i++)
    {
      mproc_process_kill (newcomer[i], NULL);
      mproc_process_join (newcomer[i], MPROC_FOREVER);
      mproc_process_unref (newcomer[i]);
    }
  mproc_arena_free (offset);
  mproc_arena_free (other_offset);
}
END_TEST

START_TEST (a_wait_ends_in_time)
{
  Shared *shared;
  MprocOffset offset = make_shared (&shared);
  gint64 before = g_get_monotonic_time ();

  ck_assert_int_eq (mproc_lockword_acquire (&shared->lock, 0), MPROC_LOCKED);
  ck_assert_int_eq (mproc_lockword_acquire (&shared->lock, before + 30000),
                    MPROC_LOCKED_NOT);
  ck_assert_int_ge (g_get_monotonic_time () - before, 30000);
  mproc_arena_free (offset);
}
END_TEST

static GVariant *
work_for_ever (GVariant *args, GError **error)
{
  Shared *shared = get_shared (args);

  (void) error;
  for (;;)
    {
      MprocLocked locked = mproc_lockword_acquire (&shared->lock, MPROC_OS_NEVER);

      if (locked == MPROC_LOCKED_RECOVERED)
        {
          shared->recovered = shared->recovered + 1;
          shared->b = mproc_load64 (&shared->a);
        }
      else if (shared->a != shared->b)
        mproc_process_exit (9); /* torn, and nobody said so */
      shared->a = shared->a + 1;
      for (guint i = 0; i < 500; i++)
        mproc_os_relax ();
      shared->b = shared->b + 1;
      mproc_lockword_release (&shared->lock);
    }
  return NULL;
}

/* Kills at random instants; the others go on, and whoever comes after a dead owner is
 * told. */
START_TEST (survives_kills)
{
  MprocStartMethod method = mproc_test_method (0);
  gint kills = mproc_test_scale (mproc_test_is_slow_platform () ? 10 : 100);
  Shared *shared;
  MprocOffset offset = make_shared (&shared);
  MprocProcess *workers[4];
  guint64 before = 0;

  for (guint i = 0; i < 4; i++)
    workers[i] = start (work_for_ever, offset, method);
  for (gint i = 0; i < kills; i++)
    {
      MprocProcess **victim = &workers[g_random_int_range (0, 4)];
      gint64 until = g_get_monotonic_time () + MPROC_SECONDS (10);
      int code;

      while (mproc_load64 (&shared->a) < before + 20 && g_get_monotonic_time () < until)
        g_usleep ((gulong) g_random_int_range (0, 2000));
      ck_assert_uint_ge (mproc_load64 (&shared->a), before + 20);
      before = mproc_load64 (&shared->a);
      mproc_process_kill (*victim, NULL);
      mproc_process_join (*victim, MPROC_FOREVER);
      ck_assert (mproc_process_get_exit_code (*victim, &code));
      ck_assert_int_ne (code, 9);
      mproc_process_unref (*victim);
      *victim = start (work_for_ever, offset, method);
    }
  for (guint i = 0; i < 4; i++)
    {
      mproc_process_kill (workers[i], NULL);
      mproc_process_join (workers[i], MPROC_FOREVER);
      mproc_process_unref (workers[i]);
    }
  mproc_arena_free (offset);
}
END_TEST

Suite *
mproc_test_lockword_suite (void)
{
  Suite *suite = suite_create ("lockword");
  TCase *tcase = mproc_test_case (suite, "lockword");
  int n = (int) mproc_test_n_methods ();

  tcase_add_test (tcase, only_its_owner_releases);
  tcase_add_loop_test (tcase, excludes, 0, n);
  tcase_add_loop_test (tcase, a_dead_owners_lock_is_taken_over_once, 0, n);
  tcase_add_loop_test (tcase, a_try_takes_over_as_well, 0, n);
  tcase_add_test (tcase, a_wait_ends_in_time);
  if (mproc_test_method (0) != MPROC_START_METHOD_THREAD)
    {
      tcase_add_test (tcase, a_reused_slot_does_not_keep_the_lock);
      tcase_add_test (tcase, survives_kills);
    }
  return suite;
}
