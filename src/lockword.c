/* SPDX-License-Identifier: MIT */
#include "lockword.h"

/* How long a wait may pass without a change before the owner's life is asked for. */
#define PATIENCE (MPROC_NAP / 2)

static MprocSpin lock_spin;

static gboolean
spin (MprocAtomic32 *word, guint32 mine)
{
  gint looks = mproc_spin_budget (&lock_spin);

  if (looks == 0)
    return FALSE;
  for (gint i = 0; i < looks; i++)
    {
      if (mproc_load32 (word) == 0 && mproc_cas32 (word, 0, mine))
        {
          mproc_spin_result (&lock_spin, TRUE);
          return TRUE;
        }
      mproc_os_relax ();
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

MprocLocked
mproc_lockword_acquire_slowly (MprocAtomic32 *word, gint64 deadline)
{
  guint32 mine = mproc_self ();
  gboolean slept = FALSE;

  if (spin (word, mine))
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
          if (take_over (word, held, mine))
            return MPROC_LOCKED_RECOVERED;
          if (mproc_load32 (word) == held)
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

void
mproc_lockword_wake (MprocAtomic32 *word)
{
  mproc_word_wake (word, 1);
}
