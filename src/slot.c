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
#include "slot.h"

#include "local.h"
#include "object.h"
#include "word.h"

#define SLOTS_PER_SEGMENT 128
#define N_SEGMENTS 64
#define STATE_MASK 0xffu

typedef struct
{
  MprocAtomic32 word;    /* generation << 8 | state */
  MprocAtomic32 starter; /* 0: nobody */
  MprocAtomic32 sweeper; /* who sweeps it, 0: nobody */
  MprocAtomic32 has_threads;
  MprocAtomic64 pid;
  MprocAtomic64 start_time;
  MprocAtomic64 space;
  MprocAtomic64 exit; /* generation << 32 | exit code; stays until the slot is reused */
  MprocAtomic64 intent;
  guint64 unused[9];
} Slot;

G_STATIC_ASSERT (sizeof (Slot) == 128);

typedef struct
{
  MprocAtomic32 n_slots; /* ever used */
  MprocAtomic32 cursor;  /* where the search for a free one goes on: oldest-free first */
  MprocAtomic64 segments[N_SEGMENTS];
} Table;

static Table *
table (void)
{
  return mproc_arena_at (mproc_load64 (mproc_arena_root (MPROC_ROOT_FAMILY)),
                         sizeof (Table));
}

gboolean
mproc_slot_create_table (GError **error)
{
  MprocOffset offset = mproc_arena_alloc0 (sizeof (Table), error);

  if (offset != 0)
    mproc_store64 (mproc_arena_root (MPROC_ROOT_FAMILY), offset);
  return offset != 0;
}

static Slot *
slot_at (guint index)
{
  MprocOffset segment = mproc_load64 (&table ()->segments[index / SLOTS_PER_SEGMENT]);

  return (Slot *) mproc_arena_at (segment, SLOTS_PER_SEGMENT * sizeof (Slot)) +
         index % SLOTS_PER_SEGMENT;
}

/* NULL for a member that cannot be. */
static Slot *
slot_of (MprocMember member)
{
  guint index = MPROC_MEMBER_SLOT (member);

  return index < mproc_load32 (&table ()->n_slots) ? slot_at (index) : NULL;
}

static guint32
make_word (guint32 generation, MprocMemberState state)
{
  return generation << 8 | (guint32) state;
}

static gboolean
is_of (guint32 word, MprocMember member)
{
  return word >> 8 == MPROC_MEMBER_GENERATION (member);
}

static MprocMember
try_claim (guint index)
{
  Slot *slot = slot_at (index);
  guint32 word = mproc_load32 (&slot->word);
  guint32 generation = (word >> 8) + 1;
  MprocMember starter;

  if ((word & STATE_MASK) != MPROC_MEMBER_FREE)
    return 0;
  if (generation > 0x3ffff)
    generation = 1;
  if (!mproc_cas32 (&slot->word, word, make_word (generation, MPROC_MEMBER_STARTING)))
    return 0;
  /* Dying here leaves a slot that nobody started: it is lost, and nothing else. */
  starter = mproc_load32 (&mproc_identity->self);
  mproc_store32 (&slot->starter, starter != 0 ? mproc_self () : 0);
  return index << 19 | generation << 1;
}

static gboolean
add_segment (guint which, GError **error)
{
  MprocAtomic64 *segment = &table ()->segments[which];
  MprocOffset fresh;

  if (mproc_load64 (segment) != 0)
    return TRUE;
  fresh = mproc_arena_alloc0 (SLOTS_PER_SEGMENT * sizeof (Slot), error);
  if (fresh == 0)
    return FALSE;
  if (!mproc_cas64 (segment, 0, fresh))
    mproc_arena_free (fresh);
  return TRUE;
}

static MprocMember
claim_free (void)
{
  guint n = mproc_load32 (&table ()->n_slots);

  for (guint i = 0; i < n; i++)
    {
      MprocMember member = try_claim (mproc_add32 (&table ()->cursor, 1) % n);

      if (member != 0)
        return member;
    }
  return 0;
}

/* One slot at a time is looked at for an owner that died with nobody to notice. */
static void
look_for_dead (guint how_many)
{
  static gint next;
  guint n = mproc_load32 (&table ()->n_slots);

  for (guint i = 0; i < MIN (how_many, n); i++)
    {
      guint index = (guint) g_atomic_int_add (&next, 1) % n;
      guint32 word = mproc_load32 (&slot_at (index)->word);

      if ((word & STATE_MASK) != MPROC_MEMBER_FREE)
        mproc_member_is_dead (index << 19 | (word >> 8) << 1);
    }
}

