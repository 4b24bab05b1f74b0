/* SPDX-License-Identifier: MIT */
/* The start method forkserver: what is its alone.  That its children do what others do is
 * tested where that is, in a loop over the methods. */
#include "forkservers.h"

#include "kill.h"
#include "process/forkserver.h"

#include <glib/gstdio.h>
#include <stdlib.h>

#define MANY 200
#define AT_ONCE 40

/* ------------------------------------------------------------------ the server */

START_TEST (one_server_that_nobody_sees)
{
  MprocQueue *queue = mproc_queue_new (0, NULL);
  MprocProcess *first =
      forkserver_started (mproc_test_wait_in_queue, mproc_pack ("(h)", queue));
  gint64 pid = mproc_forkserver_get_pid ();
  MprocProcess *second =
      forkserver_started (mproc_test_wait_in_queue, mproc_pack ("(h)", queue));
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

  mproc_test_end_with (forkserver_started (mproc_test_exit_with_six, NULL), 6);
  ck_assert (mproc_member_find (mproc_forkserver_get_pid (), &who));
  ck_assert (mproc_shutdown (MPROC_FOREVER));
  ck_assert (mproc_os_is_dead (&who));
  ck_assert_int_eq (mproc_forkserver_get_pid (), 0);
  /* The next start has a new one. */
  mproc_test_end_with (forkserver_started (mproc_test_exit_with_six, NULL), 6);
}
END_TEST

START_TEST (ignores_the_terminals_interrupt)
{
  MprocProcess *process;
  gint64 pid;

  mproc_test_end_with (forkserver_started (mproc_test_exit_with_six, NULL), 6);
  pid = mproc_forkserver_get_pid ();
  ck_assert (mproc_test_interrupt_pid (pid));
  for (guint i = 0; i < 5; i++)
    {
      MprocQueue *queue = mproc_queue_new (0, NULL);

      /* Its children do not. */
      process = forkserver_started (mproc_test_wait_in_queue, mproc_pack ("(h)", queue));
      ck_assert (mproc_process_interrupt (process, NULL));
      mproc_test_end_with (process, -2);
      mproc_queue_unref (queue);
    }
  ck_assert_int_eq (mproc_forkserver_get_pid (), pid);
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
      MprocProcess *process = forkserver_started (mproc_test_exit_with_six, NULL);
      int code = 0;

      if (!mproc_process_join (process, MPROC_FOREVER) ||
          !mproc_process_get_exit_code (process, &code) || code != 6)
        ck_abort_msg ("start %d: exit code %d", i, code);
      mproc_process_unref (process);
    }
  for (guint i = 0; i < AT_ONCE; i++)
    processes[i] =
        forkserver_started (mproc_test_wait_in_queue, mproc_pack ("(h)", queue));
  for (guint i = 0; i < AT_ONCE; i += 2)
    ck_assert (mproc_process_kill (processes[i], NULL));
  for (guint i = 0; i < AT_ONCE; i += 2)
    mproc_test_end_with (processes[i], -9);
  /* Not before: one who is to be killed could take it. */
  for (guint i = 1; i < AT_ONCE; i += 2)
    mproc_test_say (queue, "go on");
  for (guint i = 1; i < AT_ONCE; i += 2)
    mproc_test_end_with (processes[i], 0);
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
  mproc_test_end_with (forkserver_started (end_abruptly, g_variant_new_int32 (7)), 7);
  mproc_test_end_with (forkserver_started (end_abruptly, g_variant_new_int32 (-1)), -6);
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
      mproc_test_end_with (forkserver_started (tell_surroundings,
                                               mproc_pack ("(hs)", queue, name)),
                           0);
      mproc_test_expect_text (queue, "first");
      mproc_test_expect_text (queue, before);
      g_setenv (name, "second", TRUE);
      ck_assert_int_eq (0, g_chdir (g_get_tmp_dir ()));
    }
  ck_assert_int_eq (0, g_chdir (before));
  mproc_forkserver_end ();
  mproc_test_end_with (forkserver_started (tell_surroundings,
                                           mproc_pack ("(hs)", queue, name)),
                       0);
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
  process = forkserver_started (write_to_all, pack_all (theirs, PLENTY));
  for (guint i = 0; i < PLENTY; i++)
    {
      GVariant *value = mproc_connection_recv (ours[i], MPROC_SECONDS (30), &error);

      ck_assert_msg (value != NULL, "%s", error != NULL ? error->message : "no error");
      ck_assert_int_eq (g_variant_get_int32 (value), (gint) i);
      g_variant_unref (value);
    }
  mproc_test_end_with (process, 0);

  process = forkserver_make (write_to_all, pack_all (theirs, TOO_MANY));
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
  first = forkserver_started (mproc_test_wait_in_queue, mproc_pack ("(h)", queue));
  second = forkserver_make (write_to_all, pack_all (&theirs, 1));
  forkserver_start (second);
  mproc_connection_unref (theirs);
  theirs = NULL;
  g_variant_unref (mproc_connection_recv (ours, MPROC_SECONDS (30), NULL));
  mproc_test_end_with (second, 0);
  second = forkserver_started (mproc_test_wait_in_queue, mproc_pack ("(h)", queue));
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

