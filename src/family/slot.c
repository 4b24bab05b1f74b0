/* SPDX-License-Identifier: MIT */
/* A slot's life:
 *
 *   FREE -> STARTING            claimed by its starter, generation raised
 *   STARTING -> LIVE            by the new process itself, so that one given up cannot come late
 *   LIVE -> LEAVING             by itself: its exit code is written
 *   STARTING|LIVE|LEAVING -> DEAD   by whoever knows that it has ended
 *   DEAD -> FREE                by its sweeper, after all it held has been given back
 *
 * Segments of the table are made as the family grows and never move. */
#include "family/slotdata.h"

#include "arena/table.h"
#include "arena/word.h"
#include "family/local.h"
#include "family/object.h"

static const MprocTable table = { MPROC_ROOT_FAMILY, sizeof (MprocSlot), 128, 64 };

gboolean
mproc_slot_create_table (GError **error)
{
  return mproc_table_create (&table, error);
}

guint
mproc_slot_count (void)
{
  return mproc_table_count (&table);
}

MprocSlot *
mproc_slot_at (guint index)
{
  return mproc_table_at (&table, index);
}

MprocSlot *
mproc_slot_of (MprocMember member)
{
  guint index = MPROC_MEMBER_SLOT (member);

  return index < mproc_slot_count () ? mproc_slot_at (index) : NULL;
}

static MprocMember
try_claim (guint index)
{
  MprocSlot *slot = mproc_slot_at (index);
  guint32 word = mproc_load32 (&slot->word);
  guint32 generation = (word >> 8) + 1;
  MprocMember starter;

  if ((word & MPROC_SLOT_STATE) != MPROC_MEMBER_FREE)
    return 0;
  if (generation > 0x3ffff)
    generation = 1;
  if (!mproc_cas32 (&slot->word, word,
                    mproc_slot_word (generation, MPROC_MEMBER_STARTING)))
    return 0;
  /* Dying here leaves a slot that nobody started: it is lost, and nothing else. */
  MPROC_CRASH_POINT (SLOT_CLAIMED);
  starter = mproc_load32 (&mproc_identity->self);
  mproc_store32 (&slot->starter, starter != 0 ? mproc_self () : 0);
  MPROC_CRASH_POINT (SLOT_RESERVED);
  return index << 19 | generation << 1;
}

/* Looks for a free one before there is a new one, so that thousands of members do not make the start of
 * the next one slow: the table gets larger than it need be, by a few for each hundred. */
#define A_FEW 16

static MprocMember
claim_some (guint how_many)
{
  guint n = mproc_slot_count ();

  for (guint i = 0; i < MIN (how_many, n); i++)
    {
      MprocMember member = try_claim (mproc_table_next (&table, n));

      if (member != 0)
        return member;
    }
  return 0;
}

/* Asks of so many slots, in turn from @next on, whether their owners have died with nobody to notice; or
 * of orphans alone: nobody waits for those whose starter has ended, what they held stays held until
 * somebody looks, and memory tells who they are. */
static void
look_for_dead (gint *next, guint how_many, gboolean only_orphans)
{
  guint n = mproc_slot_count ();

  for (guint i = 0; i < MIN (how_many, n); i++)
    {
      guint index = (guint) g_atomic_int_add (next, 1) % n;
      MprocSlot *slot = mproc_slot_at (index);
      guint32 word = mproc_load32 (&slot->word);
      MprocMember starter = mproc_load32 (&slot->starter);

      if ((word & MPROC_SLOT_STATE) != MPROC_MEMBER_FREE &&
          (!only_orphans || (starter != 0 && !mproc_member_is_current (starter))))
        mproc_member_is_dead (index << 19 | (word >> 8) << 1);
    }
}

MprocMember
mproc_slot_claim (GError **error)
{
  static gint claims, next, next_orphan;
  /* One that is just becoming a member has no name to sweep under. */
  gboolean looked = mproc_load32 (&mproc_identity->self) == 0;

  if (!looked)
    look_for_dead (&next_orphan, A_FEW, TRUE);
  if (!looked && g_atomic_int_add (&claims, 1) % 16 == 15)
    look_for_dead (&next, 1, FALSE);
  for (;;)
    {
      guint32 n = mproc_slot_count ();
      MprocMember member = claim_some (n < MPROC_MAX_MEMBERS ? A_FEW : n);

      if (member != 0)
        return member;
      if (n < MPROC_MAX_MEMBERS)
        {
          if (!mproc_table_grow (&table, n, error))
            return 0;
          if ((member = try_claim (n)) != 0)
            return member;
        }
      else if (looked)
        break;
      else
        {
          look_for_dead (&next, n, FALSE);
          looked = TRUE;
        }
    }
  g_set_error (
      error, MPROC_ERROR, MPROC_ERROR_NO_MEMORY,
      "%d processes and threads of this program are running, that is the limit; wait "
      "until some have ended",
      MPROC_MAX_MEMBERS);
  return 0;
}

