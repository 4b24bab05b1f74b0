/* SPDX-License-Identifier: MIT */
/* Deaths in the code of sleepers, events and semaphores. */
#include "crash.h"

#include "family/plain.h"
#include "sync/sleepers.h"

/* ------------------------------------------------------------------ events */

/* Of an event, the bit behind the flag says that somebody waits. */
#define EVENT_IS_AWAITED 2

static MprocAtomic32 *
event_word_of (gpointer event)
{
  return ((MprocPlain *) event)->body;
}

static GVariant *
wait_for_event (GVariant *args, GError **error)
{
  CrashPart part;

  if (!crash_begin (args, &part, error))
    return NULL;
  if (!mproc_event_wait (part.object, MPROC_SECONDS (20)))
    mproc_process_exit (9);
  mproc_add32 (&part.stage->progress[part.number], 1);
  return NULL;
}

static GVariant *
set_event (GVariant *args, GError **error)
{
  CrashPart part;

  if (!crash_begin (args, &part, error))
    return NULL;
  crash_wait_for_bits (part.stage, event_word_of (part.object), EVENT_IS_AWAITED);
  mproc_event_set (part.object);
  return NULL;
}

/* Nobody sets it meanwhile. */
static GVariant *
sleep_on_event (GVariant *args, GError **error)
{
  CrashPart part;

  if (!crash_begin (args, &part, error))
    return NULL;
  mproc_event_wait (part.object, 2000);
  return NULL;
}

static void
make_event (CrashTrial *trial)
{
  trial->object = mproc_event_new (NULL);
}

static gboolean
both_have_woken (CrashTrial *trial)
{
  return mproc_load32 (&trial->stage->progress[0]) > 0 &&
         mproc_load32 (&trial->stage->progress[1]) > 0;
}

static void
expect_event (CrashTrial *trial)
{
  crash_wait_until (trial, both_have_woken);
  ck_assert (mproc_event_is_set (trial->object));
  mproc_event_clear (trial->object);
  ck_assert (!mproc_event_wait (trial->object, 0));
}

static void
set_and_expect_event (CrashTrial *trial)
{
  mproc_event_set (trial->object);
  expect_event (trial);
}

static const CrashScene of_awaited_event = {
  .set_up = make_event,
  .doomed = sleep_on_event,
  .survivor = wait_for_event,
  .check = set_and_expect_event,
};
static const CrashScene of_event = {
  .set_up = make_event,
  .doomed = set_event,
  .survivor = wait_for_event,
  .check = expect_event,
};

/* ------------------------------------------------------------------ semaphores */

#define UNITS 2

static MprocAtomic32 *
sleepers_of (gpointer semaphore)
{
  return (MprocAtomic32 *) ((MprocPlain *) semaphore)->body + 1;
}

/* Everybody keeps a unit until it is wanted. */
static GVariant *
share_units (GVariant *args, GError **error)
{
  CrashPart part;

  if (!crash_begin (args, &part, error))
    return NULL;
  for (guint i = 0; crash_goes_on (&part, i); i++)
    {
      if (!mproc_semaphore_acquire (part.object, MPROC_SECONDS (20)))
        mproc_process_exit (9);
      crash_wait_a_little (part.stage, sleepers_of (part.object), 1);
      if (!mproc_semaphore_release (part.object, NULL))
        mproc_process_exit (8);
      if (part.number >= 0)
        mproc_add32 (&part.stage->progress[part.number], 1);
    }
  return NULL;
}

/* Takes what it can get, and gives nothing back. */
static GVariant *
hoard_units (GVariant *args, GError **error)
{
  CrashPart part;

  if (!crash_begin (args, &part, error))
    return NULL;
  while (mproc_semaphore_acquire (part.object, 0))
    ;
  return NULL;
}

static void
make_units (CrashTrial *trial)
{
  trial->object = mproc_semaphore_new (UNITS, 0, 0, NULL);
}

