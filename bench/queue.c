/* SPDX-License-Identifier: MIT */
/* Messages of 64 bytes, one producer, one consumer. */
#include "bench.h"

#include <string.h>

#define SIZE 64

typedef union
{
  guint64 number;
  char bytes[SIZE];
} Message;

/* The first message says that the producer is there; then it waits for a go. */
static GVariant *
produce (GVariant *args, GError **error)
{
  MprocQueue *queue;
  MprocQueue *go;
  guint32 n;
  Message message;

  if (!mproc_unpack (args, error, "(&h&hu)", &queue, &go, &n))
    return NULL;
  bench_pin (1);
  memset (&message, 0, sizeof message);
  if (!mproc_queue_put_bytes (queue, &message, sizeof message, MPROC_FOREVER, error) ||
      mproc_queue_get_bytes_into (go, NULL, 0, MPROC_FOREVER, error) < 0)
    return NULL;
  for (guint32 i = 1; i <= n; i++)
    {
      message.number = i;
      if (!mproc_queue_put_bytes (queue, &message, sizeof message, MPROC_FOREVER, error))
        return NULL;
    }
  return NULL;
}

static guint64
take (MprocQueue *queue)
{
  GError *error = NULL;
  Message message;

  if (mproc_queue_get_bytes_into (queue, &message, sizeof message, MPROC_FOREVER,
                                  &error) != SIZE)
    bench_fail ("get", error);
  return message.number;
}

static void
check_sum (guint64 sum, guint64 n)
{
  if (sum != n * (n + 1) / 2)
    bench_fail ("messages were lost or torn", NULL);
}

/* Millions of messages a second. */
static double
between_processes (void)
{
  guint n = bench_repeat (1000000);
  GError *error = NULL;
  MprocQueue *queue = mproc_queue_new (0, &error);
  MprocQueue *go = mproc_queue_new (0, NULL);
  MprocProcess *process = mproc_process_new (produce, mproc_pack ("(hhu)", queue, go, n));
  guint64 sum = 0;
  gint64 begin;
  double each;

  if (queue == NULL || go == NULL || !mproc_process_start (process, &error))
    bench_fail ("start", error);
  bench_pin (0);
  take (queue);
  begin = g_get_monotonic_time ();
  mproc_queue_put_bytes (go, NULL, 0, MPROC_FOREVER, NULL);
  for (guint i = 0; i < n; i++)
    sum += take (queue);
  each = bench_each (begin, n);
  bench_pin (-1);
  check_sum (sum, n);
  mproc_process_join (process, MPROC_FOREVER);
  mproc_process_unref (process);
  mproc_queue_unref (go);
  mproc_queue_unref (queue);
  return 1 / each;
}

/* ------------------------------------------------------------------ GAsyncQueue */

static gpointer
push (gpointer data)
{
  GAsyncQueue *queue = data;
  guint n = bench_repeat (1000000);
  Message message;

  bench_pin (1);
  memset (&message, 0, sizeof message);
  for (guint i = 1; i <= n; i++)
    {
      Message *copy = g_malloc (sizeof *copy);

      message.number = i;
      memcpy (copy, &message, sizeof *copy);
      g_async_queue_push (queue, copy);
    }
  return NULL;
}

static double
between_threads (void)
{
  guint n = bench_repeat (1000000);
  GAsyncQueue *queue = g_async_queue_new ();
  gint64 begin = g_get_monotonic_time ();
  GThread *thread = g_thread_new ("push", push, queue);
  guint64 sum = 0;
  double each;

  bench_pin (0);
  for (guint i = 0; i < n; i++)
    {
      Message *copy = g_async_queue_pop (queue);
      Message message;

      memcpy (&message, copy, sizeof message);
      sum += message.number;
      g_free (copy);
    }
  each = bench_each (begin, n);
  bench_pin (-1);
  check_sum (sum, n);
  g_thread_join (thread);
  g_async_queue_unref (queue);
  return 1 / each;
}

const BenchFigure bench_queue_figures[] = {
  { "queue.bytes", "Mmsg/s", between_processes, NULL, NULL, NULL },
  { "queue.gasyncqueue", "Mmsg/s", between_threads, NULL, NULL, "queue.bytes" },
  { "queue.python", "Mmsg/s", NULL, "mp-queue.py", "queue", "queue.bytes" },
  { NULL, NULL, NULL, NULL, NULL, NULL },
};
