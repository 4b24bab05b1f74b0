/* SPDX-License-Identifier: MIT */
#ifndef MPROC_QUEUE_H
#define MPROC_QUEUE_H

#include <mproc/init.h>

G_BEGIN_DECLS

/**
 * MprocQueue:
 *
 * A queue that any number of processes put items into and get items from: values, or
 * plain bytes.  Items that one process puts come out in the order it put them, each of
 * them once.
 *
 * An item is in shared memory when the put returns: no thread carries it there later, so
 * a process may end at once, and none of its items is lost.  A process that is killed,
 * whatever it was doing with the queue, harms nobody else; only the item it was just
 * putting, or had just taken, is lost with it.
 *
 * One that is stopped (as SIGSTOP does) in the very instant of a put or get delays others
 * until it goes on: those that have a timeout for up to two seconds beyond it, all else
 * for as long as that takes.  Stopped anywhere else it is in nobody's way.
 *
 * A queue is handed to other processes in values (see mproc_pack()): as an argument of
 * mproc_process_start(), or in an item of another queue.  It lives as long as some
 * process, or an item on its way, holds it.
 *
 * Any thread of any process that holds a queue may call anything.
 */
typedef struct MprocQueue MprocQueue;

/**
 * mproc_queue_new:
 * @max_items: how many items it holds at most; 0: as many as there is shared memory for
 * @error: return location for an error
 *
 * Makes an empty queue.
 *
 * Returns: (transfer full): a queue, or %NULL with @error set: %MPROC_ERROR_NO_MEMORY, or
 *   %MPROC_ERROR_BOOTSTRAP in a child that has not passed mproc_init()
 */
MPROC_API MprocQueue *mproc_queue_new (guint max_items, GError **error);

/**
 * mproc_queue_new_full:
 * @max_items: how many items it holds at most; 0: no bound of that kind
 * @max_bytes: how many bytes its items have together at most; 0: no bound of that kind
 * @error: return location for an error
 *
 * Makes an empty queue with a bound for each of the two.  What counts is what an item is
 * made of: the bytes of one that was put by mproc_queue_put_bytes(), and the serialized
 * data of a value with its type and a few bytes more.
 *
 * There is room for an item when there is room for all of it; large ones may have to wait
 * for longer than small ones.  One that is larger than @max_bytes by itself is
 * %MPROC_ERROR_TOO_LARGE at once.
 *
 * Returns: (transfer full): a queue, or %NULL with @error set
 */
MPROC_API MprocQueue *
mproc_queue_new_full (guint max_items, guint64 max_bytes, GError **error);

/**
 * mproc_queue_ref:
 * @self: a queue
 *
 * Returns: (transfer full): @self
 */
MPROC_API MprocQueue *mproc_queue_ref (MprocQueue *self);

/**
 * mproc_queue_unref:
 * @self: (transfer full) (nullable): a queue
 *
 * Gives up a reference.  Items that nobody can get any more are dropped.
 */
MPROC_API void mproc_queue_unref (MprocQueue *self);

/**
 * mproc_queue_put:
 * @self: a queue
 * @value: the item; a floating reference is taken
 * @timeout_us: how long to wait for room, in microseconds, or %MPROC_FOREVER
 * @error: return location for an error
 *
 * Puts a value at the end of the queue.  It may carry objects and functions (see
 * mproc_pack()), but no connections: %MPROC_ERROR_NOT_SUPPORTED.
 *
 * %MPROC_ERROR_FULL: no room, or none in time.  %MPROC_ERROR_CLOSED: closed by this
 * process, or shut down.  %MPROC_ERROR_NO_MEMORY: no shared memory left.
 * %MPROC_ERROR_HANDLE or %MPROC_ERROR_TOO_LARGE: a value that cannot be sent.  After
 * each of them the queue is as it was.
 *
 * Returns: %TRUE if the item is in the queue
 */
MPROC_API gboolean mproc_queue_put (MprocQueue *self,
                                    GVariant *value,
                                    gint64 timeout_us,
                                    GError **error);

