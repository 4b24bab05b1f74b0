/* SPDX-License-Identifier: MIT */
/* Words that several processes share.
 *
 * Two widths only, and both lock-free: a lock hidden in the C library would be local to
 * one process.  The configure step refuses a machine where they are not. */
#ifndef MPROC_ATOMIC_H
#define MPROC_ATOMIC_H

#include "crashpoint.h"

#include <glib.h>
#include <stdatomic.h>

typedef _Atomic (guint32) MprocAtomic32;
typedef _Atomic (guint64) MprocAtomic64;

/* Pins the order in which one process writes its steps, for whoever finds them after it
 * was killed between two of them.  No instruction: a killed process's stores have all
 * happened up to the instruction it died at, only the compiler may reorder them. */
static inline void
mproc_crash_order (void)
{
  atomic_signal_fence (memory_order_seq_cst);
}

static inline guint32
mproc_load32 (const MprocAtomic32 *word)
{
  return atomic_load_explicit ((MprocAtomic32 *) word, memory_order_acquire);
}

static inline void
mproc_store32 (MprocAtomic32 *word, guint32 value)
{
  atomic_store_explicit (word, value, memory_order_release);
}

static inline gboolean
mproc_cas32 (MprocAtomic32 *word, guint32 from, guint32 to)
{
  return atomic_compare_exchange_strong_explicit (word, &from, to, memory_order_acq_rel,
                                                  memory_order_acquire);
}

static inline guint32
mproc_add32 (MprocAtomic32 *word, guint32 amount)
{
  return atomic_fetch_add_explicit (word, amount, memory_order_acq_rel);
}

static inline guint64
mproc_load64 (const MprocAtomic64 *word)
{
  return atomic_load_explicit ((MprocAtomic64 *) word, memory_order_acquire);
}

static inline void
mproc_store64 (MprocAtomic64 *word, guint64 value)
{
  atomic_store_explicit (word, value, memory_order_release);
}

static inline guint64
mproc_add64 (MprocAtomic64 *word, guint64 amount)
{
  return atomic_fetch_add_explicit (word, amount, memory_order_acq_rel);
}

static inline gboolean
mproc_cas64 (MprocAtomic64 *word, guint64 from, guint64 to)
{
  return atomic_compare_exchange_strong_explicit (word, &from, to, memory_order_acq_rel,
                                                  memory_order_acquire);
}

#endif
