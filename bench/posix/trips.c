/* SPDX-License-Identifier: MIT */
#include "bare.h"

#include <string.h>
#include <unistd.h>

#define SIZE 64

/* ------------------------------------------------------------------ one cache line */

typedef struct
{
  _Alignas(128) BareWord there;
  _Alignas(128) BareWord back;
} Line;

static Line *line;

static inline void
await (BareWord *word, guint32 value)
{
  while (atomic_load_explicit (word, memory_order_acquire) != value)
    ;
}

static GVariant *
ask_by_line (GVariant *args, GError **error)
{
  BenchJob job;

  if (!bench_job_begin (&job, args, error))
    return NULL;
  for (guint32 i = 1; i <= job.n; i++)
    {
      atomic_store_explicit (&line->there, i, memory_order_release);
      await (&line->back, i);
    }
  return bench_job_end (&job, 0);
}

static GVariant *
answer_by_line (GVariant *args, GError **error)
{
  BenchJob job;

  if (!bench_job_begin (&job, args, error))
    return NULL;
  for (guint32 i = 1; i <= job.n; i++)
    {
      await (&line->there, i);
      atomic_store_explicit (&line->back, i, memory_order_release);
    }
  return bench_job_end (&job, 0);
}

static double
by_line (void)
{
  guint n = bench_repeat (500000);
  BenchWorker workers[] = { { ask_by_line, 0, n, 0 }, { answer_by_line, 1, n, 0 } };
  double elapsed;

  if (bench_is_on_one_processor ())
    return BENCH_ONE_PROCESSOR;
  line = bare_share (sizeof *line);
  elapsed = bench_run_workers (workers, 2, NULL, NULL, NULL);
  bare_unshare (line, sizeof *line);
  return elapsed / n / 2;
}

/* ------------------------------------------------------------------ pipes */

static int there[2];
static int back[2];

static gboolean
send (int fd, gconstpointer message)
{
  return write (fd, message, SIZE) == SIZE;
}

static gboolean
receive (int fd, gpointer message)
{
  return read (fd, message, SIZE) == SIZE;
}

static GVariant *
ask_by_pipe (GVariant *args, GError **error)
{
  char message[SIZE] = { 0 };
  BenchJob job;

  if (!bench_job_begin (&job, args, error))
    return NULL;
  for (guint i = 0; i < job.n; i++)
    if (!send (there[1], message) || !receive (back[0], message))
      return NULL;
  return bench_job_end (&job, 0);
}

static GVariant *
answer_by_pipe (GVariant *args, GError **error)
{
  char message[SIZE];
  BenchJob job;

  if (!bench_job_begin (&job, args, error))
    return NULL;
  for (guint i = 0; i < job.n; i++)
    if (!receive (there[0], message) || !send (back[1], message))
      return NULL;
  return bench_job_end (&job, 0);
}

static double
by_pipe (void)
{
  guint n = bench_repeat (30000);
  BenchWorker workers[] = { { ask_by_pipe, 0, n, 0 }, { answer_by_pipe, 1, n, 0 } };
  double elapsed;

  if (pipe (there) != 0 || pipe (back) != 0)
    bench_fail ("pipe", NULL);
  elapsed = bench_run_workers (workers, 2, NULL, NULL, NULL);
  for (guint i = 0; i < 2; i++)
    {
      close (there[i]);
      close (back[i]);
    }
  return elapsed / n / 2;
}

double
bench_bare_trip (const char *what)
{
  if (!bare_can_share ())
    return BENCH_NOT_HERE;
  return strcmp (what, "hop") == 0 ? by_line () : by_pipe ();
}
