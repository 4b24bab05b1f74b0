/* SPDX-License-Identifier: MIT */
/* How a batch is made, and what it is made of. */
#include "map/batchdata.h"

#include <string.h>

/* With chunks of its own choice: so many parts for each worker at first, and so many words in all that
 * parts can be shared out to. */
#define PARTS_PER_WORKER 64
#define MOST_WORDS 16384

/* The parts of a shared array are one call each, and cannot be shared out. */
#define SLICES_PER_WORKER 16

/* More workers than that begin in the same regions. */
#define MOST_REGIONS 64

static guint64
divide_up (guint64 n, guint64 by)
{
  return (n + by - 1) / by;
}

void
mproc_batch_cut (MprocBatchPlan *plan, guint64 chunk, guint n_workers)
{
  plan->covered = 1;
  if (chunk == 0 && plan->kind == MPROC_BATCH_ARRAY)
    chunk = divide_up (plan->n_items, (guint64) n_workers * SLICES_PER_WORKER);
  else if (chunk == 0)
    {
      guint64 part = divide_up (plan->n_items, (guint64) n_workers * PARTS_PER_WORKER);

      chunk = divide_up (plan->n_items, MOST_WORDS);
      plan->covered = (guint32) divide_up (part, MAX (chunk, 1));
    }
  /* Words are counted in 32 bits. */
  chunk = MAX (chunk, divide_up (plan->n_items, G_MAXINT32));
  plan->step = (guint32) CLAMP (chunk, 1, G_MAXUINT32);
  plan->covered = MAX (plan->covered, 1);
}

static guint64
align (guint64 offset, guint to)
{
  return (offset + to - 1) / to * to;
}

/* Places what lies behind the header, for a block at @block.  Returns its end. */
static MprocOffset
lay_out (MprocBatch *self, MprocOffset block)
{
  const MprocBatchPlan *plan = &self->plan;
  MprocOffset at = align (block + sizeof *self, 128);

  self->regions = at;
  at += self->n_regions * sizeof (MprocBatchRegion);
  self->words = at;
  at = align (at + self->n_words * sizeof (guint64), 128);
  self->outcomes = at;
  if (plan->kind == MPROC_BATCH_VALUES)
    at += self->n_words * sizeof (MprocOffset);
  self->args = align (at, 16);
  self->items = align (self->args + self->args_size, 128);
  at = self->items;
  if (plan->kind == MPROC_BATCH_BYTES)
    at += plan->n_items * plan->item_size;
  self->results = align (at, 128);
  return self->results + plan->n_items * plan->result_size;
}

static void
fill_regions (MprocBatch *self)
{
  for (guint32 i = 0; i < self->n_regions; i++)
    {
      MprocBatchRegion *region = mproc_batch_region (self, i);

      mproc_store32 (&region->front, mproc_batch_region_start (self, i));
      mproc_store32 (&region->back, mproc_batch_region_start (self, i + 1));
    }
}

/* Nobody knows it yet. */
static void
fill (MprocOffset batch,
      const MprocBatch *head,
      const MprocMessage *args,
      gconstpointer items)
{
  MprocBatch *self = mproc_batch_at (batch);

  memcpy (self, head, sizeof *self);
  fill_regions (self);
  if (self->plan.kind == MPROC_BATCH_VALUES)
    memset (mproc_arena_at (self->outcomes, self->n_words * sizeof (MprocOffset)), 0,
            self->n_words * sizeof (MprocOffset));
  if (args != NULL)
    mproc_message_store (args, mproc_arena_at (self->args, args->size));
  if (self->plan.kind == MPROC_BATCH_BYTES)
    {
      gsize size = (gsize) (self->plan.n_items * self->plan.item_size);

      memcpy (mproc_arena_at (self->items, size), items, size);
    }
}

/* All of it has to fit into the largest of blocks, and its bytes are counted: in 32 bits where a gsize has
 * no more, with room for what is not items. */
gboolean
mproc_batch_check_size (const MprocBatchPlan *plan, GError **error)
{
  const guint64 most = MIN (G_GUINT64_CONSTANT (1) << 40, G_MAXSIZE / 4);
  guint64 each = MAX (plan->item_size, 1) + plan->result_size + 2 * sizeof (guint64);

  if (plan->item_size < most && plan->result_size < most && plan->n_items < most / each)
    return TRUE;
  g_set_error (error, MPROC_ERROR, MPROC_ERROR_TOO_LARGE,
               "%" G_GUINT64_FORMAT
               " items of that size are more than can be handed over at a time; make "
               "several maps",
               plan->n_items);
  return FALSE;
}

MprocOffset
mproc_batch_new (const MprocBatchPlan *plan,
                 const MprocMessage *args,
                 gconstpointer items,
                 guint n_workers,
                 GError **error)
{
  MprocBatch head;
  MprocOffset batch;
  gsize size;

  if (!mproc_batch_check_size (plan, error))
    return 0;
  memset (&head, 0, sizeof head);
  head.plan = *plan;
  head.n_words = (guint32) divide_up (plan->n_items, plan->step);
  head.n_regions = CLAMP (n_workers, 1, MIN (head.n_words, MOST_REGIONS));
  head.args_size = args != NULL ? args->size : 0;
  /* Wherever it will begin. */
  size = (gsize) lay_out (&head, 0) + 128;
  batch = mproc_arena_alloc (size, error);
  if (batch == 0)
    return 0;
  mproc_arena_at (batch, size);
  lay_out (&head, batch);
  fill (batch, &head, args, items);
  return batch;
}

void
mproc_batch_queue (MprocOffset batch, guint32 serial)
{
  MprocBatch *self = mproc_batch_at (batch);
  MprocAtomic64 *words = mproc_batch_words (self);
  guint64 queued = mproc_taskword_make (serial, MPROC_TASK_QUEUED);
  guint32 covered = self->plan.covered;

  self->serial = serial;
  for (guint32 i = 0; i < self->n_words; i++)
    atomic_store_explicit (&words[i], i % covered == 0 ? queued : MPROC_BATCH_COVERED,
                           memory_order_relaxed);
}

/* ------------------------------------------------------------------ what it has */

const MprocBatchPlan *
mproc_batch_get_plan (MprocOffset batch)
{
  return &mproc_batch_at (batch)->plan;
}

guint32
mproc_batch_get_serial (MprocOffset batch)
{
  return mproc_batch_at (batch)->serial;
}

gconstpointer
mproc_batch_get_args (MprocOffset batch, gsize *size)
{
  const MprocBatch *self = mproc_batch_at (batch);

  *size = (gsize) self->args_size;
  return mproc_arena_at (self->args, *size);
}

gconstpointer
mproc_batch_get_items (MprocOffset batch, guint64 first, guint64 n)
{
  const MprocBatch *self = mproc_batch_at (batch);
  gsize size = (gsize) self->plan.item_size;

  return mproc_arena_at (self->items + first * size, (gsize) n * size);
}

gpointer
mproc_batch_get_results (MprocOffset batch, guint64 first, guint64 n)
{
  const MprocBatch *self = mproc_batch_at (batch);
  gsize size = (gsize) self->plan.result_size;

  return mproc_arena_at (self->results + first * size, (gsize) n * size);
}

guint32
mproc_batch_count_words (MprocOffset batch)
{
  return mproc_batch_at (batch)->n_words;
}

guint32
mproc_batch_count_parts (MprocOffset batch)
{
  const MprocBatch *self = mproc_batch_at (batch);

  return (guint32) divide_up (self->n_words, self->plan.covered);
}
