/* SPDX-License-Identifier: MIT */
/* What becomes of results: callbacks, in a context or in the pool's thread. */
#include "pools.h"

/* What a callback saw, and what it is to do. */
typedef struct
{
  MprocPool *pool;
  gint n_calls;     /* atomic */
  gint n_destroyed; /* atomic */
  gboolean was_ready;
  gint32 value; /* -1: an error */
  GThread *thread;
  GError *error; /* of what it did */
  gboolean flag;
} Seen;

static void
look (MprocResult *result, gpointer data)
{
  Seen *seen = data;
  GVariant *value = mproc_result_get (result, 0, NULL);

  seen->was_ready = mproc_result_is_ready (result);
  seen->value = value != NULL ? g_variant_get_int32 (value) : -1;
  seen->thread = g_thread_self ();
  g_clear_pointer (&value, g_variant_unref);
  g_atomic_int_inc (&seen->n_calls);
}

static void
count_call (MprocResult *result, gpointer data)
{
  if (mproc_result_is_ready (result))
    g_atomic_int_inc (&((Seen *) data)->n_calls);
}

static void
note_destroyed (gpointer data)
{
  g_atomic_int_inc (&((Seen *) data)->n_destroyed);
}

static gboolean
is_destroyed (gpointer data)
{
  return g_atomic_int_get (&((Seen *) data)->n_destroyed) == 1;
}

static void
expect_seen (const Seen *seen, gint32 value, GThread *thread, gboolean same_thread)
{
  ck_assert_int_eq (seen->n_calls, 1);
  ck_assert_int_eq (seen->n_destroyed, 1);
  ck_assert (seen->was_ready);
  ck_assert_int_eq (seen->value, value);
  ck_assert_int_eq (seen->thread == thread, same_thread);
}

static MprocResult *
square_of (MprocPool *pool, gint32 n)
{
  return mproc_pool_apply_async (pool, mproc_test_square_but_five,
                                 g_variant_new_int32 (n), NULL);
}

/* ------------------------------------------------------------------ where they run */

START_TEST (in_the_pools_thread)
{
  MprocTestGate gate;
  MprocPool *pool = mproc_test_pool (1, _i);
  Seen good = { .value = 0 };
  Seen bad = { .value = 0 };
  MprocResult *first, *second, *third;

  mproc_test_gate_init (&gate);
  first = mproc_test_gate_occupy (&gate, pool, mproc_test_be_stuck);
  second = square_of (pool, 7);
  third = square_of (pool, 5);
  mproc_result_set_callback (second, NULL, look, &good, note_destroyed);
  mproc_result_set_callback (third, NULL, look, &bad, note_destroyed);
  ck_assert_int_eq (good.n_calls, 0);
  mproc_test_gate_open (&gate, 1, 1);
  mproc_result_unref (first);
  mproc_result_unref (second);
  mproc_result_unref (third);
  mproc_test_end_pool (pool);
  expect_seen (&good, 49, g_thread_self (), FALSE);
  expect_seen (&bad, -1, g_thread_self (), FALSE);
  ck_assert_ptr_eq (good.thread, bad.thread);
  mproc_test_gate_clear (&gate);
}
END_TEST

START_TEST (in_a_context)
{
  GMainContext *context = g_main_context_new ();
  MprocPool *pool = mproc_test_pool (1, _i);
  Seen seen = { .value = 0 };
  MprocResult *result = square_of (pool, 7);

  mproc_result_set_callback (result, context, look, &seen, note_destroyed);
  ck_assert (mproc_result_wait (result, MPROC_SECONDS (30)));
  while (g_atomic_int_get (&seen.n_calls) == 0)
    g_main_context_iteration (context, TRUE);
  expect_seen (&seen, 49, g_thread_self (), TRUE);
  mproc_result_unref (result);
  mproc_test_end_pool (pool);
  ck_assert (!g_main_context_iteration (context, FALSE));
  ck_assert_int_eq (seen.n_calls, 1);
  g_main_context_unref (context);
}
END_TEST

