/* SPDX-License-Identifier: MIT */
#ifndef MPROC_SEMAPHORE_H
#define MPROC_SEMAPHORE_H

#include <mproc/init.h>

G_BEGIN_DECLS

/**
 * MprocSemaphore:
 *
 * A counter of units between any number of processes and threads: acquiring takes one, and waits
 * where there is none; releasing gives one back, whoever took it.
 *
 * Semaphores are handed to other processes in values, see mproc_pack().  Any thread of any process
 * that holds a reference may call anything.
 */
typedef struct MprocSemaphore MprocSemaphore;

/**
 * MprocSemaphoreFlags:
 * @MPROC_SEMAPHORE_DEFAULT: as Python's: a unit whose taker dies is gone
 * @MPROC_SEMAPHORE_RESTORE: units that a process took and did not give back are given back when it
 *   has ended, as soon as somebody wants one, within 300 ms.  Right where a unit stands for the use
 *   of something; wrong where it stands for an event that was consumed.  A release by one who has
 *   taken none gives back a unit that another one has taken, if there is one.  Costs 96 KiB of
 *   shared memory, and an acquire is a few times slower.
 *
 * How a semaphore treats the dead.
 */
typedef enum
{
  MPROC_SEMAPHORE_DEFAULT = 0,
  MPROC_SEMAPHORE_RESTORE = 1
} MprocSemaphoreFlags;

/**
 * mproc_semaphore_new:
 * @initial: how many units there are at first
 * @max: how many there may be at most, which makes it Python's BoundedSemaphore; 0: 2^31 - 1
 * @flags: how to treat the dead
 * @error: return location for an error
 *
 * Makes a semaphore.  A negative number, or an @initial above @max, is %MPROC_ERROR_INVALID.
 * (Python's BoundedSemaphore (0), which can never be released, does not exist.)
 *
 * Returns: (transfer full): a semaphore, or %NULL with @error set: also as mproc_event_new()
 */
MPROC_API MprocSemaphore *
mproc_semaphore_new (gint initial, gint max, MprocSemaphoreFlags flags, GError **error);

/**
 * mproc_semaphore_ref:
 * @self: a semaphore
 *
 * Returns: (transfer full): @self
 */
MPROC_API MprocSemaphore *mproc_semaphore_ref (MprocSemaphore *self);

/**
 * mproc_semaphore_unref:
 * @self: (transfer full) (nullable): a semaphore
 *
 * Gives up a reference; gives no unit back.
 */
MPROC_API void mproc_semaphore_unref (MprocSemaphore *self);

/**
 * mproc_semaphore_acquire:
 * @self: a semaphore
 * @timeout_us: how long to wait for a unit, in microseconds, or %MPROC_FOREVER
 *
 * Takes one unit.
 *
 * Returns: %TRUE if one was taken, %FALSE if the time was up
 */
MPROC_API gboolean mproc_semaphore_acquire (MprocSemaphore *self, gint64 timeout_us);

/**
 * mproc_semaphore_release:
 * @self: a semaphore
 * @error: return location for an error
 *
 * Gives one unit back, or adds one.  Above the maximum that is %MPROC_ERROR_OVER_RELEASE, and
 * nothing has changed.
 *
 * Returns: %TRUE if there is one unit more
 */
MPROC_API gboolean mproc_semaphore_release (MprocSemaphore *self, GError **error);

/**
 * mproc_semaphore_get_value:
 * @self: a semaphore
 *
 * While others acquire and release, the answer is old when it arrives.  Units of the dead are not in
 * it until somebody has wanted one.
 *
 * Returns: how many units there are
 */
MPROC_API gint mproc_semaphore_get_value (MprocSemaphore *self);

/**
 * mproc_semaphore_is_locked:
 * @self: a semaphore
 *
 * Returns: whether there is no unit, as mproc_semaphore_get_value() counts them
 */
MPROC_API gboolean mproc_semaphore_is_locked (MprocSemaphore *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MprocSemaphore, mproc_semaphore_unref)

G_END_DECLS

#endif
