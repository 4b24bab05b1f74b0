/* SPDX-License-Identifier: MIT */
/* What the pool needs of a queue beyond its public API. */
#ifndef MPROC_QUEUE_INTERNAL_H
#define MPROC_QUEUE_INTERNAL_H

#include "family/object.h"

#include <mproc/queue.h>

G_BEGIN_DECLS

/* Called under the consumer lock with a record's payload, before the position moves
 * past it: TRUE takes the record, FALSE skips it (it is gone, and the next one is
 * tried).  Must be short, and must not call into the queue. */
typedef gboolean (*MprocQueueClaim) (gconstpointer payload, gsize size, gpointer data);

/* Takes one record by way of @claim; a consumer killed between the claim and the move
 * leaves a record that the next one's claim is asked about again.  EMPTY and CLOSED as
 * mproc_queue_get. */
gboolean mproc_queue_take (MprocQueue *self,
                           gint64 deadline,
                           MprocQueueClaim claim,
                           gpointer data,
                           GError **error);

/* Shut down and drained. */
gboolean mproc_queue_is_finished (MprocQueue *self);

/* Shut down, perhaps not drained yet. */
gboolean mproc_queue_is_shut_down (MprocQueue *self);

/* How many records have been taken so far, modulo 2^32. */
guint32 mproc_queue_get_taken (MprocQueue *self);

/* How many have been put, counted the same way. */
guint32 mproc_queue_get_put (MprocQueue *self);

G_END_DECLS

#endif
