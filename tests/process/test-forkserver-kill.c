/* SPDX-License-Identifier: MIT */
/* The start method forkserver when the server, or its owner, is killed. */
#include "forkservers.h"

#include "kill.h"
#include "process/forkserver.h"

/* ------------------------------------------------------------------ its death */

START_TEST (killed_between_starts)
{
  for (guint i = 0; i < 3; i++)
    {
      gint64 pid;

      mproc_test_end_with (forkserver_started (mproc_test_exit_with_six, NULL), 6);
      pid = mproc_forkserver_get_pid ();
      forkserver_kill ();
      mproc_test_end_with (forkserver_started (mproc_test_exit_with_six, NULL), 6);
      ck_assert_int_ne (mproc_forkserver_get_pid (), pid);
    }
}
END_TEST

START_TEST (killed_while_children_run)
{
  MprocQueue *queue = mproc_queue_new (0, NULL);
  MprocProcess *process =
      forkserver_started (mproc_test_wait_in_queue, mproc_pack ("(h)", queue));
  MprocProcess *daemon =
      forkserver_make (mproc_test_wait_in_queue, mproc_pack ("(h)", queue));
  MprocProcess *other;

  mproc_process_set_daemon (daemon, TRUE);
  forkserver_start (daemon);
  forkserver_kill ();
  /* They do not mind, and the next one has another server. */
  other = forkserver_started (mproc_test_wait_in_queue, mproc_pack ("(h)", queue));
  ck_assert (!mproc_process_join (process, MPROC_SECONDS (0.3)));
  ck_assert (mproc_process_is_alive (process));
  ck_assert (mproc_process_is_alive (daemon));
  /* Who ends by itself says how; who is ended by a signal had only the server to tell. */
  ck_assert (mproc_process_kill (daemon, NULL));
  mproc_test_end_with (daemon, 255);
  mproc_test_say (queue, "go on");
  mproc_test_say (queue, "go on");
  mproc_test_end_with (process, 0);
  mproc_test_end_with (other, 0);
  mproc_queue_unref (queue);
}
END_TEST

static gpointer
run_six (gpointer unused)
{
  MprocProcess *process = forkserver_make (mproc_test_exit_with_six, NULL);
  int code = -1;

  (void) unused;
  if (mproc_process_start (process, NULL))
    mproc_process_join (process, MPROC_FOREVER);
  mproc_process_get_exit_code (process, &code);
  mproc_process_unref (process);
  return GINT_TO_POINTER (code);
}

/* The request lies in the channel of a server that will never read it. */
START_TEST (killed_with_a_request)
{
  GThread *threads[3];

  mproc_test_end_with (forkserver_started (mproc_test_exit_with_six, NULL), 6);
  ck_assert (mproc_test_stop_pid (mproc_forkserver_get_pid (), TRUE));
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("start", run_six, NULL);
  g_usleep (G_USEC_PER_SEC / 20);
  forkserver_kill ();
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    ck_assert_int_eq (GPOINTER_TO_INT (g_thread_join (threads[i])), 6);
}
END_TEST

/* At a moment of chance: between request, fork, slot, record and report. */
START_TEST (killed_at_random)
{
  gint n = mproc_test_scale (15);

  for (gint i = 0; i < n; i++)
    {
      GThread *thread;
      gint64 pid;

      mproc_test_end_with (forkserver_started (mproc_test_exit_with_six, NULL), 6);
      pid = mproc_forkserver_get_pid ();
      thread = g_thread_new ("start", run_six, NULL);
      g_usleep ((gulong) g_random_int_range (0, 1000));
      mproc_test_kill_pid (pid);
      ck_assert_int_eq (GPOINTER_TO_INT (g_thread_join (thread)), 6);
    }
}
END_TEST

START_TEST (stopped_while_a_child_ends)
{
  MprocQueue *queue = mproc_queue_new (0, NULL);
  MprocProcess *process =
      forkserver_started (mproc_test_wait_in_queue, mproc_pack ("(h)", queue));
  gint64 pid = mproc_forkserver_get_pid ();
  GThread *thread;

  ck_assert (mproc_test_stop_pid (pid, TRUE));
  ck_assert (mproc_process_kill (process, NULL));
  /* Waits behind it, both for its turn and for a start. */
  thread = g_thread_new ("start", run_six, NULL);
  g_usleep (G_USEC_PER_SEC / 5);
  ck_assert (mproc_test_stop_pid (pid, FALSE));
  mproc_test_end_with (process, -9);
  ck_assert_int_eq (GPOINTER_TO_INT (g_thread_join (thread)), 6);
  mproc_queue_unref (queue);
}
END_TEST

/* So long that its owner has given up the note of a child that has ended; what it writes into that later
 * is not taken for the end of the next one, which is started behind its back. */
START_TEST (stopped_for_longer_than_anybody_waits)
{
  MprocQueue *queue = mproc_queue_new (0, NULL);
  MprocProcess *process =
      forkserver_started (mproc_test_wait_in_queue, mproc_pack ("(h)", queue));
  gint64 pid = mproc_forkserver_get_pid ();
  GThread *thread;

  ck_assert (mproc_test_stop_pid (pid, TRUE));
  ck_assert (mproc_process_kill (process, NULL));
  mproc_test_end_with (process, 255);
  thread = g_thread_new ("start", run_six, NULL);
  g_usleep (G_USEC_PER_SEC / 5);
  ck_assert (mproc_test_stop_pid (pid, FALSE));
  ck_assert_int_eq (GPOINTER_TO_INT (g_thread_join (thread)), 6);
  mproc_queue_unref (queue);
}
END_TEST

