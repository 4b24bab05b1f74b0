/* SPDX-License-Identifier: MIT */
#ifndef MPROC_CONNECTION_H
#define MPROC_CONNECTION_H

#include <mproc/init.h>

G_BEGIN_DECLS

/**
 * MprocConnection:
 *
 * One end of a channel between two processes, which carries whole messages: values, or plain
 * bytes.  It is a channel of the operating system, so it ends when the last process that has the
 * other end does, however that happens.
 *
 * A connection is handed to another process as an argument of mproc_process_start(); each process
 * then has an end of its own, to be closed by itself.  Messages cannot carry one yet.
 *
 * Any thread may call anything: messages of several threads do not mix, and a thread that is
 * blocked in a connection is let go, with %MPROC_ERROR_CLOSED, when another closes it.  One caution:
 * a process forked (by an explicit %MPROC_START_METHOD_FORK) while another thread is inside one of
 * these functions should not use that connection.
 */
typedef struct MprocConnection MprocConnection;

/**
 * mproc_pipe:
 * @duplex: whether both ends send and receive
 * @a: (out) (transfer full): one end; it receives
 * @b: (out) (transfer full): the other end; it sends
 * @error: return location for an error
 *
 * Makes a pair of connected ends.  Without @duplex, @a only receives and @b only sends.
 *
 * When one end has been handed to a child, close it here: the end of file comes only after every
 * copy of the other end is closed.  A forked child has a copy of every end that its parent has open,
 * whether it was handed over or not.
 *
 * %MPROC_ERROR_TOO_MANY_FILES says that the limit of descriptors is reached.
 *
 * Returns: %TRUE if @a and @b are set
 */
MPROC_API gboolean mproc_pipe (gboolean duplex,
                               MprocConnection **a,
                               MprocConnection **b,
                               GError **error);

/**
 * mproc_connection_ref:
 * @self: a connection
 *
 * Returns: (transfer full): @self
 */
MPROC_API MprocConnection *mproc_connection_ref (MprocConnection *self);

/**
 * mproc_connection_unref:
 * @self: (transfer full) (nullable): a connection
 *
 * The last reference closes it.
 */
MPROC_API void mproc_connection_unref (MprocConnection *self);

/**
 * mproc_connection_send:
 * @self: a connection that sends
 * @value: the value; a floating reference is taken
 * @error: return location for an error
 *
 * Sends a value, and waits until the system has taken all of it: what the other end has not
 * received yet fills the channel's buffer, some 100 KiB, and then holds up the sender.
 *
 * Between ends made by mproc_pipe() it may carry objects and functions (see mproc_pack()), but
 * no connections: %MPROC_ERROR_NOT_SUPPORTED.  A value that cannot be sent is
 * %MPROC_ERROR_INVALID, %MPROC_ERROR_TOO_LARGE (types of more than 65535 letters, more than 100
 * levels of nesting) or %MPROC_ERROR_HANDLE; the connection stays as it was.  %MPROC_ERROR_CLOSED:
 * this end, or the other, is closed.  %MPROC_ERROR_STATE: this end only receives.
 *
 * Returns: %TRUE if it has been sent
 */
MPROC_API gboolean mproc_connection_send (MprocConnection *self,
                                          GVariant *value,
                                          GError **error);

/**
 * mproc_connection_recv:
 * @self: a connection that receives
 * @timeout_us: how long to wait, in microseconds, or %MPROC_FOREVER
 * @error: return location for an error
 *
 * Receives a value.  %MPROC_ERROR_TIMED_OUT loses nothing, the next call goes on from there.
 * %MPROC_ERROR_CLOSED: this end is closed, or the other one is and all has been received.
 * %MPROC_ERROR_STATE: this end only sends.
 *
 * A message that is none of mproc_connection_send()'s, or that breaks off, is
 * %MPROC_ERROR_PROTOCOL, and closes the connection.
 *
 * Returns: (transfer full): a value, or %NULL with @error set
 */
MPROC_API GVariant *
mproc_connection_recv (MprocConnection *self, gint64 timeout_us, GError **error);

/**
 * mproc_connection_send_bytes:
 * @self: a connection that sends
 * @data: (array length=size) (element-type guint8) (nullable): the bytes; %NULL only where @size is 0
 * @size: how many
 * @error: return location for an error
 *
 * Sends a message of plain bytes, none at all being a message too.  Otherwise as
 * mproc_connection_send().
 *
 * Returns: %TRUE if it has been sent
 */
MPROC_API gboolean mproc_connection_send_bytes (MprocConnection *self,
                                                gconstpointer data,
                                                gsize size,
                                                GError **error);

/**
 * mproc_connection_recv_bytes:
 * @self: a connection that receives
 * @timeout_us: how long to wait, in microseconds, or %MPROC_FOREVER
 * @error: return location for an error
 *
 * Receives a message as it was sent, whatever is in it.  Otherwise as mproc_connection_recv().
 *
 * Returns: (transfer full): the bytes, or %NULL with @error set
 */
MPROC_API GBytes *
mproc_connection_recv_bytes (MprocConnection *self, gint64 timeout_us, GError **error);

/**
 * mproc_connection_recv_bytes_into:
 * @self: a connection that receives
 * @buffer: (out caller-allocates) (array length=size) (element-type guint8): where to put them
 * @size: how many there is room for
 * @timeout_us: how long to wait, in microseconds, or %MPROC_FOREVER
 * @error: return location for an error
 *
 * Receives a message into a buffer.  If it is longer, that is %MPROC_ERROR_BUFFER_TOO_SHORT, and the
 * message is kept: the next call, of any of the three, receives it.  Otherwise as
 * mproc_connection_recv_bytes().
 *
 * Returns: how many bytes the message has, or -1 with @error set
 */
MPROC_API gssize mproc_connection_recv_bytes_into (MprocConnection *self,
                                                   gpointer buffer,
                                                   gsize size,
                                                   gint64 timeout_us,
                                                   GError **error);

/**
 * mproc_connection_poll:
 * @self: a connection
 * @timeout_us: how long to wait, in microseconds, or %MPROC_FOREVER
 *
 * Waits until there is something to receive, and leaves it there.  Everything that receiving would
 * report at once counts: a message, an empty one too, the end of the file, and that the
 * connection is closed or does not receive.
 *
 * Of a long message, or one from a slow sender, only a part may have come yet.
 *
 * Returns: %TRUE if there is, %FALSE if the time was up
 */
MPROC_API gboolean mproc_connection_poll (MprocConnection *self, gint64 timeout_us);

/**
 * mproc_connection_close:
 * @self: a connection
 *
 * Closes this process's copy of this end.  Closing a closed one does nothing.
 */
MPROC_API void mproc_connection_close (MprocConnection *self);

/**
 * mproc_connection_is_closed:
 * @self: a connection
 *
 * Returns: whether this process has closed it.  That the other end is closed is told by receiving
 */
MPROC_API gboolean mproc_connection_is_closed (MprocConnection *self);

/**
 * mproc_connection_is_readable:
 * @self: a connection
 *
 * Returns: whether it is an end that receives
 */
MPROC_API gboolean mproc_connection_is_readable (MprocConnection *self);

/**
 * mproc_connection_is_writable:
 * @self: a connection
 *
 * Returns: whether it is an end that sends
 */
MPROC_API gboolean mproc_connection_is_writable (MprocConnection *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MprocConnection, mproc_connection_unref)

G_END_DECLS

#endif
