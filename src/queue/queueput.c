/* SPDX-License-Identifier: MIT */
/* The producers' side of a queue. */
#include "queue/queuedata.h"

typedef MprocQueueItem Item;

static inline void
store (const Item *item, gpointer to)
{
  if (item->message != NULL)
    mproc_message_store (item->message, to);
  else if (item->size > 0)
    memcpy (to, item->data, item->size);
}

gboolean
mproc_queue_make_block (MprocQueue *self, Item *item, GError **error)
{
  mproc_queue_pace_block (self, item->size);
  item->block = mproc_arena_alloc (item->size, error);
  if (item->block == 0)
    return FALSE;
  MPROC_CRASH_POINT (PUT_BLOCK_MADE);
  item->owner = mproc_self ();
  item->guarded = mproc_intent_begin (item->block);
  MPROC_CRASH_POINT (PUT_BLOCK_GUARDED);
  store (item, mproc_arena_at (item->block, item->size));
  return TRUE;
}

/* In the order of mproc_queue_empty_block. */
void
mproc_queue_free_block (Item *self)
{
  gboolean ours;

  if (self->block == 0)
    return;
  ours = mproc_arena_disown (self->block, self->owner);
  if (self->guarded)
    mproc_intent_end (self->block);
  mproc_crash_order ();
  if (ours)
    mproc_arena_free (self->block);
  self->block = 0;
}

/* ------------------------------------------------------------------ under the lock */

/* How many more items the queue may hold, as far as this side knows; 0 where bytes are
 * counted too. */
static inline guint32
known_room (MprocQueueBody *body)
{
  MprocProducer *producer = &body->chain.producer;
  guint32 put = atomic_load_explicit (&producer->put, memory_order_relaxed);
  guint32 taken = atomic_load_explicit (&producer->taken_seen, memory_order_relaxed);
  guint32 n = put - taken;

  return n < body->simple_items ? body->simple_items - n : 0;
}

/* What is looked for: room for items of so many bytes in all. */
typedef struct
{
  MprocQueueBody *body;
  gsize size;
} Wanted;

/* As known_room, for all that is counted. */
static gboolean
has_known_room (MprocQueueBody *body, guint32 n_items, guint64 n_bytes)
{
  MprocProducer *producer = &body->chain.producer;
  guint32 put = mproc_load32 (&producer->put);
  guint64 held;

  if (body->max_items != G_MAXUINT32 &&
      (guint64) (put - mproc_load32 (&producer->taken_seen)) + n_items > body->max_items)
    return FALSE;
  if (!mproc_queue_counts_bytes (body))
    return TRUE;
  held = mproc_load64 (&producer->bytes[put & 1]) - mproc_load64 (&producer->bytes_seen);
  return held <= body->max_bytes && n_bytes <= body->max_bytes - held;
}

/* A look at the consumers' line, which costs them. */
static void
look_at_consumers (MprocQueueBody *body)
{
  MprocProducer *producer = &body->chain.producer;

  mproc_store32 (&producer->taken_seen, mproc_load32 (&body->chain.consumer.taken));
  if (mproc_queue_counts_bytes (body))
    mproc_store64 (&producer->bytes_seen, mproc_chain_bytes_taken (&body->chain));
}

/* Worth going on for: not so little that the next put would have to look again. */
static gboolean
is_much_room (gpointer data)
{
  Wanted *wanted = data;
  MprocQueueBody *body = wanted->body;

  look_at_consumers (body);
  return has_known_room (body, MIN (body->max_items / 4, 64) + 1,
                         MAX (wanted->size, MIN (body->max_bytes / 4, 65536)));
}

static gboolean
wait_for_room (MprocQueue *self, gsize size, gint64 deadline)
{
  MprocQueueBody *body = self->body;
  Wanted wanted = { body, size };

  if (has_known_room (body, 1, size))
    return TRUE;
  look_at_consumers (body);
  if (has_known_room (body, 1, size))
    return TRUE;
  if (deadline != 0)
    mproc_queue_spin (&self->put.spin, &body->chain.producer.lock, is_much_room, &wanted);
  return has_known_room (body, 1, size);
}

/* The block becomes the queue's. */
static void
add_block (MprocQueue *self, const Item *item, const MprocRoom *room)
{
  MprocChain *chain = &self->body->chain;
  MprocBigRecord big = { item->block, item->size };

  memcpy (room->payload, &big, sizeof big);
  mproc_chain_give (chain, item->block, item->owner);
  mproc_chain_publish (chain, &self->put.view, room,
                       item->is_value ? MPROC_RECORD_BIG_VALUE : MPROC_RECORD_BIG_BYTES,
                       sizeof big);
  mproc_chain_given (chain);
  if (item->guarded)
    mproc_intent_end (item->block);
}

