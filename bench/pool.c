/* SPDX-License-Identifier: MIT */
/* Tasks that do next to nothing, for two workers. */
#include "bench.h"

#define WORKERS 2

static GVariant *
square (GVariant *args, GError **error)
{
  gint64 n = g_variant_get_int64 (args);

  (void) error;
  return g_variant_new_int64 (n * n);
}

static MprocPool *
new_pool (void)
{
  GError *error = NULL;
  MprocPool *pool = mproc_pool_new (WORKERS, &error);

  if (pool == NULL)
    bench_fail ("pool", error);
  return pool;
}

static void
map (MprocPool *pool, guint n)
{
  gint64 *numbers = g_new (gint64, n);
  GError *error = NULL;
  GVariant *items;
  GVariant *results;
  GVariant *last;

  for (guint i = 0; i < n; i++)
    numbers[i] = i;
  items = g_variant_new_fixed_array (G_VARIANT_TYPE_INT64, numbers, n, sizeof *numbers);
  g_free (numbers);
  results = mproc_pool_map (pool, square, items, 1, &error);
  if (results == NULL)
    bench_fail ("map", error);
  g_variant_get_child (results, n - 1, "v", &last);
  if (g_variant_get_int64 (last) != (gint64) (n - 1) * (n - 1))
    bench_fail ("map gave something else", NULL);
  g_variant_unref (last);
  g_variant_unref (results);
}

static void
apply (MprocPool *pool, guint n)
{
  for (guint i = 0; i < n; i++)
    {
      GError *error = NULL;
      GVariant *result = mproc_pool_apply (pool, square, g_variant_new_int64 (i), &error);

      if (result == NULL)
        bench_fail ("apply", error);
      g_variant_unref (result);
    }
}

/* Microseconds a task. */
static double
time_tasks (void (*tasks) (MprocPool *, guint), guint n)
{
  MprocPool *pool = new_pool ();
  gint64 begin;
  double each;

  tasks (pool, n / 100 + 1);
  begin = g_get_monotonic_time ();
  tasks (pool, n);
  each = bench_each (begin, n);
  mproc_pool_unref (pool);
  return each;
}

static double
map_rate (const char *what)
{
  (void) what;
  return 1 / time_tasks (map, bench_repeat (100000));
}

static double
apply_time (const char *what)
{
  (void) what;
  return time_tasks (apply, bench_repeat (10000));
}

const BenchFigure bench_pool_figures[] = {
  { "pool.map", "Mtask/s", map_rate, NULL, NULL },
  { "pool.python-map", "Mtask/s", bench_python, "mp-pool.py map", "pool.map" },
  { "pool.apply", "us", apply_time, NULL, NULL },
  { "pool.python-apply", "us", bench_python, "mp-pool.py apply", "pool.apply" },
  { NULL, NULL, NULL, NULL, NULL },
};