/* ------------------------------------------------------------------ pools */

static GVariant *
tell_method (GVariant *args, GError **error)
{
  (void) args;
  (void) error;
  return g_variant_new_int32 (
      (gint32) mproc_process_get_start_method (mproc_process_current ()));
}

static GVariant *
end_worker (GVariant *args, GError **error)
{
  (void) args;
  (void) error;
  mproc_os_kill_self ();
}

static void
expect_method (MprocPool *pool, gint method)
{
  GError *error = NULL;
  GVariant *value = mproc_pool_apply (pool, tell_method, NULL, &error);

  ck_assert_msg (value != NULL, "%s", error != NULL ? error->message : "no error");
  ck_assert_int_eq (g_variant_get_int32 (value), method);
  g_variant_unref (value);
}

static gpointer
stay (gpointer queue)
{
  return g_async_queue_pop (queue);
}

/* Beside a thread of the host's the default is it, and workers do not mind the death of
 * their server, nor do those that come after them. */
START_TEST (pools_by_default_beside_threads)
{
  GAsyncQueue *queue = g_async_queue_new ();
  GThread *thread = g_thread_new ("host", stay, queue);
  GError *error = NULL;
  MprocPool *pool;

  mproc_test_default_signals ();
  pool = mproc_pool_new (2, &error);
  ck_assert_msg (pool != NULL, "%s", error != NULL ? error->message : "no error");
  expect_method (pool, MPROC_START_METHOD_FORKSERVER);
  forkserver_kill ();
  for (guint i = 0; i < 4; i++)
    {
      expect_method (pool, MPROC_START_METHOD_FORKSERVER);
      ck_assert_ptr_null (mproc_pool_apply (pool, end_worker, NULL, &error));
      g_clear_error (&error);
    }
  expect_method (pool, MPROC_START_METHOD_FORKSERVER);
  mproc_pool_close (pool);
  ck_assert (mproc_pool_join (pool, MPROC_SECONDS (30)));
  mproc_pool_unref (pool);
  g_async_queue_push (queue, queue);
  g_thread_join (thread);
  g_async_queue_unref (queue);
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
  MprocProcess *process = forkserver_make (NULL, NULL);
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

  if (!mproc_test_can_fork ())
    {
      tcase_add_test (tcase, not_here);
      return suite;
    }
  tcase_add_test (tcase, one_server_that_nobody_sees);
  tcase_add_test (tcase, ends_with_a_shutdown);
  tcase_add_test (tcase, ignores_the_terminals_interrupt);
  tcase_add_test (tcase, many_starts);
  tcase_add_test (tcase, ends_without_a_word);
  tcase_add_test (tcase, environment_and_folder);
  tcase_add_test (tcase, connections_in_plenty);
  tcase_add_test (tcase, connections_end_with_the_child);
  tcase_add_test (tcase, pools_by_default_beside_threads);
  tcase_add_test (tcase, without_the_guard);
  tcase_add_test (tcase, threads_before_the_guard);
  tcase_add_test (tcase, threads_after_the_guard);
  return suite;
}
