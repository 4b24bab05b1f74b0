/* SPDX-License-Identifier: MIT */
/* Tasks that do something, and what their workers cost. */
#include "bench.h"

#include <string.h>

#define WORKERS 2
#define GOES 9

static MprocPool *
new_pool (guint n_workers, guint max_tasks)
{
  MprocPoolOptions *options = mproc_pool_options_new ();
  GError *error = NULL;
  MprocPool *pool;

  mproc_pool_options_set_start_method (options, bench_pool_method ());
  mproc_pool_options_set_max_tasks_per_worker (options, max_tasks);
  pool = mproc_pool_new_full (n_workers, options, &error);
  mproc_pool_options_free (options);
  if (pool == NULL)
    bench_fail ("pool", error);
  return pool;
}

/* ------------------------------------------------------------------ an array */

#define LENGTH (1 << 21)

void
bench_grow (double *numbers, gsize n)
{
  for (gsize i = 0; i < n; i++)
    for (int step = 0; step < 8; step++)
      numbers[i] = numbers[i] * 1.000001 + 0.5 / (numbers[i] + 1);
}

static gboolean
grow (gpointer items, gsize n, gsize first, GVariant *args, GError **error)
{
  (void) first, (void) args, (void) error;
  bench_grow (items, n);
  return TRUE;
}

/* Milliseconds: the median. */
static double
time_goes (void (*go) (gpointer), gpointer data)
{
  double times[GOES];

  go (data);
  for (guint i = 0; i < GOES; i++)
    {
      gint64 begin = g_get_monotonic_time ();

      go (data);
      times[i] = bench_each (begin, 1000);
    }
  return bench_median (times, GOES);
}

typedef struct
{
  MprocPool *pool;
  MprocArray *array;
} Setting;

static void
grow_in_pool (gpointer data)
{
  const Setting *setting = data;
  GError *error = NULL;

  if (!mproc_pool_map_array (setting->pool, grow, setting->array, 0, NULL, &error))
    bench_fail ("map_array", error);
}

static void
grow_in_forks (gpointer data)
{
  gsize n = 0;
  double *numbers = mproc_array_get_data (data, &n);

  bench_fork_pair (numbers, n);
}

static MprocArray *
new_array (void)
{
  GError *error = NULL;
  MprocArray *array = mproc_array_new ("d", LENGTH, NULL, NULL, &error);

  if (array == NULL)
    bench_fail ("array", error);
  return array;
}

double
bench_pool_array (const char *what)
{
  Setting setting = { new_pool (WORKERS, 0), new_array () };
  double each = time_goes (grow_in_pool, &setting);

  (void) what;
  mproc_pool_unref (setting.pool);
  mproc_array_unref (setting.array);
  return each;
}

double
bench_bare_array (const char *what)
{
  MprocArray *array = new_array ();
  double each;

  (void) what;
  each = bench_fork_pair (NULL, 0) ? time_goes (grow_in_forks, array) : BENCH_NOT_HERE;
  mproc_array_unref (array);
  return each;
}

/* ------------------------------------------------------------------ two that compute */

/* Nothing but the processor takes part. */
#define STEPS 40000000

guint64
bench_compute (guint n)
{
  guint64 x = 1;

  for (guint i = 0; i < n; i++)
    {
      x ^= x << 13;
      x ^= x >> 7;
      x ^= x << 17;
    }
  return x;
}

static GVariant *
compute (GVariant *args, GError **error)
{
  (void) error;
  return g_variant_new_uint64 (bench_compute (g_variant_get_uint32 (args)));
}

/* Millions of steps a second, of both. */
double
bench_pool_pair (const char *what)
{
  guint n = bench_repeat (STEPS);
  MprocPool *pool = new_pool (WORKERS, 0);
  MprocResult *results[WORKERS];
  gint64 begin = g_get_monotonic_time ();
  double each;

  (void) what;
  for (guint i = 0; i < WORKERS; i++)
    results[i] = mproc_pool_apply_async (pool, compute, g_variant_new_uint32 (n), NULL);
  for (guint i = 0; i < WORKERS; i++)
    {
      GError *error = NULL;
      GVariant *value = mproc_result_get (results[i], MPROC_FOREVER, &error);

      if (value == NULL)
        bench_fail ("compute", error);
      g_variant_unref (value);
      mproc_result_unref (results[i]);
    }
  each = bench_each (begin, n * WORKERS);
  mproc_pool_unref (pool);
  return 1 / each;
}