static inline MprocPutResult
add (MprocQueue *self, const Item *item, gboolean counts_bytes, GError **error)
{
  MprocChain *chain = &self->body->chain;
  MprocView *view = &self->put.view;
  gsize length = item->block == 0 ? item->size : sizeof (MprocBigRecord);
  MprocRoom room;

  if (G_UNLIKELY (!mproc_chain_find_room (chain, view, length, &room)))
    {
      if (!item->is_paced)
        return MPROC_PUT_AHEAD;
      if (!mproc_chain_extend (chain, view, &room, error))
        return MPROC_PUT_FAILED;
    }
  MPROC_CRASH_POINT (PUT_ROOM_FOUND);
  if (G_UNLIKELY (counts_bytes))
    mproc_chain_count_put (chain, item->size);
  if (G_UNLIKELY (item->block != 0))
    {
      add_block (self, item, &room);
      return MPROC_PUT_DONE;
    }
  store (item, room.payload);
  mproc_chain_publish (chain, view, &room,
                       item->is_value ? MPROC_RECORD_VALUE : MPROC_RECORD_BYTES,
                       item->size);
  return MPROC_PUT_DONE;
}

/* Where the bound may be reached, or bytes are counted. */
static MprocPutResult
put_carefully (MprocQueue *self, const Item *item, gint64 deadline, GError **error)
{
  if (!wait_for_room (self, item->size, deadline))
    return MPROC_PUT_NO_ROOM;
  return add (self, item, mproc_queue_counts_bytes (self->body), error);
}

static inline MprocPutResult
put_locked (MprocQueue *self, const Item *item, gint64 deadline, GError **error)
{
  if (G_UNLIKELY (known_room (self->body) == 0))
    return put_carefully (self, item, deadline, error);
  return add (self, item, FALSE, error);
}

/* FALSE, and the lock is not in hand any more. */
static gboolean
heed_notice (MprocQueue *self, gint64 deadline, MprocPutResult *result, GError **error)
{
  MprocProducer *producer = &self->body->chain.producer;

  *result = MPROC_PUT_NO_ROOM;
  if (!mproc_queue_give_way (self, &producer->lock, deadline))
    return FALSE;
  if (!mproc_load32 (&producer->ended))
    return TRUE;
  mproc_lockword_release (&producer->lock);
  mproc_queue_set_ended (error);
  *result = MPROC_PUT_FAILED;
  return FALSE;
}

/* ------------------------------------------------------------------ without it */

/* The look before the sleep. */
static gboolean
may_put (gpointer data)
{
  Wanted *wanted = data;
  MprocQueueBody *body = wanted->body;
  guint64 taken, put, held;

  if (mproc_load32 (&body->chain.producer.ended))
    return TRUE;
  if (mproc_chain_count (&body->chain) >= body->max_items)
    return FALSE;
  if (!mproc_queue_counts_bytes (body))
    return TRUE;
  /* As in mproc_queue_get_n_bytes; a sum with the bound might be too large for a number. */
  taken = mproc_chain_bytes_taken (&body->chain);
  put = mproc_chain_bytes_put (&body->chain);
  held = put > taken ? put - taken : 0;
  return held <= body->max_bytes && wanted->size <= body->max_bytes - held;
}

/* The one that was woken for this room may not have needed it, or not all. */
static void
wake_next_putter (MprocQueueBody *body)
{
  Wanted wanted = { body, 1 };

  if (may_put (&wanted))
    mproc_sleepers_wake (&body->putters, 1);
}

static inline MprocPutResult
try_put (MprocQueue *self, const Item *item, gint64 deadline, GError **error)
{
  MprocQueueBody *body = self->body;
  MprocProducer *producer = &body->chain.producer;
  MprocPutResult result;

  if (!mproc_queue_lock (self, &producer->lock, deadline))
    return MPROC_PUT_NO_ROOM;
  MPROC_CRASH_POINT (PUT_LOCKED);
  if (G_UNLIKELY (mproc_load32 (&producer->notice)) &&
      !heed_notice (self, deadline, &result, error))
    return result;
  result = put_locked (self, item, deadline, error);
  MPROC_CRASH_POINT (PUT_DONE);
  mproc_lockword_release (&producer->lock);
  MPROC_CRASH_POINT (PUT_RELEASED);
  if (G_LIKELY (result == MPROC_PUT_DONE))
    mproc_sleepers_wake (&body->getters, 1);
  MPROC_CRASH_POINT (PUT_WOKE);
  if (G_UNLIKELY (mproc_sleepers_may_be_there (&body->putters)) &&
      result != MPROC_PUT_NO_ROOM)
    wake_next_putter (body);
  return result;
}

