/* SPDX-License-Identifier: MIT */
/* What a worker's process is like before its first task. */
#include "pools.h"
#include "setups.h"

#include <glib/gstdio.h>
#include <string.h>

/* ------------------------------------------------------------------ processors */

static GVariant *
describe_processor (GVariant *args, GError **error)
{
  GVariant *number = mproc_test_be_stuck (args, error);

  if (number == NULL)
    return NULL;
  g_variant_unref (number);
  return g_variant_new ("(iu)", mproc_test_get_processor (), mproc_cpu_count ());
}

/* Two workers at a time; returns the processors of both, the lower one first. */
static void
expect_processors (MprocPool *pool, const guint *cpus, guint n)
{
  gint wanted[2] = { (gint) cpus[0], (gint) cpus[1 % n] };
  MprocResult *results[2];
  MprocTestGate gate;
  gint seen[2];
  guint count;

  mproc_test_gate_init (&gate);
  for (guint i = 0; i < 2; i++)
    results[i] = mproc_test_gate_occupy (&gate, pool, describe_processor);
  mproc_test_gate_open (&gate, 2, 0);
  for (guint i = 0; i < 2; i++)
    {
      GVariant *value = mproc_test_value_of (results[i]);

      g_variant_get (value, "(iu)", &seen[i], &count);
      g_variant_unref (value);
      ck_assert (count == 1 || mproc_test_is_slow_platform ());
    }
  mproc_test_gate_clear (&gate);
  ck_assert ((seen[0] == wanted[0] && seen[1] == wanted[1]) ||
             (seen[0] == wanted[1] && seen[1] == wanted[0]));
}

START_TEST (workers_have_their_processor)
{
  MprocPoolOptions *options = mproc_test_pool_options (_i);
  guint cpus[8];
  guint n = mproc_test_list_processors (cpus, G_N_ELEMENTS (cpus));
  MprocPool *pool;

  if (n == 0) /* this system does not let a program choose */
    {
      mproc_pool_options_free (options);
      return;
    }
  mproc_pool_options_set_cpus (options, cpus, n);
  pool = mproc_test_pool_with (2, options);
  expect_processors (pool, cpus, n);
  if (mproc_test_method (_i) != MPROC_START_METHOD_THREAD)
    {
      /* Whichever of them it is: its replacement takes its place. */
      mproc_test_expect_failure (mproc_pool_apply_async (pool, mproc_test_exit_with_six,
                                                         NULL, NULL),
                                 MPROC_ERROR_WORKER_DIED, "6");
      expect_processors (pool, cpus, n);
    }
  mproc_test_end_pool (pool);
}
END_TEST

static gboolean
counts (const char *quota, const char *period, guint wanted, GError **error)
{
  mproc_test_set_quota (quota, period);
  if (mproc_cpu_count () == wanted)
    return TRUE;
  g_set_error (error, MPROC_ERROR, MPROC_ERROR_FAILED, "%s of %s: %u, not %u", quota,
               period, mproc_cpu_count (), wanted);
  return FALSE;
}

/* Also what is not a whole number of them. */
static GVariant *
count_by_quota (GVariant *args, GError **error)
{
  guint all = mproc_cpu_count ();

  (void) args;
  if (mproc_test_fake_groups () && counts ("50000", "100000", 1, error) &&
      counts ("150000", "100000", MIN (all, 2), error) &&
      counts ("100", "100000", 1, error))
    counts ("max", "100000", all, error);
  return NULL;
}

/* In a process of its own, which may have to be privileged for it. */
START_TEST (a_quota_of_processor_time_counts)
{
  mproc_test_end_with (mproc_test_start (_i, count_by_quota, NULL), 0);
}
END_TEST

/* A pool whose workers cannot be as they should either is not made or is broken: with this text. */
static void
expect_broken (MprocPoolOptions *options, const char *text)
{
  GError *error = NULL;
  MprocPool *pool = mproc_pool_new_full (2, options, &error);
  GVariant *value = NULL;

  mproc_pool_options_free (options);
  while (pool != NULL && error == NULL)
    {
      value = mproc_pool_apply (pool, mproc_test_tell_pid, NULL, &error);
      ck_assert_ptr_null (value);
    }
  ck_assert_msg (g_error_matches (error, MPROC_ERROR, MPROC_ERROR_STATE), "%s",
                 error->message);
  ck_assert_msg (strstr (error->message, "setup failed") != NULL, "%s", error->message);
  ck_assert_msg (strstr (error->message, text) != NULL, "%s", error->message);
  g_error_free (error);
  mproc_pool_unref (pool);
}

