/* SPDX-License-Identifier: MIT */
/* A function that runs in another process. */
#include <mproc.h>
#include <stdio.h>

static GVariant *
hello (GVariant *args, GError **error)
{
  const char *name;

  g_variant_get (args, "(&s)", &name);
  printf ("hello %s\n", name);
  return NULL;
}

int
main (int argc, char **argv)
{
  GError *error = NULL;
  MprocProcess *process;

  mproc_init (&argc, &argv);
  process = mproc_process_new (hello, g_variant_new ("(s)", "bob"));
  if (!mproc_process_start (process, &error))
    g_error ("%s", error->message);
  mproc_process_join (process, MPROC_FOREVER);
  mproc_process_unref (process);
  return 0;
}
