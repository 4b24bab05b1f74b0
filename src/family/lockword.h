/* SPDX-License-Identifier: MIT */
/* The lock word: 0, or its owner (slot and generation) and whether somebody waits.
 *
 *   0                free
 *   member           held by that member, nobody waits
 *   member | 1       held, somebody may be waiting
 *
 * Acquire is one compare-and-swap from 0 to the caller: there is no instant at which the lock
 * is held and its owner unknown.  A waiter that has slept a while asks whether the owner
 * lives, and takes a dead owner's lock over by the same compare-and-swap.  A taker that dies
 * leaves its own word, so the next one takes over again and is told so.
 *
 * Model: tests/models/lockword.pml */
#ifndef MPROC_LOCKWORD_H
#define MPROC_LOCKWORD_H

#include "arena/word.h"
#include "family/family.h"

G_BEGIN_DECLS

typedef enum
{
  MPROC_LOCKED_NOT,      /* time is up */
  MPROC_LOCKED,          /* acquired */
  MPROC_LOCKED_RECOVERED /* taken over from one who died: what it guards may be half written */
} MprocLocked;

MprocLocked mproc_lockword_acquire_slowly (MprocAtomic32 *word, gint64 deadline);
/* For one who comes again if it is not acquired: does not ask, when the time is up, whether the owner
 * lives, which takes longer than all the rest. */
MprocLocked mproc_lockword_acquire_soon (MprocAtomic32 *word, gint64 deadline);

MprocLocked mproc_lockword_acquire_within (MprocAtomic32 *word, gint64 timeout_us);

/* Whoever holds it; MPROC_ERROR_OVER_RELEASE if nobody does. */
gboolean mproc_lockword_release_any (MprocAtomic32 *word, GError **error);

void mproc_lockword_wake (MprocAtomic32 *word);

/* mproc_self where that takes no call, else 0. */
static inline MprocMember
mproc_self_if_known (void)
{
  if (G_UNLIKELY (mproc_identity_checks_pid ||
                  atomic_load_explicit (&mproc_has_thread_members, memory_order_relaxed)))
    return 0;
  return atomic_load_explicit (&mproc_identity->self, memory_order_relaxed);
}

/* Takes a free one. */
static inline gboolean
mproc_lockword_try (MprocAtomic32 *word, MprocMember mine)
{
  guint32 free_word = 0;

  return atomic_compare_exchange_strong_explicit (word, &free_word, mine,
                                                  memory_order_acquire,
                                                  memory_order_relaxed);
}

static inline MprocLocked
mproc_lockword_acquire (MprocAtomic32 *word, gint64 deadline)
{
  if (G_LIKELY (mproc_lockword_try (word, mproc_self ())))
    return MPROC_LOCKED;
  return mproc_lockword_acquire_slowly (word, deadline);
}

/* FALSE, and nothing done, if the caller does not hold it. */
static inline gboolean
mproc_lockword_release (MprocAtomic32 *word)
{
  guint32 mine = mproc_self ();

  if (G_LIKELY (atomic_compare_exchange_strong_explicit (word, &mine, 0,
                                                         memory_order_release,
                                                         memory_order_relaxed)))
    return TRUE;
  if (mine != (mproc_self () | 1))
    return FALSE;
  /* Only the contended bit can have come in between, and it never goes while the lock
   * is held. */
  atomic_store_explicit (word, 0, memory_order_release);
  MPROC_CRASH_POINT (LOCKWORD_RELEASED);
  mproc_lockword_wake (word);
  return TRUE;
}

G_END_DECLS

#endif
