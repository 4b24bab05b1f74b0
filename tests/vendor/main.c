/* SPDX-License-Identifier: MIT */
#include <mproc.h>
#include <stdio.h>

static GVariant *
work (GVariant *args, GError **error)
{
  (void) args;
  (void) error;
  mproc_process_exit (7);
  return NULL;
}

int
main (int argc, char **argv)
{
  MprocProcess *process;
  GError *error = NULL;
  int code = -1;

  mproc_init (&argc, &argv);
  process = mproc_process_new (work, NULL);
  mproc_process_set_start_method (process, MPROC_START_METHOD_SPAWN);
  if (!mproc_process_start (process, &error))
    {
      fprintf (stderr, "%s\n", error->message);
      return 1;
    }
  mproc_process_join (process, MPROC_FOREVER);
  mproc_process_get_exit_code (process, &code);
  mproc_process_unref (process);
  printf ("exit code %d\n", code);
  return code != 7;
}