/* A context that goes before it has run. */
START_TEST (a_context_that_never_runs)
{
  GMainContext *context = g_main_context_new ();
  MprocPool *pool = mproc_test_pool (1, _i);
  Seen seen = { .value = 0 };
  MprocResult *result = square_of (pool, 7);

  mproc_result_set_callback (result, context, look, &seen, note_destroyed);
  mproc_result_unref (result);
  mproc_test_end_pool (pool);
  ck_assert_int_eq (seen.n_destroyed, 0);
  g_main_context_unref (context);
  ck_assert_int_eq (seen.n_calls, 0);
  ck_assert_int_eq (seen.n_destroyed, 1);
}
END_TEST

START_TEST (of_a_result_that_is_ready)
{
  GMainContext *context = g_main_context_new ();
  MprocPool *pool = mproc_test_pool (1, _i);
  MprocResult *here = square_of (pool, 7);
  MprocResult *there = square_of (pool, 5);
  Seen seen = { .value = 0 };
  Seen later = { .value = 0 };

  ck_assert (mproc_result_wait (here, MPROC_SECONDS (30)));
  ck_assert (mproc_result_wait (there, MPROC_SECONDS (30)));
  mproc_result_set_callback (here, NULL, look, &seen, note_destroyed);
  expect_seen (&seen, 49, g_thread_self (), TRUE);
  mproc_result_set_callback (there, context, look, &later, note_destroyed);
  ck_assert_int_eq (later.n_calls, 0);
  mproc_result_unref (there);
  ck_assert (g_main_context_iteration (context, FALSE));
  expect_seen (&later, -1, g_thread_self (), TRUE);
  mproc_result_unref (here);
  g_main_context_unref (context);
  mproc_test_end_pool (pool);
}
END_TEST

START_TEST (a_map_has_one)
{
  MprocPool *pool = mproc_test_pool (2, _i);
  MprocResult *result = mproc_pool_map_async (pool, mproc_test_square_but_five,
                                              mproc_test_numbers (5, 40), 3, NULL);
  Seen seen = { .value = 0 };

  mproc_result_set_callback (result, NULL, look, &seen, note_destroyed);
  mproc_result_unref (result);
  mproc_test_end_pool (pool);
  ck_assert_int_eq (seen.n_calls, 1);
  ck_assert_int_eq (seen.value, -1);
}
END_TEST

/* Set at every instant of a task's life. */
START_TEST (each_is_called_once)
{
  gint n = mproc_test_scale (mproc_test_is_slow_platform () ? 50 : 500);
  MprocPool *pool = mproc_test_pool (2, _i);
  Seen seen = { .value = 0 };

  for (gint i = 0; i < n; i++)
    {
      MprocResult *result = square_of (pool, 7);

      if (i % 7 == 0)
        g_usleep ((gulong) (i % 100));
      mproc_result_set_callback (result, NULL, count_call, &seen, note_destroyed);
      mproc_result_unref (result);
    }
  mproc_test_end_pool (pool);
  ck_assert_int_eq (seen.n_calls, n);
  ck_assert_int_eq (seen.n_destroyed, n);
}
END_TEST

/* ------------------------------------------------------------------ what they may do */

#define CHAIN 50

static void
submit_next (MprocResult *result, gpointer data)
{
  Seen *seen = data;
  MprocResult *next;

  seen->flag = mproc_result_is_successful (result);
  if (g_atomic_int_add (&seen->n_calls, 1) + 1 == CHAIN || !seen->flag)
    return;
  next = square_of (seen->pool, 2);
  mproc_result_set_callback (next, NULL, submit_next, seen, NULL);
  mproc_result_unref (next);
}

static gboolean
chain_is_over (gpointer data)
{
  return g_atomic_int_get (&((Seen *) data)->n_calls) == CHAIN;
}

