/* SPDX-License-Identifier: MIT */
/* Workers: initializer and finalizer, their data and numbers, how many tasks they take. */
#include "pools.h"

#include "forge.h"
#include "kill.h"
#include "os.h"

#include <mproc/iter.h>

#include <string.h>

/* ------------------------------------------------------------------ functions that run there */

/* What a worker keeps. */
typedef struct
{
  MprocQueue *log; /* where its life is told */
  gint32 n;        /* tasks so far */
} Kept;

enum
{
  INITIALIZED = 1,
  FINALIZED,
  FREED
};

static void
free_kept (gpointer data)
{
  Kept *kept = data;

  mproc_test_tell (kept->log, FREED);
  mproc_queue_unref (kept->log);
  g_free (kept);
}

static GVariant *
initialize (GVariant *args, GError **error)
{
  Kept *kept = g_new0 (Kept, 1);

  if (!mproc_unpack (args, error, "(h)", &kept->log))
    return NULL;
  mproc_worker_set_data (kept, free_kept);
  mproc_test_tell (kept->log, INITIALIZED);
  return NULL;
}

static GVariant *
finalize (GVariant *args, GError **error)
{
  Kept *kept = mproc_worker_get_data ();

  (void) args;
  if (kept == NULL)
    g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_FAILED, "no data");
  else
    mproc_test_tell (kept->log, FINALIZED);
  return NULL;
}

static GVariant *
count_tasks (GVariant *args, GError **error)
{
  Kept *kept = mproc_worker_get_data ();

  (void) args, (void) error;
  return g_variant_new_int32 (++kept->n);
}

static GVariant *
get_number (GVariant *args, GError **error)
{
  (void) args, (void) error;
  return g_variant_new_int32 ((gint32) mproc_worker_get_number ());
}

static GVariant *
refuse (GVariant *args, GError **error)
{
  (void) args;
  g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_NOT_FOUND, "no database here");
  return NULL;
}

/* ------------------------------------------------------------------ life */

static MprocPoolOptions *
make_options (int i, MprocQueue *log)
{
  MprocPoolOptions *options = mproc_test_pool_options (i);

  mproc_pool_options_set_initializer (options, initialize, mproc_pack ("(h)", log));
  mproc_pool_options_set_finalizer (options, finalize, NULL);
  return options;
}

static gint32
apply (MprocPool *pool, MprocFunc func)
{
  GError *error = NULL;
  GVariant *value = mproc_pool_apply (pool, func, NULL, &error);

  ck_assert_msg (value != NULL, "%s", error != NULL ? error->message : "no error");
  return mproc_test_int (value);
}

static void
count_log (MprocQueue *log, guint *counts)
{
  gint what;

  memset (counts, 0, 4 * sizeof *counts);
  while ((what = mproc_test_hear (log, 0)) != MPROC_TEST_SILENCE)
    counts[what]++;
}

START_TEST (a_worker_keeps_data)
{
  MprocQueue *log = mproc_queue_new (0, NULL);
  MprocPool *pool = mproc_test_pool_with (1, make_options (_i, log));
  guint counts[4];

  for (gint32 i = 1; i < 20; i++)
    ck_assert_int_eq (apply (pool, count_tasks), i);
  mproc_test_end_pool (pool);
  count_log (log, counts);
  ck_assert_uint_eq (counts[INITIALIZED], 1);
  ck_assert_uint_eq (counts[FINALIZED], 1);
  ck_assert_uint_eq (counts[FREED], 1);
  mproc_queue_unref (log);
}
END_TEST

START_TEST (each_worker_has_its_own)
{
  MprocQueue *log = mproc_queue_new (0, NULL);
  MprocPool *pool = mproc_test_pool_with (3, make_options (_i, log));
  guint counts[4];

  apply (pool, count_tasks);
  mproc_test_end_pool (pool);
  count_log (log, counts);
  /* One that had not begun when the pool was closed does not begin. */
  ck_assert_uint_ge (counts[INITIALIZED], 1);
  ck_assert_uint_le (counts[INITIALIZED], 3);
  ck_assert_uint_eq (counts[FINALIZED], counts[INITIALIZED]);
  ck_assert_uint_eq (counts[FREED], counts[INITIALIZED]);
  mproc_queue_unref (log);
}
END_TEST

