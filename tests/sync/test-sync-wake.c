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

/* ------------------------------------------------------------------ all at once */

#define N_SLEEPERS 8

/* One who comes too late for what is told only once waits so long. */
#define NIGHT MPROC_SECONDS (1)

/* Several sleep in it, and are woken by what one does. */
typedef struct
{
  const char *name;
  gpointer (*make) (void);
  void (*drop) (gpointer object);
  void (*sleep) (gpointer object);
  void (*wake) (gpointer object);
} Bed;

/* Each lets the next one in. */
static void
pass_lock (gpointer object)
{
  take_lock (object);
  give_lock (object);
}

static void
give_many (gpointer object)
{
  for (guint i = 0; i < N_SLEEPERS; i++)
    give_semaphore (object);
}

static void
wait_for_event (gpointer object)
{
  mproc_event_wait (object, NIGHT);
}

static void
pulse_event (gpointer object)
{
  mproc_event_set (object);
  mproc_event_clear (object);
}

static gpointer
make_condition (void)
{
  return mproc_condition_new (NULL, NULL);
}

static void
drop_condition (gpointer object)
{
  mproc_condition_unref (object);
}

static void
wait_in_condition (gpointer object)
{
  mproc_condition_acquire (object, MPROC_FOREVER);
  mproc_condition_wait (object, NIGHT, NULL);
  mproc_condition_release (object, NULL);
}

static void
notify_all (gpointer object)
{
  mproc_condition_acquire (object, MPROC_FOREVER);
  mproc_condition_notify_all (object, NULL);
  mproc_condition_release (object, NULL);
}

static gpointer
make_barrier (void)
{
  return mproc_barrier_new (N_SLEEPERS + 1, NULL, NULL, MPROC_FOREVER, NULL);
}

static void
drop_barrier (gpointer object)
{
  mproc_barrier_unref (object);
}

static void
wait_at_barrier (gpointer object)
{
  mproc_barrier_wait (object, NIGHT, NULL);
}

static void
abort_barrier (gpointer object)
{
  mproc_barrier_abort (object);
}

static void
reset_barrier (gpointer object)
{
  mproc_barrier_reset (object);
}

static gpointer
make_queue (void)
{
  return mproc_queue_new (0, NULL);
}

/* Full, and with a task to be done. */
static gpointer
make_full_queue (void)
{
  MprocQueue *queue = mproc_queue_new (1, NULL);

  mproc_queue_put_bytes (queue, "x", 1, 0, NULL);
  return queue;
}

static void
drop_queue (gpointer object)
{
  mproc_queue_unref (object);
}

static void
get_from_queue (gpointer object)
{
  char byte;

  mproc_queue_get_bytes_into (object, &byte, 1, MPROC_FOREVER, NULL);
}

static void
put_into_queue (gpointer object)
{
  mproc_queue_put_bytes (object, "y", 1, MPROC_FOREVER, NULL);
}

static void
join_queue (gpointer object)
{
  mproc_queue_join (object, MPROC_FOREVER);
}

static void
put_many (gpointer object)
{
  for (guint i = 0; i < N_SLEEPERS; i++)
    put_into_queue (object);
}

static void
put_batch (gpointer object)
{
  GVariant *items[N_SLEEPERS];

  for (guint i = 0; i < N_SLEEPERS; i++)
    items[i] = g_variant_new_bytestring ("");
  mproc_queue_put_many (object, items, N_SLEEPERS, MPROC_FOREVER, NULL);
}

static void
get_value_from_queue (gpointer object)
{
  GVariant *value = mproc_queue_get (object, MPROC_FOREVER, NULL);

  g_variant_unref (value);
}

static void
get_many (gpointer object)
{
  for (guint i = 0; i <= N_SLEEPERS; i++)
    get_from_queue (object);
}

static void
shut_down (gpointer object)
{
  mproc_queue_shutdown (object, FALSE);
}

static void
shut_down_now (gpointer object)
{
  mproc_queue_shutdown (object, TRUE);
}

static void
do_task (gpointer object)
{
  mproc_queue_task_done (object, NULL);
}

static const Bed beds[] = {
  { "lock", make_lock, drop_lock, pass_lock, give_lock },
  { "semaphore", make_semaphore, drop_semaphore, take_semaphore, give_many },
  { "restoring", make_restoring, drop_semaphore, take_semaphore, give_many },
  { "event", make_event, drop_event, wait_for_event, give_event },
  { "pulse", make_event, drop_event, wait_for_event, pulse_event },
  { "notify", make_condition, drop_condition, wait_in_condition, notify_all },
  { "barrier", make_barrier, drop_barrier, wait_at_barrier, wait_at_barrier },
  { "abort", make_barrier, drop_barrier, wait_at_barrier, abort_barrier },
  { "reset", make_barrier, drop_barrier, wait_at_barrier, reset_barrier },
  { "put", make_queue, drop_queue, get_from_queue, put_many },
  { "put_many", make_queue, drop_queue, get_value_from_queue, put_batch },
  { "get", make_full_queue, drop_queue, put_into_queue, get_many },
  { "end of getters", make_queue, drop_queue, get_from_queue, shut_down },
  { "end of putters", make_full_queue, drop_queue, put_into_queue, shut_down },
  { "end of joiners", make_full_queue, drop_queue, join_queue, shut_down_now },
  { "task_done", make_full_queue, drop_queue, join_queue, do_task },
};

typedef struct
{
  const Bed *bed;
  gpointer object;
  gint n_coming;
} Night;

static gpointer
sleep_in_bed (gpointer data)
{
  Night *self = data;

  g_atomic_int_inc (&self->n_coming);
  self->bed->sleep (self->object);
  return NULL;
}

static gboolean
all_have_come (gpointer data)
{
  return g_atomic_int_get (&((Night *) data)->n_coming) == N_SLEEPERS;
}

/* They are woken near the beginning of a nap, so that one who is not woken is late. */
static gint64
measure_waking (int i, gconstpointer data)
{
  const Bed *bed = data;
  Night self = { bed, bed->make (), 0 };
  GThread *sleepers[N_SLEEPERS];
  gint64 before;

  for (guint i = 0; i < N_SLEEPERS; i++)
    sleepers[i] = g_thread_new (NULL, sleep_in_bed, &self);
  ck_assert (mproc_test_eventually (all_have_come, &self));
  g_usleep (10000);
  before = g_get_monotonic_time ();
  bed->wake (self.object);
  for (guint i = 0; i < N_SLEEPERS; i++)
    g_thread_join (sleepers[i]);
  before = g_get_monotonic_time () - before;
  bed->drop (self.object);
  return before;
}

START_TEST (all_who_sleep_are_woken)
{
  for (guint i = 0; i < G_N_ELEMENTS (beds); i++)
    {
      gint64 best = mproc_test_best (measure_waking, 0, &beds[i], MPROC_NAP / 3);

      ck_assert_msg (best <= MPROC_NAP / 3, "%s: %" G_GINT64_FORMAT " us", beds[i].name,
                     best);
    }
}
END_TEST

Suite *
mproc_test_sync_wake_suite (void)
{
  Suite *suite = suite_create ("sync-wake");
  TCase *tcase = mproc_test_case (suite, "wake");

  tcase_add_test (tcase, all_who_sleep_are_woken);
  tcase_add_loop_test (tcase, sleepers_are_woken, 0, (int) mproc_test_n_methods ());
  return suite;
}
