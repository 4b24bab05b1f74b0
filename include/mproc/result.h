/* SPDX-License-Identifier: MIT */
#ifndef MPROC_RESULT_H
#define MPROC_RESULT_H

#include <mproc/process.h>

G_BEGIN_DECLS

/**
 * MprocResult:
 *
 * What a task that was handed to a pool will have given.  It does not keep its pool alive; when the
 * pool goes first, the result is %MPROC_ERROR_CANCELLED.
 */
typedef struct MprocResult MprocResult;

/**
 * mproc_result_ref:
 * @self: a result
 *
 * Returns: (transfer full): @self
 */
MPROC_API MprocResult *mproc_result_ref (MprocResult *self);

/**
 * mproc_result_unref:
 * @self: (nullable): a result
 */
MPROC_API void mproc_result_unref (MprocResult *self);

/**
 * mproc_result_get:
 * @self: a result
 * @timeout_us: how long to wait, in microseconds, or %MPROC_FOREVER
 * @error: return location for an error
 *
 * Waits for the task's value.  May be called any number of times.
 *
 * Returns: (transfer full): the value, or %NULL: with %MPROC_ERROR_TIMED_OUT it is not there yet; with
 *   %MPROC_ERROR_STATE it was waited for where it cannot come, in a process forked since or in a
 *   callback in the pool's own thread; else @error is the task's own, %MPROC_ERROR_WORKER_DIED or
 *   %MPROC_ERROR_CANCELLED
 */
MPROC_API GVariant *
mproc_result_get (MprocResult *self, gint64 timeout_us, GError **error);

/**
 * mproc_result_wait:
 * @self: a result
 * @timeout_us: how long to wait, in microseconds, or %MPROC_FOREVER
 *
 * Returns: whether it is there
 */
MPROC_API gboolean mproc_result_wait (MprocResult *self, gint64 timeout_us);

/**
 * mproc_result_is_ready:
 * @self: a result
 *
 * Returns: whether it is there, as value or as error
 */
MPROC_API gboolean mproc_result_is_ready (MprocResult *self);

/**
 * mproc_result_is_successful:
 * @self: a result that is ready: mproc_result_is_ready(); one that is not is the caller's mistake, told by
 *   a critical message
 *
 * Returns: whether it is a value
 */
MPROC_API gboolean mproc_result_is_successful (MprocResult *self);

/**
 * mproc_result_get_output:
 * @self: a result that is ready
 *
 * What its tasks have written to standard output and standard error, if
 * mproc_task_options_set_capture_output() asked for that: of a map, part by part in order.  It is there
 * beside an error as well; of a worker that died, where the system lets one process see the files of
 * another: Linux and Windows.
 *
 * Returns: (transfer full) (nullable): the bytes as they were written, %NULL if nothing was captured
 */
MPROC_API GBytes *mproc_result_get_output (MprocResult *self);

/**
 * MprocResultFunc:
 * @result: a result that is ready
 * @user_data: what was given with the function
 *
 * A result is there: as a value, or as an error, which mproc_result_get() gives without waiting.
 */
typedef void (*MprocResultFunc) (MprocResult *result, gpointer user_data);

/**
 * mproc_result_set_callback:
 * @self: a result that has no callback yet
 * @context: (nullable): the main context that @func is called in; %NULL: the pool's own thread
 * @func: a function
 * @user_data: for @func
 * @destroy: (nullable): for @user_data, right after @func, in the same thread
 *
 * Has @func called once, when the result is ready; that may be before this returns.  If it is ready
 * already, @func is called all the same: in @context, or, for %NULL, by the calling thread before this
 * returns.
 *
 * In the pool's own thread nothing else of the pool goes on meanwhile, so that @func should be short.
 * It may do to the pool what any thread may: hand tasks over, close it, terminate it, drop its last
 * reference, which then ends it in the background.  But it cannot wait for what only that thread
 * brings: mproc_pool_join() is %FALSE at once, and mproc_result_get() of a result of the same pool that
 * is not ready fails with %MPROC_ERROR_STATE.  All these callbacks have returned when
 * mproc_pool_join() is %TRUE.
 */
MPROC_API void mproc_result_set_callback (MprocResult *self,
                                          GMainContext *context,
                                          MprocResultFunc func,
                                          gpointer user_data,
                                          GDestroyNotify destroy);

/**
 * mproc_result_cancel:
 * @self: a result
 *
 * Nobody wants it any more.  A task that no worker has begun never runs, and fails with
 * %MPROC_ERROR_CANCELLED at once; one that runs is asked to end: mproc_task_should_stop() is %TRUE in it,
 * and the result is whatever it ends with.  Of a map this holds for each chunk.
 *
 * A running task that does not ask goes on: see mproc_result_kill().
 *
 * Returns: whether anything was still to cancel; %FALSE also when the pool is gone
 */
MPROC_API gboolean mproc_result_cancel (MprocResult *self);

/**
 * mproc_result_kill:
 * @self: a result
 *
 * As mproc_result_cancel(), but the worker of a running task is killed, and replaced; the task fails
 * with %MPROC_ERROR_CANCELLED when its worker is dead, and no other task does.  A worker that is a thread
 * cannot be killed: the task fails at once, and another thread takes its place, while it runs on until
 * the function returns.  mproc_task_should_stop() is %TRUE in it.
 * The pool's end waits for it.
 *
 * Returns: whether anything was still to cancel; %FALSE also when the pool is gone
 */
MPROC_API gboolean mproc_result_kill (MprocResult *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MprocResult, mproc_result_unref)

G_END_DECLS

#endif
