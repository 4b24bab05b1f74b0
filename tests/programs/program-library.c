/* SPDX-License-Identifier: MIT */
/* Functions in a library that is linked, in one that is loaded, and a static one. */
#include "lines.h"

#include <glib/gstdio.h>

GVariant *library_function (GVariant *args, GError **error);

static GVariant *
static_function (GVariant *args, GError **error)
{
  (void) error;
  say ("static function got %d", g_variant_get_int32 (args));
  return NULL;
}

static void
run (const char *what, MprocFunc func, gint32 number)
{
  MprocProcess *process = mproc_process_new (func, g_variant_new_int32 (number));

  mproc_process_set_start_method (process, MPROC_START_METHOD_SPAWN);
  say_how_it_runs (what, process);
}

/* By a name that means nothing any more when the child is started. */
static void
run_loaded_by_relative_name (const char *path)
{
  char *folder = g_path_get_dirname (path);
  gpointer function = NULL;

  if (g_chdir (folder) == 0)
    function = load_symbol ("./loaded.module", "library_function");
  if (g_chdir ("/") == 0)
    run ("loaded", (MprocFunc) (guintptr) function, 4);
  g_free (folder);
}

int
main (int argc, char **argv)
{
  char *path;

  mproc_init (&argc, &argv);
  path = beside (argv[0], "loaded.module");
  if (argc > 1)
    {
      run_loaded_by_relative_name (path);
      g_free (path);
      return 0;
    }
  run ("static", static_function, 1);
  run ("linked", library_function, 2);
  run ("loaded", (MprocFunc) (guintptr) load_symbol (path, "library_function"), 3);
  g_free (path);
  return 0;
}
