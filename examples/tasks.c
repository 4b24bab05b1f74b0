/* SPDX-License-Identifier: MIT */
/* A queue of tasks, each a function and its argument, which a worker carries out; the results come
 * back through a second queue.  The queue itself says when there are no more tasks: no task has to
 * mean "stop", and none of that kind can be counted by mistake. */
#include <mproc.h>
#include <stdio.h>

static GVariant *
twice (GVariant *x, GError **error)
{
  return g_variant_new_double (2 * g_variant_get_double (x));
}

static GVariant *
square (GVariant *x, GError **error)
{
  return g_variant_new_double (g_variant_get_double (x) * g_variant_get_double (x));
}

static gboolean
carry_out (GVariant *task, MprocQueue *results, GError **error)
{
  MprocFunc function;
  GVariant *x, *result;

  if (!mproc_unpack (task, error, "(f@d)", &function, &x))
    return FALSE;
  result = function (x, error);
  g_variant_unref (x);
  return result != NULL && mproc_queue_put (results, result, MPROC_FOREVER, error);
}

static GVariant *
work (GVariant *args, GError **error)
{
  GError *end = NULL;
  MprocQueue *tasks;
  MprocQueue *results;
  gboolean done = TRUE;

  if (!mproc_unpack (args, error, "(&h&h)", &tasks, &results))
    return NULL;
  for (GVariant *task;
       done && (task = mproc_queue_get (tasks, MPROC_FOREVER, &end)) != NULL;)
    {
      done = carry_out (task, results, error) && mproc_queue_task_done (tasks, error);
      g_variant_unref (task);
    }
  if (g_error_matches (end, MPROC_ERROR, MPROC_ERROR_CLOSED))
    g_clear_error (&end); /* no more tasks */
  else if (end != NULL)
    g_propagate_error (error, end);
  return NULL;
}

int
main (int argc, char **argv)
{
  const MprocFunc functions[] = { twice, square };
  GError *error = NULL;
  MprocQueue *tasks;
  MprocQueue *results;
  MprocProcess *worker;

  mproc_init (&argc, &argv);
  tasks = mproc_queue_new (0, &error);
  results = mproc_queue_new (0, &error);
  if (tasks == NULL || results == NULL)
    g_error ("%s", error->message);
  worker = mproc_process_new (work, mproc_pack ("(hh)", tasks, results));
  if (!mproc_process_start (worker, &error))
    g_error ("%s", error->message);

  for (gint i = 1; i <= 6; i++)
    if (!mproc_queue_put (tasks, mproc_pack ("(fd)", functions[i % 2], (double) i),
                          MPROC_FOREVER, &error))
      g_error ("%s", error->message);
  mproc_queue_join (tasks, MPROC_FOREVER); /* every task is done: all results are there */
  mproc_queue_shutdown (tasks, FALSE);

  for (GVariant *result; (result = mproc_queue_get (results, 0, &error)) != NULL;)
    {
      printf ("%g\n", g_variant_get_double (result));
      g_variant_unref (result);
    }
  if (!g_error_matches (error, MPROC_ERROR, MPROC_ERROR_EMPTY))
    g_error ("%s", error->message);
  g_clear_error (&error);
  mproc_process_join (worker, MPROC_FOREVER);
  mproc_process_unref (worker);
  mproc_queue_unref (results);
  mproc_queue_unref (tasks);
  return 0;
}
