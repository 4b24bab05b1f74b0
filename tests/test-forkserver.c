/* SPDX-License-Identifier: MIT */
/* The start method forkserver: what is its alone.  That its children do what others do is
 * tested where that is, in a loop over the methods. */
#include "processes.h"

#include "family.h"
#include "forkserver.h"
#include "kill.h"
#include "os.h"

#include <glib/gstdio.h>
#include <stdlib.h>

#define MANY 200
#define AT_ONCE 40

static MprocProcess *
make (MprocFunc func, GVariant *args)
{
  MprocProcess *process = mproc_process_new (func, args);

  mproc_process_set_start_method (process, MPROC_START_METHOD_FORKSERVER);
  return process;
}

static void
start (MprocProcess *process)
{
  GError *error = NULL;

  mproc_test_default_signals ();
  ck_assert_msg (mproc_process_start (process, &error), "%s",
                 error != NULL ? error->message : "no error");
  ck_assert_ptr_null (error);
}

static MprocProcess *
started (MprocFunc func, GVariant *args)
{
  MprocProcess *process = make (func, args);

  start (process);
  return process;
}

static gboolean
has_ended (gpointer identity)
{
  return mproc_os_is_dead (identity);
}

static void
expect_dead (MprocOsIdentity *who)
{
  ck_assert (mproc_test_eventually (has_ended, who));
}

/* Kills the server of this process and waits for its end. */
static void
kill_server (void)
{
  gint64 pid = mproc_forkserver_get_pid ();
  MprocOsIdentity who;

  ck_assert_int_ne (pid, 0);
  ck_assert (mproc_member_find (pid, &who));
  mproc_test_kill_pid (pid);
  expect_dead (&who);
}

/* ------------------------------------------------------------------ the server */

START_TEST (one_server_that_nobody_sees)
{
  MprocQueue *queue = mproc_queue_new (0, NULL);
  MprocProcess *first = started (mproc_test_wait_in_queue, mproc_pack ("(h)", queue));
  gint64 pid = mproc_forkserver_get_pid ();
  MprocProcess *second = started (mproc_test_wait_in_queue, mproc_pack ("(h)", queue));
  GPtrArray *list = mproc_process_list_children ();

  ck_assert_int_ne (pid, 0);
  ck_assert_int_eq (mproc_forkserver_get_pid (), pid);
  ck_assert_int_ne (mproc_process_get_pid (first), pid);
  ck_assert_int_ne (mproc_process_get_pid (first), mproc_process_get_pid (second));
  ck_assert_uint_eq (list->len, 2);
  ck_assert_int_eq (mproc_process_get_start_method (first),
                    MPROC_START_METHOD_FORKSERVER);
  g_ptr_array_unref (list);
  mproc_test_say (queue, "go on");
  mproc_test_say (queue, "go on");
  mproc_test_end_with (first, 0);
  mproc_test_end_with (second, 0);
  mproc_queue_unref (queue);
}
END_TEST

START_TEST (ends_with_a_shutdown)
{
  MprocOsIdentity who;

  mproc_test_end_with (started (mproc_test_exit_with_six, NULL), 6);
  ck_assert (mproc_member_find (mproc_forkserver_get_pid (), &who));
  ck_assert (mproc_shutdown (MPROC_FOREVER));
  ck_assert (mproc_os_is_dead (&who));
  ck_assert_int_eq (mproc_forkserver_get_pid (), 0);
  /* The next start has a new one. */
  mproc_test_end_with (started (mproc_test_exit_with_six, NULL), 6);
}
END_TEST

START_TEST (ignores_the_terminals_interrupt)
{
  MprocProcess *process;
  gint64 pid;

  mproc_test_end_with (started (mproc_test_exit_with_six, NULL), 6);
  pid = mproc_forkserver_get_pid ();
  ck_assert (mproc_test_interrupt_pid (pid));
  for (guint i = 0; i < 5; i++)
    {
      MprocQueue *queue = mproc_queue_new (0, NULL);

      /* Its children do not. */
      process = started (mproc_test_wait_in_queue, mproc_pack ("(h)", queue));
      ck_assert (mproc_process_interrupt (process, NULL));
      mproc_test_end_with (process, -2);
      mproc_queue_unref (queue);
    }
  ck_assert_int_eq (mproc_forkserver_get_pid (), pid);
}
END_TEST

/* ------------------------------------------------------------------ its death */

