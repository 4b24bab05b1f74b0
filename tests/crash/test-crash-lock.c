/* SPDX-License-Identifier: MIT */
/* Deaths in the code of locks and recursive locks, and of the parking array under them. */
#include "crash.h"

#include "family/lockword.h"
#include "family/plain.h"

/* ------------------------------------------------------------------ the competition */

typedef MprocLockStatus (*Acquire) (gpointer lock, gint64 timeout);
typedef gboolean (*Release) (gpointer lock, GError **error);

static gboolean
do_one_round (CrashStage *stage, gpointer lock, Acquire acquire, Release release)
{
  MprocAtomic32 *word = ((MprocPlain *) lock)->body; /* the first of the body */
  MprocLockStatus status = acquire (lock, MPROC_SECONDS (20));

  if (status == MPROC_LOCK_STATUS_TIMED_OUT)
    return FALSE;
  if (status == MPROC_LOCK_STATUS_RECOVERED)
    {
      mproc_add32 (&stage->n_told, 1);
      stage->b = mproc_load64 (&stage->a);
    }
  else if (stage->a != stage->b)
    mproc_add32 (&stage->n_torn, 1);
  stage->a = stage->a + 1;
  crash_wait_for_bits (stage, word, 1); /* until somebody else waits for it */
  stage->b = stage->b + 1;
  return release (lock, NULL);
}

/* Everybody holds the lock until it is wanted. */
static GVariant *
compete (GVariant *args, Acquire acquire, Release release, GError **error)
{
  CrashPart part;

  if (!crash_begin (args, &part, error))
    return NULL;
  for (guint i = 0; crash_goes_on (&part, i); i++)
    {
      if (!do_one_round (part.stage, part.object, acquire, release))
        mproc_process_exit (9);
      if (part.number >= 0)
        mproc_add32 (&part.stage->progress[part.number], 1);
    }
  return NULL;
}

static GVariant *
compete_for_lock (GVariant *args, GError **error)
{
  return compete (args, (Acquire) mproc_lock_acquire, (Release) mproc_lock_release,
                  error);
}

static GVariant *
compete_for_rlock (GVariant *args, GError **error)
{
  return compete (args, (Acquire) mproc_rlock_acquire, (Release) mproc_rlock_release,
                  error);
}

static void
make_lock (CrashTrial *trial)
{
  trial->object = mproc_lock_new (NULL);
}

static void
make_rlock (CrashTrial *trial)
{
  trial->object = mproc_rlock_new (NULL);
}

static gboolean
both_go_on (CrashTrial *trial)
{
  for (guint i = 0; i < CRASH_N_SURVIVORS; i++)
    if (mproc_load32 (&trial->stage->progress[i]) < 2)
      return FALSE;
  return TRUE;
}

static void
expect_competition (CrashTrial *trial)
{
  for (guint i = 0; i < CRASH_N_SURVIVORS; i++)
    mproc_store32 (&trial->stage->progress[i], 0);
  crash_wait_until (trial, both_go_on);
  crash_end_survivors (trial);
  ck_assert_msg (mproc_load32 (&trial->stage->n_told) == trial->plan->told,
                 "%s: the survivors were told %u times",
                 mproc_crash_get_name (trial->plan->at),
                 mproc_load32 (&trial->stage->n_told));
}

static void
expect_lock (CrashTrial *trial)
{
  MprocLock *lock = trial->object;

  expect_competition (trial);
  ck_assert (!mproc_lock_is_locked (lock));
  ck_assert_int_eq (mproc_lock_acquire (lock, 0), MPROC_LOCK_STATUS_ACQUIRED);
  ck_assert (mproc_lock_release (lock, NULL));
}

static void
expect_rlock (CrashTrial *trial)
{
  MprocRLock *lock = trial->object;

  expect_competition (trial);
  ck_assert (!mproc_rlock_is_locked (lock) && !mproc_rlock_is_mine (lock));
  ck_assert_int_eq (mproc_rlock_acquire (lock, 0), MPROC_LOCK_STATUS_ACQUIRED);
  ck_assert_int_eq (mproc_rlock_acquire (lock, 0), MPROC_LOCK_STATUS_ACQUIRED);
  ck_assert (mproc_rlock_release (lock, NULL) && mproc_rlock_release (lock, NULL));
  ck_assert (!mproc_rlock_is_locked (lock));
}

static const CrashScene of_lock = {
  .set_up = make_lock,
  .doomed = compete_for_lock,
  .survivor = compete_for_lock,
  .check = expect_lock,
};
static const CrashScene of_rlock = {
  .set_up = make_rlock,
  .doomed = compete_for_rlock,
  .survivor = compete_for_rlock,
  .check = expect_rlock,
};

/* Not where the system has words that processes share. */
static gboolean
parks (void)
{
  return !mproc_os_has_words ();
}

#define AT(name) .at = MPROC_CRASH_##name
#define FIRST(name) .first = MPROC_CRASH_##name

static const CrashPlan plans[] = {
  { AT (LOCK_ACQUIRED), &of_lock, 3, .told = 1 },
  { AT (LOCK_ACQUIRED_SLOWLY), &of_lock, 3, .told = 1 },
  { AT (LOCK_ANNOUNCED), &of_lock, 3 },
  { AT (LOCK_WOKEN), &of_lock, 3 },
  { AT (LOCK_TAKING_OVER), &of_lock, FIRST (LOCK_ACQUIRED), .told = 1 },
  { AT (LOCK_TAKEN_OVER), &of_lock, FIRST (LOCK_ACQUIRED), .told = 1 },
  { AT (LOCK_RELEASED), &of_lock, 3 },
  { AT (LOCKWORD_RELEASED), &of_rlock, 3 },
  { AT (RLOCK_ACQUIRED), &of_rlock, 3, .told = 1 },
  { AT (RLOCK_NAMED), &of_rlock, 3, .told = 1 },
  { AT (RLOCK_LEFT), &of_rlock, 3, .told = 1 },
  { AT (PARKING_LEASED), &of_lock, .is_here = parks },
  { AT (PARKING_PUBLISHED), &of_lock, 3, .is_here = parks },
  { AT (PARKING_POSTED), &of_lock, 3, .is_here = parks },
  { AT (PARKING_CLEARED), &of_lock, 3, .is_here = parks },
  { AT (PARKING_WOKE), &of_lock, 3, .is_here = parks },
};

#define POINTS(POINT) MPROC_CRASH_LOCK_POINTS (POINT) MPROC_CRASH_PARKING_POINTS (POINT)

CRASH_SUITE (crash_lock, "crash-lock", POINTS)
