/* SPDX-License-Identifier: MIT */
/* Tasks in the order of their priority. */
#include "pools.h"

#include <stdlib.h>

/* Says its number. */
static GVariant *
say_number (GVariant *args, GError **error)
{
  MprocQueue *said;
  guint32 number;

  if (mproc_unpack (args, error, "(&hu)", &said, &number))
    mproc_queue_put (said, g_variant_new_uint32 (number), MPROC_FOREVER, error);
  return NULL;
}

static MprocResult *
submit (MprocPool *pool, MprocQueue *said, guint number, gint priority)
{
  MprocTaskOptions *options = mproc_task_options_new ();
  MprocResult *result;

  mproc_task_options_set_priority (options, priority);
  result = mproc_pool_apply_async (pool, say_number, mproc_pack ("(hu)", said, number),
                                   options);
  mproc_task_options_free (options);
  return result;
}

typedef struct
{
  guint number;
  gint priority;
} Entry;

static gint
by_priority (gconstpointer a, gconstpointer b)
{
  const Entry *one = a;
  const Entry *other = b;

  if (one->priority != other->priority)
    return one->priority > other->priority ? -1 : 1;
  return one->number < other->number ? -1 : one->number > other->number;
}

/* All are handed over while the one worker is occupied. */
static void
expect_order (int i, const gint *priorities, guint n)
{
  MprocPool *pool = mproc_test_pool (1, i);
  MprocQueue *said = mproc_queue_new (0, NULL);
  MprocResult **results = g_new (MprocResult *, n);
  Entry *entries = g_new (Entry, n);
  MprocTestGate gate;
  MprocResult *first;

  mproc_test_gate_init (&gate);
  first = mproc_test_gate_occupy (&gate, pool, mproc_test_be_stuck);
  for (guint k = 0; k < n; k++)
    {
      entries[k] = (Entry){ k, priorities[k] };
      results[k] = submit (pool, said, k, priorities[k]);
    }
  qsort (entries, n, sizeof *entries, by_priority);
  mproc_test_gate_open (&gate, 1, 0);
  mproc_test_expect_success (first);
  for (guint k = 0; k < n; k++)
    {
      GVariant *number = mproc_queue_get (said, MPROC_SECONDS (50), NULL);

      ck_assert_ptr_nonnull (number);
      ck_assert_uint_eq (g_variant_get_uint32 (number), entries[k].number);
      g_variant_unref (number);
    }
  for (guint k = 0; k < n; k++)
    mproc_test_expect_success (results[k]);
  mproc_test_end_pool (pool);
  mproc_test_gate_clear (&gate);
  mproc_queue_unref (said);
  g_free (entries);
  g_free (results);
}

START_TEST (equals_keep_their_order)
{
  const gint priorities[20] = { 0 };

  expect_order (_i, priorities, G_N_ELEMENTS (priorities));
}
END_TEST

START_TEST (the_highest_comes_first)
{
  const gint priorities[] = {
    0, 0, 0, 5, 5, -3, 5, 0, 10, -3, G_MININT, G_MAXINT, 10, 0
  };

  expect_order (_i, priorities, G_N_ELEMENTS (priorities));
}
END_TEST

#define MANY 300

START_TEST (many_of_any_priority)
{
  GRand *random = g_rand_new_with_seed (99);
  gint priorities[MANY];

  for (guint i = 0; i < MANY; i++)
    priorities[i] = g_rand_int_range (random, -3, 4);
  expect_order (_i, priorities, MANY);
  g_rand_free (random);
}
END_TEST

