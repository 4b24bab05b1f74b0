/* SPDX-License-Identifier: MIT */
#include "bench.h"

#include <sched.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* ------------------------------------------------------------------ processors */

#ifdef CPU_SETSIZE

static int processors[2] = { -1, -1 };

gboolean
bench_pin_all (void)
{
  cpu_set_t allowed;
  int n = 0;

  if (sched_getaffinity (0, sizeof allowed, &allowed) != 0)
    return FALSE;
  for (int i = 0; i < CPU_SETSIZE && n < 2; i++)
    if (CPU_ISSET (i, &allowed))
      processors[n++] = i;
  if (n == 2)
    bench_pin (-1);
  return n == 2;
}

void
bench_pin (int side)
{
  cpu_set_t wanted;

  if (processors[1] < 0)
    return;
  CPU_ZERO (&wanted);
  for (int i = 0; i < 2; i++)
    if (side < 0 || side == i)
      CPU_SET (processors[i], &wanted);
  sched_setaffinity (0, sizeof wanted, &wanted);
}

#else

gboolean
bench_pin_all (void)
{
  return FALSE;
}

void
bench_pin (int side)
{
  (void) side;
}

#endif

/* ------------------------------------------------------------------ processes */

static void
expect_success (pid_t pid)
{
  int status;

  if (pid < 0 || waitpid (pid, &status, 0) != pid || status != 0)
    bench_fail ("a bare child", NULL);
}

static pid_t
fork_child (void)
{
  pid_t pid = fork ();

  if (pid == 0)
    _exit (0);
  return pid;
}

static pid_t
spawn_child (void)
{
  char *argv[] = { (char *) "mproc-bench", (char *) "--bench-child", NULL };
  pid_t pid;

  return posix_spawn (&pid, "/proc/self/exe", NULL, NULL, argv, environ) == 0 ? pid : -1;
}

static double
time_children (pid_t (*start) (void), guint n)
{
  gint64 begin;

  for (guint i = 0; i < n / 10 + 1; i++)
    expect_success (start ());
  begin = g_get_monotonic_time ();
  for (guint i = 0; i < n; i++)
    expect_success (start ());
  return bench_each (begin, n);
}

double
bench_bare_fork (const char *what)
{
  /* A large program's takes a hundred times as long. */
  return time_children (fork_child, bench_repeat (what == NULL ? 500 : 20));
}

double
bench_posix_spawn (const char *what)
{
  (void) what;
  if (access ("/proc/self/exe", X_OK) != 0)
    return BENCH_NOT_HERE;
  return time_children (spawn_child, bench_repeat (100));
}
