/* SPDX-License-Identifier: MIT */
/* What conditions need of locks beyond their public API. */
#ifndef MPROC_LOCK_INTERNAL_H
#define MPROC_LOCK_INTERNAL_H

#include <mproc/lock.h>

G_BEGIN_DECLS

/* Whether this member holds it. */
gboolean mproc_lock_is_ours (MprocLock *self);

/* For the thread that holds it: releases all recursions and gives their number; acquires
 * it as often again. */
guint32 mproc_rlock_release_all (MprocRLock *self);
MprocLockStatus mproc_rlock_acquire_again (MprocRLock *self, guint32 depth);

G_END_DECLS

#endif
