/* SPDX-License-Identifier: MIT */
#ifndef MPROC_LOCK_H
#define MPROC_LOCK_H

#include <mproc/init.h>

G_BEGIN_DECLS

/**
 * MprocLockStatus:
 * @MPROC_LOCK_STATUS_TIMED_OUT: not acquired; 0, so that a status can be used as a truth value
 * @MPROC_LOCK_STATUS_ACQUIRED: acquired
 * @MPROC_LOCK_STATUS_RECOVERED: acquired, from a process that ended while it held the lock:
 *   what the lock guards may be half written
 *
 * What has become of an attempt to acquire a lock.  The death of an owner is told once, to the next
 * one who acquires; if that one dies too while it holds the lock, to the one after it.  It is told
 * to nobody if somebody has released the lock in the dead one's place, as of an #MprocLock anyone may.
 */
typedef enum
{
  MPROC_LOCK_STATUS_TIMED_OUT,
  MPROC_LOCK_STATUS_ACQUIRED,
  MPROC_LOCK_STATUS_RECOVERED
} MprocLockStatus;

/**
 * MPROC_OWN_LOCK:
 *
 * Where an object takes a lock: a new #MprocRLock, the object's own.  (%NULL there means no lock for
 * shared values and arrays; a condition, which needs one, makes its own for it too.)
 */
#define MPROC_OWN_LOCK ((gpointer) (gsize) 1)

/**
 * MprocLock:
 *
 * A lock between any number of processes and threads.  It is not recursive, and it belongs to
 * nobody: as in Python, any thread of any process may release it.
 *
 * It notes which process (or which thread, started by the method thread) acquired it.  If that one
 * ends without having released it, by its own will or not, the next one gets the lock, within
 * 300 ms, and is told: see %MPROC_LOCK_STATUS_RECOVERED.  So one that acquires a lock for another
 * one to release has to live until then.
 *
 * Locks are handed to other processes in values, see mproc_pack().  Any thread of any process that
 * holds a reference may call anything.  Waiting locks are not handed out in the order of their
 * waiters.
 */
typedef struct MprocLock MprocLock;

/**
 * mproc_lock_new:
 * @error: return location for an error
 *
 * Makes a lock, free.
 *
 * Returns: (transfer full): a lock, or %NULL with @error set: %MPROC_ERROR_NO_MEMORY, or
 *   %MPROC_ERROR_BOOTSTRAP in a child that has not passed mproc_init()
 */
MPROC_API MprocLock *mproc_lock_new (GError **error);

/**
 * mproc_lock_ref:
 * @self: a lock
 *
 * Returns: (transfer full): @self
 */
MPROC_API MprocLock *mproc_lock_ref (MprocLock *self);

/**
 * mproc_lock_unref:
 * @self: (transfer full) (nullable): a lock
 *
 * Gives up a reference; does not release the lock.
 */
MPROC_API void mproc_lock_unref (MprocLock *self);

/**
 * mproc_lock_acquire:
 * @self: a lock
 * @timeout_us: how long to wait, in microseconds, or %MPROC_FOREVER
 *
 * Acquires the lock.  Who waits spins for a moment where that has paid lately, then sleeps.
 *
 * Returns: whether it was acquired, and how
 */
MPROC_API MprocLockStatus mproc_lock_acquire (MprocLock *self, gint64 timeout_us);

/**
 * mproc_lock_release:
 * @self: a lock
 * @error: return location for an error
 *
 * Releases the lock, whoever has acquired it.  A lock that is free is %MPROC_ERROR_OVER_RELEASE.
 *
 * Returns: %TRUE if it was held and is now free
 */
MPROC_API gboolean mproc_lock_release (MprocLock *self, GError **error);

/**
 * mproc_lock_is_locked:
 * @self: a lock
 *
 * Returns: whether somebody holds it, be it one who has died
 */
MPROC_API gboolean mproc_lock_is_locked (MprocLock *self);

/**
 * MprocRLock:
 *
 * A recursive lock: the thread that holds it can acquire it again, and others can only after as many
 * releases.  It belongs to one thread of one process, and only that one can release it.  Otherwise
 * as #MprocLock.
 *
 * A process made by fork does not hold what its parent holds.
 */
typedef struct MprocRLock MprocRLock;

/**
 * mproc_rlock_new:
 * @error: return location for an error
 *
 * Makes a recursive lock, free.
 *
 * Returns: (transfer full): a lock, or %NULL with @error set, as mproc_lock_new()
 */
MPROC_API MprocRLock *mproc_rlock_new (GError **error);

/**
 * mproc_rlock_ref:
 * @self: a lock
 *
 * Returns: (transfer full): @self
 */
MPROC_API MprocRLock *mproc_rlock_ref (MprocRLock *self);

/**
 * mproc_rlock_unref:
 * @self: (transfer full) (nullable): a lock
 *
 * Gives up a reference; does not release the lock.
 */
MPROC_API void mproc_rlock_unref (MprocRLock *self);

/**
 * mproc_rlock_acquire:
 * @self: a lock
 * @timeout_us: how long to wait, in microseconds, or %MPROC_FOREVER
 *
 * Acquires the lock, or, in the thread that holds it, counts one acquisition more.
 *
 * Returns: whether it was acquired, and how
 */
MPROC_API MprocLockStatus mproc_rlock_acquire (MprocRLock *self, gint64 timeout_us);

/**
 * mproc_rlock_release:
 * @self: a lock
 * @error: return location for an error
 *
 * Takes one acquisition back; the last one frees the lock.  In a thread that does not hold the lock,
 * be it free or another's, that is %MPROC_ERROR_NOT_OWNER.
 *
 * Returns: %TRUE if the caller held it
 */
MPROC_API gboolean mproc_rlock_release (MprocRLock *self, GError **error);

/**
 * mproc_rlock_is_locked:
 * @self: a lock
 *
 * Returns: whether somebody holds it, be it one who has died
 */
MPROC_API gboolean mproc_rlock_is_locked (MprocRLock *self);

/**
 * mproc_rlock_is_mine:
 * @self: a lock
 *
 * Returns: whether the calling thread holds it
 */
MPROC_API gboolean mproc_rlock_is_mine (MprocRLock *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MprocLock, mproc_lock_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MprocRLock, mproc_rlock_unref)

G_END_DECLS

#endif
