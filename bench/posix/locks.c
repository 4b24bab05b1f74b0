/* SPDX-License-Identifier: MIT */
#include "bare.h"

#include <pthread.h>
#include <string.h>

#define WORDS 4

typedef struct
{
  _Alignas(128) BareWord futex;
  _Alignas(128) pthread_mutex_t mutex;
  _Alignas(128) volatile gint64 words[WORDS];
} Shared;

static Shared *shared;

static void
init_mutex (pthread_mutex_t *mutex, gboolean robust)
{
  pthread_mutexattr_t attributes;

  pthread_mutexattr_init (&attributes);
  pthread_mutexattr_setpshared (&attributes, PTHREAD_PROCESS_SHARED);
  if (robust)
    pthread_mutexattr_setrobust (&attributes, PTHREAD_MUTEX_ROBUST);
  if (pthread_mutex_init (mutex, &attributes) != 0)
    bench_fail ("a mutex between processes", NULL);
  pthread_mutexattr_destroy (&attributes);
}

static gboolean
share (const char *what)
{
  gboolean is_futex = strcmp (what, "futex") == 0;

  if (!bare_can_share () || (is_futex && !bare_can_sleep ()))
    return FALSE;
  shared = bare_share (sizeof *shared);
  if (!is_futex)
    init_mutex (&shared->mutex, strcmp (what, "robust") == 0);
  return TRUE;
}

/* ------------------------------------------------------------------ free */

static void
repeat_futex (gpointer data, guint n)
{
  volatile guint counter = 0;

  (void) data;
  for (guint i = 0; i < n; i++)
    {
      bare_lock (&shared->futex);
      counter++;
      bare_unlock (&shared->futex);
    }
}

static void
repeat_mutex (gpointer data, guint n)
{
  volatile guint counter = 0;

  (void) data;
  for (guint i = 0; i < n; i++)
    {
      pthread_mutex_lock (&shared->mutex);
      counter++;
      pthread_mutex_unlock (&shared->mutex);
    }
}

double
bench_bare_lock (const char *what)
{
  double each;

  if (!share (what))
    return BENCH_NOT_HERE;
  each =
      bench_time_steps (strcmp (what, "futex") == 0 ? repeat_futex : repeat_mutex, NULL);
  bare_unshare (shared, sizeof *shared);
  return each;
}

/* ------------------------------------------------------------------ fought for */

static inline void
work (void)
{
  for (guint word = 0; word < WORDS; word++)
    shared->words[word]++;
}

static GVariant *
fight_with_futex (GVariant *args, GError **error)
{
  BenchJob job;

  if (!bench_job_begin (&job, args, error))
    return NULL;
  for (guint i = 0; i < job.n; i++)
    {
      bare_lock (&shared->futex);
      work ();
      bare_unlock (&shared->futex);
    }
  return bench_job_end (&job, 0);
}

static GVariant *
fight_with_mutex (GVariant *args, GError **error)
{
  BenchJob job;

  if (!bench_job_begin (&job, args, error))
    return NULL;
  for (guint i = 0; i < job.n; i++)
    {
      pthread_mutex_lock (&shared->mutex);
      work ();
      pthread_mutex_unlock (&shared->mutex);
    }
  return bench_job_end (&job, 0);
}

double
bench_bare_fight (const char *what)
{
  MprocFunc func = strcmp (what, "futex") == 0 ? fight_with_futex : fight_with_mutex;
  guint n = bench_repeat (2000000);
  BenchWorker workers[] = { { func, 0, n, 0 }, { func, 1, n, 0 } };
  double elapsed;

  if (!share (what))
    return BENCH_NOT_HERE;
  elapsed = bench_run_workers (workers, 2, NULL, NULL, NULL);
  if (shared->words[WORDS - 1] != 2 * (gint64) n)
    bench_fail ("two held the lock at once", NULL);
  bare_unshare (shared, sizeof *shared);
  return 2 * n / elapsed;
}
