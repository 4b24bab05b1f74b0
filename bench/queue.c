/* SPDX-License-Identifier: MIT */
/* What goes through a queue. */
#include "bench.h"

#include <string.h>

#define LARGEST (1 << 20)

/* The first word of each message is its number; the sum of all tells whether one is missing. */
typedef union
{
  guint64 number;
  char bytes[LARGEST];
} Message;

static Message message;

/* Every second worker is a producer. */
static guint64
number_of (const BenchJob *job, guint i)
{
  return (guint64) job->n * (job->index / 2) + i + 1;
}

/* ------------------------------------------------------------------ workers */

static GVariant *
put (GVariant *args, GError **error)
{
  BenchJob job;

  if (!bench_job_begin (&job, args, error))
    return NULL;
  for (guint i = 0; i < job.n; i++)
    {
      message.number = number_of (&job, i);
      if (!mproc_queue_put_bytes (job.a, &message, job.size, MPROC_FOREVER, error))
        return NULL;
    }
  return bench_job_end (&job, 0);
}

static GVariant *
get (GVariant *args, GError **error)
{
  guint64 sum = 0;
  BenchJob job;

  if (!bench_job_begin (&job, args, error))
    return NULL;
  for (guint i = 0; i < job.n; i++)
    {
      if (mproc_queue_get_bytes_into (job.a, &message, job.size, MPROC_FOREVER, error) <
          0)
        return NULL;
      sum += message.number;
    }
  return bench_job_end (&job, sum);
}

static GVariant *
borrow (GVariant *args, GError **error)
{
  guint64 sum = 0;
  BenchJob job;

  if (!bench_job_begin (&job, args, error))
    return NULL;
  for (guint i = 0; i < job.n; i++)
    {
      GBytes *bytes = mproc_queue_peek_bytes (job.a, MPROC_FOREVER, error);

      if (bytes == NULL)
        return NULL;
      sum += *(const guint64 *) g_bytes_get_data (bytes, NULL);
      g_bytes_unref (bytes);
    }
  return bench_job_end (&job, sum);
}

static GVariant *
put_values (GVariant *args, GError **error)
{
  BenchJob job;

  if (!bench_job_begin (&job, args, error))
    return NULL;
  for (guint i = 0; i < job.n; i++)
    if (!mproc_queue_put (job.a,
                          g_variant_new ("(xs)", (gint64) number_of (&job, i),
                                         "a message"),
                          MPROC_FOREVER, error))
      return NULL;
  return bench_job_end (&job, 0);
}

static GVariant *
get_values (GVariant *args, GError **error)
{
  guint64 sum = 0;
  BenchJob job;

  if (!bench_job_begin (&job, args, error))
    return NULL;
  for (guint i = 0; i < job.n; i++)
    {
      GVariant *value = mproc_queue_get (job.a, MPROC_FOREVER, error);
      const char *text;
      gint64 number;

      if (value == NULL)
        return NULL;
      g_variant_get (value, "(x&s)", &number, &text);
      sum += (guint64) number;
      g_variant_unref (value);
    }
  return bench_job_end (&job, sum);
}

static GVariant *
put_packed (GVariant *args, GError **error)
{
  BenchJob job;

  if (!bench_job_begin (&job, args, error))
    return NULL;
  for (guint i = 0; i < job.n; i++)
    if (!mproc_queue_put_packed (job.a, MPROC_FOREVER, error, "(xs)",
                                 (gint64) number_of (&job, i), "a message"))
      return NULL;
  return bench_job_end (&job, 0);
}

static GVariant *
get_unpacked (GVariant *args, GError **error)
{
  guint64 sum = 0;
  BenchJob job;

  if (!bench_job_begin (&job, args, error))
    return NULL;
  for (guint i = 0; i < job.n; i++)
    {
      gint64 number;
      char *text;

      if (!mproc_queue_get_unpacked (job.a, MPROC_FOREVER, error, "(xs)", &number, &text))
        return NULL;
      sum += (guint64) number;
      g_free (text);
    }
  return bench_job_end (&job, sum);
}

/* ------------------------------------------------------------------ between processes */

typedef struct
{
  MprocFunc from;
  MprocFunc to;
  guint pairs; /* of a producer and a consumer */
  guint n;     /* messages of each */
  gsize size;
} Transfer;

/* Messages a microsecond. */
static double
time_transfer (const Transfer *self)
{
  guint n = bench_repeat (self->n);
  BenchWorker workers[] = { { self->from, 1, n, self->size },
                            { self->to, 0, n, self->size },
                            { self->from, 0, n, self->size },
                            { self->to, 1, n, self->size } };
  guint64 all = (guint64) self->pairs * n;
  MprocQueue *queue = bench_new_queue ();
  guint64 sum = 0;
  double elapsed = bench_run_workers (workers, 2 * self->pairs, queue, NULL, &sum);

  mproc_queue_unref (queue);
  if (sum != all * (all + 1) / 2)
    bench_fail ("messages were lost or torn", NULL);
  return (double) all / elapsed;
}

