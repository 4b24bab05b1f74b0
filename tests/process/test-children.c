/* SPDX-License-Identifier: MIT */
/* Processes and those who start them: what is inherited, what ends with whom. */
#include "processes.h"

#include "limit.h"
#include "os.h"
#include "process/process.h"

#include <string.h>

/* ------------------------------------------------------------------ who is who */

static GVariant *
describe_relatives (GVariant *args, GError **error)
{
  MprocProcess *self = mproc_process_current ();
  MprocProcess *parent = mproc_process_parent ();
  MprocQueue *queue;
  char *text;

  if (!mproc_unpack (args, error, "(&h)", &queue))
    return NULL;
  text =
      g_strdup_printf ("%s alive %d own %d; parent %s %" G_GINT64_FORMAT
                       " alive %d; method %d",
                       mproc_process_get_name (self), mproc_process_is_alive (self),
                       mproc_process_get_pid (self) == mproc_os_pid (),
                       mproc_process_get_name (parent), mproc_process_get_pid (parent),
                       mproc_process_is_alive (parent) && !mproc_process_join (parent, 0),
                       (int) mproc_get_start_method ());
  mproc_test_say (queue, text);
  g_free (text);
  return NULL;
}

START_TEST (knows_its_relatives)
{
  MprocQueue *queue = mproc_queue_new (0, NULL);
  MprocProcess *process =
      mproc_process_new (describe_relatives, mproc_pack ("(h)", queue));
  char *wanted;

  wanted = g_strdup_printf ("%s alive 1 own 1; parent MainProcess %" G_GINT64_FORMAT
                            " alive 1; method %d",
                            mproc_process_get_name (process), mproc_os_pid (),
                            (int) mproc_test_method (_i));
  mproc_test_start_it (_i, process);
  mproc_test_expect_text (queue, wanted);
  mproc_test_end_with (process, 0);
  ck_assert_ptr_null (mproc_process_parent ());
  g_free (wanted);
  mproc_queue_unref (queue);
}
END_TEST

static GVariant *
nest (GVariant *args, GError **error)
{
  MprocQueue *queue;
  MprocProcess *process;
  guint depth;

  if (!mproc_unpack (args, error, "(&hu)", &queue, &depth))
    return NULL;
  mproc_test_say (queue, mproc_process_get_name (mproc_process_current ()));
  if (depth == 0)
    return NULL;
  process = mproc_process_new (nest, mproc_pack ("(hu)", queue, depth - 1));
  if (mproc_process_start (process, error))
    mproc_process_join (process, MPROC_FOREVER);
  mproc_process_unref (process);
  return NULL;
}

START_TEST (children_may_have_children)
{
  MprocQueue *queue = mproc_queue_new (0, NULL);
  MprocProcess *process = mproc_process_new (nest, mproc_pack ("(hu)", queue, 2));
  char *name = g_strdup (mproc_process_get_name (process));

  mproc_test_start_it (_i, process);
  for (guint i = 0; i < 3; i++)
    {
      char *next = g_strconcat (name, ":1", NULL);

      mproc_test_expect_text (queue, name);
      g_free (name);
      name = next;
    }
  mproc_test_end_with (process, 0);
  g_free (name);
  mproc_queue_unref (queue);
}
END_TEST

/* A target of a tuple that begins with a queue. */
static GVariant *
say_name (GVariant *args, GError **error)
{
  MprocQueue *queue;
  GVariant *first = g_variant_get_child_value (args, 0);

  if (mproc_unpack (first, error, "h", &queue))
    {
      mproc_test_say (queue, mproc_process_get_name (mproc_process_current ()));
      mproc_queue_unref (queue);
    }
  g_variant_unref (first);
  return NULL;
}

static GVariant *
return_key (GVariant *args, GError **error)
{
  GBytes *key = mproc_process_get_authkey (mproc_process_current ());
  MprocQueue *queue;

  if (mproc_unpack (args, error, "(&h)", &queue))
    mproc_queue_put_bytes (queue, g_bytes_get_data (key, NULL), g_bytes_get_size (key),
                           MPROC_FOREVER, error);
  return NULL;
}

static void
expect_key (MprocQueue *queue, GBytes *key)
{
  GBytes *got = mproc_queue_get_bytes (queue, MPROC_FOREVER, NULL);

  ck_assert (g_bytes_equal (got, key));
  g_bytes_unref (got);
}

