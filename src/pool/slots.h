/* SPDX-License-Identifier: MIT */
/* The pool's side of the jobserver, see worker/jobserver.h. */
#ifndef MPROC_SLOTS_H
#define MPROC_SLOTS_H

#include "pool/pool.h"

G_BEGIN_DECLS

/* Looks for GNU make's, if it is to be used. */
void mproc_pool_find_jobserver (MprocPool *self);
void mproc_pool_close_jobserver (MprocPool *self);

/* What a worker that is dead held is given back. */
void mproc_pool_recover_slot (MprocPool *self, MprocOffset seat);

G_END_DECLS

#endif
