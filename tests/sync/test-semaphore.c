/* SPDX-License-Identifier: MIT */
/* Semaphores: how many get in, and how many there are. */
#include "semaphores.h"

#include "arena/arena.h"

/* ------------------------------------------------------------------ one process */

START_TEST (counts_units)
{
  FOR_EACH_FLAG (flag)
  {
    MprocSemaphore *self = make (2, 0, both[flag]);

    expect_value (self, 2);
    ck_assert (mproc_semaphore_acquire (self, 0));
    expect_value (self, 1);
    ck_assert (mproc_semaphore_acquire (self, MPROC_FOREVER));
    expect_value (self, 0);
    ck_assert (!mproc_semaphore_acquire (self, 0));
    ck_assert (mproc_semaphore_release (self, NULL));
    expect_value (self, 1);
    ck_assert (mproc_semaphore_acquire (self, 1000));
    for (gint i = 1; i <= 5; i++)
      {
        ck_assert (mproc_semaphore_release (self, NULL));
        expect_value (self, i);
      }
    mproc_semaphore_unref (self);
  }
}
END_TEST

START_TEST (impossible_numbers_are_refused)
{
  const struct
  {
    gint initial, max;
    const char *text;
  } wrong[] = {
    { -1, 0, "negative" },
    { 0, -1, "negative" },
    { G_MININT, G_MININT, "negative" },
    { 2, 1, "at most 1 units cannot start with 2" },
    { G_MAXINT, G_MAXINT - 1, "cannot start" },
  };

  FOR_EACH_FLAG (flag)
  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      GError *error = NULL;

      ck_assert_ptr_null (mproc_semaphore_new (wrong[i].initial, wrong[i].max, both[flag],
                                               &error));
      mproc_test_expect_error (&error, MPROC_ERROR_INVALID, wrong[i].text);
      ck_assert_ptr_null (mproc_semaphore_new (wrong[i].initial, wrong[i].max, both[flag],
                                               NULL));
    }
}
END_TEST

START_TEST (a_bounded_one_has_a_limit)
{
  FOR_EACH_FLAG (flag)
  {
    MprocSemaphore *self = make (1, 2, both[flag]);

    ck_assert (mproc_semaphore_release (self, NULL));
    expect_over_release (self, "all of its 2 units");
    ck_assert (mproc_semaphore_acquire (self, 0));
    ck_assert (mproc_semaphore_release (self, NULL));
    expect_over_release (self, "released more often");
    mproc_semaphore_unref (self);
    self = make (0, 1, both[flag]);
    ck_assert (!mproc_semaphore_acquire (self, 0));
    ck_assert (mproc_semaphore_release (self, NULL));
    expect_over_release (self, "all of its 1 units");
    mproc_semaphore_unref (self);
  }
}
END_TEST

START_TEST (the_others_have_one_as_well)
{
  FOR_EACH_FLAG (flag)
  for (gint max = 0; max <= 1; max++)
    {
      MprocSemaphore *self = make (G_MAXINT32, max * G_MAXINT32, both[flag]);

      expect_over_release (self, "2147483647");
      ck_assert (mproc_semaphore_acquire (self, 0));
      expect_value (self, G_MAXINT32 - 1);
      ck_assert (mproc_semaphore_release (self, NULL));
      expect_over_release (self, "2147483647");
      mproc_semaphore_unref (self);
    }
}
END_TEST

START_TEST (a_wait_ends_in_time)
{
  FOR_EACH_FLAG (flag)
  {
    MprocSemaphore *self = make (0, 0, both[flag]);
    gint64 before = g_get_monotonic_time ();

    ck_assert (!mproc_semaphore_acquire (self, 30000));
    ck_assert_int_ge (g_get_monotonic_time () - before, 30000);
    expect_value (self, 0);
    mproc_semaphore_unref (self);
  }
}
END_TEST

START_TEST (misuse_is_noticed)
{
  MprocSemaphore *self = make (1, 0, MPROC_SEMAPHORE_DEFAULT);
  MprocLock *lock = mproc_lock_new (NULL);

  mproc_test_count_criticals ();
  ck_assert (!mproc_semaphore_acquire (NULL, 0));
  ck_assert (!mproc_semaphore_acquire ((MprocSemaphore *) lock, 0));
  ck_assert (!mproc_semaphore_acquire (self, -2));
  ck_assert (!mproc_semaphore_release ((MprocSemaphore *) lock, NULL));
  ck_assert_int_eq (mproc_semaphore_get_value (NULL), 0);
  ck_assert (!mproc_semaphore_is_locked (NULL));
  ck_assert_ptr_null (mproc_semaphore_ref (NULL));
  mproc_semaphore_unref ((MprocSemaphore *) lock);
  ck_assert_uint_eq (mproc_test_count_criticals (), 8);
  mproc_semaphore_unref (NULL);
  ck_assert_uint_eq (mproc_test_count_criticals (), 0);
  expect_value (self, 1);
  mproc_semaphore_unref (self);
  mproc_lock_unref (lock);
}
END_TEST

/* ------------------------------------------------------------------ several */

