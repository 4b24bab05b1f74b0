/* SPDX-License-Identifier: MIT */
/* Daemons, orphans, and what happens to children when a process ends. */
#include "processes.h"

#include "os.h"
#include "process/process.h"

#include <string.h>

/* ------------------------------------------------------------------ daemons */

static GVariant *
start_one (GVariant *args, GError **error)
{
  MprocProcess *process = mproc_process_new (NULL, NULL);
  gboolean refused;

  (void) args;
  refused = !mproc_process_start (process, error) &&
            g_error_matches (*error, MPROC_ERROR, MPROC_ERROR_STATE) &&
            strstr ((*error)->message, "daemonic") != NULL &&
            mproc_process_is_daemon (process);
  mproc_process_unref (process);
  g_clear_error (error);
  mproc_process_exit (refused ? 8 : 2);
}

START_TEST (daemons_have_no_children)
{
  MprocProcess *process = mproc_process_new (start_one, NULL);

  ck_assert (!mproc_process_is_daemon (process));
  mproc_process_set_daemon (process, TRUE);
  mproc_test_start_it (_i, process);
  mproc_test_end_with (process, 8);
}
END_TEST

/* A target `(hh)` of queue and writer: says that it is there, and waits for ever. */
static GVariant *
stay (GVariant *args, GError **error)
{
  MprocQueue *queue;
  MprocConnection *writer;
  GVariant *value;

  if (!mproc_unpack (args, error, "(&h&h)", &queue, &writer))
    return NULL;
  mproc_test_say (queue, "up");
  value = mproc_connection_recv (writer, MPROC_FOREVER, NULL);
  if (value != NULL)
    g_variant_unref (value);
  return NULL;
}

static gpointer
start_in_thread (gpointer process)
{
  return GINT_TO_POINTER (mproc_process_start (process, NULL));
}

/* A target `(hhbb)` of queue, connection, whether to start the daemon from another
 * thread, and whether to stay. */
static GVariant *
start_daemon (GVariant *args, GError **error)
{
  MprocQueue *queue, *own;
  MprocConnection *connection;
  gboolean from_thread, stays;
  MprocProcess *daemon;

  if (!mproc_unpack (args, error, "(&h&hbb)", &queue, &connection, &from_thread, &stays))
    return NULL;
  own = mproc_queue_new (0, error);
  daemon = mproc_process_new (stay, mproc_pack ("(hh)", own, connection));
  mproc_process_set_daemon (daemon, TRUE);
  if (from_thread)
    g_thread_join (g_thread_new ("starter", start_in_thread, daemon));
  else
    mproc_process_start (daemon, error);
  /* Not before it is there. */
  g_variant_unref (mproc_queue_get (own, MPROC_FOREVER, NULL));
  mproc_test_say (queue, "up");
  if (stays)
    mproc_process_join (daemon, MPROC_FOREVER);
  return NULL;
}

/* How the daemon is known to be gone: nobody is left at the other end. */
static void
expect_end (MprocConnection *connection)
{
  GError *error = NULL;

  ck_assert_ptr_null (mproc_connection_recv (connection, MPROC_SECONDS (20), &error));
  mproc_test_expect_error (&error, MPROC_ERROR_CLOSED, "");
  mproc_connection_unref (connection);
}

static MprocProcess *
start_parent_of_daemon (int i,
                        gboolean from_thread,
                        gboolean stays,
                        MprocConnection **ours)
{
  MprocQueue *queue = mproc_queue_new (0, NULL);
  MprocConnection *theirs;
  MprocProcess *process;

  ck_assert (mproc_pipe (TRUE, ours, &theirs, NULL));
  process = mproc_test_start (i, start_daemon,
                              mproc_pack ("(hhbb)", queue, theirs, from_thread, stays));
  mproc_connection_close (theirs);
  mproc_connection_unref (theirs);
  mproc_test_expect_text (queue, "up");
  mproc_queue_unref (queue);
  return process;
}

START_TEST (daemons_die_with_a_killed_parent)
{
  MprocConnection *connection;
  MprocProcess *process;

  for (int from_thread = 0; from_thread < 2 && !mproc_test_is_thread (_i); from_thread++)
    {
      process = start_parent_of_daemon (_i, from_thread, TRUE, &connection);
      ck_assert (!mproc_connection_poll (connection, MPROC_SECONDS (0.05)));
      ck_assert (mproc_process_kill (process, NULL));
      mproc_test_end_with (process, mproc_os_can_fork () ? -9 : -15);
      expect_end (connection);
    }
}
END_TEST

START_TEST (daemons_are_terminated_at_the_end)
{
  MprocConnection *connection;
  MprocProcess *process;

  if (mproc_test_is_thread (_i))
    return;
  process = start_parent_of_daemon (_i, FALSE, FALSE, &connection);
  mproc_test_end_with (process, 0);
  expect_end (connection);
}
END_TEST

/* A target `(h)`: leaves a child behind that waits. */
static GVariant *
leave_child (GVariant *args, GError **error)
{
  MprocProcess *process = mproc_process_new (mproc_test_wait_in_queue, args);

  mproc_process_start (process, error);
  mproc_process_unref (process);
  return NULL;
}

