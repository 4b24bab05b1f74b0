/* SPDX-License-Identifier: MIT */
/* Tasks that do next to nothing, for two workers. */
#include "bench.h"

#include <string.h>

#define WORKERS 2

static GVariant *
square (GVariant *args, GError **error)
{
  gint64 n = g_variant_get_int64 (args);

  (void) error;
  return g_variant_new_int64 (n * n);
}

static gboolean
square_bytes (gconstpointer item,
              gsize size,
              gpointer result,
              gsize result_size,
              GError **error)
{
  gint64 n = *(const gint64 *) item;

  (void) size, (void) result_size, (void) error;
  *(gint64 *) result = n * n;
  return TRUE;
}

static MprocPool *
new_pool (MprocStartMethod method)
{
  MprocPoolOptions *options = mproc_pool_options_new ();
  GError *error = NULL;
  MprocPool *pool;

  mproc_pool_options_set_start_method (options, method);
  pool = mproc_pool_new_full (WORKERS, options, &error);
  mproc_pool_options_free (options);
  if (pool == NULL)
    bench_fail ("pool", error);
  return pool;
}

static gint64 *
new_numbers (guint n)
{
  gint64 *numbers = g_new (gint64, n);

  for (guint i = 0; i < n; i++)
    numbers[i] = i;
  return numbers;
}

/* ------------------------------------------------------------------ the ways */

static void
expect (gint64 last, guint n)
{
  if (last != (gint64) (n - 1) * (n - 1))
    bench_fail ("map gave something else", NULL);
}

static void
map (MprocPool *pool, guint n, guint chunk)
{
  gint64 *numbers = new_numbers (n);
  GError *error = NULL;
  GVariant *items;
  GVariant *results;
  GVariant *last;

  items = g_variant_new_fixed_array (G_VARIANT_TYPE_INT64, numbers, n, sizeof *numbers);
  g_free (numbers);
  results = mproc_pool_map (pool, square, items, chunk, &error);
  if (results == NULL)
    bench_fail ("map", error);
  g_variant_get_child (results, n - 1, "v", &last);
  expect (g_variant_get_int64 (last), n);
  g_variant_unref (last);
  g_variant_unref (results);
}

static void
map_bytes (MprocPool *pool, guint n, guint chunk)
{
  gint64 *numbers = new_numbers (n);
  gint64 *results = g_new (gint64, n);
  GError *error = NULL;

  if (!mproc_pool_map_bytes (pool, square_bytes, numbers, n, sizeof *numbers, results,
                             sizeof *results, chunk, &error))
    bench_fail ("map_bytes", error);
  expect (results[n - 1], n);
  g_free (numbers);
  g_free (results);
}

static void
apply (MprocPool *pool, guint n, guint chunk)
{
  (void) chunk;
  for (guint i = 0; i < n; i++)
    {
      GError *error = NULL;
      GVariant *result = mproc_pool_apply (pool, square, g_variant_new_int64 (i), &error);

      if (result == NULL)
        bench_fail ("apply", error);
      g_variant_unref (result);
    }
}

static void
apply_bytes (MprocPool *pool, guint n, guint chunk)
{
  (void) chunk;
  for (gint64 i = 0; i < n; i++)
    {
      GError *error = NULL;
      gint64 result;

      if (!mproc_pool_apply_bytes (pool, square_bytes, &i, sizeof i, &result,
                                   sizeof result, &error))
        bench_fail ("apply_bytes", error);
    }
}

/* Microseconds a task: the median of a few goes, the first of which does not count. */
static double
time_tasks (MprocStartMethod method,
            void (*tasks) (MprocPool *, guint, guint),
            guint n,
            guint chunk)
{
  MprocPool *pool = new_pool (method);
  double times[5];

  tasks (pool, n, chunk);
  for (guint i = 0; i < G_N_ELEMENTS (times); i++)
    {
      gint64 begin = g_get_monotonic_time ();

      tasks (pool, n, chunk);
      times[i] = bench_each (begin, n);
    }
  mproc_pool_unref (pool);
  return bench_median (times, G_N_ELEMENTS (times));
}

#define TASKS 100000

static double
map_rate (const char *what)
{
  guint chunk = strcmp (what, "auto") == 0 ? 0 : 1;

  return 1 / time_tasks (bench_pool_method (), map, TASKS, chunk);
}

