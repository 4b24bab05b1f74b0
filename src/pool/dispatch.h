/* SPDX-License-Identifier: MIT */
/* The pool's one thread, which reads events and settles jobs. */
#ifndef MPROC_DISPATCH_H
#define MPROC_DISPATCH_H

#include "pool/pool.h"

G_BEGIN_DECLS

/* What it runs. */
gpointer mproc_pool_dispatch (gpointer pool);

/* What an event says of a worker's seat; under the mutex. */
void mproc_pool_note_seat (MprocPool *self, const MprocPoolEvent *event);

/* Says of the pool that it has no workers, and fails what it has; under the mutex. */
void mproc_pool_break (MprocPool *self, const char *why);

G_END_DECLS

#endif
