/* SPDX-License-Identifier: MIT */
/* What pools write about themselves where MPROC_TRACE asks for it. */
#include "pools.h"

#include "names.h"
#include "os.h"
#include "tracefile.h"

#include <glib/gstdio.h>
#include <string.h>

static char *path;

/* From here on pools write there. */
static void
begin_trace (void)
{
  path = mproc_test_temporary ("trace");
  g_setenv ("MPROC_TRACE", path, TRUE);
}

/* ------------------------------------------------------------------ what was written */

typedef struct
{
  guint n_tasks, n_done, n_failed, n_died, n_deaths;
  guint n_begun, n_ended, n_named;
  guint n_pools;         /* processes that have one */
  guint n_odd;           /* times that cannot be */
  char name[TRACE_TEXT]; /* of the last task */
  GHashTable *pids;
  GHashTable *tids;  /* of workers that began */
  guint n_strangers; /* tasks of workers that did not begin */
  GHashTable *users; /* of tasks */
} Seen;

static void
see (const TraceEvent *event, gpointer data)
{
  Seen *seen = data;
  gpointer tid = GSIZE_TO_POINTER ((gsize) event->tid);

  g_hash_table_add (seen->pids, GSIZE_TO_POINTER ((gsize) event->pid));
  seen->n_odd += event->duration < 0 || event->waited < 0 || event->start < 0;
  seen->n_deaths += event->phase == 'i';
  seen->n_named += event->phase == 'M' && strcmp (event->name, "thread_name") == 0;
  seen->n_ended += event->phase == 'E';
  if (event->phase == 'B')
    {
      seen->n_begun++;
      g_hash_table_add (seen->tids, tid);
    }
  if (event->phase != 'X')
    return;
  g_hash_table_add (seen->users, tid);
  seen->n_tasks++;
  seen->n_done += strcmp (event->outcome, "done") == 0;
  seen->n_failed += strcmp (event->outcome, "failed") == 0;
  seen->n_died += strcmp (event->outcome, "died") == 0;
  g_strlcpy (seen->name, event->name, sizeof seen->name);
}

/* Whole, with its bracket first, and every line an event. */
static void
read_trace (Seen *seen)
{
  char *text;
  gsize size;
  TraceSummary summary;
  GHashTableIter iter;
  gpointer tid;

  memset (seen, 0, sizeof *seen);
  seen->pids = g_hash_table_new (NULL, NULL);
  seen->tids = g_hash_table_new (NULL, NULL);
  seen->users = g_hash_table_new (NULL, NULL);
  ck_assert (g_file_get_contents (path, &text, &size, NULL));
  ck_assert (g_str_has_prefix (text, "[\n{"));
  ck_assert (g_str_has_suffix (text, "},\n"));
  ck_assert_ptr_null (strstr (text + 1, "\n["));
  trace_read (text, size, see, seen, &summary);
  ck_assert_uint_eq (summary.n_broken, 0);
  ck_assert (!summary.is_cut);
  seen->n_pools = g_hash_table_size (seen->pids);
  g_hash_table_iter_init (&iter, seen->users);
  while (g_hash_table_iter_next (&iter, &tid, NULL))
    seen->n_strangers += !g_hash_table_contains (seen->tids, tid);
  g_hash_table_unref (seen->pids);
  g_hash_table_unref (seen->tids);
  g_hash_table_unref (seen->users);
  g_free (text);
}

static void
end_trace (void)
{
  g_unsetenv ("MPROC_TRACE");
  g_remove (path);
  g_clear_pointer (&path, g_free);
}

static MprocPool *
begin_traced (guint n_workers, int i)
{
  begin_trace ();
  return mproc_test_pool (n_workers, i);
}

/* Its end too is in what has been seen. */
static void
end_traced (MprocPool *pool, Seen *seen)
{
  mproc_test_end_pool (pool);
  read_trace (seen);
  end_trace ();
}

/* ------------------------------------------------------------------ functions that run there */

/* A pool in a process of its own, many of which write at the same time. */
static GVariant *
run_pool (GVariant *args, GError **error)
{
  MprocPool *pool = mproc_test_try_pool (2, MPROC_START_METHOD_THREAD, error);

  (void) args;
  if (pool == NULL)
    return NULL;
  for (gint32 i = 0; i < 2000; i++)
    mproc_result_unref (mproc_pool_apply_async (pool, mproc_test_refuse_odd,
                                                g_variant_new_int32 (2 * i), NULL));
  mproc_pool_close (pool);
  mproc_pool_join (pool, MPROC_SECONDS (30));
  mproc_pool_unref (pool);
  return NULL;
}

static GVariant *
own_function (GVariant *args, GError **error)
{
  (void) args, (void) error;
  return NULL;
}

/* ------------------------------------------------------------------ tests */

