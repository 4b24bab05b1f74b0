/* SPDX-License-Identifier: MIT */
/* Maps whose workers die. */
#include "processes.h"

#include "kill.h"

static MprocPool *
make_pool_of (guint n_workers, MprocStartMethod method, guint max_tasks)
{
  MprocPoolOptions *options = mproc_pool_options_new ();
  GError *error = NULL;
  MprocPool *pool;

  mproc_pool_options_set_start_method (options, method);
  mproc_pool_options_set_max_tasks_per_worker (options, max_tasks);
  pool = mproc_pool_new_full (n_workers, options, &error);
  mproc_pool_options_free (options);
  if (pool == NULL)
    ck_abort_msg ("%s", error->message);
  return pool;
}

static MprocPool *
make_pool (guint n_workers, MprocStartMethod method)
{
  return make_pool_of (n_workers, method, 0);
}

static void
end_pool (MprocPool *pool)
{
  mproc_pool_close (pool);
  ck_assert (mproc_pool_join (pool, MPROC_SECONDS (50)));
  mproc_pool_unref (pool);
}

static GVariant *
numbers_up_to (guint n)
{
  gint32 *numbers = g_new (gint32, n + 1);
  GVariant *value;

  for (guint i = 0; i < n; i++)
    numbers[i] = (gint32) i;
  value = g_variant_new_fixed_array (G_VARIANT_TYPE_INT32, numbers, n, sizeof *numbers);
  g_free (numbers);
  return value;
}

static GVariant *
square (GVariant *x, GError **error)
{
  gint32 n = g_variant_get_int32 (x);

  (void) error;
  return g_variant_new_int32 (n * n);
}

/* Adds one to its item's count of runs, then dies if it is asked to. */
static GVariant *
count_run (GVariant *x, GError **error)
{
  MprocArray *counts;
  gboolean dies;
  guint32 i;
  gint32 *data;

  if (!mproc_unpack (x, error, "(&hub)", &counts, &i, &dies))
    return NULL;
  data = mproc_array_get_data (counts, NULL);
  g_atomic_int_inc (&data[i]);
  if (dies)
    mproc_test_kill_pid (mproc_process_get_pid (mproc_process_current ()));
  while (dies)
    g_usleep (1000);
  return NULL;
}

static GVariant *
own_pid (GVariant *x, GError **error)
{
  (void) x, (void) error;
  return g_variant_new_int64 (mproc_process_get_pid (mproc_process_current ()));
}

static void
expect_squares (GVariant *results, guint n)
{
  ck_assert_ptr_nonnull (results);
  ck_assert_str_eq (g_variant_get_type_string (results), "av");
  ck_assert_uint_eq (g_variant_n_children (results), n);
  for (guint i = 0; i < n; i++)
    {
      GVariant *item;
      gboolean right;

      g_variant_get_child (results, i, "v", &item);
      right = g_variant_is_of_type (item, G_VARIANT_TYPE_INT32) &&
              g_variant_get_int32 (item) == (gint32) (i * i);
      if (!right)
        ck_abort_msg ("value %u: %s", i, g_variant_print (item, TRUE));
      g_variant_unref (item);
    }
  ck_assert (g_variant_is_normal_form (results));
  g_variant_unref (results);
}

/* One item that kills, among @n that count how often they were run. */
static GVariant *
counted_items (MprocArray *counts, guint n, guint every)
{
  GVariantBuilder items;

  g_variant_builder_init (&items, G_VARIANT_TYPE ("a(hub)"));
  for (guint i = 0; i < n; i++)
    g_variant_builder_add_value (&items,
                                 mproc_pack ("(hub)", counts, i,
                                             every != 0 && i % every == every - 1));
  return g_variant_builder_end (&items);
}

