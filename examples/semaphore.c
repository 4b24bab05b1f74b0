/* SPDX-License-Identifier: MIT */
/* Six processes want something of which there are two.  One of them dies while it has one; the
 * semaphore was made to restore what the dead have taken, so the others still have both. */
#include <mproc.h>
#include <stdio.h>

#define N_PROCESSES 6
#define N_UNITS 2

typedef struct
{
  MprocSemaphore *units;
  MprocSemaphore *inside; /* how many have one, counted down from N_UNITS */
  MprocQueue *done;
} Shared;

static GVariant *
use_it (GVariant *args, GError **error)
{
  Shared shared;
  gboolean alone;
  gint32 me;

  if (!mproc_unpack (args, error, "(&h&h&hi)", &shared.units, &shared.inside,
                     &shared.done, &me))
    return NULL;
  mproc_semaphore_acquire (shared.units, MPROC_FOREVER);
  if (me == 0)
    mproc_process_exit (1); /* without giving it back */
  /* More than two inside would find none left here. */
  alone = mproc_semaphore_acquire (shared.inside, 0);
  mproc_queue_put (shared.done, g_variant_new_boolean (alone), MPROC_FOREVER, error);
  if (alone)
    mproc_semaphore_release (shared.inside, error);
  mproc_semaphore_release (shared.units, error);
  return NULL;
}

int
main (int argc, char **argv)
{
  MprocProcess *processes[N_PROCESSES];
  GError *error = NULL;
  Shared shared;
  guint n = 0;

  mproc_init (&argc, &argv);
  shared.units = mproc_semaphore_new (N_UNITS, N_UNITS, MPROC_SEMAPHORE_RESTORE, &error);
  shared.inside = mproc_semaphore_new (N_UNITS, N_UNITS, MPROC_SEMAPHORE_DEFAULT, &error);
  shared.done = mproc_queue_new (0, &error);
  if (shared.units == NULL || shared.inside == NULL || shared.done == NULL)
    g_error ("%s", error->message);
  for (gint32 i = 0; i < N_PROCESSES; i++)
    {
      processes[i] =
          mproc_process_new (use_it, mproc_pack ("(hhhi)", shared.units, shared.inside,
                                                 shared.done, i));
      if (!mproc_process_start (processes[i], &error))
        g_error ("%s", error->message);
    }
  for (guint i = 0; i < N_PROCESSES; i++)
    {
      mproc_process_join (processes[i], MPROC_FOREVER);
      mproc_process_unref (processes[i]);
    }
  for (GVariant *item; (item = mproc_queue_get (shared.done, 0, NULL)) != NULL;)
    {
      n += g_variant_get_boolean (item);
      g_variant_unref (item);
    }
  printf ("%u of %d had one, never more than %d at a time\n", n, N_PROCESSES, N_UNITS);
  mproc_queue_unref (shared.done);
  mproc_semaphore_unref (shared.inside);
  mproc_semaphore_unref (shared.units);
  return 0;
}
