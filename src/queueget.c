/* SPDX-License-Identifier: MIT */
/* The consumers' side of a queue. */
#include "message.h"
#include "queuedata.h"

#include <string.h>

/* What lies in a record, be it in the chunk or in a block of its own. */
typedef struct
{
  gpointer data;
  gsize size;
  gboolean is_value;
  MprocOffset block; /* 0: in the chunk */
} Content;

/* What a caller wants, and what it gets. */
typedef struct
{
  gint64 deadline;
  gboolean bytes_only;
  gboolean into; /* the caller's buffer, of that size */
  gpointer buffer;
  gsize room;
  MprocQueueClaim claim; /* instead of a copy */
  gpointer claim_data;
  Content got; /* data: the caller's buffer, or g_malloc */
} Request;

typedef enum
{
  GET_DONE,
  GET_SKIPPED,
  GET_NOTHING,
  GET_FAILED
} GetResult;

static void
content_of (const MprocRecord *record, Content *content)
{
  MprocBigRecord big;

  content->is_value
    = record->kind == MPROC_RECORD_VALUE || record->kind == MPROC_RECORD_BIG_VALUE;
  content->data = record->payload;
  content->size = record->length;
  content->block = 0;
  if (G_LIKELY (record->kind < MPROC_RECORD_BIG_BYTES))
    return;
  memcpy (&big, record->payload, sizeof big);
  content->block = big.block;
  content->size = (gsize) big.size;
  content->data = mproc_arena_at (big.block, content->size);
}

/* ------------------------------------------------------------------ under the lock */

/* Whether the caller can take this one; if not it stays. */
static gboolean
suits (const Request *request, const Content *content, GError **error)
{
  if (request->bytes_only && content->is_value)
    g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_INVALID,
                         "the next item is a value, not bytes; mproc_queue_get takes both");
  else if (request->into && content->size > request->room)
    g_set_error (error, MPROC_ERROR, MPROC_ERROR_BUFFER_TOO_SHORT,
                 "the next item has %" G_GSIZE_FORMAT " bytes, there is room for %" G_GSIZE_FORMAT,
                 content->size, request->room);
  else
    return TRUE;
  return FALSE;
}

static void
copy_out (Request *request, const Content *content)
{
  gpointer to = request->into ? request->buffer : g_malloc (content->size);

  if (content->size > 0)
    memcpy (to, content->data, content->size);
  request->got = *content;
  request->got.data = to;
}

/* A block that was taken out of the queue.  The intent goes first: it must not name what is free
 * already. */
static void
free_block (MprocOffset block, gboolean guarded)
{
  if (guarded)
    mproc_intent_end (block);
  mproc_crash_order ();
  mproc_arena_free (block);
}

static void
discard (const Content *content)
{
  if (content->is_value)
    mproc_message_discard (content->data, content->size);
  if (content->block != 0)
    mproc_arena_free (content->block);
}

/* Takes the record, copied first if it lies in the chunk; what lies in a block is this process's own
 * once the head has moved, and is left for later. */
static GetResult
take (MprocQueue *self, const MprocRecord *record, Request *request, Content *content,
      GError **error)
{
  gboolean claimed = TRUE;

  content_of (record, content);
  if (!suits (request, content, error))
    return GET_FAILED;
  if (request->claim != NULL)
    claimed = request->claim (content->data, content->size, request->claim_data);
  else if (content->block == 0)
    copy_out (request, content);
  mproc_chain_advance (&self->body->chain, &self->get.view, record);
  if (G_LIKELY (request->claim == NULL))
    return GET_DONE;
  if (!claimed)
    discard (content);
  else if (content->block != 0)
    mproc_arena_free (content->block);
  return claimed ? GET_DONE : GET_SKIPPED;
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

  return mproc_chain_peek (&self->queue->body->chain, &self->queue->get.view, &self->record);
}

/* The next record; spins for one if there is none.  The producers' line is not read before that, they
 * are writing in it.  If the queue has ended one more look is needed: all that was put is there
 * since. */
static gboolean
find (MprocQueue *self, const Request *request, Look *at, gboolean *ended)
{
  MprocChain *chain = &self->body->chain;

  at->queue = self;
  if (G_LIKELY (look (at)))
    return TRUE;
  if (request->deadline != 0
      && mproc_queue_spin (&self->get.spin, &chain->consumer.lock, look, at))
    return TRUE;
  *ended = mproc_load32 (&chain->producer.ended) != 0;
  return *ended && look (at);
}