static void
set_identity (MprocMember member, const MprocOsIdentity *who)
{
  MprocSlot *slot = mproc_slot_of (member);

  mproc_store64 (&slot->start_time, who->start_time);
  mproc_store64 (&slot->space, who->space);
  mproc_store64 (&slot->pid, (guint64) who->pid);
}

void
mproc_slot_set_identity (MprocMember member)
{
  MprocOsIdentity who;

  mproc_os_identify (&who);
  set_identity (member, &who);
}

/* The name comes after the state: a slot whose starter has died may have been given up,
 * and be another's by now.  Killed in between, it is buried by its starter, or else
 * lost. */
gboolean
mproc_slot_enter (MprocMember member)
{
  MprocSlot *slot = mproc_slot_of (member);
  guint32 generation = MPROC_MEMBER_GENERATION (member);
  MprocOsIdentity who;

  mproc_os_identify (&who);
  if (slot == NULL ||
      !mproc_cas32 (&slot->word, mproc_slot_word (generation, MPROC_MEMBER_STARTING),
                    mproc_slot_word (generation, MPROC_MEMBER_LIVE)))
    return FALSE;
  MPROC_CRASH_POINT (BIRTH_ENTERED);
  set_identity (member, &who);
  MPROC_CRASH_POINT (BIRTH_NAMED);
  mproc_word_wake (&slot->word, G_MAXINT32);
  return TRUE;
}

void
mproc_slot_set_thread (MprocMember member, MprocMember process)
{
  MprocOsIdentity who;

  mproc_member_get_identity (process, &who);
  set_identity (member, &who);
  mproc_store32 (&mproc_slot_of (process)->has_threads, 1);
}

gboolean
mproc_slot_set_state (MprocMember member, MprocMemberState from, MprocMemberState to)
{
  MprocSlot *slot = mproc_slot_of (member);
  guint32 generation = MPROC_MEMBER_GENERATION (member);

  if (slot == NULL || !mproc_cas32 (&slot->word, mproc_slot_word (generation, from),
                                    mproc_slot_word (generation, to)))
    return FALSE;
  mproc_word_wake (&slot->word, G_MAXINT32);
  return TRUE;
}

MprocAtomic32 *
mproc_member_word (MprocMember member)
{
  return &mproc_slot_of (member)->word;
}

MprocMemberState
mproc_member_get_state (MprocMember member)
{
  MprocSlot *slot = mproc_slot_of (member);
  guint32 word = slot != NULL ? mproc_load32 (&slot->word) : 0;

  return slot != NULL && mproc_slot_is_of (word, member)
             ? (MprocMemberState) (word & MPROC_SLOT_STATE)
             : MPROC_MEMBER_DEAD;
}

gboolean
mproc_member_is_current (MprocMember member)
{
  MprocMemberState state = mproc_member_get_state (member);

  return state == MPROC_MEMBER_STARTING || state == MPROC_MEMBER_LIVE;
}

gboolean
mproc_member_get_exit_code (MprocMember member, gint *exit_code)
{
  MprocSlot *slot = mproc_slot_of (member);
  guint64 code = slot != NULL ? mproc_load64 (&slot->exit) : 0;

  if (code >> 32 != MPROC_MEMBER_GENERATION (member))
    return FALSE;
  *exit_code = (gint) (guint32) code;
  return TRUE;
}

void
mproc_member_set_exit_code (MprocMember member, gint exit_code)
{
  MprocSlot *slot = mproc_slot_of (member);

  mproc_store64 (&slot->exit,
                 (guint64) MPROC_MEMBER_GENERATION (member) << 32 | (guint32) exit_code);
}

void
mproc_member_get_identity (MprocMember member, MprocOsIdentity *out)
{
  MprocSlot *slot = mproc_slot_of (member);

  out->pid = slot != NULL ? (gint64) mproc_load64 (&slot->pid) : 0;
  out->start_time = slot != NULL ? mproc_load64 (&slot->start_time) : 0;
  out->space = slot != NULL ? mproc_load64 (&slot->space) : 0;
}

gboolean
mproc_member_find (gint64 pid, MprocOsIdentity *out)
{
  guint n = mproc_slot_count ();

  for (guint i = 0; i < n; i++)
    {
      guint32 word = mproc_load32 (&mproc_slot_at (i)->word);

      if ((word & MPROC_SLOT_STATE) == MPROC_MEMBER_LIVE &&
          (gint64) mproc_load64 (&mproc_slot_at (i)->pid) == pid)
        {
          mproc_member_get_identity (i << 19 | (word >> 8) << 1, out);
          return TRUE;
        }
    }
  return FALSE;
}
