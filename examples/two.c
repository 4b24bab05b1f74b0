/* SPDX-License-Identifier: MIT */
/* Two processes: at once, and one after the other. */
#include <mproc.h>
#include <stdio.h>

#define NAP MPROC_SECONDS (0.5)

static GVariant *
nap (GVariant *args, GError **error)
{
  g_usleep (NAP);
  return NULL;
}

static MprocProcess *
start (void)
{
  GError *error = NULL;
  MprocProcess *process = mproc_process_new (nap, NULL);

  if (!mproc_process_start (process, &error))
    g_error ("%s", error->message);
  return process;
}

static void
finish (MprocProcess *process)
{
  mproc_process_join (process, MPROC_FOREVER);
  mproc_process_unref (process);
}

int
main (int argc, char **argv)
{
  MprocProcess *one, *two;
  gint64 begin;

  mproc_init (&argc, &argv);

  begin = g_get_monotonic_time ();
  one = start ();
  two = start ();
  finish (one);
  finish (two);
  printf ("at once: %s\n",
          g_get_monotonic_time () - begin < 2 * NAP ? "one nap" : "two naps");

  begin = g_get_monotonic_time ();
  finish (start ());
  finish (start ());
  printf ("in turn: %s\n",
          g_get_monotonic_time () - begin < 2 * NAP ? "one nap" : "two naps");
  return 0;
}
