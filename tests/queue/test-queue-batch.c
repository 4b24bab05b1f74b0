/* SPDX-License-Identifier: MIT */
/* Many items by one call. */
#include "pipes.h"
#include "processes.h"
#include "queues.h"

#include <string.h>

/* Some so long that they get blocks of their own. */
static GVariant *
make_item (guint32 producer, guint32 number)
{
  static const guint8 filling[40000];
  gsize size = number % 50 == 7 ? 40000 : number % 90;

  return g_variant_new ("(uu@ay)", producer, number,
                        g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, filling, size,
                                                   1));
}

static GVariant **
make_items (guint32 producer, guint32 from, guint n)
{
  GVariant **items = g_new (GVariant *, n);

  for (guint i = 0; i < n; i++)
    items[i] = make_item (producer, from + i);
  return items;
}

static gssize
put_numbers (MprocQueue *queue, guint n, gint64 timeout, GError **error)
{
  GVariant **items = make_items (0, 0, n);
  gssize n_put = mproc_queue_put_many (queue, items, n, timeout, error);

  g_free (items);
  return n_put;
}

static guint32
number_of (GVariant *value, guint32 *producer)
{
  guint32 number;

  g_variant_get (value, "(uu@ay)", producer, &number, NULL);
  return number;
}

/* The numbers go on with @next. */
static guint32
check_numbers (GPtrArray *values, guint32 next)
{
  guint32 producer;

  for (guint i = 0; i < values->len; i++)
    {
      ck_assert_uint_eq (number_of (g_ptr_array_index (values, i), &producer), next);
      ck_assert (!g_variant_is_floating (g_ptr_array_index (values, i)));
      next++;
    }
  return next;
}

START_TEST (batches_keep_the_order)
{
  MprocQueue *queue = make_queue (0);
  guint32 next = 0;

  ck_assert_int_eq (put_numbers (queue, 1000, 0, NULL), 1000);
  ck_assert_uint_eq (mproc_queue_get_size (queue), 1000);
  while (next < 1000)
    {
      guint max = 1 + next % 300;
      GPtrArray *values = mproc_queue_get_many (queue, max, 0, NULL);

      ck_assert_ptr_nonnull (values);
      ck_assert_uint_eq (values->len, MIN (max, 1000 - next));
      next = check_numbers (values, next);
      g_ptr_array_unref (values);
    }
  ck_assert (mproc_queue_is_empty (queue));
  mproc_queue_unref (queue);
}
END_TEST

START_TEST (single_items_and_batches_mix)
{
  MprocQueue *queue = make_queue (0);
  GPtrArray *values;
  GVariant *value;

  ck_assert (mproc_queue_put_bytes (queue, "bytes", 5, 0, NULL));
  ck_assert_int_eq (put_numbers (queue, 3, 0, NULL), 3);
  value = mproc_queue_get (queue, 0, NULL);
  ck_assert_str_eq (g_variant_get_type_string (value), "ay");
  g_variant_unref (value);
  ck_assert (mproc_queue_put_bytes (queue, "bytes", 5, 0, NULL));
  values = mproc_queue_get_many (queue, 100, MPROC_FOREVER, NULL);
  ck_assert_uint_eq (values->len, 4);
  value = g_ptr_array_index (values, 3);
  ck_assert_str_eq (g_variant_get_type_string (value), "ay");
  ck_assert (memcmp (g_variant_get_data (value), "bytes", 5) == 0);
  g_ptr_array_unref (values);
  mproc_queue_unref (queue);
}
END_TEST

