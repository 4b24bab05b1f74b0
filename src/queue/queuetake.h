/* SPDX-License-Identifier: MIT */
/* How an item is taken, under the consumer lock: once for the plain get, which has it all
 * in line (queueget.c), and once for everything else (queuetake.c). */
#ifndef MPROC_QUEUE_TAKE_H
#define MPROC_QUEUE_TAKE_H

#include "queue/queuedata.h"

G_BEGIN_DECLS

/* The slow parts of the functions below. */
gboolean mproc_queue_has_form (const MprocQueueForm *form, const MprocRecord *record);
void mproc_queue_set_unsuitable (const MprocQueueRequest *request,
                                 const MprocRecord *record,
                                 GError **error);
MprocGetResult mproc_queue_ask_claim (MprocQueue *self,
                                      MprocRecord *record,
                                      MprocOffset block,
                                      MprocQueueRequest *request);
void mproc_queue_take_block (MprocQueue *self,
                             const MprocRecord *record,
                             MprocOffset block,
                             MprocQueueRequest *request);
MprocGetResult mproc_queue_wait_for_record (MprocQueue *self,
                                            const MprocQueueRequest *request,
                                            MprocRecord *record,
                                            GError **error);

/* Where the notice is not 0: bytes are counted, or all is to be dropped. */
MprocGetResult
mproc_queue_get_carefully (MprocQueue *self, MprocQueueRequest *request, GError **error);

/* Without the lock: copies the block that was taken, and frees it. */
void mproc_queue_empty_block (MprocQueueRequest *request);

/* Of a body; the look before the sleep. */
gboolean mproc_queue_may_get (gpointer body);

static inline gboolean
mproc_record_is_value (const MprocRecord *record)
{
  return record->kind == MPROC_RECORD_VALUE || record->kind == MPROC_RECORD_BIG_VALUE;
}

/* The block that holds what @record names, which then is all it says; 0 if it holds it
 * itself. */
static inline MprocOffset
mproc_record_resolve (MprocRecord *record)
{
  MprocBigRecord big;

  if (G_LIKELY (record->kind < MPROC_RECORD_BIG_BYTES))
    return 0;
  memcpy (&big, record->payload, sizeof big);
  record->length = (gsize) big.size;
  record->payload = mproc_arena_at (big.block, record->length);
  return big.block;
}

static inline void
mproc_request_copy (MprocQueueRequest *request, gconstpointer from)
{
  if (request->size > request->room)
    request->data = g_malloc (request->size);
  if (request->size > 0)
    memcpy (request->data, from, request->size);
}

/* Moves behind @record, resolved. */
static inline void
mproc_queue_advance (MprocQueueBody *body,
                     MprocView *view,
                     const MprocRecord *record,
                     gboolean counts)
{
  if (G_UNLIKELY (counts))
    mproc_chain_count_taken (&body->chain, record->sequence, record->length);
  mproc_chain_advance (&body->chain, view, record);
}

/* Takes the record, copied first if it lies in the chunk. */
static inline MprocGetResult
mproc_queue_take_record (MprocQueue *self,
                         MprocRecord *record,
                         MprocQueueRequest *request,
                         gboolean counts,
                         GError **error)
{
  MprocOffset block = mproc_record_resolve (record);

  if (G_UNLIKELY ((request->bytes_only && mproc_record_is_value (record)) ||
                  (request->into && record->length > request->room) ||
                  (request->of_form &&
                   !mproc_queue_has_form (request->how.form, record))))
    {
      mproc_queue_set_unsuitable (request, record, error);
      return MPROC_GET_FAILED;
    }
  if (G_UNLIKELY (request->claim != NULL))
    return mproc_queue_ask_claim (self, record, block, request);
  request->is_value = mproc_record_is_value (record);
  request->size = record->length;
  if (G_UNLIKELY (block != 0))
    {
      mproc_queue_take_block (self, record, block, request);
      return MPROC_GET_DONE;
    }
  mproc_request_copy (request, record->payload);
  MPROC_CRASH_POINT (GET_COPIED);
  mproc_queue_advance (self->body, &self->get.view, record, counts);
  return MPROC_GET_DONE;
}

static inline MprocGetResult
mproc_queue_get_next (MprocQueue *self,
                      MprocQueueRequest *request,
                      gboolean counts,
                      GError **error)
{
  MprocGetResult result;
  MprocRecord record;

  do
    {
      result = MPROC_GET_DONE;
      if (G_UNLIKELY (!mproc_chain_peek (&self->body->chain, &self->get.view, &record)))
        {
          MprocRecord found; /* so that the other one can be in registers */

          result = mproc_queue_wait_for_record (self, request, &found, error);
          if (result == MPROC_GET_DONE)
            record = found;
        }
      MPROC_CRASH_POINT (GET_PEEKED);
      if (G_LIKELY (result == MPROC_GET_DONE))
        result = mproc_queue_take_record (self, &record, request, counts, error);
    }
  while (G_UNLIKELY (result == MPROC_GET_SKIPPED));
  return result;
}

/* The consumers' lock.  Where somebody has it, and nothing is to be seen, he is the one who looks
 * for what a producer who was killed may have published and not counted, and it is not waited
 * for: of hundreds who sleep, and look after each nap, all but one go on sleeping. */
gboolean mproc_queue_lock_to_get_slowly (MprocQueue *self,
                                         const MprocQueueRequest *request);

static inline gboolean
mproc_queue_lock_to_get (MprocQueue *self, const MprocQueueRequest *request)
{
  return mproc_queue_try_lock (&self->body->chain.consumer.lock) ||
         mproc_queue_lock_to_get_slowly (self, request);
}

/* ------------------------------------------------------------------ without it */

/* Where bytes are counted, those who wait for room want more or less of it: all look. */
static inline void
mproc_queue_wake_others (MprocQueueBody *body)
{
  if (mproc_queue_is_bounded (body))
    mproc_sleepers_wake (&body->putters, body->simple_items != 0 ? 1 : G_MAXINT32);
  /* One may have been woken for several items, or for one that the woken did not take. */
  if (G_UNLIKELY (mproc_sleepers_may_be_there (&body->getters)) &&
      mproc_queue_may_get (body))
    mproc_sleepers_wake (&body->getters, 1);
}

G_END_DECLS

#endif
