/* SPDX-License-Identifier: MIT */
/* Maps that many workers share part by part: results in order, losses, fairness, the end. */
#include "pools.h"

#include "os.h"

#include <string.h>

/* ------------------------------------------------------------------ functions that run there */

static GVariant *
describe (GVariant *x, GError **error)
{
  char *text = g_variant_print (x, TRUE);
  GVariant *value;

  (void) error;
  value = g_variant_new ("(ss)", g_variant_get_type_string (x), text);
  g_free (text);
  return value;
}

/* Its argument again. */
static GVariant *
echo (GVariant *x, GError **error)
{
  (void) error;
  return g_variant_ref (x);
}

/* As many letters. */
static GVariant *
letters (GVariant *x, GError **error)
{
  char *text = g_strnfill ((gsize) g_variant_get_int32 (x), 'x');
  GVariant *value = g_variant_new_string (text);

  (void) error;
  g_free (text);
  return value;
}

static GVariant *
fail_at_seven (GVariant *x, GError **error)
{
  if (g_variant_get_int32 (x) != 7)
    return mproc_test_square (x, error);
  g_set_error_literal (error, g_quark_from_string ("seven"), 7, "not seven, plëase");
  return NULL;
}

static GVariant *
die_at_seven (GVariant *x, GError **error)
{
  if (g_variant_get_int32 (x) != 7)
    return mproc_test_square (x, error);
  mproc_os_kill_self ();
}

/* ------------------------------------------------------------------ results */

START_TEST (keeps_the_order_whatever_the_chunk)
{
  static const guint counts[] = { 1, 2, 3, 127, 128, 129, 1000, 20000 };
  static const guint chunks[] = { 0, 1, 7, 100000 };
  MprocPool *pool = mproc_test_pool (3, _i);

  for (guint i = 0; i < G_N_ELEMENTS (counts); i++)
    for (guint j = 0; j < G_N_ELEMENTS (chunks); j++)
      mproc_test_expect_squares (mproc_pool_map (pool, mproc_test_square,
                                                 mproc_test_numbers (0, counts[i]),
                                                 chunks[j], NULL),
                                 0, counts[i]);
  mproc_test_end_pool (pool);
}
END_TEST

START_TEST (maps_that_are_handed_over_at_once_do_not_mix)
{
  MprocPool *pool = mproc_test_pool (2, _i);
  MprocResult *results[20];

  for (guint i = 0; i < G_N_ELEMENTS (results); i++)
    results[i] = mproc_pool_map_async (pool, mproc_test_square,
                                       mproc_test_numbers (0, 50 + i), i % 3, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (results); i++)
    mproc_test_expect_squares (mproc_test_value_of (results[i]), 0, 50 + i);
  mproc_test_end_pool (pool);
}
END_TEST

static void
expect_text (GVariant *results, gsize i, const char *type, const char *text)
{
  GVariant *item;
  const char *is_type;
  const char *is_text;

  g_variant_get_child (results, i, "v", &item);
  g_variant_get (item, "(&s&s)", &is_type, &is_text);
  ck_assert_str_eq (is_type, type);
  ck_assert_str_eq (is_text, text);
  g_variant_unref (item);
}

START_TEST (items_of_all_kinds_arrive)
{
  MprocPool *pool = mproc_test_pool (2, _i);
  GVariant *items = g_variant_new_parsed (
      "[<1>, <'two'>, <(3, 'three')>, <@as []>, <<4>>, <true>, <@mi 5>, <@ay [6, 7]>]");
  GVariant *results = mproc_pool_map (pool, describe, items, 3, NULL);

  ck_assert_uint_eq (g_variant_n_children (results), 8);
  expect_text (results, 0, "i", "1");
  expect_text (results, 1, "s", "'two'");
  expect_text (results, 2, "(is)", "(3, 'three')");
  expect_text (results, 3, "as", "@as []");
  expect_text (results, 4, "v", "<4>");
  expect_text (results, 5, "b", "true");
  expect_text (results, 6, "mi", "@mi 5");
  expect_text (results, 7, "ay", "[byte 0x06, 0x07]");
  g_variant_unref (results);
  results =
      mproc_pool_map (pool, describe, g_variant_new ("(isas)", 1, "a", NULL), 0, NULL);
  expect_text (results, 1, "s", "'a'");
  expect_text (results, 2, "as", "@as []");
  g_variant_unref (results);
  mproc_test_end_pool (pool);
}
END_TEST

