/* SPDX-License-Identifier: MIT */
/* Many items at once: rounds under one lock each, short enough for others to come in
 * between. */
#include "queue/queuedata.h"

/* ------------------------------------------------------------------ put */

typedef struct
{
  MprocMessage *messages;
  MprocQueueItem *items;
  gsize n;
} Batch;

/* All are taken over, also those behind one that cannot be sent. */
static gboolean
batch_init (Batch *self,
            MprocQueue *queue,
            GVariant *const *values,
            gsize n,
            GError **error)
{
  gsize done;

  self->messages = g_new0 (MprocMessage, n);
  self->items = g_new0 (MprocQueueItem, n);
  for (self->n = 0; self->n < n; self->n++)
    {
      MprocMessage *message = &self->messages[self->n];
      MprocQueueItem *item = &self->items[self->n];

      if (!mproc_message_init (message, values[self->n], error))
        break;
      *item =
          (MprocQueueItem){ .message = message, .is_value = TRUE, .size = message->size };
      if (!mproc_queue_check_item (queue, item, error))
        {
          mproc_message_clear (message, FALSE);
          break;
        }
    }
  done = self->n;
  for (gsize i = done + 1; i < n; i++)
    g_variant_unref (g_variant_ref_sink (values[i]));
  return done == n;
}

static void
batch_clear (Batch *self, gsize n_put)
{
  for (gsize i = 0; i < self->n; i++)
    mproc_message_clear (&self->messages[i], i < n_put);
  g_free (self->messages);
  g_free (self->items);
}

/* How many items, from that one on, go under one lock.  Only the first may be a long one:
 * the process has one word to protect a block with. */
static gsize
choose_round (const Batch *self, gsize from)
{
  gsize n_bytes = 0;
  gsize i = from;

  do
    n_bytes += mproc_queue_item_is_long (&self->items[i]) ? 0 : self->items[i].size;
  while (++i < self->n && i - from < MPROC_ROUND_ITEMS && n_bytes < MPROC_ROUND_BYTES &&
         !mproc_queue_item_is_long (&self->items[i]));
  return i - from;
}

static MprocPutResult
put_round (MprocQueue *self, Batch *batch, gsize *n_put, gint64 deadline, GError **error)
{
  MprocQueueItem *first = &batch->items[*n_put];
  gsize before = *n_put;
  MprocPutResult result;

  if (mproc_queue_item_is_long (first) && first->block == 0 &&
      !mproc_queue_make_block (self, first, error))
    return MPROC_PUT_FAILED;
  result = mproc_queue_put_round (self, first, choose_round (batch, before), n_put,
                                  deadline, error);
  if (*n_put > before)
    first->block = 0; /* the queue's */
  return result;
}

static gsize
put_batch (MprocQueue *self, Batch *batch, gint64 deadline, GError **error)
{
  MprocSleep sleep = { FALSE };
  MprocPatience patience;
  gsize n_put = 0;

  mproc_patience_begin (&patience, self, TRUE);
  while (n_put < batch->n)
    {
      MprocPutResult result = put_round (self, batch, &n_put, deadline, error);

      if (result == MPROC_PUT_DONE)
        continue;
      if (!mproc_queue_wait_to_put (self, &batch->items[n_put], result, &sleep, deadline,
                                    error))
        break;
      mproc_patience_look (&patience, self);
    }
  mproc_patience_end (&patience, self);
  if (n_put < batch->n)
    mproc_queue_free_block (&batch->items[n_put]);
  return n_put;
}

