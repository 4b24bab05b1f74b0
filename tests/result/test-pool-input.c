/* SPDX-License-Identifier: MIT */
/* Iterators over inputs: what they ask for, bounds, errors, the early end. */
#include "iters.h"

START_TEST (iterates_over_an_input)
{
  MprocPool *pool = mproc_test_pool (2, _i);
  guint chunks[] = { 0, 1, 7, 1000 };

  for (guint i = 0; i < G_N_ELEMENTS (chunks); i++)
    for (guint is_ordered = 0; is_ordered < 2; is_ordered++)
      {
        Input input = { .i = 6, .n = 60 };
        MprocIter *iter =
            imap_from (pool, is_ordered == 1, next_number, &input, chunks[i]);

        ck_assert_ptr_null (input.thread);
        expect_squares (iter, 6, 60, is_ordered == 1);
        ck_assert_ptr_eq (input.thread, g_thread_self ());
        ck_assert_int_eq (input.n_destroyed, 0);
        mproc_iter_unref (iter);
        ck_assert_int_eq (input.n_destroyed, 1);
      }
  mproc_test_end_pool (pool);
}
END_TEST

START_TEST (an_inputs_error_stands_at_its_place)
{
  MprocPool *pool = mproc_test_pool (2, _i);

  for (guint chunk = 1; chunk < 5; chunk++)
    {
      Input input = { .i = 6, .n = 10, .fails = TRUE };
      MprocIter *iter = imap_from (pool, TRUE, next_number, &input, chunk);

      for (gint32 i = 6; i < 16; i++)
        ck_assert_int_eq (take (iter, 0), i * i);
      ck_assert_int_eq (take (iter, MPROC_ERROR_NOT_FOUND), FAILED);
      ck_assert_int_eq (take (iter, 0), END);
      ck_assert_int_eq (input.n, -1);
      mproc_iter_unref (iter);
    }
  mproc_test_end_pool (pool);
}
END_TEST

START_TEST (an_unordered_inputs_error_comes_once)
{
  MprocPool *pool = mproc_test_pool (2, _i);
  Input input = { .i = 6, .n = 10, .fails = TRUE };
  MprocIter *iter = imap_from (pool, FALSE, next_number, &input, 3);
  gint failures = 0;
  gint values = 0;
  gint32 value;

  while ((value = take (iter, MPROC_ERROR_NOT_FOUND)) != END)
    if (value == FAILED)
      failures++;
    else
      values++;
  ck_assert_int_eq (failures, 1);
  ck_assert_int_eq (values, 10);
  mproc_iter_unref (iter);
  mproc_test_end_pool (pool);
}
END_TEST

static void
take_of_endless (MprocPool *pool, gboolean is_ordered, guint chunk, guint most)
{
  Input input = { .i = 6, .n = G_MAXINT };
  MprocIter *iter = imap_from (pool, is_ordered, next_number, &input, chunk);

  for (gint32 i = 0; i < 100; i++)
    {
      take (iter, 0);
      ck_assert_int_le (input.i - 6 - i, (gint32) (most * chunk));
    }
  mproc_iter_unref (iter);
  ck_assert_int_eq (input.n_destroyed, 1);
}

START_TEST (an_input_may_be_endless)
{
  MprocPool *pool = mproc_test_pool (2, _i);
  MprocPoolOptions *options = mproc_test_pool_options (_i);
  MprocPool *bounded;

  mproc_pool_options_set_max_pending (options, 3);
  bounded = mproc_test_pool_with (2, options);
  for (guint chunk = 1; chunk < 4; chunk += 2)
    for (guint is_ordered = 0; is_ordered < 2; is_ordered++)
      {
        take_of_endless (pool, is_ordered == 1, chunk, 4 * 2);
        take_of_endless (bounded, is_ordered == 1, chunk, 3);
      }
  mproc_test_end_pool (pool);
  mproc_test_end_pool (bounded);
}
END_TEST

