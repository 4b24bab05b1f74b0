/* SPDX-License-Identifier: MIT */
#ifndef BENCH_H
#define BENCH_H

#include <mproc.h>

/* One measurement, in the figure's unit; negative: this system cannot do it. */
typedef double (*BenchMeasure) (void);

typedef struct
{
  const char *name;
  const char *unit;
  BenchMeasure
      measure; /* NULL: the command of the script peers/<script> prints the value */
  const char *script;
  const char *command;
  const char
      *peer_of; /* the figure that this one is compared with; NULL: a figure of ours */
} BenchFigure;

extern const BenchFigure bench_start_figures[];
extern const BenchFigure bench_queue_figures[];
extern const BenchFigure bench_pool_figures[];

/* @normal repetitions, or the share of them that --scale asks for. */
guint bench_repeat (guint normal);

/* Microseconds per repetition since @begin, a g_get_monotonic_time(). */
double bench_each (gint64 begin, guint n);

/* Ends the program; the way out of whatever must not fail. */
void bench_fail (const char *what, GError *error) G_GNUC_NORETURN;

/* ------------------------------------------------- of the system: bench/posix, bench/win32 */

/* --pin: looks for two processors and keeps the whole program on them. */
gboolean bench_pin_all (void);

/* With --pin, keeps the calling thread on the first (0) or second (1) of them, or on both (-1);
 * else does nothing. */
void bench_pin (int side);

/* The peers that need no script: a process by fork and waitpid, and by posix_spawn of this
 * program with --bench-child. */
double bench_bare_fork (void);
double bench_posix_spawn (void);

#endif
