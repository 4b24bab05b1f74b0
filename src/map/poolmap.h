/* SPDX-License-Identifier: MIT */
/* Maps that are handed over as batches. */
#ifndef MPROC_POOL_MAP_INTERNAL_H
#define MPROC_POOL_MAP_INTERNAL_H

#include "pool/pool.h"

G_BEGIN_DECLS

/* Whether a map with these options may be one; else each of its chunks is a task. */
gboolean mproc_pool_can_batch (MprocPool *self, const MprocTaskOptions *options);

/* Whether the pool takes tasks, and a map in chunks of that size; not under the mutex. */
gboolean mproc_pool_check_map (MprocPool *self, guint chunk, GError **error);

/* There is at least one item.  The result to come, never NULL. */
MprocResult *mproc_pool_map_values (MprocPool *self,
                                    MprocFunc func,
                                    GVariant *items,
                                    guint chunk,
                                    const MprocTaskOptions *options);

G_END_DECLS

#endif