START_TEST (processes_share_units)
{
  FOR_EACH_FLAG (flag)
  {
    MprocSemaphore *self = make (2, 2, both[flag]);
    Remote one = remote_start (_i, self);
    Remote two = remote_start (_i, self);

    remote_ask (&one, "acquire", 0, "acquired");
    remote_ask (&two, "value", 0, "1");
    remote_ask (&two, "acquire", MPROC_FOREVER, "acquired");
    remote_ask (&one, "is-locked", 0, "yes");
    ck_assert (!mproc_semaphore_acquire (self, 0));
    ck_assert (!mproc_semaphore_acquire (self, MPROC_SECONDS (0.15)));
    remote_ask (&one, "acquire", 10000, "timed out");
    remote_tell (&one, "acquire", MPROC_FOREVER);
    remote_ask (&two, "release", 0, "released");
    remote_expect (&one, "acquired");
    remote_ask (&one, "release", 0, "released");
    remote_ask (&two, "is-locked", 0, "no");
    /* Of the one that is still out nobody asks who gives it back. */
    thread_ask (self, "release", 0, "released");
    remote_ask (&two, "value", 0, "2");
    remote_ask (&two, "release", 0, "over-release");
    remote_end (&one);
    remote_end (&two);
    expect_value (self, 2);
    mproc_semaphore_unref (self);
  }
}
END_TEST

/* A unit that one made, others consume. */
START_TEST (signals_arrive)
{
  FOR_EACH_FLAG (flag)
  {
    MprocSemaphore *self = make (0, 0, both[flag]);
    Remote consumers[3];

    for (guint i = 0; i < 3; i++)
      consumers[i] = remote_start (_i, self);
    for (guint round = 0; round < 20; round++)
      for (guint i = 0; i < 3; i++)
        {
          remote_tell (&consumers[i], "acquire", MPROC_FOREVER);
          ck_assert (mproc_semaphore_release (self, NULL));
        }
    for (guint k = 0; k < 60; k++)
      remote_expect (&consumers[k % 3], "acquired");
    expect_value (self, 0);
    for (guint i = 0; i < 3; i++)
      remote_end (&consumers[i]);
    mproc_semaphore_unref (self);
  }
}
END_TEST

typedef struct
{
  MprocAtomic32 n_inside;
  MprocAtomic32 n_crowded; /* how often there were more than units */
} Room;

#define N_UNITS 2
#define N_VISITS 500

static gint
n_visits (void)
{
  return mproc_test_is_slow_platform () ? N_VISITS / 5 : N_VISITS;
}

static gboolean
visit_often (Room *room, MprocSemaphore *semaphore)
{
  for (gint i = 0; i < n_visits (); i++)
    {
      if (!mproc_semaphore_acquire (semaphore, MPROC_FOREVER))
        return FALSE;
      if (mproc_add32 (&room->n_inside, 1) >= N_UNITS)
        mproc_add32 (&room->n_crowded, 1);
      if (i % 8 == 0)
        g_thread_yield ();
      mproc_add32 (&room->n_inside, G_MAXUINT32);
      if (!mproc_semaphore_release (semaphore, NULL))
        return FALSE;
    }
  return TRUE;
}

static GVariant *
visit_from_process (GVariant *args, GError **error)
{
  MprocSemaphore *semaphore;
  guint64 offset;

  if (mproc_unpack (args, error, "(&ht)", &semaphore, &offset) &&
      !visit_often (mproc_arena_at (offset, sizeof (Room)), semaphore))
    g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_FAILED, "no unit");
  return NULL;
}

typedef struct
{
  Room *room;
  MprocSemaphore *semaphore;
} Visit;

static gpointer
visit_from_thread (gpointer data)
{
  Visit *self = data;

  return GINT_TO_POINTER (visit_often (self->room, self->semaphore));
}

/* Processes, and threads of this one. */
START_TEST (no_more_get_in_than_there_are_units)
{
  FOR_EACH_FLAG (flag)
  {
    MprocSemaphore *self = make (N_UNITS, N_UNITS, both[flag]);
    MprocOffset offset = mproc_arena_alloc0 (sizeof (Room), NULL);
    Visit visit = { mproc_arena_at (offset, sizeof (Room)), self };
    MprocProcess *processes[3];
    GThread *threads[2];

    for (guint k = 0; k < 3; k++)
      processes[k] = mproc_test_start (_i, visit_from_process,
                                       mproc_pack ("(ht)", self, (guint64) offset));
    for (guint k = 0; k < 2; k++)
      threads[k] = g_thread_new ("visit", visit_from_thread, &visit);
    for (guint k = 0; k < 2; k++)
      ck_assert (g_thread_join (threads[k]) != NULL);
    for (guint k = 0; k < 3; k++)
      mproc_test_end_with (processes[k], 0);
    ck_assert_uint_eq (mproc_load32 (&visit.room->n_crowded), 0);
    ck_assert_uint_eq (mproc_load32 (&visit.room->n_inside), 0);
    expect_value (self, N_UNITS);
    mproc_arena_free (offset);
    mproc_semaphore_unref (self);
  }
}
END_TEST

Suite *
mproc_test_semaphore_suite (void)
{
  Suite *suite = suite_create ("semaphore");
  TCase *tcase = mproc_test_case (suite, "units");
  int n = (int) mproc_test_n_methods ();

  tcase_add_test (tcase, counts_units);
  tcase_add_test (tcase, impossible_numbers_are_refused);
  tcase_add_test (tcase, a_bounded_one_has_a_limit);
  tcase_add_test (tcase, the_others_have_one_as_well);
  tcase_add_test (tcase, a_wait_ends_in_time);
  tcase_add_test (tcase, misuse_is_noticed);
  tcase_add_loop_test (tcase, processes_share_units, 0, n);
  tcase_add_loop_test (tcase, signals_arrive, 0, n);
  tcase_add_loop_test (tcase, no_more_get_in_than_there_are_units, 0, n);
  return suite;
}
