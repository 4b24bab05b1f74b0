/* SPDX-License-Identifier: MIT */
/* The consumers' side of a queue. */
#include "queue/queuetake.h"

typedef MprocQueueRequest Request;

static inline MprocGetResult
try_get (MprocQueue *self, MprocQueueRequest *request, GError **error)
{
  MprocQueueBody *body = self->body;
  MprocConsumer *consumer = &body->chain.consumer;
  MprocGetResult result;

  if (!mproc_queue_lock_to_get (self, request))
    return MPROC_GET_NOTHING;
  MPROC_CRASH_POINT (GET_LOCKED);
  if (G_LIKELY (mproc_load32 (&consumer->notice) == 0))
    result = mproc_queue_get_next (self, request, FALSE, error);
  else if (mproc_queue_give_way (self, &consumer->lock, request->deadline))
    result = mproc_queue_get_carefully (self, request, error);
  else
    return MPROC_GET_NOTHING;
  MPROC_CRASH_POINT (GET_MOVED);
  mproc_lockword_release (&consumer->lock);
  if (G_LIKELY (result != MPROC_GET_NOTHING))
    {
      MPROC_CRASH_POINT (GET_RELEASED);
      mproc_queue_wake_others (body);
    }
  if (G_UNLIKELY (request->block != 0) && !request->lends)
    mproc_queue_empty_block (request);
  return result;
}

gboolean
mproc_queue_sleep_for_item (MprocQueue *self,
                            MprocSleep *sleep,
                            gint64 deadline,
                            GError **error)
{
  if (mproc_queue_sleep (self, FALSE, sleep, mproc_queue_may_get, self->body, deadline))
    return TRUE;
  g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_EMPTY, "the queue is empty");
  return FALSE;
}

/* Without the lock, for which thousands would else stand in line: once the queue has ended nothing is
 * put any more, and what was has been counted.  One who holds the lock may have counted what he has
 * not taken yet, and be dead. */
static gboolean
is_over (MprocQueue *self, GError **error)
{
  MprocChain *chain = &self->body->chain;

  if (!mproc_load32 (&chain->producer.ended) ||
      mproc_load32 (&chain->consumer.lock) != 0 || mproc_chain_count (chain) > 0 ||
      mproc_load32 (&chain->consumer.lock) != 0)
    return FALSE;
  mproc_queue_set_ended (error);
  return TRUE;
}

static gboolean
sleep_and_get (MprocQueue *self, MprocQueueRequest *request, GError **error)
{
  MprocSleep sleep = { FALSE };
  MprocGetResult result = MPROC_GET_NOTHING;
  MprocPatience patience;

  mproc_patience_begin (&patience, self, FALSE);
  while (result == MPROC_GET_NOTHING &&
         mproc_queue_sleep_for_item (self, &sleep, request->deadline, error))
    {
      mproc_patience_look (&patience, self);
      request->insists = mproc_patience_insists (&patience);
      request->glances = sleep.announced;
      result = is_over (self, error) ? MPROC_GET_FAILED : try_get (self, request, error);
    }
  mproc_patience_end (&patience, self);
  return result == MPROC_GET_DONE;
}

gboolean
mproc_queue_get_item (MprocQueue *self, MprocQueueRequest *request, GError **error)
{
  MprocGetResult result;

  if (mproc_queue_is_closed (self))
    {
      mproc_queue_set_closed (error);
      return FALSE;
    }
  result = try_get (self, request, error);
  return G_LIKELY (result == MPROC_GET_DONE) ||
         (result == MPROC_GET_NOTHING && sleep_and_get (self, request, error));
}

GVariant *
mproc_queue_get (MprocQueue *self, gint64 timeout_us, GError **error)
{
  Request request = { .deadline = 0 };

  g_return_val_if_fail (MPROC_IS_QUEUE (self), NULL);
  g_return_val_if_fail (MPROC_IS_TIMEOUT (timeout_us), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  request.deadline = mproc_queue_deadline (timeout_us);
  return mproc_queue_get_item (self, &request, error)
             ? mproc_queue_request_to_value (&request, error)
             : NULL;
}

GBytes *
mproc_queue_get_bytes (MprocQueue *self, gint64 timeout_us, GError **error)
{
  Request request = { .bytes_only = TRUE };

  g_return_val_if_fail (MPROC_IS_QUEUE (self), NULL);
  g_return_val_if_fail (MPROC_IS_TIMEOUT (timeout_us), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  request.deadline = mproc_queue_deadline (timeout_us);
  if (!mproc_queue_get_item (self, &request, error))
    return NULL;
  return g_bytes_new_take (request.data, request.size);
}

GBytes *
mproc_queue_peek_bytes (MprocQueue *self, gint64 timeout_us, GError **error)
{
  Request request = { .bytes_only = TRUE, .lends = TRUE };
  gboolean got;

  g_return_val_if_fail (MPROC_IS_QUEUE (self), NULL);
  g_return_val_if_fail (MPROC_IS_TIMEOUT (timeout_us), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  request.deadline = mproc_queue_deadline (timeout_us);
  request.how.cell = mproc_borrow_reserve (error);
  if (request.how.cell == NULL)
    return NULL;
  got = mproc_queue_get_item (self, &request, error);
  if (got && request.block != 0)
    return mproc_borrow_bytes (request.how.cell, request.size);
  mproc_borrow_give_back (request.how.cell);
  return got ? g_bytes_new_take (request.data, request.size) : NULL;
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
  if (!mproc_queue_get_item (self, &request, error))
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
  Request request = { .deadline = deadline, .claim = claim, .how = { .data = data } };

  return mproc_queue_get_item (self, &request, error);
}
