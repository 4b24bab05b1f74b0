/* SPDX-License-Identifier: MIT */
#ifndef MPROC_WAIT_H
#define MPROC_WAIT_H

#include <mproc/connection.h>
#include <mproc/process.h>

G_BEGIN_DECLS

/**
 * MprocWait:
 * @object: an #MprocProcess or an #MprocConnection
 * @ready: whether it is ready; written by mproc_wait()
 *
 * One of the things to wait for.
 */
typedef struct
{
  gpointer object;
  gboolean ready;
} MprocWait;

/**
 * mproc_wait:
 * @waits: (array length=n) (inout): what to wait for
 * @n: how many there are
 * @timeout_us: how long to wait, in microseconds, or %MPROC_FOREVER
 * @error: return location for an error
 *
 * Waits until one of many is ready, and says which are: processes that have ended, connections that
 * have something to receive, as mproc_connection_poll() has it.  There may be any number of
 * them, in any mixture; with none it returns 0 at once.
 *
 * Two threads that wait for the same thing are both told; who then receives may find that the other
 * was quicker.
 *
 * %MPROC_ERROR_STATE: a process that has not been started, or a connection that only sends.
 * %MPROC_ERROR_NOT_SUPPORTED: an object of another class.
 *
 * Returns: how many are ready, 0 if the time was up, -1 with @error set
 */
MPROC_API gint mproc_wait (MprocWait *waits, guint n, gint64 timeout_us, GError **error);

/**
 * MprocConnectionFunc:
 * @connection: the connection
 * @user_data: what g_source_set_callback() was given
 *
 * Called by a main loop when there is something to receive.  It should receive one message, with a
 * timeout of 0 if it must not wait for the rest of a long one.
 *
 * Returns: %G_SOURCE_CONTINUE to be called again, %G_SOURCE_REMOVE to end it
 */
typedef gboolean (*MprocConnectionFunc) (MprocConnection *connection, gpointer user_data);

/**
 * MprocProcessFunc:
 * @process: the process
 * @user_data: what g_source_set_callback() was given
 *
 * Called by a main loop, once, when the process has ended.
 *
 * Returns: %G_SOURCE_REMOVE; the source is removed in any case
 */
typedef gboolean (*MprocProcessFunc) (MprocProcess *process, gpointer user_data);

/**
 * mproc_connection_create_source:
 * @self: a connection that receives
 *
 * Makes a source for a GLib main loop that is dispatched when there is something to receive.  Its
 * callback is an #MprocConnectionFunc, cast to #GSourceFunc.  The source holds a reference.
 * After mproc_connection_close() it is dispatched once more; the end of file comes to the other
 * side when that has been done, or the source destroyed.
 *
 * On Windows the source looks at the connection every 15 milliseconds, because main loops there
 * cannot wait for a pipe.
 *
 * Returns: (transfer full): a new source, not attached yet
 */
MPROC_API GSource *mproc_connection_create_source (MprocConnection *self);

/**
 * mproc_process_create_source:
 * @self: a started process
 *
 * Makes a source for a GLib main loop that is dispatched when the process has ended.  Its callback
 * is an #MprocProcessFunc, cast to #GSourceFunc.  The source holds a reference.
 *
 * Returns: (transfer full): a new source, not attached yet
 */
MPROC_API GSource *mproc_process_create_source (MprocProcess *self);

G_END_DECLS

#endif
