/* SPDX-License-Identifier: MIT */
#ifndef MPROC_BARRIER_H
#define MPROC_BARRIER_H

#include <mproc/process.h>

G_BEGIN_DECLS

/**
 * MPROC_BARRIER_TIMEOUT:
 *
 * As the timeout of mproc_barrier_wait(): the one that the barrier was made with.
 */
#define MPROC_BARRIER_TIMEOUT ((gint64) -2)

/**
 * MprocBarrier:
 *
 * A place where a fixed number of processes or threads wait for each other.  When the last one has
 * come, they all go on, and the barrier is there for the next round.
 *
 * It breaks, for all who wait and who come later, when one of them does not want to wait any
 * longer, or dies inside, or fails in the action; then only mproc_barrier_reset() makes it whole.
 *
 * Barriers are handed to other processes in values, see mproc_pack().  Any thread of any process
 * that holds a reference may call anything.
 */
typedef struct MprocBarrier MprocBarrier;

/**
 * mproc_barrier_new:
 * @parties: how many wait for each other
 * @action: (nullable): called by the last one that comes, before any goes on
 * @args: (nullable): what @action is given, without which it is of no use; a floating reference is taken
 * @timeout_us: how long they wait where nothing else is said, in microseconds, or %MPROC_FOREVER
 * @error: return location for an error
 *
 * Makes a barrier.  The value that @action returns is dropped; an error breaks the barrier, and is
 * the error of the one that called it.
 *
 * No parties, or more than there can be processes (8191), is %MPROC_ERROR_INVALID.  @args cannot name
 * connections: %MPROC_ERROR_NOT_SUPPORTED.  An action or @args that cannot be sent are
 * %MPROC_ERROR_HANDLE or %MPROC_ERROR_FUNCTION.
 *
 * The action runs while the others wait, without any lock held.  It may break or reset the barrier,
 * which then goes for its own round too (in Python that passes); one that waits at its own barrier
 * waits for ever.
 *
 * Returns: (transfer full): a barrier, or %NULL with @error set: also as mproc_event_new()
 */
MPROC_API MprocBarrier *mproc_barrier_new (guint parties,
                                           MprocFunc action,
                                           GVariant *args,
                                           gint64 timeout_us,
                                           GError **error);

/**
 * mproc_barrier_ref:
 * @self: a barrier
 *
 * Returns: (transfer full): @self
 */
MPROC_API MprocBarrier *mproc_barrier_ref (MprocBarrier *self);

/**
 * mproc_barrier_unref:
 * @self: (transfer full) (nullable): a barrier
 *
 * Gives up a reference.
 */
MPROC_API void mproc_barrier_unref (MprocBarrier *self);

/**
 * mproc_barrier_wait:
 * @self: a barrier
 * @timeout_us: how long to wait, in microseconds, %MPROC_FOREVER or %MPROC_BARRIER_TIMEOUT
 * @error: return location for an error
 *
 * Waits until all have come.  %MPROC_ERROR_BROKEN_BARRIER: the barrier is broken, or breaks
 * meanwhile, or has been reset; the time's being up breaks it.  The one that calls the action gets
 * its error.
 *
 * Where more come than are waited for, one that comes while the action runs, or before those of the
 * last round have left, waits for a place in the next one; @timeout_us counts for that as well.
 *
 * Returns: a number from 0 to one less than the parties, another one for each of those who wait
 *   together; -1 with @error set
 */
MPROC_API gint mproc_barrier_wait (MprocBarrier *self, gint64 timeout_us, GError **error);

/**
 * mproc_barrier_abort:
 * @self: a barrier
 *
 * Breaks the barrier.
 */
MPROC_API void mproc_barrier_abort (MprocBarrier *self);

/**
 * mproc_barrier_reset:
 * @self: a barrier
 *
 * Makes the barrier whole and empty.  Those who wait get %MPROC_ERROR_BROKEN_BARRIER.
 */
MPROC_API void mproc_barrier_reset (MprocBarrier *self);

/**
 * mproc_barrier_get_parties:
 * @self: a barrier
 *
 * Returns: how many wait for each other
 */
MPROC_API guint mproc_barrier_get_parties (MprocBarrier *self);

/**
 * mproc_barrier_get_n_waiting:
 * @self: a barrier
 *
 * Returns: how many wait now; of a broken barrier 0
 */
MPROC_API guint mproc_barrier_get_n_waiting (MprocBarrier *self);

/**
 * mproc_barrier_is_broken:
 * @self: a barrier
 *
 * Returns: whether it is broken
 */
MPROC_API gboolean mproc_barrier_is_broken (MprocBarrier *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MprocBarrier, mproc_barrier_unref)

G_END_DECLS

#endif
