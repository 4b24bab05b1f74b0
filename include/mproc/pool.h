/* SPDX-License-Identifier: MIT */
#ifndef MPROC_POOL_H
#define MPROC_POOL_H

#include <mproc/pooloptions.h>
#include <mproc/process.h>
#include <mproc/report.h>
#include <mproc/result.h>
#include <mproc/task.h>

G_BEGIN_DECLS

/**
 * MprocPool:
 *
 * Worker processes that run plain C functions and give their results back.
 *
 * A worker that dies takes its one running task with it, which fails with
 * %MPROC_ERROR_WORKER_DIED (or is begun again, see mproc_task_options_set_attempts()); it is replaced,
 * and every other task goes on.  A worker that has died within a tenth of a second, and before any
 * worker took a task, is replaced after a pause, which grows from 10 ms to one second as long as that
 * goes on.
 *
 * With the start method fork the workers, and their replacements hours later, see the program as it
 * was when the pool was made: they are forked from a small process of the pool's own, which was
 * forked then.  Descriptors that were open then stay open in it.
 *
 * A pool belongs to the process that made it; any thread of that process may use it.  In a process that
 * was forked since, whatever would hand it a task fails with %MPROC_ERROR_STATE; the other functions are
 * not for it, but for mproc_pool_unref().
 *
 * Arguments and values carry whatever has a handle, but for connections, which stay in their process: such a
 * task fails with %MPROC_ERROR_NOT_SUPPORTED.
 *
 * A task may hand tasks to its own pool where it can reach it, under %MPROC_START_METHOD_THREAD or in an
 * inline pool.  One of a thread that waits for them keeps its worker busy meanwhile: with as many waiting
 * tasks as workers all of them would wait for ever.
 */
typedef struct MprocPool MprocPool;

/**
 * mproc_pool_new:
 * @n_workers: how many, at most 4096; 0: mproc_cpu_count()
 * @error: return location for an error
 *
 * Starts a pool of worker processes by the default start method.
 *
 * %MPROC_ERROR_INVALID: too many workers.  %MPROC_ERROR_NO_MEMORY: no shared memory for it.
 * %MPROC_ERROR_STATE: the start method cannot be had here, or the pool's own process could not start the
 * workers; the message says why.  Else what mproc_process_start() fails with.
 *
 * Returns: (transfer full): a pool, or %NULL; then no worker is left
 */
MPROC_API MprocPool *mproc_pool_new (guint n_workers, GError **error);

/**
 * mproc_pool_new_full:
 * @n_workers: how many, at most 4096; 0: mproc_cpu_count()
 * @options: (nullable): how it is to be; copied
 * @error: return location for an error
 *
 * As mproc_pool_new(), in the way that @options say; %MPROC_ERROR_NOT_SUPPORTED: what they ask for cannot
 * be had on this system or by this start method, %MPROC_ERROR_INVALID: a number in them is too large.
 *
 * Returns: (transfer full): a pool, or %NULL; then no worker is left
 */
MPROC_API MprocPool *
mproc_pool_new_full (guint n_workers, const MprocPoolOptions *options, GError **error);

/**
 * mproc_pool_ref:
 * @self: a pool
 *
 * Returns: (transfer full): @self
 */
MPROC_API MprocPool *mproc_pool_ref (MprocPool *self);

/**
 * mproc_pool_unref:
 * @self: (nullable): a pool
 *
 * The last reference terminates the pool, as leaving Python's `with` does, and waits for its
 * workers' end; in a callback in the pool's own thread, or in a task of one of its threads, it ends in the
 * background.
 */
MPROC_API void mproc_pool_unref (MprocPool *self);

/**
 * mproc_pool_get_n_workers:
 * @self: a pool
 *
 * Returns: how many workers it keeps, as it was made or resized
 */
MPROC_API guint mproc_pool_get_n_workers (MprocPool *self);

/**
 * mproc_pool_get_n_live_workers:
 * @self: a pool
 *
 * Returns: how many there are at this moment: fewer where some have died or have been idle too long
 *   (mproc_pool_options_set_idle_timeout()), more where some have not left yet
 */
