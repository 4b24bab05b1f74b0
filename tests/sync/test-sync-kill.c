/* SPDX-License-Identifier: MIT */
/* Processes are killed at random instants of whatever they do with a lock, a semaphore or an
 * event, and replaced.  Nobody who is left hangs, what the lock guards is torn only for one who
 * is told so, and the counts add up.
 *
 * Another class is another line in the table of scenarios. */
#include "processes.h"

#include "arena/arena.h"
#include "family/family.h"

#define N_WORKERS 4
#define PATIENCE MPROC_SECONDS (20)
#define SOON MPROC_SECONDS (0.3)

/* In the arena. */
typedef struct
{
  MprocAtomic32 stop;
  MprocAtomic32 n_wrong; /* how often something was as it must not be */
  MprocAtomic32 n_recovered;
  MprocAtomic32 progress[N_WORKERS]; /* operations, by worker */
  MprocAtomic32 done[N_WORKERS];     /* what the worker knows it has done: units */
  MprocAtomic32 inside[N_WORKERS];   /* the member that is inside, or was when it died */
  guint64 a, b;                      /* two halves; equal, unless somebody is inside */
} Ledger;

typedef struct
{
  gpointer object;
  Ledger *ledger;
  guint number;
} Worker;

typedef struct
{
  const char *name;
  gpointer (*make) (GError **error);
  void (*drop) (gpointer object);

  /* In the workers: one operation. */
  void (*work) (Worker *self);

  /* In the parent: lets those go who wait, when all have been told to stop; again and again
   * until they have ended.  Looks at what is left, @n_killed by worker. */
  void (*release) (gpointer object, Ledger *ledger);
  void (*check) (gpointer object, Ledger *ledger, const guint *n_killed);
} Scenario;

static void
complain_if (Worker *self, gboolean wrong)
{
  if (wrong)
    mproc_add32 (&self->ledger->n_wrong, 1);
}

static void
waste_time (guint n)
{
  for (guint i = 0; i < n; i++)
    mproc_os_relax ();
}

static guint
sum (const guint *numbers, guint first, guint step)
{
  guint all = 0;

  for (guint i = first; i < N_WORKERS; i += step)
    all += numbers[i];
  return all;
}

/* ------------------------------------------------------------------ locks */

static void
release_nobody (gpointer object, Ledger *ledger)
{
  (void) object;
  (void) ledger;
}

static void
change_halves (Worker *self, MprocLockStatus status)
{
  Ledger *ledger = self->ledger;

  complain_if (self, status == MPROC_LOCK_STATUS_TIMED_OUT);
  if (status == MPROC_LOCK_STATUS_RECOVERED)
    {
      mproc_add32 (&ledger->n_recovered, 1);
      ledger->b = ledger->a;
    }
  complain_if (self, ledger->a != ledger->b);
  ledger->a++;
  waste_time (100);
  ledger->b++;
}

/* Each death is told at most once for each time that a holder died.  Most of the time
 * somebody is inside, so that among many there are some who died there. */
static void
check_halves (Ledger *ledger, const guint *n_killed)
{
  guint n_recovered = mproc_load32 (&ledger->n_recovered);

  ck_assert_uint_le (n_recovered, sum (n_killed, 0, 1));
  if (sum (n_killed, 0, 1) >= 200)
    ck_assert_uint_gt (n_recovered, 0);
}

static gpointer
make_lock (GError **error)
{
  return mproc_lock_new (error);
}

static void
drop_lock (gpointer object)
{
  mproc_lock_unref (object);
}

static void
work_with_lock (Worker *self)
{
  change_halves (self, mproc_lock_acquire (self->object, MPROC_FOREVER));
  complain_if (self, !mproc_lock_release (self->object, NULL));
}

static void
check_lock (gpointer object, Ledger *ledger, const guint *n_killed)
{
  check_halves (ledger, n_killed);
  ck_assert (mproc_lock_acquire (object, 0) != MPROC_LOCK_STATUS_TIMED_OUT);
  ck_assert (mproc_lock_release (object, NULL));
  ck_assert (!mproc_lock_is_locked (object));
}

