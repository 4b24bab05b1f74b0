/* SPDX-License-Identifier: MIT */
/* A batch: all the items of a map in one block of the arena, for any number of workers at once.
 *
 * Its items are counted off in *words* (taskword.h), some items each.  A part is a word and those behind
 * it that are 0, which it covers.  Workers claim parts one by one, each from the start of a region of its
 * own, then from the ends of the others'; so no two of them write the same line until the end is near.
 * A part that takes long while others have nothing left to do is shared out: its worker makes what it
 * covers parts of their own.  At any instant each item belongs to exactly one part, whoever dies.
 *
 * The counts and hints in the header are the fast way to know what the words say; the words are the truth. */
#ifndef MPROC_BATCH_H
#define MPROC_BATCH_H

#include "values/message.h"
#include "worker/seat.h"

G_BEGIN_DECLS

typedef enum
{
  MPROC_BATCH_VALUES, /* an MprocFunc is given one item and makes a value */
  MPROC_BATCH_BYTES, /* an MprocBytesFunc is given one item's bytes and fills in a result's */
  MPROC_BATCH_ARRAY /* an MprocArrayFunc is given a part of a shared array */
} MprocBatchKind;

/* What is known when it is made. */
typedef struct
{
  guint32 kind;
  MprocHandle function;
  guint64 n_items;
  guint32 step;        /* items for each word */
  guint32 covered;     /* words for each part; more than one: parts can be shared out */
  guint64 item_size;   /* BYTES, ARRAY */
  guint64 result_size; /* BYTES */
  MprocTaskLimits limits;
} MprocBatchPlan;

/* A part, to the one that has it. */
typedef struct
{
  guint32 word;
  guint32 n_words;
  guint64 first; /* item */
  guint64 end;
} MprocPart;

/* A worker's way through a batch. */
typedef struct
{
  MprocOffset batch;
  guint32 region; /* where it is */
  guint32 n_left; /* regions, this one too */
  gboolean is_own;
  guint32 at;
  MprocOffset tape; /* the block that its results go to; 0: none yet */
  gsize tape_used;
} MprocBatchWalk;

/* How items are cut up: @chunk items for a part, 0: as it suits @n_workers. */
void mproc_batch_cut (MprocBatchPlan *plan, guint64 chunk, guint n_workers);

/* Whether so many items of that size can be handed over at a time. */
gboolean mproc_batch_check_size (const MprocBatchPlan *plan, GError **error);

/* A block with everything a worker needs.  @args stays the caller's to clear as sent; NULL: it has none.
 * @items: of BYTES.  0 with error. */
MprocOffset mproc_batch_new (const MprocBatchPlan *plan,
                             const MprocMessage *args,
                             gconstpointer items,
                             guint n_workers,
                             GError **error);

/* From here on its parts can be claimed. */
void mproc_batch_queue (MprocOffset batch, guint32 serial);

const MprocBatchPlan *mproc_batch_get_plan (MprocOffset batch);
guint32 mproc_batch_get_serial (MprocOffset batch);

/* The argument's message. */
gconstpointer mproc_batch_get_args (MprocOffset batch, gsize *size);

/* BYTES: where @n of them are, from @first on. */
gconstpointer mproc_batch_get_items (MprocOffset batch, guint64 first, guint64 n);
gpointer mproc_batch_get_results (MprocOffset batch, guint64 first, guint64 n);

/* How many parts it has at the beginning. */
guint32 mproc_batch_count_parts (MprocOffset batch);

/* ------------------------------------------------------------------ by workers */

/* Under the task queue's lock, before the position moves past a record that names @batch: from here on
 * the pool keeps the block until the seat's note is gone.  FALSE: it is over.  A record may outlive the
 * batch, where one who had counted it as taken was killed; the block's serial is another one then. */
gboolean mproc_batch_enter (MprocOffset batch, guint32 serial, MprocSeat *seat);

void mproc_batch_walk_init (MprocBatchWalk *self, MprocOffset batch);

/* Claims the next part.  FALSE: nobody will find another one, or it was cancelled. */
gboolean mproc_batch_walk_next (MprocBatchWalk *self, MprocPart *part);

/* Where the part's word is. */
MprocOffset mproc_batch_word_at (MprocOffset batch, guint32 word);

/* Whether somebody has nothing to do, while this part is being run. */
gboolean mproc_batch_is_hungry (MprocOffset batch);

/* Gives away what the part has behind the word of @item.  FALSE: there is nothing. */
gboolean mproc_batch_share_out (MprocOffset batch, MprocPart *part, guint64 item);

/* VALUES: its results, @size bytes in whole units of 8, are there (see batchvalues.h).  FALSE with
 * error. */
gboolean mproc_batch_set_values (MprocBatchWalk *walk,
                                 const MprocPart *part,
                                 gconstpointer values,
                                 gsize size,
                                 GError **error);

/* A part has failed; the first such error of a batch is kept. */
void mproc_batch_set_error (MprocOffset batch, const GError *error);

/* The part is done.  FALSE: it has been taken from this worker, which must not go on. */
gboolean mproc_batch_finish (MprocOffset batch, const MprocPart *part);

/* No more parts for this worker, which has done @n_items.  TRUE: the pool has to be told. */
gboolean mproc_batch_leave (MprocOffset batch, guint64 n_items, MprocSeat *seat);

/* ------------------------------------------------------------------ by the pool */

/* All have been done, as far as the count tells: never too early, and never if a worker has died. */
gboolean mproc_batch_is_done (MprocOffset batch);

/* Says of each part whose word names @member, or anybody (0), that it is lost.  Returns how many;
 * *first: the first lost part. */
guint mproc_batch_bury (MprocOffset batch, guint32 member, MprocPart *first);

/* Takes the part that begins with @word from @member.  FALSE: it is not its any more. */
gboolean mproc_batch_condemn (MprocOffset batch,
                              guint32 word,
                              MprocMember member,
                              MprocPart *part);

/* No part is begun any more.  Returns how many had not been. */
guint mproc_batch_withdraw (MprocOffset batch);

/* By the words.  *has_queued: whether some part is there to be claimed. */
gboolean mproc_batch_is_complete (MprocOffset batch, gboolean *has_queued);

/* Cancelled before all of it was begun. */
gboolean mproc_batch_lacks_parts (MprocOffset batch);

/* Nobody is to begin another part. */
void mproc_batch_cancel (MprocOffset batch);

/* It has been settled: records that still name it are skipped. */
void mproc_batch_end (MprocOffset batch);

/* The first error, NULL if there is none. */
GError *mproc_batch_get_error (MprocOffset batch);

/* VALUES, done and without error: what mproc_batch_set_values() was given for the part that begins with
 * @word; NULL: @word is covered by one before. */
gconstpointer mproc_batch_get_values (MprocOffset batch, guint32 word, gsize *size);
guint32 mproc_batch_count_words (MprocOffset batch);

/* When no worker can reach it any more.  @sent: workers may have loaded its argument. */
void mproc_batch_free (MprocOffset batch, gboolean sent);

G_END_DECLS

#endif
