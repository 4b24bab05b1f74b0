/* SPDX-License-Identifier: MIT */
/* Deaths in the process table: of starters, of children that are just being born, of members that
 * are about to leave, of those who sweep the dead. */
#include "crash.h"

#include "processes.h"

#include <string.h>

static void
make_queue (CrashTrial *trial)
{
  trial->object = mproc_queue_new (0, NULL);
}

static gboolean
only_we_are_left (CrashTrial *trial)
{
  crash_sweep ();
  return crash_count ().n_slots <= trial->before.n_slots + trial->plan->lost_slots;
}

/* Others are started as before, and every slot is given back in time. */
static void
expect_family (CrashTrial *trial)
{
  MprocProcess *process = mproc_test_start (trial->method, mproc_test_do_nothing, NULL);

  crash_has_gone_on (trial);
  mproc_test_end_with (process, 0);
  crash_wait_until (trial, only_we_are_left);
  mproc_test_say (trial->object, "on");
  mproc_test_expect_text (trial->object, "on");
}

/* ------------------------------------------------------------------ leaving, being born */

static GVariant *
leave_at_once (GVariant *args, GError **error)
{
  CrashPart part;

  crash_begin (args, &part, error);
  return NULL;
}

static const CrashScene of_leaving = {
  .set_up = make_queue,
  .doomed = leave_at_once,
  .check = expect_family,
};
static const CrashScene of_birth = {
  .set_up = make_queue,
  .doomed = mproc_test_do_nothing,
  .check = expect_family,
  .at_birth = TRUE,
};

/* ------------------------------------------------------------------ starting others */

static GVariant *
start_another (GVariant *args, GError **error)
{
  CrashPart part;
  MprocProcess *process;

  if (!crash_begin (args, &part, error))
    return NULL;
  process = mproc_process_new (mproc_test_do_nothing, NULL);
  if (!mproc_process_start (process, error) ||
      !mproc_process_join (process, MPROC_SECONDS (20)))
    mproc_process_exit (9);
  mproc_process_unref (process);
  return NULL;
}

static const CrashScene of_starting = {
  .set_up = make_queue,
  .doomed = start_another,
  .check = expect_family,
};

/* ------------------------------------------------------------------ sweeping */

/* A member with much to sweep: it has borrowed a long item and made an object that nobody else
 * knows, and dies with a block in its intent. */
static GVariant *
die_with_much (GVariant *args, GError **error)
{
  char text[20000] = { 0 };
  CrashPart part;

  if (!crash_begin (args, &part, error))
    return NULL;
  if (mproc_queue_put_bytes (part.object, text, sizeof text, MPROC_FOREVER, error) &&
      mproc_queue_peek_bytes (part.object, MPROC_FOREVER, error) != NULL &&
      mproc_lock_new (error) != NULL)
    mproc_queue_put_bytes (part.object, text, sizeof text, MPROC_FOREVER, error);
  return NULL;
}

static GVariant *
sweep_the_dead (GVariant *args, GError **error)
{
  CrashPart part;

  if (!crash_begin (args, &part, error))
    return NULL;
  crash_wait_for_bits (part.stage, &part.stage->go, 1);
  if (!mproc_member_is_dead (mproc_load32 (&part.stage->member)))
    mproc_process_exit (9);
  return NULL;
}

/* It is dead, and nobody has noticed. */
static gboolean
other_is_dead (gpointer data)
{
  CrashTrial *trial = data;
  MprocOsIdentity who;

  mproc_member_get_identity (mproc_process_get_member (trial->other), &who);
  return mproc_os_is_dead (&who);
}

static void
let_other_die (CrashTrial *trial)
{
  trial->other = crash_start (trial, die_with_much, MPROC_CRASH_PUT_BLOCK_GUARDED, 2, 0);
  mproc_store32 (&trial->stage->member, mproc_process_get_member (trial->other));
  ck_assert (mproc_test_eventually (other_is_dead, trial));
  mproc_store32 (&trial->stage->go, 1);
}

static void
expect_swept (CrashTrial *trial)
{
  ck_assert (mproc_process_join (trial->other, MPROC_FOREVER));
  mproc_process_unref (trial->other);
  expect_family (trial);
}

static const CrashScene of_sweeping = {
  .set_up = make_queue,
  .doomed = sweep_the_dead,
  .meanwhile = let_other_die,
  .check = expect_swept,
};

/* ------------------------------------------------------------------ the plans */

#define AT(name) .at = MPROC_CRASH_##name

static const CrashPlan plans[] = {
  { AT (SLOT_CLAIMED), &of_starting, .lost_slots = 1 },
  { AT (SLOT_RESERVED), &of_starting },
  { AT (SLOT_LEFT_CODE), &of_leaving },
  { AT (SLOT_LEFT), &of_leaving },
  { AT (BURY_MARKED), &of_sweeping },
  { AT (SWEEP_CLAIMED), &of_sweeping },
  { AT (SWEEP_BIT_DROPPED), &of_sweeping, 2 },
  { AT (SWEEP_HELD), &of_sweeping },
  { AT (SWEEP_INTENT_FREED), &of_sweeping },
  { AT (SWEEP_LOANS_OF_SEGMENT), &of_sweeping },
  { AT (SWEEP_SEGMENT_TAKEN), &of_sweeping, .lost_blocks = 1 },
  { AT (SWEEP_LOANS_FREED), &of_sweeping },
  { AT (SWEEP_EMPTIED), &of_sweeping },
  { AT (SWEEP_FREED), &of_sweeping },
  { AT (START_RECORDED), &of_starting, .lost_blocks = 1, .by = CRASH_BY_SPAWN },
  { AT (START_SPAWNED), &of_starting, .lost_blocks = 1, .by = CRASH_BY_SPAWN },
  { AT (BIRTH_FORKED), &of_birth, .by = CRASH_BY_FORK },
  { AT (BIRTH_ENTERED), &of_birth },
  { AT (BIRTH_NAMED), &of_birth },
  { AT (BIRTH_LOADED), &of_birth, .by = CRASH_BY_RECORD },
  { AT (BIRTH_REPORTED), &of_birth, .by = CRASH_BY_RECORD },
};

#define POINTS(POINT) MPROC_CRASH_FAMILY_POINTS (POINT) MPROC_CRASH_BIRTH_POINTS (POINT)

CRASH_SUITE (crash_family, "crash-family", POINTS)
