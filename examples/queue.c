/* SPDX-License-Identifier: MIT */
/* A child sends values through a queue that it was given. */
#include <mproc.h>
#include <stdio.h>

static GVariant *
put_list (GVariant *args, GError **error)
{
  MprocQueue *queue;

  if (mproc_unpack (args, error, "(&h)", &queue))
    mproc_queue_put (queue, g_variant_new_parsed ("[<42>, <@mi nothing>, <'hello'>]"),
                     MPROC_FOREVER, error);
  return NULL;
}

int
main (int argc, char **argv)
{
  GError *error = NULL;
  MprocQueue *queue;
  MprocProcess *process;
  GVariant *list;
  char *text;

  mproc_init (&argc, &argv);
  queue = mproc_queue_new (0, &error);
  if (queue == NULL)
    g_error ("%s", error->message);
  process = mproc_process_new (put_list, mproc_pack ("(h)", queue));
  if (!mproc_process_start (process, &error))
    g_error ("%s", error->message);

  list = mproc_queue_get (queue, MPROC_FOREVER, &error);
  if (list == NULL)
    g_error ("%s", error->message);
  text = g_variant_print (list, FALSE);
  puts (text);

  mproc_process_join (process, MPROC_FOREVER);
  g_free (text);
  g_variant_unref (list);
  mproc_process_unref (process);
  mproc_queue_unref (queue);
  return 0;
}
