/* SPDX-License-Identifier: MIT */
#ifndef MPROC_POOL_OPTIONS_H
#define MPROC_POOL_OPTIONS_H

#include <mproc/process.h>
#include <mproc/task.h>

G_BEGIN_DECLS

/**
 * MprocPoolOptions:
 *
 * How a pool is to be, for mproc_pool_new_full().
 */
typedef struct MprocPoolOptions MprocPoolOptions;

/**
 * mproc_pool_options_new:
 *
 * Returns: (transfer full): options that say nothing yet
 */
MPROC_API MprocPoolOptions *mproc_pool_options_new (void);

/**
 * mproc_pool_options_free:
 * @self: (nullable): options
 */
MPROC_API void mproc_pool_options_free (MprocPoolOptions *self);

/**
 * mproc_pool_options_set_start_method:
 * @self: options
 * @method: how the workers are started
 *
 * Under %MPROC_START_METHOD_THREAD the workers are threads, which can be neither killed nor lost:
 * mproc_pool_terminate() then lets running tasks finish.
 */
MPROC_API void mproc_pool_options_set_start_method (MprocPoolOptions *self,
                                                    MprocStartMethod method);

/**
 * mproc_pool_options_set_name:
 * @self: options
 * @name: the workers are called this, `-` and a number; "PoolWorker" if it is not set
 */
MPROC_API void mproc_pool_options_set_name (MprocPoolOptions *self, const char *name);

/**
 * mproc_pool_options_set_initializer:
 * @self: options
 * @func: (nullable): called in each worker before its first task
 * @args: (nullable): its argument; a floating reference is sunk
 *
 * If it fails, in whichever worker, the pool is broken: its tasks fail with %MPROC_ERROR_STATE and the
 * initializer's message, and no worker is started any more.  The same happens when five workers in a
 * row end, by a signal or by exit, before it is done, and no worker is left in which it was.
 */
MPROC_API void mproc_pool_options_set_initializer (MprocPoolOptions *self,
                                                   MprocFunc func,
                                                   GVariant *args);

/**
 * mproc_pool_options_set_finalizer:
 * @self: options
 * @func: (nullable): called in each worker that ends in good order, after its last task
 * @args: (nullable): its argument; a floating reference is sunk
 *
 * It is not called in a worker that is killed, by a limit or from outside, and mproc_pool_terminate()
 * does not wait for it.  What it fails with nobody hears of.
 */
MPROC_API void
mproc_pool_options_set_finalizer (MprocPoolOptions *self, MprocFunc func, GVariant *args);

/**
 * mproc_pool_options_set_max_tasks_per_worker:
 * @self: options
 * @n: after so many tasks a worker ends and is replaced; 0: never.  A chunk of a map is one task
 */
MPROC_API void mproc_pool_options_set_max_tasks_per_worker (MprocPoolOptions *self,
                                                            guint n);

/**
 * mproc_pool_options_set_inline:
 * @self: options
 * @is_inline: whether tasks run in the thread that hands them over, before that returns
 *
 * For debugging: no worker is started, and whatever a debugger shows is there to see.  The pool makes
 * believe that it has one worker: tasks run one at a time, but for those that a task hands over itself;
 * they have a worker's number and data, and a soft limit.  The initializer is called by
 * mproc_pool_new_full(), the finalizer by mproc_pool_close() or mproc_pool_terminate(), both also
 * between two tasks after so many as mproc_pool_options_set_max_tasks_per_worker() says.  What cannot be
 * sent to another process fails here as well.  A map's chunks are run one after the other, those of bytes
 * and arrays too.
 *
 * What only another process or thread can do for a task is not done here, and is no error, so that a program
 * can be debugged as it is: a hard limit (nobody could end the task), attempts, priorities, the workers'
 * processors, the bounds of pending tasks and of idle time, and the start method.  What only a process of
 * its own can have is refused as it is for workers that are threads: a niceness, a directory, variables, a
 * memory limit, and output that is captured.
 */
MPROC_API void mproc_pool_options_set_inline (MprocPoolOptions *self, gboolean is_inline);

/**
 * mproc_pool_options_set_max_pending:
 * @self: options
 * @n: how many tasks may be handed over and not be done; 0: any number
 *
 * Whoever hands over one more waits until there is room, or until the pool is closed, terminated or
 * broken: then that task fails with %MPROC_ERROR_STATE.  A callback that runs in the pool's own thread,
 * which is what makes room, does not wait.
 *
 * It bounds what accumulates because tasks are handed over faster than they are done: by
 * mproc_pool_apply_async(), mproc_pool_push() and iterators.  A map is handed over at once, and its items
 * were all there before: it counts as one task, however many they are.  A map whose chunks are tasks of
 * their own, because they have attempts, a priority or captured output, or the pool tells of its progress
 * or writes a timeline, counts as many as it has chunks, and its caller waits for room for each.
 */
