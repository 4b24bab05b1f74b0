/* SPDX-License-Identifier: MIT */
/* Deaths in the code of conditions and barriers. */
#include "crash.h"

#include "processes.h"

/* ------------------------------------------------------------------ tokens */

/* Under the condition's lock stage->go is how many tokens there are: whoever waits wants one.
 * stage->sent and stage->taken count those that were ever there, and those that were taken. */

/* Who is told of a death under the lock tells those who wait: the dead one may have been notified
 * for a token that it did not take, or not have come to notify. */
static void
look_again (MprocCondition *condition, MprocLockStatus status)
{
  if (status == MPROC_LOCK_STATUS_RECOVERED)
    mproc_condition_notify_all (condition, NULL);
}

static void
acquire (MprocCondition *condition)
{
  look_again (condition, mproc_condition_acquire (condition, MPROC_FOREVER));
}

static void
put_token (CrashStage *stage, MprocCondition *condition)
{
  acquire (condition);
  mproc_add32 (&stage->go, 1);
  mproc_add32 (&stage->sent, 1);
  mproc_condition_notify (condition, 1, NULL);
  mproc_condition_release (condition, NULL);
}

/* FALSE: nobody cares any more. */
static gboolean
take_token (CrashStage *stage, MprocCondition *condition)
{
  gboolean taken;

  acquire (condition);
  while (mproc_load32 (&stage->go) == 0 && !mproc_load32 (&stage->stop))
    {
      mproc_add32 (&stage->waits, 1);
      look_again (condition, mproc_condition_wait (condition, MPROC_FOREVER, NULL));
    }
  taken = mproc_load32 (&stage->go) > 0;
  if (taken)
    {
      mproc_store32 (&stage->go, mproc_load32 (&stage->go) - 1);
      mproc_add32 (&stage->taken, 1);
    }
  mproc_condition_release (condition, NULL);
  return taken;
}

static GVariant *
take_tokens (GVariant *args, GError **error)
{
  CrashPart part;

  if (!crash_begin (args, &part, error))
    return NULL;
  while (take_token (part.stage, part.object))
    ;
  return NULL;
}

static void
wait_for_waiters (CrashStage *stage, guint32 before)
{
  gint64 deadline = g_get_monotonic_time () + 2000;

  while (mproc_load32 (&stage->waits) == before && !mproc_load32 (&stage->stop) &&
         g_get_monotonic_time () < deadline)
    g_thread_yield ();
}

/* One after the other, to somebody who mostly has begun to wait. */
static GVariant *
put_tokens (GVariant *args, GError **error)
{
  CrashPart part;

  if (!crash_begin (args, &part, error))
    return NULL;
  for (guint i = 0; crash_goes_on (&part, i); i++)
    {
      guint32 before = mproc_load32 (&part.stage->waits);

      put_token (part.stage, part.object);
      wait_for_waiters (part.stage, before);
    }
  return NULL;
}

static void
make_condition (CrashTrial *trial)
{
  trial->object = mproc_condition_new (NULL, NULL);
}

static gboolean
all_are_taken (CrashTrial *trial)
{
  return mproc_load32 (&trial->stage->taken) == mproc_load32 (&trial->stage->sent);
}

static void
send_home (CrashStage *stage, MprocCondition *condition)
{
  mproc_store32 (&stage->stop, 1);
  acquire (condition);
  mproc_condition_notify_all (condition, NULL);
  mproc_condition_release (condition, NULL);
}

/* What was put before the death is taken, without another notification; unless the lock is the
 * dead one's and tells of it.  Then it goes on. */
static void
expect_tokens_taken (CrashTrial *trial)
{
  CrashStage *stage = trial->stage;
  MprocCondition *condition = trial->object;

  if (trial->plan->told)
    {
      acquire (condition);
      ck_assert (mproc_condition_release (condition, NULL));
    }
  crash_wait_until (trial, all_are_taken);
  for (guint i = 0; i < 10; i++)
    put_token (stage, condition);
  crash_wait_until (trial, all_are_taken);
  send_home (stage, condition);
  crash_end_survivors (trial);
  ck_assert_uint_eq (mproc_load32 (&stage->go), 0);
  ck_assert (all_are_taken (trial));
}

static const CrashScene of_notifying = {
  .set_up = make_condition,
  .doomed = put_tokens,
  .survivor = take_tokens,
  .check = expect_tokens_taken,
};

/* ------------------------------------------------------------------ those who wait */

