/* SPDX-License-Identifier: MIT */
#ifndef MPROC_TASK_H
#define MPROC_TASK_H

#include <mproc/process.h>

G_BEGIN_DECLS

/**
 * MprocTaskOptions:
 *
 * How one task is to be run: limits, attempts, priority.  Of a map they hold for each chunk.
 */
typedef struct MprocTaskOptions MprocTaskOptions;

/**
 * mproc_task_options_new:
 *
 * Returns: (transfer full): options that say nothing yet
 */
MPROC_API MprocTaskOptions *mproc_task_options_new (void);

/**
 * mproc_task_options_copy:
 * @self: (nullable): options
 *
 * Returns: (transfer full) (nullable): the same again
 */
MPROC_API MprocTaskOptions *mproc_task_options_copy (const MprocTaskOptions *self);

/**
 * mproc_task_options_free:
 * @self: (nullable): options
 */
MPROC_API void mproc_task_options_free (MprocTaskOptions *self);

/**
 * mproc_task_options_set_soft_limit:
 * @self: options
 * @limit_us: how long the task may run before mproc_task_should_stop() is %TRUE in it, in
 *   microseconds; 0: as long as it takes
 */
MPROC_API void mproc_task_options_set_soft_limit (MprocTaskOptions *self,
                                                  gint64 limit_us);

/**
 * mproc_task_options_set_hard_limit:
 * @self: options
 * @limit_us: how long the task may run before its worker is killed, in microseconds; 0: as long as
 *   it takes
 *
 * The task then fails with %MPROC_ERROR_TIMED_OUT, when its worker is dead, and no other task does.  It
 * is not begun again, whatever mproc_task_options_set_attempts() says.  That a limit is reached is
 * noticed within 50 ms.
 *
 * A worker that is a thread cannot be killed: the task fails all the same, and another thread takes its
 * place, while it runs on until the function returns.  mproc_task_should_stop() is %TRUE in it.
 * The pool's end waits for it.
 */
MPROC_API void mproc_task_options_set_hard_limit (MprocTaskOptions *self,
                                                  gint64 limit_us);

/**
 * mproc_task_options_set_attempts:
 * @self: options
 * @n: how often the task may be begun when its workers die, at least 1, which is the default; above
 *   %G_MAXINT the task fails with %MPROC_ERROR_INVALID
 *
 * A task whose worker dies may have done any part of its work.  One that killed @n workers is taken
 * for the cause: it fails with %MPROC_ERROR_WORKER_DIED, and is not begun again.  Of a map each chunk has
 * so many attempts.
 *
 * A task that waits to be begun again is the last of those that wait.  One that was cancelled, or
 * reached its hard limit, is not begun again.  That a worker dies before it has called the task's
 * function costs no attempt.
 */
MPROC_API void mproc_task_options_set_attempts (MprocTaskOptions *self, guint n);

/**
 * mproc_task_options_set_priority:
 * @self: options
 * @priority: of several tasks that wait, those of the highest priority are begun first; 0 is the
 *   default.  Among equals the order is that in which they were handed over
 *
 * Of a map it holds for each chunk: a worker that has done one goes to what is of a higher priority and
 * waits, and comes back to the map after.  With chunks that the pool has cut by itself (0) it may leave one in
 * the middle, once that has taken a tenth of a millisecond.
 */
MPROC_API void mproc_task_options_set_priority (MprocTaskOptions *self, gint priority);

/**
 * mproc_task_options_set_capture_output:
 * @self: options
 * @capture: whether what the task writes to standard output and standard error is kept for
 *   mproc_result_get_output()
 *
 * What children of the task write is kept as well, as long as they end before it.  Of more than 1 MiB the
 * beginning is cut off, and a line in its place says so.
 *
 * Under the start method thread all workers share one standard output: there such a task fails with
 * %MPROC_ERROR_NOT_SUPPORTED.  A task that is pushed has no result to keep it for, and writes where its
 * worker does.
 */
MPROC_API void mproc_task_options_set_capture_output (MprocTaskOptions *self,
                                                      gboolean capture);

/**
 * mproc_task_options_set_name:
 * @self: options
 * @name: (nullable): for messages and timelines; %NULL: the function's
 */
MPROC_API void mproc_task_options_set_name (MprocTaskOptions *self, const char *name);

/**
 * mproc_task_should_stop:
 *
 * For a function that runs as a task and takes long: whether its soft limit is reached, or it has been
 * cancelled.  It costs a look at the clock, some 30 ns, and less where the task has no soft limit.
 *
 * Returns: %TRUE if it should end; %FALSE also outside of tasks
 */
MPROC_API gboolean mproc_task_should_stop (void);

/**
 * mproc_task_check:
 * @error: return location for an error
 *
 * As mproc_task_should_stop(), and gives the error to end with.
 *
 * Returns: %FALSE with %MPROC_ERROR_TIMED_OUT or %MPROC_ERROR_CANCELLED if the task should end
 */
MPROC_API gboolean mproc_task_check (GError **error);

/**
 * mproc_task_get_attempt:
 *
 * Returns: how often the task that the calling thread runs has been begun, 1 the first time; 0 outside
 *   of tasks
 */
MPROC_API guint mproc_task_get_attempt (void);

/**
 * mproc_worker_get_number:
 *
 * Returns: which worker of its pool the calling thread is, 1 the first one started; 0 if it is none
 */
MPROC_API guint mproc_worker_get_number (void);

/**
 * mproc_worker_set_data:
 * @data: what the worker shall keep between its tasks
 * @free_func: (nullable): for @data, when it is replaced or the worker ends in good order
 *
 * Only in a worker: in its initializer, or in a task.  A program of processes might use variables of
 * its own instead; this is the worker's own under the start method thread as well.
 */
MPROC_API void mproc_worker_set_data (gpointer data, GDestroyNotify free_func);

/**
 * mproc_worker_get_data:
 *
 * Returns: (transfer none): what mproc_worker_set_data() was given last; %NULL also outside of workers
 */
MPROC_API gpointer mproc_worker_get_data (void);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MprocTaskOptions, mproc_task_options_free)

G_END_DECLS

#endif
