/* SPDX-License-Identifier: MIT */
/* Programs of every kind and how their spawned children fare; tests/programs has them. */
#include "processes.h"

#include "os.h"
#include "process/guard.h"

#include <string.h>

typedef struct
{
  char *out;
  char *err;
  int status;
  gint64 duration;
} Outcome;

static char *
program (const char *name)
{
  return g_strconcat (MPROC_TEST_PROGRAMS "/", name, MPROC_TEST_SUFFIX, NULL);
}

/* Runs it with up to three arguments.  Lines come without the carriage returns of
 * Windows. */
static Outcome
run (const char *name, const char *a, const char *b)
{
  char *path = program (name);
  char *argv[] = { path, (char *) a, (char *) b, NULL };
  gint64 start = g_get_monotonic_time ();
  Outcome outcome = { NULL, NULL, -1, 0 };
  GError *error = NULL;
  char **lines;

  ck_assert_msg (g_spawn_sync (NULL, argv, NULL, G_SPAWN_DEFAULT, NULL, NULL,
                               &outcome.out, &outcome.err, &outcome.status, &error),
                 "%s", error != NULL ? error->message : "");
  outcome.duration = g_get_monotonic_time () - start;
  lines = g_strsplit (outcome.out, "\r", -1);
  g_free (outcome.out);
  outcome.out = g_strjoinv ("", lines);
  g_strfreev (lines);
  g_free (path);
  return outcome;
}

static void
clear (Outcome *outcome)
{
  g_free (outcome->out);
  g_free (outcome->err);
}

/* It printed that and nothing else, and ended with 0. */
static void
expect_output (const char *name, const char *a, const char *b, const char *wanted)
{
  Outcome outcome = run (name, a, b);

  ck_assert_str_eq (outcome.out, wanted);
  ck_assert_str_eq (outcome.err, "");
  ck_assert_int_eq (outcome.status, 0);
  clear (&outcome);
}

/* A spawn that failed since mproc_init was not passed: how often main ran, and what was
 * said. */
static void
expect_bootstrap (const char *mode,
                  const char *executable,
                  guint n_mains,
                  const char *text)
{
  Outcome outcome = run ("program-guard", mode, executable);
  char *code = g_strdup_printf ("spawn: mproc-error-quark %d: ", MPROC_ERROR_BOOTSTRAP);

  ck_assert_msg (strstr (outcome.out, code) != NULL, "%s", outcome.out);
  ck_assert_msg (strstr (outcome.out, text) != NULL, "%s", outcome.out);
  ck_assert_msg (strstr (outcome.out, "mproc_init (&argc, &argv)") != NULL, "%s",
                 outcome.out);
  ck_assert_msg (strstr (outcome.out, "target") == NULL, "%s", outcome.out);
  ck_assert_uint_eq (mproc_test_occurrences (outcome.out, "main\n"), n_mains);
  if (!mproc_test_is_slow_platform ())
    ck_assert_int_lt (outcome.duration, 2 * G_USEC_PER_SEC);
  g_free (code);
  clear (&outcome);
}

/* ------------------------------------------------------------------ without the guard */

START_TEST (never_called)
{
  expect_bootstrap ("none", NULL, 1, "has not called mproc_init()");
}
END_TEST

START_TEST (called_too_late)
{
  expect_bootstrap ("late", NULL, 2, "before mproc_init() was called");
}
END_TEST

/* A child that starts a process before it has passed the guard would do so for ever. */
START_TEST (no_storm)
{
  expect_bootstrap ("storm", NULL, 2, "before mproc_init() was called");
}
END_TEST

/* A child that finds no arena would go on as the program, and start itself again. */
START_TEST (no_storm_where_the_arena_is_lost)
{
  if (mproc_test_can_fork ()) /* Windows passes handles, whose numbers the program does not choose */
    expect_bootstrap ("robbed", NULL, 1, "exit code 1");
}
END_TEST

