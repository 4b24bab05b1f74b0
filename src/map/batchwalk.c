/* SPDX-License-Identifier: MIT */
/* What workers do with a batch. */
#include "map/batchdata.h"

#include <string.h>

/* Blocks for results: the first one, and the largest unless a single part needs more. */
#define SMALLEST_TAPE 1024
#define LARGEST_TAPE 65536

/* We note it, then look whether it is over; the pool says that it is, then looks at the notes: one of us
 * sees the other. */
gboolean
mproc_batch_enter (MprocOffset batch, guint32 serial, MprocSeat *seat)
{
  MprocBatch *self = mproc_batch_at (batch);

  mproc_store64 (&seat->batch, batch);
  atomic_thread_fence (memory_order_seq_cst);
  if (self->serial != serial || mproc_load32 (&self->over))
    {
      mproc_store64 (&seat->batch, 0);
      return FALSE;
    }
  MPROC_CRASH_POINT (BATCH_ENTERED);
  return TRUE;
}

void
mproc_batch_walk_init (MprocBatchWalk *walk, MprocOffset batch)
{
  MprocBatch *self = mproc_batch_at (batch);

  memset (walk, 0, sizeof *walk);
  walk->batch = batch;
  walk->region = mproc_add32 (&self->n_joined, 1) % self->n_regions;
  MPROC_CRASH_POINT (BATCH_JOINED);
  walk->n_left = self->n_regions;
  walk->is_own = TRUE;
  walk->at = mproc_load32 (&mproc_batch_region (self, walk->region)->front);
}

/* ------------------------------------------------------------------ claims */

static gboolean
claim (MprocBatch *self, MprocAtomic64 *words, guint32 word)
{
  guint64 queued = mproc_taskword_make (self->serial, MPROC_TASK_QUEUED);

  if (atomic_load_explicit (&words[word], memory_order_relaxed) != queued ||
      !mproc_taskword_claim (&words[word], self->serial, mproc_self ()))
    return FALSE;
  MPROC_CRASH_POINT (PART_CLAIMED);
  return TRUE;
}

/* Forward through a region. */
static gboolean
claim_next (MprocBatchWalk *walk, MprocBatch *self, MprocAtomic64 *words, guint32 *word)
{
  guint32 end = mproc_batch_region_start (self, walk->region + 1);

  while (walk->at < end)
    if (claim (self, words, walk->at++))
      {
        *word = walk->at - 1;
        mproc_store32 (&mproc_batch_region (self, walk->region)->front, walk->at);
        return TRUE;
      }
  return FALSE;
}

/* Backward through another one's, until where that one is. */
static gboolean
claim_last (MprocBatchWalk *walk, MprocBatch *self, MprocAtomic64 *words, guint32 *word)
{
  MprocBatchRegion *region = mproc_batch_region (self, walk->region);

  while (walk->at > mproc_load32 (&region->front))
    if (claim (self, words, --walk->at))
      {
        *word = walk->at;
        mproc_store32 (&region->back, walk->at);
        return TRUE;
      }
  return FALSE;
}

static gboolean
claim_in_regions (MprocBatchWalk *walk,
                  MprocBatch *self,
                  MprocAtomic64 *words,
                  guint32 *word)
{
  while (walk->n_left > 0)
    {
      if (walk->is_own ? claim_next (walk, self, words, word)
                       : claim_last (walk, self, words, word))
        return TRUE;
      walk->is_own = FALSE;
      walk->n_left--;
      walk->region = (walk->region + 1) % self->n_regions;
      walk->at = mproc_load32 (&mproc_batch_region (self, walk->region)->back);
    }
  return FALSE;
}

/* Where something was shared out there may be parts anywhere; there are not that many words then. */
static gboolean
claim_anywhere (MprocBatchWalk *walk,
                MprocBatch *self,
                MprocAtomic64 *words,
                guint32 *word)
{
  for (guint32 i = 0; i < self->n_words; i++)
    {
      guint32 at = (walk->at + i) % self->n_words;

      if (!claim (self, words, at))
        continue;
      walk->at = at + 1;
      *word = at;
      return TRUE;
    }
  return FALSE;
}

gboolean
mproc_batch_walk_next (MprocBatchWalk *walk, MprocPart *part)
{
  MprocBatch *self = mproc_batch_at (walk->batch);
  MprocAtomic64 *words = mproc_batch_words (self);
  guint32 word = 0;

  if (mproc_load32 (&self->cancelled))
    return FALSE;
  if (!claim_in_regions (walk, self, words, &word) &&
      !(mproc_load32 (&self->shared) && claim_anywhere (walk, self, words, &word)))
    return FALSE;
  MPROC_CRASH_POINT (PART_HINTED);
  mproc_batch_fill_part (self, part, word,
                         self->plan.covered == 1
                             ? 1
                             : mproc_batch_part_length (self, words, word));
  return TRUE;
}

MprocOffset
mproc_batch_word_at (MprocOffset batch, guint32 word)
{
  return mproc_batch_at (batch)->words + word * sizeof (guint64);
}

/* ------------------------------------------------------------------ sharing out */

gboolean
mproc_batch_is_hungry (MprocOffset batch)
{
  return mproc_load32 (&mproc_batch_at (batch)->hungry) != 0;
}

