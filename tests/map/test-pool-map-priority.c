/* SPDX-License-Identifier: MIT */
/* Tasks of a higher priority than a map's come between its parts. */
#include "pools.h"

#define URGENT 1000000

/* Says its number, `(hhu)`. */
static GVariant *
say (GVariant *args, GError **error)
{
  MprocQueue *said;
  guint32 number;

  if (mproc_unpack (args, error, "(&hhu)", &said, NULL, &number))
    mproc_queue_put (said, g_variant_new_uint32 (number), MPROC_FOREVER, error);
  return NULL;
}

/* Then waits for a word. */
static GVariant *
say_and_wait (GVariant *args, GError **error)
{
  MprocQueue *go;

  say (args, error);
  if (*error == NULL && mproc_unpack (args, error, "(h&hu)", NULL, &go, NULL))
    g_bytes_unref (mproc_queue_get_bytes (go, MPROC_FOREVER, NULL));
  return NULL;
}

/* The first one waits for a word, and takes so long that what comes behind it may be for others. */
static GVariant *
say_and_wait_first (GVariant *args, GError **error)
{
  gint64 begun = g_get_monotonic_time ();
  guint32 number;

  g_variant_get_child (args, 2, "u", &number);
  if (number != 0)
    return say (args, error);
  say_and_wait (args, error);
  while (g_get_monotonic_time () - begun < 1000)
    ;
  return NULL;
}

/* ------------------------------------------------------------------ here */

typedef struct
{
  MprocPool *pool;
  MprocQueue *said;
  MprocQueue *go;
} Setting;

static void
set_up (Setting *self, guint n_workers, int i)
{
  self->pool = mproc_test_pool (n_workers, i);
  self->said = mproc_queue_new (0, NULL);
  self->go = mproc_queue_new (0, NULL);
}

static void
tear_down (Setting *self)
{
  mproc_test_end_pool (self->pool);
  mproc_queue_unref (self->said);
  mproc_queue_unref (self->go);
}

static GVariant *
item (Setting *self, guint number)
{
  return mproc_pack ("(hhu)", self->said, self->go, number);
}

/* Of the numbers from @first on. */
static MprocResult *
map (Setting *self, MprocFunc func, guint first, guint n, guint chunk)
{
  GVariantBuilder items;

  g_variant_builder_init (&items, G_VARIANT_TYPE ("a(hhu)"));
  for (guint i = 0; i < n; i++)
    g_variant_builder_add_value (&items, item (self, first + i));
  return mproc_pool_map_async (self->pool, func, g_variant_builder_end (&items), chunk,
                               NULL);
}

static MprocResult *
submit (Setting *self, MprocFunc func, guint number, gint priority)
{
  MprocTaskOptions *options = mproc_task_options_new ();
  MprocResult *result;

  mproc_task_options_set_priority (options, priority);
  result = mproc_pool_apply_async (self->pool, func, item (self, number), options);
  mproc_task_options_free (options);
  return result;
}

static guint
next_said (Setting *self)
{
  GVariant *number = mproc_queue_get (self->said, MPROC_SECONDS (50), NULL);
  guint n;

  ck_assert_ptr_nonnull (number);
  n = g_variant_get_uint32 (number);
  g_variant_unref (number);
  return n;
}

static void
let_go (Setting *self, guint n)
{
  for (guint i = 0; i < n; i++)
    ck_assert (mproc_queue_put_bytes (self->go, "", 1, MPROC_FOREVER, NULL));
}

START_TEST (an_urgent_task_comes_between_parts)
{
  Setting self;
  MprocResult *items;

  set_up (&self, 1, _i);
  items = map (&self, say_and_wait, 0, 5, 1);
  for (guint i = 0; i < 4; i++)
    {
      MprocResult *urgent;

      ck_assert_uint_lt (next_said (&self), 5);
      urgent = submit (&self, say, URGENT, 1);
      let_go (&self, 1);
      ck_assert_uint_eq (next_said (&self), URGENT);
      mproc_test_expect_success (urgent);
      ck_assert (!mproc_result_is_ready (items));
    }
  ck_assert_uint_lt (next_said (&self), 5);
  let_go (&self, 1);
  mproc_test_expect_success (items);
  tear_down (&self);
}
END_TEST

/* Equals keep their order. */
START_TEST (a_task_of_no_higher_priority_waits)
{
  Setting self;
  MprocResult *items;
  MprocResult *others[2];

  set_up (&self, 1, _i);
  items = map (&self, say_and_wait, 0, 3, 1);
  ck_assert_uint_lt (next_said (&self), 3);
  others[0] = submit (&self, say, URGENT, 0);
  others[1] = submit (&self, say, URGENT, -1);
  let_go (&self, 3);
  ck_assert_uint_lt (next_said (&self), 3);
  ck_assert_uint_lt (next_said (&self), 3);
  ck_assert_uint_eq (next_said (&self), URGENT);
  mproc_test_expect_success (items);
  mproc_test_expect_success (others[0]);
  mproc_test_expect_success (others[1]);
  tear_down (&self);
}
END_TEST

START_TEST (it_comes_before_maps_that_wait)
{
  Setting self;
  MprocResult *maps[4];
  MprocResult *urgent[3];

  set_up (&self, 1, _i);
  for (guint i = 0; i < 4; i++)
    maps[i] = map (&self, say_and_wait, 10 * i, 2, i % 2);
  ck_assert_uint_lt (next_said (&self), 2);
  for (guint i = 0; i < 3; i++)
    urgent[i] = submit (&self, say, URGENT + i, 3);
  let_go (&self, 1);
  for (guint i = 0; i < 3; i++)
    ck_assert_uint_eq (next_said (&self), URGENT + i);
  let_go (&self, 7);
  for (guint i = 0; i < 3; i++)
    mproc_test_expect_success (urgent[i]);
  for (guint i = 0; i < 4; i++)
    mproc_test_expect_success (maps[i]);
  tear_down (&self);
}
END_TEST

