/* SPDX-License-Identifier: MIT */
/* No arguments, and another folder by the time of the start. */
#include "lines.h"

static GVariant *
target (GVariant *args, GError **error)
{
  (void) error;
  say ("%s", g_variant_get_string (args, NULL));
  say (g_getenv ("MPROC_START") == NULL ? "no mark" : "the mark is still there");
  return NULL;
}

int
main (void)
{
  MprocProcess *process;

  mproc_init (NULL, NULL);
  say ("main");
  go_to_root ();
  if (!mproc_set_start_method (MPROC_START_METHOD_SPAWN, NULL) ||
      mproc_set_start_method (MPROC_START_METHOD_SPAWN, NULL) ||
      mproc_get_start_method () != MPROC_START_METHOD_SPAWN)
    say ("the start method is set once");
  process = mproc_process_new (target, g_variant_new_string ("target"));
  say_how_it_runs ("void", process);
  return 0;
}
