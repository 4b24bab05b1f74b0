/* SPDX-License-Identifier: MIT */
/* What the functions of a map have made, between their workers and the `av` it becomes.
 *
 * A part's values lie one after the other as they will lie in that array, and behind them where each ends:
 * so an `av` is put together by copying whole parts.  One with handles is a message instead. */
#ifndef MPROC_BATCH_VALUES_H
#define MPROC_BATCH_VALUES_H

#include "map/batch.h"

G_BEGIN_DECLS

/* How a part's begin: then the values, up to a multiple of 8 bytes, then the ends, 4 bytes each. */
typedef struct
{
  guint32 n;
  guint32 size; /* of the values */
  guint32 n_messages;
  guint32 unused;
} MprocBatchValuesHead;

/* Among the ends: that value is a message. */
#define MPROC_BATCH_VALUES_MESSAGE 0x80000000u

/* Those of a part, while its worker makes them; all zeros at first. */
typedef struct
{
  guint8 *bytes;
  gsize size;
  gsize room;
  guint32 *ends;
  guint n;
  guint room_for_ends;
  guint n_messages;

  /* Of the last value; functions make one type as a rule. */
  const char *type;
  gsize type_length;
  gsize fixed_size; /* 0: not known by the type */
  gboolean may_have_handles;
  GVariant *sample; /* as long as it is there @type is that type's and no other's */
} MprocBatchValues;

/* Where the next thing begins behind what ends there. */
static inline gsize
mproc_batchvalues_align (gsize end)
{
  return (end + 7) / 8 * 8;
}

/* For the next part.  Those of one that was not finished are dropped. */
void mproc_batchvalues_reset (MprocBatchValues *self);
void mproc_batchvalues_clear (MprocBatchValues *self);

/* Appends @value.  FALSE with error: it cannot be sent. */
gboolean
mproc_batchvalues_append (MprocBatchValues *self, GVariant *value, GError **error);

/* All of them, for mproc_batch_set_values(); *size bytes, in whole units of 8. */
gconstpointer mproc_batchvalues_finish (MprocBatchValues *self, gsize *size);

/* All of a batch that is done and without error, as an `av`; a full reference, or NULL with error. */
GVariant *mproc_batchvalues_collect (MprocOffset batch, GError **error);

/* Before the batch is freed: what the handles of values name that nobody has got is dropped. */
void mproc_batchvalues_discard_all (MprocOffset batch);

G_END_DECLS

#endif