static double
bytes_rate (const char *what)
{
  guint chunk = strcmp (what, "auto") == 0 ? 0 : 1;

  return 1 / time_tasks (strcmp (what, "threads") == 0 ? MPROC_START_METHOD_THREAD
                                                       : bench_pool_method (),
                         map_bytes, TASKS, chunk);
}

static double
apply_time (const char *what)
{
  return time_tasks (bench_pool_method (),
                     strcmp (what, "bytes") == 0 ? apply_bytes : apply,
                     bench_repeat (5000), 1);
}

/* ------------------------------------------------------------------ threads of GLib's */

typedef struct
{
  gint64 n;
  gint64 square;
} Pair;

static gint n_squared;

static void
square_pair (gpointer data, gpointer user_data)
{
  Pair *pair = data;

  (void) user_data;
  pair->square = pair->n * pair->n;
  g_atomic_int_inc (&n_squared);
}

static double
gthreadpool_rate (const char *what)
{
  GThreadPool *pool = g_thread_pool_new (square_pair, NULL, WORKERS, TRUE, NULL);
  Pair *pairs = g_new0 (Pair, TASKS);
  double times[3];

  (void) what;
  for (guint round = 0; round < G_N_ELEMENTS (times); round++)
    {
      gint64 begin = g_get_monotonic_time ();

      g_atomic_int_set (&n_squared, 0);
      for (guint i = 0; i < TASKS; i++)
        {
          pairs[i].n = i;
          g_thread_pool_push (pool, &pairs[i], NULL);
        }
      while (g_atomic_int_get (&n_squared) < TASKS)
        g_usleep (50);
      times[round] = bench_each (begin, TASKS);
    }
  expect (pairs[TASKS - 1].square, TASKS);
  g_thread_pool_free (pool, FALSE, TRUE);
  g_free (pairs);
  return 1 / bench_median (times, G_N_ELEMENTS (times));
}

const BenchFigure bench_pool_figures[] = {
  { "pool.map", "Mtask/s", map_rate, "1", NULL },
  { "pool.python-map", "Mtask/s", bench_python, "mp-pool.py map", "pool.map" },
  { "pool.executor-map", "Mtask/s", bench_python, "mp-pool.py executor", "pool.map" },
  { "pool.mpi4py-map", "Mtask/s", bench_python, "mp-pool.py mpi", "pool.map" },
  { "pool.bytes", "Mtask/s", bytes_rate, "1", NULL },
  { "pool.python-bytes", "Mtask/s", bench_python, "mp-pool.py map", "pool.bytes" },
  { "pool.threads", "Mtask/s", bytes_rate, "threads", NULL },
  { "pool.gthreadpool", "Mtask/s", gthreadpool_rate, NULL, "pool.threads" },
  { "pool.map-auto", "Mtask/s", map_rate, "auto", NULL },
  { "pool.python-map-auto", "Mtask/s", bench_python, "mp-pool.py auto", "pool.map-auto" },
  { "pool.bytes-auto", "Mtask/s", bytes_rate, "auto", NULL },
  { "pool.python-auto", "Mtask/s", bench_python, "mp-pool.py auto", "pool.bytes-auto" },
  { "pool.apply", "us", apply_time, "values", NULL },
  { "pool.python-apply", "us", bench_python, "mp-pool.py apply", "pool.apply" },
  { "pool.apply-bytes", "us", apply_time, "bytes", NULL },
  { "pool.array", "ms", bench_pool_array, NULL, NULL },
  { "pool.bare-array", "ms", bench_bare_array, NULL, "pool.array" },
  { "pool.pair", "Mstep/s", bench_pool_pair, NULL, NULL },
  { "pool.bare-pair", "Mstep/s", bench_bare_pair, NULL, "pool.pair" },
  { "pool.idle", "KiB", bench_pool_idle, NULL, NULL },
  { "pool.replace-large", "us", bench_pool_replace, "large", NULL },
  { "pool.replace", "us", bench_pool_replace, "small", "pool.replace-large" },
  { "pool.bare-large-fork", "us", bench_bare_large_fork, "large", "pool.replace-large" },
  { NULL, NULL, NULL, NULL, NULL },
};