gssize
mproc_queue_put_many (MprocQueue *self,
                      GVariant *const *items,
                      gsize n,
                      gint64 timeout_us,
                      GError **error)
{
  GError *reason = NULL;
  Batch batch;
  gsize n_put = 0;

  g_return_val_if_fail (MPROC_IS_QUEUE (self), -1);
  g_return_val_if_fail (items != NULL || n == 0, -1);
  g_return_val_if_fail (MPROC_IS_TIMEOUT (timeout_us), -1);
  g_return_val_if_fail (error == NULL || *error == NULL, -1);

  if (batch_init (&batch, self, items, n, &reason))
    {
      if (mproc_queue_is_closed (self))
        mproc_queue_set_closed (&reason);
      else
        n_put = put_batch (self, &batch, mproc_queue_deadline (timeout_us), &reason);
    }
  batch_clear (&batch, n_put);
  if (reason == NULL || n_put > 0)
    {
      g_clear_error (&reason);
      return (gssize) n_put;
    }
  g_propagate_error (error, reason);
  return -1;
}

/* ------------------------------------------------------------------ get */

/* The values of what was got; one that cannot be opened leaves its error. */
static void
add_values (GPtrArray *values, MprocQueueRequest *requests, gsize n, GError **error)
{
  for (gsize i = 0; i < n; i++)
    {
      GError *reason = NULL;
      GVariant *value = mproc_queue_request_to_value (&requests[i], &reason);

      if (value != NULL)
        g_ptr_array_add (values, value);
      else if (*error == NULL)
        g_propagate_error (error, reason);
      else
        g_error_free (reason);
    }
}

static MprocGetResult
get_round (MprocQueue *self,
           GPtrArray *values,
           guint *left,
           const MprocQueueRequest *how,
           GError **error)
{
  MprocQueueRequest requests[MPROC_ROUND_ITEMS];
  MprocGetResult result;
  gsize n_got = 0;

  requests[0] = *how;
  result = mproc_queue_get_round (self, requests, MIN (*left, MPROC_ROUND_ITEMS), &n_got,
                                  error);
  add_values (values, requests, n_got, error);
  *left -= (guint) n_got;
  return result;
}

static MprocGetResult
sleep_and_get (MprocQueue *self,
               GPtrArray *values,
               guint *left,
               MprocQueueRequest *how,
               GError **error)
{
  MprocSleep sleep = { FALSE };
  MprocPatience patience;
  MprocGetResult result = MPROC_GET_NOTHING;

  mproc_patience_begin (&patience, self, FALSE);
  while (result == MPROC_GET_NOTHING &&
         mproc_queue_sleep_for_item (self, &sleep, how->deadline, error))
    {
      mproc_patience_look (&patience, self);
      how->insists = mproc_patience_insists (&patience);
      how->glances = sleep.announced;
      result = get_round (self, values, left, how, error);
    }
  mproc_patience_end (&patience, self);
  return result;
}

static void
get_batch (MprocQueue *self,
           GPtrArray *values,
           guint max,
           gint64 deadline,
           GError **error)
{
  const MprocQueueRequest rest = { .deadline = 0 };
  MprocQueueRequest first = { .deadline = deadline };
  guint left = max;
  MprocGetResult result = get_round (self, values, &left, &first, error);
  GError *end = NULL;

  if (result == MPROC_GET_NOTHING)
    result = sleep_and_get (self, values, &left, &first, error);
  /* What comes after the first ones is no error: empty, shut down. */
  while (values->len > 0 && left > 0 && result == MPROC_GET_DONE)
    {
      result = get_round (self, values, &left, &rest, &end);
      g_clear_error (&end);
    }
}

GPtrArray *
mproc_queue_get_many (MprocQueue *self, guint max, gint64 timeout_us, GError **error)
{
  GError *reason = NULL;
  GPtrArray *values;

  g_return_val_if_fail (MPROC_IS_QUEUE (self), NULL);
  g_return_val_if_fail (max > 0, NULL);
  g_return_val_if_fail (MPROC_IS_TIMEOUT (timeout_us), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (mproc_queue_is_closed (self))
    {
      mproc_queue_set_closed (error);
      return NULL;
    }
  values = g_ptr_array_new_with_free_func ((GDestroyNotify) g_variant_unref);
  get_batch (self, values, max, mproc_queue_deadline (timeout_us), &reason);
  if (values->len > 0)
    {
      g_clear_error (&reason);
      return values;
    }
  g_ptr_array_unref (values);
  g_propagate_error (error, reason);
  return NULL;
}