/* Tokens until one of the three has died; if none does, or none is to, all are sent home. */
static void
put_tokens_meanwhile (CrashTrial *trial)
{
  CrashStage *stage = trial->stage;
  gboolean armed = mproc_load32 (&stage->armed);

  for (guint i = 0; mproc_process_is_alive (trial->doomed); i++)
    {
      guint32 before = mproc_load32 (&stage->waits);

      if (armed ? (guint64) g_get_monotonic_time () >= mproc_load64 (&stage->deadline)
                : i == 20)
        break;
      put_token (stage, trial->object);
      wait_for_waiters (stage, before);
    }
  if (mproc_process_is_alive (trial->doomed))
    send_home (stage, trial->object);
}

/* Those who have gone home took what there was. */
static void
expect_no_token_lost (CrashTrial *trial)
{
  if (mproc_load32 (&trial->stage->stop))
    crash_wait_until (trial, all_are_taken);
  else
    expect_tokens_taken (trial);
}

static const CrashScene of_waiting = {
  .set_up = make_condition,
  .doomed = take_tokens,
  .survivor = take_tokens,
  .meanwhile = put_tokens_meanwhile,
  .check = expect_no_token_lost,
};

/* ------------------------------------------------------------------ a notification passed on */

static GVariant *
notify_later (GVariant *args, GError **error)
{
  CrashPart part;

  if (!crash_begin (args, &part, error))
    return NULL;
  crash_wait_for_bits (part.stage, &part.stage->progress[0], 1);
  put_token (part.stage, part.object);
  return NULL;
}

static gboolean
other_waits (gpointer data)
{
  CrashTrial *trial = data;

  return mproc_load32 (&trial->stage->waits) > 0;
}

/* One is notified, and dies before it says so: the doomed one is the first to find it. */
static void
let_notified_one_die (CrashTrial *trial)
{
  MprocProcess *other = crash_start (trial, take_tokens, MPROC_CRASH_WAITER_WOKEN, 1, 0);

  ck_assert (mproc_test_eventually (other_waits, trial));
  put_token (trial->stage, trial->object);
  ck_assert (mproc_process_join (other, MPROC_FOREVER));
  mproc_process_unref (other);
  mproc_store32 (&trial->stage->progress[0], 1);
}

/* The tokens are there for whoever comes. */
static void
expect_tokens_there (CrashTrial *trial)
{
  while (mproc_load32 (&trial->stage->go) > 0)
    ck_assert (take_token (trial->stage, trial->object));
  crash_has_gone_on (trial);
  mproc_condition_acquire (trial->object, 0);
  ck_assert (!mproc_condition_wait (trial->object, 1000, NULL));
  ck_assert (mproc_condition_release (trial->object, NULL));
}

static const CrashScene of_passing_on = {
  .set_up = make_condition,
  .doomed = notify_later,
  .meanwhile = let_notified_one_die,
  .check = expect_tokens_there,
};

/* ------------------------------------------------------------------ barriers */

#define PARTIES 3

/* How often the action was run. */
static GVariant *
count_rounds (GVariant *args, GError **error)
{
  guint64 offset;
  CrashStage *stage;

  if (!mproc_unpack (args, error, "(t)", &offset))
    return NULL;
  stage = mproc_arena_at (offset, sizeof *stage);
  mproc_add32 (&stage->sent, 1);
  return NULL;
}

static void
make_barrier (CrashTrial *trial)
{
  trial->object = mproc_barrier_new (PARTIES, count_rounds,
                                     mproc_pack ("(t)", (guint64) trial->offset),
                                     MPROC_SECONDS (20), NULL);
  ck_assert_ptr_nonnull (trial->object);
}

static void
wait_while_broken (CrashStage *stage, MprocBarrier *barrier)
{
  while (mproc_barrier_is_broken (barrier) && !mproc_load32 (&stage->stop))
    g_thread_yield ();
}

static GVariant *
go_round (GVariant *args, GError **error)
{
  CrashPart part;

  if (!crash_begin (args, &part, error))
    return NULL;
  while (!mproc_load32 (&part.stage->stop))
    if (mproc_barrier_wait (part.object, MPROC_BARRIER_TIMEOUT, NULL) >= 0)
      mproc_add32 (&part.stage->progress[part.number], 1);
    else if (!mproc_load32 (&part.stage->stop))
      {
        mproc_add32 (&part.stage->n_told, 1);
        wait_while_broken (part.stage, part.object);
      }
  return NULL;
}

static void
wait_for_the_others (CrashStage *stage, MprocBarrier *barrier)
{
  while (mproc_barrier_get_n_waiting (barrier) < PARTIES - 1 &&
         !mproc_load32 (&stage->stop))
    g_thread_yield ();
}

/* Always the last to come, so that it finishes every round. */
static GVariant *
go_round_last (GVariant *args, GError **error)
{
  CrashPart part;

  if (!crash_begin (args, &part, error))
    return NULL;
  for (guint i = 0; crash_goes_on (&part, i); i++)
    {
      wait_for_the_others (part.stage, part.object);
      if (mproc_barrier_wait (part.object, MPROC_SECONDS (20), NULL) < 0)
        mproc_process_exit (9);
      mproc_add32 (&part.stage->taken, 1);
    }
  return NULL;
}