MprocMember
mproc_slot_claim (GError **error)
{
  static gint claims;
  /* One that is just becoming a member has no name to sweep under. */
  gboolean looked = mproc_load32 (&mproc_identity->self) == 0;

  if (!looked && g_atomic_int_add (&claims, 1) % 16 == 15)
    look_for_dead (1);
  for (;;)
    {
      MprocMember member = claim_free ();
      guint32 n = mproc_load32 (&table ()->n_slots);

      if (member != 0)
        return member;
      if (n < MPROC_MAX_MEMBERS)
        {
          if (!add_segment (n / SLOTS_PER_SEGMENT, error))
            return 0;
          mproc_cas32 (&table ()->n_slots, n, n + 1);
        }
      else if (looked)
        break;
      else
        {
          look_for_dead (n);
          looked = TRUE;
        }
    }
  g_set_error (error, MPROC_ERROR, MPROC_ERROR_NO_MEMORY,
               "%d processes and threads of this program are running, that is the limit",
               MPROC_MAX_MEMBERS);
  return 0;
}

static void
set_identity (MprocMember member, const MprocOsIdentity *who)
{
  Slot *slot = slot_of (member);

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
  Slot *slot = slot_of (member);
  guint32 generation = MPROC_MEMBER_GENERATION (member);
  MprocOsIdentity who;

  mproc_os_identify (&who);
  if (slot == NULL ||
      !mproc_cas32 (&slot->word, make_word (generation, MPROC_MEMBER_STARTING),
                    make_word (generation, MPROC_MEMBER_LIVE)))
    return FALSE;
  set_identity (member, &who);
  mproc_word_wake (&slot->word, G_MAXINT32);
  return TRUE;
}

void
mproc_slot_set_thread (MprocMember member, MprocMember process)
{
  MprocOsIdentity who;

  mproc_member_get_identity (process, &who);
  set_identity (member, &who);
  mproc_store32 (&slot_of (process)->has_threads, 1);
}

gboolean
mproc_slot_set_state (MprocMember member, MprocMemberState from, MprocMemberState to)
{
  Slot *slot = slot_of (member);
  guint32 generation = MPROC_MEMBER_GENERATION (member);

  if (slot == NULL || !mproc_cas32 (&slot->word, make_word (generation, from),
                                    make_word (generation, to)))
    return FALSE;
  mproc_word_wake (&slot->word, G_MAXINT32);
  return TRUE;
}

MprocAtomic32 *
mproc_member_word (MprocMember member)
{
  return &slot_of (member)->word;
}

MprocMemberState
mproc_member_get_state (MprocMember member)
{
  Slot *slot = slot_of (member);
  guint32 word = slot != NULL ? mproc_load32 (&slot->word) : 0;

  return slot != NULL && is_of (word, member) ? (MprocMemberState) (word & STATE_MASK)
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
  Slot *slot = slot_of (member);
  guint64 code = slot != NULL ? mproc_load64 (&slot->exit) : 0;

  if (code >> 32 != MPROC_MEMBER_GENERATION (member))
    return FALSE;
  *exit_code = (gint) (guint32) code;
  return TRUE;
}

void
mproc_member_set_exit_code (MprocMember member, gint exit_code)
{
  Slot *slot = slot_of (member);

  mproc_store64 (&slot->exit,
                 (guint64) MPROC_MEMBER_GENERATION (member) << 32 | (guint32) exit_code);
}

void
mproc_member_get_identity (MprocMember member, MprocOsIdentity *out)
{
  Slot *slot = slot_of (member);

  out->pid = slot != NULL ? (gint64) mproc_load64 (&slot->pid) : 0;
  out->start_time = slot != NULL ? mproc_load64 (&slot->start_time) : 0;
  out->space = slot != NULL ? mproc_load64 (&slot->space) : 0;
}

gboolean
mproc_member_find (gint64 pid, MprocOsIdentity *out)
{
  guint n = mproc_load32 (&table ()->n_slots);

  for (guint i = 0; i < n; i++)
    {
      guint32 word = mproc_load32 (&slot_at (i)->word);

      if ((word & STATE_MASK) == MPROC_MEMBER_LIVE &&
          (gint64) mproc_load64 (&slot_at (i)->pid) == pid)
        {
          mproc_member_get_identity (i << 19 | (word >> 8) << 1, out);
          return TRUE;
        }
    }
  return FALSE;
}

/* ------------------------------------------------------------------ death */

/* One that is about to leave may have a thread that goes on meanwhile. */
static gboolean
may_be_running (MprocMember member)
{
  MprocMemberState state = mproc_member_get_state (member);

  return state != MPROC_MEMBER_FREE && state != MPROC_MEMBER_DEAD;
}