START_TEST (another_program_that_ends)
{
  char *stranger = program ("program-stranger");

  expect_bootstrap ("init", stranger, 1, "exit code 3");
  g_free (stranger);
}
END_TEST

START_TEST (another_program_that_stays)
{
  char *stranger = program ("program-stranger");

  g_setenv ("STRANGER_STAYS", "1", TRUE);
  g_setenv ("MPROC_START_TIMEOUT", "0.5", TRUE);
  expect_bootstrap ("init", stranger, 1, "MPROC_START_TIMEOUT");
  g_unsetenv ("STRANGER_STAYS");
  g_unsetenv ("MPROC_START_TIMEOUT");
  g_free (stranger);
}
END_TEST

START_TEST (no_such_program)
{
  Outcome outcome = run ("program-guard", "init", "/no/such/program");

  ck_assert_str_eq (outcome.out, "main\n/no/such/program: there is no such program\n"
                                 "target\nspawn: exit code 0\n");
  clear (&outcome);
}
END_TEST

/* ------------------------------------------------------------------ with it */

START_TEST (first_line_of_main)
{
  expect_output ("program-guard", "init", NULL, "main\ntarget\nspawn: exit code 0\n");
}
END_TEST

/* The program itself, named, as a plugin would name another one. */
START_TEST (executable_by_name)
{
  char *itself = program ("program-guard");

  expect_output ("program-guard", "init", itself, "main\ntarget\nspawn: exit code 0\n");
  g_free (itself);
}
END_TEST

START_TEST (without_arguments_and_after_chdir)
{
  expect_output ("program-void", NULL, NULL,
                 "main\ntarget\nno mark\nvoid: exit code 0\n");
  expect_output ("program-void", "--multiprocessing-fork", "a=b",
                 "main\ntarget\nno mark\nvoid: exit code 0\n");
}
END_TEST

START_TEST (functions_of_libraries)
{
  expect_output ("program-library", NULL, NULL,
                 "static function got 1\nstatic: exit code 0\n"
                 "library function got 2\nlinked: exit code 0\n"
                 "library function got 3\nloaded: exit code 0\n");
}
END_TEST

START_TEST (a_library_loaded_by_a_relative_name)
{
  expect_output ("program-library", "relative", NULL,
                 "library function got 4\nloaded: exit code 0\n");
}
END_TEST

/* The program's copy of mproc leaves the plugin's mark alone, so that main goes on in
 * the child until the plugin's copy takes it. */
START_TEST (two_copies)
{
  expect_output ("program-host", "init", NULL,
                 "host main\nhost main\nplugin target\nplugin: exit code 0\n"
                 "host target\nhost: exit code 0\n");
}
END_TEST

START_TEST (two_copies_of_which_one_has_no_guard)
{
  Outcome outcome = run ("program-host", NULL, NULL);
  char *wanted =
      g_strdup_printf ("host main\nplugin: mproc-error-quark %d: this program has "
                       "not called mproc_init()",
                       MPROC_ERROR_BOOTSTRAP);

  ck_assert_msg (g_str_has_prefix (outcome.out, wanted), "%s", outcome.out);
  ck_assert_msg (g_str_has_suffix (outcome.out, "\nhost target\nhost: exit code 0\n"),
                 "%s", outcome.out);
  g_free (wanted);
  clear (&outcome);
}
END_TEST

