/* SPDX-License-Identifier: MIT */
/* Maps of bytes and of arrays in an inline pool. */
#ifndef MPROC_INLINE_MAP_H
#define MPROC_INLINE_MAP_H

#include "map/batch.h"
#include "pool/pool.h"

G_BEGIN_DECLS

typedef struct
{
  MprocBatchPlan plan; /* cut */
  MprocFunc func;
  GVariant *args;      /* ARRAY: array and argument */
  gconstpointer items; /* BYTES */
  gpointer results;    /* BYTES: where they go to; NULL: into the value */
} MprocInlineMap;

/* All parts in order, each as a task of the pool's one worker, before it returns.  The map's value, a full
 * reference, or NULL with the first error. */
GVariant *
mproc_pool_map_inline (MprocPool *self, const MprocInlineMap *map, GError **error);

G_END_DECLS

#endif