START_TEST (others_are_waited_for_at_the_end)
{
  MprocQueue *queue = mproc_queue_new (0, NULL);
  MprocProcess *process = mproc_test_start (_i, leave_child, mproc_pack ("(h)", queue));

  ck_assert (!mproc_process_join (process, MPROC_SECONDS (0.1)));
  mproc_test_say (queue, "go on");
  mproc_test_end_with (process, 0);
  mproc_queue_unref (queue);
}
END_TEST

/* A target `(h)`: tells how it goes with its parent. */
static GVariant *
watch_parent (GVariant *args, GError **error)
{
  MprocProcess *parent = mproc_process_parent ();
  MprocQueue *queue;

  if (!mproc_unpack (args, error, "(&h)", &queue))
    return NULL;
  mproc_test_say (queue, mproc_process_join (parent, 0) ? "gone too early" : "up");
  if (mproc_process_join (parent, MPROC_SECONDS (20)) && !mproc_process_is_alive (parent))
    mproc_test_say (queue, "orphan");
  return NULL;
}

static GVariant *
start_watcher (GVariant *args, GError **error)
{
  MprocProcess *process = mproc_process_new (watch_parent, args);

  if (mproc_process_start (process, error))
    mproc_process_join (process, MPROC_FOREVER);
  return NULL;
}

START_TEST (orphans_know_it)
{
  MprocQueue *queue = mproc_queue_new (0, NULL);
  MprocProcess *process;

  if (!mproc_test_is_thread (_i))
    {
      process = mproc_test_start (_i, start_watcher, mproc_pack ("(h)", queue));
      mproc_test_expect_text (queue, "up");
      ck_assert (mproc_process_kill (process, NULL));
      mproc_test_end_with (process, mproc_os_can_fork () ? -9 : -15);
      mproc_test_expect_text (queue, "orphan");
    }
  mproc_queue_unref (queue);
}
END_TEST

/* ------------------------------------------------------------------ the end, early */

START_TEST (shutdown_ends_all)
{
  MprocQueue *queue = mproc_queue_new (0, NULL);
  MprocProcess *daemon, *other;

  if (mproc_test_is_thread (_i))
    {
      mproc_queue_unref (queue);
      return;
    }
  daemon = mproc_process_new (mproc_test_wait_in_queue, mproc_pack ("(h)", queue));
  mproc_process_set_daemon (daemon, TRUE);
  mproc_test_start_it (_i, daemon);
  ck_assert (mproc_shutdown (MPROC_FOREVER));
  ck_assert (!mproc_process_is_alive (daemon));
  mproc_test_end_with (daemon, -15);

  other = mproc_test_start (_i, mproc_test_wait_in_queue, mproc_pack ("(h)", queue));
  ck_assert (!mproc_shutdown (MPROC_SECONDS (0.05)));
  mproc_test_say (queue, "go on");
  ck_assert (mproc_shutdown (MPROC_FOREVER));
  mproc_test_end_with (other, 0);
  mproc_queue_unref (queue);
}
END_TEST

/* A process that the host forked has no part in its parent's children. */
START_TEST (forked_by_hand)
{
  MprocQueue *queue = mproc_queue_new (0, NULL);
  MprocProcess *process =
      mproc_test_start (_i, mproc_test_wait_in_queue, mproc_pack ("(h)", queue));
  MprocOsChild child;
  gint result = mproc_os_can_fork () ? mproc_os_fork (&child, NULL) : -1;

  if (result == 0)
    {
      GPtrArray *list = mproc_process_list_children ();
      gboolean ok = list->len == 0 && mproc_shutdown (MPROC_FOREVER);
      MprocProcess *own = mproc_process_new (mproc_test_exit_with_six, NULL);
      int code = 0;

      mproc_process_set_start_method (own, MPROC_START_METHOD_FORK);
      ok = ok && mproc_process_start (own, NULL) &&
           mproc_process_join (own, MPROC_FOREVER) &&
           mproc_process_get_exit_code (own, &code) && code == 6;
      mproc_os_exit (ok ? 11 : 12);
    }
  if (result == 1)
    {
      ck_assert (mproc_os_child_wait (&child, MPROC_OS_NEVER));
      ck_assert_int_eq (child.exit_code, 11);
    }
  ck_assert (mproc_process_is_alive (process));
  mproc_test_say (queue, "go on");
  mproc_test_end_with (process, 0);
  mproc_queue_unref (queue);
}
END_TEST

Suite *
mproc_test_daemon_suite (void)
{
  Suite *suite = suite_create ("daemon");
  TCase *tcase = mproc_test_case (suite, "daemon");
  int n = (int) mproc_test_n_methods ();

  tcase_add_loop_test (tcase, daemons_have_no_children, 0, n);
  tcase_add_loop_test (tcase, daemons_die_with_a_killed_parent, 0, n);
  tcase_add_loop_test (tcase, daemons_are_terminated_at_the_end, 0, n);
  tcase_add_loop_test (tcase, others_are_waited_for_at_the_end, 0, n);
  tcase_add_loop_test (tcase, orphans_know_it, 0, n);
  tcase_add_loop_test (tcase, shutdown_ends_all, 0, n);
  tcase_add_loop_test (tcase, forked_by_hand, 0, n);
  return suite;
}
