/* SPDX-License-Identifier: MIT */
#include "sync/holdings.h"

#include "family/lockword.h"

/* Only as far as members have ever taken a unit: mostly a few. */
typedef struct
{
  MprocAtomic32 lock;
  MprocAtomic32 total;
  MprocAtomic32 n_used; /* slots from here on have never taken one */
  guint32 unused;
  MprocAtomic64 taken[MPROC_MAX_MEMBERS]; /* by slot: member << 32 | how many */
} Holdings;

static Holdings *
at (MprocOffset offset)
{
  return mproc_arena_at (offset, sizeof (Holdings));
}

static inline guint32
count_of (const MprocAtomic64 *taken)
{
  return (guint32) mproc_load64 (taken);
}

static inline MprocMember
holder_of (const MprocAtomic64 *taken)
{
  return (MprocMember) (mproc_load64 (taken) >> 32);
}

/* One who died under the lock has left either everything as it was, or one word changed and
 * the value not yet. */
static void
lock (Holdings *self, MprocAtomic32 *value)
{
  guint32 taken = 0;

  if (mproc_lockword_acquire (&self->lock, MPROC_OS_NEVER) != MPROC_LOCKED_RECOVERED)
    return;
  for (guint32 i = 0; i < mproc_load32 (&self->n_used); i++)
    taken += count_of (&self->taken[i]);
  mproc_store32 (value, mproc_load32 (&self->total) - taken);
}

static void
unlock (Holdings *self)
{
  mproc_lockword_release (&self->lock);
}

/* The truth first, then the copy. */
static void
set_taken (MprocAtomic64 *taken, MprocMember member, guint32 n)
{
  mproc_store64 (taken, (guint64) member << 32 | n);
  mproc_crash_order ();
}

MprocOffset
mproc_holdings_new (guint32 total, GError **error)
{
  MprocOffset offset = mproc_arena_alloc0 (sizeof (Holdings), error);

  if (offset != 0)
    mproc_store32 (&at (offset)->total, total);
  return offset;
}

/* Whoever had the caller's slot before has ended, and what it had taken is free again. */
static void
restore_own_slot (Holdings *self, MprocAtomic32 *value)
{
  MprocMember me = mproc_self ();
  MprocAtomic64 *taken = &self->taken[MPROC_MEMBER_SLOT (me)];
  guint32 n = count_of (taken);

  if (holder_of (taken) == me)
    return;
  if (MPROC_MEMBER_SLOT (me) >= mproc_load32 (&self->n_used))
    mproc_store32 (&self->n_used, MPROC_MEMBER_SLOT (me) + 1);
  set_taken (taken, me, 0);
  MPROC_CRASH_POINT (HOLDINGS_INHERITED);
  mproc_store32 (value, mproc_load32 (value) + n);
}

gboolean
mproc_holdings_take (MprocOffset holdings, MprocAtomic32 *value)
{
  Holdings *self = at (holdings);
  MprocAtomic64 *taken = &self->taken[MPROC_MEMBER_SLOT (mproc_self ())];
  guint32 n;

  lock (self, value);
  MPROC_CRASH_POINT (HOLDINGS_LOCKED);
  restore_own_slot (self, value);
  n = mproc_load32 (value);
  if (n > 0)
    {
      set_taken (taken, mproc_self (), count_of (taken) + 1);
      MPROC_CRASH_POINT (HOLDINGS_TAKEN);
      mproc_store32 (value, n - 1);
      MPROC_CRASH_POINT (HOLDINGS_TAKEN_ALL);
    }
  unlock (self);
  return n > 0;
}

/* The caller's, or that of anyone who has taken a unit; NULL: nobody has. */
static MprocAtomic64 *
find_taken (Holdings *self)
{
  MprocAtomic64 *own = &self->taken[MPROC_MEMBER_SLOT (mproc_self ())];

  if (count_of (own) > 0)
    return own;
  for (guint32 i = 0; i < mproc_load32 (&self->n_used); i++)
    if (count_of (&self->taken[i]) > 0)
      return &self->taken[i];
  return NULL;
}

gboolean
mproc_holdings_give (MprocOffset holdings, MprocAtomic32 *value, guint32 max)
{
  Holdings *self = at (holdings);
  MprocAtomic64 *taken;
  guint32 n;

  lock (self, value);
  restore_own_slot (self, value);
  taken = find_taken (self);
  n = mproc_load32 (value);
  if (n < max)
    {
      if (taken != NULL)
        set_taken (taken, holder_of (taken), count_of (taken) - 1);
      else
        mproc_store32 (&self->total, mproc_load32 (&self->total) + 1);
      mproc_crash_order ();
      MPROC_CRASH_POINT (HOLDINGS_GIVEN);
      mproc_store32 (value, n + 1);
      MPROC_CRASH_POINT (HOLDINGS_GIVEN_ALL);
    }
  unlock (self);
  return n < max;
}

/* What the memory knows costs nothing to ask. */
static gboolean
is_dead (MprocMember member, gboolean ask_system)
{
  return (ask_system || !mproc_member_is_current (member)) &&
         mproc_member_is_dead (member);
}

/* Unless somebody else has been as fast: the dead one's successor in its slot, or one who looks
 * for the dead as well. */
static guint32
restore (Holdings *self, MprocAtomic32 *value, MprocAtomic64 *taken, MprocMember dead)
{
  guint32 n = 0;

  lock (self, value);
  if (holder_of (taken) == dead)
    {
      n = count_of (taken);
      set_taken (taken, dead, 0);
      MPROC_CRASH_POINT (HOLDINGS_RESTORED);
      mproc_store32 (value, mproc_load32 (value) + n);
    }
  unlock (self);
  return n;
}

/* Nobody waits for the lock while the system is asked; the dead stay dead. */
gboolean
mproc_holdings_restore (MprocOffset holdings, MprocAtomic32 *value, gboolean ask_system)
{
  Holdings *self = at (holdings);
  guint32 restored = 0;

  for (guint32 i = 0; i < mproc_load32 (&self->n_used); i++)
    {
      MprocAtomic64 *taken = &self->taken[i];
      MprocMember holder = holder_of (taken);

      if (count_of (taken) > 0 && is_dead (holder, ask_system))
        restored += restore (self, value, taken, holder);
    }
  return restored > 0;
}
