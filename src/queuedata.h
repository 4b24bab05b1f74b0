/* SPDX-License-Identifier: MIT */
/* What a queue is made of, for queue.c, queueput.c and queueget.c. */
#ifndef MPROC_QUEUE_DATA_H
#define MPROC_QUEUE_DATA_H

#include "chain.h"
#include "lockword.h"
#include "queue.h"
#include "sleepers.h"

G_BEGIN_DECLS

/* In the arena.  What changes often, and by different processes, lies 128 bytes apart:
 * two lines, because processors fetch them in pairs. */
typedef struct
{
  MprocChain chain;
  _Alignas(128) MprocSleepers getters;
  _Alignas(128) MprocSleepers putters;
  _Alignas(128) MprocAtomic32 done; /* items that task_done was called for */
  MprocSleepers joiners;
  _Alignas(128) MprocOffset block; /* of this body, which is aligned within it */
  guint32 max_items;
} MprocQueueBody;

/* One side of a queue in this process; written only under that side's lock. */
typedef struct
{
  MprocView view;
  MprocSpin spin;
  guint8 padding[128 - sizeof (MprocView) - sizeof (MprocSpin)];
} MprocQueueSide;

struct MprocQueue
{
  MprocObject object;
  MprocQueueBody *body;
  gint closed;
  guint8 padding[128];
  MprocQueueSide put;
  MprocQueueSide get;
};

/* mproc_object_is, without the call. */
#define MPROC_IS_QUEUE(self)                                                             \
  ((self) != NULL && (self)->object.kind == MPROC_KIND_QUEUE &&                          \
   g_atomic_int_get (&(self)->object.ref_count) > 0)
#define MPROC_IS_TIMEOUT(timeout) ((timeout) >= 0 || (timeout) == MPROC_FOREVER)

/* How long a lock may be waited for beyond the deadline of a put or get: it is held for
 * an instant only, and that somebody held it is no reason to say that the queue is empty
 * or full. */
#define MPROC_QUEUE_GRACE (2 * G_USEC_PER_SEC)

/* mproc_deadline, without the call where the clock is not needed. */
static inline gint64
mproc_queue_deadline (gint64 timeout)
{
  if (G_LIKELY (timeout == MPROC_FOREVER))
    return MPROC_OS_NEVER;
  return timeout == 0 ? 0 : mproc_deadline (timeout);
}

/* FALSE: its holder lives, but does not run (stopped, say), and the time is up. */
gboolean mproc_queue_lock_slowly (MprocQueue *self, MprocAtomic32 *lock, gint64 deadline);

static inline gboolean
mproc_queue_lock (MprocQueue *self, MprocAtomic32 *lock, gint64 deadline)
{
  guint32 free_word = 0;

  if (G_LIKELY (atomic_compare_exchange_strong_explicit (lock, &free_word, mproc_self (),
                                                         memory_order_acquire,
                                                         memory_order_relaxed)))
    return TRUE;
  return mproc_queue_lock_slowly (self, lock, deadline);
}

/* Looks for what the caller, who holds @lock, is waiting for, for as long as that has
 * paid lately and nobody else wants the lock. */
gboolean mproc_queue_spin (MprocSpin *spin,
                           MprocAtomic32 *lock,
                           gboolean (*look) (gpointer),
                           gpointer data);

static inline gboolean
mproc_queue_is_closed (MprocQueue *self)
{
  return G_UNLIKELY (g_atomic_int_get (&self->closed));
}

/* CLOSED: by this process, or shut down. */
void mproc_queue_set_closed (GError **error);
void mproc_queue_set_ended (GError **error);

/* Under the consumer lock: drops every item. */
void mproc_queue_drop_all (MprocQueueBody *body, MprocView *view);

G_END_DECLS

#endif
