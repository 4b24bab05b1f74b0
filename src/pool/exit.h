/* SPDX-License-Identifier: MIT */
/* Pools that are there when their process ends: they are terminated. */
#ifndef MPROC_POOL_EXIT_H
#define MPROC_POOL_EXIT_H

#include "pool/pool.h"

G_BEGIN_DECLS

/* A new one. */
void mproc_pool_remember (MprocPool *self);

/* Drops a reference.  TRUE: it was the last one, and an exit does not find the pool any more. */
gboolean mproc_pool_drop (MprocPool *self);

G_END_DECLS

#endif
