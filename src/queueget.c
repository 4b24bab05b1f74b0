/* SPDX-License-Identifier: MIT */
/* The consumers' side of a queue. */
#include "message.h"
#include "queuedata.h"

#include <string.h>

/* What a caller wants, and what it gets. */
typedef struct
{
  gint64 deadline;
  gboolean bytes_only;
  gboolean into; /* the caller's buffer, of this size */
  gsize room;
  MprocQueueClaim claim; /* asked, and given nothing */
  gpointer claim_data;

  gpointer data; /* the caller's buffer, or g_malloc */
  gsize size;
  gboolean is_value;
  MprocOffset block; /* where it still is, if that is not in the chunk; 0 */
  gboolean guarded;
} Request;

typedef enum
{
  GET_DONE,
  GET_SKIPPED,
  GET_NOTHING,
  GET_FAILED
} GetResult;

static inline gboolean
is_value (const MprocRecord *record)
{
  return record->kind == MPROC_RECORD_VALUE || record->kind == MPROC_RECORD_BIG_VALUE;
}

/* The block that holds what @record names, which then is all it says; 0 if it holds it
 * itself. */
static inline MprocOffset
resolve (MprocRecord *record)
{
  MprocBigRecord big;

  if (G_LIKELY (record->kind < MPROC_RECORD_BIG_BYTES))
    return 0;
  memcpy (&big, record->payload, sizeof big);
  record->length = (gsize) big.size;
  record->payload = mproc_arena_at (big.block, record->length);
  return big.block;
}

/* What nobody gets. */
static void
discard (const MprocRecord *record, MprocOffset block)
{
  if (is_value (record))
    mproc_message_discard (record->payload, record->length);
  if (block != 0)
    mproc_arena_free (block);
}

/* ------------------------------------------------------------------ under the lock */

/* Why the caller cannot take this one, which stays. */
static void
set_unsuitable (const Request *request, const MprocRecord *record, GError **error)
{
  if (request->bytes_only && is_value (record))
    g_set_error_literal (
        error, MPROC_ERROR, MPROC_ERROR_INVALID,
        "the next item is a value, not bytes; mproc_queue_get takes both");
  else
    g_set_error (error, MPROC_ERROR, MPROC_ERROR_BUFFER_TOO_SHORT,
                 "the next item has %" G_GSIZE_FORMAT
                 " bytes, there is room for %" G_GSIZE_FORMAT,
                 record->length, request->room);
}

static inline void
copy_out (Request *request, gconstpointer from)
{
  if (!request->into)
    request->data = g_malloc (request->size);
  if (request->size > 0)
    memcpy (request->data, from, request->size);
}

static GetResult
ask_claim (MprocQueue *self, MprocRecord *record, MprocOffset block, Request *request)
{
  gboolean claimed =
      request->claim (record->payload, record->length, request->claim_data);

  MPROC_CRASH_POINT (GET_CLAIMED);
  mproc_chain_advance (&self->body->chain, &self->get.view, record);
  if (!claimed)
    discard (record, block);
  else if (block != 0)
    mproc_arena_free (block);
  return claimed ? GET_DONE : GET_SKIPPED;
}

/* Takes the record, copied first if it lies in the chunk.  What lies in a block is this
 * process's own once the head has moved, and is left for later; until then the intent
 * does not name it. */
static inline GetResult
take (MprocQueue *self, MprocRecord *record, Request *request, GError **error)
{
  MprocOffset block = resolve (record);

  if (G_UNLIKELY ((request->bytes_only && is_value (record)) ||
                  (request->into && record->length > request->room)))
    {
      set_unsuitable (request, record, error);
      return GET_FAILED;
    }
  if (G_UNLIKELY (request->claim != NULL))
    return ask_claim (self, record, block, request);
  request->is_value = is_value (record);
  request->size = record->length;
  if (G_LIKELY (block == 0))
    copy_out (request, record->payload);
  MPROC_CRASH_POINT (GET_COPIED);
  mproc_chain_advance (&self->body->chain, &self->get.view, record);
  if (G_UNLIKELY (block != 0))
    {
      MPROC_CRASH_POINT (GET_BLOCK_OWNED);
      request->block = block;
      request->guarded = mproc_intent_begin (block);
      MPROC_CRASH_POINT (GET_BLOCK_GUARDED);
    }
  return GET_DONE;
}

