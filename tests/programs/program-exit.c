/* SPDX-License-Identifier: MIT */
/* program-exit METHOD|thread: main returns while a daemon waits and another child has
 * something left to do; whose end comes when, and who runs the handlers of the program. */
#include "lines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
at_exit (void)
{
  say ("host's handler");
}

static GVariant *
wait_in_queue (GVariant *args, GError **error)
{
  MprocQueue *started, *queue;
  GVariant *value;

  if (!mproc_unpack (args, error, "(&h&h)", &started, &queue))
    return NULL;
  mproc_queue_put (started, g_variant_new_int32 (1), MPROC_FOREVER, NULL);
  value = mproc_queue_get (queue, MPROC_FOREVER, NULL);
  if (value != NULL)
    g_variant_unref (value);
  /* Not a line: it is still in the buffer when the target returns. */
  printf ("child is done\n");
  return NULL;
}

/* Its parent's main has returned by the time that it looks. */
static GVariant *
be_late (GVariant *args, GError **error)
{
  MprocQueue *queue;

  if (!mproc_unpack (args, error, "(&h)", &queue))
    return NULL;
  g_usleep (G_USEC_PER_SEC / 5);
  mproc_queue_put (queue, g_variant_new_int32 (1), MPROC_FOREVER, NULL);
  return NULL;
}

static void
start (MprocFunc func, GVariant *args, MprocStartMethod method, gboolean daemon)
{
  MprocProcess *process = mproc_process_new (func, args);
  GError *error = NULL;

  mproc_process_set_start_method (process, method);
  mproc_process_set_daemon (process, daemon);
  if (!mproc_process_start (process, &error))
    say ("%s", error->message);
  mproc_process_unref (process);
}

/* A target `u`: a chain of threads, of which the last ends the program. */
static GVariant *
go_down (GVariant *args, GError **error)
{
  guint depth = g_variant_get_uint32 (args);
  MprocProcess *process;

  if (depth == 0)
    {
      say ("a thread of a thread ends the program");
      exit (4);
    }
  process = mproc_process_new (go_down, g_variant_new_uint32 (depth - 1));
  mproc_process_set_start_method (process, MPROC_START_METHOD_THREAD);
  if (mproc_process_start (process, error))
    mproc_process_join (process, MPROC_FOREVER);
  return NULL;
}

int
main (int argc, char **argv)
{
  MprocStartMethod method;
  MprocQueue *started, *nothing, *later;

  mproc_init (&argc, &argv);
  method = (MprocStartMethod) atoi (argv[1]);
  atexit (at_exit);
  if (strcmp (argv[1], "thread") == 0)
    go_down (g_variant_ref_sink (g_variant_new_uint32 (2)), NULL);
  started = mproc_queue_new (0, NULL);
  nothing = mproc_queue_new (0, NULL);
  later = mproc_queue_new (0, NULL);
  start (wait_in_queue, mproc_pack ("(hh)", started, nothing), method, TRUE);
  start (wait_in_queue, mproc_pack ("(hh)", started, later), method, FALSE);
  start (be_late, mproc_pack ("(h)", later), method, FALSE);
  for (int i = 0; i < 2; i++)
    g_variant_unref (mproc_queue_get (started, MPROC_FOREVER, NULL));
  say ("main is done");
  return 0;
}