/* What is no mark of ours is left alone, whatever it looks like. */
START_TEST (hostile_marks)
{
  static const char *const marks[] = { "",
                                       " ",
                                       "mproc",
                                       "mproc 1 0 0 3 100000 0 80000 1000",
                                       "mproc 1 0 0 1 100000 0 80000 10",
                                       ("mproc 1 0 0 ffffffffffffffff ffffffffffffffff "
                                        "ffffffffffffffff ffffffff fffffffffffffff0"),
                                       "mproc 1 0 0 -1 -1 -1 -1 -1",
                                       "mproc 1 0 0 0x3 0 0 0 0",
                                       "mproc 1 ab 0 3 0 0 0 0",
                                       "mproc 1 0 0 3 0 0 0 0 0",
                                       "mproc 2 0 0 3 4000 0 0 10",
                                       "mproc  1 0 0 3 0 0 0 0",
                                       "%s%n%s%n",
                                       "mproc 1 0 0 11111111111111111 0 0 0 0" };
  char *many = g_strnfill (100000, 'f');

  for (guint i = 0; i <= G_N_ELEMENTS (marks); i++)
    {
      g_setenv (MPROC_MARK_NAME, i < G_N_ELEMENTS (marks) ? marks[i] : many, TRUE);
      expect_output ("program-guard", "init", NULL, "main\ntarget\nspawn: exit code 0\n");
    }
  g_unsetenv (MPROC_MARK_NAME);
  g_free (many);
}
END_TEST

/* ------------------------------------------------------------------ the end */

static void
run_with_method (const char *name, int i, Outcome *outcome)
{
  char *method = g_strdup_printf ("%d", (int) mproc_test_method (i));

  *outcome = run (name, method, NULL);
  g_free (method);
}

START_TEST (end_of_main)
{
  Outcome outcome;

  run_with_method ("program-exit", _i, &outcome);
  ck_assert_str_eq (outcome.out, "main is done\nchild is done\nhost's handler\n");
  ck_assert_str_eq (outcome.err, "");
  ck_assert_int_eq (outcome.status, 0);
  clear (&outcome);
}
END_TEST

/* exit () in a target that is a thread ends the program; it does not wait for itself. */
START_TEST (exit_in_a_thread)
{
  Outcome outcome = run ("program-exit", "thread", NULL);

  ck_assert_str_eq (outcome.out,
                    "a thread of a thread ends the program\nhost's handler\n");
  ck_assert_int_ne (outcome.status, 0);
  clear (&outcome);
}
END_TEST

START_TEST (failures_and_streams)
{
  Outcome outcome;
  gsize length;

  run_with_method ("program-failure", _i, &outcome);
  ck_assert_str_eq (outcome.out, "main\nbefore the failure\nfailure: exit code 1\n"
                                 "main\nbefore the exit\nfailure: exit code 9\n");
  length = strcspn (outcome.err, "\r\n");
  outcome.err[length] = '\0';
  ck_assert_str_eq (outcome.err, "Process Process-1: Invalid value \xe8\xbf\x9b");
  clear (&outcome);
}
END_TEST

Suite *
mproc_test_guard_suite (void)
{
  Suite *suite = suite_create ("guard");
  TCase *tcase = mproc_test_case (suite, "guard");
  int n = (int) mproc_test_n_methods ();

  tcase_add_test (tcase, never_called);
  tcase_add_test (tcase, called_too_late);
  tcase_add_test (tcase, no_storm);
  tcase_add_test (tcase, no_storm_where_the_arena_is_lost);
  tcase_add_test (tcase, another_program_that_ends);
  tcase_add_test (tcase, another_program_that_stays);
  tcase_add_test (tcase, no_such_program);
  tcase_add_test (tcase, first_line_of_main);
  tcase_add_test (tcase, executable_by_name);
  tcase_add_test (tcase, without_arguments_and_after_chdir);
  tcase_add_test (tcase, functions_of_libraries);
  tcase_add_test (tcase, a_library_loaded_by_a_relative_name);
  tcase_add_test (tcase, two_copies);
  tcase_add_test (tcase, two_copies_of_which_one_has_no_guard);
  tcase_add_test (tcase, hostile_marks);
  tcase_add_loop_test (tcase, end_of_main, 0, n);
  tcase_add_test (tcase, exit_in_a_thread);
  tcase_add_loop_test (tcase, failures_and_streams, 0, n);
  return suite;
}