MPROC_API void mproc_pool_options_set_max_pending (MprocPoolOptions *self, guint n);

/**
 * mproc_pool_options_set_memory_limit:
 * @self: options
 * @recycle_at: bytes: a worker that uses more is replaced after its task; 0: no limit
 * @kill_at: bytes: a worker that uses more is killed within its task, which fails with
 *   %MPROC_ERROR_NO_MEMORY; 0: no limit
 *
 * What is measured is the memory that the worker has for itself: pages of its own, which no file
 * backs.  Neither the family's shared memory counts nor what a forked worker still has in common with
 * the process it was forked from: a page of that begins to count when it is written to.  On Linux it is
 * what lies in RAM, what is swapped out does not count; on Windows what is committed.
 *
 * A worker looks at itself after a task, at most every 10 ms; the pool at those that run a task, about
 * every 50 ms: so much more memory may be taken before it is noticed.  Where looking takes long, because
 * a forked worker has much in common with others, both look less often: a twentieth of the time at most.
 *
 * Not for workers that are threads, nor on systems that do not tell: such a pool is not made
 * (%MPROC_ERROR_NOT_SUPPORTED).
 */
MPROC_API void mproc_pool_options_set_memory_limit (MprocPoolOptions *self,
                                                    guint64 recycle_at,
                                                    guint64 kill_at);

/**
 * mproc_pool_options_set_cpus:
 * @self: options
 * @cpus: (nullable) (array length=n): numbers of processors, as the system counts them
 * @n: how many; 0: workers run wherever this process may
 *
 * The worker at place i, counted from 0, runs on the processor @cpus[i modulo @n] and nowhere else; a
 * worker's replacement takes its place.  Where that is not possible the pool is broken, and says why.
 */
MPROC_API void
mproc_pool_options_set_cpus (MprocPoolOptions *self, const guint *cpus, guint n);

/**
 * mproc_pool_options_set_niceness:
 * @self: options
 * @niceness: added to the workers' niceness, 0 to 19.  On Windows 1 to 9 is the priority class below
 *   normal, 10 and more the idle class
 *
 * Not for workers that are threads: such a pool is not made (%MPROC_ERROR_NOT_SUPPORTED).
 */
MPROC_API void mproc_pool_options_set_niceness (MprocPoolOptions *self, gint niceness);

/**
 * mproc_pool_options_set_directory:
 * @self: options
 * @directory: (nullable) (type filename): where workers are before their initializer is called;
 *   relative to where this process is when the pool is made
 *
 * Workers that cannot enter it break the pool.  Not for workers that are threads: such a pool is not
 * made (%MPROC_ERROR_NOT_SUPPORTED).
 */
MPROC_API void mproc_pool_options_set_directory (MprocPoolOptions *self,
                                                 const char *directory);

/**
 * mproc_pool_options_set_environment:
 * @self: options
 * @name: of a variable
 * @value: (nullable): what it is in workers; %NULL: it is not there
 *
 * One variable more; of the same one the last call holds.  It is set before the initializer is called.
 * Not for workers that are threads: such a pool is not made (%MPROC_ERROR_NOT_SUPPORTED).
 */
MPROC_API void mproc_pool_options_set_environment (MprocPoolOptions *self,
                                                   const char *name,
                                                   const char *value);

/**
 * mproc_pool_options_set_idle_timeout:
 * @self: options
 * @timeout_us: a worker that has had nothing to do for so long ends, in microseconds;
 *   %MPROC_FOREVER: never
 *
 * Workers are started again when there are tasks, as many as there are tasks that none is free for, and
 * not more than the pool keeps.  So a pool that has nothing to do costs nothing.
 */
MPROC_API void mproc_pool_options_set_idle_timeout (MprocPoolOptions *self,
                                                    gint64 timeout_us);

/**
 * mproc_pool_options_set_jobserver:
 * @self: options
 * @use: whether workers ask GNU make for a job slot before each task
 *
 * Where this process runs in one of make's jobs (as its variable MAKEFLAGS says when the pool is made),
 * no more tasks run at a time than make has slots free; one always does, in the slot that the job has
 * anyway, and which each pool of this process counts for itself.  So a pool may have as many workers as
 * there are processors.  What a worker holds that is killed is given back for it.  The time a task waits for
 * its slot does not count for its limits.
 *
 * Elsewhere it changes nothing; nor where make has closed its pipe for a job whose line has no `+`.
 * Make's pipe without a name, which versions before 4.4 have, is understood on Linux only.
 */
MPROC_API void mproc_pool_options_set_jobserver (MprocPoolOptions *self, gboolean use);

/**
 * mproc_pool_options_set_task_options:
 * @self: options
 * @options: (nullable): for tasks that are handed over without any
 */
MPROC_API void mproc_pool_options_set_task_options (MprocPoolOptions *self,
                                                    const MprocTaskOptions *options);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MprocPoolOptions, mproc_pool_options_free)

G_END_DECLS

#endif
