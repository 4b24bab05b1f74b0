/* SPDX-License-Identifier: MIT */
/* A lock that lives between processes: free, and fought for. */
#include "bench.h"

#define WORDS 4

static MprocLock *
new_lock (void)
{
  GError *error = NULL;
  MprocLock *lock = mproc_lock_new (&error);

  if (lock == NULL)
    bench_fail ("lock", error);
  return lock;
}

static void
repeat (gpointer data, guint n)
{
  MprocLock *lock = data;
  volatile guint counter = 0; /* nobody locks nothing */

  for (guint i = 0; i < n; i++)
    {
      mproc_lock_acquire (lock, MPROC_FOREVER);
      counter++;
      mproc_lock_release (lock, NULL);
    }
}

static double
free_lock (const char *what)
{
  MprocLock *lock = new_lock ();
  double each = bench_time_steps (repeat, lock);

  (void) what;
  mproc_lock_unref (lock);
  return each;
}

/* ------------------------------------------------------------------ two processes */

static GVariant *
fight (GVariant *args, GError **error)
{
  BenchJob job;
  volatile gint64 *words;

  if (!bench_job_begin (&job, args, error))
    return NULL;
  words = mproc_array_get_data (job.b, NULL);
  for (guint i = 0; i < job.n; i++)
    {
      if (!mproc_lock_acquire (job.a, MPROC_FOREVER))
        return NULL;
      for (guint word = 0; word < WORDS; word++)
        words[word]++;
      mproc_lock_release (job.a, NULL);
    }
  return bench_job_end (&job, 0);
}

/* Millions of sections a second. */
static double
fight_for_lock (const char *what)
{
  guint n = bench_repeat (2000000);
  BenchWorker workers[] = { { fight, 0, n, 0 }, { fight, 1, n, 0 } };
  MprocLock *lock = new_lock ();
  GError *error = NULL;
  MprocArray *words = mproc_array_new ("x", WORDS, NULL, NULL, &error);
  const gint64 *data;
  double elapsed;

  (void) what;
  if (words == NULL)
    bench_fail ("array", error);
  elapsed = bench_run_workers (workers, 2, lock, words, NULL);
  data = mproc_array_get_data (words, NULL);
  for (guint word = 0; word < WORDS; word++)
    if (data[word] != 2 * (gint64) n)
      bench_fail ("two held the lock at once", NULL);
  mproc_array_unref (words);
  mproc_lock_unref (lock);
  return 2 * n / elapsed;
}

const BenchFigure bench_lock_figures[] = {
  { "lock.free", "ns", free_lock, NULL, NULL },
  { "lock.raw-futex", "ns", bench_bare_lock, "futex", "lock.free" },
  { "lock.robust-mutex", "ns", bench_bare_lock, "robust", "lock.free" },
  { "lock.python", "ns", bench_python, "mp-lock.py free", "lock.free" },
  { "lock.fight", "M/s", fight_for_lock, NULL, NULL },
  { "lock.fight-mutex", "M/s", bench_bare_fight, "mutex", "lock.fight" },
  { "lock.fight-futex", "M/s", bench_bare_fight, "futex", "lock.fight" },
  { "lock.fight-python", "M/s", bench_python, "mp-lock.py fight", "lock.fight" },
  { NULL, NULL, NULL, NULL, NULL },
};
