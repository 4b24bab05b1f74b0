/* SPDX-License-Identifier: MIT */
/* What the pool does with a batch: deaths, errors, the end. */
#include "map/batchdata.h"

gboolean
mproc_batch_is_done (MprocOffset batch)
{
  const MprocBatch *self = mproc_batch_at (batch);

  return mproc_load64 (&self->n_done) == self->plan.n_items;
}

/* ------------------------------------------------------------------ deaths */

static gboolean
is_of (guint32 state, guint32 member)
{
  return member != 0 ? state == member
                     : state != MPROC_TASK_QUEUED && state != MPROC_TASK_DONE &&
                           state != MPROC_TASK_CONDEMNED;
}

/* The dead one may have left its count, or not: from here on only the words tell. */
guint
mproc_batch_bury (MprocOffset batch, guint32 member, MprocPart *first)
{
  MprocBatch *self = mproc_batch_at (batch);
  MprocAtomic64 *words = mproc_batch_words (self);
  guint n = 0;

  mproc_store32 (&self->careful, 1);
  atomic_thread_fence (memory_order_seq_cst);
  for (guint32 i = 0; i < self->n_words; i++)
    {
      guint64 word = mproc_load64 (&words[i]);
      guint32 state = mproc_taskword_state (word);

      if (word == MPROC_BATCH_COVERED || !is_of (state, member) ||
          !mproc_taskword_condemn (&words[i], self->serial, state))
        continue;
      if (n++ == 0)
        mproc_batch_fill_part (self, first, i, mproc_batch_part_length (self, words, i));
    }
  return n;
}

/* Whoever leaves from here on tells. */
static void
be_careful (MprocBatch *self)
{
  mproc_store32 (&self->careful, 1);
  atomic_thread_fence (memory_order_seq_cst);
}

gboolean
mproc_batch_condemn (MprocOffset batch, guint32 word, MprocMember member, MprocPart *part)
{
  MprocBatch *self = mproc_batch_at (batch);
  MprocAtomic64 *words = mproc_batch_words (self);

  be_careful (self);
  if (word >= self->n_words ||
      !mproc_taskword_condemn (&words[word], self->serial, member))
    return FALSE;
  mproc_batch_fill_part (self, part, word, mproc_batch_part_length (self, words, word));
  return TRUE;
}

guint
mproc_batch_withdraw (MprocOffset batch)
{
  MprocBatch *self = mproc_batch_at (batch);
  MprocAtomic64 *words = mproc_batch_words (self);
  guint n = 0;

  mproc_batch_cancel (batch);
  be_careful (self);
  for (guint32 i = 0; i < self->n_words; i++)
    n += mproc_taskword_condemn (&words[i], self->serial, MPROC_TASK_QUEUED) != FALSE;
  return n;
}

gboolean
mproc_batch_is_complete (MprocOffset batch, gboolean *has_queued)
{
  MprocBatch *self = mproc_batch_at (batch);
  const MprocAtomic64 *words = mproc_batch_words (self);
  gboolean complete = TRUE;

  *has_queued = FALSE;
  for (guint32 i = 0; i < self->n_words; i++)
    {
      guint64 word = mproc_load64 (&words[i]);
      guint32 state = mproc_taskword_state (word);

      if (word == MPROC_BATCH_COVERED || state == MPROC_TASK_DONE ||
          state == MPROC_TASK_CONDEMNED)
        continue;
      /* Shared out after the batch was cancelled: nobody begins it. */
      if (state == MPROC_TASK_QUEUED && mproc_load32 (&self->cancelled))
        continue;
      complete = FALSE;
      *has_queued |= state == MPROC_TASK_QUEUED;
    }
  return complete;
}

gboolean
mproc_batch_lacks_parts (MprocOffset batch)
{
  MprocBatch *self = mproc_batch_at (batch);
  const MprocAtomic64 *words = mproc_batch_words (self);

  if (mproc_batch_is_done (batch))
    return FALSE;
  for (guint32 i = 0; i < self->n_words; i++)
    {
      guint64 word = mproc_load64 (&words[i]);

      if (word != MPROC_BATCH_COVERED && mproc_taskword_state (word) != MPROC_TASK_DONE)
        return TRUE;
    }
  return FALSE;
}

void
mproc_batch_cancel (MprocOffset batch)
{
  mproc_store32 (&mproc_batch_at (batch)->cancelled, 1);
}

void
mproc_batch_end (MprocOffset batch)
{
  mproc_batch_cancel (batch);
  mproc_store32 (&mproc_batch_at (batch)->over, 1);
  atomic_thread_fence (memory_order_seq_cst);
}

/* ------------------------------------------------------------------ outcomes */

GError *
mproc_batch_get_error (MprocOffset batch)
{
  MprocOffset at = mproc_load64 (&mproc_batch_at (batch)->error);
  GError *error = NULL;
  GVariant *value;
  gsize size;

  if (at == 0)
    return NULL;
  if (at % 2 != 0)
    return g_error_new_literal (MPROC_ERROR, MPROC_ERROR_NO_MEMORY,
                                "no memory for the task's error");
  size = (gsize) * (guint64 *) mproc_arena_at (at, sizeof (guint64));
  at += sizeof (guint64);
  value = mproc_message_peek (mproc_arena_at (at, size), size, &error);
  if (value == NULL)
    return error;
  error = mproc_error_from_value (value);
  g_variant_unref (value);
  return error;
}

gconstpointer
mproc_batch_get_values (MprocOffset batch, guint32 word, gsize *size)
{
  const MprocBatch *self = mproc_batch_at (batch);
  MprocAtomic64 *outcomes =
      mproc_arena_at (self->outcomes, self->n_words * sizeof *outcomes);
  MprocOffset at = mproc_load64 (&outcomes[word]);

  if (at == 0)
    return NULL;
  *size = (gsize) * (guint64 *) mproc_arena_at (at, sizeof (guint64));
  return mproc_arena_at (at + sizeof (guint64), *size);
}

void
mproc_batch_free (MprocOffset batch, gboolean sent)
{
  MprocBatch *self = mproc_batch_at (batch);
  MprocOffset tape = mproc_load64 (&self->tapes);
  MprocOffset error = mproc_load64 (&self->error);

  while (tape != 0)
    {
      MprocAtomic64 *link = mproc_arena_at (tape, sizeof *link);
      MprocOffset next = mproc_load64 (link);

      mproc_arena_free (tape);
      tape = next;
    }
  if (error != 0 && error % 2 == 0)
    mproc_arena_free (error);
  if (sent && self->args_size != 0)
    mproc_message_discard (mproc_arena_at (self->args, (gsize) self->args_size),
                           (gsize) self->args_size);
  mproc_arena_free (batch);
}