/* From behind, so that what is still covered is ours whenever we die. */
gboolean
mproc_batch_share_out (MprocOffset batch, MprocPart *part, guint64 item)
{
  MprocBatch *self = mproc_batch_at (batch);
  MprocAtomic64 *words = mproc_batch_words (self);
  guint32 kept = (guint32) (item / self->plan.step) + 1 - part->word;

  mproc_store32 (&self->hungry, 0);
  if (kept >= part->n_words)
    return FALSE;
  /* Whoever finds one of them is to look for all of them. */
  mproc_store32 (&self->shared, 1);
  MPROC_CRASH_POINT (SHARE_ANNOUNCED);
  for (guint32 word = part->word + part->n_words - 1; word >= part->word + kept; word--)
    {
      mproc_store64 (&words[word], mproc_taskword_make (self->serial, MPROC_TASK_QUEUED));
      MPROC_CRASH_POINT (SHARE_BEGUN);
    }
  mproc_batch_fill_part (self, part, part->word, kept);
  MPROC_CRASH_POINT (SHARE_DONE);
  return TRUE;
}

/* ------------------------------------------------------------------ outcomes */

/* Makes room on the walk's tape.  The block is linked before anything is in it: killed before that, it is
 * lost. */
static MprocOffset
make_room (MprocBatchWalk *walk, gsize size, GError **error)
{
  MprocBatch *self = mproc_batch_at (walk->batch);
  gsize have = walk->tape != 0 ? mproc_arena_block_size (walk->tape) : 0;
  gsize want =
      MAX (size + sizeof (guint64), CLAMP (have * 2, SMALLEST_TAPE, LARGEST_TAPE));
  MprocOffset room;

  if (walk->tape == 0 || have - walk->tape_used < size)
    {
      MprocOffset tape = mproc_arena_alloc (want, error);
      MprocAtomic64 *link;

      if (tape == 0)
        return 0;
      MPROC_CRASH_POINT (TAPE_MADE);
      link = mproc_arena_at (tape, mproc_arena_block_size (tape));
      do
        mproc_store64 (link, mproc_load64 (&self->tapes));
      while (!mproc_cas64 (&self->tapes, mproc_load64 (link), tape));
      MPROC_CRASH_POINT (TAPE_LINKED);
      walk->tape = tape;
      walk->tape_used = sizeof (guint64);
    }
  room = walk->tape + walk->tape_used;
  walk->tape_used += size;
  return room;
}

gboolean
mproc_batch_set_values (MprocBatchWalk *walk,
                        const MprocPart *part,
                        gconstpointer values,
                        gsize size,
                        GError **error)
{
  MprocBatch *self = mproc_batch_at (walk->batch);
  MprocOffset room = make_room (walk, sizeof (guint64) + size, error);
  guint64 *at;
  MprocAtomic64 *outcomes;

  if (room == 0)
    return FALSE;
  at = mproc_arena_at (room, sizeof *at + size);
  *at = size;
  memcpy (at + 1, values, size);
  outcomes = mproc_arena_at (self->outcomes, self->n_words * sizeof *outcomes);
  mproc_crash_order ();
  MPROC_CRASH_POINT (VALUES_COPIED);
  mproc_store64 (&outcomes[part->word], room);
  MPROC_CRASH_POINT (VALUES_STORED);
  return TRUE;
}

/* Without memory for it there is at least the fact. */
#define ERROR_WITHOUT_WORDS 1

static MprocOffset
store_error (const GError *error)
{
  MprocMessage message;
  MprocOffset block;
  guint64 *at;

  if (!mproc_message_init (&message, mproc_error_to_value (error), NULL))
    return ERROR_WITHOUT_WORDS;
  block = mproc_arena_alloc (sizeof *at + message.size, NULL);
  if (block != 0)
    {
      at = mproc_arena_at (block, sizeof *at + message.size);
      *at = message.size;
      mproc_message_store (&message, at + 1);
    }
  mproc_message_clear (&message, TRUE);
  return block != 0 ? block : ERROR_WITHOUT_WORDS;
}

void
mproc_batch_set_error (MprocOffset batch, const GError *error)
{
  MprocBatch *self = mproc_batch_at (batch);
  MprocOffset stored;

  if (mproc_load64 (&self->error) != 0)
    return;
  stored = store_error (error);
  MPROC_CRASH_POINT (PART_ERROR_MADE);
  if (!mproc_cas64 (&self->error, 0, stored) && stored != ERROR_WITHOUT_WORDS)
    mproc_arena_free (stored);
  MPROC_CRASH_POINT (PART_ERROR_KEPT);
}

gboolean
mproc_batch_finish (MprocOffset batch, const MprocPart *part)
{
  MprocBatch *self = mproc_batch_at (batch);

  return mproc_taskword_finish (&mproc_batch_words (self)[part->word], self->serial,
                                mproc_self ());
}

/* The pool says that somebody died, then looks at the words; we finish ours, then look whether it says
 * so: one of us sees the other.  After the seat's note is gone the block is not to be touched. */
gboolean
mproc_batch_leave (MprocOffset batch, guint64 n_items, MprocSeat *seat)
{
  MprocBatch *self = mproc_batch_at (batch);
  guint64 n_done;
  gboolean tell;

  /* Two may see that it is all: the pool does not mind to be told twice. */
  atomic_fetch_add (&self->n_done, n_items);
  MPROC_CRASH_POINT (BATCH_COUNTED);
  n_done = mproc_load64 (&self->n_done);
  if (n_done < self->plan.n_items && self->plan.covered > 1)
    mproc_store32 (&self->hungry, 1);
  atomic_thread_fence (memory_order_seq_cst);
  tell = (n_items > 0 && n_done == self->plan.n_items) || mproc_load32 (&self->careful);
  mproc_store64 (&seat->batch, 0);
  MPROC_CRASH_POINT (BATCH_LEFT);
  return tell;
}