/**
 * mproc_queue_get:
 * @self: a queue
 * @timeout_us: how long to wait for an item, in microseconds, or %MPROC_FOREVER
 * @error: return location for an error
 *
 * Takes the item at the front.  One put by mproc_queue_put_bytes() comes as a value of
 * type `ay`.
 *
 * %MPROC_ERROR_EMPTY: no item, or none in time.  %MPROC_ERROR_CLOSED: closed by this
 * process, or shut down and drained.
 *
 * Returns: (transfer full): a value, or %NULL with @error set
 */
MPROC_API GVariant *mproc_queue_get (MprocQueue *self, gint64 timeout_us, GError **error);

/**
 * mproc_queue_put_packed:
 * @self: a queue
 * @timeout_us: how long to wait for room, in microseconds, or %MPROC_FOREVER
 * @error: return location for an error
 * @format: a format string, as for mproc_pack()
 * @...: arguments, as per @format
 *
 * Puts a value that is made of the arguments: what mproc_queue_put() does with what
 * mproc_pack() returns, and with the same item in the queue, but where @format has nothing
 * but numbers, strings (`s`, `o`, `g`) and tuples of them, several times as fast.
 *
 * |[<!-- language="C" -->
 * mproc_queue_put_packed (queue, MPROC_FOREVER, &error, "(xs)", (gint64) 42, "text");
 * ]|
 *
 * A string of such a format that is not UTF-8 (or no object path, or no signature) is
 * %MPROC_ERROR_INVALID.  Otherwise as mproc_queue_put().
 *
 * Returns: %TRUE if the item is in the queue
 */
MPROC_API gboolean mproc_queue_put_packed (MprocQueue *self,
                                           gint64 timeout_us,
                                           GError **error,
                                           const char *format,
                                           ...);

/**
 * mproc_queue_get_unpacked:
 * @self: a queue
 * @timeout_us: how long to wait for an item, in microseconds, or %MPROC_FOREVER
 * @error: return location for an error
 * @format: a format string, as for mproc_unpack(), without `&`
 * @...: where to put the parts, as per @format; %NULL takes nothing
 *
 * Takes the item at the front apart: what mproc_unpack() does with what mproc_queue_get()
 * returns, whichever way it was put, and as fast as mproc_queue_put_packed() for the same
 * formats.
 *
 * All that it gives is the caller's: `s` a copy to be freed by g_free(), `h` a reference.
 * The value itself is gone when the function returns, so there is nothing to borrow from:
 * a @format with an `&` in it is a programmer's mistake.
 *
 * |[<!-- language="C" -->
 * gint64 number;
 * char *text;
 *
 * if (mproc_queue_get_unpacked (queue, MPROC_FOREVER, &error, "(xs)", &number, &text))
 *   g_free (text);
 * ]|
 *
 * If the item at the front is of another type, that is %MPROC_ERROR_INVALID, and it stays.
 * One with an object or function that cannot be opened here is lost, as in
 * mproc_queue_get(); the errors are those of mproc_unpack().  On failure nothing is
 * written.  Otherwise as mproc_queue_get().
 *
 * Returns: %TRUE if an item was taken and everything has been written
 */
MPROC_API gboolean mproc_queue_get_unpacked (MprocQueue *self,
                                             gint64 timeout_us,
                                             GError **error,
                                             const char *format,
                                             ...);

/**
 * mproc_queue_put_bytes:
 * @self: a queue
 * @data: (array length=size) (element-type guint8) (nullable): the bytes; %NULL only
 *   where @size is 0
 * @size: how many
 * @timeout_us: how long to wait for room, in microseconds, or %MPROC_FOREVER
 * @error: return location for an error
 *
 * Puts an item of plain bytes, none at all being an item too.  Otherwise as
 * mproc_queue_put().
 *
 * Returns: %TRUE if the item is in the queue
 */
