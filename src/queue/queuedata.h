/* SPDX-License-Identifier: MIT */
/* What a queue is made of, for the files queue*.c. */
#ifndef MPROC_QUEUE_DATA_H
#define MPROC_QUEUE_DATA_H

#include "arena/yield.h"
#include "family/borrow.h"
#include "family/lockword.h"
#include "queue/chain.h"
#include "queue/queue.h"
#include "sync/sleepers.h"
#include "values/message.h"

#include <string.h>

G_BEGIN_DECLS

/* In the arena.  What changes often, and by different processes, lies 128 bytes apart:
 * two lines, because processors fetch them in pairs. */
typedef struct
{
  MprocChain chain;
  _Alignas(128) MprocSleepers getters;
  MprocAtomic32 looks; /* naps of getters that are over */
  _Alignas(128) MprocSleepers putters;
  _Alignas(128) MprocAtomic32 done; /* items that task_done was called for */
  MprocSleepers joiners;
  _Alignas(128) MprocOffset block; /* of this body, which is aligned within it */
  guint32 max_items;               /* G_MAXUINT32: no bound */
  guint32 simple_items; /* the same where items are all that is counted, else 0 */
  guint64 max_bytes;    /* 0: bytes are not counted */
} MprocQueueBody;

/* The word notice of each side, which every put or get reads with the lock in hand: 0 as
 * long as all is as usual.  The low bit: something has to be done each time, and other
 * words say what.  The rest: who has waited for too long, a thread's name (see
 * queueside.c). */
#define MPROC_NOTICE 1u

/* One side of a queue in this process; written only under that side's lock. */
typedef struct
{
  MprocView view;
  MprocSpin spin;
  MprocYield yield;
  guint8 padding[128 - sizeof (MprocView) - sizeof (MprocSpin) - sizeof (MprocYield)];
} MprocQueueSide;

struct MprocQueue
{
  MprocObject object;
  MprocQueueBody *body;
  gint closed;           /* 0: nobody in this process has closed it */
  GArray *closers;       /* the members that have, under the local lock; NULL: none yet */
  MprocMember process;   /* the process whose members they are */
  gsize max_simple_size; /* longer items go into blocks, or cannot be put */
  MprocSpin pace;        /* see queuepace.c */
  MprocYield pace_yield;
  MprocAtomic32 pace_taken;
  guint8 padding[128];
  MprocQueueSide put;
  MprocQueueSide get;
};

#define MPROC_IS_QUEUE(self) MPROC_OBJECT_IS (self, MPROC_KIND_QUEUE)

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
mproc_queue_try_lock (MprocAtomic32 *lock)
{
  guint32 free_word = 0;

  return G_LIKELY (atomic_compare_exchange_strong_explicit (lock, &free_word,
                                                            mproc_self (),
                                                            memory_order_acquire,
                                                            memory_order_relaxed));
}

static inline gboolean
mproc_queue_lock (MprocQueue *self, MprocAtomic32 *lock, gint64 deadline)
{
  return mproc_queue_try_lock (lock) || mproc_queue_lock_slowly (self, lock, deadline);
}

/* With @lock in hand and @notice not 0, at the start of a put or get: lets another one go
 * first who has waited for too long, for a moment at most.  FALSE: the lock is not in hand
 * any more, and the time is up. */
gboolean mproc_queue_give_way (MprocQueue *self, MprocAtomic32 *lock, gint64 deadline);

/* How long a put or get has been asleep, and what others did meanwhile.  Between two
 * sleeps it looks whether it has been passed over; then others will give way. */
typedef struct
{
  MprocAtomic32 *lock;
  MprocAtomic32 *moved; /* raised by every success of anybody on that side */
  guint32 from;
  guint32 holder; /* who held the lock when a nap was over; 0: nobody */
  gint64 begin;
  gboolean complained;
} MprocPatience;

void mproc_patience_begin (MprocPatience *patience, MprocQueue *self, gboolean to_put);
void mproc_patience_look (MprocPatience *patience, MprocQueue *self);
void mproc_patience_end (MprocPatience *patience, MprocQueue *self);

/* After a sleep of a consumer: whether it waits for the lock even where nothing is to be seen.
 * It has complained, or one holds the lock from nap to nap, and may be dead. */
gboolean mproc_patience_insists (MprocPatience *patience);

/* Looks for what the caller, who holds @lock, is waiting for, for as long as that has
 * paid lately and nobody else wants the lock. */
gboolean mproc_queue_spin (MprocSpin *spin,
                           MprocAtomic32 *lock,
                           gboolean (*look) (gpointer),
                           gpointer data);

/* As mproc_sleepers_wait, but may yield instead. */
gboolean mproc_queue_sleep (MprocQueue *self,
                            gboolean to_put,
                            MprocSleep *sleep,
                            gboolean (*look) (gpointer),
                            gpointer data,
                            gint64 deadline);

/* Once somebody has closed it: whether the caller's member is among them. */
gboolean mproc_queue_is_closed_by_caller (MprocQueue *self);

static inline gboolean
mproc_queue_is_closed (MprocQueue *self)
{
  return G_UNLIKELY (g_atomic_int_get (&self->closed)) &&
         mproc_queue_is_closed_by_caller (self);
}

/* CLOSED: by this member, or shut down. */
void mproc_queue_set_closed (GError **error);
void mproc_queue_set_ended (GError **error);

static inline gboolean
mproc_queue_counts_bytes (const MprocQueueBody *body)
{
  return body->max_bytes != 0;
}

