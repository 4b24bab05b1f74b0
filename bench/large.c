/* SPDX-License-Identifier: MIT */
/* A large array of numbers that a worker is to work on: the work itself, in this process, and
 * the same by a worker that is handed the array, or a copy. */
#include "bench.h"

#include <string.h>

#define LENGTH ((256u << 20) / sizeof (double))
#define STEP (4096 / sizeof (double)) /* to touch each page */
#define TURNS 4

/* Read where the worker has a message to read, or the compiler would make a loop of its own, and a
 * faster one, for this process. */
static volatile gsize one = 1;

/* What each item of the queue of tasks asks for: the array and how many numbers to skip from
 * one to the next; or it is the bytes themselves. */
typedef struct
{
  MprocArray *array;
  double *numbers;
  gsize n;
  MprocQueue *tasks;
  MprocQueue *answers;
  MprocProcess *worker;
} Setting;

/* Four sums at once, or it would be the additions that take the time and not the memory. */
static double
sum_up (const double *numbers, gsize n, gsize step)
{
  double sums[4] = { 0, 0, 0, 0 };
  gsize i = 0;

  for (; i + 3 * step < n; i += 4 * step)
    for (guint part = 0; part < 4; part++)
      sums[part] += numbers[i + part * step];
  for (; i < n; i += step)
    sums[0] += numbers[i];
  return sums[0] + sums[1] + sums[2] + sums[3];
}

/* ------------------------------------------------------------------ the worker */

static gboolean
do_task (GVariant *task, double *sum, GError **error)
{
  MprocArray *array;
  const double *numbers;
  guint step;
  gsize n;

  if (g_variant_is_of_type (task, G_VARIANT_TYPE_BYTESTRING))
    {
      numbers = g_variant_get_fixed_array (task, &n, 1);
      *sum = sum_up (numbers, n / sizeof *numbers, STEP);
      return TRUE;
    }
  if (!mproc_unpack (task, error, "(&hu)", &array, &step))
    return FALSE;
  numbers = mproc_array_get_data (array, &n);
  *sum = sum_up (numbers, n, step);
  return TRUE;
}

/* Until an empty item comes. */
static GVariant *
work (GVariant *args, GError **error)
{
  MprocQueue *tasks;
  MprocQueue *answers;
  MprocArray *array; /* held, as by a worker that works on it more than once */

  if (!mproc_unpack (args, error, "(&h&h&h)", &tasks, &answers, &array))
    return NULL;
  bench_pin (1);
  for (;;)
    {
      GVariant *task = mproc_queue_get (tasks, MPROC_FOREVER, error);
      gboolean done = FALSE;
      double sum;

      if (task != NULL && g_variant_get_size (task) > 0 && do_task (task, &sum, error))
        done = mproc_queue_put_bytes (answers, &sum, sizeof sum, MPROC_FOREVER, error);
      g_clear_pointer (&task, g_variant_unref);
      if (!done)
        return NULL;
    }
}

/* ------------------------------------------------------------------ the setting */

static void
open_setting (Setting *self)
{
  GError *error = NULL;

  self->array = mproc_array_new ("d", bench_repeat (LENGTH), NULL, NULL, &error);
  if (self->array == NULL)
    bench_fail ("array", error);
  self->numbers = mproc_array_get_data (self->array, &self->n);
  for (gsize i = 0; i < self->n; i++)
    self->numbers[i] = 1;
  self->tasks = bench_new_queue ();
  self->answers = bench_new_queue ();
  self->worker = mproc_process_new (work, mproc_pack ("(hhh)", self->tasks, self->answers,
                                                      self->array));
  if (!mproc_process_start (self->worker, &error))
    bench_fail ("start", error);
  bench_pin (0);
}

static void
close_setting (Setting *self)
{
  mproc_queue_put_bytes (self->tasks, NULL, 0, MPROC_FOREVER, NULL);
  mproc_process_join (self->worker, MPROC_FOREVER);
  mproc_process_unref (self->worker);
  mproc_queue_unref (self->tasks);
  mproc_queue_unref (self->answers);
  mproc_array_unref (self->array);
  bench_pin (-1);
}

static void
expect (double sum, gsize n, gsize step)
{
  if (sum != (double) ((n + step - 1) / step))
    bench_fail ("the sum is wrong", NULL);
}

static void
await_answer (Setting *self, gsize step)
{
  GError *error = NULL;
  double sum = -1;

  if (mproc_queue_get_bytes_into (self->answers, &sum, sizeof sum, 60 * G_USEC_PER_SEC,
                                  &error) < 0)
    bench_fail ("the worker", error);
  expect (sum, self->n, step);
}

static void
hand_over (Setting *self, gsize step)
{
  GError *error = NULL;

  if (!mproc_queue_put (self->tasks, mproc_pack ("(hu)", self->array, (guint) step),
                        MPROC_FOREVER, &error))
    bench_fail ("put", error);
  await_answer (self, step);
}

/* ------------------------------------------------------------------ the ways */

static void
in_place (Setting *self, gconstpointer data)
{
  (void) data;
  expect (sum_up (self->numbers, self->n, one), self->n, 1);
}

static void
shared (Setting *self, gconstpointer data)
{
  (void) data;
  hand_over (self, 1);
}

/* What another one has worked out lies in memory of its own. */
static void
copied (Setting *self, gconstpointer data)
{
  memcpy (self->numbers, data, self->n * sizeof (double));
  hand_over (self, STEP);
}

static void
queued (Setting *self, gconstpointer data)
{
  GError *error = NULL;

  if (!mproc_queue_put_bytes (self->tasks, data, self->n * sizeof (double), MPROC_FOREVER,
                              &error))
    bench_fail ("put", error);
  await_answer (self, STEP);
}

static const struct
{
  const char *what;
  void (*go) (Setting *, gconstpointer);
  guint warm; /* turns that do not count */
} ways[] = { { "in-place", in_place, 1 },
             { "shared", shared, 1 },
             { "shared-first", shared, 0 },
             { "copied", copied, 1 },
             { "queued", queued, 1 } };

/* Milliseconds. */
static double
time_way (const char *what)
{
  Setting setting;
  double *data;
  guint way = 0;
  guint n;
  gint64 begin = 0;
  double each;

  while (strcmp (ways[way].what, what) != 0)
    way++;
  n = ways[way].warm > 0 ? TURNS : 1;
  open_setting (&setting);
  data = g_new (double, setting.n);
  memcpy (data, setting.numbers, setting.n * sizeof *data);
  for (guint i = 0; i < ways[way].warm + n; i++)
    {
      if (i == ways[way].warm)
        begin = g_get_monotonic_time ();
      ways[way].go (&setting, data);
    }
  each = bench_each (begin, n) / 1000;
  g_free (data);
  close_setting (&setting);
  return each;
}

const BenchFigure bench_large_figures[] = {
  { "large.in-place", "ms", time_way, "in-place", "large.shared" },
  { "large.shared", "ms", time_way, "shared", NULL },
  { "large.shared-first", "ms", time_way, "shared-first", NULL },
  { "large.copied", "ms", time_way, "copied", NULL },
  { "large.python", "ms", bench_python, "mp-large.py 268435456", "large.copied" },
  { "large.queued", "ms", time_way, "queued", NULL },
  { "large.python-queued", "ms", bench_python, "mp-large.py 268435456", "large.queued" },
  { NULL, NULL, NULL, NULL, NULL },
};
