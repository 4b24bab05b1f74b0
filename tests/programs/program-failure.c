/* SPDX-License-Identifier: MIT */
/* program-failure METHOD: a target that fails, one that exits, what they leave in the
 * streams. */
#include "lines.h"

#include <stdio.h>
#include <stdlib.h>

static GVariant *
fail (GVariant *args, GError **error)
{
  (void) args;
  printf ("before the failure\n");
  g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_FAILED,
                       "Invalid value \xe8\xbf\x9b");
  return NULL;
}

static GVariant *
leave (GVariant *args, GError **error)
{
  (void) args;
  (void) error;
  printf ("before the exit\n");
  mproc_process_exit (9);
}

int
main (int argc, char **argv)
{
  MprocFunc const functions[] = { fail, leave };
  MprocStartMethod method;

  mproc_init (&argc, &argv);
  method = (MprocStartMethod) atoi (argv[1]);
  for (guint i = 0; i < G_N_ELEMENTS (functions); i++)
    {
      MprocProcess *process = mproc_process_new (functions[i], NULL);

      mproc_process_set_start_method (process, method);
      /* In the buffer at the start: it is written once. */
      printf ("main\n");
      say_how_it_runs ("failure", process);
    }
  return 0;
}