/* Others have the room: it waits for it, as long as it was told to. */
START_TEST (waits_for_room)
{
  MprocPoolOptions *options = mproc_test_pool_options (_i);
  Input input = { .i = 6, .n = 5 };
  MprocTestGate gate;
  GError *error = NULL;
  MprocResult *result;
  MprocPool *pool;
  MprocIter *iter, *other;

  mproc_pool_options_set_max_pending (options, 1);
  pool = mproc_test_pool_with (1, options);
  mproc_test_gate_init (&gate);
  result = mproc_test_gate_occupy (&gate, pool, mproc_test_be_stuck);
  iter = imap_from (pool, TRUE, next_number, &input, 1);
  other = imap (pool, TRUE, mproc_test_numbers (6, 20), 2);
  for (guint i = 0; i < 2; i++)
    {
      ck_assert_ptr_null (mproc_iter_next (iter, i * 1000, &error));
      mproc_test_expect_error (&error, MPROC_ERROR_TIMED_OUT, "");
    }
  mproc_test_gate_open (&gate, 1, 1);
  expect_squares (iter, 6, 5, TRUE);
  expect_squares (other, 6, 20, TRUE);
  mproc_iter_unref (iter);
  mproc_iter_unref (other);
  mproc_result_unref (result);
  mproc_test_gate_clear (&gate);
  mproc_test_end_pool (pool);
}
END_TEST

static GVariant *
close_by_the_way (gpointer data, GError **error)
{
  Input *input = data;

  if (input->i == 20)
    mproc_pool_close (input->pool);
  return next_number (data, error);
}