START_TEST (a_processor_that_does_not_exist_breaks_the_pool)
{
  MprocPoolOptions *options = mproc_test_pool_options (_i);
  guint none = 1000000;

  mproc_pool_options_set_cpus (options, &none, 1);
  expect_broken (options, "processor 1000000");
}
END_TEST

/* ------------------------------------------------------------------ what processes have */

static GVariant *
tell_niceness (GVariant *args, GError **error)
{
  (void) args, (void) error;
  return g_variant_new_int32 (mproc_test_get_niceness ());
}

START_TEST (workers_are_nicer)
{
  MprocPoolOptions *options = mproc_test_pool_options (_i);
  MprocPool *pool;
  GVariant *value;

  mproc_pool_options_set_niceness (options, 7);
  pool = mproc_test_pool_with (1, options);
  value = mproc_test_value_of (mproc_pool_apply_async (pool, tell_niceness, NULL, NULL));
  ck_assert_int_eq (g_variant_get_int32 (value),
                    mproc_test_expect_niceness (mproc_test_get_niceness (), 7));
  g_variant_unref (value);
  mproc_test_end_pool (pool);
}
END_TEST

/* Looks for a file by its relative name, in the initializer. */
static GVariant *
find_file (GVariant *args, GError **error)
{
  const char *name = g_variant_get_string (args, NULL);

  if (!g_file_test (name, G_FILE_TEST_EXISTS))
    g_set_error (error, MPROC_ERROR, MPROC_ERROR_FAILED, "there is no %s", name);
  return NULL;
}

static void
expect_file (int i, const char *directory, const char *name)
{
  MprocPoolOptions *options = mproc_test_pool_options (i);
  MprocPool *pool;

  mproc_pool_options_set_directory (options, directory);
  mproc_pool_options_set_initializer (options, find_file, g_variant_new_string (name));
  pool = mproc_test_pool_with (1, options);
  g_variant_unref (mproc_test_value_of (
      mproc_pool_apply_async (pool, find_file, g_variant_new_string (name), NULL)));
  mproc_test_end_pool (pool);
}

START_TEST (workers_are_in_their_directory)
{
  char *folder = mproc_test_temporary ("place");
  char *file = g_build_filename (folder, "here", NULL);
  char *parent = g_path_get_dirname (folder);
  char *name = g_path_get_basename (folder);
  char *before = g_get_current_dir ();

  ck_assert_int_eq (g_mkdir (folder, 0700), 0);
  ck_assert (g_file_set_contents (file, "", 0, NULL));
  expect_file (_i, folder, "here");
  /* Seen from where this process is. */
  ck_assert_int_eq (g_chdir (parent), 0);
  expect_file (_i, name, "here");
  ck_assert_int_eq (g_chdir (before), 0);
  ck_assert_int_eq (g_unlink (file), 0);
  ck_assert_int_eq (g_rmdir (folder), 0);
  g_free (folder);
  g_free (file);
  g_free (parent);
  g_free (name);
  g_free (before);
}
END_TEST

START_TEST (a_directory_that_does_not_exist_breaks_the_pool)
{
  MprocPoolOptions *options = mproc_test_pool_options (_i);
  char *folder = mproc_test_temporary ("nowhere");

  mproc_pool_options_set_directory (options, folder);
  expect_broken (options, "directory");
  g_free (folder);
}
END_TEST

static GVariant *
tell_variable (GVariant *args, GError **error)
{
  const char *value = g_getenv (g_variant_get_string (args, NULL));

  (void) error;
  return g_variant_new_string (value != NULL ? value : "(unset)");
}

static void
expect_variable (MprocPool *pool, const char *name, const char *wanted)
{
  GVariant *value =
      mproc_test_value_of (mproc_pool_apply_async (pool, tell_variable,
                                                   g_variant_new_string (name), NULL));

  ck_assert_str_eq (g_variant_get_string (value, NULL), wanted);
  g_variant_unref (value);
}