MPROC_API guint mproc_pool_get_n_live_workers (MprocPool *self);

/**
 * mproc_pool_resize:
 * @self: a pool
 * @n_workers: how many it shall keep, at most 4096; 0: mproc_cpu_count()
 * @error: return location for an error
 *
 * Returns at once; workers come and go a moment later.  Those that have nothing to do leave first, the
 * others when they have finished their task; none is killed.
 *
 * Returns: %FALSE with %MPROC_ERROR_STATE if the pool is not running (any more), or with
 *   %MPROC_ERROR_INVALID if it cannot have so many
 */
MPROC_API gboolean mproc_pool_resize (MprocPool *self, guint n_workers, GError **error);

/**
 * mproc_pool_apply:
 * @self: a pool
 * @func: a function
 * @args: (nullable): its argument, of any type; a floating reference is sunk
 * @error: return location for an error
 *
 * Runs @func (@args) in a worker and waits for what it gives.
 *
 * Besides the function's own errors: %MPROC_ERROR_WORKER_DIED, %MPROC_ERROR_TIMED_OUT and
 * %MPROC_ERROR_NO_MEMORY if its worker died or was killed, %MPROC_ERROR_CANCELLED if the pool was
 * terminated; if the task could not be handed over, %MPROC_ERROR_STATE (the pool is not running),
 * %MPROC_ERROR_FUNCTION (@func is none), %MPROC_ERROR_NOT_SUPPORTED (a connection in @args) or
 * %MPROC_ERROR_NO_MEMORY.
 *
 * Returns: (transfer full): its value (mproc_is_nothing() if it gave none), or %NULL with the
 *   error it failed with: same domain, code and message
 */
MPROC_API GVariant *
mproc_pool_apply (MprocPool *self, MprocFunc func, GVariant *args, GError **error);

/**
 * mproc_pool_apply_async:
 * @self: a pool
 * @func: a function
 * @args: (nullable): its argument, of any type; a floating reference is sunk
 * @options: (nullable): how it is to be run; %NULL: as the pool's options say
 *
 * Hands the task to the pool and returns at once (with mproc_pool_options_set_max_pending(), when
 * there is room).  Whatever goes wrong, also here, is told by the result.
 *
 * Returns: (transfer full): the result to come, never %NULL
 */
MPROC_API MprocResult *mproc_pool_apply_async (MprocPool *self,
                                               MprocFunc func,
                                               GVariant *args,
                                               const MprocTaskOptions *options);

/**
 * mproc_pool_push:
 * @self: a pool
 * @func: a function
 * @args: (nullable): its argument, of any type; a floating reference is sunk
 * @error: return location for an error
 *
 * Hands over a task whose result nobody wants, as g_thread_pool_push() does.  If it fails, the
 * worker prints its error on standard error.
 *
 * Returns: %FALSE with @error set, as for mproc_pool_apply(), if the task could not be handed over
 */
MPROC_API gboolean mproc_pool_push (MprocPool *self,
                                    MprocFunc func,
                                    GVariant *args,
                                    GError **error);

/**
 * mproc_pool_map:
 * @self: a pool
 * @func: a function
 * @items: a container (an array, a tuple); a floating reference is sunk.  @func gets each child, and what is
 *   inside of it where it is a variant
 * @chunk: how many items a worker takes at a time; 0: a sixty-fourth of an even share, of which it gives
 *   some away when they take long and others have nothing to do, or, of a map whose chunks are tasks of
 *   their own (mproc_pool_options_set_max_pending()), a quarter of it, rounded up, as in Python; above
 *   %G_MAXINT: %MPROC_ERROR_INVALID
 * @error: return location for an error
 *
 * Runs @func once for each item and waits for all of them.  An item that fails loses the rest of its
 * chunk; the others are waited for all the same, and the error seen first is returned.
 *
 * Returns: (transfer full): an array of type `av` in the order of @items, or %NULL with error
 */
MPROC_API GVariant *mproc_pool_map (MprocPool *self,
                                    MprocFunc func,
                                    GVariant *items,
                                    guint chunk,
                                    GError **error);