START_TEST (may_submit)
{
  MprocPoolOptions *options = mproc_test_pool_options (_i);
  Seen seen = { .value = 0 };
  MprocResult *result;

  mproc_pool_options_set_max_pending (options, 1);
  seen.pool = mproc_test_pool_with (1, options);
  result = square_of (seen.pool, 2);
  mproc_result_set_callback (result, NULL, submit_next, &seen, NULL);
  mproc_result_unref (result);
  while (!chain_is_over (&seen))
    ck_assert (mproc_test_eventually (chain_is_over, &seen));
  ck_assert (seen.flag);
  mproc_test_end_pool (seen.pool);
}
END_TEST

static void
end_pool (MprocResult *result, gpointer data)
{
  Seen *seen = data;

  look (result, seen);
  if (seen->flag)
    mproc_pool_terminate (seen->pool);
  else
    mproc_pool_close (seen->pool);
  /* It cannot wait for itself. */
  seen->flag = mproc_pool_join (seen->pool, MPROC_FOREVER);
}

static void
end_from_inside (int i, gboolean terminate)
{
  MprocTestGate gate;
  Seen seen = { .flag = terminate, .pool = mproc_test_pool (1, i) };
  MprocResult *first, *second;

  mproc_test_gate_init (&gate);
  first = mproc_test_gate_occupy (&gate, seen.pool, mproc_test_be_stuck);
  second = mproc_test_gate_submit (&gate, seen.pool, mproc_test_be_stuck, NULL);
  mproc_result_set_callback (first, NULL, end_pool, &seen, note_destroyed);
  mproc_test_gate_open (&gate, 1, 3);
  ck_assert (mproc_test_eventually (is_destroyed, &seen));
  if (!terminate || mproc_test_is_thread (i)) /* a thread has to end by itself */
    mproc_test_gate_open (&gate, 1, 4);
  ck_assert (mproc_pool_join (seen.pool, MPROC_SECONDS (50)));
  ck_assert (!seen.flag);
  ck_assert_int_eq (seen.value, 3);
  if (!terminate)
    ck_assert_int_eq (mproc_test_int (mproc_result_get (second, 0, NULL)), 4);
  else if (!mproc_test_is_thread (i))
    {
      ck_assert_ptr_null (mproc_result_get (second, 0, &seen.error));
      mproc_test_expect_error (&seen.error, MPROC_ERROR_CANCELLED, "terminated");
    }
  mproc_pool_unref (seen.pool);
  mproc_result_unref (first);
  mproc_result_unref (second);
  mproc_test_gate_clear (&gate);
}

START_TEST (may_close) { end_from_inside (_i, FALSE); }
END_TEST

START_TEST (may_terminate) { end_from_inside (_i, TRUE); }
END_TEST

static void
drop_pool (MprocResult *result, gpointer data)
{
  Seen *seen = data;

  look (result, seen);
  mproc_pool_unref (seen->pool);
}

/* The pool ends in the background; the case's census waits until it is gone. */
START_TEST (may_drop_the_last_reference)
{
  MprocTestGate gate;
  Seen seen = { .pool = mproc_test_pool (2, _i) };
  MprocResult *first, *second;

  mproc_test_gate_init (&gate);
  first = mproc_test_gate_occupy (&gate, seen.pool, mproc_test_be_stuck);
  second = mproc_test_gate_occupy (&gate, seen.pool, mproc_test_be_stuck);
  mproc_result_set_callback (first, NULL, drop_pool, &seen, note_destroyed);
  mproc_result_set_callback (second, NULL, drop_pool, &seen, note_destroyed);
  mproc_pool_ref (seen.pool);
  mproc_test_gate_open (&gate, 1, 3);
  mproc_test_gate_open (&gate, 1, 3);
  ck_assert (mproc_result_wait (first, MPROC_SECONDS (30)));
  ck_assert (mproc_result_wait (second, MPROC_SECONDS (30)));
  while (g_atomic_int_get (&seen.n_destroyed) != 2)
    g_usleep (100);
  mproc_result_unref (first);
  mproc_result_unref (second);
  mproc_test_gate_clear (&gate);
}
END_TEST

