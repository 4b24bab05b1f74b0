/* SPDX-License-Identifier: MIT */
/* A queue is a chain of chunks with a lock for each side (chain.h), and words to sleep
 * on.  Nobody sleeps holding one of the locks: release, sleep, take it again. */
#include "queue/queuedata.h"

#include "family/classes.h"
#include "family/entry.h"

/* ------------------------------------------------------------------ lifecycle */

static MprocQueueBody *
body_at (MprocOffset block)
{
  guint8 *start = mproc_arena_at (block, sizeof (MprocQueueBody) + 127);
  gsize into = 127 - (mproc_arena_offset (start) + 127) % 128;

  return (MprocQueueBody *) (gpointer) (start + into);
}

static MprocOffset
body_new (guint max_items, guint64 max_bytes, GError **error)
{
  MprocOffset block = mproc_arena_alloc0 (sizeof (MprocQueueBody) + 127, error);
  MprocQueueBody *body;

  if (block == 0)
    return 0;
  body = body_at (block);
  body->block = block;
  body->max_items = max_items != 0 ? max_items : G_MAXUINT32;
  body->max_bytes = max_bytes;
  body->simple_items = max_bytes == 0 ? body->max_items : 0;
  if (max_bytes != 0)
    mproc_store32 (&body->chain.consumer.notice, MPROC_NOTICE);
  if (mproc_chain_init (&body->chain, error))
    return block;
  mproc_arena_free (block);
  return 0;
}

/* Nobody holds it any more, so nobody holds its locks but the dead. */
static void
destroy_body (MprocOffset block)
{
  MprocQueueBody *body = body_at (block);
  MprocView view = { 0 };

  mproc_chain_recover_producer (&body->chain, &view);
  view.chunk = 0;
  mproc_chain_recover_consumer (&body->chain, &view);
  mproc_queue_drop_all (body, &view);
  mproc_chain_clear (&body->chain);
  mproc_arena_free (block);
}

static MprocObject *
open_object (const MprocClass *class_, MprocOffset block, GError **error)
{
  MprocQueue *self = g_new0 (MprocQueue, 1);

  (void) error;
  mproc_object_init (&self->object, class_->kind);
  self->body = body_at (block);
  self->max_simple_size = MPROC_CHAIN_MAX_INLINE;
  if (mproc_queue_counts_bytes (self->body))
    self->max_simple_size = (gsize) MIN (self->body->max_bytes, MPROC_CHAIN_MAX_INLINE);
  return &self->object;
}

static void
close_object (MprocObject *object)
{
  MprocQueue *self = (MprocQueue *) object;

  if (self->closers != NULL)
    g_array_unref (self->closers);
  g_free (self);
}

const MprocClass *
mproc_queue_get_class (void)
{
  static const MprocClass queue_class = {
    .name = "queue",
    .kind = MPROC_KIND_QUEUE,
    .open = open_object,
    .close = close_object,
    .destroy = destroy_body,
  };

  return &queue_class;
}

MprocQueue *
mproc_queue_new (guint max_items, GError **error)
{
  return mproc_queue_new_full (max_items, 0, error);
}

MprocQueue *
mproc_queue_new_full (guint max_items, guint64 max_bytes, GError **error)
{
  MprocObject *object;
  MprocOffset block;

  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  mproc_classes_prepare ();
  if (!mproc_family_ensure (error) ||
      (block = body_new (max_items, max_bytes, error)) == 0)
    return NULL;
  object = open_object (mproc_queue_get_class (), block, NULL);
  if (mproc_object_publish (object, block, error))
    return (MprocQueue *) object;
  close_object (object);
  destroy_body (block);
  return NULL;
}

MprocQueue *
mproc_queue_ref (MprocQueue *self)
{
  g_return_val_if_fail (MPROC_IS_QUEUE (self), NULL);

  return (MprocQueue *) mproc_object_ref (&self->object);
}

void
mproc_queue_unref (MprocQueue *self)
{
  g_return_if_fail (self == NULL || MPROC_IS_QUEUE (self));

  if (self != NULL)
    mproc_object_unref (&self->object);
}

/* ------------------------------------------------------------------ counts */

guint
mproc_queue_get_size (MprocQueue *self)
{
  g_return_val_if_fail (MPROC_IS_QUEUE (self), 0);

  return MIN (mproc_chain_count (&self->body->chain), self->body->max_items);
}

