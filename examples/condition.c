/* SPDX-License-Identifier: MIT */
/* Runners who wait at a condition for the start, and at a barrier for each other. */
#include <mproc.h>
#include <stdio.h>

#define N_RUNNERS 3

static gboolean
has_started (gpointer started)
{
  return *(guint8 *) started;
}

static GVariant *
announce (GVariant *args, GError **error)
{
  printf ("all are here\n");
  fflush (stdout);
  return NULL;
}

static GVariant *
run (GVariant *args, GError **error)
{
  MprocCondition *start;
  MprocBarrier *goal;
  MprocValue *started;

  if (!mproc_unpack (args, error, "(&h&h&h)", &start, &started, &goal))
    return NULL;
  mproc_condition_acquire (start, MPROC_FOREVER);
  if (!mproc_condition_wait_for (start, has_started, mproc_value_get_data (started),
                                 MPROC_FOREVER, error))
    return NULL;
  mproc_condition_release (start, NULL);
  mproc_barrier_wait (goal, MPROC_BARRIER_TIMEOUT, error);
  return NULL;
}

int
main (int argc, char **argv)
{
  MprocProcess *runners[N_RUNNERS];
  GError *error = NULL;
  MprocCondition *start;
  MprocBarrier *goal;
  MprocValue *started;

  mproc_init (&argc, &argv);
  start = mproc_condition_new (MPROC_OWN_LOCK, &error);
  goal = mproc_barrier_new (N_RUNNERS, announce, NULL, MPROC_SECONDS (30), &error);
  started = mproc_value_new ("b", NULL, NULL, &error);
  if (start == NULL || goal == NULL || started == NULL)
    g_error ("%s", error->message);
  for (guint i = 0; i < N_RUNNERS; i++)
    {
      runners[i] = mproc_process_new (run, mproc_pack ("(hhh)", start, started, goal));
      if (!mproc_process_start (runners[i], &error))
        g_error ("%s", error->message);
    }
  printf ("go\n");
  fflush (stdout);
  mproc_condition_acquire (start, MPROC_FOREVER);
  mproc_value_set (started, g_variant_new_boolean (TRUE), NULL);
  mproc_condition_notify_all (start, NULL);
  mproc_condition_release (start, NULL);
  for (guint i = 0; i < N_RUNNERS; i++)
    {
      mproc_process_join (runners[i], MPROC_FOREVER);
      mproc_process_unref (runners[i]);
    }
  mproc_value_unref (started);
  mproc_barrier_unref (goal);
  mproc_condition_unref (start);
  return 0;
}