static void
get_other (MprocResult *result, gpointer data)
{
  Seen *seen = data;
  MprocResult *other = square_of (seen->pool, 3);
  GError *error = NULL;

  seen->was_ready = mproc_result_is_ready (result);
  seen->flag = !mproc_result_wait (other, MPROC_FOREVER) &&
               mproc_result_get (other, 0, &error) == NULL &&
               g_error_matches (error, MPROC_ERROR, MPROC_ERROR_TIMED_OUT);
  g_clear_error (&error);
  mproc_result_get (other, MPROC_FOREVER, &seen->error);
  mproc_result_unref (other);
  note_destroyed (seen);
}

START_TEST (cannot_wait_for_its_own_thread)
{
  Seen seen = { .pool = mproc_test_pool (1, _i) };
  MprocTestGate gate;
  MprocResult *result;

  mproc_test_gate_init (&gate);
  result = mproc_test_gate_occupy (&gate, seen.pool, mproc_test_be_stuck);
  mproc_result_set_callback (result, NULL, get_other, &seen, NULL);
  mproc_test_gate_open (&gate, 1, 1);
  ck_assert (mproc_test_eventually (is_destroyed, &seen));
  ck_assert (seen.was_ready && seen.flag);
  mproc_test_expect_error (&seen.error, MPROC_ERROR_STATE, "set a callback");
  mproc_result_unref (result);
  mproc_test_gate_clear (&gate);
  mproc_test_end_pool (seen.pool);
}
END_TEST

/* A callback may start processes and pools of its own. */
static void
make_pool (MprocResult *result, gpointer data)
{
  Seen *seen = data;
  MprocPool *pool = mproc_test_pool (1, seen->value);
  GVariant *value = mproc_pool_apply (pool, mproc_test_square_but_five,
                                      g_variant_new_int32 (9), &seen->error);

  seen->flag = mproc_result_is_ready (result) && value != NULL;
  g_clear_pointer (&value, g_variant_unref);
  mproc_pool_close (pool);
  mproc_pool_join (pool, MPROC_FOREVER);
  mproc_pool_unref (pool);
}

START_TEST (may_use_another_pool)
{
  MprocPool *pool = mproc_test_pool (1, _i);
  MprocResult *result = square_of (pool, 3);
  Seen seen = { .value = _i };

  mproc_result_set_callback (result, NULL, make_pool, &seen, note_destroyed);
  mproc_result_unref (result);
  mproc_test_end_pool (pool);
  ck_assert (seen.flag);
  ck_assert_int_eq (seen.n_destroyed, 1);
}
END_TEST

START_TEST (of_a_terminated_pool)
{
  MprocTestGate gate;
  MprocPool *pool = mproc_test_pool (1, _i);
  MprocResult *first, *second;
  Seen seen = { .value = 0 };

  mproc_test_gate_init (&gate);
  first = mproc_test_gate_occupy (&gate, pool, mproc_test_be_stuck);
  second = square_of (pool, 3);
  mproc_result_set_callback (second, NULL, look, &seen, note_destroyed);
  mproc_pool_terminate (pool);
  mproc_test_gate_open (&gate, 1, 1); /* a thread has to end by itself */
  ck_assert (mproc_pool_join (pool, MPROC_SECONDS (50)));
  expect_seen (&seen, -1, g_thread_self (), FALSE);
  mproc_pool_unref (pool);
  mproc_result_unref (first);
  mproc_result_unref (second);
  mproc_test_gate_clear (&gate);
}
END_TEST

/* ------------------------------------------------------------------ starmap */

static GVariant *
add (GVariant *args, GError **error)
{
  gint32 a, b;

  (void) error;
  g_variant_get (args, "(ii)", &a, &b);
  return g_variant_new_int32 (a + b);
}