START_TEST (each_task_is_there)
{
  MprocPool *pool;
  Seen seen;

  pool = begin_traced (2, _i);
  for (gint32 i = 0; i < 20; i++)
    {
      GVariant *value =
          mproc_pool_apply (pool, mproc_test_refuse_odd, g_variant_new_int32 (i), NULL);

      g_clear_pointer (&value, g_variant_unref);
    }
  end_traced (pool, &seen);
  ck_assert_uint_eq (seen.n_tasks, 20);
  ck_assert_uint_eq (seen.n_done, 10);
  ck_assert_uint_eq (seen.n_failed, 10);
  ck_assert_uint_eq (seen.n_odd, 0);
  ck_assert_uint_eq (seen.n_begun, 2);
  ck_assert_uint_eq (seen.n_ended, 2);
  ck_assert_uint_eq (seen.n_named, 2);
  ck_assert_uint_eq (seen.n_strangers, 0);
  ck_assert_uint_eq (seen.n_deaths, 0);
}
END_TEST

/* Whatever the task is called, it stays JSON. */
START_TEST (names_are_what_they_were_called)
{
  static const char *const names[] = { "plain", "with \"quotes\" and \\ and \t tabs",
                                       "漢字" };
  MprocTaskOptions *options = mproc_task_options_new ();

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      MprocResult *result;
      MprocPool *pool;
      Seen seen;

      pool = begin_traced (1, _i);
      mproc_task_options_set_name (options, names[i]);
      result = mproc_pool_apply_async (pool, mproc_test_refuse_odd,
                                       g_variant_new_int32 (0), options);
      mproc_test_expect_success (result);
      end_traced (pool, &seen);
      ck_assert_uint_eq (seen.n_tasks, 1);
      if (i != 1)
        ck_assert_str_eq (seen.name, names[i]);
      else /* the reader makes blanks of control letters */
        ck_assert_str_eq (seen.name, "with \"quotes\" and \\ and   tabs");
    }
  mproc_task_options_free (options);
}
END_TEST

/* The function's own where the system knows it, a static one's too. */
START_TEST (functions_have_names)
{
  char *known = mproc_os_symbol_at ((gconstpointer) (guintptr) own_function);
  MprocPool *pool;
  Seen seen;

  pool = begin_traced (1, _i);
  mproc_pool_push (pool, own_function, NULL, NULL);
  end_traced (pool, &seen);
  if (known != NULL)
    ck_assert_str_eq (seen.name, "own_function");
  else
    ck_assert_msg (strstr (seen.name, "+0x") != NULL, "%s", seen.name);
  g_free (known);
}
END_TEST

START_TEST (deaths_are_there)
{
  MprocPool *pool;
  MprocResult *result;
  Seen seen;

  if (mproc_test_is_thread (_i))
    return; /* threads cannot be killed */
  pool = begin_traced (1, _i);
  result = mproc_pool_apply_async (pool, mproc_test_die, NULL, NULL);
  mproc_test_expect_failure (result, MPROC_ERROR_WORKER_DIED, NULL);
  g_variant_unref (mproc_pool_apply (pool, mproc_test_refuse_odd, g_variant_new_int32 (0),
                                     NULL));
  end_traced (pool, &seen);
  ck_assert_uint_eq (seen.n_died, 1);
  ck_assert_uint_eq (seen.n_done, 1);
  ck_assert_uint_eq (seen.n_deaths, 1);
  ck_assert_uint_eq (seen.n_begun, 2);
  ck_assert_uint_eq (seen.n_ended, 2);
}
END_TEST

/* One bar for each worker that it cost. */
START_TEST (attempts_are_there)
{
  MprocTaskOptions *options = mproc_task_options_new ();
  MprocPool *pool;
  MprocResult *result;
  Seen seen;

  mproc_task_options_set_attempts (options, 3);
  if (!mproc_test_is_thread (_i)) /* threads cannot be killed */
    {
      pool = begin_traced (1, _i);
      result = mproc_pool_apply_async (pool, mproc_test_die, NULL, options);
      mproc_test_expect_failure (result, MPROC_ERROR_WORKER_DIED, NULL);
      end_traced (pool, &seen);
      ck_assert_uint_eq (seen.n_tasks, 3);
      ck_assert_uint_eq (seen.n_died, 3);
      ck_assert_uint_eq (seen.n_deaths, 3);
    }
  mproc_task_options_free (options);
}
END_TEST

/* A map too, chunk by chunk. */
START_TEST (maps_are_there)
{
  GVariant *items[12], *value;
  MprocPool *pool;
  Seen seen;

  for (gint32 i = 0; i < 12; i++)
    items[i] = g_variant_new_int32 (2 * i);
  pool = begin_traced (2, _i);
  value = mproc_pool_map (pool, mproc_test_refuse_odd,
                          g_variant_new_array (NULL, items, 12), 3, NULL);
  g_variant_unref (value);
  end_traced (pool, &seen);
  ck_assert_uint_eq (seen.n_tasks, 4);
  ck_assert_uint_eq (seen.n_done, 4);
}
END_TEST