MprocPutResult
mproc_queue_put_round (MprocQueue *self,
                       const Item *items,
                       gsize n,
                       gsize *n_put,
                       gint64 deadline,
                       GError **error)
{
  MprocQueueBody *body = self->body;
  MprocProducer *producer = &body->chain.producer;
  gsize before = *n_put;
  MprocPutResult result;

  if (!mproc_queue_lock (self, &producer->lock, deadline))
    return MPROC_PUT_NO_ROOM;
  if (mproc_load32 (&producer->notice) && !heed_notice (self, deadline, &result, error))
    return result;
  do
    {
      /* With something in it that others may be waiting for, nobody waits here. */
      result = put_locked (self, &items[*n_put - before], *n_put == before ? deadline : 0,
                           error);
      if (result == MPROC_PUT_DONE)
        ++*n_put;
    }
  while (result == MPROC_PUT_DONE && *n_put - before < n);
  mproc_lockword_release (&producer->lock);
  if (*n_put > before)
    mproc_sleepers_wake (&body->getters, (guint) (*n_put - before));
  if (mproc_sleepers_may_be_there (&body->putters) && result != MPROC_PUT_NO_ROOM)
    wake_next_putter (body);
  return result;
}

static gboolean
sleep_for_room (MprocQueue *self,
                gsize size,
                MprocSleep *sleep,
                gint64 deadline,
                GError **error)
{
  Wanted wanted = { self->body, size };

  if (mproc_queue_sleep (self, TRUE, sleep, may_put, &wanted, deadline))
    return TRUE;
  g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_FULL, "the queue is full");
  return FALSE;
}

gboolean
mproc_queue_wait_to_put (MprocQueue *self,
                         MprocQueueItem *item,
                         MprocPutResult why,
                         MprocSleep *sleep,
                         gint64 deadline,
                         GError **error)
{
  if (why == MPROC_PUT_NO_ROOM)
    return sleep_for_room (self, item->size, sleep, deadline, error);
  if (why == MPROC_PUT_AHEAD)
    mproc_queue_pace_chunk (self, deadline);
  item->is_paced = TRUE;
  return why == MPROC_PUT_AHEAD;
}

static gboolean
wait_and_put (MprocQueue *self,
              Item *item,
              MprocPutResult result,
              gint64 deadline,
              GError **error)
{
  MprocSleep sleep = { FALSE };
  MprocPatience patience;

  mproc_patience_begin (&patience, self, TRUE);
  while (mproc_queue_wait_to_put (self, item, result, &sleep, deadline, error))
    {
      mproc_patience_look (&patience, self);
      result = try_put (self, item, deadline, error);
    }
  mproc_patience_end (&patience, self);
  return result == MPROC_PUT_DONE;
}

/* Where bytes are counted, or the item is long. */
static gboolean
prepare (MprocQueue *self, Item *item, GError **error)
{
  return mproc_queue_check_item (self, item, error) &&
         (!mproc_queue_item_is_long (item) || mproc_queue_make_block (self, item, error));
}

static inline gboolean
put (MprocQueue *self, Item *item, gint64 timeout, GError **error)
{
  gint64 deadline = mproc_queue_deadline (timeout);
  MprocPutResult result;

  if (mproc_queue_is_closed (self))
    {
      mproc_queue_set_closed (error);
      return FALSE;
    }
  if (G_UNLIKELY (item->size > self->max_simple_size) && !prepare (self, item, error))
    return FALSE;
  result = try_put (self, item, deadline, error);
  if (G_LIKELY (result == MPROC_PUT_DONE) ||
      wait_and_put (self, item, result, deadline, error))
    return TRUE;
  mproc_queue_free_block (item);
  return FALSE;
}

gboolean
mproc_queue_put_item (MprocQueue *self, Item *item, gint64 timeout, GError **error)
{
  return put (self, item, timeout, error);
}

/* ------------------------------------------------------------------ public */

gboolean
mproc_queue_check_item (MprocQueue *self, const Item *item, GError **error)
{
  guint64 most = self->body->max_bytes;

  if (item->message != NULL &&
      mproc_message_has_kind (item->message, MPROC_KIND_CONNECTION))
    g_set_error_literal (
        error, MPROC_ERROR, MPROC_ERROR_NOT_SUPPORTED,
        "a queue cannot carry a connection; hand it to a process as an argument "
        "of mproc_process_start");
  else if (most != 0 && item->size > most)
    g_set_error (error, MPROC_ERROR, MPROC_ERROR_TOO_LARGE,
                 "an item of %" G_GSIZE_FORMAT " bytes is more than the queue may hold, "
                 "%" G_GUINT64_FORMAT,
                 item->size, most);
  else
    return TRUE;
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

gboolean
mproc_queue_put (MprocQueue *self, GVariant *value, gint64 timeout_us, GError **error)
{
  MprocMessage message;
  gboolean sent;
  Item item = { .message = &message, .is_value = TRUE };

  g_return_val_if_fail (MPROC_IS_QUEUE (self), FALSE);
  g_return_val_if_fail (value != NULL, FALSE);
  g_return_val_if_fail (MPROC_IS_TIMEOUT (timeout_us), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (!mproc_message_init (&message, value, error))
    return FALSE;
  item.size = message.size;
  sent = mproc_queue_check_item (self, &item, error) &&
         mproc_queue_put_item (self, &item, timeout_us, error);
  mproc_message_clear (&message, sent);
  return sent;
}
