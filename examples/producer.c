/* SPDX-License-Identifier: MIT */
/* A producer and a consumer; when the queue is shut down and drained, the consumer ends. */
#include <mproc.h>
#include <stdio.h>

static GVariant *
produce (GVariant *args, GError **error)
{
  MprocQueue *queue;

  if (!mproc_unpack (args, error, "(&h)", &queue))
    return NULL;
  for (gint32 i = 1; i <= 1000; i++)
    if (!mproc_queue_put (queue, g_variant_new_int32 (i), MPROC_FOREVER, error))
      return NULL;
  mproc_queue_shutdown (queue, FALSE);
  return NULL;
}

static GVariant *
consume (GVariant *args, GError **error)
{
  GError *end = NULL;
  MprocQueue *queue;
  gint32 sum = 0;

  if (!mproc_unpack (args, error, "(&h)", &queue))
    return NULL;
  for (GVariant *item; (item = mproc_queue_get (queue, MPROC_FOREVER, &end)) != NULL;)
    {
      sum += g_variant_get_int32 (item);
      g_variant_unref (item);
    }
  if (!g_error_matches (end, MPROC_ERROR, MPROC_ERROR_CLOSED))
    {
      g_propagate_error (error, end);
      return NULL;
    }
  g_error_free (end);
  printf ("the sum is %d\n", sum);
  return NULL;
}

int
main (int argc, char **argv)
{
  const MprocFunc functions[] = { produce, consume };
  MprocProcess *processes[G_N_ELEMENTS (functions)];
  GError *error = NULL;
  MprocQueue *queue;

  mproc_init (&argc, &argv);
  queue = mproc_queue_new (10, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (functions); i++)
    {
      processes[i] = mproc_process_new (functions[i], mproc_pack ("(h)", queue));
      if (!mproc_process_start (processes[i], &error))
        g_error ("%s", error->message);
    }
  for (guint i = 0; i < G_N_ELEMENTS (functions); i++)
    {
      mproc_process_join (processes[i], MPROC_FOREVER);
      mproc_process_unref (processes[i]);
    }
  mproc_queue_unref (queue);
  return 0;
}