/* Several pools of several processes, whose lines are as whole as if there were one. */
START_TEST (processes_share_a_file)
{
  enum
  {
    N = 4
  };
  MprocProcess *processes[N];
  Seen seen;

  if (mproc_test_is_thread (_i))
    return; /* these are one process */
  begin_trace ();
  for (guint i = 0; i < N; i++)
    processes[i] = mproc_test_start (_i, run_pool, NULL);
  for (guint i = 0; i < N; i++)
    mproc_test_end_with (processes[i], 0);
  read_trace (&seen);
  end_trace ();
  ck_assert_uint_eq (seen.n_pools, N);
  ck_assert_uint_eq (seen.n_tasks, N * 2000);
  ck_assert_uint_eq (seen.n_done, N * 2000);
  ck_assert_uint_eq (seen.n_strangers, 0);
}
END_TEST

/* An empty file is begun, one with a trace in it is gone on with. */
START_TEST (a_file_is_appended_to)
{
  Seen seen;

  begin_trace ();
  ck_assert (g_file_set_contents (path, "", 0, NULL));
  for (guint i = 0; i < 2; i++)
    {
      MprocPool *pool = mproc_test_pool (1, _i);

      mproc_pool_push (pool, mproc_test_refuse_odd, g_variant_new_int32 (0), NULL);
      mproc_test_end_pool (pool);
    }
  read_trace (&seen);
  end_trace ();
  ck_assert_uint_eq (seen.n_tasks, 2);
  ck_assert_uint_eq (seen.n_begun, 2);
}
END_TEST

/* Read while the pool lives: what is written at that moment may be cut. */
static void
count_task (const TraceEvent *event, gpointer data)
{
  guint *n_tasks = data;

  *n_tasks += event->phase == 'X';
}

static gboolean
has_tasks (gpointer data)
{
  TraceSummary summary;
  guint n_tasks = 0;
  gsize size;
  char *text;

  (void) data;
  ck_assert (g_file_get_contents (path, &text, &size, NULL));
  trace_read (text, size, count_task, &n_tasks, &summary);
  g_free (text);
  return n_tasks == 11;
}

START_TEST (it_can_be_read_meanwhile)
{
  MprocPool *pool;

  pool = begin_traced (1, _i);
  for (gint32 i = 0; i < 10; i++)
    mproc_pool_push (pool, mproc_test_refuse_odd, g_variant_new_int32 (0), NULL);
  g_variant_unref (mproc_pool_apply (pool, mproc_test_refuse_odd, g_variant_new_int32 (0),
                                     NULL));
  ck_assert (mproc_test_eventually (has_tasks, NULL));
  mproc_test_end_pool (pool);
  end_trace ();
}
END_TEST

/* Which is told, and the pool serves without a trace. */
START_TEST (a_pipe_without_a_reader_stops_nobody)
{
  begin_trace ();
  if (mproc_test_make_pipe_at (path)) /* where there are pipes in folders */
    {
      MprocPool *pool = mproc_test_pool (1, _i);

      mproc_test_expect_service (pool, 3);
      mproc_test_end_pool (pool);
    }
  end_trace ();
}
END_TEST

START_TEST (nobody_asked)
{
  MprocPool *pool = mproc_test_pool (1, _i);

  begin_trace ();
  g_variant_unref (mproc_pool_apply (pool, mproc_test_refuse_odd, g_variant_new_int32 (0),
                                     NULL));
  mproc_test_end_pool (pool);
  ck_assert (!g_file_test (path, G_FILE_TEST_EXISTS));
  end_trace ();
}
END_TEST

Suite *
mproc_test_pool_trace_suite (void)
{
  Suite *suite = suite_create ("pool-trace");
  TCase *tcase = mproc_test_case (suite, "pool-trace");
  int n = (int) mproc_test_n_methods ();

  tcase_add_loop_test (tcase, each_task_is_there, 0, n);
  tcase_add_loop_test (tcase, names_are_what_they_were_called, 0, n);
  tcase_add_loop_test (tcase, functions_have_names, 0, n);
  tcase_add_loop_test (tcase, deaths_are_there, 0, n);
  tcase_add_loop_test (tcase, attempts_are_there, 0, n);
  tcase_add_loop_test (tcase, maps_are_there, 0, n);
  tcase_add_loop_test (tcase, processes_share_a_file, 0, n);
  tcase_add_loop_test (tcase, a_file_is_appended_to, 0, n);
  tcase_add_loop_test (tcase, it_can_be_read_meanwhile, 0, n);
  tcase_add_loop_test (tcase, a_pipe_without_a_reader_stops_nobody, 0, n);
  tcase_add_loop_test (tcase, nobody_asked, 0, n);
  return suite;
}
