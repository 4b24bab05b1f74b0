/* SPDX-License-Identifier: MIT */
#include "family/lockword.h"

/* How long a wait may pass without a change before the owner's life is asked for. */
#define PATIENCE (MPROC_NAP / 2)

static MprocSpin lock_spin;

/* How often to look before going to sleep, and the longest pause between two looks. */
#define LOOKS 8
#define LONGEST_PAUSE 256

/* Each look takes the line from the owner, who then cannot release the lock and acquire it
 * again without fetching it back.  So the pauses grow fast: while one waits for longer, the
 * other gets much done. */
static gboolean
spin (MprocAtomic32 *word, guint32 mine)
{
  gint pause = 1;

  if (mproc_spin_budget (&lock_spin) == 0)
    return FALSE;
  for (gint i = 0; i < LOOKS; i++)
    {
      if (mproc_load32 (word) == 0 && mproc_cas32 (word, 0, mine))
        {
          mproc_spin_result (&lock_spin, TRUE);
          return TRUE;
        }
      for (gint relaxed = 0; relaxed < pause; relaxed++)
        mproc_os_relax ();
      pause = MIN (4 * pause, LONGEST_PAUSE);
    }
  mproc_spin_result (&lock_spin, FALSE);
  return FALSE;
}

/* Takes over the lock whose word has been @held if its owner is dead. */
static gboolean
take_over (MprocAtomic32 *word, guint32 held, guint32 mine)
{
  if (!mproc_member_is_dead (held & ~1u))
    return FALSE;
  MPROC_CRASH_POINT (LOCK_TAKING_OVER);
  if (!mproc_cas32 (word, held, mine | 1))
    return FALSE;
  MPROC_CRASH_POINT (LOCK_TAKEN_OVER);
  return TRUE;
}

/* Says in the word that somebody waits; FALSE if the word has changed. */
static gboolean
announce (MprocAtomic32 *word, guint32 *held)
{
  if (*held & 1)
    return TRUE;
  if (!mproc_cas32 (word, *held, *held | 1))
    return FALSE;
  MPROC_CRASH_POINT (LOCK_ANNOUNCED);
  *held |= 1;
  return TRUE;
}

static MprocLocked
acquire (MprocAtomic32 *word, gint64 deadline, gboolean asks)
{
  guint32 mine = mproc_self ();
  gboolean slept = FALSE;

  if (deadline > 0 && spin (word, mine))
    return MPROC_LOCKED;
  for (;;)
    {
      guint32 held = mproc_load32 (word);
      gint64 before;

      if (held == 0)
        {
          /* Having slept, others may be sleeping still: keep the bit for their sake. */
          if (!mproc_cas32 (word, 0, slept ? mine | 1 : mine))
            continue;
          MPROC_CRASH_POINT (LOCK_ACQUIRED_SLOWLY);
          return MPROC_LOCKED;
        }
      before = g_get_monotonic_time ();
      if (before >= deadline)
        {
          if (asks && take_over (word, held, mine))
            return MPROC_LOCKED_RECOVERED;
          /* The only wake may have been ours, and whoever came in between does not know
           * of the others who sleep: the bit has to be there for their sake. */
          if ((!slept || announce (word, &held)) && mproc_load32 (word) == held)
            return MPROC_LOCKED_NOT;
          continue;
        }
      /* What the memory knows costs nothing to ask. */
      if (!mproc_member_is_current (held & ~1u) && take_over (word, held, mine))
        return MPROC_LOCKED_RECOVERED;
      if (!announce (word, &held))
        continue;
      mproc_word_wait (word, held, deadline);
      MPROC_CRASH_POINT (LOCK_WOKEN);
      slept = TRUE;
      if (mproc_load32 (word) == held && g_get_monotonic_time () - before >= PATIENCE &&
          take_over (word, held, mine))
        return MPROC_LOCKED_RECOVERED;
    }
}

MprocLocked
mproc_lockword_acquire_slowly (MprocAtomic32 *word, gint64 deadline)
{
  return acquire (word, deadline, TRUE);
}

MprocLocked
mproc_lockword_acquire_soon (MprocAtomic32 *word, gint64 deadline)
{
  return acquire (word, deadline, FALSE);
}

MprocLocked
mproc_lockword_acquire_within (MprocAtomic32 *word, gint64 timeout_us)
{
  return mproc_lockword_acquire_slowly (word, mproc_deadline (timeout_us));
}

gboolean
mproc_lockword_release_any (MprocAtomic32 *word, GError **error)
{
  guint32 held = mproc_load32 (word);
  MprocMember owner = held & ~1u;

  /* From what was read, never an exchange: if somebody else has released it meanwhile, and
   * a third one acquired it, it is not the caller's to release any more. */
  while (owner != 0 && (held & ~1u) == owner)
    if (atomic_compare_exchange_weak_explicit (word, &held, 0, memory_order_release,
                                               memory_order_relaxed))
      {
        if (held & 1)
          {
            MPROC_CRASH_POINT (LOCK_RELEASED);
            mproc_lockword_wake (word);
          }
        return TRUE;
      }
  g_set_error_literal (
      error, MPROC_ERROR, MPROC_ERROR_OVER_RELEASE,
      "the lock is released more often than it was acquired: it is free");
  return FALSE;
}

void
mproc_lockword_wake (MprocAtomic32 *word)
{
  mproc_word_wake (word, 1);
}