START_TEST (killed_between_starts)
{
  for (guint i = 0; i < 3; i++)
    {
      gint64 pid;

      mproc_test_end_with (started (mproc_test_exit_with_six, NULL), 6);
      pid = mproc_forkserver_get_pid ();
      kill_server ();
      mproc_test_end_with (started (mproc_test_exit_with_six, NULL), 6);
      ck_assert_int_ne (mproc_forkserver_get_pid (), pid);
    }
}
END_TEST

START_TEST (killed_while_children_run)
{
  MprocQueue *queue = mproc_queue_new (0, NULL);
  MprocProcess *process = started (mproc_test_wait_in_queue, mproc_pack ("(h)", queue));
  MprocProcess *daemon = make (mproc_test_wait_in_queue, mproc_pack ("(h)", queue));
  MprocProcess *other;

  mproc_process_set_daemon (daemon, TRUE);
  start (daemon);
  kill_server ();
  /* They do not mind, and the next one has another server. */
  other = started (mproc_test_wait_in_queue, mproc_pack ("(h)", queue));
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
  MprocProcess *process = make (mproc_test_exit_with_six, NULL);
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

  mproc_test_end_with (started (mproc_test_exit_with_six, NULL), 6);
  ck_assert (mproc_test_stop_pid (mproc_forkserver_get_pid (), TRUE));
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("start", run_six, NULL);
  g_usleep (G_USEC_PER_SEC / 20);
  kill_server ();
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    ck_assert_int_eq (GPOINTER_TO_INT (g_thread_join (threads[i])), 6);
}
END_TEST

/* At a moment of chance: between request, fork, slot, record and report. */
START_TEST (killed_at_random)
{
  gint n = mproc_test_scale (30);

  for (gint i = 0; i < n; i++)
    {
      GThread *thread;
      gint64 pid;

      mproc_test_end_with (started (mproc_test_exit_with_six, NULL), 6);
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
  MprocProcess *process = started (mproc_test_wait_in_queue, mproc_pack ("(h)", queue));
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
  daemon = make (mproc_test_wait_in_queue, mproc_pack ("(h)", idle));
  mproc_process_set_daemon (daemon, TRUE);
  child = make (mproc_test_wait_in_queue, mproc_pack ("(h)", idle));
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
  expect_dead (&who[0]);
  expect_dead (&who[1]);
  /* The child is an orphan now, as any other child would be. */
  ck_assert (!mproc_os_is_dead (&who[2]));
  mproc_test_say (idle, "go on");
  expect_dead (&who[2]);
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
    expect_dead (&who[0]);
  expect_dead (&who[1]);
  expect_dead (&who[2]);
  mproc_queue_unref (queue);
  mproc_queue_unref (idle);
}
END_TEST

/* ------------------------------------------------------------------ its children */

START_TEST (many_starts)
{
  gint n = mproc_test_scale (MANY);
  MprocProcess *processes[AT_ONCE];
  MprocQueue *queue = mproc_queue_new (0, NULL);

  for (gint i = 0; i < n; i++)
    {
      MprocProcess *process = started (mproc_test_exit_with_six, NULL);
      int code = 0;

      if (!mproc_process_join (process, MPROC_FOREVER) ||
          !mproc_process_get_exit_code (process, &code) || code != 6)
        ck_abort_msg ("start %d: exit code %d", i, code);
      mproc_process_unref (process);
    }
  for (guint i = 0; i < AT_ONCE; i++)
    processes[i] = started (mproc_test_wait_in_queue, mproc_pack ("(h)", queue));
  for (guint i = 0; i < AT_ONCE; i++)
    if (i % 2 == 0)
      ck_assert (mproc_process_kill (processes[i], NULL));
    else
      mproc_test_say (queue, "go on");
  for (guint i = 0; i < AT_ONCE; i++)
    mproc_test_end_with (processes[i], i % 2 == 0 ? -9 : 0);
  mproc_queue_unref (queue);
}
END_TEST

/* A target `i`: ends without a word to the library. */
static GVariant *
end_abruptly (GVariant *args, GError **error)
{
  (void) error;
  if (g_variant_get_int32 (args) < 0)
    abort ();
  mproc_os_exit (g_variant_get_int32 (args));
}

START_TEST (ends_without_a_word)
{
  mproc_test_end_with (started (end_abruptly, g_variant_new_int32 (7)), 7);
  mproc_test_end_with (started (end_abruptly, g_variant_new_int32 (-1)), -6);
}
END_TEST

/* A target `(hs)`: what is that variable, and where is it? */
static GVariant *
tell_surroundings (GVariant *args, GError **error)
{
  MprocQueue *queue;
  const char *name;
  char *folder;

  if (!mproc_unpack (args, error, "(&h&s)", &queue, &name))
    return NULL;
  folder = g_get_current_dir ();
  mproc_test_say (queue, g_getenv (name) != NULL ? g_getenv (name) : "not set");
  mproc_test_say (queue, folder);
  g_free (folder);
  return NULL;
}

/* They are the server's: as they were when it was started. */
START_TEST (environment_and_folder)
{
  static const char name[] = "MPROC_TEST_SURROUNDINGS";
  MprocQueue *queue = mproc_queue_new (0, NULL);
  char *before = g_get_current_dir ();

  g_setenv (name, "first", TRUE);
  for (guint round = 0; round < 2; round++)
    {
      mproc_test_end_with (started (tell_surroundings, mproc_pack ("(hs)", queue, name)),
                           0);
      mproc_test_expect_text (queue, "first");
      mproc_test_expect_text (queue, before);
      g_setenv (name, "second", TRUE);
      ck_assert_int_eq (0, g_chdir (g_get_tmp_dir ()));
    }
  ck_assert_int_eq (0, g_chdir (before));
  mproc_forkserver_end ();
  mproc_test_end_with (started (tell_surroundings, mproc_pack ("(hs)", queue, name)), 0);
  mproc_test_expect_text (queue, "second");
  mproc_test_expect_text (queue, before);
  g_unsetenv (name);
  g_free (before);
  mproc_queue_unref (queue);
}
END_TEST

/* A target `ah`: connections; writes its place into each. */
static GVariant *
write_to_all (GVariant *args, GError **error)
{
  for (gsize i = 0; i < g_variant_n_children (args); i++)
    {
      GVariant *handle = g_variant_get_child_value (args, i);
      MprocConnection *connection;
      gboolean ok =
          mproc_unpack (handle, error, "&h", &connection) &&
          mproc_connection_send (connection, g_variant_new_int32 ((gint) i), error);

      g_variant_unref (handle);
      if (!ok)
        return NULL;
    }
  return NULL;
}

/* The connections live longer than the value: their numbers are enough. */
static GVariant *
pack_all (MprocConnection **connections, guint n)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("ah"));
  for (guint i = 0; i < n; i++)
    {
      GVariant *one = g_variant_ref_sink (mproc_pack ("h", connections[i]));

      g_variant_builder_add (&builder, "h", g_variant_get_handle (one));
      g_variant_unref (one);
    }
  return g_variant_builder_end (&builder);
}

