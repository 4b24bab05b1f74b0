/* SPDX-License-Identifier: MIT */
/* Pools within GNU make's limits. */
#include "pools.h"
#include "slots.h"

#include <glib/gstdio.h>
#include <string.h>

/* Takes both. */
static MprocPool *
make_pool_with (guint n_workers, MprocPoolOptions *options, char *flags)
{
  MprocPool *pool;

  g_setenv ("MAKEFLAGS", flags, TRUE);
  mproc_pool_options_set_jobserver (options, TRUE);
  pool = mproc_test_pool_with (n_workers, options);
  g_unsetenv ("MAKEFLAGS");
  g_free (flags);
  return pool;
}

static MprocPool *
make_pool (int i, guint n_workers, const char *tokens)
{
  return make_pool_with (n_workers, mproc_test_pool_options (i),
                         mproc_test_slots_open (tokens));
}

typedef struct
{
  guint n;
} Slots;

static gboolean
are_there (gpointer data)
{
  return mproc_test_slots_count () == ((Slots *) data)->n;
}

static void
expect_slots (guint n)
{
  Slots slots = { n };

  ck_assert (mproc_test_eventually (are_there, &slots));
}

START_TEST (no_more_tasks_run_than_there_are_slots)
{
  MprocPool *pool = make_pool (_i, 4, "+*");
  MprocResult *results[6];
  MprocTestGate gate;

  mproc_test_gate_init (&gate);
  expect_slots (2);
  /* The job's own, and two of make's. */
  for (guint i = 0; i < 3; i++)
    results[i] = mproc_test_gate_occupy (&gate, pool, mproc_test_be_stuck);
  expect_slots (0);
  for (guint i = 3; i < 6; i++)
    results[i] = mproc_test_gate_submit (&gate, pool, mproc_test_be_stuck, NULL);
  ck_assert_ptr_null (mproc_queue_get (gate.begun, MPROC_SECONDS (0.1), NULL));
  mproc_test_gate_open (&gate, 6, 0);
  for (guint i = 0; i < 6; i++)
    mproc_test_expect_success (results[i]);
  expect_slots (2);
  mproc_test_end_pool (pool);
  mproc_test_gate_clear (&gate);
  mproc_test_slots_close ();
}
END_TEST

/* Both slots are those of workers that die. */
START_TEST (the_dead_give_theirs_back)
{
  MprocPool *pool;
  MprocResult *results[2];
  MprocTestGate gate;

  pool = make_pool (_i, 2, "+");
  mproc_test_gate_init (&gate);
  for (guint round = 0; round < 3; round++)
    {
      for (guint i = 0; i < 2; i++)
        results[i] = mproc_test_gate_occupy (&gate, pool, mproc_test_be_stuck);
      expect_slots (0);
      for (guint i = 0; i < 2; i++)
        {
          ck_assert (mproc_result_kill (results[i]));
          mproc_test_expect_failure (results[i], MPROC_ERROR_CANCELLED, NULL);
        }
      expect_slots (1);
    }
  /* And those that the end finds. */
  for (guint i = 0; i < 2; i++)
    mproc_result_unref (mproc_test_gate_occupy (&gate, pool, mproc_test_be_stuck));
  mproc_pool_terminate (pool);
  ck_assert (mproc_pool_join (pool, MPROC_SECONDS (50)));
  expect_slots (1);
  mproc_pool_unref (pool);
  mproc_test_gate_clear (&gate);
  mproc_test_slots_close ();
}
END_TEST

/* The job's own slot is all there is, also for workers that are started when this process has closed what
 * make had given it. */
START_TEST (replacements_are_bound_as_well)
{
  MprocPoolOptions *options = mproc_test_pool_options (_i);
  MprocResult *results[2];
  MprocTestGate gate;
  MprocPool *pool;

  mproc_pool_options_set_max_tasks_per_worker (options, 1);
  pool = make_pool_with (2, options, mproc_test_slots_inherit (""));
  mproc_test_slots_disinherit ();
  mproc_test_gate_init (&gate);
  mproc_test_expect_service (pool, 6);
  results[0] = mproc_test_gate_occupy (&gate, pool, mproc_test_be_stuck);
  results[1] = mproc_test_gate_submit (&gate, pool, mproc_test_be_stuck, NULL);
  ck_assert_ptr_null (mproc_queue_get (gate.begun, MPROC_SECONDS (0.1), NULL));
  mproc_test_gate_open (&gate, 2, 0);
  for (guint i = 0; i < 2; i++)
    mproc_test_expect_success (results[i]);
  mproc_test_end_pool (pool);
  mproc_test_gate_clear (&gate);
  mproc_test_slots_close ();
}
END_TEST

START_TEST (without_make_it_changes_nothing)
{
  static const char *const flags[] = { NULL,
                                       "",
                                       " -j4",
                                       " -j4 --jobserver-auth=98,99",
                                       "--jobserver-auth=fifo:/nonexistent",
                                       "--jobserver-auth=nonsense" };

  for (guint i = 0; i < G_N_ELEMENTS (flags); i++)
    {
      MprocPoolOptions *options = mproc_test_pool_options (_i);
      MprocPool *pool;

      if (flags[i] != NULL)
        g_setenv ("MAKEFLAGS", flags[i], TRUE);
      mproc_pool_options_set_jobserver (options, TRUE);
      pool = mproc_test_pool_with (2, options);
      g_unsetenv ("MAKEFLAGS");
      mproc_test_expect_service (pool, 2);
      mproc_test_end_pool (pool);
    }
}
END_TEST

START_TEST (make_itself_is_content)
{
  char *path = mproc_test_temporary ("makefile");
  char *text =
      g_strdup ("all:\n\t+@" MPROC_TEST_PROGRAMS "/program-slots" MPROC_TEST_SUFFIX "\n");
  gint code = -1;
  char *output;
  char *most;

  ck_assert (g_file_set_contents (path, text, -1, NULL));
  output = mproc_test_make (path, 3, &code);
  if (output != NULL) /* else there is no make here */
    {
      ck_assert_msg (code == 0, "%s", output);
      most = strstr (output, "most at a time: ");
      ck_assert_msg (most != NULL, "%s", output);
      ck_assert_msg (most[16] >= '1' && most[16] <= '3', "%s", output);
      ck_assert_msg (strstr (output, "jobserver") == NULL, "%s", output);
    }
  g_unlink (path);
  g_free (output);
  g_free (path);
  g_free (text);
}
END_TEST

Suite *
mproc_test_pool_jobserver_suite (void)
{
  Suite *suite = suite_create ("pool-jobserver");
  TCase *tcase = mproc_test_case (suite, "pool-jobserver");
  int n = (int) mproc_test_n_methods ();

  tcase_add_loop_test (tcase, no_more_tasks_run_than_there_are_slots, 0, n);
  tcase_add_loop_test (tcase, replacements_are_bound_as_well, 0, n);
  tcase_add_loop_test (tcase, without_make_it_changes_nothing, 0, n);
  tcase_add_test (tcase, make_itself_is_content);
  for (int i = 0; i < n; i++)
    if (mproc_test_method (i) != MPROC_START_METHOD_THREAD) /* which cannot be killed */
      tcase_add_loop_test (tcase, the_dead_give_theirs_back, i, i + 1);
  return suite;
}
