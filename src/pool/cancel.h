/* SPDX-License-Identifier: MIT */
/* The way from a result back to its pool, which it does not keep alive. */
#ifndef MPROC_CANCEL_H
#define MPROC_CANCEL_H

#include "pool/pool.h"

G_BEGIN_DECLS

typedef struct MprocPoolLink MprocPoolLink;

/* A pool's own, with the pool's reference. */
MprocPoolLink *mproc_pool_link_new (MprocPool *pool);

MprocPoolLink *mproc_pool_link_ref (MprocPoolLink *self);
void mproc_pool_link_unref (MprocPoolLink *self);

/* What of @pool's gives results that are @wanted, and has not been begun, is not run any more; what is
 * running is asked to end.  Without locks. */
void mproc_pool_cancel_where (MprocPool *pool,
                              gboolean (*wanted) (MprocResult *result, gpointer data),
                              gpointer data);

/* By the pool before it goes: after this nobody comes by it any more.  Drops the pool's reference. */
void mproc_pool_link_cut (MprocPoolLink *self);

G_END_DECLS

#endif
