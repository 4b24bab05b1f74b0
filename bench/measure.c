/* SPDX-License-Identifier: MIT */
#include "bench.h"

#include <stdlib.h>
#include <string.h>

#define SLICES 500
#define STEPS 10000

guint
bench_repeat (guint normal)
{
  return MAX (1, (guint) (normal * bench_scale));
}

double
bench_each (gint64 begin, guint n)
{
  return (double) (g_get_monotonic_time () - begin) / n;
}

static int
compare (gconstpointer a, gconstpointer b)
{
  double x = *(const double *) a;
  double y = *(const double *) b;

  return (x > y) - (x < y);
}

double
bench_median (const double *values, guint n)
{
  double *sorted = g_new (double, n);
  double result;

  memcpy (sorted, values, n * sizeof *sorted);
  qsort (sorted, n, sizeof *sorted, compare);
  result = (sorted[(n - 1) / 2] + sorted[n / 2]) / 2;
  g_free (sorted);
  return result;
}

double
bench_time_steps (void (*repeat) (gpointer data, guint n), gpointer data)
{
  double times[SLICES];
  guint n = bench_repeat (SLICES);

  bench_pin (0);
  for (guint i = 0; i < MIN (n, SLICES); i++)
    {
      gint64 begin = g_get_monotonic_time ();

      repeat (data, STEPS);
      times[i] = bench_each (begin, STEPS) * 1000;
    }
  bench_pin (-1);
  return bench_median (times, MIN (n, SLICES));
}