/**
 * mproc_pool_map_async:
 * @self: a pool
 * @func: a function
 * @items: as for mproc_pool_map()
 * @chunk: as for mproc_pool_map()
 * @options: (nullable): how it is to be run; %NULL: as the pool's options say
 *
 * Returns: (transfer full): the result to come, of type `av`; never %NULL
 */
MPROC_API MprocResult *mproc_pool_map_async (MprocPool *self,
                                             MprocFunc func,
                                             GVariant *items,
                                             guint chunk,
                                             const MprocTaskOptions *options);

/**
 * mproc_pool_starmap:
 * @self: a pool
 * @func: a function
 * @items: a container of tuples; a floating reference is sunk
 * @chunk: as for mproc_pool_map()
 * @error: return location for an error
 *
 * As mproc_pool_map() of items that are tuples of arguments, as a function of several takes them: to
 * g_variant_get() or mproc_unpack().  An item that is anything else is %MPROC_ERROR_INVALID, and then
 * nothing is run.
 *
 * Returns: (transfer full): an array of type `av` in the order of @items, or %NULL with error
 */
MPROC_API GVariant *mproc_pool_starmap (MprocPool *self,
                                        MprocFunc func,
                                        GVariant *items,
                                        guint chunk,
                                        GError **error);

/**
 * mproc_pool_starmap_async:
 * @self: a pool
 * @func: a function
 * @items: as for mproc_pool_starmap()
 * @chunk: as for mproc_pool_map()
 * @options: (nullable): how it is to be run; %NULL: as the pool's options say
 *
 * Returns: (transfer full): the result to come, of type `av`; never %NULL
 */
MPROC_API MprocResult *mproc_pool_starmap_async (MprocPool *self,
                                                 MprocFunc func,
                                                 GVariant *items,
                                                 guint chunk,
                                                 const MprocTaskOptions *options);

/**
 * mproc_pool_close:
 * @self: a pool
 *
 * No more tasks: later ones fail with %MPROC_ERROR_STATE.  Those handed over are finished, then the
 * workers end.
 */
MPROC_API void mproc_pool_close (MprocPool *self);

/**
 * mproc_pool_terminate:
 * @self: a pool
 *
 * Ends the workers at once.  Results that are not there yet become %MPROC_ERROR_CANCELLED.
 */
MPROC_API void mproc_pool_terminate (MprocPool *self);

/**
 * mproc_pool_join:
 * @self: a pool that has been closed or terminated; one that has not is the caller's mistake, told by
 *   a critical message, and not waited for
 * @timeout_us: how long to wait, in microseconds, or %MPROC_FOREVER
 *
 * Waits until every task is done and no worker is left.  Any thread may wait, several at a time.  One that
 * the pool's end waits for cannot: for a callback in the pool's own thread, and a task that a thread of
 * this pool runs, it is %FALSE at once.
 *
 * Returns: %FALSE when time was up
 */
MPROC_API gboolean mproc_pool_join (MprocPool *self, gint64 timeout_us);

/**
 * mproc_pool_shutdown:
 * @self: a pool
 * @drain_us: how long what has been handed over may take, in microseconds, or %MPROC_FOREVER
 * @stop_us: how long after that running tasks may take to stop, in microseconds, or %MPROC_FOREVER
 *
 * Ends the pool within a time: it is closed; what is left after @drain_us is cancelled if it has not
 * been begun, and asked to stop (mproc_task_should_stop()) if it has; what still runs after @stop_us
 * is killed.  Results that are not to come are %MPROC_ERROR_CANCELLED.
 *
 * It comes back no more than half a second after both times have passed, whatever the tasks do.
 * Threads cannot be killed: under %MPROC_START_METHOD_THREAD such a task's result is given up, and the
 * function runs on; the pool's last reference then waits for it.
 *
 * Called in the pool's own thread, by a callback, or by a task in a thread of this pool, it waits for
 * nothing.
 *
 * Returns: (transfer full): what became of the tasks
 */
MPROC_API MprocPoolReport *
mproc_pool_shutdown (MprocPool *self, gint64 drain_us, gint64 stop_us);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MprocPool, mproc_pool_unref)

G_END_DECLS

#endif
