/* SPDX-License-Identifier: MIT */
/* Processes that begin together.  Each says that it is there, waits for the go, and says at its
 * end when it began and ended, by the clock that all processes share. */
#include "bench.h"

#define MOST_WORKERS 8

typedef struct
{
  MprocQueue *done;
  MprocQueue *go;
} Line;

typedef struct
{
  gint64 begin;
  gint64 end;
  guint64 sum;
} Report;

static MprocProcess *
start (const Line *line, const BenchWorker *worker, guint index, gpointer a, gpointer b)
{
  MprocProcess *process =
      mproc_process_new (worker->func,
                         mproc_pack ("(hhhhuuut)", line->done, line->go,
                                     a != NULL ? a : line->go, b != NULL ? b : line->go,
                                     worker->side, index, worker->n,
                                     (guint64) worker->size));
  GError *error = NULL;

  if (!mproc_process_start (process, &error))
    bench_fail ("start", error);
  return process;
}

static Report
take_report (MprocQueue *done)
{
  Report report = { 0, 0, 0 };
  GError *error = NULL;

  if (mproc_queue_get_bytes_into (done, &report, sizeof report, 60 * G_USEC_PER_SEC,
                                  &error) != sizeof report)
    bench_fail ("a worker", error);
  return report;
}

MprocQueue *
bench_new_queue (void)
{
  GError *error = NULL;
  MprocQueue *queue = mproc_queue_new (0, &error);

  if (queue == NULL)
    bench_fail ("queue", error);
  return queue;
}

double
bench_run_workers (const BenchWorker *workers,
                   guint n_workers,
                   gpointer a,
                   gpointer b,
                   guint64 *sum)
{
  Line line = { bench_new_queue (), bench_new_queue () };
  MprocProcess *processes[MOST_WORKERS];
  Report all = { G_MAXINT64, 0, 0 };

  g_assert (n_workers <= MOST_WORKERS);
  for (guint i = 0; i < n_workers; i++)
    processes[i] = start (&line, &workers[i], i, a, b);
  for (guint i = 0; i < n_workers; i++)
    take_report (line.done);
  for (guint i = 0; i < n_workers; i++)
    mproc_queue_put_bytes (line.go, NULL, 0, MPROC_FOREVER, NULL);
  for (guint i = 0; i < n_workers; i++)
    {
      Report report = take_report (line.done);

      all.begin = MIN (all.begin, report.begin);
      all.end = MAX (all.end, report.end);
      all.sum += report.sum;
    }
  for (guint i = 0; i < n_workers; i++)
    {
      mproc_process_join (processes[i], MPROC_FOREVER);
      mproc_process_unref (processes[i]);
    }
  mproc_queue_unref (line.done);
  mproc_queue_unref (line.go);
  if (sum != NULL)
    *sum = all.sum;
  return (double) MAX (all.end - all.begin, 1);
}

/* ------------------------------------------------------------------ in the worker */

static gboolean
say (MprocQueue *done, const Report *report, GError **error)
{
  return mproc_queue_put_bytes (done, report, sizeof *report, MPROC_FOREVER, error);
}

gboolean
bench_job_begin (BenchJob *self, GVariant *args, GError **error)
{
  const Report here = { 0, 0, 0 };
  MprocQueue *go;
  guint64 size;
  guint side;

  if (!mproc_unpack (args, error, "(&h&h&h&huuut)", &self->done, &go, &self->a, &self->b,
                     &side, &self->index, &self->n, &size))
    return FALSE;
  self->size = (gsize) size;
  bench_pin ((int) side);
  if (!say (self->done, &here, error) ||
      mproc_queue_get_bytes_into (go, NULL, 0, MPROC_FOREVER, error) < 0)
    return FALSE;
  self->begin = g_get_monotonic_time ();
  return TRUE;
}

GVariant *
bench_job_end (BenchJob *self, guint64 sum)
{
  const Report end = { self->begin, g_get_monotonic_time (), sum };

  say (self->done, &end, NULL);
  return NULL;
}
