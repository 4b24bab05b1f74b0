/* SPDX-License-Identifier: MIT */
/* program-host [init]: a program and its plugin, each with a copy of mproc. */
#include "lines.h"

static GVariant *
target (GVariant *args, GError **error)
{
  (void) args;
  (void) error;
  say ("host target");
  return NULL;
}

int
main (int argc, char **argv)
{
  void (*plugin_main) (gboolean);
  MprocProcess *process;
  char *path;

  mproc_init (&argc, &argv);
  say ("host main");
  path = beside (argv[0], "plugin.module");
  plugin_main = (void (*) (gboolean)) (guintptr) load_symbol (path, "plugin_main");
  g_free (path);
  plugin_main (argc > 1);
  process = mproc_process_new (target, NULL);
  mproc_process_set_start_method (process, MPROC_START_METHOD_SPAWN);
  say_how_it_runs ("host", process);
  return 0;
}
