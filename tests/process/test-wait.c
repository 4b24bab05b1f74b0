/* SPDX-License-Identifier: MIT */
/* mproc_wait: many things at once. */
#include "pipes.h"

static gint
wait_for (MprocWait *waits, guint n, gint64 timeout)
{
  GError *error = NULL;
  gint ready = mproc_wait (waits, n, timeout, &error);

  ck_assert_msg (ready >= 0, "%s", error != NULL ? error->message : "");
  return ready;
}

/* ------------------------------------------------------------------ connections */

START_TEST (which_are_ready)
{
  Pipe pipes[3] = { make_pipe (TRUE), make_pipe (FALSE), make_pipe (TRUE) };
  MprocWait waits[3] = { { pipes[0].a, TRUE },
                         { pipes[1].a, TRUE },
                         { pipes[2].a, TRUE } };

  ck_assert_int_eq (wait_for (waits, 3, 0), 0);
  ck_assert (!waits[0].ready && !waits[1].ready && !waits[2].ready);
  ck_assert_int_eq (wait_for (waits, 3, MPROC_SECONDS (0.02)), 0);

  send_text (pipes[1].b, "");
  ck_assert_int_eq (wait_for (waits, 3, MPROC_FOREVER), 1);
  ck_assert (!waits[0].ready && waits[1].ready && !waits[2].ready);

  mproc_connection_close (pipes[2].b);
  ck_assert_int_eq (wait_for (waits, 3, MPROC_FOREVER), 2);
  ck_assert (!waits[0].ready && waits[1].ready && waits[2].ready);

  expect_bytes (pipes[1].a, "");
  mproc_connection_close (pipes[0].a);
  ck_assert_int_eq (wait_for (waits, 3, MPROC_FOREVER), 2);
  ck_assert (waits[0].ready && !waits[1].ready && waits[2].ready);
  for (guint i = 0; i < 3; i++)
    free_pipe (&pipes[i]);
}
END_TEST

START_TEST (kept_messages_are_ready)
{
  Pipe pipe = make_pipe (TRUE);
  MprocWait waits[2] = { { pipe.a, FALSE }, { pipe.b, FALSE } };

  send_text (pipe.b, "kept");
  ck_assert_int_eq (mproc_connection_recv_bytes_into (pipe.a, NULL, 0, 0, NULL), -1);
  ck_assert_int_eq (wait_for (waits, 2, MPROC_FOREVER), 1);
  send_text (pipe.a, "both are told of");
  ck_assert_int_eq (wait_for (waits, 2, MPROC_FOREVER), 2);
  free_pipe (&pipe);
}
END_TEST

/* More than the 64 that Windows waits for at once. */
START_TEST (any_number)
{
  Pipe pipes[100];
  MprocWait waits[100];

  for (guint i = 0; i < 100; i++)
    {
      pipes[i] = make_pipe (FALSE);
      waits[i] = (MprocWait){ pipes[i].a, FALSE };
    }
  ck_assert_int_eq (wait_for (waits, 100, 0), 0);
  for (guint i = 0; i < 100; i += 33)
    {
      send_text (pipes[i].b, "x");
      ck_assert_int_eq (wait_for (waits, 100, MPROC_FOREVER), 1);
      ck_assert (waits[i].ready);
      expect_bytes (pipes[i].a, "x");
    }
  for (guint i = 0; i < 100; i++)
    free_pipe (&pipes[i]);
}
END_TEST

static gpointer
wait_alone (gpointer connection)
{
  MprocWait wait = { connection, FALSE };

  return GINT_TO_POINTER (mproc_wait (&wait, 1, MPROC_FOREVER, NULL));
}

START_TEST (closing_ends_the_wait)
{
  Pipe pipe = make_pipe (TRUE);
  GThread *thread = g_thread_new ("waits", wait_alone, pipe.a);

  g_thread_yield ();
  mproc_connection_close (pipe.a);
  ck_assert_int_eq (GPOINTER_TO_INT (g_thread_join (thread)), 1);
  free_pipe (&pipe);
}
END_TEST

