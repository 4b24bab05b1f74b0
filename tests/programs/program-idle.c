/* SPDX-License-Identifier: MIT */
/* A program that does nothing but have a pool of so many workers as its argument says: prints how many
 * bytes each of them has for itself while it is idle, first before any task and then after one.  What
 * tasks write to would come on top, and in a larger program what a worker writes to of the heap that
 * the pool's nursery has inherited. */
#include "footprint.h"

#include <mproc.h>

#include <stdio.h>

static GVariant *
meet (GVariant *args, GError **error)
{
  MprocBarrier *all;

  if (!mproc_unpack (args, error, "(&h)", &all))
    return NULL;
  mproc_barrier_wait (all, MPROC_FOREVER, error);
  return NULL;
}

/* Each of them has one. */
static void
give_each_a_task (MprocPool *pool, guint n)
{
  MprocBarrier *all = mproc_barrier_new (n, NULL, NULL, MPROC_FOREVER, NULL);
  GPtrArray *results =
      g_ptr_array_new_with_free_func ((GDestroyNotify) mproc_result_unref);

  for (guint i = 0; i < n; i++)
    g_ptr_array_add (results,
                     mproc_pool_apply_async (pool, meet, mproc_pack ("(h)", all), NULL));
  for (guint i = 0; i < n; i++)
    mproc_result_wait (g_ptr_array_index (results, i), MPROC_FOREVER);
  g_ptr_array_unref (results);
  mproc_barrier_unref (all);
}

static gboolean
are_idle (const MprocPoolStats *stats, guint n)
{
  guint n_idle = 0;

  for (guint i = 0; i < stats->n_workers; i++)
    n_idle += stats->workers[i].state == MPROC_WORKER_IDLE;
  return n_idle == n;
}

static void
measure (MprocPool *pool, guint n)
{
  MprocPoolStats *stats = mproc_pool_get_stats (pool);
  guint64 sum = 0;

  while (!are_idle (stats, n))
    {
      mproc_pool_stats_free (stats);
      g_usleep (1000);
      stats = mproc_pool_get_stats (pool);
    }
  for (guint i = 0; i < n; i++)
    sum += mproc_test_private_memory (stats->workers[i].pid);
  mproc_pool_stats_free (stats);
  printf ("%u ", (guint) (sum / n));
}

int
main (int argc, char **argv)
{
  MprocPoolOptions *options;
  MprocPool *pool;
  guint n;

  mproc_init (&argc, &argv);
  n = (guint) g_ascii_strtoull (argc > 1 ? argv[1] : "1", NULL, 10);
  options = mproc_pool_options_new ();
  mproc_pool_options_set_start_method (options, MPROC_START_METHOD_FORK);
  pool = mproc_pool_new_full (n, options, NULL);
  mproc_pool_options_free (options);
  if (pool != NULL)
    {
      measure (pool, n);
      give_each_a_task (pool, n);
      measure (pool, n);
    }
  mproc_pool_unref (pool);
  return 0;
}
