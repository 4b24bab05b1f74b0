/* SPDX-License-Identifier: MIT */
/* The producers' side of a queue. */
#include "message.h"
#include "queuedata.h"

#include <string.h>

/* What is put: bytes, or a value.  A long one goes into a block of its own before the
 * lock is taken, and the record only names it; the intent frees it if this process is
 * killed before that. */
typedef struct
{
  gconstpointer data;
  const MprocMessage *message; /* instead of data */
  gsize size;
  MprocOffset block; /* 0: not long */
  gboolean guarded;
} Item;

typedef enum
{
  PUT_DONE,
  PUT_NO_ROOM,
  PUT_FAILED
} PutResult;

static inline void
store (const Item *item, gpointer to)
{
  if (item->message != NULL)
    mproc_message_store (item->message, to);
  else if (item->size > 0)
    memcpy (to, item->data, item->size);
}

static gboolean
make_block (Item *self, GError **error)
{
  self->block = mproc_arena_alloc (self->size, error);
  if (self->block == 0)
    return FALSE;
  MPROC_CRASH_POINT (PUT_BLOCK_MADE);
  self->guarded = mproc_intent_begin (self->block);
  MPROC_CRASH_POINT (PUT_BLOCK_GUARDED);
  store (self, mproc_arena_at (self->block, self->size));
  return TRUE;
}

static void
free_block (const Item *self)
{
  if (self->block == 0)
    return;
  if (self->guarded)
    mproc_intent_end (self->block);
  mproc_arena_free (self->block);
}

/* ------------------------------------------------------------------ under the lock */

/* How many more items the queue may hold, as far as this side knows. */
static inline guint32
known_room (MprocQueueBody *body)
{
  MprocProducer *producer = &body->chain.producer;
  guint32 put = atomic_load_explicit (&producer->put, memory_order_relaxed);
  guint32 taken = atomic_load_explicit (&producer->taken_seen, memory_order_relaxed);
  guint32 n = put - taken;

  return n < body->max_items ? body->max_items - n : 0;
}

/* The same after a look at the consumers' line, which costs them. */
static guint32
look_for_room (MprocQueueBody *body)
{
  mproc_store32 (&body->chain.producer.taken_seen,
                 mproc_load32 (&body->chain.consumer.taken));
  return known_room (body);
}

/* Worth going on for: not so little that the next put would have to look again. */
static gboolean
is_much_room (gpointer data)
{
  MprocQueueBody *body = data;

  return look_for_room (body) > MIN (body->max_items / 4, 64);
}

static gboolean
wait_for_room (MprocQueue *self, gint64 deadline)
{
  MprocQueueBody *body = self->body;

  if (look_for_room (body) > 0)
    return TRUE;
  if (deadline != 0)
    mproc_queue_spin (&self->put.spin, &body->chain.producer.lock, is_much_room, body);
  return known_room (body) > 0;
}

/* The block becomes the queue's.  The intent never names one that others can see.
 * Killed before it is published: the block is lost (a few instructions). */
static void
add_block (MprocQueue *self, const Item *item, const MprocRoom *room)
{
  MprocBigRecord big = { item->block, item->size };

  memcpy (room->payload, &big, sizeof big);
  if (item->guarded)
    mproc_intent_end (item->block);
  mproc_crash_order ();
  MPROC_CRASH_POINT (PUT_BLOCK_UNGUARDED);
  mproc_chain_publish (&self->body->chain, &self->put.view, room,
                       item->message != NULL ? MPROC_RECORD_BIG_VALUE
                                             : MPROC_RECORD_BIG_BYTES,
                       sizeof big);
}

static inline gboolean
add (MprocQueue *self, const Item *item, GError **error)
{
  MprocChain *chain = &self->body->chain;
  MprocView *view = &self->put.view;
  MprocRoom room;

  if (!mproc_chain_reserve (chain, view,
                            item->block == 0 ? item->size : sizeof (MprocBigRecord),
                            &room, error))
    return FALSE;
  MPROC_CRASH_POINT (PUT_ROOM_FOUND);
  if (G_UNLIKELY (item->block != 0))
    {
      add_block (self, item, &room);
      return TRUE;
    }
  store (item, room.payload);
  mproc_chain_publish (chain, view, &room,
                       item->message != NULL ? MPROC_RECORD_VALUE : MPROC_RECORD_BYTES,
                       item->size);
  return TRUE;
}