START_TEST (authkey_is_inherited)
{
  MprocQueue *queue = mproc_queue_new (0, NULL);
  GBytes *key = mproc_process_get_authkey (mproc_process_current ());
  GBytes *other = g_bytes_new_static ("secret", 6);
  MprocProcess *process;

  ck_assert_uint_eq (g_bytes_get_size (key), 32);
  mproc_test_end_with (mproc_test_start (_i, return_key, mproc_pack ("(h)", queue)), 0);
  expect_key (queue, key);
  process = mproc_process_new (return_key, mproc_pack ("(h)", queue));
  mproc_process_set_authkey (process, other);
  mproc_test_start_it (_i, process);
  expect_key (queue, other);
  mproc_test_end_with (process, 0);
  g_bytes_unref (other);
  mproc_queue_unref (queue);
}
END_TEST

static GVariant *
try_to_set_method (GVariant *args, GError **error)
{
  int code;

  (void) args;
  if (mproc_set_start_method (MPROC_START_METHOD_SPAWN, error))
    mproc_process_exit (2);
  code = g_error_matches (*error, MPROC_ERROR, MPROC_ERROR_STATE) ? 5 : 3;
  g_clear_error (error);
  mproc_process_exit (code);
}

START_TEST (method_is_inherited_for_good)
{
  mproc_test_end_with (mproc_test_start (_i, try_to_set_method, NULL), 5);
}
END_TEST

/* ------------------------------------------------------------------ lists */

START_TEST (list_joins_the_finished)
{
  MprocQueue *queue = mproc_queue_new (0, NULL);
  MprocProcess *a =
      mproc_test_start (_i, mproc_test_wait_in_queue, mproc_pack ("(h)", queue));
  MprocProcess *b =
      mproc_test_start (_i, mproc_test_wait_in_queue, mproc_pack ("(h)", queue));
  GPtrArray *list = mproc_process_list_children ();

  ck_assert_uint_eq (list->len, 2);
  ck_assert (g_ptr_array_index (list, 0) == a || g_ptr_array_index (list, 1) == a);
  g_ptr_array_unref (list);
  mproc_test_say (queue, "go on");
  mproc_test_say (queue, "go on");
  mproc_process_join (a, MPROC_FOREVER);
  mproc_process_join (b, MPROC_FOREVER);
  list = mproc_process_list_children ();
  ck_assert_uint_eq (list->len, 0);
  g_ptr_array_unref (list);
  mproc_process_unref (a);
  mproc_process_unref (b);
  mproc_queue_unref (queue);
}
END_TEST

static gboolean
has_no_children (gpointer unused)
{
  GPtrArray *list = mproc_process_list_children ();
  gboolean none = list->len == 0;

  (void) unused;
  g_ptr_array_unref (list);
  return none;
}

START_TEST (forgotten_children_are_reaped)
{
  for (guint i = 0; i < 5; i++)
    mproc_process_unref (mproc_test_start (_i, NULL, NULL));
  ck_assert (mproc_test_eventually (has_no_children, NULL));
}
END_TEST

/* A start looks at one child that memory says nothing of, so that killed ones go, too. */
START_TEST (starts_reap_what_was_killed)
{
  MprocQueue *queue = mproc_queue_new (0, NULL);
  MprocProcess *processes[4];

  if (mproc_test_is_thread (_i))
    {
      mproc_queue_unref (queue);
      return;
    }
  for (guint i = 0; i < G_N_ELEMENTS (processes); i++)
    {
      processes[i] =
          mproc_test_start (_i, mproc_test_wait_in_queue, mproc_pack ("(h)", queue));
      mproc_process_kill (processes[i], NULL);
    }
  for (guint i = 0; i < G_N_ELEMENTS (processes); i++)
    mproc_test_end_with (processes[i], mproc_os_can_fork () ? -9 : -15);
  for (guint i = 0; i < 10; i++)
    mproc_process_unref (mproc_test_start (_i, NULL, NULL));
  ck_assert (mproc_test_eventually (has_no_children, NULL));
  mproc_queue_unref (queue);
}
END_TEST

/* ------------------------------------------------------------------ many waiters */

static gpointer
join_in_thread (gpointer process)
{
  return GINT_TO_POINTER (mproc_process_join (process, MPROC_FOREVER));
}

static gpointer
look_in_thread (gpointer process)
{
  while (mproc_process_is_alive (process))
    g_usleep (100);
  return GINT_TO_POINTER (mproc_process_get_exit_code (process, NULL));
}

START_TEST (several_threads_join_one_process)
{
  MprocQueue *queue = mproc_queue_new (0, NULL);
  GThread *threads[6];
  MprocProcess *process =
      mproc_test_start (_i, mproc_test_wait_in_queue, mproc_pack ("(h)", queue));

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] =
        g_thread_new ("join", i % 3 == 2 ? look_in_thread : join_in_thread, process);
  ck_assert (!mproc_process_join (process, MPROC_SECONDS (0.02)));
  ck_assert (mproc_process_is_alive (process));
  if (mproc_test_is_thread (_i))
    mproc_test_say (queue, "go on");
  else
    ck_assert (mproc_process_terminate (process, NULL));
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    ck_assert (GPOINTER_TO_INT (g_thread_join (threads[i])));
  mproc_test_end_with (process, mproc_test_is_thread (_i) ? 0 : -15);
  mproc_queue_unref (queue);
}
END_TEST