/* Every step can be done again by the next sweeper, should this one die. */
static void
sweep (MprocMember member, Slot *slot)
{
  guint32 generation = MPROC_MEMBER_GENERATION (member);
  MprocMember self = mproc_self ();
  guint32 sweeper = mproc_load32 (&slot->sweeper);
  MprocOffset intent;

  if (sweeper != 0 && may_be_running (sweeper))
    return;
  if (!mproc_cas32 (&slot->sweeper, sweeper, self))
    return;
  /* Another one may have finished between our look at the state and the claim. */
  if (mproc_load32 (&slot->word) == make_word (generation, MPROC_MEMBER_DEAD))
    {
      mproc_object_sweep (member);
      intent = mproc_load64 (&slot->intent);
      mproc_store64 (&slot->intent, 0);
      mproc_crash_order ();
      if (intent != 0)
        mproc_arena_free (intent);
      mproc_parking_sweep (member);
      mproc_store64 (&slot->pid, 0);
      mproc_store32 (&slot->starter, 0);
      mproc_store32 (&slot->has_threads, 0);
      mproc_crash_order ();
      mproc_store32 (&slot->word, make_word (generation, MPROC_MEMBER_FREE));
      mproc_word_wake (&slot->word, G_MAXINT32);
    }
  mproc_crash_order ();
  mproc_store32 (&slot->sweeper, 0);
}

static void
bury_one (MprocMember member, Slot *slot)
{
  for (;;)
    {
      guint32 word = mproc_load32 (&slot->word);

      if (!is_of (word, member) || (word & STATE_MASK) == MPROC_MEMBER_FREE)
        return;
      if ((word & STATE_MASK) == MPROC_MEMBER_DEAD ||
          mproc_cas32 (&slot->word, word,
                       make_word (MPROC_MEMBER_GENERATION (member), MPROC_MEMBER_DEAD)))
        break;
    }
  sweep (member, slot);
}

/* The members that were threads of a process ended with it. */
static void
bury_threads (const MprocOsIdentity *process)
{
  guint n = mproc_load32 (&table ()->n_slots);

  for (guint i = 0; i < n; i++)
    {
      Slot *slot = slot_at (i);
      guint32 word = mproc_load32 (&slot->word);

      if ((word & STATE_MASK) != MPROC_MEMBER_FREE &&
          (gint64) mproc_load64 (&slot->pid) == process->pid &&
          mproc_load64 (&slot->start_time) == process->start_time)
        bury_one (i << 19 | (word >> 8) << 1, slot);
    }
}

void
mproc_member_bury (MprocMember member)
{
  Slot *slot = slot_of (member);
  gboolean has_threads;
  MprocOsIdentity who;

  if (slot == NULL || !is_of (mproc_load32 (&slot->word), member))
    return;
  has_threads = mproc_load32 (&slot->has_threads) != 0;
  mproc_member_get_identity (member, &who);
  bury_one (member, slot);
  if (has_threads && who.pid != 0)
    bury_threads (&who);
}

/* A reserved slot lives as long as its starter, until the new process has written who
 * it is. */
static gboolean
starter_is_dead (Slot *slot)
{
  MprocMember starter = mproc_load32 (&slot->starter);

  return starter != 0 && mproc_member_is_dead (starter);
}

gboolean
mproc_member_is_dead (MprocMember member)
{
  Slot *slot = slot_of (member);
  guint32 word;
  MprocOsIdentity who;
  gboolean dead;

  if (member == mproc_self () || member == mproc_process_self ())
    return FALSE;
  if (slot == NULL)
    return TRUE;
  word = mproc_load32 (&slot->word);
  if (!is_of (word, member) || (word & STATE_MASK) == MPROC_MEMBER_FREE)
    return TRUE;
  mproc_member_get_identity (member, &who);
  if ((word & STATE_MASK) == MPROC_MEMBER_DEAD)
    dead = TRUE;
  else if (who.pid == 0)
    dead = (word & STATE_MASK) == MPROC_MEMBER_STARTING && starter_is_dead (slot);
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
  guint n = mproc_load32 (&table ()->n_slots);

  for (guint i = 0; i < n; i++)
    {
      Slot *slot = slot_at (i);
      guint32 word = mproc_load32 (&slot->word);
      MprocMember child = i << 19 | (word >> 8) << 1;
      MprocOsIdentity who;

      if ((word & STATE_MASK) == MPROC_MEMBER_FREE ||
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
  Slot *slot = slot_of (mproc_self ());

  return mproc_cas64 (&slot->intent, 0, block);
}

void
mproc_intent_end (MprocOffset block)
{
  Slot *slot = slot_of (mproc_self ());

  mproc_cas64 (&slot->intent, block, 0);
}