static inline gboolean
mproc_queue_is_bounded (const MprocQueueBody *body)
{
  return body->simple_items != G_MAXUINT32;
}

/* ------------------------------------------------------------------ what is put */

/* Bytes, or a value.  A long one goes into a block of its own before the lock is taken,
 * and the record only names it; the intent frees it if this process is killed before
 * that. */
typedef struct
{
  gconstpointer data;
  const MprocMessage *message; /* instead of data */
  gboolean is_value;           /* a message, or data that has the form of one */
  gsize size;
  MprocOffset block; /* 0: not long */
  MprocMember owner; /* of the block */
  gboolean guarded;
  gboolean is_paced; /* may go into a new chunk */
} MprocQueueItem;

static inline gboolean
mproc_queue_item_is_long (const MprocQueueItem *item)
{
  return item->size > MPROC_CHAIN_MAX_INLINE;
}

/* Whether @item can be put at all: NOT_SUPPORTED, TOO_LARGE. */
gboolean
mproc_queue_check_item (MprocQueue *self, const MprocQueueItem *item, GError **error);

/* How a producer keeps from running ahead, without a lock in hand: before it makes a block of
 * @size, and before it adds a chunk. */
void mproc_queue_pace_block (MprocQueue *self, gsize size);
void mproc_queue_pace_chunk (MprocQueue *self, gint64 deadline);

gboolean mproc_queue_make_block (MprocQueue *self, MprocQueueItem *item, GError **error);
void mproc_queue_free_block (MprocQueueItem *item);

/* Puts an item that has neither been checked nor has a block. */
gboolean mproc_queue_put_item (MprocQueue *self,
                               MprocQueueItem *item,
                               gint64 timeout,
                               GError **error);

typedef enum
{
  MPROC_PUT_DONE,
  MPROC_PUT_NO_ROOM,
  MPROC_PUT_AHEAD, /* there is room for it, in a new chunk: see mproc_queue_pace_chunk */
  MPROC_PUT_FAILED
} MprocPutResult;

/* Puts items, as many as there is room for, under one lock; *@n_put is raised for each.
 * All that are long have their blocks. */
MprocPutResult mproc_queue_put_round (MprocQueue *self,
                                      const MprocQueueItem *items,
                                      gsize n,
                                      gsize *n_put,
                                      gint64 deadline,
                                      GError **error);

/* Waits until @item may be put that could not, which @why says.  FALSE: it can not, or, with
 * FULL, the time is up. */
gboolean mproc_queue_wait_to_put (MprocQueue *self,
                                  MprocQueueItem *item,
                                  MprocPutResult why,
                                  MprocSleep *sleep,
                                  gint64 deadline,
                                  GError **error);

/* ------------------------------------------------------------------ what is got */

/* The form that a value must have: its type is this one, or of this one. */
typedef struct
{
  const char *format;
  const char *type; /* NULL: no value has that form */
  gsize length;
  gboolean is_definite;
} MprocQueueForm;

/* What a caller wants, and what it gets. */
typedef struct
{
  gint64 deadline;
  guint bytes_only : 1;
  guint into : 1;    /* the caller's buffer, or not at all */
  guint of_form : 1; /* how.form: else it stays */
  guint insists : 1; /* on the lock, see mproc_queue_lock_to_get */
  guint glances : 1; /* after a nap: what nobody has woken it for is not about to come */
  gsize room;        /* in the caller's buffer; 0: there is none */
  MprocQueueClaim claim; /* asked, and given nothing */
  union
  {
    gpointer data;         /* the claim's */
    MprocBorrowCell *cell; /* if it lends: takes a block as it is */
    const MprocQueueForm *form;
  } how;

  gpointer data; /* the caller's buffer, or g_malloc where that is too short */
  gsize size;
  gboolean is_value;
  MprocMember owner; /* of the block */
  MprocOffset block; /* where it still is, if that is not in the chunk; 0 */
  gboolean guarded;
  gboolean lends;
} MprocQueueRequest;

/* Each get clears one, and what is longer than this is cleared by an instruction that takes
 * as long as a fifth of a short get. */
G_STATIC_ASSERT (sizeof (MprocQueueRequest) <= 80);

/* Gets an item as requested. */
gboolean
mproc_queue_get_item (MprocQueue *self, MprocQueueRequest *request, GError **error);

typedef enum
{
  MPROC_GET_DONE,
  MPROC_GET_SKIPPED,
  MPROC_GET_NOTHING,
  MPROC_GET_FAILED
} MprocGetResult;

/* Takes what there is under one lock, up to @max items, all of them with the deadline and
 * wishes of the first request; *@n_got is raised for each.  A long one is the last, and is
 * copied after the lock. */
MprocGetResult mproc_queue_get_round (MprocQueue *self,
                                      MprocQueueRequest *requests,
                                      gsize max,
                                      gsize *n_got,
                                      GError **error);

/* Sleeps until there may be an item; FALSE with EMPTY once the time is up. */
gboolean mproc_queue_sleep_for_item (MprocQueue *self,
                                     MprocSleep *sleep,
                                     gint64 deadline,
                                     GError **error);

/* What was got, as a full reference; NULL with error if it cannot be opened here. */
GVariant *mproc_queue_request_to_value (MprocQueueRequest *request, GError **error);

/* How much one hold of a lock may be used for. */
#define MPROC_ROUND_ITEMS 64
#define MPROC_ROUND_BYTES (64 * 1024)

/* Under the consumer lock: drops every item. */
void mproc_queue_drop_all (MprocQueueBody *body, MprocView *view);

G_END_DECLS

#endif