static double
between_processes (const char *what)
{
  static const struct
  {
    const char *what;
    Transfer transfer;
    gboolean in_gigabytes;
  } transfers[] = {
    { "bytes", { put, get, 1, 2000000, 64 }, FALSE },
    { "2x2", { put, get, 2, 500000, 64 }, FALSE },
    { "values", { put_values, get_values, 1, 300000, 0 }, FALSE },
    { "packed", { put_packed, get_unpacked, 1, 1000000, 0 }, FALSE },
    { "64k", { put, get, 1, 20000, 1 << 16 }, TRUE },
    { "64k-borrowed", { put, borrow, 1, 20000, 1 << 16 }, TRUE },
    { "1m", { put, get, 1, 2000, 1 << 20 }, TRUE },
    { "1m-borrowed", { put, borrow, 1, 2000, 1 << 20 }, TRUE },
  };
  guint i = 0;
  double rate;

  while (strcmp (transfers[i].what, what) != 0)
    i++;
  rate = time_transfer (&transfers[i].transfer);
  return transfers[i].in_gigabytes ? rate * transfers[i].transfer.size / 1000 : rate;
}

/* ------------------------------------------------------------------ between threads */

typedef struct
{
  GAsyncQueue *queue;
  guint n;
} Threads;

static gpointer
push (gpointer data)
{
  const Threads *threads = data;
  char bytes[64] = { 0 };

  bench_pin (1);
  for (guint64 i = 1; i <= threads->n; i++)
    {
      char *copy = g_malloc (sizeof bytes);

      memcpy (copy, bytes, sizeof bytes);
      memcpy (copy, &i, sizeof i);
      g_async_queue_push (threads->queue, copy);
    }
  return NULL;
}

static guint64
pop (const Threads *threads)
{
  guint64 sum = 0;

  for (guint i = 0; i < threads->n; i++)
    {
      char *copy = g_async_queue_pop (threads->queue);

      memcpy (&message, copy, 64);
      g_free (copy);
      sum += message.number;
    }
  return sum;
}

static double
between_threads (const char *what)
{
  Threads threads = { g_async_queue_new (), bench_repeat (500000) };
  gint64 begin = g_get_monotonic_time ();
  GThread *thread = g_thread_new ("push", push, &threads);
  guint64 n = threads.n;
  double each;

  (void) what;
  bench_pin (0);
  if (pop (&threads) != n * (n + 1) / 2)
    bench_fail ("messages were lost", NULL);
  each = bench_each (begin, threads.n);
  bench_pin (-1);
  g_thread_join (thread);
  g_async_queue_unref (threads.queue);
  return 1 / each;
}

const BenchFigure bench_queue_figures[] = {
  { "queue.bytes", "Mmsg/s", between_processes, "bytes", NULL },
  { "queue.ring", "Mmsg/s", bench_bare_ring, "1", "queue.bytes" },
  { "queue.gasyncqueue", "Mmsg/s", between_threads, NULL, "queue.bytes" },
  { "queue.boost", "Mmsg/s", bench_boost, "64 1", "queue.bytes" },
  { "queue.openmpi", "Mmsg/s", bench_openmpi, "64", "queue.bytes" },
  { "queue.python", "Mmsg/s", bench_python, "mp-queue.py 64 1", "queue.bytes" },
  { "queue.2x2", "Mmsg/s", between_processes, "2x2", NULL },
  { "queue.ring-2x2", "Mmsg/s", bench_bare_ring, "2", "queue.2x2" },
  { "queue.boost-2x2", "Mmsg/s", bench_boost, "64 2", "queue.2x2" },
  { "queue.python-2x2", "Mmsg/s", bench_python, "mp-queue.py 64 2", "queue.2x2" },
  { "queue.values", "Mmsg/s", between_processes, "values", NULL },
  { "queue.packed", "Mmsg/s", between_processes, "packed", NULL },
  { "queue.python-values", "Mmsg/s", bench_python, "mp-queue.py values 1",
    "queue.packed" },
  { "queue.64k", "GB/s", between_processes, "64k", NULL },
  { "queue.python-64k", "GB/s", bench_python, "mp-queue.py 65536 1", "queue.64k" },
  { "queue.64k-borrowed", "GB/s", between_processes, "64k-borrowed", NULL },
  { "queue.openmpi-64k", "GB/s", bench_openmpi, "65536", "queue.64k-borrowed" },
  { "queue.1m", "GB/s", between_processes, "1m", NULL },
  { "queue.python-1m", "GB/s", bench_python, "mp-queue.py 1048576 1", "queue.1m" },
  { "queue.1m-borrowed", "GB/s", between_processes, "1m-borrowed", NULL },
  { "queue.openmpi-1m", "GB/s", bench_openmpi, "1048576", "queue.1m-borrowed" },
  { NULL, NULL, NULL, NULL, NULL },
};
