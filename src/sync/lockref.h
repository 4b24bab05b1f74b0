/* SPDX-License-Identifier: MIT */
/* Locks that belong to other objects: a condition's, a shared value's.  The body names
 * the lock by its handle and holds it as a message would, so it lives as long as the body;
 * a process opens it when it is first asked for. */
#ifndef MPROC_LOCKREF_H
#define MPROC_LOCKREF_H

#include "family/plain.h"

#include <mproc/lock.h>

G_BEGIN_DECLS

/* Whether @lock is what a constructor takes: NULL, MPROC_OWN_LOCK, or a lock. */
gboolean mproc_lockref_is_valid (gpointer lock);

/* The handle for a body to keep, counted as in flight: of a new RLock for MPROC_OWN_LOCK,
 * 0 for NULL.  FALSE with error. */
gboolean mproc_lockref_take (gpointer lock, MprocHandle *handle, GError **error);

/* When the body is destroyed. */
void mproc_lockref_drop (MprocHandle handle);

/* The lock, held by @self from here on (transfer none); NULL for 0.  It is there as long
 * as the body is. */
gpointer mproc_lockref_get (MprocPlain *self, MprocHandle handle);

/* The operations of a Lock or RLock, whichever it is. */
MprocLockStatus mproc_lockref_acquire (gpointer lock, gint64 timeout_us);
gboolean mproc_lockref_release (gpointer lock, GError **error);

/* Whether the calling thread holds it; of a Lock, whether this process (or the thread that
 * is a member of its own) does. */
gboolean mproc_lockref_is_mine (gpointer lock);

/* Releases all recursions of one that is mine; gives their number.  The other one acquires
 * it as often again, without a bound of time. */
guint32 mproc_lockref_release_all (gpointer lock);
MprocLockStatus mproc_lockref_acquire_again (gpointer lock, guint32 depth);

G_END_DECLS

#endif