START_TEST (nothing_is_a_batch)
{
  MprocQueue *queue = make_queue (0);
  GError *error = NULL;
  gint64 start = g_get_monotonic_time ();

  ck_assert_int_eq (mproc_queue_put_many (queue, NULL, 0, 0, &error), 0);
  ck_assert_ptr_null (error);
  ck_assert_ptr_null (mproc_queue_get_many (queue, 5, 0, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_EMPTY, "");
  ck_assert_ptr_null (mproc_queue_get_many (queue, 5, 100000, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_EMPTY, "");
  ck_assert_int_ge (g_get_monotonic_time () - start, 100000);
  mproc_queue_unref (queue);
}
END_TEST

START_TEST (what_fits_is_put)
{
  MprocQueue *queue = make_queue (10);
  GError *error = NULL;
  gint64 start = g_get_monotonic_time ();
  GPtrArray *values;

  ck_assert_int_eq (put_numbers (queue, 25, 100000, &error), 10);
  ck_assert_ptr_null (error);
  ck_assert_int_ge (g_get_monotonic_time () - start, 100000);
  ck_assert_int_eq (put_numbers (queue, 25, 0, &error), -1);
  mproc_test_expect_error (&error, MPROC_ERROR_FULL, "");
  values = mproc_queue_get_many (queue, 100, 0, NULL);
  ck_assert_uint_eq (values->len, 10);
  check_numbers (values, 0);
  g_ptr_array_unref (values);
  mproc_queue_unref (queue);
}
END_TEST

START_TEST (all_can_be_sent_or_none_is_put)
{
  MprocQueue *queue = make_queue (0);
  MprocQueue *carried = make_queue (0);
  Pipe pipe = make_pipe (FALSE);
  GError *error = NULL;
  GVariant *items[3];
  GPtrArray *values;

  items[0] = mproc_pack ("(h)", carried);
  items[1] = g_variant_new_handle (123456);
  items[2] = g_variant_new_string ("fine");
  ck_assert_int_eq (mproc_queue_put_many (queue, items, 3, 0, &error), -1);
  mproc_test_expect_error (&error, MPROC_ERROR_HANDLE, "");
  items[0] = mproc_pack ("(h)", carried);
  items[1] = mproc_pack ("(h)", pipe.a);
  items[2] = g_variant_new_string ("fine");
  ck_assert_int_eq (mproc_queue_put_many (queue, items, 3, 0, &error), -1);
  mproc_test_expect_error (&error, MPROC_ERROR_NOT_SUPPORTED, "connection");
  ck_assert (mproc_queue_is_empty (queue));
  items[0] = mproc_pack ("(h)", carried);
  ck_assert_int_eq (mproc_queue_put_many (queue, items, 1, 0, &error), 1);
  mproc_queue_unref (carried);
  values = mproc_queue_get_many (queue, 3, 0, &error);
  ck_assert (mproc_unpack (g_ptr_array_index (values, 0), &error, "(h)", &carried));
  g_ptr_array_unref (values);
  ck_assert (mproc_queue_is_empty (carried));
  mproc_queue_unref (carried);
  free_pipe (&pipe);
  mproc_queue_unref (queue);
}
END_TEST

START_TEST (batches_end_with_the_queue)
{
  MprocQueue *queue = make_queue (0);
  GError *error = NULL;
  GPtrArray *values;

  ck_assert_int_eq (put_numbers (queue, 7, 0, NULL), 7);
  mproc_queue_shutdown (queue, FALSE);
  ck_assert_int_eq (put_numbers (queue, 7, MPROC_FOREVER, &error), -1);
  mproc_test_expect_error (&error, MPROC_ERROR_CLOSED, "shut down");
  values = mproc_queue_get_many (queue, 100, MPROC_FOREVER, &error);
  ck_assert_uint_eq (values->len, 7);
  g_ptr_array_unref (values);
  ck_assert_ptr_null (mproc_queue_get_many (queue, 100, MPROC_FOREVER, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_CLOSED, "shut down");
  mproc_queue_close (queue);
  ck_assert_ptr_null (mproc_queue_get_many (queue, 100, MPROC_FOREVER, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_CLOSED, "closed");
  ck_assert_int_eq (put_numbers (queue, 7, MPROC_FOREVER, &error), -1);
  mproc_test_expect_error (&error, MPROC_ERROR_CLOSED, "closed");
  mproc_queue_unref (queue);
}
END_TEST

START_TEST (misuse_is_told)
{
  MprocQueue *queue = make_queue (0);

  mproc_test_count_criticals ();
  ck_assert_int_eq (mproc_queue_put_many (NULL, NULL, 0, 0, NULL), -1);
  ck_assert_int_eq (mproc_queue_put_many (queue, NULL, 1, 0, NULL), -1);
  ck_assert_int_eq (mproc_queue_put_many (queue, NULL, 0, -2, NULL), -1);
  ck_assert_ptr_null (mproc_queue_get_many (NULL, 1, 0, NULL));
  ck_assert_ptr_null (mproc_queue_get_many (queue, 0, 0, NULL));
  ck_assert_ptr_null (mproc_queue_get_many (queue, 1, -2, NULL));
  ck_assert_ptr_null (mproc_queue_peek_bytes (NULL, 0, NULL));
  ck_assert_ptr_null (mproc_queue_peek_bytes (queue, -2, NULL));
  ck_assert_uint_eq (mproc_queue_get_n_bytes (NULL), 0);
  ck_assert_uint_eq (mproc_test_count_criticals (), 9);
  mproc_queue_unref (queue);
}
END_TEST

/* ------------------------------------------------------------------ processes */

#define N_ITEMS 3000
#define N_EACH 2

/* In batches of different lengths, some of one item. */
static GVariant *
produce (GVariant *args, GError **error)
{
  MprocQueue *queue;
  guint32 number;

  if (!mproc_unpack (args, error, "(&hu)", &queue, &number))
    return NULL;
  for (guint32 i = 0; i < N_ITEMS;)
    {
      guint n = MIN (1 + i % 170, N_ITEMS - i);
      GVariant **items = make_items (number, i, n);
      gssize n_put = mproc_queue_put_many (queue, items, n, MPROC_FOREVER, error);

      g_free (items);
      if (n_put != (gssize) n)
        return NULL;
      i += n;
    }
  return NULL;
}

/* Counts what it gets and has done, and checks the order. */
static GVariant *
consume (GVariant *args, GError **error)
{
  guint32 next[N_EACH] = { 0 };
  MprocQueue *queue;
  MprocQueue *counts;
  GPtrArray *values;
  guint32 n = 0;

  if (!mproc_unpack (args, error, "(&h&h)", &queue, &counts))
    return NULL;
  while ((values = mproc_queue_get_many (queue, 40, MPROC_FOREVER, NULL)) != NULL)
    {
      for (guint i = 0; i < values->len; i++)
        {
          guint32 producer;
          guint32 number = number_of (g_ptr_array_index (values, i), &producer);

          if (producer >= N_EACH || number < next[producer])
            g_set_error (error, MPROC_ERROR, MPROC_ERROR_FAILED, "%u of %u", number,
                         producer);
          else
            next[producer] = number + 1;
          n++;
          if ((error != NULL && *error != NULL) || !mproc_queue_task_done (queue, error))
            return NULL;
        }
      g_ptr_array_unref (values);
    }
  mproc_queue_put (counts, g_variant_new_uint32 (n), MPROC_FOREVER, error);
  return NULL;
}

static void
run_many (MprocStartMethod method, guint max_items)
{
  MprocQueue *queue = make_queue (max_items);
  MprocQueue *counts = make_queue (0);
  MprocProcess *children[2 * N_EACH];
  guint32 sum = 0;

  for (guint i = 0; i < N_EACH; i++)
    {
      children[i] = mproc_test_start_by (method, produce, mproc_pack ("(hu)", queue, i));
      children[N_EACH + i] =
          mproc_test_start_by (method, consume, mproc_pack ("(hh)", queue, counts));
    }
  for (guint i = 0; i < N_EACH; i++)
    mproc_test_end_with (children[i], 0);
  ck_assert (mproc_queue_join (queue, MPROC_SECONDS (30)));
  mproc_queue_shutdown (queue, FALSE);
  for (guint i = 0; i < N_EACH; i++)
    {
      GVariant *value;

      mproc_test_end_with (children[N_EACH + i], 0);
      value = mproc_queue_get (counts, 0, NULL);
      sum += g_variant_get_uint32 (value);
      g_variant_unref (value);
    }
  ck_assert_uint_eq (sum, N_EACH * N_ITEMS);
  mproc_queue_unref (queue);
  mproc_queue_unref (counts);
}

START_TEST (many_with_much_room) { run_many (mproc_test_method (_i), 0); }
END_TEST

START_TEST (many_with_little_room) { run_many (mproc_test_method (_i), 25); }
END_TEST

Suite *
mproc_test_queue_batch_suite (void)
{
  Suite *suite = suite_create ("queue-batch");
  TCase *tcase = mproc_test_case (suite, "batch");
  int n = (int) mproc_test_n_methods ();

  tcase_add_test (tcase, batches_keep_the_order);
  tcase_add_test (tcase, single_items_and_batches_mix);
  tcase_add_test (tcase, nothing_is_a_batch);
  tcase_add_test (tcase, what_fits_is_put);
  tcase_add_test (tcase, all_can_be_sent_or_none_is_put);
  tcase_add_test (tcase, batches_end_with_the_queue);
  tcase_add_test (tcase, misuse_is_told);
  tcase_add_loop_test (tcase, many_with_much_room, 0, n);
  tcase_add_loop_test (tcase, many_with_little_room, 0, n);
  return suite;
}