START_TEST (values_come_back_as_they_are)
{
  MprocPool *pool = mproc_test_pool (2, _i);
  GVariant *items = g_variant_ref_sink (g_variant_new_parsed (
      "[<1>, <'two'>, <(3, 'three')>, <@as []>, <<4>>, <true>, <{'a': <1.5>}>, <''>]"));
  GVariant *results = mproc_pool_map (pool, echo, items, 1, NULL);
  GVariant *none =
      mproc_pool_map (pool, mproc_test_do_nothing, mproc_test_numbers (0, 3), 0, NULL);
  GVariant *item;

  ck_assert (g_variant_is_normal_form (results));
  ck_assert (g_variant_equal (results, items));
  g_variant_get_child (none, 2, "v", &item);
  ck_assert (mproc_is_nothing (item));
  g_variant_unref (item);
  g_variant_unref (none);
  g_variant_unref (items);
  g_variant_unref (results);
  mproc_test_end_pool (pool);
}
END_TEST

/* The ends of an `av`'s items take one, two or four bytes each. */
START_TEST (results_of_every_size_are_put_together)
{
  static const gint32 sizes[] = { 0, 1, 30, 255, 256, 3000, 65535, 65536, 200000 };
  MprocPool *pool = mproc_test_pool (2, _i);

  for (guint n = 1; n <= G_N_ELEMENTS (sizes); n++)
    {
      GVariant *results =
          mproc_pool_map (pool, letters,
                          g_variant_new_fixed_array (G_VARIANT_TYPE_INT32, sizes, n,
                                                     sizeof *sizes),
                          1, NULL);

      ck_assert (g_variant_is_normal_form (results));
      for (guint i = 0; i < n; i++)
        {
          GVariant *item;

          g_variant_get_child (results, i, "v", &item);
          ck_assert_uint_eq (strlen (g_variant_get_string (item, NULL)), sizes[i]);
          g_variant_unref (item);
        }
      g_variant_unref (results);
    }
  mproc_test_end_pool (pool);
}
END_TEST

/* To and fro. */
START_TEST (objects_travel_in_items_and_values)
{
  MprocPool *pool = mproc_test_pool (2, _i);
  MprocQueue *queues[3];
  GVariantBuilder items;
  GVariant *results;

  g_variant_builder_init (&items, G_VARIANT_TYPE ("a(h)"));
  for (guint i = 0; i < 3; i++)
    {
      queues[i] = mproc_queue_new (0, NULL);
      g_variant_builder_add_value (&items, mproc_pack ("(h)", queues[i]));
    }
  results = mproc_pool_map (pool, echo, g_variant_builder_end (&items), 1, NULL);
  for (guint i = 0; i < 3; i++)
    {
      GVariant *item;
      MprocQueue *queue;

      g_variant_get_child (results, i, "v", &item);
      ck_assert (mproc_unpack (item, NULL, "(h)", &queue));
      ck_assert_ptr_eq (queue, queues[i]);
      mproc_queue_unref (queue);
      g_variant_unref (item);
    }
  g_variant_unref (results);
  mproc_test_end_pool (pool);
  for (guint i = 0; i < 3; i++)
    mproc_queue_unref (queues[i]);
}
END_TEST