/* One that was cut by the pool is left in the middle. */
START_TEST (it_comes_between_the_items_of_a_part)
{
  guint n = 640; /* ten for a part */
  Setting self;
  MprocResult *items;
  MprocResult *urgent;

  set_up (&self, 1, _i);
  items = map (&self, say_and_wait_first, 0, n, 0);
  ck_assert_uint_eq (next_said (&self), 0);
  urgent = submit (&self, say, URGENT, 1);
  let_go (&self, 1);
  ck_assert_uint_eq (next_said (&self), URGENT);
  mproc_test_expect_success (urgent);
  mproc_test_expect_success (items);
  ck_assert_uint_eq (mproc_queue_get_size (self.said), n - 1);
  tear_down (&self);
}
END_TEST

/* What waits in the queue and is of a lower priority. */
START_TEST (a_map_comes_before_lower_tasks)
{
  Setting self;
  MprocResult *first;
  MprocResult *low[20];
  MprocResult *items;

  set_up (&self, 1, _i);
  first = submit (&self, say_and_wait, 0, 0);
  ck_assert_uint_eq (next_said (&self), 0);
  for (guint i = 0; i < 20; i++)
    low[i] = submit (&self, say, 100 + i, -1);
  items = map (&self, say, 10, 3, 1);
  let_go (&self, 1);
  for (guint i = 0; i < 3; i++)
    ck_assert_uint_lt (next_said (&self), 20);
  for (guint i = 0; i < 20; i++)
    ck_assert_uint_eq (next_said (&self), 100 + i);
  mproc_test_expect_success (first);
  mproc_test_expect_success (items);
  for (guint i = 0; i < 20; i++)
    mproc_test_expect_success (low[i]);
  tear_down (&self);
}
END_TEST

/* A worker that has left a map for something urgent, and dies there, is followed by another one. */
START_TEST (the_map_goes_on_where_workers_die)
{
  Setting self;
  MprocResult *items;

  if (mproc_test_method (_i) == MPROC_START_METHOD_THREAD)
    return; /* a thread cannot be killed */
  set_up (&self, 1, _i);
  items = map (&self, say_and_wait, 0, 4, 1);
  for (guint i = 0; i < 3; i++)
    {
      MprocResult *deadly;

      ck_assert_uint_lt (next_said (&self), 4);
      deadly = submit (&self, mproc_test_die, 0, 1);
      let_go (&self, 1);
      mproc_test_expect_failure (deadly, MPROC_ERROR_WORKER_DIED, NULL);
    }
  ck_assert_uint_lt (next_said (&self), 4);
  let_go (&self, 1);
  mproc_test_expect_success (items);
  tear_down (&self);
}
END_TEST

static GVariant *
squares_of (MprocResult *result)
{
  GVariant *values = mproc_result_get (result, MPROC_SECONDS (50), NULL);

  mproc_result_unref (result);
  ck_assert_ptr_nonnull (values);
  return values;
}

START_TEST (many_of_both)
{
  guint n = mproc_test_is_slow_platform () ? 50 : 300;
  MprocResult *tasks[300];
  MprocResult *maps[3];
  gint32 numbers[5000];
  Setting self;
  gboolean right = TRUE;

  for (gint32 i = 0; i < 5000; i++)
    numbers[i] = i;
  set_up (&self, 3, _i);
  for (guint i = 0; i < 3; i++)
    maps[i] =
        mproc_pool_map_async (self.pool, mproc_test_square,
                              g_variant_new_fixed_array (G_VARIANT_TYPE_INT32, numbers,
                                                         5000, sizeof (gint32)),
                              i, NULL);
  for (guint i = 0; i < n; i++)
    tasks[i] = submit (&self, say, i, (gint) (i % 4) - 1);
  for (guint i = 0; i < n; i++)
    mproc_test_expect_success (tasks[i]);
  ck_assert_uint_eq (mproc_queue_get_size (self.said), n);
  for (guint i = 0; i < 3; i++)
    {
      GVariant *values = squares_of (maps[i]);

      for (gint32 k = 0; right && k < 5000; k++)
        {
          GVariant *value;

          g_variant_get_child (values, (gsize) k, "v", &value);
          right = g_variant_get_int32 (value) == k * k;
          g_variant_unref (value);
        }
      g_variant_unref (values);
    }
  ck_assert (right);
  tear_down (&self);
}
END_TEST

Suite *mproc_test_pool_map_priority_suite (void);

Suite *
mproc_test_pool_map_priority_suite (void)
{
  static const TTest *const *const tests[] = {
    &an_urgent_task_comes_between_parts,
    &a_task_of_no_higher_priority_waits,
    &it_comes_before_maps_that_wait,
    &it_comes_between_the_items_of_a_part,
    &a_map_comes_before_lower_tasks,
    &the_map_goes_on_where_workers_die,
    &many_of_both,
  };
  Suite *suite = suite_create ("pool-map-priority");
  TCase *tcase = mproc_test_case (suite, "pool-map-priority");

  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    tcase_add_loop_test (tcase, *tests[i], 0, (int) mproc_test_n_methods ());
  return suite;
}