static gpointer
make_rlock (GError **error)
{
  return mproc_rlock_new (error);
}

static void
drop_rlock (gpointer object)
{
  mproc_rlock_unref (object);
}

static void
work_with_rlock (Worker *self)
{
  MprocLockStatus status = mproc_rlock_acquire (self->object, MPROC_FOREVER);

  complain_if (self, mproc_rlock_acquire (self->object, 0) != MPROC_LOCK_STATUS_ACQUIRED);
  change_halves (self, status);
  complain_if (self, !mproc_rlock_release (self->object, NULL));
  complain_if (self, !mproc_rlock_is_mine (self->object));
  complain_if (self, !mproc_rlock_release (self->object, NULL));
}

static void
check_rlock (gpointer object, Ledger *ledger, const guint *n_killed)
{
  check_halves (ledger, n_killed);
  ck_assert (mproc_rlock_acquire (object, 0) != MPROC_LOCK_STATUS_TIMED_OUT);
  ck_assert (mproc_rlock_release (object, NULL));
  ck_assert (!mproc_rlock_is_locked (object));
}

/* ------------------------------------------------------------------ semaphores */

static void
drop_semaphore (gpointer object)
{
  mproc_semaphore_unref (object);
}

static gpointer
make_signals (GError **error)
{
  return mproc_semaphore_new (0, 0, MPROC_SEMAPHORE_DEFAULT, error);
}

/* Workers of even numbers add units, as long as there are few of them, the others take them. */
static void
work_with_signals (Worker *self)
{
  MprocAtomic32 *done = &self->ledger->done[self->number];

  if (self->number % 2 == 1)
    complain_if (self, !mproc_semaphore_acquire (self->object, MPROC_FOREVER));
  else if (mproc_semaphore_get_value (self->object) < 4)
    complain_if (self, !mproc_semaphore_release (self->object, NULL));
  else
    {
      g_thread_yield ();
      return;
    }
  mproc_crash_order ();
  mproc_add32 (done, 1);
}

static void
release_takers (gpointer object, Ledger *ledger)
{
  for (guint i = 1; i < N_WORKERS; i += 2)
    if (mproc_semaphore_release (object, NULL))
      mproc_add32 (&ledger->done[0], 1);
}

/* Each one killed may have had one unit more than it knew. */
static void
check_signals (gpointer object, Ledger *ledger, const guint *n_killed)
{
  gint expected = 0;
  gint value = mproc_semaphore_get_value (object);

  for (guint i = 0; i < N_WORKERS; i++)
    expected += (i % 2 == 0 ? 1 : -1) * (gint) mproc_load32 (&ledger->done[i]);
  ck_assert_int_ge (value, expected - (gint) sum (n_killed, 1, 2));
  ck_assert_int_le (value, expected + (gint) sum (n_killed, 0, 2));
}

static gpointer
make_one_unit (GError **error)
{
  return mproc_semaphore_new (1, 1, MPROC_SEMAPHORE_RESTORE, error);
}

static gpointer
make_two_units (GError **error)
{
  return mproc_semaphore_new (2, 2, MPROC_SEMAPHORE_RESTORE, error);
}

static void
work_with_units (Worker *self)
{
  complain_if (self, !mproc_semaphore_acquire (self->object, MPROC_FOREVER));
  waste_time (100);
  complain_if (self, !mproc_semaphore_release (self->object, NULL));
}

/* Whoever says that it is inside, and lives, has the unit. */
static void
look_for_others (Worker *self)
{
  for (guint i = 0; i < N_WORKERS; i++)
    {
      MprocMember other = mproc_load32 (&self->ledger->inside[i]);

      complain_if (self,
                   i != self->number && other != 0 && !mproc_member_is_dead (other));
    }
}

static void
work_with_the_unit (Worker *self)
{
  MprocAtomic32 *inside = &self->ledger->inside[self->number];

  complain_if (self, !mproc_semaphore_acquire (self->object, MPROC_FOREVER));
  mproc_store32 (inside, mproc_self ());
  look_for_others (self);
  waste_time (100);
  mproc_store32 (inside, 0);
  complain_if (self, !mproc_semaphore_release (self->object, NULL));
}

