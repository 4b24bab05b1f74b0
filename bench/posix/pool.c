/* SPDX-License-Identifier: MIT */
#include "bench.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t
fork_one (double *numbers, gsize n)
{
  pid_t pid = fork ();

  if (pid != 0)
    return pid;
  if (numbers != NULL)
    bench_grow (numbers, n);
  else
    _exit (bench_compute ((guint) n) == 0);
  _exit (0);
}

/* Half of the numbers for each, or all the steps. */
gboolean
bench_fork_pair (double *numbers, gsize n)
{
  gsize half = numbers != NULL ? n / 2 : 0;
  pid_t pids[2];
  int status;

  pids[0] = fork_one (numbers, numbers != NULL ? half : n);
  pids[1] = fork_one (numbers != NULL ? numbers + half : NULL, n - half);
  for (int i = 0; i < 2; i++)
    if (pids[i] < 0 || waitpid (pids[i], &status, 0) != pids[i] || status != 0)
      bench_fail ("a bare child", NULL);
  return TRUE;
}

double
bench_private_memory (gint64 pid)
{
  char *name = g_strdup_printf ("/proc/%" G_GINT64_FORMAT "/smaps_rollup", pid);
  FILE *file = fopen (name, "r");
  double sum = 0;
  char line[200];
  long size;

  g_free (name);
  if (file == NULL)
    return BENCH_NOT_HERE;
  while (fgets (line, sizeof line, file) != NULL)
    if (sscanf (line, "Private_Clean: %ld", &size) == 1 ||
        sscanf (line, "Private_Dirty: %ld", &size) == 1)
      sum += (double) size;
  fclose (file);
  return sum;
}

MprocStartMethod
bench_pool_method (void)
{
  return MPROC_START_METHOD_FORK;
}