START_TEST (workers_have_their_environment)
{
  MprocPoolOptions *options = mproc_test_pool_options (_i);
  MprocPool *pool;

  g_setenv ("MPROC_TEST_KEPT", "kept", TRUE);
  g_setenv ("MPROC_TEST_DROPPED", "still there", TRUE);
  mproc_pool_options_set_environment (options, "MPROC_TEST_ONE", "first");
  mproc_pool_options_set_environment (options, "MPROC_TEST_TWO", "v\303\244lue = 2");
  mproc_pool_options_set_environment (options, "MPROC_TEST_ONE", "again");
  mproc_pool_options_set_environment (options, "MPROC_TEST_DROPPED", NULL);
  pool = mproc_test_pool_with (1, options);
  expect_variable (pool, "MPROC_TEST_KEPT", "kept");
  expect_variable (pool, "MPROC_TEST_ONE", "again");
  expect_variable (pool, "MPROC_TEST_TWO", "v\303\244lue = 2");
  expect_variable (pool, "MPROC_TEST_DROPPED", "(unset)");
  ck_assert_str_eq (g_getenv ("MPROC_TEST_DROPPED"), "still there");
  ck_assert_ptr_null (g_getenv ("MPROC_TEST_ONE"));
  mproc_test_end_pool (pool);
  g_unsetenv ("MPROC_TEST_KEPT");
  g_unsetenv ("MPROC_TEST_DROPPED");
}
END_TEST

static void
expect_refusal (MprocPoolOptions *options, const char *text)
{
  GError *error = NULL;

  ck_assert_ptr_null (mproc_pool_new_full (1, options, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_NOT_SUPPORTED, text);
  mproc_pool_options_free (options);
}

static MprocPoolOptions *
thread_options (void)
{
  MprocPoolOptions *options = mproc_pool_options_new ();

  mproc_pool_options_set_start_method (options, MPROC_START_METHOD_THREAD);
  return options;
}

START_TEST (threads_have_no_process_of_their_own)
{
  MprocPoolOptions *options = thread_options ();

  mproc_pool_options_set_niceness (options, 1);
  expect_refusal (options, "niceness");
  options = thread_options ();
  mproc_pool_options_set_directory (options, "/");
  expect_refusal (options, "directory");
  options = thread_options ();
  mproc_pool_options_set_environment (options, "MPROC_TEST_ONE", NULL);
  expect_refusal (options, "environment");
}
END_TEST

/* ------------------------------------------------------------------ names */

static GVariant *
tell_name (GVariant *args, GError **error)
{
  const char *name = mproc_process_get_name (mproc_process_current ());

  (void) args, (void) error;
  return g_variant_new ("(su)", name, mproc_worker_get_number ());
}

/* Each worker has one task. */
static void
expect_names (MprocPoolOptions *options, const char *name)
{
  MprocPool *pool;

  mproc_pool_options_set_max_tasks_per_worker (options, 1);
  pool = mproc_test_pool_with (1, options);
  for (guint32 n = 1; n <= 3; n++)
    {
      char *wanted = g_strdup_printf ("%s-%u", name, n);
      GVariant *value =
          mproc_test_value_of (mproc_pool_apply_async (pool, tell_name, NULL, NULL));
      const char *seen;
      guint32 number;

      g_variant_get (value, "(&su)", &seen, &number);
      ck_assert_str_eq (seen, wanted);
      ck_assert_uint_eq (number, n);
      g_variant_unref (value);
      g_free (wanted);
    }
  mproc_test_end_pool (pool);
}

START_TEST (workers_are_called_as_asked)
{
  MprocPoolOptions *options = mproc_test_pool_options (_i);

  expect_names (options, "PoolWorker");
  options = mproc_test_pool_options (_i);
  mproc_pool_options_set_name (options, "smith");
  expect_names (options, "smith");
}
END_TEST

Suite *
mproc_test_pool_setup_suite (void)
{
  Suite *suite = suite_create ("pool-setup");
  TCase *tcase = mproc_test_case (suite, "pool-setup");
  int n = (int) mproc_test_n_methods ();

  tcase_add_loop_test (tcase, workers_are_called_as_asked, 0, n);
  tcase_add_loop_test (tcase, workers_have_their_processor, 0, n);
  tcase_add_loop_test (tcase, a_processor_that_does_not_exist_breaks_the_pool, 0, n);
  tcase_add_test (tcase, threads_have_no_process_of_their_own);
  for (int i = 0; i < n; i++)
    if (mproc_test_method (i) != MPROC_START_METHOD_THREAD)
      {
        tcase_add_loop_test (tcase, a_quota_of_processor_time_counts, i, i + 1);
        tcase_add_loop_test (tcase, workers_are_nicer, i, i + 1);
        tcase_add_loop_test (tcase, workers_are_in_their_directory, i, i + 1);
        tcase_add_loop_test (tcase, a_directory_that_does_not_exist_breaks_the_pool, i,
                             i + 1);
        tcase_add_loop_test (tcase, workers_have_their_environment, i, i + 1);
      }
  return suite;
}
