/* SPDX-License-Identifier: MIT */
#include "sync/sleepers.h"

static void
announce (MprocSleepers *sleepers, MprocSleep *sleep)
{
  mproc_store32 (&sleepers->word, 1);
  mproc_order_sleeper_of_lockers ();
  sleep->announced = TRUE;
}

gboolean
mproc_sleepers_wait (MprocSleepers *sleepers,
                     MprocSleep *sleep,
                     gboolean (*is_over) (gpointer),
                     gpointer data,
                     gint64 deadline)
{
  if (deadline != MPROC_OS_NEVER && g_get_monotonic_time () >= deadline)
    return FALSE;
  if (!sleep->announced)
    {
      announce (sleepers, sleep);
      MPROC_CRASH_POINT (SLEEPER_ANNOUNCED);
      if (is_over (data))
        return TRUE;
    }
  mproc_word_nap (&sleepers->word, 1, deadline, sleep->nap != 0 ? sleep->nap : MPROC_NAP);
  /* Still 1: only a nap is over, what was announced holds.  Else it has to be said
   * again: at once for the others, and with everything that belongs to it before the
   * next sleep. */
  if (mproc_load32 (&sleepers->word) == 0)
    {
      MPROC_CRASH_POINT (SLEEPER_WOKEN);
      mproc_store32 (&sleepers->word, 1);
      sleep->announced = FALSE;
    }
  return TRUE;
}

void
mproc_sleepers_wake_slowly (MprocSleepers *sleepers, guint n)
{
  if (atomic_exchange_explicit (&sleepers->word, 0, memory_order_acq_rel) == 0)
    return;
  MPROC_CRASH_POINT (SLEEPER_CLEARED);
  mproc_word_wake (&sleepers->word, n);
}