START_TEST (what_cannot_be_waited_for)
{
  Pipe pipe = make_pipe (FALSE);
  MprocQueue *queue = mproc_queue_new (0, NULL);
  MprocProcess *process = mproc_process_new (mproc_test_do_nothing, NULL);
  MprocWait waits[2] = { { pipe.a, FALSE }, { NULL, FALSE } };
  GError *error = NULL;

  ck_assert_int_eq (wait_for (NULL, 0, 0), 0);
  ck_assert_int_eq (mproc_wait (waits, 2, 0, &error), -1);
  mproc_test_expect_error (&error, MPROC_ERROR_NOT_SUPPORTED, "");
  waits[1].object = queue;
  ck_assert_int_eq (mproc_wait (waits, 2, 0, &error), -1);
  mproc_test_expect_error (&error, MPROC_ERROR_NOT_SUPPORTED, "");
  waits[1].object = pipe.b;
  ck_assert_int_eq (mproc_wait (waits, 2, 0, &error), -1);
  mproc_test_expect_error (&error, MPROC_ERROR_STATE, "sends");
  waits[1].object = process;
  ck_assert_int_eq (mproc_wait (waits, 2, 0, &error), -1);
  mproc_test_expect_error (&error, MPROC_ERROR_STATE, "");
  mproc_process_unref (process);
  mproc_queue_unref (queue);
  free_pipe (&pipe);
}
END_TEST

/* ------------------------------------------------------------------ processes */

START_TEST (process_that_ends)
{
  MprocProcess *child = mproc_test_start (_i, mproc_test_do_nothing, NULL);
  MprocWait wait = { child, FALSE };

  ck_assert_int_eq (wait_for (&wait, 1, MPROC_FOREVER), 1);
  ck_assert (wait.ready);
  ck_assert_int_eq (wait_for (&wait, 1, 0), 1);
  ck_assert (mproc_process_join (child, 0));
  ck_assert_int_eq (wait_for (&wait, 1, 0), 1);
  mproc_test_end_with (child, 0);
}
END_TEST

START_TEST (processes_and_connections)
{
  MprocStartMethod method = mproc_test_method (_i);
  Pipe pipes[3], messages = make_pipe (FALSE);
  MprocProcess *children[3];
  MprocWait waits[4];

  for (guint i = 0; i < 3; i++)
    {
      pipes[i] = make_pipe (FALSE);
      children[i] =
          mproc_test_start_by (method, stay_open, mproc_pack ("(h)", pipes[i].a));
      waits[i] = (MprocWait){ children[i], FALSE };
    }
  waits[3] = (MprocWait){ messages.a, FALSE };
  ck_assert_int_eq (wait_for (waits, 4, MPROC_SECONDS (0.05)), 0);

  send_text (messages.b, "x");
  ck_assert_int_eq (wait_for (waits, 4, MPROC_FOREVER), 1);
  ck_assert (waits[3].ready);
  expect_bytes (messages.a, "x");

  send_text (pipes[1].b, "ends it");
  ck_assert_int_eq (wait_for (waits, 4, MPROC_FOREVER), 1);
  ck_assert (waits[1].ready);

  send_text (pipes[0].b, "ends it");
  send_text (pipes[2].b, "ends it");
  for (guint i = 0; i < 3; i++)
    {
      ck_assert (mproc_process_join (children[i], MPROC_FOREVER));
      ck_assert_int_ge (wait_for (waits, 4, 0), 1);
      ck_assert (waits[i].ready);
    }
  ck_assert_int_eq (wait_for (waits, 4, 0), 3);
  for (guint i = 0; i < 3; i++)
    {
      mproc_test_end_with (children[i], 0);
      free_pipe (&pipes[i]);
    }
  free_pipe (&messages);
}
END_TEST

START_TEST (process_that_is_killed)
{
  MprocStartMethod method = mproc_test_method (_i);
  Pipe pipe = make_pipe (FALSE);

  if (method != MPROC_START_METHOD_THREAD)
    {
      MprocProcess *child =
          mproc_test_start_by (method, stay_open, mproc_pack ("(h)", pipe.a));
      MprocWait waits[2] = { { pipe.a, FALSE }, { child, FALSE } };

      ck_assert_int_eq (wait_for (waits, 2, 0), 0);
      ck_assert (mproc_process_kill (child, NULL));
      ck_assert_int_eq (wait_for (waits, 2, MPROC_FOREVER), 1);
      ck_assert (waits[1].ready);
      ck_assert (mproc_process_join (child, MPROC_FOREVER));
      mproc_process_unref (child);
    }
  free_pipe (&pipe);
}
END_TEST

Suite *
mproc_test_wait_suite (void)
{
  Suite *suite = suite_create ("wait");
  TCase *connections = mproc_test_case (suite, "connections");
  TCase *processes = mproc_test_case (suite, "processes");
  int n = (int) mproc_test_n_methods ();

  tcase_add_test (connections, which_are_ready);
  tcase_add_test (connections, kept_messages_are_ready);
  tcase_add_test (connections, any_number);
  tcase_add_test (connections, closing_ends_the_wait);
  tcase_add_test (connections, what_cannot_be_waited_for);
  tcase_add_loop_test (processes, process_that_ends, 0, n);
  tcase_add_loop_test (processes, processes_and_connections, 0, n);
  tcase_add_loop_test (processes, process_that_is_killed, 0, n);
  return suite;
}