static gpointer
start_many (gpointer method)
{
  guint failures = 0;

  for (guint i = 0; i < 10; i++)
    {
      MprocProcess *process = mproc_process_new (NULL, NULL);
      int code = -1;

      mproc_process_set_start_method (process,
                                      (MprocStartMethod) GPOINTER_TO_INT (method));
      if (!mproc_process_start (process, NULL) ||
          !mproc_process_join (process, MPROC_FOREVER) ||
          !mproc_process_get_exit_code (process, &code) || code != 0)
        failures++;
      mproc_process_unref (process);
    }
  return GUINT_TO_POINTER (failures);
}

START_TEST (several_threads_start_processes)
{
  GThread *threads[4];

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("start", start_many,
                               GINT_TO_POINTER ((int) mproc_test_method (_i)));
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    ck_assert_uint_eq (GPOINTER_TO_UINT (g_thread_join (threads[i])), 0);
}
END_TEST

START_TEST (signals_of_the_host_disturb_nothing)
{
  mproc_test_annoy (TRUE);
  for (guint i = 0; i < 5; i++)
    {
      MprocQueue *queue = mproc_queue_new (0, NULL);
      MprocProcess *process =
          mproc_test_start (_i, mproc_test_wait_in_queue, mproc_pack ("(h)", queue));

      ck_assert (!mproc_process_join (process, MPROC_SECONDS (0.01)));
      mproc_test_say (queue, "go on");
      mproc_test_end_with (process, 0);
      mproc_queue_unref (queue);
    }
  mproc_test_annoy (FALSE);
}
END_TEST

/* The forkserver wants to know of its children whatever the host does. */
static int
code_of_killed (int i)
{
  if (!mproc_os_can_fork ())
    return -15;
  return mproc_test_method (i) == MPROC_START_METHOD_FORKSERVER ? -9 : 255;
}

START_TEST (codes_that_the_host_takes_away)
{
  MprocQueue *queue = mproc_queue_new (0, NULL);
  MprocProcess *process;

  mproc_test_ignore_children (TRUE);
  mproc_test_end_with (mproc_test_start (_i, mproc_test_exit_with_six, NULL), 6);
  if (!mproc_test_is_thread (_i))
    {
      process =
          mproc_test_start (_i, mproc_test_wait_in_queue, mproc_pack ("(h)", queue));
      mproc_process_kill (process, NULL);
      mproc_test_end_with (process, code_of_killed (_i));
    }
  mproc_test_ignore_children (FALSE);
  mproc_queue_unref (queue);
}
END_TEST

/* ------------------------------------------------------------------ mixed methods */

/* A target `(hu)`: a child of its own, by that method. */
static GVariant *
start_by_method (GVariant *args, GError **error)
{
  MprocQueue *queue;
  MprocProcess *process;
  guint method;
  int code = 0;

  if (!mproc_unpack (args, error, "(&hu)", &queue, &method))
    return NULL;
  process = mproc_process_new (describe_relatives, mproc_pack ("(h)", queue));
  mproc_process_set_start_method (process, (MprocStartMethod) method);
  if (!mproc_process_start (process, error) ||
      !mproc_process_join (process, MPROC_FOREVER) ||
      !mproc_process_get_exit_code (process, &code))
    code = 99;
  mproc_test_say (queue, code == 0 ? "ended" : "failed");
  mproc_process_unref (process);
  return NULL;
}

START_TEST (methods_can_be_mixed)
{
  MprocQueue *queue = mproc_queue_new (0, NULL);

  for (int i = 0; i < (int) mproc_test_n_methods (); i++)
    {
      guint method = mproc_test_method (i);
      MprocProcess *process =
          mproc_process_new (start_by_method, mproc_pack ("(hu)", queue, method));
      const char *name = mproc_process_get_name (process);
      gint64 pid;
      char *wanted;

      mproc_test_start_it (_i, process);
      pid = mproc_process_get_pid (process);
      wanted = g_strdup_printf ("%s:1 alive 1 own 1; parent %s %" G_GINT64_FORMAT
                                " alive 1; method %u",
                                name, name, pid, method);
      mproc_test_expect_text (queue, wanted);
      mproc_test_expect_text (queue, "ended");
      mproc_test_end_with (process, 0);
      g_free (wanted);
    }
  mproc_queue_unref (queue);
}
END_TEST

