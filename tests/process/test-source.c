/* SPDX-License-Identifier: MIT */
/* Connections and processes in a GLib main loop. */
#include "pipes.h"

typedef struct
{
  GMainLoop *loop;
  guint n_calls;
  guint n_messages;
  guint wanted;
  gboolean closes; /* at the end of the file */
} Run;

typedef void (*AnyFunc) (void);

/* A context of its own, with one source. */
static void
begin_run (Run *run, GSource *source, AnyFunc func)
{
  GMainContext *context = g_main_context_new ();

  *run = (Run){ g_main_loop_new (context, FALSE), 0, 0, G_MAXUINT, FALSE };
  g_source_set_callback (source, (GSourceFunc) func, run, NULL);
  g_source_attach (source, context);
  g_main_context_unref (context);
}

static gboolean
take_message (MprocConnection *connection, gpointer data)
{
  Run *run = data;
  GBytes *bytes = mproc_connection_recv_bytes (connection, 0, NULL);

  run->n_calls++;
  if (bytes != NULL && ++run->n_messages < run->wanted)
    {
      g_bytes_unref (bytes);
      return G_SOURCE_CONTINUE;
    }
  if (bytes != NULL)
    g_bytes_unref (bytes);
  if (run->closes)
    mproc_connection_close (connection);
  g_main_loop_quit (run->loop);
  return G_SOURCE_REMOVE;
}

static gpointer
send_ten (gpointer connection)
{
  for (guint i = 0; i < 10; i++)
    if (!mproc_connection_send_bytes (connection, "text", i % 4, NULL))
      g_error ("cannot send");
  mproc_connection_close (connection);
  return NULL;
}

START_TEST (messages_until_the_end)
{
  Pipe pipe = make_pipe (_i);
  GSource *source = mproc_connection_create_source (pipe.a);
  GThread *thread;
  Run run;

  begin_run (&run, source, (AnyFunc) take_message);
  run.closes = _i;
  g_source_unref (source);
  thread = g_thread_new ("sends", send_ten, pipe.b);
  g_main_loop_run (run.loop);
  g_thread_join (thread);
  ck_assert_uint_eq (run.n_messages, 10);
  ck_assert_uint_eq (run.n_calls, 11);
  ck_assert_int_eq (mproc_connection_is_closed (pipe.a), _i);
  g_main_loop_unref (run.loop);
  free_pipe (&pipe);
}
END_TEST

/* It does not end the channel, and another source may follow. */
START_TEST (source_may_go)
{
  Pipe pipe = make_pipe (FALSE);

  for (guint i = 0; i < 3; i++)
    {
      GSource *source = mproc_connection_create_source (pipe.a);
      Run run;

      begin_run (&run, source, (AnyFunc) take_message);
      run.wanted = 1;
      send_text (pipe.b, "x");
      if (i == 1)
        expect_bytes (pipe.a, "x");
      else
        g_main_loop_run (run.loop);
      ck_assert_uint_eq (run.n_messages, i != 1);
      g_source_destroy (source);
      g_source_unref (source);
      g_main_loop_unref (run.loop);
    }
  free_pipe (&pipe);
}
END_TEST

static gpointer
close_it (gpointer connection)
{
  mproc_connection_close (connection);
  return NULL;
}

START_TEST (closed_by_another_thread)
{
  Pipe pipe = make_pipe (FALSE);
  GSource *source = mproc_connection_create_source (pipe.a);
  GThread *thread;
  Run run;

  begin_run (&run, source, (AnyFunc) take_message);
  g_source_unref (source);
  thread = g_thread_new ("closes", close_it, pipe.a);
  g_main_loop_run (run.loop);
  g_thread_join (thread);
  ck_assert_uint_eq (run.n_calls, 1);
  ck_assert (!mproc_connection_send_bytes (pipe.b, "x", 1, NULL));
  g_main_loop_unref (run.loop);
  free_pipe (&pipe);
}
END_TEST

START_TEST (already_closed)
{
  Pipe pipe = make_pipe (FALSE);
  GSource *source;
  Run run;

  mproc_connection_close (pipe.a);
  source = mproc_connection_create_source (pipe.a);
  begin_run (&run, source, (AnyFunc) take_message);
  g_source_unref (source);
  g_main_loop_run (run.loop);
  ck_assert_uint_eq (run.n_calls, 1);
  g_main_loop_unref (run.loop);
  free_pipe (&pipe);
}
END_TEST

/* ------------------------------------------------------------------ processes */

static gboolean
note_end (MprocProcess *process, gpointer data)
{
  Run *run = data;

  run->n_calls++;
  if (mproc_process_join (process, MPROC_FOREVER))
    g_main_loop_quit (run->loop);
  return G_SOURCE_CONTINUE;
}

START_TEST (process_ends)
{
  Pipe pipe = make_pipe (FALSE);
  MprocProcess *child = mproc_test_start (_i, stay_open, mproc_pack ("(h)", pipe.a));
  GSource *source = mproc_process_create_source (child);
  Run run;

  begin_run (&run, source, (AnyFunc) note_end);
  g_source_unref (source);
  for (guint i = 0; i < 3; i++)
    g_main_context_iteration (g_main_loop_get_context (run.loop), FALSE);
  ck_assert_uint_eq (run.n_calls, 0);
  send_text (pipe.b, "ends it");
  g_main_loop_run (run.loop);
  ck_assert_uint_eq (run.n_calls, 1);

  /* One that is made after the end. */
  source = mproc_process_create_source (child);
  g_source_set_callback (source, (GSourceFunc) (AnyFunc) note_end, &run, NULL);
  g_source_attach (source, g_main_loop_get_context (run.loop));
  g_source_unref (source);
  g_main_loop_run (run.loop);
  ck_assert_uint_eq (run.n_calls, 2);
  g_main_context_iteration (g_main_loop_get_context (run.loop), FALSE);
  ck_assert_uint_eq (run.n_calls, 2);
  g_main_loop_unref (run.loop);
  mproc_test_end_with (child, 0);
  free_pipe (&pipe);
}
END_TEST

Suite *
mproc_test_source_suite (void)
{
  Suite *suite = suite_create ("source");
  TCase *connections = mproc_test_case (suite, "connections");
  TCase *processes = mproc_test_case (suite, "processes");

  tcase_add_loop_test (connections, messages_until_the_end, 0, 2);
  tcase_add_test (connections, source_may_go);
  tcase_add_test (connections, closed_by_another_thread);
  tcase_add_test (connections, already_closed);
  tcase_add_loop_test (processes, process_ends, 0, (int) mproc_test_n_methods ());
  return suite;
}
