/* SPDX-License-Identifier: MIT */
/* What the functions of a map have made, between their workers and the `av` it becomes.
 *
 * A part's values lie one after the other, each in whole units of 8 bytes: a header, then the value as it lies in
 * a variant, so that an `av` is put together by copying.  One with handles is a message instead. */
#ifndef MPROC_BATCH_VALUES_H
#define MPROC_BATCH_VALUES_H

#include "map/batch.h"

G_BEGIN_DECLS

/* Appends @value.  FALSE with error: it cannot be sent. */
gboolean mproc_batchvalues_append (GByteArray *values, GVariant *value, GError **error);

/* Of values that nobody will get: what their handles name is dropped. */
void mproc_batchvalues_discard (gconstpointer values, gsize size);

/* All of a batch that is done and without error, as an `av`; a full reference, or NULL with error. */
GVariant *mproc_batchvalues_collect (MprocOffset batch, GError **error);

/* Before the batch is freed. */
void mproc_batchvalues_discard_all (MprocOffset batch);

G_END_DECLS

#endif