typedef struct
{
  MprocQueue *queue;
  MprocRecord record;
} Look;

static gboolean
look (gpointer data)
{
  Look *self = data;

  return mproc_chain_peek (&self->queue->body->chain, &self->queue->get.view,
                           &self->record);
}

/* Spins for a record.  The producers' line is not read before that, they are writing in
 * it.  If the queue has ended it takes one more look: all that was put is there since. */
static GetResult
wait_for_record (MprocQueue *self,
                 const Request *request,
                 MprocRecord *record,
                 GError **error)
{
  MprocChain *chain = &self->body->chain;
  Look at = { .queue = self };
  gboolean found = request->deadline != 0 &&
                   mproc_queue_spin (&self->get.spin, &chain->consumer.lock, look, &at);
  gboolean ended = !found && mproc_load32 (&chain->producer.ended);

  if (ended)
    found = look (&at);
  if (found)
    {
      *record = at.record;
      return GET_DONE;
    }
  if (!ended)
    return GET_NOTHING;
  mproc_queue_set_ended (error);
  return GET_FAILED;
}

static inline GetResult
get_locked (MprocQueue *self, Request *request, GError **error)
{
  MprocQueueBody *body = self->body;
  GetResult result;
  MprocRecord record;

  /* Somebody who was to drop everything died of it, or has not come to it yet. */
  if (G_UNLIKELY (mproc_load32 (&body->chain.consumer.dropping)))
    mproc_queue_drop_all (body, &self->get.view);
  do
    {
      result = GET_DONE;
      if (G_UNLIKELY (!mproc_chain_peek (&body->chain, &self->get.view, &record)))
        result = wait_for_record (self, request, &record, error);
      MPROC_CRASH_POINT (GET_PEEKED);
      if (G_LIKELY (result == GET_DONE))
        result = take (self, &record, request, error);
    }
  while (G_UNLIKELY (result == GET_SKIPPED));
  return result;
}

/* ------------------------------------------------------------------ without it */

/* The look before the sleep. */
static gboolean
may_get (gpointer data)
{
  MprocQueueBody *body = data;

  return mproc_chain_count (&body->chain) > 0 ||
         mproc_load32 (&body->chain.producer.ended);
}

static inline void
wake_others (MprocQueueBody *body)
{
  if (body->max_items != G_MAXUINT32)
    mproc_sleepers_wake (&body->putters, 1);
  /* One may have been woken for several items, or for one that the woken did not take. */
  if (G_UNLIKELY (mproc_sleepers_may_be_there (&body->getters)) && may_get (body))
    mproc_sleepers_wake (&body->getters, 1);
}

/* The intent goes before the block does: it must not name what is free already. */
static void
empty_block (Request *request)
{
  copy_out (request, mproc_arena_at (request->block, request->size));
  if (request->guarded)
    mproc_intent_end (request->block);
  mproc_crash_order ();
  MPROC_CRASH_POINT (GET_BLOCK_UNGUARDED);
  mproc_arena_free (request->block);
}

static inline GetResult
try_get (MprocQueue *self, Request *request, GError **error)
{
  MprocQueueBody *body = self->body;
  MprocAtomic32 *lock = &body->chain.consumer.lock;
  GetResult result;

  if (!mproc_queue_lock (self, lock, request->deadline))
    return GET_NOTHING;
  MPROC_CRASH_POINT (GET_LOCKED);
  result = get_locked (self, request, error);
  MPROC_CRASH_POINT (GET_MOVED);
  mproc_lockword_release (lock);
  if (G_LIKELY (result != GET_NOTHING))
    {
      MPROC_CRASH_POINT (GET_RELEASED);
      wake_others (body);
    }
  if (G_UNLIKELY (request->block != 0))
    empty_block (request);
  return result;
}

