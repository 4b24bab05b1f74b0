/* SPDX-License-Identifier: MIT */
/* The cost of a process: start of a function that does nothing, and join. */
#include "bench.h"

static GVariant *
do_nothing (GVariant *args, GError **error)
{
  (void) args;
  (void) error;
  return NULL;
}

static void
start_and_join (MprocStartMethod method, guint n)
{
  for (guint i = 0; i < n; i++)
    {
      MprocProcess *process = mproc_process_new (do_nothing, NULL);
      GError *error = NULL;
      int code = -1;

      mproc_process_set_start_method (process, method);
      if (!mproc_process_start (process, &error))
        bench_fail ("start", error);
      mproc_process_join (process, MPROC_FOREVER);
      if (!mproc_process_get_exit_code (process, &code) || code != 0)
        bench_fail ("exit code", NULL);
      mproc_process_unref (process);
    }
}

static double
time_method (MprocStartMethod method, guint n)
{
  gint64 begin;

  start_and_join (method, n / 10 + 1);
  begin = g_get_monotonic_time ();
  start_and_join (method, n);
  return bench_each (begin, n);
}

static double
by_fork (const char *what)
{
  (void) what;
  if (mproc_get_start_method () != MPROC_START_METHOD_FORK)
    return BENCH_NOT_HERE;
  return time_method (MPROC_START_METHOD_FORK, bench_repeat (500));
}

static double
by_spawn (const char *what)
{
  (void) what;
  return time_method (MPROC_START_METHOD_SPAWN, bench_repeat (100));
}

/* The server itself is started before the clock. */
static double
by_forkserver (const char *what)
{
  (void) what;
  if (mproc_get_start_method () != MPROC_START_METHOD_FORK)
    return BENCH_NOT_HERE;
  return time_method (MPROC_START_METHOD_FORKSERVER, bench_repeat (500));
}

static double
by_thread (const char *what)
{
  (void) what;
  return time_method (MPROC_START_METHOD_THREAD, bench_repeat (1000));
}

const BenchFigure bench_start_figures[] = {
  { "start.fork", "us", by_fork, NULL, NULL },
  { "start.bare-fork", "us", bench_bare_fork, NULL, "start.fork" },
  { "start.python-fork", "us", bench_python, "mp-start.py fork", "start.fork" },
  { "start.spawn", "us", by_spawn, NULL, NULL },
  { "start.posix-spawn", "us", bench_posix_spawn, NULL, "start.spawn" },
  { "start.python-spawn", "us", bench_python, "mp-start.py spawn", "start.spawn" },
  { "start.forkserver", "us", by_forkserver, NULL, NULL },
  { "start.python-forkserver", "us", bench_python, "mp-start.py forkserver",
    "start.forkserver" },
  { "start.thread", "us", by_thread, NULL, NULL },
  { NULL, NULL, NULL, NULL, NULL },
};
