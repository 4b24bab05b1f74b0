/* SPDX-License-Identifier: MIT */
/* Daemon processes with names: they are not waited for at the end of the program, unless it
 * joins them, as here. */
#include <mproc.h>
#include <stdio.h>

static GVariant *
work (GVariant *args, GError **error)
{
  printf ("working in %s\n", mproc_process_get_name (mproc_process_current ()));
  return NULL;
}

/* By puts (): g_print () writes question marks in a program without a UTF-8 locale. */
static void
show (MprocProcess *process)
{
  char *text = mproc_process_to_string (process);

  puts (text);
  g_free (text);
}

static void
run_daemon (const char *name)
{
  GError *error = NULL;
  MprocProcess *process = mproc_process_new (work, NULL);

  mproc_process_set_name (process, name);
  mproc_process_set_daemon (process, TRUE);
  show (process);
  if (!mproc_process_start (process, &error))
    g_error ("%s", error->message);
  mproc_process_join (process, MPROC_FOREVER);
  show (process);
  mproc_process_unref (process);
}

int
main (int argc, char **argv)
{
  mproc_init (&argc, &argv);
  run_daemon ("fun1");
  run_daemon ("fun1进程");
  return 0;
}