/* ------------------------------------------------------------------ its owner's death */

static gpointer
start_in_thread (gpointer process)
{
  return GINT_TO_POINTER (mproc_process_start (process, NULL));
}

/* A target `(hhb)`: has a daemon and a child that wait in the second queue, and says whose
 * pids are what.  The server may be started by a thread that ends at once, which is not its
 * owner's end. */
static GVariant *
own_a_server (GVariant *args, GError **error)
{
  MprocQueue *queue, *idle;
  MprocProcess *daemon, *child;
  gboolean by_thread;

  if (!mproc_unpack (args, error, "(&h&hb)", &queue, &idle, &by_thread))
    return NULL;
  daemon = forkserver_make (mproc_test_wait_in_queue, mproc_pack ("(h)", idle));
  mproc_process_set_daemon (daemon, TRUE);
  child = forkserver_make (mproc_test_wait_in_queue, mproc_pack ("(h)", idle));
  if (by_thread)
    g_thread_join (g_thread_new ("starter", start_in_thread, daemon));
  else
    mproc_process_start (daemon, error);
  if (!mproc_process_start (child, error))
    return NULL;
  mproc_test_tell (queue, (gint) mproc_forkserver_get_pid ());
  mproc_test_tell (queue, (gint) mproc_process_get_pid (daemon));
  mproc_test_tell (queue, (gint) mproc_process_get_pid (child));
  mproc_process_join (child, MPROC_FOREVER);
  mproc_process_unref (child);
  mproc_process_unref (daemon);
  return NULL;
}

static void
hear_of (MprocQueue *queue, MprocOsIdentity *who)
{
  gint pid = mproc_test_hear (queue, MPROC_SECONDS (30));

  ck_assert_int_gt (pid, 0);
  ck_assert (mproc_member_find (pid, who));
}

static void
try_death_of_owner (int i, gboolean by_thread)
{
  MprocQueue *queue = mproc_queue_new (0, NULL), *idle = mproc_queue_new (0, NULL);
  MprocOsIdentity who[3];
  MprocProcess *owner =
      mproc_test_start (i, own_a_server, mproc_pack ("(hhb)", queue, idle, by_thread));

  for (guint k = 0; k < 3; k++)
    hear_of (queue, &who[k]);
  ck_assert (!mproc_process_join (owner, MPROC_SECONDS (0.05)));
  for (guint k = 0; k < 3; k++)
    ck_assert (!mproc_os_is_dead (&who[k]));
  ck_assert (mproc_process_kill (owner, NULL));
  mproc_test_end_with (owner, -9);
  forkserver_expect_dead (&who[0]);
  forkserver_expect_dead (&who[1]);
  /* The child is an orphan now, as any other child would be. */
  ck_assert (!mproc_os_is_dead (&who[2]));
  mproc_test_say (idle, "go on");
  forkserver_expect_dead (&who[2]);
  mproc_queue_unref (queue);
  mproc_queue_unref (idle);
}

START_TEST (ends_with_its_owner)
{
  /* A thread's server is that of its process, which does not end here. */
  if (mproc_test_is_thread (_i))
    return;
  try_death_of_owner (_i, FALSE);
  try_death_of_owner (_i, TRUE);
}
END_TEST

START_TEST (ends_with_its_owner_in_good_order)
{
  MprocQueue *queue = mproc_queue_new (0, NULL), *idle = mproc_queue_new (0, NULL);
  MprocOsIdentity who[3];
  MprocProcess *owner;

  owner = mproc_test_start (_i, own_a_server, mproc_pack ("(hhb)", queue, idle, FALSE));
  for (guint i = 0; i < 3; i++)
    hear_of (queue, &who[i]);
  mproc_test_say (idle, "go on");
  mproc_test_say (idle, "go on");
  mproc_test_end_with (owner, 0);
  if (!mproc_test_is_thread (_i))
    forkserver_expect_dead (&who[0]);
  forkserver_expect_dead (&who[1]);
  forkserver_expect_dead (&who[2]);
  mproc_queue_unref (queue);
  mproc_queue_unref (idle);
}
END_TEST

/* Where there is no fork; the suite forkserver looks how it is refused there. */
START_TEST (not_here) { ck_assert_int_eq (mproc_forkserver_get_pid (), 0); }
END_TEST

Suite *
mproc_test_forkserver_kill_suite (void)
{
  Suite *suite = suite_create ("forkserver-kill");
  TCase *tcase = mproc_test_case (suite, "forkserver-kill");
  int n = (int) mproc_test_n_methods ();

  if (!mproc_test_can_fork ())
    {
      tcase_add_test (tcase, not_here);
      return suite;
    }
  tcase_add_test (tcase, killed_between_starts);
  tcase_add_test (tcase, killed_while_children_run);
  tcase_add_test (tcase, killed_with_a_request);
  tcase_add_test (tcase, killed_at_random);
  tcase_add_test (tcase, stopped_while_a_child_ends);
  tcase_add_test (tcase, stopped_for_longer_than_anybody_waits);
  tcase_add_loop_test (tcase, ends_with_its_owner, 0, n);
  tcase_add_loop_test (tcase, ends_with_its_owner_in_good_order, 0, n);
  return suite;
}