double
bench_bare_pair (const char *what)
{
  guint n = bench_repeat (STEPS);
  gint64 begin = g_get_monotonic_time ();

  (void) what;
  if (!bench_fork_pair (NULL, n))
    return BENCH_NOT_HERE;
  return 1 / bench_each (begin, n * WORKERS);
}

/* ------------------------------------------------------------------ workers */

static GVariant *
own_pid (GVariant *args, GError **error)
{
  (void) args, (void) error;
  return g_variant_new_int64 (mproc_process_get_pid (mproc_process_current ()));
}

static gint64
ask_pid (MprocPool *pool)
{
  GError *error = NULL;
  GVariant *value = mproc_pool_apply (pool, own_pid, NULL, &error);
  gint64 pid;

  if (value == NULL)
    bench_fail ("apply", error);
  pid = g_variant_get_int64 (value);
  g_variant_unref (value);
  return pid;
}

/* KiB that one of a hundred workers, which has had a task, has for itself. */
double
bench_pool_idle (const char *what)
{
  MprocPool *pool = new_pool (100, 0);
  double size = bench_private_memory (ask_pid (pool));

  (void) what;
  mproc_pool_unref (pool);
  return size;
}

#define LARGE ((gsize) 1 << 30)

static gpointer
touch_memory (gsize size)
{
  guint8 *memory = g_malloc (size);

  for (gsize i = 0; i < size; i += 4096)
    memory[i] = (guint8) (i >> 12);
  return memory;
}

static GVariant *
end_process (GVariant *args, GError **error)
{
  (void) args, (void) error;
  mproc_process_exit (1);
  return NULL;
}

static void
end_worker (MprocPool *pool)
{
  GError *error = NULL;
  GVariant *value = mproc_pool_apply (pool, end_process, NULL, &error);

  if (value != NULL)
    bench_fail ("a worker did not end", NULL);
  if (!g_error_matches (error, MPROC_ERROR, MPROC_ERROR_WORKER_DIED))
    bench_fail ("apply", error);
  g_error_free (error);
}

/* FALSE: the worker of that number is not ready yet. */
static gboolean
get_startup (MprocPool *pool, guint number, gint64 *startup)
{
  MprocPoolStats *stats = mproc_pool_get_stats (pool);
  gboolean ready = stats->n_workers == 1 && stats->workers[0].number == number &&
                   stats->workers[0].state == MPROC_WORKER_IDLE;

  if (ready)
    *startup = stats->workers[0].startup;
  mproc_pool_stats_free (stats);
  return ready;
}

/* How long the pool has nothing to do before the next worker ends. */
#define REST 60000

/* Microseconds from when the pool finds that its only worker has ended until the next one takes tasks:
 * the median. */
double
bench_pool_replace (const char *what)
{
  gpointer memory = strcmp (what, "large") == 0 ? touch_memory (LARGE) : NULL;
  MprocPool *pool = new_pool (1, 0);
  double times[31];

  ask_pid (pool);
  for (guint i = 0; i < G_N_ELEMENTS (times); i++)
    {
      gint64 startup;

      g_usleep (REST);
      end_worker (pool);
      while (!get_startup (pool, i + 2, &startup))
        g_usleep (1000);
      times[i] = (double) startup;
    }
  mproc_pool_unref (pool);
  g_free (memory);
  return bench_median (times, G_N_ELEMENTS (times));
}

double
bench_bare_large_fork (const char *what)
{
  gpointer memory = touch_memory (LARGE);
  double each = bench_bare_fork (what);

  g_free (memory);
  return each;
}
