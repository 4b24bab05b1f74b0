/* SPDX-License-Identifier: MIT */
/* The example EXAMPLE, as it is, whose processes start by the method that the variable EXAMPLE_METHOD
 * names.  It comes in here, not beside this file: its call of mproc_init() is to find another function,
 * while the header's declaration, which may import from a DLL, keeps its name. */
#include <mproc.h>

/* A spawned child ends in mproc_init(): it has its parent's method. */
static void
init_by_method (int *argc, char ***argv)
{
  const char *name = g_getenv ("EXAMPLE_METHOD");
  MprocStartMethod method = MPROC_START_METHOD_DEFAULT;
  GError *error = NULL;

  mproc_init (argc, argv);
  /* GLib makes a lock at the first error, in a way that ThreadSanitizer takes for a race when two
   * threads come to it at once. */
  g_error_free (g_error_new_literal (MPROC_ERROR, MPROC_ERROR_FAILED, ""));
  if (g_strcmp0 (name, "fork") == 0)
    method = MPROC_START_METHOD_FORK;
  else if (g_strcmp0 (name, "spawn") == 0)
    method = MPROC_START_METHOD_SPAWN;
  else if (g_strcmp0 (name, "forkserver") == 0)
    method = MPROC_START_METHOD_FORKSERVER;
  else if (g_strcmp0 (name, "thread") == 0)
    method = MPROC_START_METHOD_THREAD;
  else
    g_error ("EXAMPLE_METHOD is %s, which is no method", name != NULL ? name : "not set");
  if (!mproc_set_start_method (method, &error))
    g_error ("%s", error->message);
}

#define mproc_init init_by_method
#include EXAMPLE
