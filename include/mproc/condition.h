/* SPDX-License-Identifier: MIT */
#ifndef MPROC_CONDITION_H
#define MPROC_CONDITION_H

#include <mproc/lock.h>

G_BEGIN_DECLS

/**
 * MprocCondition:
 *
 * A condition variable: who holds its lock can wait for a notification, which releases the lock
 * meanwhile, or notify those who wait.
 *
 * A process that dies while it waits is in nobody's way: a notification that it was to get goes to
 * another one who was waiting then, and no notifier waits for it.  Waiters are notified in the order
 * in which they came.  One that dies later, when it has the lock again, may die with a notification
 * that it had not yet acted upon: whoever gets the lock as %MPROC_LOCK_STATUS_RECOVERED looks at what
 * it guards, and does best to notify all.
 *
 * Conditions are handed to other processes in values, see mproc_pack(), and take their lock with
 * them.  Any thread of any process that holds a reference may call anything.
 */
typedef struct MprocCondition MprocCondition;

/**
 * MprocPredicate:
 * @user_data: what was given with it
 *
 * Says whether what is waited for is there.  Called with the lock held.
 *
 * Returns: whether it is
 */
typedef gboolean (*MprocPredicate) (gpointer user_data);

/**
 * mproc_condition_new:
 * @lock: (nullable) (transfer none): an #MprocLock or #MprocRLock, which may belong to other
 *   conditions too; %NULL or %MPROC_OWN_LOCK: a new #MprocRLock
 * @error: return location for an error
 *
 * Makes a condition.  A @lock that is none of these is the caller's mistake.
 *
 * Returns: (transfer full): a condition, or %NULL with @error set: %MPROC_ERROR_NO_MEMORY, or
 *   %MPROC_ERROR_BOOTSTRAP in a child that has not passed mproc_init()
 */
MPROC_API MprocCondition *mproc_condition_new (gpointer lock, GError **error);

/**
 * mproc_condition_ref:
 * @self: a condition
 *
 * Returns: (transfer full): @self
 */
MPROC_API MprocCondition *mproc_condition_ref (MprocCondition *self);

/**
 * mproc_condition_unref:
 * @self: (transfer full) (nullable): a condition
 *
 * Gives up a reference.
 */
MPROC_API void mproc_condition_unref (MprocCondition *self);

/**
 * mproc_condition_get_lock:
 * @self: a condition
 *
 * Returns: (transfer none): its lock, an #MprocLock or #MprocRLock
 */
MPROC_API gpointer mproc_condition_get_lock (MprocCondition *self);

/**
 * mproc_condition_acquire:
 * @self: a condition
 * @timeout_us: how long to wait, in microseconds, or %MPROC_FOREVER
 *
 * Acquires the condition's lock.
 *
 * Returns: whether it was acquired, and how
 */
MPROC_API MprocLockStatus mproc_condition_acquire (MprocCondition *self,
                                                   gint64 timeout_us);

/**
 * mproc_condition_release:
 * @self: a condition
 * @error: return location for an error
 *
 * Releases the condition's lock: mproc_lock_release() or mproc_rlock_release(), with their errors.
 *
 * Returns: %TRUE if it was released
 */
MPROC_API gboolean mproc_condition_release (MprocCondition *self, GError **error);

/**
 * mproc_condition_wait:
 * @self: a condition
 * @timeout_us: how long to wait, in microseconds, or %MPROC_FOREVER
 * @error: return location for an error
 *
 * Releases the lock, an #MprocRLock in all its recursions, waits for a notification, and acquires the
 * lock again as often.  Whatever the result, but for a lock that was not held, the caller holds the
 * lock afterwards; waiting for it is not bounded by @timeout_us.
 *
 * %MPROC_ERROR_TIMED_OUT: no notification in time.  %MPROC_ERROR_NOT_OWNER: the caller does not hold
 * the lock (its process does not, if that is an #MprocLock).  %MPROC_ERROR_NO_MEMORY: no shared
 * memory left to wait in.
 *
 * Returns: %MPROC_LOCK_STATUS_ACQUIRED if notified; %MPROC_LOCK_STATUS_RECOVERED if, notified or not,
 *   it got the lock from a process that died holding it; %MPROC_LOCK_STATUS_TIMED_OUT with @error set
 */
MPROC_API MprocLockStatus mproc_condition_wait (MprocCondition *self,
                                                gint64 timeout_us,
                                                GError **error);

/**
 * mproc_condition_wait_for:
 * @self: a condition
 * @predicate: (scope call): what to wait for
 * @user_data: for @predicate
 * @timeout_us: how long to wait, in microseconds, or %MPROC_FOREVER
 * @error: return location for an error
 *
 * Waits until @predicate holds, which is asked first, and again after each notification.
 *
 * Errors are mproc_condition_wait()'s; at the end of the time the predicate is asked once more.  A
 * @predicate that has released the lock, and does not hold, is %MPROC_ERROR_NOT_OWNER.
 *
 * Returns: %MPROC_LOCK_STATUS_ACQUIRED if it holds; %MPROC_LOCK_STATUS_RECOVERED as soon as the lock
 *   was got from a process that died holding it, whether @predicate holds or not;
 *   %MPROC_LOCK_STATUS_TIMED_OUT with @error set
 */
MPROC_API MprocLockStatus mproc_condition_wait_for (MprocCondition *self,
                                                    MprocPredicate predicate,
                                                    gpointer user_data,
                                                    gint64 timeout_us,
                                                    GError **error);

/**
 * mproc_condition_notify:
 * @self: a condition
 * @n: how many to notify at most
 * @error: return location for an error
 *
 * Notifies those who have waited longest.  They go on when they get the lock.  A caller that does
 * not hold the lock is %MPROC_ERROR_NOT_OWNER.
 *
 * Returns: %TRUE if those who waited, @n at most, have been notified
 */
MPROC_API gboolean mproc_condition_notify (MprocCondition *self, guint n, GError **error);

/**
 * mproc_condition_notify_all:
 * @self: a condition
 * @error: return location for an error
 *
 * Notifies all who wait, as mproc_condition_notify().
 *
 * Returns: %TRUE if they have been notified
 */
MPROC_API gboolean mproc_condition_notify_all (MprocCondition *self, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MprocCondition, mproc_condition_unref)

G_END_DECLS

#endif