static void
make_restored_units (CrashTrial *trial)
{
  trial->object = mproc_semaphore_new (UNITS, 0, MPROC_SEMAPHORE_RESTORE, NULL);
}

/* Exactly so many can be had, and given back. */
static void
expect_value (gpointer units, guint n)
{
  for (guint i = 0; i < n; i++)
    ck_assert_msg (mproc_semaphore_acquire (units, 0), "only %u units", i);
  ck_assert_msg (!mproc_semaphore_acquire (units, 0), "more than %u units", n);
  for (guint i = 0; i < n; i++)
    ck_assert (mproc_semaphore_release (units, NULL));
  ck_assert_int_eq (mproc_semaphore_get_value (units), (gint) n);
}

static gboolean
both_go_on (CrashTrial *trial)
{
  return mproc_load32 (&trial->stage->progress[0]) >= 2 &&
         mproc_load32 (&trial->stage->progress[1]) >= 2;
}

static void
expect_going_on (CrashTrial *trial)
{
  for (guint i = 0; i < CRASH_N_SURVIVORS; i++)
    mproc_store32 (&trial->stage->progress[i], 0);
  crash_wait_until (trial, both_go_on);
  crash_end_survivors (trial);
}

/* Without the flag, what the dead one had is lost with it. */
static void
expect_units (CrashTrial *trial)
{
  gboolean lost = trial->plan->moved == CRASH_GET_MOVED;

  expect_going_on (trial);
  expect_value (trial->object, lost ? UNITS - 1 : UNITS);
}

static void
expect_all_units (CrashTrial *trial)
{
  expect_going_on (trial);
  expect_value (trial->object, UNITS);
}

static void
expect_what_was_hoarded (CrashTrial *trial)
{
  crash_has_gone_on (trial);
  expect_value (trial->object, UNITS);
}

static const CrashScene of_units = {
  .set_up = make_units,
  .doomed = share_units,
  .survivor = share_units,
  .check = expect_units,
};
static const CrashScene of_restored = {
  .set_up = make_restored_units,
  .doomed = share_units,
  .survivor = share_units,
  .check = expect_all_units,
};
static const CrashScene of_hoard = {
  .set_up = make_restored_units,
  .doomed = hoard_units,
  .check = expect_what_was_hoarded,
};

#define AT(name) .at = MPROC_CRASH_##name
#define FIRST(name) .first = MPROC_CRASH_##name

static const CrashPlan plans[] = {
  { AT (SLEEPER_ANNOUNCED), &of_restored, 3 },
  { AT (SLEEPER_WOKEN), &of_restored, 3 },
  { AT (SLEEPER_CLEARED), &of_restored, 3 },
  { AT (EVENT_SET), &of_event },
  { AT (EVENT_AWAITED), &of_awaited_event },
  { AT (SEMAPHORE_TAKEN), &of_units, 3, .moved = CRASH_GET_MOVED },
  { AT (SEMAPHORE_GIVEN), &of_units, 3 },
  { AT (HOLDINGS_LOCKED), &of_restored, 3 },
  { AT (HOLDINGS_INHERITED), &of_hoard, FIRST (HOLDINGS_TAKEN_ALL),
    .slot = CRASH_SAME_SLOT },
  { AT (HOLDINGS_TAKEN), &of_restored, 3 },
  { AT (HOLDINGS_TAKEN_ALL), &of_restored, 3 },
  { AT (HOLDINGS_GIVEN), &of_restored, 3 },
  { AT (HOLDINGS_GIVEN_ALL), &of_restored, 3 },
  { AT (HOLDINGS_RESTORED), &of_hoard, FIRST (HOLDINGS_TAKEN_ALL),
    .slot = CRASH_OTHER_SLOT },
};

CRASH_SUITE (crash_wait, "crash-wait", MPROC_CRASH_WAIT_POINTS)
