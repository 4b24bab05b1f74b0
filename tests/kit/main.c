/* SPDX-License-Identifier: MIT */
/* The test program: mproc-tests runs everything, CK_RUN_SUITE=queue one suite;
 * MPROC_TEST_ALONE=1: on one processor. */
#include "processes.h"
#include "setups.h"

#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>

/* One line a file, SUITE (name), written by CMake. */
#define SUITE(name) Suite *mproc_test_##name##_suite (void);
#include "suites.h"
#undef SUITE

static Suite *(*const suites[]) (void) = {
#define SUITE(name) mproc_test_##name##_suite,
#include "suites.h"
#undef SUITE
};

/* What the library makes once and keeps (the arena, the identity page, on Windows a
 * thread's event for its operations) is no leak of the first test.  A start that fails
 * here will be some suite's failure. */
static void
warm_up (void)
{
  MprocQueue *queue = mproc_queue_new (0, NULL);
  MprocConnection *a, *b;

  mproc_queue_unref (queue);
  /* Windows opens its folder of names for the first name that is asked for. */
  mproc_shared_memory_unref (mproc_shared_memory_open ("mproc-none", 0, NULL));
  if (mproc_pipe (FALSE, &a, &b, NULL))
    {
      mproc_connection_send_bytes (b, NULL, 0, NULL);
      mproc_connection_unref (a);
      mproc_connection_unref (b);
    }
  for (guint i = 0; i < mproc_test_n_methods (); i++)
    {
      MprocProcess *process = mproc_process_new (mproc_test_do_nothing, NULL);

      mproc_process_set_daemon (process,
                                TRUE); /* on Windows the first one makes the job */
      mproc_process_set_start_method (process, mproc_test_method ((int) i));
      if (mproc_process_start (process, NULL))
        mproc_process_join (process, MPROC_FOREVER);
      mproc_process_unref (process);
    }
}

/* A folder of our own, so that whatever appears in it is ours.  GLib reads these
 * variables once: nothing has asked it for the folder yet. */
static char *
make_temporary_folder (void)
{
  const char *const names[] = { "TMPDIR", "TEMP", "TMP" };
  const char *parent = NULL;
  char *folder;

  for (guint i = 0; i < G_N_ELEMENTS (names) && parent == NULL; i++)
    parent = g_getenv (names[i]);
  folder =
      g_build_filename (parent != NULL ? parent : "/tmp", "mproc-tests-XXXXXX", NULL);
  if (g_mkdtemp (folder) == NULL)
    g_error ("cannot make %s", folder);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    g_setenv (names[i], folder, TRUE);
  return folder;
}

/* A test that failed has left its children behind, for which the program would wait. */
static void
end_children (void)
{
  GPtrArray *children = mproc_process_list_children ();

  for (guint i = 0; i < children->len; i++)
    mproc_process_kill (g_ptr_array_index (children, i), NULL);
  g_ptr_array_unref (children);
}

static int
run_suites (void)
{
  SRunner *runner = srunner_create (NULL);
  int run;
  int failed;

  for (guint i = 0; i < G_N_ELEMENTS (suites); i++)
    srunner_add_suite (runner, suites[i]());
  srunner_set_fork_status (runner, CK_NOFORK);
  srunner_run_all (runner, CK_ENV);
  run = srunner_ntests_run (runner);
  failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  if (failed > 0)
    end_children ();
  if (run == 0)
    fprintf (stderr, "no test was run: is CK_RUN_SUITE the name of a suite?\n");
  return run == 0 || failed > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int
main (int argc, char **argv)
{
  char *folder;
  int status;

  if (g_getenv ("MPROC_TEST_ALONE") != NULL)
    mproc_test_keep_to_one_processor ();
  mproc_init (&argc, &argv);

  mproc_test_contain ();
  folder = make_temporary_folder ();
  mproc_test_limit (60, "the first use of the library");
  warm_up ();
  mproc_test_limit (0, NULL);
  status = run_suites ();
  if (g_rmdir (folder) != 0)
    {
      fprintf (stderr, "%s is not empty\n", folder);
      status = EXIT_FAILURE;
    }
  g_free (folder);
  return status;
}