START_TEST (connections_in_plenty)
{
  enum
  {
    TOO_MANY = MPROC_OS_MOST_PASSED + 1,
    PLENTY = 100
  };
  MprocConnection *ours[TOO_MANY], *theirs[TOO_MANY];
  MprocProcess *process;
  GError *error = NULL;

  for (guint i = 0; i < TOO_MANY; i++)
    ck_assert (mproc_pipe (FALSE, &ours[i], &theirs[i], NULL));
  process = started (write_to_all, pack_all (theirs, PLENTY));
  for (guint i = 0; i < PLENTY; i++)
    {
      GVariant *value = mproc_connection_recv (ours[i], MPROC_SECONDS (30), &error);

      ck_assert_msg (value != NULL, "%s", error != NULL ? error->message : "no error");
      ck_assert_int_eq (g_variant_get_int32 (value), (gint) i);
      g_variant_unref (value);
    }
  mproc_test_end_with (process, 0);

  process = make (write_to_all, pack_all (theirs, TOO_MANY));
  ck_assert (!mproc_process_start (process, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_NOT_SUPPORTED, "too many");
  mproc_process_unref (process);
  for (guint i = 0; i < TOO_MANY; i++)
    {
      mproc_connection_unref (ours[i]);
      mproc_connection_unref (theirs[i]);
    }
}
END_TEST

/* The child has its end alone: it ends with the child, whatever else the server forks. */
START_TEST (connections_end_with_the_child)
{
  MprocQueue *queue = mproc_queue_new (0, NULL);
  MprocConnection *ours, *theirs;
  MprocProcess *first, *second;
  GError *error = NULL;

  ck_assert (mproc_pipe (FALSE, &ours, &theirs, NULL));
  first = started (mproc_test_wait_in_queue, mproc_pack ("(h)", queue));
  second = make (write_to_all, pack_all (&theirs, 1));
  start (second);
  mproc_connection_unref (theirs);
  theirs = NULL;
  g_variant_unref (mproc_connection_recv (ours, MPROC_SECONDS (30), NULL));
  mproc_test_end_with (second, 0);
  second = started (mproc_test_wait_in_queue, mproc_pack ("(h)", queue));
  ck_assert_ptr_null (mproc_connection_recv (ours, MPROC_SECONDS (30), &error));
  mproc_test_expect_error (&error, MPROC_ERROR_CLOSED, "");
  mproc_test_say (queue, "go on");
  mproc_test_say (queue, "go on");
  mproc_test_end_with (first, 0);
  mproc_test_end_with (second, 0);
  mproc_connection_unref (ours);
  mproc_queue_unref (queue);
}
END_TEST

/* ------------------------------------------------------------------ whole programs */

static void
expect_output (const char *mode, const char *wanted)
{
  char *path =
      g_strconcat (MPROC_TEST_PROGRAMS "/program-forkserver", MPROC_TEST_SUFFIX, NULL);
  char *argv[] = { path, (char *) (guintptr) mode, NULL };
  GError *error = NULL;
  char *out;

  ck_assert_msg (g_spawn_sync (NULL, argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &out, NULL,
                               NULL, &error),
                 "%s", error != NULL ? error->message : "");
  ck_assert_msg (g_str_has_prefix (out, wanted), "%s", out);
  g_free (out);
  g_free (path);
}

START_TEST (without_the_guard)
{
  char *wanted =
      g_strdup_printf ("main\nstart: mproc-error-quark %d: this program has not "
                       "called mproc_init(), ",
                       MPROC_ERROR_BOOTSTRAP);

  expect_output ("none", wanted);
  g_free (wanted);
}
END_TEST

/* A server that has threads itself is none: DEFAULT spawns. */
START_TEST (threads_before_the_guard)
{
  char *wanted = g_strdup_printf ("main\ntarget\nstart: exit code 0\nmethod %d\n",
                                  MPROC_START_METHOD_SPAWN);

  expect_output ("early", wanted);
  g_free (wanted);
}
END_TEST

START_TEST (threads_after_the_guard)
{
  char *wanted = g_strdup_printf ("main\ntarget\nstart: exit code 0\nmethod %d\n",
                                  MPROC_START_METHOD_FORKSERVER);

  expect_output ("late", wanted);
  g_free (wanted);
}
END_TEST

/* ------------------------------------------------------------------ the suite */

/* All there is to test where there is no fork. */
START_TEST (not_here)
{
  MprocProcess *process = make (NULL, NULL);
  GError *error = NULL;

  ck_assert (!mproc_process_start (process, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_NOT_SUPPORTED, "forkserver");
  mproc_process_unref (process);
}
END_TEST

Suite *
mproc_test_forkserver_suite (void)
{
  Suite *suite = suite_create ("forkserver");
  TCase *tcase = mproc_test_case (suite, "forkserver");
  int n = (int) mproc_test_n_methods ();

  if (!mproc_test_can_fork ())
    {
      tcase_add_test (tcase, not_here);
      return suite;
    }
  tcase_add_test (tcase, one_server_that_nobody_sees);
  tcase_add_test (tcase, ends_with_a_shutdown);
  tcase_add_test (tcase, ignores_the_terminals_interrupt);
  tcase_add_test (tcase, killed_between_starts);
  tcase_add_test (tcase, killed_while_children_run);
  tcase_add_test (tcase, killed_with_a_request);
  tcase_add_test (tcase, killed_at_random);
  tcase_add_test (tcase, stopped_while_a_child_ends);
  tcase_add_loop_test (tcase, ends_with_its_owner, 0, n);
  tcase_add_loop_test (tcase, ends_with_its_owner_in_good_order, 0, n);
  tcase_add_test (tcase, many_starts);
  tcase_add_test (tcase, ends_without_a_word);
  tcase_add_test (tcase, environment_and_folder);
  tcase_add_test (tcase, connections_in_plenty);
  tcase_add_test (tcase, connections_end_with_the_child);
  tcase_add_test (tcase, without_the_guard);
  tcase_add_test (tcase, threads_before_the_guard);
  tcase_add_test (tcase, threads_after_the_guard);
  return suite;
}
