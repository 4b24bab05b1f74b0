/* SPDX-License-Identifier: MIT */
/* The producers' side of a queue. */
#include "message.h"
#include "queuedata.h"

#include <string.h>

/* What is put: bytes, or a value.  A long one goes into a block of its own before the lock is taken,
 * and the record only names it; the intent frees it if this process is killed before that. */
typedef struct
{
  gconstpointer data;
  const MprocMessage *message; /* instead of data */
  gsize size;
  MprocBigRecord big; /* block 0: not long */
  gboolean guarded;
} Item;

typedef enum
{
  PUT_DONE,
  PUT_NO_ROOM,
  PUT_FAILED
} PutResult;

static void
store (const Item *item, gpointer to)
{
  if (item->message != NULL)
    mproc_message_store (item->message, to);
  else if (item->size > 0)
    memcpy (to, item->data, item->size);
}

static gboolean
item_init (Item *self, gconstpointer data, const MprocMessage *message, gsize size, GError **error)
{
  self->data = data;
  self->message = message;
  self->size = size;
  self->big.block = 0;
  self->big.size = size;
  self->guarded = FALSE;
  if (G_LIKELY (size <= MPROC_CHAIN_MAX_INLINE))
    return TRUE;
  self->big.block = mproc_arena_alloc (size, error);
  if (self->big.block == 0)
    return FALSE;
  self->guarded = mproc_intent_begin (self->big.block);
  store (self, mproc_arena_at (self->big.block, size));
  return TRUE;
}

static void
item_give_up (Item *self)
{
  if (self->guarded)
    mproc_intent_end (self->big.block);
  if (self->big.block != 0)
    mproc_arena_free (self->big.block);
}

/* ------------------------------------------------------------------ under the lock */

static gboolean
has_room (gpointer data)
{
  MprocQueueBody *body = data;
  MprocProducer *producer = &body->chain.producer;
  guint32 put = atomic_load_explicit (&producer->put, memory_order_relaxed);
  guint32 taken = atomic_load_explicit (&producer->taken_seen, memory_order_relaxed);

  if (G_LIKELY (put - taken < body->max_items))
    return TRUE;
  taken = mproc_load32 (&body->chain.consumer.taken);
  atomic_store_explicit (&producer->taken_seen, taken, memory_order_relaxed);
  return put - taken < body->max_items;
}

static gboolean
add (MprocQueue *self, Item *item, GError **error)
{
  MprocChain *chain = &self->body->chain;
  MprocView *view = &self->put.view;
  gboolean big = item->big.block != 0;
  gsize length = big ? sizeof item->big : item->size;
  MprocRecordKind kind = item->message != NULL ? MPROC_RECORD_VALUE : MPROC_RECORD_BYTES;
  MprocRoom room;

  if (!mproc_chain_reserve (chain, view, length, &room, error))
    return FALSE;
  if (G_LIKELY (!big))
    {
      store (item, room.payload);
      mproc_chain_publish (chain, view, &room, kind, length);
      return TRUE;
    }
  memcpy (room.payload, &item->big, sizeof item->big);
  /* The intent never names a block that others can see.  Killed before it is published: the
   * block is lost (a few instructions). */
  if (item->guarded)
    mproc_intent_end (item->big.block);
  mproc_crash_order ();
  kind = item->message != NULL ? MPROC_RECORD_BIG_VALUE : MPROC_RECORD_BIG_BYTES;
  mproc_chain_publish (chain, view, &room, kind, length);
  return TRUE;
}

static PutResult
put_locked (MprocQueue *self, Item *item, gint64 deadline, GError **error)
{
  MprocQueueBody *body = self->body;
  MprocProducer *producer = &body->chain.producer;

  if (G_UNLIKELY (mproc_load32 (&producer->ended)))
    {
      mproc_queue_set_ended (error);
      return PUT_FAILED;
    }
  if (!has_room (body)
      && (deadline == 0
          || !mproc_queue_spin (&self->put.spin, &producer->lock, has_room, body)))
    return PUT_NO_ROOM;
  return add (self, item, error) ? PUT_DONE : PUT_FAILED;
}

/* ------------------------------------------------------------------ without it */

/* The look before the sleep. */
static gboolean
may_put (gpointer data)
{
  MprocQueueBody *body = data;

  return mproc_chain_count (&body->chain) < body->max_items
         || mproc_load32 (&body->chain.producer.ended);
}

static PutResult
try_put (MprocQueue *self, Item *item, gint64 deadline, GError **error)
{
  MprocQueueBody *body = self->body;
  MprocAtomic32 *lock = &body->chain.producer.lock;
  PutResult result;

  if (!mproc_queue_lock (self, lock, deadline))
    return PUT_NO_ROOM;
  result = put_locked (self, item, deadline, error);
  mproc_lockword_release (lock);
  if (result == PUT_DONE)
    mproc_sleepers_wake (&body->getters, 1);
  /* The one that was woken for this room may not have needed it, or not all. */
  if (result != PUT_NO_ROOM && G_UNLIKELY (mproc_sleepers_may_be_there (&body->putters))
      && may_put (body))
    mproc_sleepers_wake (&body->putters, 1);
  return result;
}

static gboolean
put (MprocQueue *self, Item *item, gint64 timeout, GError **error)
{
  gint64 deadline = mproc_deadline (timeout);
  MprocSleep sleep = { FALSE };
  PutResult result = try_put (self, item, deadline, error);

  while (result == PUT_NO_ROOM)
    {
      if (!mproc_sleepers_wait (&self->body->putters, &sleep, may_put, self->body, deadline))
        {
          g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_FULL, "the queue is full");
          break;
        }
      result = try_put (self, item, deadline, error);
    }
  if (G_LIKELY (result == PUT_DONE))
    return TRUE;
  item_give_up (item);
  return FALSE;
}

gboolean
mproc_queue_put_bytes (MprocQueue *self, gconstpointer data, gsize size, gint64 timeout_us,
                       GError **error)
{
  Item item;

  g_return_val_if_fail (MPROC_IS_QUEUE (self), FALSE);
  g_return_val_if_fail (data != NULL || size == 0, FALSE);
  g_return_val_if_fail (MPROC_IS_TIMEOUT (timeout_us), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return mproc_queue_check_open (self, error) && item_init (&item, data, NULL, size, error)
         && put (self, &item, timeout_us, error);
}

static gboolean
put_message (MprocQueue *self, const MprocMessage *message, gint64 timeout, GError **error)
{
  Item item;

  if (mproc_message_has_kind (message, MPROC_KIND_CONNECTION))
    {
      g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_NOT_SUPPORTED,
                           "a queue cannot carry a connection; hand it to a process as an "
                           "argument of mproc_process_start");
      return FALSE;
    }
  return item_init (&item, NULL, message, message->size, error)
         && put (self, &item, timeout, error);
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
  sent = mproc_queue_check_open (self, error) && put_message (self, &message, timeout_us, error);
  mproc_message_clear (&message, sent);
  return sent;
}
