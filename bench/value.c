/* SPDX-License-Identifier: MIT */
/* Two processes add to one shared number. */
#include "bench.h"

#include <string.h>

static GVariant *
add_locked (GVariant *args, GError **error)
{
  BenchJob job;

  if (!bench_job_begin (&job, args, error))
    return NULL;
  for (guint i = 0; i < job.n; i++)
    {
      if (!mproc_value_acquire (job.a, MPROC_FOREVER))
        return NULL;
      ++*(volatile gint64 *) mproc_value_get_data (job.a);
      mproc_value_release (job.a, NULL);
    }
  return bench_job_end (&job, 0);
}

static GVariant *
add_at_once (GVariant *args, GError **error)
{
  BenchJob job;

  if (!bench_job_begin (&job, args, error))
    return NULL;
  for (guint i = 0; i < job.n; i++)
    mproc_value_add (job.a, 1);
  return bench_job_end (&job, 0);
}

/* Millions a second. */
static double
count (const char *what)
{
  MprocFunc func = strcmp (what, "locked") == 0 ? add_locked : add_at_once;
  guint n = bench_repeat (2000000);
  BenchWorker workers[] = { { func, 0, n, 0 }, { func, 1, n, 0 } };
  GError *error = NULL;
  MprocValue *value = mproc_value_new ("x", NULL, MPROC_OWN_LOCK, &error);
  double elapsed;

  if (value == NULL)
    bench_fail ("value", error);
  elapsed = bench_run_workers (workers, 2, value, NULL, NULL);
  if (*(const gint64 *) mproc_value_get_data (value) != 2 * (gint64) n)
    bench_fail ("the sum is wrong", NULL);
  mproc_value_unref (value);
  return 2 * n / elapsed;
}

const BenchFigure bench_value_figures[] = {
  { "value.locked", "M/s", count, "locked", NULL },
  { "value.python", "M/s", bench_python, "mp-value.py value", "value.locked" },
  { "value.add", "M/s", count, "add", NULL },
  { "value.python-add", "M/s", bench_python, "mp-value.py value", "value.add" },
  { NULL, NULL, NULL, NULL, NULL },
};