gboolean
mproc_queue_is_empty (MprocQueue *self)
{
  g_return_val_if_fail (MPROC_IS_QUEUE (self), TRUE);

  return mproc_chain_count (&self->body->chain) == 0;
}

gboolean
mproc_queue_is_full (MprocQueue *self)
{
  const MprocQueueBody *body;

  g_return_val_if_fail (MPROC_IS_QUEUE (self), FALSE);

  body = self->body;
  return mproc_chain_count (&self->body->chain) >= body->max_items ||
         (mproc_queue_counts_bytes (body) &&
          mproc_queue_get_n_bytes (self) >= body->max_bytes);
}

/* What is taken is read first: more may have been put until the other is read, so that the
 * difference is never less than nothing but where a taker was faster than its producer's
 * note. */
guint64
mproc_queue_get_n_bytes (MprocQueue *self)
{
  guint64 taken, put;

  g_return_val_if_fail (MPROC_IS_QUEUE (self), 0);

  taken = mproc_chain_bytes_taken (&self->body->chain);
  put = mproc_chain_bytes_put (&self->body->chain);
  return put > taken ? put - taken : 0;
}

/* ------------------------------------------------------------------ tasks */

/* What was put less what is done; what was dropped does not count. */
static guint32
count_unfinished (MprocQueueBody *body)
{
  MprocConsumer *consumer = &body->chain.consumer;
  guint32 done = mproc_load32 (&body->done);
  guint32 all = mproc_load32 (&consumer->dropping)
                    ? mproc_load32 (&consumer->kept)
                    : mproc_load32 (&body->chain.producer.put);

  return (gint32) (all - done) > 0 ? all - done : 0;
}

static gboolean
all_done (gpointer data)
{
  return count_unfinished (data) == 0;
}

/* The same, but not fooled by a producer that was killed before it counted what it had
 * put: it left its lock behind, and whoever takes that counts it. */
static gboolean
all_done_for_sure (MprocQueue *self, gint64 deadline)
{
  MprocAtomic32 *lock = &self->body->chain.producer.lock;
  gboolean result;

  if (!all_done (self->body) || !mproc_queue_lock (self, lock, deadline))
    return FALSE;
  result = all_done (self->body);
  mproc_lockword_release (lock);
  return result;
}

/* FALSE: there are none. */
static gboolean
count_done (MprocQueue *self)
{
  MprocQueueBody *body = self->body;
  guint32 done;

  do
    {
      if (all_done_for_sure (self, MPROC_OS_NEVER))
        return FALSE;
      done = mproc_load32 (&body->done);
    }
  while (all_done (body) || !mproc_cas32 (&body->done, done, done + 1));
  MPROC_CRASH_POINT (TASK_DONE);
  if (all_done (body))
    mproc_sleepers_wake (&body->joiners, G_MAXINT32);
  return TRUE;
}

gboolean
mproc_queue_task_done (MprocQueue *self, GError **error)
{
  g_return_val_if_fail (MPROC_IS_QUEUE (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (count_done (self))
    return TRUE;
  g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_OVER_RELEASE,
                       "task_done called more often than items were put");
  return FALSE;
}

gboolean
mproc_queue_join (MprocQueue *self, gint64 timeout_us)
{
  gint64 deadline = mproc_deadline (timeout_us);
  MprocSleep sleep = { FALSE };

  g_return_val_if_fail (MPROC_IS_QUEUE (self), FALSE);
  g_return_val_if_fail (MPROC_IS_TIMEOUT (timeout_us), FALSE);

  while (!all_done_for_sure (self, deadline))
    if (!mproc_sleepers_wait (&self->body->joiners, &sleep, all_done, self->body,
                              deadline))
      return FALSE;
  return TRUE;
}

/* ------------------------------------------------------------------ the end */

void
mproc_queue_set_closed (GError **error)
{
  g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_CLOSED, "the queue is closed");
}

void
mproc_queue_set_ended (GError **error)
{
  g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_CLOSED,
                       "the queue has been shut down");
}

/* The local object is shared by members that are threads, and comes to a forked child as
 * its parent left it, but each member closes for itself.  In what follows the local lock
 * is in hand, so that no child is forked in the middle of a change. */

/* A forked child has closed nothing yet, and none of its parent's members live here. */
static void
forget_closers_of_parent (MprocQueue *self)
{
  if (self->process == mproc_process_self ())
    return;
  self->process = mproc_process_self ();
  if (self->closers != NULL)
    g_array_set_size (self->closers, 0);
  g_atomic_int_set (&self->closed, FALSE);
}

