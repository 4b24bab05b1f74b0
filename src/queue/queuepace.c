/* SPDX-License-Identifier: MIT */
/* A producer that runs ahead of its consumers fills fresh memory all the time, a fresh page
 * costing far more than a used one, and one that is still in the caches least of all.  So it
 * lets them catch up first, for as long as the fresh pages would cost it at most, and only
 * while that has paid lately: a backlog that nobody takes from is filled at full speed.
 * Where there is one processor it lets them have that once.
 *
 * No lock is in hand here, and all that has been put is there for everybody. */
#include "queue/queuedata.h"

#define FRESH_BYTES_PER_USEC 2048

/* What may be ahead of one more block: what a processor's own cache holds beside all else. */
#define AHEAD_BYTES ((gsize) 1 << 20)

/* Chunks that are full.  With fewer of them, two processors that work on the same records come
 * into each other's way; one alone has no reason to begin a second chunk. */
#define AHEAD_CHUNKS 8
#define CHUNK_BYTES ((gsize) 128 << 10)

typedef struct
{
  MprocChain *chain;
  guint32 most;
} Backlog;

static gboolean
is_short (gpointer data)
{
  Backlog *self = data;

  return mproc_chain_count (self->chain) <= self->most;
}

/* That they have taken something since the last time is the proof that they are there. */
static gboolean
yields_to_consumers (MprocQueue *self, Backlog *backlog)
{
  guint32 taken = mproc_load32 (&backlog->chain->consumer.taken);

  if (taken != mproc_load32 (&self->pace_taken))
    mproc_yield_encourage (&self->pace_yield);
  mproc_store32 (&self->pace_taken, taken);
  return mproc_yield_for (&self->pace_yield, is_short, backlog,
                          &backlog->chain->consumer.taken);
}

static gboolean
becomes_short (Backlog *backlog, gint64 usec)
{
  gint64 until = g_get_monotonic_time () + usec;
  guint looks = 0;

  do
    {
      for (guint i = 0; i < 16; i++)
        mproc_os_relax ();
      /* The consumer may be waiting for this processor. */
      if (++looks % 16 == 0)
        g_thread_yield ();
      if (is_short (backlog))
        return TRUE;
    }
  while (g_get_monotonic_time () < until);
  return FALSE;
}

/* Until there are no more than @most items, @size bytes being what would be filled instead. */
static void
let_consumers_catch_up (MprocQueue *self, guint32 most, gsize size)
{
  Backlog backlog = { &self->body->chain, most };

  if (mproc_spin_budget (&self->pace) > 0)
    mproc_spin_result (&self->pace,
                       becomes_short (&backlog, (gint64) (size / FRESH_BYTES_PER_USEC)));
}

void
mproc_queue_pace_block (MprocQueue *self, gsize size)
{
  guint32 most = (guint32) (AHEAD_BYTES / MIN (size, AHEAD_BYTES)) - 1;
  Backlog backlog = { &self->body->chain, most };

  if (!is_short (&backlog) && !yields_to_consumers (self, &backlog))
    let_consumers_catch_up (self, most, size);
}

/* Worth while when an eighth of the records are gone. */
void
mproc_queue_pace_chunk (MprocQueue *self, gint64 deadline)
{
  MprocChain *chain = &self->body->chain;
  guint32 first = MPROC_POSITION_SERIAL (mproc_load64 (&chain->consumer.head));
  guint32 last = MPROC_POSITION_SERIAL (mproc_load64 (&chain->producer.tail));
  guint32 n = mproc_chain_count (chain);
  Backlog backlog = { chain, n - n / 8 };

  if (deadline == 0 || yields_to_consumers (self, &backlog))
    return;
  if (((last - first) & 0xffff) >= AHEAD_CHUNKS)
    let_consumers_catch_up (self, backlog.most, CHUNK_BYTES);
}
