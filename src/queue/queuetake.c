/* SPDX-License-Identifier: MIT */
/* What is taken with care: long items, counted ones, claims, several at a time, and those
 * that nobody gets. */
#include "queue/queuetake.h"

#include "values/pack.h"

/* What nobody gets. */
static void
discard (const MprocRecord *record, MprocOffset block)
{
  if (mproc_record_is_value (record))
    mproc_message_discard (record->payload, record->length);
  if (block != 0)
    mproc_arena_free (block);
}

/* Of a resolved record; not terminated. */
static const char *
get_type (const MprocRecord *record, gsize *length)
{
  if (mproc_record_is_value (record))
    return mproc_message_get_type (record->payload, record->length, length);
  *length = strlen ("ay");
  return "ay";
}

gboolean
mproc_queue_has_form (const MprocQueueForm *form, const MprocRecord *record)
{
  gsize length;
  const char *type = get_type (record, &length);

  if (form->type == NULL)
    return FALSE;
  if (form->is_definite)
    return length == form->length && memcmp (type, form->type, length) == 0;
  return g_variant_type_is_subtype_of ((const GVariantType *) type,
                                       (const GVariantType *) form->type);
}

/* Why the caller cannot take this one, which stays. */
void
mproc_queue_set_unsuitable (const MprocQueueRequest *request,
                            const MprocRecord *record,
                            GError **error)
{
  if (request->bytes_only && mproc_record_is_value (record))
    g_set_error_literal (
        error, MPROC_ERROR, MPROC_ERROR_INVALID,
        "the next item is a value, not bytes; mproc_queue_get takes both");
  else if (request->of_form)
    {
      gsize length;
      const char *type = get_type (record, &length);

      mproc_format_set_error (request->how.form->format, type, length, error);
    }
  else
    g_set_error (error, MPROC_ERROR, MPROC_ERROR_BUFFER_TOO_SHORT,
                 "the next item has %" G_GSIZE_FORMAT
                 " bytes, there is room for %" G_GSIZE_FORMAT,
                 record->length, request->room);
}

MprocGetResult
mproc_queue_ask_claim (MprocQueue *self,
                       MprocRecord *record,
                       MprocOffset block,
                       MprocQueueRequest *request)
{
  gboolean claimed = request->claim (record->payload, record->length, request->how.data);

  MPROC_CRASH_POINT (GET_CLAIMED);
  mproc_queue_advance (self->body, &self->get.view, record,
                       mproc_queue_counts_bytes (self->body));
  if (!claimed)
    discard (record, block);
  else if (block != 0)
    mproc_arena_free (block);
  return claimed ? MPROC_GET_DONE : MPROC_GET_SKIPPED;
}

/* What lies in a block is this process's own once the head has moved, and is left for
 * later, or for good. */
