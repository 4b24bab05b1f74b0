/* SPDX-License-Identifier: MIT */
/* Maps over a shared array. */
#include "pools.h"

#include "os.h"

/* ------------------------------------------------------------------ functions that run there */

/* Each item: its number, and how often it was visited. */
typedef struct
{
  guint32 number;
  guint32 n_visits;
} Cell;

static gboolean
visit (gpointer items, gsize n, gsize first, GVariant *args, GError **error)
{
  Cell *cells = items;
  guint32 offset = args != NULL ? g_variant_get_uint32 (args) : 0;

  (void) error;
  for (gsize i = 0; i < n; i++)
    {
      cells[i].number = (guint32) (first + i) + offset;
      cells[i].n_visits++;
    }
  return TRUE;
}

static gboolean
fail_at_start (gpointer items, gsize n, gsize first, GVariant *args, GError **error)
{
  if (first != 0)
    return visit (items, n, first, args, error);
  g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_INVALID, "not the first one");
  return FALSE;
}

static gboolean
die_at_start (gpointer items, gsize n, gsize first, GVariant *args, GError **error)
{
  if (first != 0)
    return visit (items, n, first, args, error);
  mproc_os_kill_self ();
}

/* Its slice's number goes to the queue. */
static gboolean
report (gpointer items, gsize n, gsize first, GVariant *args, GError **error)
{
  MprocQueue *queue;

  (void) items, (void) n;
  return mproc_unpack (args, error, "(&h)", &queue) &&
         mproc_queue_put (queue, g_variant_new_int32 ((gint32) first), MPROC_FOREVER,
                          error);
}

/* ------------------------------------------------------------------ tests */

/* How many cells, from @from on, were visited once and have their number and @offset. */
static gsize
count_visited (MprocArray *array, gsize from, guint32 offset)
{
  gsize n, n_right = 0;
  const Cell *cells = mproc_array_get_data (array, &n);

  for (gsize i = from; i < n; i++)
    n_right += cells[i].n_visits == 1 && cells[i].number == (guint32) i + offset;
  return n_right;
}

START_TEST (every_item_is_visited_once)
{
  static const gsize lengths[] = { 1, 2, 31, 32, 33, 1000, 100000 };
  MprocPool *pool = mproc_test_pool (2, _i);

  for (guint i = 0; i < G_N_ELEMENTS (lengths); i++)
    for (gsize chunk = 0; chunk < 150; chunk = chunk * 2 + 49)
      {
        MprocArray *array = mproc_array_new ("(uu)", lengths[i], NULL, NULL, NULL);

        ck_assert (mproc_pool_map_array (pool, visit, array, chunk, NULL, NULL));
        ck_assert_uint_eq (count_visited (array, 0, 0), lengths[i]);
        mproc_array_unref (array);
      }
  mproc_test_end_pool (pool);
}
END_TEST

START_TEST (all_slices_get_the_argument)
{
  MprocPool *pool = mproc_test_pool (2, _i);
  MprocArray *array = mproc_array_new ("(uu)", 500, NULL, MPROC_OWN_LOCK, NULL);
  GVariant *value;

  ck_assert (mproc_pool_map_array (pool, visit, array, 7, g_variant_new_uint32 (1000),
                                   NULL));
  ck_assert_uint_eq (count_visited (array, 0, 1000), 500);
  mproc_array_unref (array);
  array = mproc_array_new ("(uu)", 500, NULL, NULL, NULL);
  value = mproc_test_value_of (mproc_pool_map_array_async (pool, visit, array, 0,
                                                           g_variant_new_uint32 (5)));
  ck_assert (mproc_is_nothing (value));
  g_variant_unref (value);
  ck_assert_uint_eq (count_visited (array, 0, 5), 500);
  mproc_array_unref (array);
  mproc_test_end_pool (pool);
}
END_TEST

START_TEST (the_argument_may_have_objects)
{
  MprocPool *pool = mproc_test_pool (2, _i);
  MprocArray *array = mproc_array_new ("d", 10, NULL, NULL, NULL);
  MprocQueue *queue = mproc_queue_new (0, NULL);
  gint32 sum = 0;

  ck_assert (mproc_pool_map_array (pool, report, array, 1, mproc_pack ("(h)", queue),
                                   NULL));
  for (gint i = 0; i < 10; i++)
    sum += mproc_test_int (mproc_queue_get (queue, 0, NULL));
  ck_assert_int_eq (sum, 45);
  mproc_queue_unref (queue);
  mproc_array_unref (array);
  mproc_test_end_pool (pool);
}
END_TEST

START_TEST (a_slice_that_fails_does_not_keep_the_others)
{
  MprocPool *pool = mproc_test_pool (2, _i);
  MprocArray *array = mproc_array_new ("(uu)", 100, NULL, NULL, NULL);
  GError *error = NULL;

  ck_assert (!mproc_pool_map_array (pool, fail_at_start, array, 10, NULL, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_INVALID, "not the first one");
  ck_assert_uint_eq (count_visited (array, 10, 0), 90);
  mproc_array_unref (array);
  mproc_test_end_pool (pool);
}
END_TEST

START_TEST (a_death_costs_its_slice_alone)
{
  MprocPool *pool;
  MprocArray *array;
  GError *error = NULL;

  if (mproc_test_is_thread (_i))
    return; /* a thread cannot be killed */
  pool = mproc_test_pool (2, _i);
  array = mproc_array_new ("(uu)", 100, NULL, NULL, NULL);
  ck_assert (!mproc_pool_map_array (pool, die_at_start, array, 10, NULL, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_WORKER_DIED, "items 0 to 9 of map");
  ck_assert_uint_eq (count_visited (array, 10, 0), 90);
  mproc_array_unref (array);
  mproc_test_end_pool (pool);
}
END_TEST

Suite *
mproc_test_pool_array_suite (void)
{
  static const TTest *const *const tests[] = {
    &every_item_is_visited_once,    &all_slices_get_the_argument,
    &the_argument_may_have_objects, &a_slice_that_fails_does_not_keep_the_others,
    &a_death_costs_its_slice_alone,
  };
  Suite *suite = suite_create ("pool-array");
  TCase *tcase = mproc_test_case (suite, "pool-array");

  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    tcase_add_loop_test (tcase, *tests[i], 0, (int) mproc_test_n_methods ());
  return suite;
}