MPROC_API gboolean mproc_queue_put_bytes (MprocQueue *self,
                                          gconstpointer data,
                                          gsize size,
                                          gint64 timeout_us,
                                          GError **error);

/**
 * mproc_queue_get_bytes:
 * @self: a queue
 * @timeout_us: how long to wait for an item, in microseconds, or %MPROC_FOREVER
 * @error: return location for an error
 *
 * Takes an item that was put by mproc_queue_put_bytes().  If the one at the front is a
 * value, that is %MPROC_ERROR_INVALID, and it stays.  Otherwise as mproc_queue_get().
 *
 * Returns: (transfer full): the bytes, or %NULL with @error set
 */
MPROC_API GBytes *
mproc_queue_get_bytes (MprocQueue *self, gint64 timeout_us, GError **error);

/**
 * mproc_queue_get_bytes_into:
 * @self: a queue
 * @buffer: (out caller-allocates) (array length=size) (element-type guint8) (nullable):
 *   where to put them; %NULL only where @size is 0
 * @size: how many there is room for
 * @timeout_us: how long to wait for an item, in microseconds, or %MPROC_FOREVER
 * @error: return location for an error
 *
 * Takes an item of bytes into a buffer.  If it is longer, that is
 * %MPROC_ERROR_BUFFER_TOO_SHORT, and it stays at the front.  Otherwise as
 * mproc_queue_get_bytes().
 *
 * Returns: how many bytes the item has, or -1 with @error set
 */
MPROC_API gssize mproc_queue_get_bytes_into (MprocQueue *self,
                                             gpointer buffer,
                                             gsize size,
                                             gint64 timeout_us,
                                             GError **error);

/**
 * mproc_queue_peek_bytes:
 * @self: a queue
 * @timeout_us: how long to wait for an item, in microseconds, or %MPROC_FOREVER
 * @error: return location for an error
 *
 * Takes an item of bytes without copying it, if it is a large one (more than 16 KiB): what
 * is returned lies in shared memory then, where its producer has put it, and that memory
 * is free again after the last g_bytes_unref().  Smaller items are copied.  Otherwise as
 * mproc_queue_get_bytes(): the item is this process's alone, and the others go on with the
 * next one.
 *
 * The bytes may be kept for as long as needed, given to other threads, and outlive the
 * queue.  They are given back too when the process ends or is killed.  A child that is
 * forked meanwhile can read them for as long as this process keeps them; its own
 * references give nothing back.
 *
 * Returns: (transfer full): the bytes, or %NULL with @error set
 */
MPROC_API GBytes *
mproc_queue_peek_bytes (MprocQueue *self, gint64 timeout_us, GError **error);

/**
 * mproc_queue_put_many:
 * @self: a queue
 * @items: (array length=n) (nullable): the items, in their order; floating references are
 *   taken; %NULL only where @n is 0
 * @n: how many
 * @timeout_us: how long to wait for room for all of them, in microseconds, or
 *   %MPROC_FOREVER
 * @error: return location for an error
 *
 * Puts many values at once, which costs less than one after the other: items of others may
 * come between them, but rarely.  If one of them cannot be sent at all, none is put.
 *
 * Where the time is up after some of them, or the queue is shut down, or there is no
 * memory for more, those that were put stay there, and their number is returned; another
 * call with the rest tells why.  The errors are those of mproc_queue_put().
 *
 * Returns: how many items, from the first, are in the queue; -1 with @error set if none
 *   is and there should be
 */
MPROC_API gssize mproc_queue_put_many (MprocQueue *self,
                                       GVariant *const *items,
                                       gsize n,
                                       gint64 timeout_us,
                                       GError **error);

/**
 * mproc_queue_get_many:
 * @self: a queue
 * @max: how many items to take at most, not 0
 * @timeout_us: how long to wait for the first, in microseconds, or %MPROC_FOREVER
 * @error: return location for an error
 *
 * Waits for an item as mproc_queue_get() does, and takes with it what else is there, but
 * waits for no more.  A process that is killed meanwhile takes those with it that it had
 * taken.
 *
 * An item that this process cannot open, since there is no memory left for what it
 * carries, is lost as in mproc_queue_get(); the error is returned if there is no other.
 *
 * Returns: (transfer full) (element-type GVariant): at least one value, in the queue's
 *   order, the array holding a full reference to each; or %NULL with @error set
 */
