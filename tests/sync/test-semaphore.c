/* SPDX-License-Identifier: MIT */
/* Semaphores: how many get in, how many there are, and whose units come back when they die. */
#include "kill.h"
#include "remote.h"

#include "arena/arena.h"
#include "family/slotdata.h"

#define SOON MPROC_SECONDS (0.3)
#define N_ATTEMPTS 5

static MprocSemaphore *
make (gint initial, gint max, MprocSemaphoreFlags flags)
{
  GError *error = NULL;
  MprocSemaphore *self = mproc_semaphore_new (initial, max, flags, &error);

  ck_assert_msg (self != NULL, "%s", error != NULL ? error->message : "no error");
  return self;
}

static const MprocSemaphoreFlags both[] = { MPROC_SEMAPHORE_DEFAULT,
                                            MPROC_SEMAPHORE_RESTORE };

/* Each test that is the same for both runs with both. */
#define FOR_EACH_FLAG(flag) for (guint flag = 0; flag < G_N_ELEMENTS (both); flag++)

static void
expect_value (MprocSemaphore *self, gint value)
{
  ck_assert_int_eq (mproc_semaphore_get_value (self), value);
  ck_assert (mproc_semaphore_is_locked (self) == (value == 0));
}

static void
expect_over_release (MprocSemaphore *self, const char *text)
{
  GError *error = NULL;
  gint before = mproc_semaphore_get_value (self);

  ck_assert (!mproc_semaphore_release (self, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_OVER_RELEASE, text);
  ck_assert (!mproc_semaphore_release (self, NULL));
  expect_value (self, before);
}

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

/* ------------------------------------------------------------------ death */

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
measure_return (int i)
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
  gint64 best = G_MAXINT64;

  if (mproc_test_is_thread (_i))
    return; /* a thread cannot be killed */
  for (guint i = 0; i < N_ATTEMPTS && best > SOON; i++)
    {
      gint64 time = measure_return (_i);

      best = MIN (best, time);
    }
  ck_assert_int_le (best, SOON);
}
END_TEST

/* As above, of one who only tries: his looks are all there are. */
static gint64
measure_tries (int i)
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
  gint64 best = G_MAXINT64;

  if (mproc_test_is_thread (_i))
    return; /* a thread cannot be killed */
  for (guint i = 0; i < N_ATTEMPTS && best > SOON; i++)
    {
      gint64 time = measure_tries (_i);

      best = MIN (best, time);
    }
  ck_assert_int_le (best, SOON);
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

  tcase = mproc_test_case (suite, "death");
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
