/* SPDX-License-Identifier: MIT */
/* Iterators: order, errors, the early end. */
#include "iters.h"

#include "kill.h"

/* ------------------------------------------------------------------ items */

START_TEST (iterates_over_items)
{
  MprocPool *pool = mproc_test_pool (3, _i);
  guint chunks[] = { 0, 1, 7, 1000 };

  for (guint i = 0; i < G_N_ELEMENTS (chunks); i++)
    for (guint is_ordered = 0; is_ordered < 2; is_ordered++)
      {
        MprocIter *iter =
            imap (pool, is_ordered == 1, mproc_test_numbers (6, 100), chunks[i]);

        expect_squares (iter, 6, 100, is_ordered == 1);
        mproc_iter_unref (iter);
        iter = imap (pool, is_ordered == 1, mproc_test_numbers (0, 0), chunks[i]);
        ck_assert_int_eq (take (iter, 0), END);
        mproc_iter_unref (iter);
      }
  mproc_test_end_pool (pool);
}
END_TEST

START_TEST (a_failed_item_does_not_end_it)
{
  MprocPool *pool = mproc_test_pool (2, _i);

  for (guint chunk = 1; chunk < 4; chunk++)
    {
      MprocIter *iter = imap (pool, TRUE, mproc_test_numbers (0, 10), chunk);

      for (gint32 i = 0; i < 10; i++)
        ck_assert_int_eq (take (iter, MPROC_ERROR_FAILED), i == 5 ? FAILED : i * i);
      ck_assert_int_eq (take (iter, 0), END);
      mproc_iter_unref (iter);
    }
  mproc_test_end_pool (pool);
}
END_TEST

/* The last that was begun comes first, the first one last. */
START_TEST (unordered_is_as_they_come)
{
  MprocPool *pool = mproc_test_pool (2, _i);
  MprocTestGate slow, fast;
  GVariant *items;
  MprocIter *iter;

  mproc_test_gate_init (&slow);
  mproc_test_gate_init (&fast);
  items = mproc_pack ("((hh)(hh))", slow.begun, slow.go, fast.begun, fast.go);
  iter = mproc_pool_imap_unordered (pool, mproc_test_be_stuck, items, 1, NULL, NULL);
  mproc_test_tell (fast.go, 2);
  ck_assert_int_eq (take (iter, 0), 2);
  mproc_test_tell (slow.go, 1);
  ck_assert_int_eq (take (iter, 0), 1);
  ck_assert_int_eq (take (iter, 0), END);
  mproc_iter_unref (iter);
  mproc_test_gate_clear (&slow);
  mproc_test_gate_clear (&fast);
  mproc_test_end_pool (pool);
}
END_TEST

START_TEST (time_up_is_not_the_end)
{
  MprocPool *pool = mproc_test_pool (1, _i);
  MprocTestGate gate;
  GError *error = NULL;
  MprocIter *iter;

  mproc_test_gate_init (&gate);
  iter = mproc_pool_imap (pool, mproc_test_be_stuck,
                          mproc_pack ("((hh))", gate.begun, gate.go), 1, NULL, NULL);
  for (guint i = 0; i < 3; i++)
    {
      ck_assert_ptr_null (mproc_iter_next (iter, i * 1000, &error));
      mproc_test_expect_error (&error, MPROC_ERROR_TIMED_OUT, "no outcome is there yet");
    }
  mproc_test_gate_open (&gate, 1, 8);
  ck_assert_int_eq (take (iter, 0), 8);
  ck_assert_ptr_null (mproc_iter_next (iter, 0, &error));
  ck_assert_ptr_null (error);
  mproc_iter_unref (iter);
  mproc_test_gate_clear (&gate);
  mproc_test_end_pool (pool);
}
END_TEST

/* As people write it: closed at once, taken after the end. */
START_TEST (items_outlive_the_close)
{
  MprocPool *pool = mproc_test_pool (2, _i);
  MprocIter *first = imap (pool, TRUE, mproc_test_numbers (6, 50), 1);
  MprocIter *second = imap (pool, FALSE, mproc_test_numbers (6, 50), 3);

  mproc_pool_close (pool);
  expect_squares (first, 6, 50, TRUE);
  ck_assert (mproc_pool_join (pool, MPROC_SECONDS (50)));
  expect_squares (second, 6, 50, FALSE);
  mproc_iter_unref (first);
  mproc_iter_unref (second);
  mproc_pool_unref (pool);
}
END_TEST

/* ------------------------------------------------------------------ trouble */