/* As if it had not been there, but for its number. */
START_TEST (a_replaced_worker_is_initialized)
{
  MprocQueue *log = mproc_queue_new (0, NULL);
  MprocPoolOptions *options = make_options (_i, log);
  guint counts[4];
  MprocPool *pool;

  mproc_pool_options_set_max_tasks_per_worker (options, 3);
  pool = mproc_test_pool_with (1, options);
  for (gint32 i = 0; i < 12; i++)
    ck_assert_int_eq (apply (pool, count_tasks), i % 3 + 1);
  mproc_test_end_pool (pool);
  count_log (log, counts);
  /* The fifth may have come to life before the end. */
  ck_assert_uint_ge (counts[INITIALIZED], 4);
  ck_assert_uint_le (counts[INITIALIZED], 5);
  ck_assert_uint_ge (counts[FINALIZED], 4);
  ck_assert_uint_eq (counts[FREED], counts[FINALIZED]);
  mproc_queue_unref (log);
}
END_TEST

/* A chunk counts as one task. */
START_TEST (chunks_count_as_tasks)
{
  MprocQueue *log = mproc_queue_new (0, NULL);
  MprocPoolOptions *options = make_options (_i, log);
  GVariant *all;
  guint counts[4];
  MprocPool *pool;

  mproc_pool_options_set_max_tasks_per_worker (options, 2);
  pool = mproc_test_pool_with (1, options);
  all = mproc_pool_map (pool, mproc_test_square, mproc_test_numbers (6, 40), 10, NULL);
  ck_assert_uint_eq (g_variant_n_children (all), 40);
  g_variant_unref (all);
  mproc_test_end_pool (pool);
  count_log (log, counts);
  ck_assert_uint_ge (counts[INITIALIZED], 2);
  ck_assert_uint_le (counts[INITIALIZED], 3);
  mproc_queue_unref (log);
}
END_TEST

static gint64
time_replacements (int i, gconstpointer data)
{
  const guint n = 5;
  MprocPoolOptions *options = mproc_test_pool_options (i);
  MprocPool *pool;
  gint64 start;

  mproc_pool_options_set_max_tasks_per_worker (options, 1);
  pool = mproc_test_pool_with (1, options);
  start = g_get_monotonic_time ();
  for (guint k = 0; k < n; k++)
    apply (pool, get_number);
  start = g_get_monotonic_time () - start;
  mproc_test_end_pool (pool);
  return start / n;
}

/* Nobody waits for a look at the dead: a start takes milliseconds. */
START_TEST (replacements_come_at_once)
{
  if (mproc_test_is_slow_platform ())
    return; /* where a start takes longer than what is measured here */
  ck_assert_int_le (mproc_test_best (time_replacements, _i, NULL, 30000), 30000);
}
END_TEST

START_TEST (workers_have_numbers)
{
  MprocPoolOptions *options = mproc_test_pool_options (_i);
  MprocPool *pool;

  ck_assert_uint_eq (mproc_worker_get_number (), 0);
  ck_assert_ptr_null (mproc_worker_get_data ());
  mproc_pool_options_set_max_tasks_per_worker (options, 1);
  pool = mproc_test_pool_with (1, options);
  for (gint32 i = 1; i < 4; i++)
    ck_assert_int_eq (apply (pool, get_number), i);
  mproc_test_end_pool (pool);
  mproc_test_count_criticals ();
  mproc_worker_set_data (pool, NULL);
  ck_assert_uint_eq (mproc_test_count_criticals (), 1);
}
END_TEST

static GVariant *
replace_data (GVariant *args, GError **error)
{
  static gint here; /* of the worker's process, or of all of them */

  initialize (args, error);
  initialize (args, error);
  mproc_worker_set_data (&here, NULL);
  return g_variant_new_boolean (mproc_worker_get_data () == &here);
}

START_TEST (data_is_freed_when_replaced)
{
  MprocQueue *log = mproc_queue_new (0, NULL);
  MprocPool *pool = mproc_test_pool (1, _i);
  GVariant *value = mproc_pool_apply (pool, replace_data, mproc_pack ("(h)", log), NULL);
  guint counts[4];

  ck_assert (g_variant_get_boolean (value));
  g_variant_unref (value);
  count_log (log, counts);
  ck_assert_uint_eq (counts[FREED], 2);
  mproc_test_end_pool (pool);
  mproc_queue_unref (log);
}
END_TEST

/* ------------------------------------------------------------------ those that fail */

