/* SPDX-License-Identifier: MIT */
/* Back-pressure: a pool whose options bound its pending tasks lets whoever hands over one more wait.
 * All of it under the pool's mutex. */
#ifndef MPROC_PENDING_H
#define MPROC_PENDING_H

#include "pool/pool.h"

G_BEGIN_DECLS

/* Waits until one more task may be handed over.  FALSE with MPROC_ERROR_FULL once the deadline is over.
 * Where the pool has ended meanwhile it is TRUE too. */
gboolean mproc_pool_await_room (MprocPool *self, gint64 deadline, GError **error);

/* A task is settled, or the pool takes none any more. */
void mproc_pool_make_room (MprocPool *self);

G_END_DECLS

#endif
