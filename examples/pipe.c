/* SPDX-License-Identifier: MIT */
/* A pipe between two processes, and how its end shows. */
#include <mproc.h>
#include <stdio.h>

static GVariant *
send_list (GVariant *args, GError **error)
{
  MprocConnection *writer;

  if (mproc_unpack (args, error, "(&h)", &writer) &&
      mproc_connection_send (writer, g_variant_new_parsed ("[<42>, <'hello'>]"), error))
    mproc_connection_close (writer);
  return NULL;
}

int
main (int argc, char **argv)
{
  GError *error = NULL;
  MprocConnection *reader, *writer;
  MprocProcess *process;
  GVariant *value;

  mproc_init (&argc, &argv);
  if (!mproc_pipe (FALSE, &reader, &writer, &error))
    g_error ("%s", error->message);
  process = mproc_process_new (send_list, mproc_pack ("(h)", writer));
  if (!mproc_process_start (process, &error))
    g_error ("%s", error->message);
  mproc_connection_close (writer); /* while it is open here, the pipe does not end */

  while ((value = mproc_connection_recv (reader, MPROC_FOREVER, &error)) != NULL)
    {
      char *text = g_variant_print (value, FALSE);

      puts (text);
      g_free (text);
      g_variant_unref (value);
    }
  if (g_error_matches (error, MPROC_ERROR, MPROC_ERROR_CLOSED))
    puts ("closed");

  g_clear_error (&error);
  mproc_process_join (process, MPROC_FOREVER);
  mproc_process_unref (process);
  mproc_connection_unref (reader);
  mproc_connection_unref (writer);
  return 0;
}
