/* SPDX-License-Identifier: MIT */
#ifndef MPROC_INSIGHT_H
#define MPROC_INSIGHT_H

#include <mproc/pool.h>

G_BEGIN_DECLS

/*
 * The environment variable MPROC_TRACE names a file to which every pool writes what its workers do: trace
 * events as Chrome and Perfetto read them, and as mproc-timeline draws them.  It is appended to.  What
 * comes is written twice a second, at a pool's end, and when there is much of it.  Maps over bytes and over
 * arrays, whose parts the pool hears nothing of, are not in there.  A file that cannot be opened or written
 * to is told of on standard error, once for each pool, and the pool goes on without.
 */

/**
 * MprocWorkerState:
 * @MPROC_WORKER_STARTING: it is being started, or runs its initializer
 * @MPROC_WORKER_IDLE: it waits for a task
 * @MPROC_WORKER_BUSY: it runs one
 * @MPROC_WORKER_LEAVING: it takes no more tasks and ends
 *
 * What a worker does.
 */
typedef enum
{
  MPROC_WORKER_STARTING,
  MPROC_WORKER_IDLE,
  MPROC_WORKER_BUSY,
  MPROC_WORKER_LEAVING
} MprocWorkerState;

/**
 * MprocWorkerStats:
 * @number: which worker of its pool it is, 1 the first one started
 * @pid: its process; 0: it is not there yet
 * @state: what it does
 * @age: how long ago its start was begun, in microseconds, as all that follows
 * @startup: how long it took until it could take tasks; what it has taken so far while it is not ready
 * @busy: how long it has run tasks, the one it runs now included
 * @idle: how long it has had none to run since it was ready
 * @n_tasks: how many it has run; a chunk of a map is one
 * @longest: how long the longest one took, the one it runs now included
 * @running: how long the one it runs now has been running; 0: it runs none
 *
 * What is to be said of one worker.
 */
typedef struct
{
  guint number;
  gint64 pid;
  MprocWorkerState state;
  gint64 age;
  gint64 startup;
  gint64 busy;
  gint64 idle;
  guint64 n_tasks;
  gint64 longest;
  gint64 running;
} MprocWorkerStats;

/**
 * MprocPoolStats:
 * @n_waiting: tasks that have been handed over and not begun
 * @n_running: tasks that run now
 * @n_done: tasks that have given a value
 * @n_failed: tasks that have given an error, those that were cancelled and those that were lost with their
 *   worker included
 * @n_lost: workers that have ended otherwise than in good order
 * @n_workers: how many workers there are now
 * @workers: (array length=n_workers): what each of them does, by their numbers
 *
 * What a pool and its workers do, at about the same instant.  Of a map each item counts as a task, but for
 * @n_running, of which it is the chunk.
 */
typedef struct
{
  guint64 n_waiting;
  guint64 n_running;
  guint64 n_done;
  guint64 n_failed;
  guint64 n_lost;
  guint n_workers;
  MprocWorkerStats *workers;
} MprocPoolStats;

/**
 * mproc_pool_get_stats:
 * @self: a pool
 *
 * Reads what the workers write down as they go: nobody is asked, and nobody stops.
 *
 * Returns: (transfer full): what it does
 */
MPROC_API MprocPoolStats *mproc_pool_get_stats (MprocPool *self);

/**
 * mproc_pool_stats_free:
 * @self: (nullable): what mproc_pool_get_stats() gave
 */
MPROC_API void mproc_pool_stats_free (MprocPoolStats *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MprocPoolStats, mproc_pool_stats_free)

/**
 * MprocProgressFunc:
 * @done: how many tasks have an outcome
 * @failed: how many of them failed
 * @total: how many have been handed over
 * @data: the data given with the function
 *
 * Hears how far a pool has come.
 */
typedef void (*MprocProgressFunc) (guint64 done,
                                   guint64 failed,
                                   guint64 total,
                                   gpointer data);

/**
 * mproc_pool_set_progress_callback:
 * @self: a pool
 * @func: (nullable): called when tasks have got their outcomes; %NULL: nobody is, any more
 * @data: for @func
 * @destroy: (nullable): for @data, when another function takes its place or the pool goes
 * @context: (nullable): where it is called; %NULL: in the pool's thread, which gives no result out
 *   meanwhile
 *
 * It is called ten times a second at most, a tenth of a second after it has returned, and once more, within
 * a tenth of a second, after the last task.
 * What is counted begins with this call: tasks that have their outcome already are left out.  Of a map each
 * item is counted; of maps over bytes and over arrays all of them when the last one is done.
 */
MPROC_API void mproc_pool_set_progress_callback (MprocPool *self,
                                                 MprocProgressFunc func,
                                                 gpointer data,
                                                 GDestroyNotify destroy,
                                                 GMainContext *context);

/**
 * MprocProgressBar:
 *
 * A line that shows how far something has come, how fast it goes, and how long it will take:
 *
 *     hashing ███████████████▌            54%  1350/2500  1 failed  412/s  0:03 left
 *
 * On a terminal it is one line, drawn again and again; elsewhere a line is written every few seconds,
 * so that a log stays readable.  Any thread may use it.
 *
 * |[<!-- language="C" -->
 * mproc_pool_set_progress_callback (pool, mproc_progress_bar_show,
 *                                   mproc_progress_bar_new ("hashing", 2),
 *                                   (GDestroyNotify) mproc_progress_bar_free, NULL);
 * ]|
 */
typedef struct MprocProgressBar MprocProgressBar;

/**
 * mproc_progress_bar_new:
 * @label: (nullable): what stands before it, in UTF-8
 * @fd: the C library's number of where it is drawn: 2 is standard error
 *
 * Returns: (transfer full): a bar; nothing is drawn yet
 */
MPROC_API MprocProgressBar *mproc_progress_bar_new (const char *label, int fd);

/**
 * mproc_progress_bar_free:
 * @self: (nullable): a bar
 *
 * Ends its line, which stays to be seen.
 */
MPROC_API void mproc_progress_bar_free (MprocProgressBar *self);

/**
 * mproc_progress_bar_show:
 * @done: how much is done
 * @failed: how much of that failed
 * @total: how much there is to do; 0: nobody knows
 * @bar: an #MprocProgressBar
 *
 * Draws it.  It is an #MprocProgressFunc, to be given to a pool with the bar as its data.
 */
MPROC_API void
mproc_progress_bar_show (guint64 done, guint64 failed, guint64 total, gpointer bar);

/**
 * mproc_progress_bar_clear:
 * @self: a bar
 *
 * Takes the line off the terminal, for others to write there; the next mproc_progress_bar_show() draws it
 * again.
 */
MPROC_API void mproc_progress_bar_clear (MprocProgressBar *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MprocProgressBar, mproc_progress_bar_free)

G_END_DECLS

#endif