/* ------------------------------------------------------------------ starts that fail */

START_TEST (no_memory_for_a_start)
{
  MprocQueue *queue = mproc_queue_new (0, NULL);
  char *much = g_strnfill (1 << 20, 'x');
  MprocProcess *process = mproc_process_new (say_name, mproc_pack ("(hs)", queue, much));
  GError *error = NULL;

  g_free (much);
  ck_assert (mproc_set_memory_limit (1, NULL));
  mproc_process_set_start_method (process, mproc_test_method (_i));
  /* Only spawned children get their arguments by way of the shared memory. */
  if (mproc_test_method (_i) == MPROC_START_METHOD_SPAWN)
    {
      ck_assert (!mproc_process_start (process, &error));
      mproc_test_expect_error (&error, MPROC_ERROR_NO_MEMORY, "");
      ck_assert_int_eq (mproc_process_get_pid (process), 0);
    }
  ck_assert (mproc_set_memory_limit (G_MAXUINT64, NULL));
  ck_assert (mproc_process_start (process, NULL));
  mproc_test_expect_text (queue, mproc_process_get_name (process));
  mproc_test_end_with (process, 0);
  mproc_queue_unref (queue);
}
END_TEST

/* Takes all that are left below the limit. */
static GArray *
take_descriptors (void)
{
  GArray *taken = g_array_new (FALSE, FALSE, sizeof (gintptr));
  gintptr reader, writer, copy;

  ck_assert (mproc_os_channel_pair (FALSE, &reader, &writer, NULL));
  g_array_append_val (taken, reader);
  g_array_append_val (taken, writer);
  while ((copy = mproc_os_channel_dup (reader, NULL)) != MPROC_OS_NONE)
    g_array_append_val (taken, copy);
  return taken;
}

static void
give_back (GArray *taken)
{
  for (guint i = 0; i < taken->len; i++)
    mproc_os_channel_close (g_array_index (taken, gintptr, i));
  g_array_unref (taken);
}

/* Not every method needs one: but where it is missing, nothing has been done. */
START_TEST (no_descriptors_for_a_start)
{
  MprocQueue *queue = mproc_queue_new (0, NULL);
  guint before = mproc_test_limit_descriptors (64);
  MprocConnection *a, *b;
  MprocProcess *process;
  GError *error = NULL;
  gboolean ok;

  ck_assert (mproc_pipe (TRUE, &a, &b, NULL));
  process = mproc_process_new (say_name, mproc_pack ("(hsh)", queue, "", b));
  mproc_process_set_start_method (process, mproc_test_method (_i));
  if (before != 0)
    {
      GArray *taken = take_descriptors ();

      ok = mproc_process_start (process, &error);
      give_back (taken);
      mproc_test_limit_descriptors (before);
      if (!ok)
        {
          mproc_test_expect_error (&error, MPROC_ERROR_TOO_MANY_FILES, "");
          ck_assert_int_eq (mproc_process_get_pid (process), 0);
          ck_assert (mproc_process_start (process, NULL));
        }
    }
  else
    ck_assert (mproc_process_start (process, NULL));
  mproc_test_expect_text (queue, mproc_process_get_name (process));
  mproc_test_end_with (process, 0);
  mproc_connection_unref (a);
  mproc_connection_unref (b);
  mproc_queue_unref (queue);
}
END_TEST

Suite *
mproc_test_children_suite (void)
{
  Suite *suite = suite_create ("children");
  TCase *tcase = mproc_test_case (suite, "children");
  int n = (int) mproc_test_n_methods ();

  tcase_add_loop_test (tcase, knows_its_relatives, 0, n);
  tcase_add_loop_test (tcase, children_may_have_children, 0, n);
  tcase_add_loop_test (tcase, authkey_is_inherited, 0, n);
  tcase_add_loop_test (tcase, method_is_inherited_for_good, 0, n);
  tcase_add_loop_test (tcase, list_joins_the_finished, 0, n);
  tcase_add_loop_test (tcase, forgotten_children_are_reaped, 0, n);
  tcase_add_loop_test (tcase, starts_reap_what_was_killed, 0, n);
  tcase_add_loop_test (tcase, several_threads_join_one_process, 0, n);
  tcase_add_loop_test (tcase, several_threads_start_processes, 0, n);
  tcase_add_loop_test (tcase, signals_of_the_host_disturb_nothing, 0, n);
  tcase_add_loop_test (tcase, codes_that_the_host_takes_away, 0, n);
  tcase_add_loop_test (tcase, methods_can_be_mixed, 0, n);
  tcase_add_loop_test (tcase, no_memory_for_a_start, 0, n);
  tcase_add_loop_test (tcase, no_descriptors_for_a_start, 0, n);
  return suite;
}
