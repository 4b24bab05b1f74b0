/* SPDX-License-Identifier: MIT */
/* Who is dead, and what becomes of what the dead held.  A slot is DEAD until it has been swept; every
 * step of a sweep can be done again by the next sweeper, should this one die. */
#include "arena/word.h"
#include "family/borrow.h"
#include "family/local.h"
#include "family/object.h"
#include "family/slotdata.h"

/* One that is about to leave may have a thread that goes on meanwhile. */
static gboolean
may_be_running (MprocMember member)
{
  MprocMemberState state = mproc_member_get_state (member);

  return state != MPROC_MEMBER_FREE && state != MPROC_MEMBER_DEAD;
}

/* Every step can be done again by the next sweeper, should this one die. */
static void
sweep (MprocMember member, MprocSlot *slot)
{
  guint32 generation = MPROC_MEMBER_GENERATION (member);
  MprocMember self = mproc_self ();
  guint32 sweeper = mproc_load32 (&slot->sweeper);
  MprocOffset intent;

  if (sweeper != 0 && may_be_running (sweeper))
    return;
  if (!mproc_cas32 (&slot->sweeper, sweeper, self))
    return;
  MPROC_CRASH_POINT (SWEEP_CLAIMED);
  /* Another one may have finished between our look at the state and the claim. */
  if (mproc_load32 (&slot->word) == mproc_slot_word (generation, MPROC_MEMBER_DEAD))
    {
      mproc_object_sweep (member);
      MPROC_CRASH_POINT (SWEEP_HELD);
      intent = mproc_load64 (&slot->intent);
      if (intent != 0)
        mproc_arena_free_of (intent, member);
      MPROC_CRASH_POINT (SWEEP_INTENT_FREED);
      mproc_borrow_sweep (member);
      MPROC_CRASH_POINT (SWEEP_LOANS_FREED);
      mproc_parking_sweep (member);
      mproc_store64 (&slot->intent, 0);
      mproc_store64 (&slot->pid, 0);
      mproc_store32 (&slot->starter, 0);
      mproc_store32 (&slot->has_threads, 0);
      mproc_crash_order ();
      MPROC_CRASH_POINT (SWEEP_EMPTIED);
      mproc_store32 (&slot->word, mproc_slot_word (generation, MPROC_MEMBER_FREE));
      MPROC_CRASH_POINT (SWEEP_FREED);
      mproc_word_wake (&slot->word, G_MAXINT32);
    }
  mproc_crash_order ();
  mproc_store32 (&slot->sweeper, 0);
}

static void
bury_one (MprocMember member, MprocSlot *slot)
{
  for (;;)
    {
      guint32 word = mproc_load32 (&slot->word);

      if (!mproc_slot_is_of (word, member) ||
          (word & MPROC_SLOT_STATE) == MPROC_MEMBER_FREE)
        return;
      if ((word & MPROC_SLOT_STATE) == MPROC_MEMBER_DEAD ||
          mproc_cas32 (&slot->word, word,
                       mproc_slot_word (MPROC_MEMBER_GENERATION (member),
                                        MPROC_MEMBER_DEAD)))
        break;
    }
  MPROC_CRASH_POINT (BURY_MARKED);
  sweep (member, slot);
}

/* The members that were threads of a process ended with it. */
static void
bury_threads (const MprocOsIdentity *process)
{
  guint n = mproc_slot_count ();

  for (guint i = 0; i < n; i++)
    {
      MprocSlot *slot = mproc_slot_at (i);
      guint32 word = mproc_load32 (&slot->word);

      if ((word & MPROC_SLOT_STATE) != MPROC_MEMBER_FREE &&
          (gint64) mproc_load64 (&slot->pid) == process->pid &&
          mproc_load64 (&slot->start_time) == process->start_time)
        bury_one (i << 19 | (word >> 8) << 1, slot);
    }
}

void
mproc_member_bury (MprocMember member)
{
  MprocSlot *slot = mproc_slot_of (member);
  gboolean has_threads;
  MprocOsIdentity who;

  if (slot == NULL || !mproc_slot_is_of (mproc_load32 (&slot->word), member))
    return;
  has_threads = mproc_load32 (&slot->has_threads) != 0;
  mproc_member_get_identity (member, &who);
  bury_one (member, slot);
  if (has_threads && who.pid != 0)
    bury_threads (&who);
}

gboolean
mproc_member_give_up (MprocMember member)
{
  return mproc_slot_set_state (member, MPROC_MEMBER_STARTING, MPROC_MEMBER_DEAD);
}

/* A reserved slot lives as long as its starter, until the new process has written who
 * it is. */
static gboolean
starter_is_dead (MprocSlot *slot)
{
  MprocMember starter = mproc_load32 (&slot->starter);

  return starter != 0 && mproc_member_is_dead (starter);
}

gboolean
mproc_member_is_dead (MprocMember member)
{
  MprocSlot *slot = mproc_slot_of (member);
  guint32 word;
  MprocOsIdentity who;
  gboolean dead;

  if (member == mproc_self () || member == mproc_process_self ())
    return FALSE;
  if (slot == NULL)
    return TRUE;
  word = mproc_load32 (&slot->word);
  if (!mproc_slot_is_of (word, member) || (word & MPROC_SLOT_STATE) == MPROC_MEMBER_FREE)
    return TRUE;
  mproc_member_get_identity (member, &who);
  if ((word & MPROC_SLOT_STATE) == MPROC_MEMBER_DEAD)
    dead = TRUE;
  else if (who.pid == 0)
    dead = (word & MPROC_SLOT_STATE) == MPROC_MEMBER_STARTING && starter_is_dead (slot);
  else
    dead = mproc_os_is_dead (&who);
  /* The slot may have changed hands while we looked: bury only that generation. */
  if (dead)
    mproc_member_bury (member);
  return dead;
}

gboolean
mproc_member_has_children (MprocMember starter)
{
  guint n = mproc_slot_count ();

  for (guint i = 0; i < n; i++)
    {
      MprocSlot *slot = mproc_slot_at (i);
      guint32 word = mproc_load32 (&slot->word);
      MprocMember child = i << 19 | (word >> 8) << 1;
      MprocOsIdentity who;

      if ((word & MPROC_SLOT_STATE) == MPROC_MEMBER_FREE ||
          mproc_load32 (&slot->starter) != starter)
        continue;
      mproc_member_get_identity (child, &who);
      /* One without a name yet is buried, so that it cannot come late. */
      if (who.pid != 0 ? !mproc_os_is_dead (&who) : !mproc_member_is_dead (child))
        return TRUE;
    }
  return FALSE;
}

gboolean
mproc_intent_begin (MprocOffset block)
{
  MprocMember self = mproc_self ();

  mproc_arena_own (block, self);
  return mproc_cas64 (&mproc_slot_of (self)->intent, 0, block);
}

void
mproc_intent_end (MprocOffset block)
{
  MprocSlot *slot = mproc_slot_of (mproc_self ());

  mproc_cas64 (&slot->intent, block, 0);
}