static GetResult
get_locked (MprocQueue *self, Request *request, Content *content, GError **error)
{
  MprocQueueBody *body = self->body;
  gboolean ended = FALSE;
  GetResult result;
  Look at;

  /* Somebody who was told to drop everything died of it, or is about to go on. */
  if (G_UNLIKELY (mproc_load32 (&body->chain.consumer.dropping)))
    mproc_queue_drop_all (body, &self->get.view);
  do
    {
      if (!find (self, request, &at, &ended))
        {
          if (!ended)
            return GET_NOTHING;
          mproc_queue_set_ended (error);
          return GET_FAILED;
        }
      result = take (self, &at.record, request, content, error);
    }
  while (result == GET_SKIPPED);
  return result;
}

/* ------------------------------------------------------------------ without it */

/* The look before the sleep. */
static gboolean
may_get (gpointer data)
{
  MprocQueueBody *body = data;

  return mproc_chain_count (&body->chain) > 0 || mproc_load32 (&body->chain.producer.ended);
}

static void
wake_others (MprocQueueBody *body)
{
  if (body->max_items != G_MAXUINT32)
    mproc_sleepers_wake (&body->putters, 1);
  /* One may have been woken for several items, or for one that the woken did not take. */
  if (G_UNLIKELY (mproc_sleepers_may_be_there (&body->getters)) && may_get (body))
    mproc_sleepers_wake (&body->getters, 1);
}

static GetResult
try_get (MprocQueue *self, Request *request, GError **error)
{
  MprocQueueBody *body = self->body;
  MprocAtomic32 *lock = &body->chain.consumer.lock;
  Content content = { NULL, 0, FALSE, 0 };
  gboolean guarded = FALSE;
  GetResult result;

  if (!mproc_queue_lock (self, lock, request->deadline))
    return GET_NOTHING;
  result = get_locked (self, request, &content, error);
  if (G_UNLIKELY (content.block != 0) && result == GET_DONE && request->claim == NULL)
    guarded = mproc_intent_begin (content.block);
  mproc_lockword_release (lock);
  if (result != GET_NOTHING)
    wake_others (body);
  if (G_UNLIKELY (content.block != 0) && result == GET_DONE && request->claim == NULL)
    {
      copy_out (request, &content);
      free_block (content.block, guarded);
    }
  return result;
}

static gboolean
get (MprocQueue *self, Request *request, GError **error)
{
  MprocSleep sleep = { FALSE };
  GetResult result = try_get (self, request, error);

  while (result == GET_NOTHING)
    {
      MprocQueueBody *body = self->body;

      if (!mproc_sleepers_wait (&body->getters, &sleep, may_get, body, request->deadline))
        {
          g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_EMPTY, "the queue is empty");
          return FALSE;
        }
      result = try_get (self, request, error);
    }
  return result == GET_DONE;
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

  request.deadline = mproc_deadline (timeout_us);
  if (!mproc_queue_check_open (self, error) || !get (self, &request, error))
    return NULL;
  if (request.got.is_value)
    return mproc_message_load (request.got.data, request.got.size, error);
  bytes = g_bytes_new_take (request.got.data, request.got.size);
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

  request.deadline = mproc_deadline (timeout_us);
  if (!mproc_queue_check_open (self, error) || !get (self, &request, error))
    return NULL;
  return g_bytes_new_take (request.got.data, request.got.size);
}

gssize
mproc_queue_get_bytes_into (MprocQueue *self, gpointer buffer, gsize size, gint64 timeout_us,
                            GError **error)
{
  Request request = { .bytes_only = TRUE, .into = TRUE, .buffer = buffer, .room = size };

  g_return_val_if_fail (MPROC_IS_QUEUE (self), -1);
  g_return_val_if_fail (buffer != NULL || size == 0, -1);
  g_return_val_if_fail (MPROC_IS_TIMEOUT (timeout_us), -1);
  g_return_val_if_fail (error == NULL || *error == NULL, -1);

  request.deadline = mproc_deadline (timeout_us);
  if (!mproc_queue_check_open (self, error) || !get (self, &request, error))
    return -1;
  return (gssize) request.got.size;
}

gboolean
mproc_queue_take (MprocQueue *self, gint64 deadline, MprocQueueClaim claim, gpointer data,
                  GError **error)
{
  Request request = { .deadline = deadline, .claim = claim, .claim_data = data };

  return mproc_queue_check_open (self, error) && get (self, &request, error);
}

void
mproc_queue_drop_all (MprocQueueBody *body, MprocView *view)
{
  MprocRecord record;

  while (mproc_chain_peek (&body->chain, view, &record))
    {
      Content content;

      content_of (&record, &content);
      /* Moved first: killed in between, what the item held is lost, but never dropped twice. */
      mproc_chain_advance (&body->chain, view, &record);
      discard (&content);
    }
}