START_TEST (a_lost_worker_costs_its_chunk)
{
  MprocPool *pool;

  if (mproc_test_is_thread (_i))
    return; /* a thread cannot be lost */
  pool = mproc_test_pool (2, _i);
  for (guint chunk = 1; chunk < 4; chunk += 2)
    {
      MprocIter *iter = mproc_pool_imap (pool, mproc_test_die_of_13,
                                         mproc_test_numbers (9, 9), chunk, NULL, NULL);

      for (gint32 i = 9; i < 18; i++)
        {
          gboolean is_lost = (i - 9) / (gint32) chunk == (13 - 9) / (gint32) chunk;

          ck_assert_int_eq (take (iter, MPROC_ERROR_WORKER_DIED),
                            is_lost ? FAILED : i * i);
        }
      ck_assert_int_eq (take (iter, 0), END);
      mproc_iter_unref (iter);
    }
  mproc_test_end_pool (pool);
}
END_TEST

static GVariant *
count_one (GVariant *args, GError **error)
{
  MprocQueue *queue;

  if (mproc_unpack (args, error, "(&h)", &queue))
    mproc_test_tell (queue, 1);
  return NULL;
}

/* What no worker has begun with is not run. */
START_TEST (an_early_end_leaves_nothing_behind)
{
  MprocPool *pool = mproc_test_pool (1, _i);
  MprocQueue *counted = mproc_queue_new (0, NULL);
  GVariantBuilder items;
  MprocTestGate gate;
  MprocResult *result;

  mproc_test_gate_init (&gate);
  result = mproc_test_gate_occupy (&gate, pool, mproc_test_be_stuck);
  g_variant_builder_init (&items, G_VARIANT_TYPE ("a(h)"));
  for (guint i = 0; i < 50; i++)
    g_variant_builder_add_value (&items, mproc_pack ("(h)", counted));
  mproc_iter_unref (mproc_pool_imap (pool, count_one, g_variant_builder_end (&items), 1,
                                     NULL, NULL));
  mproc_test_gate_open (&gate, 1, 3);
  ck_assert_int_eq (mproc_test_int (mproc_result_get (result, MPROC_SECONDS (30), NULL)),
                    3);
  ck_assert_int_eq (mproc_test_int (mproc_pool_apply (pool, mproc_test_square_but_five,
                                                      g_variant_new_int32 (3), NULL)),
                    9);
  mproc_test_end_pool (pool);
  ck_assert_int_eq (mproc_test_hear (counted, 0), MPROC_TEST_SILENCE);
  mproc_result_unref (result);
  mproc_test_gate_clear (&gate);
  mproc_queue_unref (counted);
}
END_TEST

/* ------------------------------------------------------------------ mistakes */

START_TEST (bad_input)
{
  MprocPool *pool = mproc_test_pool (1, _i);
  Input input = { .i = 0 };
  GError *error = NULL;
  MprocIter *iter;
  static const int data = 1;

  ck_assert_ptr_null (mproc_pool_imap (pool, mproc_test_square_but_five,
                                       mproc_test_numbers (1, 1), (guint) -1, NULL,
                                       &error));
  mproc_test_expect_error (&error, MPROC_ERROR_INVALID, "4294967295");
  ck_assert_ptr_null (mproc_pool_imap (pool, (MprocFunc) (guintptr) &data,
                                       mproc_test_numbers (1, 1), 1, NULL, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_FUNCTION, "is no function");
  mproc_test_count_criticals ();
  ck_assert_ptr_null (mproc_pool_imap (pool, mproc_test_square_but_five, NULL, 1, NULL,
                                       NULL));
  ck_assert_ptr_null (mproc_pool_imap (NULL, mproc_test_square_but_five,
                                       mproc_test_numbers (1, 1), 1, NULL, NULL));
  ck_assert_ptr_null (imap_from (pool, TRUE, NULL, &input, 1));
  ck_assert_ptr_null (mproc_iter_next (NULL, 0, NULL));
  ck_assert_ptr_null (mproc_iter_next ((gpointer) pool, 0, NULL));
  iter = imap_from (pool, TRUE, next_number, &input, 1);
  ck_assert_ptr_null (mproc_iter_next (iter, -5, NULL));
  mproc_pool_unref ((gpointer) iter);
  ck_assert_uint_eq (mproc_test_count_criticals (), 7);
  mproc_iter_unref (NULL);
  mproc_iter_unref (iter);
  mproc_test_end_pool (pool);
}
END_TEST

Suite *
mproc_test_pool_iter_suite (void)
{
  Suite *suite = suite_create ("pool-iter");
  TCase *tcase = mproc_test_case (suite, "iter");
  int n = (int) mproc_test_n_methods ();

  tcase_add_loop_test (tcase, iterates_over_items, 0, n);
  tcase_add_loop_test (tcase, a_failed_item_does_not_end_it, 0, n);
  tcase_add_loop_test (tcase, unordered_is_as_they_come, 0, n);
  tcase_add_loop_test (tcase, time_up_is_not_the_end, 0, n);
  tcase_add_loop_test (tcase, items_outlive_the_close, 0, n);
  tcase_add_loop_test (tcase, a_lost_worker_costs_its_chunk, 0, n);
  tcase_add_loop_test (tcase, an_early_end_leaves_nothing_behind, 0, n);
  tcase_add_loop_test (tcase, bad_input, 0, n);
  return suite;
}
