/* SPDX-License-Identifier: MIT */
/* How a batch lies in the arena, for the files that work on it.
 *
 *   header | regions, 128 bytes each | words | outcomes (VALUES) | argument | items | results (BYTES) */
#ifndef MPROC_BATCH_DATA_H
#define MPROC_BATCH_DATA_H

#include "map/batch.h"

G_BEGIN_DECLS

/* A word that a part before it covers. */
#define MPROC_BATCH_COVERED G_GUINT64_CONSTANT (0)

typedef struct
{
  MprocBatchPlan plan;
  guint32 serial;
  guint32 n_words;
  guint32 n_regions;
  guint32 unused;
  MprocOffset regions;
  MprocOffset words;
  MprocOffset outcomes; /* of each part, by its word */
  MprocOffset args;
  guint64 args_size; /* 0: none */
  MprocOffset items;
  MprocOffset results;

  MprocAtomic32 n_joined;  /* gives each its region */
  MprocAtomic32 cancelled; /* no part is to be begun any more */
  MprocAtomic32 careful;   /* somebody died: the count will not reach its end */
  MprocAtomic32 hungry;    /* somebody found nothing to do */
  MprocAtomic32 shared;    /* a part was shared out: the regions' hints are void */
  MprocAtomic32 over;
  MprocAtomic64 n_done; /* items, by those who have left */
  MprocAtomic64 error;  /* where the first one's message is, its size before it */
  MprocAtomic64 tapes;  /* blocks with results, one names the next */
} MprocBatch;

/* Hints: the words of a region before @front and from @back on have been claimed.  A line for the one who goes
 * forward, and one for those who come from behind. */
typedef struct
{
  MprocAtomic32 front;
  guint8 gap[60];
  MprocAtomic32 back;
  guint8 gap2[60];
} MprocBatchRegion;

static inline MprocBatch *
mproc_batch_at (MprocOffset batch)
{
  return mproc_arena_at (batch, sizeof (MprocBatch));
}

/* All of them: one call for a whole walk. */
static inline MprocAtomic64 *
mproc_batch_words (const MprocBatch *self)
{
  return mproc_arena_at (self->words, self->n_words * sizeof (guint64));
}

static inline MprocBatchRegion *
mproc_batch_region (const MprocBatch *self, guint32 region)
{
  return mproc_arena_at (self->regions + region * sizeof (MprocBatchRegion),
                         sizeof (MprocBatchRegion));
}

/* Where a region begins; of the one behind the last, where that ends.  At parts' beginnings. */
static inline guint32
mproc_batch_region_start (const MprocBatch *self, guint32 region)
{
  guint64 n_parts = (self->n_words + self->plan.covered - 1) / self->plan.covered;
  guint64 word = n_parts * region / self->n_regions * self->plan.covered;

  return (guint32) MIN (word, self->n_words);
}

/* How many words the part has that begins at @word. */
static inline guint32
mproc_batch_part_length (const MprocBatch *self, const MprocAtomic64 *words, guint32 word)
{
  guint32 end = word + 1;

  while (end < self->n_words && mproc_load64 (&words[end]) == MPROC_BATCH_COVERED)
    end++;
  return end - word;
}

static inline void
mproc_batch_fill_part (const MprocBatch *self,
                       MprocPart *part,
                       guint32 word,
                       guint32 n_words)
{
  part->word = word;
  part->n_words = n_words;
  part->first = (guint64) word * self->plan.step;
  part->end = MIN ((guint64) (word + n_words) * self->plan.step, self->plan.n_items);
}

G_END_DECLS

#endif
