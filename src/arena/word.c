/* SPDX-License-Identifier: MIT */
#include "arena/word.h"

#include "arena/arena.h"
#include "arena/parking.h"

void
mproc_word_wait (MprocAtomic32 *word, guint32 value, gint64 deadline)
{
  mproc_word_nap (word, value, deadline, MPROC_NAP);
}

void
mproc_word_nap (MprocAtomic32 *word, guint32 value, gint64 deadline, gint64 nap)
{
  deadline = MIN (deadline, g_get_monotonic_time () + nap);
  if (mproc_os_has_words ())
    mproc_os_word_wait (word, value, deadline);
  else
    mproc_parking_wait (word, value, deadline);
}

gboolean
mproc_word_wake (MprocAtomic32 *word, guint n)
{
  if (mproc_os_has_words ())
    return mproc_os_word_wake (word, n) > 0;
  return mproc_parking_wake (word, n) > 0;
}

void
mproc_order_sleeper (void)
{
  atomic_thread_fence (memory_order_seq_cst);
  if (mproc_load32 (mproc_arena_need_fences ()) == 0)
    mproc_os_process_barrier ();
}

void
mproc_order_runner (void)
{
  if (G_UNLIKELY (atomic_load_explicit (mproc_arena_need_fences (),
                                        memory_order_relaxed) != 0))
    atomic_thread_fence (memory_order_seq_cst);
  else
    mproc_crash_order ();
}

#if defined(__x86_64__) || defined(__i386__) || defined(_M_X64) || defined(_M_IX86)
void
mproc_order_sleeper_of_lockers (void)
{
  atomic_thread_fence (memory_order_seq_cst);
}

void
mproc_order_locker (void)
{
  mproc_crash_order ();
}
#else
void
mproc_order_sleeper_of_lockers (void)
{
  mproc_order_sleeper ();
}

void
mproc_order_locker (void)
{
  mproc_order_runner ();
}
#endif

static gboolean has_one_processor;

gboolean
mproc_has_one_processor (void)
{
  return has_one_processor;
}

void
mproc_spin_prepare (void)
{
  has_one_processor = mproc_os_cpu_count () == 1;
}

gint
mproc_spin_budget (MprocSpin *spin)
{
  gint vain = g_atomic_int_get (&spin->vain);

  /* What is waited for cannot come while this thread runs. */
  if (has_one_processor)
    return 0;

  if (vain < 8)
    return MPROC_SPIN_LOOKS;
  return g_atomic_int_add (&spin->skipped, 1) % 64 == 63 ? MPROC_SPIN_LOOKS : 0;
}

void
mproc_spin_result (MprocSpin *spin, gboolean success)
{
  gint vain = g_atomic_int_get (&spin->vain);

  if (success && vain > 0)
    g_atomic_int_set (&spin->vain, 0);
  else if (!success && vain < 8)
    g_atomic_int_set (&spin->vain, vain + 1);
}

gint64
mproc_deadline (gint64 timeout_us)
{
  gint64 now;

  if (timeout_us == MPROC_FOREVER)
    return MPROC_OS_NEVER;
  if (timeout_us <= 0)
    return 0;
  now = g_get_monotonic_time ();
  return timeout_us > G_MAXINT64 - now ? MPROC_OS_NEVER : now + timeout_us;
}