static gboolean
is_closer (MprocQueue *self, MprocMember member)
{
  for (guint i = 0; self->closers != NULL && i < self->closers->len; i++)
    if (g_array_index (self->closers, MprocMember, i) == member)
      return TRUE;
  return FALSE;
}

/* Threads come and go: those that have gone make room. */
static void
add_closer (MprocQueue *self, MprocMember member)
{
  if (self->closers == NULL)
    self->closers = g_array_new (FALSE, FALSE, sizeof (MprocMember));
  for (guint i = self->closers->len; i > 0; i--)
    if (!mproc_member_is_current (g_array_index (self->closers, MprocMember, i - 1)))
      g_array_remove_index_fast (self->closers, i - 1);
  g_array_append_val (self->closers, member);
  g_atomic_int_set (&self->closed, TRUE);
}

/* mproc_self comes first: it may take the local lock itself. */
gboolean
mproc_queue_is_closed_by_caller (MprocQueue *self)
{
  MprocMember member = mproc_self ();
  gboolean result;

  mproc_local_lock ();
  forget_closers_of_parent (self);
  result = is_closer (self, member);
  mproc_local_unlock ();
  return result;
}

void
mproc_queue_close (MprocQueue *self)
{
  MprocMember member;

  g_return_if_fail (MPROC_IS_QUEUE (self));

  member = mproc_self ();
  mproc_local_lock ();
  forget_closers_of_parent (self);
  if (!is_closer (self, member))
    add_closer (self, member);
  mproc_local_unlock ();
}

static void
drop_items (MprocQueue *self)
{
  MprocConsumer *consumer = &self->body->chain.consumer;

  mproc_queue_lock (self, &consumer->lock, MPROC_OS_NEVER);
  if (!mproc_load32 (&consumer->dropping))
    {
      mproc_store32 (&consumer->kept, mproc_load32 (&consumer->taken));
      atomic_fetch_or (&consumer->notice, MPROC_NOTICE);
      mproc_crash_order ();
      MPROC_CRASH_POINT (SHUTDOWN_KEPT);
      mproc_store32 (&consumer->dropping, TRUE);
      MPROC_CRASH_POINT (SHUTDOWN_DROPPING);
    }
  mproc_queue_drop_all (self->body, &self->get.view);
  MPROC_CRASH_POINT (SHUTDOWN_DROPPED);
  mproc_lockword_release (&consumer->lock);
}

void
mproc_queue_shutdown (MprocQueue *self, gboolean immediate)
{
  MprocQueueBody *body;
  MprocProducer *producer;

  g_return_if_fail (MPROC_IS_QUEUE (self));

  body = self->body;
  producer = &body->chain.producer;
  mproc_queue_lock (self, &producer->lock, MPROC_OS_NEVER);
  atomic_fetch_or (&producer->notice, MPROC_NOTICE);
  mproc_crash_order ();
  mproc_store32 (&producer->ended, TRUE);
  MPROC_CRASH_POINT (SHUTDOWN_ENDED);
  mproc_lockword_release (&producer->lock);
  MPROC_CRASH_POINT (SHUTDOWN_RELEASED);
  if (immediate)
    drop_items (self);
  mproc_sleepers_wake (&body->getters, G_MAXINT32);
  MPROC_CRASH_POINT (SHUTDOWN_WOKE_SOME);
  mproc_sleepers_wake (&body->putters, G_MAXINT32);
  mproc_sleepers_wake (&body->joiners, G_MAXINT32);
}

gboolean
mproc_queue_is_shut_down (MprocQueue *self)
{
  return mproc_load32 (&self->body->chain.producer.ended) != 0;
}

gboolean
mproc_queue_is_finished (MprocQueue *self)
{
  MprocConsumer *consumer = &self->body->chain.consumer;
  MprocRecord record;
  gboolean empty;

  if (!mproc_queue_is_shut_down (self))
    return FALSE;
  mproc_queue_lock (self, &consumer->lock, MPROC_OS_NEVER);
  empty = !mproc_chain_peek (&self->body->chain, &self->get.view, &record);
  mproc_lockword_release (&consumer->lock);
  return empty;
}

guint32
mproc_queue_get_taken (MprocQueue *self)
{
  return mproc_load32 (&self->body->chain.consumer.taken);
}

guint32
mproc_queue_get_put (MprocQueue *self)
{
  return mproc_load32 (&self->body->chain.producer.put);
}