static gboolean
sleep_and_get (MprocQueue *self, Request *request, GError **error)
{
  MprocQueueBody *body = self->body;
  MprocSleep sleep = { FALSE };
  GetResult result;

  do
    {
      if (!mproc_sleepers_wait (&body->getters, &sleep, may_get, body, request->deadline))
        {
          g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_EMPTY,
                               "the queue is empty");
          return FALSE;
        }
      result = try_get (self, request, error);
    }
  while (result == GET_NOTHING);
  return result == GET_DONE;
}

static gboolean
get (MprocQueue *self, Request *request, GError **error)
{
  GetResult result;

  if (mproc_queue_is_closed (self))
    {
      mproc_queue_set_closed (error);
      return FALSE;
    }
  result = try_get (self, request, error);
  return G_LIKELY (result == GET_DONE) ||
         (result == GET_NOTHING && sleep_and_get (self, request, error));
}

GVariant *
mproc_queue_get (MprocQueue *self, gint64 timeout_us, GError **error)
{
  Request request = { .deadline = 0 };
  GBytes *bytes;
  GVariant *value;

  g_return_val_if_fail (MPROC_IS_QUEUE (self), NULL);
  g_return_val_if_fail (MPROC_IS_TIMEOUT (timeout_us), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  request.deadline = mproc_queue_deadline (timeout_us);
  if (!get (self, &request, error))
    return NULL;
  if (request.is_value)
    return mproc_message_load (request.data, request.size, error);
  bytes = g_bytes_new_take (request.data, request.size);
  value = g_variant_new_from_bytes (G_VARIANT_TYPE_BYTESTRING, bytes, TRUE);
  g_bytes_unref (bytes);
  return g_variant_ref_sink (value);
}

GBytes *
mproc_queue_get_bytes (MprocQueue *self, gint64 timeout_us, GError **error)
{
  Request request = { .bytes_only = TRUE };

  g_return_val_if_fail (MPROC_IS_QUEUE (self), NULL);
  g_return_val_if_fail (MPROC_IS_TIMEOUT (timeout_us), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  request.deadline = mproc_queue_deadline (timeout_us);
  if (!get (self, &request, error))
    return NULL;
  return g_bytes_new_take (request.data, request.size);
}

gssize
mproc_queue_get_bytes_into (MprocQueue *self,
                            gpointer buffer,
                            gsize size,
                            gint64 timeout_us,
                            GError **error)
{
  Request request = { .bytes_only = TRUE, .into = TRUE, .data = buffer, .room = size };

  g_return_val_if_fail (MPROC_IS_QUEUE (self), -1);
  g_return_val_if_fail (buffer != NULL || size == 0, -1);
  g_return_val_if_fail (MPROC_IS_TIMEOUT (timeout_us), -1);
  g_return_val_if_fail (error == NULL || *error == NULL, -1);

  request.deadline = mproc_queue_deadline (timeout_us);
  if (!get (self, &request, error))
    return -1;
  return (gssize) request.size;
}

gboolean
mproc_queue_take (MprocQueue *self,
                  gint64 deadline,
                  MprocQueueClaim claim,
                  gpointer data,
                  GError **error)
{
  Request request = { .deadline = deadline, .claim = claim, .claim_data = data };

  return get (self, &request, error);
}

void
mproc_queue_drop_all (MprocQueueBody *body, MprocView *view)
{
  MprocRecord record;

  while (mproc_chain_peek (&body->chain, view, &record))
    {
      MprocOffset block = resolve (&record);

      /* Moved first: killed in between, what the item held is lost, but never dropped
       * twice. */
      mproc_chain_advance (&body->chain, view, &record);
      MPROC_CRASH_POINT (SHUTDOWN_MOVED);
      discard (&record, block);
    }
}