START_TEST (a_closed_pool_ends_an_input)
{
  MprocPool *pool = mproc_test_pool (2, _i);
  Input input = { .i = 6, .n = G_MAXINT, .pool = pool };
  MprocIter *iter = imap_from (pool, TRUE, close_by_the_way, &input, 1);
  GError *error = NULL;

  for (gint32 i = 6; i < 20; i++)
    ck_assert_int_eq (take (iter, 0), i * i);
  ck_assert_int_eq (take (iter, MPROC_ERROR_STATE), FAILED);
  ck_assert_int_eq (take (iter, 0), END);
  ck_assert_int_eq (input.i, 21);
  mproc_iter_unref (iter);
  ck_assert_ptr_null (imap_from (pool, TRUE, next_number, &input, 1));
  ck_assert_int_eq (input.n_destroyed, 2);
  ck_assert_ptr_null (mproc_pool_imap (pool, mproc_test_square_but_five,
                                       mproc_test_numbers (1, 2), 1, NULL, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_STATE, "closed");
  mproc_test_end_pool (pool);
}
END_TEST

static GVariant *
ask_the_iterator (gpointer data, GError **error)
{
  Input *input = data;
  GVariant *value = mproc_iter_next (input->iter, MPROC_FOREVER, error);

  ck_assert_ptr_null (value);
  return value;
}

START_TEST (an_input_cannot_wait_for_itself)
{
  MprocPool *pool = mproc_test_pool (1, _i);
  Input input = { .i = 0 };

  input.iter = imap_from (pool, TRUE, ask_the_iterator, &input, 1);
  ck_assert_int_eq (take (input.iter, MPROC_ERROR_STATE), FAILED);
  ck_assert_int_eq (take (input.iter, 0), END);
  mproc_iter_unref (input.iter);
  mproc_test_end_pool (pool);
}
END_TEST

/* ------------------------------------------------------------------ trouble */

static GVariant *
next_with_connections (gpointer data, GError **error)
{
  Input *input = data;
  MprocConnection *here, *there;
  GVariant *item;

  if (input->i % 10 != 9)
    return next_number (data, error);
  input->i++;
  input->n--;
  if (!mproc_pipe (FALSE, &here, &there, error))
    return NULL;
  item = mproc_pack ("(h)", here);
  mproc_connection_unref (here);
  mproc_connection_unref (there);
  return item;
}

START_TEST (what_cannot_be_sent_fails_alone)
{
  MprocPool *pool = mproc_test_pool (2, _i);
  Input input = { .i = 6, .n = 20 };
  MprocIter *iter = imap_from (pool, TRUE, next_with_connections, &input, 1);

  for (gint32 i = 6; i < 26; i++)
    ck_assert_int_eq (take (iter, MPROC_ERROR_NOT_SUPPORTED),
                      i % 10 == 9 ? FAILED : i * i);
  ck_assert_int_eq (take (iter, 0), END);
  mproc_iter_unref (iter);
  mproc_test_end_pool (pool);
}
END_TEST

/* Begun, and given up at any instant of that. */
START_TEST (given_up_at_random)
{
  gint rounds = mproc_test_scale (mproc_test_is_slow_platform () ? 10 : 100);
  MprocPool *pool = mproc_test_pool (2, _i);

  for (gint round = 0; round < rounds; round++)
    {
      Input input = { .i = 6, .n = G_MAXINT };
      MprocIter *iter =
          imap_from (pool, round % 2 == 0, next_number, &input, 1 + (guint) round % 3);

      for (gint i = g_random_int_range (0, 20); i > 0; i--)
        take (iter, 0);
      mproc_iter_unref (iter);
    }
  mproc_test_end_pool (pool);
}
END_TEST

/* The pool goes first: it lives as long as its iterators, and terminates with the last. */
START_TEST (keeps_its_pool)
{
  MprocPool *pool = mproc_test_pool (2, _i);
  Input input = { .i = 6, .n = G_MAXINT };
  MprocIter *iter = imap_from (pool, TRUE, next_number, &input, 1);

  mproc_pool_unref (pool);
  ck_assert_int_eq (take (iter, 0), 36);
  mproc_iter_unref (mproc_iter_ref (iter));
  ck_assert_int_eq (take (iter, 0), 49);
  mproc_iter_unref (iter);
}
END_TEST

static gpointer
take_some (gpointer data)
{
  gint32 sum = 0;
  GVariant *value;

  while ((value = mproc_iter_next (data, MPROC_SECONDS (50), NULL)) != NULL)
    {
      sum += g_variant_get_int32 (value);
      g_variant_unref (value);
    }
  return GINT_TO_POINTER (sum);
}

START_TEST (threads_share_one)
{
  MprocPool *pool = mproc_test_pool (2, _i);
  Input input = { .i = 6, .n = 300 };
  MprocIter *iter = imap_from (pool, _i % 2 == 0, next_number, &input, 2);
  GThread *threads[4];
  gint32 sum = 0;
  gint32 expected = 0;

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("take", take_some, iter);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    sum += GPOINTER_TO_INT (g_thread_join (threads[i]));
  for (gint32 i = 6; i < 306; i++)
    expected += i * i;
  ck_assert_int_eq (sum, expected);
  mproc_iter_unref (iter);
  mproc_test_end_pool (pool);
}
END_TEST

Suite *
mproc_test_pool_input_suite (void)
{
  Suite *suite = suite_create ("pool-input");
  TCase *tcase = mproc_test_case (suite, "input");
  int n = (int) mproc_test_n_methods ();

  tcase_add_loop_test (tcase, iterates_over_an_input, 0, n);
  tcase_add_loop_test (tcase, an_inputs_error_stands_at_its_place, 0, n);
  tcase_add_loop_test (tcase, an_unordered_inputs_error_comes_once, 0, n);
  tcase_add_loop_test (tcase, an_input_may_be_endless, 0, n);
  tcase_add_loop_test (tcase, waits_for_room, 0, n);
  tcase_add_loop_test (tcase, a_closed_pool_ends_an_input, 0, n);
  tcase_add_loop_test (tcase, an_input_cannot_wait_for_itself, 0, n);
  tcase_add_loop_test (tcase, what_cannot_be_sent_fails_alone, 0, n);
  tcase_add_loop_test (tcase, given_up_at_random, 0, n);
  tcase_add_loop_test (tcase, keeps_its_pool, 0, n);
  tcase_add_loop_test (tcase, threads_share_one, 0, n);
  return suite;
}