static void
check_units (gpointer object, guint n)
{
  for (guint i = 0; i < n; i++)
    ck_assert (mproc_semaphore_acquire (object, 0));
  ck_assert (!mproc_semaphore_acquire (object, 0));
  for (guint i = 0; i < n; i++)
    ck_assert (mproc_semaphore_release (object, NULL));
  ck_assert (!mproc_semaphore_release (object, NULL));
  ck_assert_uint_eq ((guint) mproc_semaphore_get_value (object), n);
}

static void
check_one_unit (gpointer object, Ledger *ledger, const guint *n_killed)
{
  (void) ledger;
  (void) n_killed;
  check_units (object, 1);
}

static void
check_two_units (gpointer object, Ledger *ledger, const guint *n_killed)
{
  (void) ledger;
  (void) n_killed;
  check_units (object, 2);
}

/* ------------------------------------------------------------------ events */

static gpointer
make_event (GError **error)
{
  return mproc_event_new (error);
}

static void
drop_event (gpointer object)
{
  mproc_event_unref (object);
}

/* Workers of even numbers pulse, the others wait. */
static void
work_with_event (Worker *self)
{
  if (self->number % 2 == 1)
    {
      complain_if (self, !mproc_event_wait (self->object, MPROC_FOREVER));
      return;
    }
  mproc_event_set (self->object);
  mproc_event_clear (self->object);
  g_thread_yield ();
}

static void
release_waiters (gpointer object, Ledger *ledger)
{
  (void) ledger;
  mproc_event_set (object);
}

static void
check_event (gpointer object, Ledger *ledger, const guint *n_killed)
{
  (void) ledger;
  (void) n_killed;
  mproc_event_clear (object);
  ck_assert (!mproc_event_wait (object, 0));
  mproc_event_set (object);
  ck_assert (mproc_event_wait (object, 0));
}

/* ------------------------------------------------------------------ the table */

static const Scenario scenarios[] = {
  { "lock", make_lock, drop_lock, work_with_lock, release_nobody, check_lock },
  { "rlock", make_rlock, drop_rlock, work_with_rlock, release_nobody, check_rlock },
  { "signals", make_signals, drop_semaphore, work_with_signals, release_takers,
    check_signals },
  { "one unit", make_one_unit, drop_semaphore, work_with_the_unit, release_nobody,
    check_one_unit },
  { "two units", make_two_units, drop_semaphore, work_with_units, release_nobody,
    check_two_units },
  { "event", make_event, drop_event, work_with_event, release_waiters, check_event },
};

static GVariant *
work (GVariant *args, GError **error)
{
  Worker self;
  guint32 scenario;
  guint64 offset;

  if (!mproc_unpack (args, error, "(&huut)", &self.object, &scenario, &self.number,
                     &offset))
    return NULL;
  self.ledger = mproc_arena_at (offset, sizeof *self.ledger);
  while (!mproc_load32 (&self.ledger->stop))
    {
      scenarios[scenario].work (&self);
      mproc_add32 (&self.ledger->progress[self.number], 1);
    }
  return NULL;
}

/* ------------------------------------------------------------------ the killing */

typedef struct
{
  guint scenario;
  gpointer object;
  MprocOffset offset;
  Ledger *ledger;
  MprocProcess *workers[N_WORKERS];
  guint n_killed[N_WORKERS];
} Run;

static void
start (Run *self, guint i)
{
  /* The first of the methods: fork, where there is one. */
  self->workers[i] = mproc_test_start (0, work,
                                       mproc_pack ("(huut)", self->object, self->scenario,
                                                   i, (guint64) self->offset));
}

static void
kill_one (Run *self, guint i)
{
  ck_assert (mproc_process_kill (self->workers[i], NULL));
  ck_assert (mproc_process_join (self->workers[i], MPROC_FOREVER));
  mproc_process_unref (self->workers[i]);
  self->workers[i] = NULL;
  self->n_killed[i]++;
}

