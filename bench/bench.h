/* SPDX-License-Identifier: MIT */
#ifndef BENCH_H
#define BENCH_H

#include <mproc.h>

/* Why there is no value. */
enum
{
  BENCH_NOT_HERE = -1, /* this system cannot do it */
  BENCH_ONE_PROCESSOR = -2,
  BENCH_NO_PYTHON = -3,
  BENCH_NO_BOOST = -4,
  BENCH_NO_OPENMPI = -5,
  BENCH_NO_MPI4PY = -6
};

/* One measurement of @what, in the figure's unit, or one of the above. */
typedef double (*BenchMeasure) (const char *what);

typedef struct
{
  const char *name;
  const char *unit; /* a rate has a slash in it, all else is a time */
  BenchMeasure measure;
  const char *what;
  const char *peer_of; /* the figure that this one is compared with; NULL: one of ours */
} BenchFigure;

extern const BenchFigure bench_start_figures[];
extern const BenchFigure bench_lock_figures[];
extern const BenchFigure bench_queue_figures[];
extern const BenchFigure bench_latency_figures[];
extern const BenchFigure bench_value_figures[];
extern const BenchFigure bench_large_figures[];
extern const BenchFigure bench_pool_figures[];

/* How many times as fast as a peer a figure has to be. */
typedef struct
{
  const char *own;
  const char *peer;
  double apart; /* on two processors; 0: no bound */
  double one;   /* all on one */
} BenchBound;

extern const BenchBound bench_bounds[]; /* ends with NULL */

/* ------------------------------------------------------------------ the run */

extern gboolean bench_is_pinned;
extern double bench_scale;

/* Measures all @figures turn by turn, A B A B, and prints them; the peers too if @with_peers.
 * With @check it prints the bounds, and returns how many are missed. */
guint bench_run_figures (const BenchFigure *figures,
                         guint n_rounds,
                         gboolean with_peers,
                         gboolean check);

gboolean bench_is_on_one_processor (void);

/* @normal repetitions, or the share of them that --scale asks for. */
guint bench_repeat (guint normal);

/* Microseconds per repetition since @begin, a g_get_monotonic_time(). */
double bench_each (gint64 begin, guint n);

/* Nanoseconds for one step that is much shorter than a turn of the scheduler: @repeat does @n
 * steps, often, and the median of these times is in nobody's way. */
double bench_time_steps (void (*repeat) (gpointer data, guint n), gpointer data);

/* The median. */
double bench_median (const double *values, guint n);

/* Ends the program; the way out of whatever must not fail. */
void bench_fail (const char *what, GError *error) G_GNUC_NORETURN;

/* ------------------------------------------------------------------ processes that begin together */

typedef struct
{
  MprocFunc func;
  guint side;
  guint n;
  gsize size; /* as the function understands it */
} BenchWorker;

/* Without a bound; ends the program if there can be none. */
MprocQueue *bench_new_queue (void);

/* Starts the workers, lets them all begin once all are there, and joins them.  Each is handed
 * @a and @b, which are shareable objects or NULL.
 * Returns: the microseconds from the first one's begin to the last one's end; @sum: what they
 *   said, together */
double bench_run_workers (const BenchWorker *workers,
                          guint n_workers,
                          gpointer a,
                          gpointer b,
                          guint64 *sum);

/* In the worker. */
typedef struct
{
  MprocQueue *done;
  gpointer a;
  gpointer b;
  guint index; /* among the workers */
  guint n;
  gsize size;
  gint64 begin;
} BenchJob;

/* Pins the worker, and waits for the begin. */
gboolean bench_job_begin (BenchJob *self, GVariant *args, GError **error);

/* Returns: NULL, for the worker to return */
GVariant *bench_job_end (BenchJob *self, guint64 sum);

/* ------------------------------------------------------------------ peers that are programs */

/* The value that the program prints which @what names, with its arguments: a script in
 * peers/, and programs built there. */
double bench_python (const char *what);
double bench_boost (const char *what);
double bench_openmpi (const char *what);

/* ------------------------------------------------------------------ work for pools */

/* Computes with each of the numbers; and with none, @n steps. */
void bench_grow (double *numbers, gsize n);
guint64 bench_compute (guint n);

double bench_pool_array (const char *what);
double bench_bare_array (const char *what);
double bench_pool_pair (const char *what);
double bench_bare_pair (const char *what);
double bench_pool_idle (const char *what);
double bench_pool_replace (const char *what);
double bench_bare_large_fork (const char *what);

/* ------------------------------------------------------------------ of the system: posix/, win32/ */

/* --pin: looks for two processors and keeps the whole program on them. */
gboolean bench_pin_all (void);

/* With --pin, keeps the calling thread on the first (0) or second (1) of them, or on both (-1);
 * else does nothing. */
void bench_pin (int side);

/* A process by fork and waitpid, and by posix_spawn of this program with --bench-child. */
double bench_bare_fork (const char *what);
double bench_posix_spawn (const char *what);

/* Locks in shared memory: "futex", "robust", "mutex".  Nanoseconds for acquire and release of a
 * free one; millions of sections a second where two processes fight. */
double bench_bare_lock (const char *what);
double bench_bare_fight (const char *what);

/* A ring in shared memory with a lock on each side; @what: the pairs of a producer and a consumer; millions of
 * messages of 64 bytes a second. */
double bench_bare_ring (const char *what);

/* Half a round trip in microseconds: "hop", one cache line without any content; "pipe". */
double bench_bare_trip (const char *what);

/* Two bare forked processes, and their ends: each does bench_grow() with half of the numbers, or, where
 * @numbers is NULL, bench_compute() with @n.  FALSE: there is no fork. */
gboolean bench_fork_pair (double *numbers, gsize n);

/* How a pool starts its workers, whatever threads there are. */
MprocStartMethod bench_pool_method (void);

/* KiB that a process has for itself. */
double bench_private_memory (gint64 pid);

#endif
