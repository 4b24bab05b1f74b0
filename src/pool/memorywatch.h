/* SPDX-License-Identifier: MIT */
/* Limits of memory: a worker that has too much for itself leaves after its task, or loses it.
 *
 * What counts is measured, see mproc_os_private_memory(): a limit of the system's own would be tripped
 * by the arena's reserved range. */
#ifndef MPROC_MEMORY_WATCH_H
#define MPROC_MEMORY_WATCH_H

#include "pool/pool.h"
#include "worker/worker.h"

G_BEGIN_DECLS

/* FALSE if workers of that method cannot be limited so. */
gboolean mproc_memory_check (const MprocPoolOptions *options,
                             MprocStartMethod method,
                             GError **error);

/* By the pool's thread, before the warden's look: condemns the tasks of workers that have too much. */
void mproc_memory_look (MprocPool *self);

/* By a worker after its task: whether it is to be replaced. */
gboolean mproc_worker_is_bloated (MprocWorker *self);

G_END_DECLS

#endif