START_TEST (a_death_fails_its_part_and_nothing_runs_twice)
{
  MprocStartMethod method = mproc_test_method (_i);
  guint n = mproc_test_is_slow_platform () ? 60 : 600;
  MprocPool *pool;
  GError *error = NULL;
  MprocArray *counts;
  gint32 *data;
  guint n_once = 0;

  if (method == MPROC_START_METHOD_THREAD)
    return; /* a thread cannot be killed */
  pool = make_pool (3, method);
  counts = mproc_array_new ("i", n, NULL, NULL, NULL);
  data = mproc_array_get_data (counts, NULL);
  ck_assert_ptr_null (mproc_pool_map (pool, count_run, counted_items (counts, n, n / 6),
                                      1, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_WORKER_DIED, "of map");
  for (guint i = 0; i < n; i++)
    n_once += data[i] == 1;
  ck_assert_uint_eq (n_once, n);
  expect_squares (mproc_pool_map (pool, square, numbers_up_to (100), 1, NULL), 100);
  end_pool (pool);
  mproc_array_unref (counts);
}
END_TEST

START_TEST (a_death_loses_the_rest_of_its_chunk)
{
  MprocStartMethod method = mproc_test_method (_i);
  MprocPool *pool;
  GError *error = NULL;
  MprocArray *counts;
  gint32 *data;

  if (method == MPROC_START_METHOD_THREAD)
    return; /* a thread cannot be killed */
  pool = make_pool (2, method);
  counts = mproc_array_new ("i", 20, NULL, NULL, NULL);
  data = mproc_array_get_data (counts, NULL);
  ck_assert_ptr_null (mproc_pool_map (pool, count_run, counted_items (counts, 20, 18), 5,
                                      &error));
  mproc_test_expect_error (&error, MPROC_ERROR_WORKER_DIED, "items 15 to 19 of map");
  for (guint i = 0; i < 18; i++)
    ck_assert_int_eq (data[i], 1);
  ck_assert_int_eq (data[18] + data[19], 0);
  end_pool (pool);
  mproc_array_unref (counts);
}
END_TEST

static GVariant *
pause_a_little (GVariant *x, GError **error)
{
  g_usleep (200);
  return square (x, error);
}

typedef struct
{
  MprocPool *pool;
  gint end;
} Killing;

/* Whoever is in the pool, one after the other. */
static gpointer
kill_workers (gpointer data)
{
  Killing *killing = data;
  GVariant *pids = mproc_pool_map (killing->pool, own_pid, numbers_up_to (64), 1, NULL);

  for (gsize i = 0; pids != NULL && !g_atomic_int_get (&killing->end); i = (i + 1) % 64)
    {
      GVariant *pid;

      g_usleep (2000);
      g_variant_get_child (pids, i, "v", &pid);
      mproc_test_kill_pid (g_variant_get_int64 (pid));
      g_variant_unref (pid);
      g_variant_unref (pids);
      do
        pids = mproc_pool_map (killing->pool, own_pid, numbers_up_to (64), 1, NULL);
      while (pids == NULL && !g_atomic_int_get (&killing->end));
    }
  g_clear_pointer (&pids, g_variant_unref);
  return NULL;
}

/* Each comes to its end, whichever way. */
START_TEST (maps_end_while_workers_are_killed)
{
  MprocStartMethod method = mproc_test_method (_i);
  gint rounds = mproc_test_scale (mproc_test_is_slow_platform () ? 3 : 20);
  Killing killing = { NULL, 0 };
  GThread *thread;
  gint n_lost = 0;

  if (method == MPROC_START_METHOD_THREAD)
    return; /* a thread cannot be killed */
  killing.pool = make_pool (3, method);
  thread = g_thread_new ("killer", kill_workers, &killing);
  for (gint i = 0; i < rounds; i++)
    {
      MprocResult *result = mproc_pool_map_async (killing.pool, pause_a_little,
                                                  numbers_up_to (100), i % 4, NULL);
      GError *error = NULL;
      GVariant *value;

      ck_assert (mproc_result_wait (result, MPROC_SECONDS (30)));
      value = mproc_result_get (result, 0, &error);
      if (value != NULL)
        expect_squares (value, 100);
      else
        {
          mproc_test_expect_error (&error, MPROC_ERROR_WORKER_DIED, "");
          n_lost++;
        }
      mproc_result_unref (result);
    }
  g_atomic_int_set (&killing.end, TRUE);
  g_thread_join (thread);
  ck_assert_int_le (n_lost, rounds);
  expect_squares (mproc_pool_map (killing.pool, square, numbers_up_to (100), 1, NULL),
                  100);
  end_pool (killing.pool);
}
END_TEST

static GVariant *
stay_at_seven (GVariant *x, GError **error)
{
  if (g_variant_get_int32 (x) == 7)
    for (;;)
      g_usleep (1000);
  return square (x, error);
}

START_TEST (a_part_over_its_limit_fails_and_the_others_are_run)
{
  MprocStartMethod method = mproc_test_method (_i);
  MprocTaskOptions *options;
  MprocPool *pool;
  MprocResult *result;
  GError *error = NULL;

  if (method == MPROC_START_METHOD_THREAD)
    return; /* a thread that does not come back cannot be ended */
  options = mproc_task_options_new ();
  mproc_task_options_set_hard_limit (options, G_USEC_PER_SEC / 2);
  pool = make_pool (2, method);
  result = mproc_pool_map_async (pool, stay_at_seven, numbers_up_to (40), 1, options);
  ck_assert_ptr_null (mproc_result_get (result, MPROC_SECONDS (30), &error));
  mproc_test_expect_error (&error, MPROC_ERROR_TIMED_OUT, "item 7 of map");
  mproc_result_unref (result);
  expect_squares (mproc_pool_map (pool, square, numbers_up_to (100), 1, NULL), 100);
  mproc_task_options_free (options);
  end_pool (pool);
}
END_TEST

Suite *
mproc_test_pool_map_loss_suite (void)
{
  static const TTest *const *const tests[] = {
    &a_death_fails_its_part_and_nothing_runs_twice,
    &a_death_loses_the_rest_of_its_chunk,
    &a_part_over_its_limit_fails_and_the_others_are_run,
    &maps_end_while_workers_are_killed,
  };
  Suite *suite = suite_create ("pool-map-loss");
  TCase *tcase = mproc_test_case (suite, "pool-map-loss");

  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    tcase_add_loop_test (tcase, *tests[i], 0, (int) mproc_test_n_methods ());
  return suite;
}