START_TEST (tasks_are_cancelled_wherever_they_wait)
{
  MprocPool *pool = mproc_test_pool (1, _i);
  MprocQueue *said = mproc_queue_new (0, NULL);
  MprocResult *results[60];
  MprocTestGate gate;
  MprocResult *first;

  mproc_test_gate_init (&gate);
  first = mproc_test_gate_occupy (&gate, pool, mproc_test_be_stuck);
  for (guint i = 0; i < 60; i++)
    results[i] = submit (pool, said, i, (gint) (i % 7));
  for (guint i = 0; i < 60; i += 2)
    {
      ck_assert (mproc_result_cancel (results[i]));
      mproc_test_expect_failure (results[i], MPROC_ERROR_CANCELLED, NULL);
    }
  mproc_test_gate_open (&gate, 1, 0);
  mproc_test_expect_success (first);
  for (guint i = 1; i < 60; i += 2)
    mproc_test_expect_success (results[i]);
  ck_assert_uint_eq (mproc_queue_get_size (said), 30);
  mproc_test_end_pool (pool);
  mproc_test_gate_clear (&gate);
  mproc_queue_unref (said);
}
END_TEST

/* Whoever waits when the pool is closed is still served; when it is terminated, told. */
START_TEST (the_end_finds_those_who_wait)
{
  for (guint terminates = 0; terminates < 2; terminates++)
    {
      MprocPool *pool = mproc_test_pool (2, _i);
      MprocQueue *said = mproc_queue_new (0, NULL);
      MprocResult *results[100];

      for (guint i = 0; i < 100; i++)
        results[i] = submit (pool, said, i, (gint) (i % 5));
      if (terminates)
        mproc_pool_terminate (pool);
      mproc_test_end_pool (pool);
      for (guint i = 0; i < 100; i++)
        {
          ck_assert (mproc_result_is_ready (results[i]));
          ck_assert (terminates || mproc_result_is_successful (results[i]));
          mproc_result_unref (results[i]);
        }
      mproc_queue_unref (said);
    }
}
END_TEST

/* Each is begun once: what is taken back from the queue is not begun there as well. */
START_TEST (priorities_and_deaths)
{
  guint n = mproc_test_is_slow_platform () ? 60 : 400;
  MprocPool *pool;
  MprocQueue *said;
  MprocResult **results;
  GRand *random = g_rand_new_with_seed (7);
  guint n_deadly = 0;

  pool = mproc_test_pool (3, _i);
  said = mproc_queue_new (0, NULL);
  results = g_new (MprocResult *, n);
  for (guint i = 0; i < n; i++)
    {
      MprocTaskOptions *options = mproc_task_options_new ();
      gboolean is_deadly =
          i % 50 == 20 && mproc_test_method (_i) != MPROC_START_METHOD_THREAD;

      mproc_task_options_set_priority (options, g_rand_int_range (random, 0, 4));
      results[i] = mproc_pool_apply_async (pool, is_deadly ? mproc_test_die : say_number,
                                           mproc_pack ("(hu)", said, i), options);
      n_deadly += is_deadly;
      mproc_task_options_free (options);
    }
  for (guint i = 0; i < n; i++)
    if (i % 50 == 20 && mproc_test_method (_i) != MPROC_START_METHOD_THREAD)
      mproc_test_expect_failure (results[i], MPROC_ERROR_WORKER_DIED, NULL);
    else
      mproc_test_expect_success (results[i]);
  ck_assert_uint_eq (mproc_queue_get_size (said), n - n_deadly);
  mproc_test_end_pool (pool);
  mproc_queue_unref (said);
  g_rand_free (random);
  g_free (results);
}
END_TEST

Suite *
mproc_test_pool_priority_suite (void)
{
  Suite *suite = suite_create ("pool-priority");
  TCase *tcase = mproc_test_case (suite, "pool-priority");
  int n = (int) mproc_test_n_methods ();

  tcase_add_loop_test (tcase, equals_keep_their_order, 0, n);
  tcase_add_loop_test (tcase, the_highest_comes_first, 0, n);
  tcase_add_loop_test (tcase, many_of_any_priority, 0, n);
  tcase_add_loop_test (tcase, tasks_are_cancelled_wherever_they_wait, 0, n);
  tcase_add_loop_test (tcase, the_end_finds_those_who_wait, 0, n);
  tcase_add_loop_test (tcase, priorities_and_deaths, 0, n);
  return suite;
}
