/* SPDX-License-Identifier: MIT */
/* Whoever sleeps is woken at once, not when he looks again by himself. */
#include "processes.h"

#include "arena/word.h"

#include <stdlib.h>

#define N_CHILDREN 3
#define N_ROUNDS 15
#define N_SERIES 4

/* A unit is made, and taken by one who waits for it. */
typedef struct
{
  gpointer (*make) (void);
  void (*drop) (gpointer object);
  void (*give) (gpointer object);
  void (*take) (gpointer object);
  guint n_children; /* who wait at the same time, each for a unit */
} Kind;

/* A lock is free when there is a unit. */
static gpointer
make_lock (void)
{
  MprocLock *lock = mproc_lock_new (NULL);

  mproc_lock_acquire (lock, 0);
  return lock;
}

static void
drop_lock (gpointer object)
{
  mproc_lock_unref (object);
}

static void
give_lock (gpointer object)
{
  mproc_lock_release (object, NULL);
}

static void
take_lock (gpointer object)
{
  mproc_lock_acquire (object, MPROC_FOREVER);
}

static gpointer
make_semaphore (void)
{
  return mproc_semaphore_new (0, 0, MPROC_SEMAPHORE_DEFAULT, NULL);
}

static gpointer
make_restoring (void)
{
  return mproc_semaphore_new (0, 0, MPROC_SEMAPHORE_RESTORE, NULL);
}

static void
drop_semaphore (gpointer object)
{
  mproc_semaphore_unref (object);
}

static void
give_semaphore (gpointer object)
{
  mproc_semaphore_release (object, NULL);
}

static void
take_semaphore (gpointer object)
{
  mproc_semaphore_acquire (object, MPROC_FOREVER);
}

static gpointer
make_event (void)
{
  return mproc_event_new (NULL);
}

static void
drop_event (gpointer object)
{
  mproc_event_unref (object);
}

static void
give_event (gpointer object)
{
  mproc_event_set (object);
}

static void
take_event (gpointer object)
{
  mproc_event_wait (object, MPROC_FOREVER);
  mproc_event_clear (object);
}

static const Kind kinds[] = {
  { make_lock, drop_lock, give_lock, take_lock, 1 },
  { make_semaphore, drop_semaphore, give_semaphore, take_semaphore, N_CHILDREN },
  { make_restoring, drop_semaphore, give_semaphore, take_semaphore, N_CHILDREN },
  { make_event, drop_event, give_event, take_event, 1 },
};

/* For each unit that comes one goes back. */
static GVariant *
echo (GVariant *args, GError **error)
{
  gpointer there, back;
  guint32 kind;

  if (!mproc_unpack (args, error, "(&h&hu)", &there, &back, &kind))
    return NULL;
  for (guint i = 0; i < N_ROUNDS * N_SERIES; i++)
    {
      kinds[kind].take (there);
      kinds[kind].give (back);
    }
  return NULL;
}

/* Given time to fall asleep, all children are woken; the time until all have answered. */
static gint64
measure_round (const Kind *kind, gpointer there, gpointer back)
{
  gint64 before;

  g_usleep (2000);
  before = g_get_monotonic_time ();
  for (guint k = 0; k < kind->n_children; k++)
    kind->give (there);
  for (guint k = 0; k < kind->n_children; k++)
    kind->take (back);
  return g_get_monotonic_time () - before;
}

static gint
compare (gconstpointer a, gconstpointer b)
{
  gint64 difference = *(const gint64 *) a - *(const gint64 *) b;

  return difference < 0 ? -1 : difference > 0;
}

static gint64
measure_series (const Kind *kind, gpointer there, gpointer back)
{
  gint64 times[N_ROUNDS];

  for (guint i = 0; i < N_ROUNDS; i++)
    times[i] = measure_round (kind, there, back);
  qsort (times, N_ROUNDS, sizeof times[0], compare);
  return times[N_ROUNDS / 2];
}

static void
expect_wakes (int i, guint32 which)
{
  const Kind *kind = &kinds[which];
  gpointer there = kind->make ();
  gpointer back = kind->make ();
  MprocProcess *children[N_CHILDREN];
  gint64 best = G_MAXINT64;

  for (guint k = 0; k < kind->n_children; k++)
    children[k] = mproc_test_start (i, echo, mproc_pack ("(hhu)", there, back, which));
  for (guint series = 0; series < N_SERIES; series++)
    {
      gint64 time = measure_series (kind, there, back);

      best = MIN (best, time);
    }
  for (guint k = 0; k < kind->n_children; k++)
    mproc_test_end_with (children[k], 0);
  ck_assert_msg (best < MPROC_NAP / 4, "kind %u: %" G_GINT64_FORMAT " us", which, best);
  kind->drop (there);
  kind->drop (back);
}

START_TEST (sleepers_are_woken)
{
  for (guint32 which = 0; which < G_N_ELEMENTS (kinds); which++)
    expect_wakes (_i, which);
}
END_TEST

Suite *
mproc_test_sync_wake_suite (void)
{
  Suite *suite = suite_create ("sync-wake");
  TCase *tcase = mproc_test_case (suite, "wake");

  tcase_add_loop_test (tcase, sleepers_are_woken, 0, (int) mproc_test_n_methods ());
  return suite;
}