START_TEST (a_failed_initializer_breaks_the_pool)
{
  MprocPoolOptions *options = mproc_test_pool_options (_i);
  GError *error = NULL;
  MprocResult *result;
  MprocPool *pool;

  mproc_pool_options_set_initializer (options, refuse, NULL);
  pool = mproc_test_pool_with (2, options);
  result = mproc_pool_apply_async (pool, get_number, NULL, NULL);
  ck_assert (mproc_result_wait (result, MPROC_SECONDS (30)));
  ck_assert_ptr_null (mproc_result_get (result, 0, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_STATE, "no database here");
  mproc_result_unref (result);
  for (guint i = 0; i < 3; i++)
    {
      ck_assert (!mproc_pool_push (pool, get_number, NULL, &error));
      mproc_test_expect_error (&error, MPROC_ERROR_STATE, "no database here");
      ck_assert_ptr_null (mproc_pool_map (pool, get_number, mproc_test_numbers (1, 9), 0,
                                          &error));
      mproc_test_expect_error (&error, MPROC_ERROR_STATE, "no database here");
    }
  mproc_test_end_pool (pool);
}
END_TEST

/* The second one's: the first has taken tasks. */
static GVariant *
fail_later (GVariant *args, GError **error)
{
  MprocQueue *log;

  if (mproc_unpack (args, error, "(&h)", &log) && mproc_test_hear (log, 0) != 1)
    refuse (args, error);
  return NULL;
}

START_TEST (also_that_of_a_replacement)
{
  MprocQueue *log = mproc_queue_new (0, NULL);
  MprocPoolOptions *options = mproc_test_pool_options (_i);
  GError *error = NULL;
  MprocPool *pool;

  mproc_test_tell (log, 1);
  mproc_pool_options_set_initializer (options, fail_later, mproc_pack ("(h)", log));
  mproc_pool_options_set_max_tasks_per_worker (options, 1);
  pool = mproc_test_pool_with (1, options);
  ck_assert_int_eq (apply (pool, get_number), 1);
  ck_assert_ptr_null (mproc_pool_apply (pool, get_number, NULL, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_STATE, "no database here");
  mproc_test_end_pool (pool);
  mproc_queue_unref (log);
}
END_TEST

START_TEST (a_failed_finalizer_is_nobodys)
{
  MprocPoolOptions *options = mproc_test_pool_options (_i);
  MprocPool *pool;

  mproc_pool_options_set_finalizer (options, refuse, NULL);
  mproc_pool_options_set_max_tasks_per_worker (options, 1);
  pool = mproc_test_pool_with (1, options);
  for (gint32 i = 1; i < 4; i++)
    ck_assert_int_eq (apply (pool, get_number), i);
  mproc_test_end_pool (pool);
}
END_TEST

START_TEST (a_killed_worker_is_not_finalized)
{
  MprocQueue *log = mproc_queue_new (0, NULL);
  guint counts[4];
  GError *error = NULL;
  MprocPool *pool;

  if (mproc_test_is_thread (_i))
    {
      mproc_queue_unref (log);
      return; /* a thread cannot be killed */
    }
  pool = mproc_test_pool_with (1, make_options (_i, log));
  ck_assert_ptr_null (mproc_pool_apply (pool, mproc_test_die_of_13,
                                        g_variant_new_int32 (13), &error));
  mproc_test_expect_error (&error, MPROC_ERROR_WORKER_DIED, "");
  mproc_test_expect_number (log, INITIALIZED);
  mproc_test_expect_number (log, INITIALIZED);
  mproc_test_end_pool (pool);
  count_log (log, counts);
  ck_assert_uint_eq (counts[FREED], 1);
  ck_assert_uint_eq (counts[FINALIZED], 1);
  mproc_queue_unref (log);
}
END_TEST

/* ------------------------------------------------------------------ forks and pools inside */

/* A target: exits with 6 if it sees nothing of the task that it was forked in. */
static GVariant *
look_for_worker (GVariant *args, GError **error)
{
  gboolean is_worker = mproc_worker_get_number () != 0 ||
                       mproc_worker_get_data () != NULL || mproc_task_get_attempt () != 0;

  (void) args, (void) error;
  mproc_process_exit (is_worker ? 7 : 6);
}

static GVariant *
start_child (GVariant *args, GError **error)
{
  MprocProcess *process = mproc_process_new (look_for_worker, NULL);
  int code = 0;

  (void) args;
  mproc_worker_set_data (process, NULL);
  if (mproc_process_start (process, error))
    {
      mproc_process_join (process, MPROC_FOREVER);
      mproc_process_get_exit_code (process, &code);
    }
  mproc_worker_set_data (NULL, NULL);
  mproc_process_unref (process);
  return *error == NULL ? g_variant_new_int32 (code) : NULL;
}

/* The same of a child that is forked by hand. */
static GVariant *
fork_child (GVariant *args, GError **error)
{
  MprocOsChild child;
  gint result;

  (void) args;
  mproc_worker_set_data (&child, NULL);
  result = mproc_os_fork (&child, error);
  if (result == 0)
    mproc_os_exit (mproc_worker_get_data () == NULL && mproc_worker_get_number () == 0
                       ? 6
                       : 7);
  mproc_worker_set_data (NULL, NULL);
  if (result < 0)
    return NULL;
  mproc_os_child_wait (&child, MPROC_OS_NEVER);
  mproc_os_child_clear (&child);
  return g_variant_new_int32 (child.exit_code);
}

START_TEST (a_tasks_child_is_no_worker)
{
  MprocPool *pool = mproc_test_pool (1, _i);

  ck_assert_int_eq (apply (pool, start_child), 6);
  if (mproc_test_can_fork ())
    ck_assert_int_eq (apply (pool, fork_child), 6);
  mproc_test_end_pool (pool);
}
END_TEST

/* A task `i` that has a pool of that depth of its own. */
static GVariant *
nest (GVariant *args, GError **error)
{
  gint32 depth = g_variant_get_int32 (args);
  MprocPool *pool = mproc_pool_new (2, error);
  GVariant *value = NULL;

  if (pool == NULL)
    return NULL;
  if (depth > 0)
    value = mproc_pool_apply (pool, nest, g_variant_new_int32 (depth - 1), error);
  else
    value = mproc_pool_apply (pool, mproc_test_square, g_variant_new_int32 (9), error);
  mproc_pool_close (pool);
  mproc_pool_join (pool, MPROC_FOREVER);
  mproc_pool_unref (pool);
  return value;
}

START_TEST (pools_nest)
{
  gint32 depth = mproc_test_is_slow_platform () ? 1 : 2;
  MprocPool *pool = mproc_test_pool (2, _i);
  GError *error = NULL;

  for (gint32 i = 0; i < depth; i++)
    {
      GVariant *value = mproc_pool_apply (pool, nest, g_variant_new_int32 (i), &error);

      ck_assert_msg (value != NULL, "%s", error != NULL ? error->message : "no error");
      ck_assert_int_eq (mproc_test_int (value), 81);
    }
  mproc_test_end_pool (pool);
}
END_TEST

/* A daemon may have no children, and says so at once. */
static GVariant *
try_pool (GVariant *args, GError **error)
{
  MprocPoolOptions *options = mproc_pool_options_new ();
  MprocQueue *queue;
  GError *refusal = NULL;
  MprocPool *pool = mproc_pool_new_full (1, options, &refusal);

  mproc_pool_options_free (options);
  if (mproc_unpack (args, error, "(&h)", &queue))
    mproc_test_say (queue, pool != NULL ? "a pool" : refusal->message);
  g_clear_error (&refusal);
  mproc_pool_unref (pool);
  return NULL;
}

START_TEST (a_daemon_has_no_pool)
{
  MprocQueue *queue = mproc_queue_new (0, NULL);
  MprocProcess *process = mproc_process_new (try_pool, mproc_pack ("(h)", queue));

  mproc_process_set_daemon (process, TRUE);
  mproc_test_start_it (_i, process);
  mproc_test_expect_text (queue, "daemonic processes are not allowed to have children");
  mproc_test_end_with (process, 0);
  mproc_queue_unref (queue);
}
END_TEST

/* ------------------------------------------------------------------ bad input */

static GVariant *
of_another_build (GVariant *args, GError **error)
{
  (void) args, (void) error;
  return NULL;
}

/* The task's own failure: no wild jump, and no other task's. */
START_TEST (a_function_of_another_build)
{
  static gboolean is_forged; /* once for all methods */
  MprocPool *pool = mproc_test_pool (1, _i);
  guint8 identity[MPROC_OS_IDENTITY_SIZE];
  GError *error = NULL;
  MprocOsImage image;

  ck_assert (mproc_os_image_at ((gconstpointer) (guintptr) of_another_build, &image));
  if (!is_forged)
    mproc_test_forge_ticket (of_another_build, &image, identity);
  is_forged = TRUE;
  mproc_os_image_clear (&image);
  ck_assert_ptr_null (mproc_pool_apply (pool, of_another_build, NULL, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_FUNCTION, "cannot be run by this process");
  ck_assert_ptr_null (mproc_pool_map (pool, of_another_build, mproc_test_numbers (1, 9),
                                      0, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_FUNCTION, "cannot be run by this process");
  ck_assert_int_eq (apply (pool, get_number), 1);
  mproc_test_end_pool (pool);
}
END_TEST

START_TEST (negative_numbers)
{
  MprocPoolOptions *options = mproc_pool_options_new ();
  GError *error = NULL;

  mproc_pool_options_set_max_tasks_per_worker (options, (guint) -1);
  ck_assert_ptr_null (mproc_pool_new_full (1, options, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_INVALID, "max_tasks_per_worker");
  mproc_pool_options_set_max_tasks_per_worker (options, 0);
  mproc_pool_options_set_max_pending (options, (guint) -7);
  ck_assert_ptr_null (mproc_pool_new_full (1, options, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_INVALID, "max_pending");
  mproc_pool_options_free (options);
}
END_TEST

/* So many attempts would be a task that is begun for ever. */
START_TEST (negative_attempts)
{
  MprocPoolOptions *options = mproc_test_pool_options (_i);
  MprocTaskOptions *task = mproc_task_options_new ();
  GError *error = NULL;
  MprocIter *iter;
  MprocPool *pool;

  mproc_task_options_set_attempts (task, (guint) -1);
  mproc_pool_options_set_task_options (options, task);
  ck_assert_ptr_null (mproc_pool_new_full (1, options, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_INVALID, "attempts");
  mproc_pool_options_set_task_options (options, NULL);
  pool = mproc_test_pool_with (1, options);
  mproc_test_expect_failure (mproc_pool_apply_async (pool, mproc_test_die, NULL, task),
                             MPROC_ERROR_INVALID, "attempts");
  mproc_test_expect_failure (mproc_pool_map_async (pool, mproc_test_die,
                                                   mproc_test_numbers (0, 9), 2, task),
                             MPROC_ERROR_INVALID, "attempts");
  iter = mproc_pool_imap (pool, mproc_test_die, mproc_test_numbers (0, 1), 0, task, NULL);
  ck_assert_ptr_null (mproc_iter_next (iter, MPROC_FOREVER, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_INVALID, "attempts");
  mproc_iter_unref (iter);
  ck_assert_int_eq (apply (pool, get_number), 1);
  mproc_test_end_pool (pool);
  mproc_task_options_free (task);
}
END_TEST

Suite *
mproc_test_pool_worker_suite (void)
{
  Suite *suite = suite_create ("pool-worker");
  TCase *tcase = mproc_test_case (suite, "worker");
  int n = (int) mproc_test_n_methods ();

  tcase_add_loop_test (tcase, a_worker_keeps_data, 0, n);
  tcase_add_loop_test (tcase, each_worker_has_its_own, 0, n);
  tcase_add_loop_test (tcase, a_replaced_worker_is_initialized, 0, n);
  tcase_add_loop_test (tcase, chunks_count_as_tasks, 0, n);
  tcase_add_loop_test (tcase, replacements_come_at_once, 0, n);
  tcase_add_loop_test (tcase, workers_have_numbers, 0, n);
  tcase_add_loop_test (tcase, data_is_freed_when_replaced, 0, n);
  tcase_add_loop_test (tcase, a_failed_initializer_breaks_the_pool, 0, n);
  tcase_add_loop_test (tcase, also_that_of_a_replacement, 0, n);
  tcase_add_loop_test (tcase, a_failed_finalizer_is_nobodys, 0, n);
  tcase_add_loop_test (tcase, a_killed_worker_is_not_finalized, 0, n);
  tcase_add_loop_test (tcase, a_tasks_child_is_no_worker, 0, n);
  tcase_add_loop_test (tcase, pools_nest, 0, n);
  tcase_add_loop_test (tcase, a_daemon_has_no_pool, 0, n);
  tcase_add_loop_test (tcase, a_function_of_another_build, 0, n);
  tcase_add_test (tcase, negative_numbers);
  tcase_add_loop_test (tcase, negative_attempts, 0, n);
  return suite;
}