MPROC_API GPtrArray *
mproc_queue_get_many (MprocQueue *self, guint max, gint64 timeout_us, GError **error);

/**
 * mproc_queue_get_size:
 * @self: a queue
 *
 * Counts the items.  While others put and get, the answer is old when it arrives.
 *
 * Returns: how many items there are
 */
MPROC_API guint mproc_queue_get_size (MprocQueue *self);

/**
 * mproc_queue_get_n_bytes:
 * @self: a queue
 *
 * Adds up the bytes of the items of a queue that has a bound for them (see
 * mproc_queue_new_full()).  While others put and get, the answer is old when it arrives.
 *
 * Returns: how many bytes there are; 0 of a queue without such a bound
 */
MPROC_API guint64 mproc_queue_get_n_bytes (MprocQueue *self);

/**
 * mproc_queue_is_empty:
 * @self: a queue
 *
 * As mproc_queue_get_size(); an item that has been put by a call that has returned
 * counts.
 *
 * Returns: whether there is no item
 */
MPROC_API gboolean mproc_queue_is_empty (MprocQueue *self);

/**
 * mproc_queue_is_full:
 * @self: a queue
 *
 * As mproc_queue_get_size().
 *
 * Returns: whether there are as many items, or as many bytes, as it may hold; never of a
 *   queue without a bound
 */
MPROC_API gboolean mproc_queue_is_full (MprocQueue *self);

/**
 * mproc_queue_task_done:
 * @self: a queue
 * @error: return location for an error
 *
 * Says that the work on one item taken earlier is done; mproc_queue_join() waits for
 * that.  More often than items were put is %MPROC_ERROR_OVER_RELEASE.
 *
 * Returns: %TRUE if it was counted
 */
MPROC_API gboolean mproc_queue_task_done (MprocQueue *self, GError **error);

/**
 * mproc_queue_join:
 * @self: a queue
 * @timeout_us: how long to wait, in microseconds, or %MPROC_FOREVER
 *
 * Waits until mproc_queue_task_done() has been called for every item that was put.
 *
 * An item whose taker died stays unfinished: wait with a timeout, and call task_done in its
 * place.
 *
 * Returns: %TRUE if that is so, %FALSE if the time was up
 */
MPROC_API gboolean mproc_queue_join (MprocQueue *self, gint64 timeout_us);

/**
 * mproc_queue_close:
 * @self: a queue
 *
 * Says that this process has no more to do with the queue: its puts and gets, from
 * whatever thread of it, are %MPROC_ERROR_CLOSED from now on.  mproc_queue_get_size(),
 * mproc_queue_is_empty(), mproc_queue_is_full(), mproc_queue_task_done() and
 * mproc_queue_join() go on as before.
 *
 * For all other processes nothing changes, not even for a child that is forked later, nor,
 * where a process runs as a thread (%MPROC_START_METHOD_THREAD), between it and its
 * starter.  Closing again does nothing.
 */
MPROC_API void mproc_queue_close (MprocQueue *self);

/**
 * mproc_queue_shutdown:
 * @self: a queue
 * @immediate: whether to drop the items that are still in it
 *
 * Ends the queue for all processes.  Every put, those that wait for room included, is
 * %MPROC_ERROR_CLOSED from now on.  Gets go on until the queue is drained, and then are
 * %MPROC_ERROR_CLOSED too.  Dropped items count as done for mproc_queue_join().
 *
 * Shutting down again does nothing, but for dropping what is left.
 */
MPROC_API void mproc_queue_shutdown (MprocQueue *self, gboolean immediate);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MprocQueue, mproc_queue_unref)

G_END_DECLS

#endif
