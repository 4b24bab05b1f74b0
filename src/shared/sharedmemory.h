/* SPDX-License-Identifier: MIT */
/* What lists need of the blocks that they lie in. */
#ifndef MPROC_SHARED_MEMORY_H
#define MPROC_SHARED_MEMORY_H

#include "family/object.h"

#include <mproc/memory.h>

G_BEGIN_DECLS

/* A local object of its own for the block @handle, whose body is @body: for who holds the
 * local lock.  There is an entry as long as the caller sees to it. */
MprocSharedMemory *
mproc_shared_memory_duplicate (MprocHandle handle, MprocOffset body, GError **error);

/* Closes one that mproc_shared_memory_duplicate() has made, under the local lock. */
void mproc_shared_memory_discard (MprocSharedMemory *self);

G_END_DECLS

#endif