START_TEST (an_error_is_the_maps_and_the_others_are_run)
{
  MprocPool *pool = mproc_test_pool (2, _i);

  for (guint chunk = 0; chunk < 4; chunk++)
    {
      GError *error = NULL;

      ck_assert_ptr_null (mproc_pool_map (pool, fail_at_seven,
                                          mproc_test_numbers (0, 100), chunk, &error));
      ck_assert (g_error_matches (error, g_quark_from_string ("seven"), 7));
      ck_assert_str_eq (error->message, "not seven, plëase");
      g_clear_error (&error);
    }
  mproc_test_expect_squares (mproc_pool_map (pool, mproc_test_square,
                                             mproc_test_numbers (0, 10), 1, NULL),
                             0, 10);
  mproc_test_end_pool (pool);
}
END_TEST

/* ------------------------------------------------------------------ who comes and goes */

static MprocPool *
short_lived_pool (guint n_workers, int i, guint max_tasks)
{
  MprocPoolOptions *options = mproc_test_pool_options (i);

  mproc_pool_options_set_max_tasks_per_worker (options, max_tasks);
  return mproc_test_pool_with (n_workers, options);
}

START_TEST (workers_that_end_after_a_few_tasks_are_followed_by_others)
{
  guint n = mproc_test_is_slow_platform () ? 12 : 60;
  MprocPool *pool = short_lived_pool (2, _i, 3);
  GVariant *pids =
      mproc_pool_map (pool, mproc_test_tell_pid, mproc_test_numbers (0, n), 1, NULL);
  GHashTable *seen = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);

  ck_assert_ptr_nonnull (pids);
  for (guint i = 0; i < n; i++)
    {
      gint64 *pid = g_new (gint64, 1);
      GVariant *item;

      g_variant_get_child (pids, i, "v", &item);
      *pid = g_variant_get_int64 (item);
      g_variant_unref (item);
      g_hash_table_add (seen, pid);
    }
  if (!mproc_test_is_thread (_i))
    ck_assert_uint_ge (g_hash_table_size (seen), n / 3);
  g_hash_table_unref (seen);
  g_variant_unref (pids);
  mproc_test_end_pool (pool);
}
END_TEST

START_TEST (a_closed_pool_finishes_its_map_with_new_workers)
{
  guint n = mproc_test_is_slow_platform () ? 6 : 30;
  MprocPool *pool = short_lived_pool (2, _i, 1);
  MprocResult *result =
      mproc_pool_map_async (pool, mproc_test_square, mproc_test_numbers (0, n), 1, NULL);

  mproc_test_end_pool (pool);
  mproc_test_expect_squares (mproc_result_get (result, 0, NULL), 0, n);
  mproc_result_unref (result);
}
END_TEST

