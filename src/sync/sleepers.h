/* SPDX-License-Identifier: MIT */
/* Those who sleep until something in an object changes: one word, without any count that
 * a kill could let drift.
 *
 *   0   nobody sleeps
 *   1   somebody may be sleeping
 *
 * A sleeper sets the word, looks once more, sleeps while it is 1.  A waker clears it and
 * wakes one; the one that wakes sets it again, since others may be sleeping still, and
 * whoever leaves something behind for the next one wakes again.  So a word may say 1
 * where nobody sleeps, which costs the next waker one call; 0 where somebody does only
 * between a waker's clearing and the woken one's setting, and who looks in that moment
 * may leave it to the woken one.
 *
 * Model: tests/models/sleepers.pml */
#ifndef MPROC_SLEEPERS_H
#define MPROC_SLEEPERS_H

#include "arena/word.h"

G_BEGIN_DECLS

typedef struct
{
  MprocAtomic32 word;
} MprocSleepers;

/* One wait of one thread, from its first sleep to its last. Zeros. */
typedef struct
{
  gboolean announced;
  guint32 looks; /* the user's, as is: */
  gint64 nap;    /* the longest sleep; 0: MPROC_NAP */
} MprocSleep;

/* Sleeps, at most until @deadline or for a nap, unless @is_over says that it is
 * needless.  FALSE, without sleeping, once the deadline is over. */
gboolean mproc_sleepers_wait (MprocSleepers *sleepers,
                              MprocSleep *sleep,
                              gboolean (*is_over) (gpointer),
                              gpointer data,
                              gint64 deadline);

void mproc_sleepers_wake_slowly (MprocSleepers *sleepers, guint n);

static inline gboolean
mproc_sleepers_may_be_there (MprocSleepers *sleepers)
{
  return atomic_load_explicit (&sleepers->word, memory_order_relaxed) != 0;
}

/* After the change that they wait for, and an atomic read-modify-write after that. */
static inline void
mproc_sleepers_wake (MprocSleepers *sleepers, guint n)
{
  mproc_order_locker ();
  if (G_UNLIKELY (mproc_sleepers_may_be_there (sleepers)))
    mproc_sleepers_wake_slowly (sleepers, n);
}

G_END_DECLS

#endif