START_TEST (starmaps)
{
  MprocPool *pool = mproc_test_pool (2, _i);
  GError *error = NULL;
  GVariant *all =
      mproc_pool_starmap (pool, add,
                          g_variant_new_parsed ("[(1, 2), (3, 4), (5, 6), (7, 8)]"), 3,
                          NULL);
  char *text = g_variant_print (all, FALSE);
  MprocResult *result;

  ck_assert_str_eq (text, "[<3>, <7>, <11>, <15>]");
  g_free (text);
  g_variant_unref (all);
  all = mproc_pool_starmap (pool, add, g_variant_new_parsed ("[<(1, 2)>]"), 0, NULL);
  ck_assert_uint_eq (g_variant_n_children (all), 1);
  g_variant_unref (all);
  all = mproc_pool_starmap (pool, add, g_variant_new_parsed ("@a(ii) []"), 0, NULL);
  ck_assert_uint_eq (g_variant_n_children (all), 0);
  g_variant_unref (all);
  result = mproc_pool_starmap_async (pool, add, g_variant_new_parsed ("[<(1, 2)>, <3>]"),
                                     0, NULL);
  ck_assert (mproc_result_is_ready (result));
  ck_assert_ptr_null (mproc_result_get (result, 0, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_INVALID, "item 1 of a starmap");
  mproc_result_unref (result);
  mproc_test_end_pool (pool);
}
END_TEST

/* ------------------------------------------------------------------ mistakes */

START_TEST (negative_chunks)
{
  MprocPool *pool = mproc_test_pool (1, _i);
  GError *error = NULL;

  ck_assert_ptr_null (mproc_pool_map (pool, mproc_test_square_but_five,
                                      mproc_test_numbers (1, 9), (guint) -1, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_INVALID, "4294967295");
  ck_assert_ptr_null (mproc_pool_starmap (pool, add, g_variant_new_parsed ("[(1, 2)]"),
                                          (guint) -3, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_INVALID, "4294967293");
  mproc_test_end_pool (pool);
}
END_TEST

START_TEST (mistakes_are_criticals)
{
  MprocPool *pool = mproc_test_pool (1, _i);
  MprocResult *result = square_of (pool, 3);
  Seen seen = { .value = 0 };

  mproc_test_count_criticals ();
  mproc_result_set_callback (result, NULL, NULL, NULL, NULL);
  mproc_result_set_callback (NULL, NULL, look, &seen, NULL);
  mproc_result_set_callback ((gpointer) pool, NULL, look, &seen, NULL);
  ck_assert_uint_eq (mproc_test_count_criticals (), 3);
  mproc_result_set_callback (result, NULL, look, &seen, note_destroyed);
  mproc_result_set_callback (result, NULL, look, &seen, note_destroyed);
  ck_assert_uint_eq (mproc_test_count_criticals (), 1);
  mproc_result_unref (result);
  mproc_test_end_pool (pool);
  ck_assert_int_eq (seen.n_calls, 1);
  ck_assert_int_eq (seen.n_destroyed, 1);
}
END_TEST

Suite *
mproc_test_pool_results_suite (void)
{
  Suite *suite = suite_create ("pool-results");
  TCase *tcase = mproc_test_case (suite, "results");
  int n = (int) mproc_test_n_methods ();

  tcase_add_loop_test (tcase, in_the_pools_thread, 0, n);
  tcase_add_loop_test (tcase, in_a_context, 0, n);
  tcase_add_loop_test (tcase, a_context_that_never_runs, 0, n);
  tcase_add_loop_test (tcase, of_a_result_that_is_ready, 0, n);
  tcase_add_loop_test (tcase, a_map_has_one, 0, n);
  tcase_add_loop_test (tcase, each_is_called_once, 0, n);
  tcase_add_loop_test (tcase, may_submit, 0, n);
  tcase_add_loop_test (tcase, may_close, 0, n);
  tcase_add_loop_test (tcase, may_terminate, 0, n);
  tcase_add_loop_test (tcase, may_drop_the_last_reference, 0, n);
  tcase_add_loop_test (tcase, cannot_wait_for_its_own_thread, 0, n);
  tcase_add_loop_test (tcase, may_use_another_pool, 0, n);
  tcase_add_loop_test (tcase, of_a_terminated_pool, 0, n);
  tcase_add_loop_test (tcase, starmaps, 0, n);
  tcase_add_loop_test (tcase, negative_chunks, 0, n);
  tcase_add_loop_test (tcase, mistakes_are_criticals, 0, n);
  return suite;
}