void
mproc_queue_take_block (MprocQueue *self,
                        const MprocRecord *record,
                        MprocOffset block,
                        MprocQueueRequest *request)
{
  gboolean counts = mproc_queue_counts_bytes (self->body);
  MprocChain *chain = &self->body->chain;

  request->block = block;
  request->owner = request->lends ? mproc_process_self () : mproc_self ();
  mproc_chain_take (chain, block, request->owner);
  mproc_queue_advance (self->body, &self->get.view, record, counts);
  MPROC_CRASH_POINT (TAKE_MOVED);
  if (request->lends)
    mproc_borrow_fill (request->how.cell, block);
  else
    request->guarded = mproc_intent_begin (block);
  MPROC_CRASH_POINT (TAKE_GUARDED);
  mproc_chain_taken (chain);
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
MprocGetResult
mproc_queue_wait_for_record (MprocQueue *self,
                             const MprocQueueRequest *request,
                             MprocRecord *record,
                             GError **error)
{
  MprocChain *chain = &self->body->chain;
  Look at = { .queue = self };
  gboolean found = request->deadline != 0 && !request->glances &&
                   mproc_queue_spin (&self->get.spin, &chain->consumer.lock, look, &at);
  gboolean ended = !found && mproc_load32 (&chain->producer.ended);

  if (ended)
    found = look (&at);
  if (found)
    {
      *record = at.record;
      return MPROC_GET_DONE;
    }
  if (!ended)
    return MPROC_GET_NOTHING;
  mproc_queue_set_ended (error);
  return MPROC_GET_FAILED;
}

/* Bytes are counted, or somebody who was to drop everything died of it, or has not come to
 * it yet. */
MprocGetResult
mproc_queue_get_carefully (MprocQueue *self, MprocQueueRequest *request, GError **error)
{
  MprocQueueBody *body = self->body;

  if (mproc_load32 (&body->chain.consumer.dropping))
    mproc_queue_drop_all (body, &self->get.view);
  return mproc_queue_get_next (self, request, mproc_queue_counts_bytes (body), error);
}

/* ------------------------------------------------------------------ without it */

gboolean
mproc_queue_lock_to_get_slowly (MprocQueue *self, const MprocQueueRequest *request)
{
  if (!request->insists && !mproc_queue_may_get (self->body))
    return FALSE;
  return mproc_queue_lock_slowly (self, &self->body->chain.consumer.lock,
                                  request->deadline);
}

/* The look before the sleep. */
gboolean
mproc_queue_may_get (gpointer data)
{
  MprocQueueBody *body = data;

  return mproc_chain_count (&body->chain) > 0 ||
         mproc_load32 (&body->chain.producer.ended);
}

/* The intent is gone before the block is free: another thread of this process may own the block
 * next, and must not find it named by us when we die. */
void
mproc_queue_empty_block (MprocQueueRequest *request)
{
  gboolean ours;

  mproc_request_copy (request, mproc_arena_at (request->block, request->size));
  MPROC_CRASH_POINT (GET_BLOCK_COPIED);
  ours = mproc_arena_disown (request->block, request->owner);
  if (request->guarded)
    mproc_intent_end (request->block);
  MPROC_CRASH_POINT (GET_BLOCK_DISOWNED);
  if (ours)
    mproc_arena_free (request->block);
}

GVariant *
mproc_queue_request_to_value (MprocQueueRequest *request, GError **error)
{
  GBytes *bytes;
  GVariant *value;

  if (request->is_value)
    return mproc_message_load (request->data, request->size, error);
  bytes = g_bytes_new_take (request->data, request->size);
  value = g_variant_new_from_bytes (G_VARIANT_TYPE_BYTESTRING, bytes, TRUE);
  g_bytes_unref (bytes);
  return g_variant_ref_sink (value);
}

/* ------------------------------------------------------------------ several */

/* With the lock.  Whatever ends the round after its first item is found again by the next
 * one. */
static MprocGetResult
get_several (MprocQueue *self,
             MprocQueueRequest *requests,
             gsize max,
             gsize *n_got,
             GError **error)
{
  gsize n_bytes = 0;
  MprocGetResult result;
  gsize i = 0;

  do
    {
      requests[i] = requests[0];
      requests[i].data = NULL;
      requests[i].block = 0;
      if (i > 0)
        requests[i].deadline = 0;
      result = mproc_queue_get_carefully (self, &requests[i], i == 0 ? error : NULL);
      if (result != MPROC_GET_DONE)
        break;
      n_bytes += requests[i].size;
      i++;
    }
  while (i < max && requests[i - 1].block == 0 && n_bytes < MPROC_ROUND_BYTES);
  *n_got += i;
  return i > 0 ? MPROC_GET_DONE : result;
}

MprocGetResult
mproc_queue_get_round (MprocQueue *self,
                       MprocQueueRequest *requests,
                       gsize max,
                       gsize *n_got,
                       GError **error)
{
  MprocQueueBody *body = self->body;
  MprocConsumer *consumer = &body->chain.consumer;
  gint64 deadline = requests[0].deadline;
  gsize before = *n_got;
  MprocGetResult result;
  MprocQueueRequest *last;

  if (!mproc_queue_lock_to_get (self, &requests[0]) ||
      (mproc_load32 (&consumer->notice) != 0 &&
       !mproc_queue_give_way (self, &consumer->lock, deadline)))
    return MPROC_GET_NOTHING;
  result = get_several (self, requests, max, n_got, error);
  mproc_lockword_release (&consumer->lock);
  if (*n_got == before)
    return result;
  if (mproc_queue_is_bounded (body))
    mproc_sleepers_wake (&body->putters, G_MAXINT32);
  mproc_queue_wake_others (body);
  last = &requests[*n_got - before - 1];
  if (last->block != 0)
    mproc_queue_empty_block (last);
  return result;
}

/* ------------------------------------------------------------------ all */

void
mproc_queue_drop_all (MprocQueueBody *body, MprocView *view)
{
  MprocRecord record;

  while (mproc_chain_peek (&body->chain, view, &record))
    {
      MprocOffset block = mproc_record_resolve (&record);

      /* Moved first: killed in between, what the item held is lost, but never dropped
       * twice. */
      mproc_queue_advance (body, view, &record, mproc_queue_counts_bytes (body));
      MPROC_CRASH_POINT (SHUTDOWN_MOVED);
      discard (&record, block);
    }
}
