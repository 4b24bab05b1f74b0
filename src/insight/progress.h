/* SPDX-License-Identifier: MIT */
/* Who is told how far a pool has come. */
#ifndef MPROC_PROGRESS_H
#define MPROC_PROGRESS_H

#include "pool/pool.h"

G_BEGIN_DECLS

void mproc_progress_unref (MprocProgress *self); /* NULL is fine */

/* By the pool's thread, outside of the gate and without locks: calls whoever has asked for it, if there is
 * something new and it is time, or the pool is at its end. */
void mproc_progress_report (MprocPool *pool, gboolean is_end);

G_END_DECLS

#endif
