/* SPDX-License-Identifier: MIT */
/* A message of 64 bytes through one queue, and back through another. */
#include "bench.h"

#define SIZE 64

static gboolean
send (MprocQueue *queue, gconstpointer message)
{
  return mproc_queue_put_bytes (queue, message, SIZE, MPROC_FOREVER, NULL);
}

static gboolean
receive (MprocQueue *queue, gpointer message)
{
  return mproc_queue_get_bytes_into (queue, message, SIZE, MPROC_FOREVER, NULL) == SIZE;
}

static GVariant *
ask (GVariant *args, GError **error)
{
  char message[SIZE] = { 0 };
  BenchJob job;

  if (!bench_job_begin (&job, args, error))
    return NULL;
  for (guint i = 0; i < job.n; i++)
    if (!send (job.a, message) || !receive (job.b, message))
      return NULL;
  return bench_job_end (&job, 0);
}

static GVariant *
answer (GVariant *args, GError **error)
{
  char message[SIZE];
  BenchJob job;

  if (!bench_job_begin (&job, args, error))
    return NULL;
  for (guint i = 0; i < job.n; i++)
    if (!receive (job.a, message) || !send (job.b, message))
      return NULL;
  return bench_job_end (&job, 0);
}

/* Microseconds for one way. */
static double
by_queue (const char *what)
{
  guint n = bench_repeat (100000);
  BenchWorker workers[] = { { ask, 0, n, 0 }, { answer, 1, n, 0 } };
  MprocQueue *there = bench_new_queue ();
  MprocQueue *back = bench_new_queue ();
  double elapsed = bench_run_workers (workers, 2, there, back, NULL);

  (void) what;
  mproc_queue_unref (there);
  mproc_queue_unref (back);
  return elapsed / n / 2;
}

const BenchFigure bench_latency_figures[] = {
  { "latency.queue", "us", by_queue, NULL, NULL },
  { "latency.hop", "us", bench_bare_trip, "hop", "latency.queue" },
  { "latency.pipe", "us", bench_bare_trip, "pipe", "latency.queue" },
  { "latency.python", "us", bench_python, "mp-pipe.py trip", "latency.queue" },
  { NULL, NULL, NULL, NULL, NULL },
};