static inline PutResult
put_locked (MprocQueue *self, const Item *item, gint64 deadline, GError **error)
{
  MprocQueueBody *body = self->body;

  if (G_UNLIKELY (mproc_load32 (&body->chain.producer.ended)))
    {
      mproc_queue_set_ended (error);
      return PUT_FAILED;
    }
  if (G_UNLIKELY (known_room (body) == 0) && !wait_for_room (self, deadline))
    return PUT_NO_ROOM;
  return add (self, item, error) ? PUT_DONE : PUT_FAILED;
}

/* ------------------------------------------------------------------ without it */

/* The look before the sleep. */
static gboolean
may_put (gpointer data)
{
  MprocQueueBody *body = data;

  return mproc_chain_count (&body->chain) < body->max_items ||
         mproc_load32 (&body->chain.producer.ended);
}

static inline PutResult
try_put (MprocQueue *self, const Item *item, gint64 deadline, GError **error)
{
  MprocQueueBody *body = self->body;
  MprocAtomic32 *lock = &body->chain.producer.lock;
  PutResult result;

  if (!mproc_queue_lock (self, lock, deadline))
    return PUT_NO_ROOM;
  MPROC_CRASH_POINT (PUT_LOCKED);
  result = put_locked (self, item, deadline, error);
  MPROC_CRASH_POINT (PUT_DONE);
  mproc_lockword_release (lock);
  MPROC_CRASH_POINT (PUT_RELEASED);
  if (G_LIKELY (result == PUT_DONE))
    mproc_sleepers_wake (&body->getters, 1);
  MPROC_CRASH_POINT (PUT_WOKE);
  /* The one that was woken for this room may not have needed it, or not all. */
  if (G_UNLIKELY (mproc_sleepers_may_be_there (&body->putters)) &&
      result != PUT_NO_ROOM && may_put (body))
    mproc_sleepers_wake (&body->putters, 1);
  return result;
}

static gboolean
sleep_and_put (MprocQueue *self, const Item *item, gint64 deadline, GError **error)
{
  MprocSleep sleep = { FALSE };
  PutResult result;

  do
    {
      if (!mproc_sleepers_wait (&self->body->putters, &sleep, may_put, self->body,
                                deadline))
        {
          g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_FULL, "the queue is full");
          return FALSE;
        }
      result = try_put (self, item, deadline, error);
    }
  while (result == PUT_NO_ROOM);
  return result == PUT_DONE;
}

static inline gboolean
put (MprocQueue *self, Item *item, gint64 timeout, GError **error)
{
  gint64 deadline = mproc_queue_deadline (timeout);
  PutResult result;

  if (mproc_queue_is_closed (self))
    {
      mproc_queue_set_closed (error);
      return FALSE;
    }
  if (G_UNLIKELY (item->size > MPROC_CHAIN_MAX_INLINE) && !make_block (item, error))
    return FALSE;
  result = try_put (self, item, deadline, error);
  if (G_LIKELY (result == PUT_DONE) ||
      (result == PUT_NO_ROOM && sleep_and_put (self, item, deadline, error)))
    return TRUE;
  free_block (item);
  return FALSE;
}

gboolean
mproc_queue_put_bytes (MprocQueue *self,
                       gconstpointer data,
                       gsize size,
                       gint64 timeout_us,
                       GError **error)
{
  Item item = { .data = data, .size = size };

  g_return_val_if_fail (MPROC_IS_QUEUE (self), FALSE);
  g_return_val_if_fail (data != NULL || size == 0, FALSE);
  g_return_val_if_fail (MPROC_IS_TIMEOUT (timeout_us), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return put (self, &item, timeout_us, error);
}

static gboolean
put_message (MprocQueue *self,
             const MprocMessage *message,
             gint64 timeout,
             GError **error)
{
  Item item = { .message = message, .size = message->size };

  if (!mproc_message_has_kind (message, MPROC_KIND_CONNECTION))
    return put (self, &item, timeout, error);
  g_set_error_literal (
      error, MPROC_ERROR, MPROC_ERROR_NOT_SUPPORTED,
      "a queue cannot carry a connection; hand it to a process as an argument "
      "of mproc_process_start");
  return FALSE;
}

gboolean
mproc_queue_put (MprocQueue *self, GVariant *value, gint64 timeout_us, GError **error)
{
  MprocMessage message;
  gboolean sent;

  g_return_val_if_fail (MPROC_IS_QUEUE (self), FALSE);
  g_return_val_if_fail (value != NULL, FALSE);
  g_return_val_if_fail (MPROC_IS_TIMEOUT (timeout_us), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (!mproc_message_init (&message, value, error))
    return FALSE;
  sent = put_message (self, &message, timeout_us, error);
  mproc_message_clear (&message, sent);
  return sent;
}
