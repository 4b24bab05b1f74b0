/* SPDX-License-Identifier: MIT */
/* A plugin with its own copy of mproc, linked statically. */
#include "lines.h"

void plugin_main (gboolean with_init);

static GVariant *
target (GVariant *args, GError **error)
{
  (void) args;
  (void) error;
  say ("plugin target");
  return NULL;
}

void
plugin_main (gboolean with_init)
{
  MprocProcess *process;

  if (with_init)
    mproc_init (NULL, NULL);
  process = mproc_process_new (target, NULL);
  mproc_process_set_start_method (process, MPROC_START_METHOD_SPAWN);
  say_how_it_runs ("plugin", process);
}