/* Until all who live have done @n operations more; how long that took. */
static gint64
wait_for_progress (Run *self, guint32 n)
{
  gint64 begin = g_get_monotonic_time ();
  guint32 before[N_WORKERS];

  for (guint i = 0; i < N_WORKERS; i++)
    before[i] = mproc_load32 (&self->ledger->progress[i]);
  for (guint i = 0; i < N_WORKERS; i++)
    while (self->workers[i] != NULL &&
           mproc_load32 (&self->ledger->progress[i]) - before[i] < n)
      {
        ck_assert_msg (g_get_monotonic_time () - begin < PATIENCE,
                       "%s: worker %u hangs after %u, %u, %u, %u deaths",
                       scenarios[self->scenario].name, i, self->n_killed[0],
                       self->n_killed[1], self->n_killed[2], self->n_killed[3]);
        g_usleep (200);
      }
  return g_get_monotonic_time () - begin;
}

/* The others are on their own, and all of them at work. */
static gboolean
others_go_on_soon (Run *self, guint i, GRand *rand)
{
  gboolean soon;

  wait_for_progress (self, 1);
  g_usleep ((gulong) g_rand_int_range (rand, 0, 1000));
  kill_one (self, i);
  soon = wait_for_progress (self, 1) <= SOON;
  start (self, i);
  return soon;
}

/* Mostly the successor is there at once, and may be the first to find what the dead one has
 * left.  Now and then the others are on their own.  A machine that does other work may be
 * late too, but hardly two times in a row. */
static void
kill_often (Run *self, gint n_kills)
{
  GRand *rand = g_rand_new_with_seed (self->scenario);
  gint n_looks = 0;
  gint n_late = 0;

  for (gint k = 0; k < n_kills; k++)
    {
      guint i = (guint) g_rand_int_range (rand, 0, N_WORKERS);

      if (k % 8 == 0 || n_kills < 8)
        {
          n_looks++;
          if (!others_go_on_soon (self, i, rand) && !others_go_on_soon (self, i, rand))
            n_late++;
          continue;
        }
      g_usleep ((gulong) g_rand_int_range (rand, 0, 1000));
      kill_one (self, i);
      start (self, i);
    }
  wait_for_progress (self, 1);
  ck_assert_int_le (n_late, MAX (1, n_looks / 10));
  g_rand_free (rand);
}

static void
stop (Run *self)
{
  mproc_store32 (&self->ledger->stop, 1);
  for (guint i = 0; i < N_WORKERS; i++)
    {
      do
        scenarios[self->scenario].release (self->object, self->ledger);
      while (!mproc_process_join (self->workers[i], MPROC_SECONDS (0.01)));
      mproc_test_end_with (self->workers[i], 0);
    }
}

static gint
n_kills (void)
{
  return mproc_test_scale (mproc_test_is_slow_platform () ? 6 : 200);
}

START_TEST (killed)
{
  const Scenario *scenario = &scenarios[_i];
  Run self = { .scenario = (guint) _i };

  self.object = scenario->make (NULL);
  self.offset = mproc_arena_alloc0 (sizeof *self.ledger, NULL);
  ck_assert (self.object != NULL && self.offset != 0);
  self.ledger = mproc_arena_at (self.offset, sizeof *self.ledger);
  for (guint i = 0; i < N_WORKERS; i++)
    start (&self, i);
  /* A thread cannot be killed: then they only work beside each other. */
  if (mproc_test_is_thread (0))
    wait_for_progress (&self, 200);
  else
    kill_often (&self, n_kills ());
  stop (&self);
  ck_assert_msg (mproc_load32 (&self.ledger->n_wrong) == 0, "%s: %u times wrong",
                 scenario->name, mproc_load32 (&self.ledger->n_wrong));
  scenario->check (self.object, self.ledger, self.n_killed);
  mproc_arena_free (self.offset);
  scenario->drop (self.object);
}
END_TEST

Suite *
mproc_test_sync_kill_suite (void)
{
  Suite *suite = suite_create ("sync-kill");
  TCase *tcase = mproc_test_case (suite, "kill");

  tcase_add_loop_test (tcase, killed, 0, (int) G_N_ELEMENTS (scenarios));
  return suite;
}
