/* SPDX-License-Identifier: MIT */
/* What the bare peers share: words in memory that forked children inherit, and a lock without
 * owner or crash safety: 0 free, 1 held, 2 held and somebody may sleep. */
#ifndef BENCH_BARE_H
#define BENCH_BARE_H

#include "bench.h"

#include <stdatomic.h>

typedef _Atomic (guint32) BareWord;

/* Whether the workers are forked, so that they have what bare_share gave their parent. */
gboolean bare_can_share (void);

gpointer bare_share (gsize size);
void bare_unshare (gpointer data, gsize size);

/* FALSE: no futex here. */
gboolean bare_can_sleep (void);
void bare_sleep (BareWord *word, guint32 value);
void bare_wake (BareWord *word);

/* A barrier in all processes that have registered, for the one side that can afford it. */
gboolean bare_register_barrier (void);
void bare_barrier (void);

static inline void
bare_relax (void)
{
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause ();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

void bare_lock_slowly (BareWord *word);

static inline void
bare_lock (BareWord *word)
{
  guint32 free_word = 0;

  if (!atomic_compare_exchange_strong_explicit (word, &free_word, 1, memory_order_acquire,
                                                memory_order_relaxed))
    bare_lock_slowly (word);
}

static inline void
bare_unlock (BareWord *word)
{
  if (atomic_exchange_explicit (word, 0, memory_order_release) == 2)
    bare_wake (word);
}

#endif
