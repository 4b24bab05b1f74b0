/* SPDX-License-Identifier: MIT */
/* program-guard none|late|storm|init|robbed [EXECUTABLE]: one process, spawned by a program
 * that passes mproc_init never, after something else, after a start, or first of all; or that then
 * has closed what mproc needs, and opened something else. */
#include "lines.h"

#include "arena/arena.h"
#include "os.h"

#include <string.h>

static GVariant *
target (GVariant *args, GError **error)
{
  (void) args;
  (void) error;
  say ("target");
  return NULL;
}

static MprocProcess *
make_process (void)
{
  MprocProcess *process = mproc_process_new (target, NULL);

  mproc_process_set_start_method (process, MPROC_START_METHOD_SPAWN);
  return process;
}

/* As one that closes all its descriptors, and opens others, which get the same numbers. */
static void
rob (void)
{
  gintptr a, b;

  mproc_queue_unref (mproc_queue_new (0, NULL));
  mproc_os_channel_close (mproc_arena_get_handle ());
  if (!mproc_os_channel_pair (FALSE, &a, &b, NULL) || a != mproc_arena_get_handle ())
    say ("the number is not the same");
}

int
main (int argc, char **argv)
{
  GError *error = NULL;

  if (strcmp (argv[1], "init") == 0 || strcmp (argv[1], "robbed") == 0)
    mproc_init (&argc, &argv);
  say ("main");
  if (argc > 2)
    {
      if (!mproc_set_executable (argv[2], &error))
        say ("%s", error->message);
      g_clear_error (&error);
    }
  if (strcmp (argv[1], "robbed") == 0)
    rob ();
  if (strcmp (argv[1], "late") == 0)
    {
      MprocQueue *queue = mproc_queue_new (0, &error);

      if (queue == NULL)
        say ("queue: %s %d", g_quark_to_string (error->domain), error->code);
      g_clear_error (&error);
      mproc_queue_unref (queue);
      mproc_init (&argc, &argv);
    }
  if (strcmp (argv[1], "storm") == 0)
    {
      say_how_it_runs ("before", make_process ());
      mproc_init (&argc, &argv);
    }
  say_how_it_runs ("spawn", make_process ());
  return 0;
}
