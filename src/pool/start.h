/* SPDX-License-Identifier: MIT */
/* What a new pool starts: its workers, or who starts them, and its thread. */
#ifndef MPROC_POOL_START_H
#define MPROC_POOL_START_H

#include "pool/pool.h"

G_BEGIN_DECLS

/* FALSE with error: what there is already goes with mproc_pool_free(). */
gboolean mproc_pool_set_up (MprocPool *self, GError **error);

/* What a crew of the pool's, wherever it is, has to know. */
void mproc_pool_fill_plan (MprocPool *self, MprocStartMethod method, MprocCrewPlan *plan);

G_END_DECLS

#endif
