/* SPDX-License-Identifier: MIT */
#ifndef MPROC_EVENT_H
#define MPROC_EVENT_H

#include <mproc/init.h>

G_BEGIN_DECLS

/**
 * MprocEvent:
 *
 * A flag between any number of processes and threads, which can be waited for.
 *
 * Events are handed to other processes in values, see mproc_pack().  Any thread of any process that
 * holds a reference may call anything.
 */
typedef struct MprocEvent MprocEvent;

/**
 * mproc_event_new:
 * @error: return location for an error
 *
 * Makes an event, not set.
 *
 * Returns: (transfer full): an event, or %NULL with @error set: %MPROC_ERROR_NO_MEMORY, or
 *   %MPROC_ERROR_BOOTSTRAP in a child that has not passed mproc_init()
 */
MPROC_API MprocEvent *mproc_event_new (GError **error);

/**
 * mproc_event_ref:
 * @self: an event
 *
 * Returns: (transfer full): @self
 */
MPROC_API MprocEvent *mproc_event_ref (MprocEvent *self);

/**
 * mproc_event_unref:
 * @self: (transfer full) (nullable): an event
 *
 * Gives up a reference.
 */
MPROC_API void mproc_event_unref (MprocEvent *self);

/**
 * mproc_event_set:
 * @self: an event
 *
 * Sets the flag.  All who wait now are woken and see it set, even if it is cleared again at once.
 */
MPROC_API void mproc_event_set (MprocEvent *self);

/**
 * mproc_event_clear:
 * @self: an event
 *
 * Clears the flag.
 */
MPROC_API void mproc_event_clear (MprocEvent *self);

/**
 * mproc_event_is_set:
 * @self: an event
 *
 * Returns: whether the flag is set
 */
MPROC_API gboolean mproc_event_is_set (MprocEvent *self);

/**
 * mproc_event_wait:
 * @self: an event
 * @timeout_us: how long to wait, in microseconds, or %MPROC_FOREVER
 *
 * Waits until the flag is set.
 *
 * Returns: %TRUE if it is, or has been since the call began; %FALSE if the time was up
 */
MPROC_API gboolean mproc_event_wait (MprocEvent *self, gint64 timeout_us);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MprocEvent, mproc_event_unref)

G_END_DECLS

#endif
