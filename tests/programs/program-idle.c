/* SPDX-License-Identifier: MIT */
/* A program that does nothing but have a pool: says how many bytes each of its idle workers has for itself.
 * What its tasks write to would come on top, and in a larger program what a worker writes to of the heap that
 * the pool's nursery has inherited. */
#include "footprint.h"

#include <mproc.h>

#include <stdio.h>

#define N_WORKERS 100

static gboolean
are_idle (const MprocPoolStats *stats)
{
  guint n = 0;

  for (guint i = 0; i < stats->n_workers; i++)
    n += stats->workers[i].state == MPROC_WORKER_IDLE;
  return n == N_WORKERS;
}

static void
measure (MprocPool *pool)
{
  MprocPoolStats *stats = mproc_pool_get_stats (pool);
  guint64 sum = 0;

  while (!are_idle (stats))
    {
      mproc_pool_stats_free (stats);
      g_usleep (1000);
      stats = mproc_pool_get_stats (pool);
    }
  for (guint i = 0; i < N_WORKERS; i++)
    sum += mproc_test_private_memory (stats->workers[i].pid);
  mproc_pool_stats_free (stats);
  printf ("%u\n", (guint) (sum / N_WORKERS));
}

int
main (int argc, char **argv)
{
  MprocPoolOptions *options;
  MprocPool *pool;

  mproc_init (&argc, &argv);
  options = mproc_pool_options_new ();
  mproc_pool_options_set_start_method (options, MPROC_START_METHOD_FORK);
  pool = mproc_pool_new_full (N_WORKERS, options, NULL);
  mproc_pool_options_free (options);
  if (pool != NULL)
    measure (pool);
  mproc_pool_unref (pool);
  return 0;
}