START_TEST (a_killed_worker_of_a_closed_pool_is_followed_by_another)
{
  MprocPool *pool;
  MprocResult *result;
  GError *error = NULL;

  if (mproc_test_is_thread (_i))
    return; /* a thread cannot be killed */
  pool = mproc_test_pool (1, _i);
  result = mproc_pool_map_async (pool, die_at_seven, mproc_test_numbers (0, 30), 1, NULL);
  mproc_test_end_pool (pool);
  ck_assert_ptr_null (mproc_result_get (result, 0, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_WORKER_DIED, "item 7 of map");
  mproc_result_unref (result);
}
END_TEST

START_TEST (a_task_comes_after_the_maps_before_it)
{
  MprocPool *pool = mproc_test_pool (1, _i);
  MprocResult *map = mproc_pool_map_async (pool, mproc_test_pause_and_square,
                                           mproc_test_numbers (0, 50), 1, NULL);
  GVariant *pid = mproc_pool_apply (pool, mproc_test_tell_pid, NULL, NULL);

  /* The only worker has left the map, whose end may not be settled yet. */
  ck_assert_ptr_nonnull (pid);
  ck_assert (mproc_result_wait (map, MPROC_SECONDS (1)));
  g_variant_unref (pid);
  mproc_result_unref (map);
  mproc_test_end_pool (pool);
}
END_TEST

/* ------------------------------------------------------------------ sharing out */

/* Sleeps where its item is among the first twenty. */
static GVariant *
sleep_early (GVariant *x, GError **error)
{
  if (g_variant_get_int32 (x) < 20)
    g_usleep (10000);
  return mproc_test_tell_pid (x, error);
}

/* All the long ones lie together, in one part to begin with. */
START_TEST (a_part_that_takes_long_is_shared_out)
{
  MprocPool *pool;
  GVariant *pids;
  GHashTable *seen;
  gint64 numbers[20];

  if (mproc_test_is_thread (_i))
    return; /* whose workers have one pid */
  pool = mproc_test_pool (2, _i);
  pids = mproc_pool_map (pool, sleep_early, mproc_test_numbers (0, 20 * 64 * 2), 0, NULL);
  ck_assert_ptr_nonnull (pids);
  seen = g_hash_table_new (g_int64_hash, g_int64_equal);
  for (guint i = 0; i < 20; i++)
    {
      GVariant *item;

      g_variant_get_child (pids, i, "v", &item);
      numbers[i] = g_variant_get_int64 (item);
      g_variant_unref (item);
      g_hash_table_add (seen, &numbers[i]);
    }
  ck_assert_uint_eq (g_hash_table_size (seen), 2);
  g_hash_table_unref (seen);
  g_variant_unref (pids);
  mproc_test_end_pool (pool);
}
END_TEST

/* ------------------------------------------------------------------ the end */

START_TEST (a_terminated_pool_cancels_its_maps)
{
  MprocPool *pool = mproc_test_pool (2, _i);
  MprocTestGate gate;
  GVariantBuilder items;
  MprocResult *result;
  GError *error = NULL;

  mproc_test_gate_init (&gate);
  g_variant_builder_init (&items, G_VARIANT_TYPE ("a(hh)"));
  for (guint i = 0; i < 50; i++)
    g_variant_builder_add_value (&items, mproc_pack ("(hh)", gate.begun, gate.go));
  result = mproc_pool_map_async (pool, mproc_test_be_stuck,
                                 g_variant_builder_end (&items), 1, NULL);
  for (guint i = 0; i < 2; i++)
    mproc_test_gate_await (&gate);
  mproc_pool_terminate (pool);
  mproc_test_gate_open (&gate, 2, 0); /* threads end with their task */
  ck_assert (mproc_pool_join (pool, MPROC_SECONDS (30)));
  ck_assert_ptr_null (mproc_result_get (result, 0, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_CANCELLED, "terminated");
  mproc_result_unref (result);
  mproc_pool_unref (pool);
  mproc_test_gate_clear (&gate);
}
END_TEST

START_TEST (a_pool_that_is_not_running_takes_no_map)
{
  MprocPool *pool = mproc_test_pool (1, _i);
  GError *error = NULL;

  mproc_pool_close (pool);
  ck_assert_ptr_null (mproc_pool_map (pool, mproc_test_square, mproc_test_numbers (0, 5),
                                      1, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_STATE, "closed");
  ck_assert (mproc_pool_join (pool, MPROC_SECONDS (30)));
  mproc_pool_unref (pool);
}
END_TEST

Suite *
mproc_test_pool_map_suite (void)
{
  static const TTest *const *const tests[] = {
    &keeps_the_order_whatever_the_chunk,
    &maps_that_are_handed_over_at_once_do_not_mix,
    &items_of_all_kinds_arrive,
    &values_come_back_as_they_are,
    &results_of_every_size_are_put_together,
    &objects_travel_in_items_and_values,
    &an_error_is_the_maps_and_the_others_are_run,
    &workers_that_end_after_a_few_tasks_are_followed_by_others,
    &a_closed_pool_finishes_its_map_with_new_workers,
    &a_killed_worker_of_a_closed_pool_is_followed_by_another,
    &a_task_comes_after_the_maps_before_it,
    &a_part_that_takes_long_is_shared_out,
    &a_terminated_pool_cancels_its_maps,
    &a_pool_that_is_not_running_takes_no_map,
  };
  Suite *suite = suite_create ("pool-map");
  TCase *tcase = mproc_test_case (suite, "pool-map");

  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    tcase_add_loop_test (tcase, *tests[i], 0, (int) mproc_test_n_methods ());
  return suite;
}
