/* SPDX-License-Identifier: MIT */
/* How many workers a pool has. */
#ifndef MPROC_RESIZE_H
#define MPROC_RESIZE_H

#include "pool/pool.h"

G_BEGIN_DECLS

/* Whether it can have so many. */
gboolean mproc_pool_check_size (guint n_workers, GError **error);

/* There is another task, for which a worker may have to be started; under the mutex. */
void mproc_pool_feed_crew (MprocPool *self);

G_END_DECLS

#endif