static gboolean
both_are_told (CrashTrial *trial)
{
  return mproc_load32 (&trial->stage->n_told) == PARTIES - 1;
}

/* As often as the one that died came back from a round, and @more times. */
static gboolean
both_have_passed (CrashTrial *trial, guint32 more)
{
  guint32 n = mproc_load32 (&trial->stage->taken) + more;

  return mproc_load32 (&trial->stage->progress[0]) == n &&
         mproc_load32 (&trial->stage->progress[1]) == n;
}

/* Where a plan says both, either may come first. */
static gboolean
round_has_ended (CrashTrial *trial)
{
  gboolean may_pass = trial->plan->moved == CRASH_OTHER_MOVED;

  if (may_pass && both_have_passed (trial, 1))
    return TRUE;
  if (trial->plan->told)
    return both_are_told (trial) && both_have_passed (trial, 0);
  return !may_pass && both_have_passed (trial, 0);
}

/* Who dies inside breaks the barrier for the others; who dies after the end of the round does not.
 * Then somebody else takes its part. */
static void
expect_rounds (CrashTrial *trial)
{
  CrashStage *stage = trial->stage;
  gboolean broke;
  guint32 n;

  crash_wait_until (trial, round_has_ended);
  broke = trial->plan->told && !both_have_passed (trial, 1);
  if (broke)
    mproc_barrier_reset (trial->object);
  n = mproc_load32 (&stage->sent) - mproc_load32 (&stage->progress[0]);
  ck_assert_uint_le (n, broke); /* at most the broken one was begun */
  for (guint i = 0; i < 5; i++)
    ck_assert_int_ge (mproc_barrier_wait (trial->object, MPROC_SECONDS (20), NULL), 0);
  ck_assert_uint_eq (mproc_load32 (&stage->n_told), broke ? PARTIES - 1 : 0);
  mproc_store32 (&stage->stop, 1);
  mproc_barrier_abort (trial->object);
  crash_end_survivors (trial);
}

static const CrashScene of_rounds = {
  .set_up = make_barrier,
  .doomed = go_round_last,
  .survivor = go_round,
  .check = expect_rounds,
};

/* ------------------------------------------------------------------ the plans */

#define AT(name) .at = MPROC_CRASH_##name
#define LOSES_BLOCK .lost_blocks = 1
#define BREAKS .told = 1
#define PASSES .moved = CRASH_OTHER_MOVED
#define EITHER BREAKS, PASSES

static const CrashPlan plans[] = {
  { AT (WAITER_GUARDED), &of_waiting, 3 },
  { AT (WAITER_NUMBERED), &of_waiting, 3 },
  { AT (WAITER_UNGUARDED), &of_waiting, 3, LOSES_BLOCK },
  { AT (WAITER_LINKED), &of_waiting, 3 },
  { AT (WAITER_LISTED), &of_waiting, 3 },
  { AT (WAITER_JOINED), &of_waiting, 3 },
  { AT (WAITER_WOKEN), &of_waiting, 3 },
  { AT (WAITER_UNLINKED), &of_waiting, 3, LOSES_BLOCK, .told = 1 },
  { AT (WAITER_OUT), &of_waiting, 3, LOSES_BLOCK, .told = 1 },
  { AT (WAITER_FREED), &of_waiting, 3, .told = 1 },
  { AT (NOTIFY_LIMITED), &of_notifying, 3, .told = 1 },
  { AT (NOTIFY_MARKED), &of_notifying, 3 },
  { AT (NOTIFY_PASSED_ON), &of_passing_on },
  { AT (NOTIFY_DONE), &of_notifying, 3 },
  { AT (NOTIFY_RELEASED), &of_notifying, 3 },
  { AT (ROUND_ARRIVED), &of_rounds, 3, EITHER }, /* another may not have looked yet */
  { AT (ROUND_FULL), &of_rounds, 3, BREAKS },
  { AT (ROUND_ACTED), &of_rounds, 3, BREAKS },
  { AT (ROUND_TOLD), &of_rounds, 3, BREAKS },
  { AT (ROUND_MOVED), &of_rounds, 3, PASSES },
  { AT (ROUND_RANG), &of_rounds, 3, PASSES },
  { AT (ROUND_PASSED), &of_rounds, 3, PASSES },
  { AT (ROUND_LEFT), &of_rounds, 3, PASSES },
};

#define POINTS(POINT)                                                                    \
  MPROC_CRASH_CONDITION_POINTS (POINT) MPROC_CRASH_BARRIER_POINTS (POINT)

CRASH_SUITE (crash_condition, "crash-condition", POINTS)
