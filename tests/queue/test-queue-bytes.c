/* SPDX-License-Identifier: MIT */
/* Queues bounded by bytes. */
#include "chains.h"
#include "pipes.h"

static guint8 data[400000];

static MprocQueue *
make_queue_full (guint max_items, guint64 max_bytes)
{
  GError *error = NULL;
  MprocQueue *queue = mproc_queue_new_full (max_items, max_bytes, &error);

  ck_assert_msg (queue != NULL, "%s", error != NULL ? error->message : "no error");
  return queue;
}

static void
put (MprocQueue *queue, gsize size)
{
  GError *error = NULL;

  ck_assert_msg (mproc_queue_put_bytes (queue, data, size, 0, &error), "%s",
                 error != NULL ? error->message : "");
}

static void
expect_no_put (MprocQueue *queue, gsize size, gint code)
{
  GError *error = NULL;

  ck_assert (!mproc_queue_put_bytes (queue, data, size, 0, &error));
  mproc_test_expect_error (&error, code, "");
}

static void
get (MprocQueue *queue, gsize size)
{
  GBytes *bytes = mproc_queue_get_bytes (queue, 0, NULL);

  ck_assert_ptr_nonnull (bytes);
  ck_assert_uint_eq (g_bytes_get_size (bytes), size);
  g_bytes_unref (bytes);
}

START_TEST (a_bound_is_kept)
{
  MprocQueue *queue = make_queue_full (0, 1000);

  for (guint round = 0; round < 300; round++)
    {
      put (queue, 400);
      put (queue, 0);
      put (queue, 590);
      ck_assert (!mproc_queue_is_full (queue));
      ck_assert_uint_eq (mproc_queue_get_n_bytes (queue), 990);
      expect_no_put (queue, 11, MPROC_ERROR_FULL);
      put (queue, 10);
      ck_assert (mproc_queue_is_full (queue));
      expect_no_put (queue, 1, MPROC_ERROR_FULL);
      put (queue, 0);
      get (queue, 400);
      expect_no_put (queue, 401, MPROC_ERROR_FULL);
      get (queue, 0);
      get (queue, 590);
      ck_assert_uint_eq (mproc_queue_get_n_bytes (queue), 10);
      put (queue, 990);
      get (queue, 10);
      get (queue, 0);
      get (queue, 990);
      ck_assert_uint_eq (mproc_queue_get_n_bytes (queue), 0);
      ck_assert_uint_eq (mproc_queue_get_size (queue), 0);
    }
  mproc_queue_unref (queue);
}
END_TEST

/* In blocks of their own, as values, and borrowed: all count the same. */
START_TEST (all_kinds_count)
{
  MprocQueue *queue = make_queue_full (0, 500000);
  GBytes *borrowed;
  guint64 with_value;

  put (queue, 300000);
  put (queue, 5000);
  ck_assert_uint_eq (mproc_queue_get_n_bytes (queue), 305000);
  ck_assert (mproc_queue_put (queue, g_variant_new_string ("text"), 0, NULL));
  with_value = mproc_queue_get_n_bytes (queue);
  ck_assert (with_value > 305000 && with_value < 305100);
  expect_no_put (queue, 300000, MPROC_ERROR_FULL);
  borrowed = mproc_queue_peek_bytes (queue, 0, NULL);
  ck_assert_uint_eq (g_bytes_get_size (borrowed), 300000);
  ck_assert_uint_eq (mproc_queue_get_n_bytes (queue), with_value - 300000);
  put (queue, 300000);
  g_bytes_unref (borrowed);
  get (queue, 5000);
  g_variant_unref (mproc_queue_get (queue, 0, NULL));
  ck_assert_uint_eq (mproc_queue_get_n_bytes (queue), 300000);
  mproc_queue_shutdown (queue, TRUE);
  ck_assert_uint_eq (mproc_queue_get_n_bytes (queue), 0);
  mproc_queue_unref (queue);
}
END_TEST

START_TEST (too_large_is_told_at_once)
{
  MprocQueue *queue = make_queue_full (0, 100);
  GError *error = NULL;

  ck_assert (!mproc_queue_put_bytes (queue, data, 101, MPROC_FOREVER, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_TOO_LARGE, "101");
  ck_assert (!mproc_queue_put_bytes (queue, data, 100000, MPROC_FOREVER, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_TOO_LARGE, "100000");
  ck_assert (!mproc_queue_put (queue,
                               g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, data, 100,
                                                          1),
                               MPROC_FOREVER, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_TOO_LARGE, "");
  put (queue, 100);
  get (queue, 100);
  mproc_queue_unref (queue);
}
END_TEST

START_TEST (two_bounds)
{
  MprocQueue *queue = make_queue_full (2, 100);
  MprocQueue *uncounted = make_queue_full (0, 0);

  put (queue, 1);
  put (queue, 1);
  ck_assert (mproc_queue_is_full (queue));
  expect_no_put (queue, 1, MPROC_ERROR_FULL);
  get (queue, 1);
  expect_no_put (queue, 100, MPROC_ERROR_FULL);
  put (queue, 99);
  ck_assert (mproc_queue_is_full (queue));
  mproc_queue_unref (queue);

  put (uncounted, 1000);
  ck_assert_uint_eq (mproc_queue_get_n_bytes (uncounted), 0);
  ck_assert (!mproc_queue_is_full (uncounted));
  mproc_queue_unref (uncounted);
}
END_TEST

START_TEST (room_is_waited_for)
{
  MprocQueue *queue = make_queue_full (0, 1000);
  gint64 start = g_get_monotonic_time ();
  GError *error = NULL;

  put (queue, 600);
  ck_assert (!mproc_queue_put_bytes (queue, data, 500, 100000, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_FULL, "");
  ck_assert_int_ge (g_get_monotonic_time () - start, 100000);
  mproc_queue_unref (queue);
}
END_TEST

/* ------------------------------------------------------------------ processes */

/* Puts @size bytes, and then says so. */
static GVariant *
put_size (GVariant *args, GError **error)
{
  MprocQueue *queue;
  MprocQueue *reports;
  guint32 size;

  if (!mproc_unpack (args, error, "(&h&hu)", &queue, &reports, &size) ||
      !mproc_queue_put_bytes (queue, data, size, MPROC_FOREVER, error))
    return NULL;
  mproc_queue_put (reports, g_variant_new_uint32 (size), MPROC_FOREVER, error);
  return NULL;
}

static guint32
get_report (MprocQueue *reports)
{
  GVariant *value = mproc_queue_get (reports, MPROC_SECONDS (30), NULL);
  guint32 number;

  ck_assert_ptr_nonnull (value);
  number = g_variant_get_uint32 (value);
  g_variant_unref (value);
  return number;
}

/* Whoever wants less goes first where there is not enough for the others; all come to it. */
START_TEST (room_wakes_those_whom_it_suits)
{
  static const guint32 sizes[] = { 100000, 60000, 300 };
  MprocStartMethod method = mproc_test_method (_i);
  MprocQueue *queue = make_queue_full (0, 100000);
  MprocQueue *reports = make_queue_full (0, 0);
  MprocProcess *children[3];
  guint32 sum = 0;

  put (queue, 500);
  put (queue, 500);
  put (queue, 99000);
  for (guint i = 0; i < 3; i++)
    children[i] = mproc_test_start_by (method, put_size,
                                       mproc_pack ("(hhu)", queue, reports, sizes[i]));
  get (queue, 500);
  ck_assert_uint_eq (get_report (reports), 300);
  get (queue, 500);
  get (queue, 99000);
  for (guint i = 0; i < 3; i++)
    {
      GBytes *bytes = mproc_queue_get_bytes (queue, MPROC_SECONDS (30), NULL);

      ck_assert_ptr_nonnull (bytes);
      sum += (guint32) g_bytes_get_size (bytes);
      g_bytes_unref (bytes);
    }
  ck_assert_uint_eq (sum, 160300);
  ck_assert_uint_eq (get_report (reports) + get_report (reports), 160000);
  for (guint i = 0; i < 3; i++)
    mproc_test_end_with (children[i], 0);
  ck_assert_uint_eq (mproc_queue_get_n_bytes (queue), 0);
  mproc_queue_unref (queue);
  mproc_queue_unref (reports);
}
END_TEST

/* ------------------------------------------------------------------ after a death */

static guint64
count (Fixture *self)
{
  return mproc_chain_bytes_put (self->chain) - mproc_chain_bytes_taken (self->chain);
}

static void
chain_put (Fixture *self, gsize size)
{
  MprocRoom room;

  ck_assert (mproc_chain_reserve (self->chain, &self->producer, size, &room, NULL));
  mproc_chain_count_put (self->chain, size);
  mproc_chain_publish (self->chain, &self->producer, &room, MPROC_RECORD_BYTES, size);
}

/* _i: how far the producer came: counted, published, noted. */
START_TEST (a_dead_producer_leaves_the_count_right)
{
  Fixture self;
  MprocRoom room;

  fixture_init (&self);
  chain_put (&self, 100);
  ck_assert (mproc_chain_reserve (self.chain, &self.producer, 30, &room, NULL));
  mproc_chain_count_put (self.chain, 30);
  if (_i >= 1)
    mproc_ring_publish (&self.producer.ring, room.tail, room.start, room.need,
                        mproc_header (2, MPROC_RECORD_BYTES, 30));
  if (_i == 2)
    mproc_store32 (&self.chain->producer.put, 2);
  mproc_chain_recover_producer (self.chain, &self.producer);
  ck_assert_uint_eq (count (&self), _i >= 1 ? 130 : 100);
  chain_put (&self, 7);
  ck_assert_uint_eq (count (&self), _i >= 1 ? 137 : 107);
  fixture_clear (&self);
}
END_TEST

/* _i: how far the consumer came: counted, noted, moved. */
START_TEST (a_dead_consumer_leaves_the_count_right)
{
  Fixture self;
  MprocRecord record;

  fixture_init (&self);
  for (guint i = 0; i < 3; i++)
    chain_put (&self, 10 + i);
  ck_assert (mproc_chain_peek (self.chain, &self.consumer, &record));
  mproc_chain_count_taken (self.chain, record.sequence, record.length);
  if (_i == 1)
    mproc_store32 (&self.chain->consumer.taken, record.sequence);
  if (_i == 2)
    mproc_chain_advance (self.chain, &self.consumer, &record);
  mproc_chain_recover_consumer (self.chain, &self.consumer);
  ck_assert_uint_eq (count (&self), _i == 2 ? 23 : 33);
  while (mproc_chain_peek (self.chain, &self.consumer, &record))
    {
      mproc_chain_count_taken (self.chain, record.sequence, record.length);
      mproc_chain_advance (self.chain, &self.consumer, &record);
    }
  ck_assert_uint_eq (count (&self), 0);
  fixture_clear (&self);
}
END_TEST

Suite *
mproc_test_queue_bytes_suite (void)
{
  Suite *suite = suite_create ("queue-bytes");
  TCase *tcase = mproc_test_case (suite, "bytes");

  tcase_add_test (tcase, a_bound_is_kept);
  tcase_add_test (tcase, all_kinds_count);
  tcase_add_test (tcase, too_large_is_told_at_once);
  tcase_add_test (tcase, two_bounds);
  tcase_add_test (tcase, room_is_waited_for);
  tcase_add_loop_test (tcase, room_wakes_those_whom_it_suits, 0,
                       (int) mproc_test_n_methods ());
  tcase_add_loop_test (tcase, a_dead_producer_leaves_the_count_right, 0, 3);
  tcase_add_loop_test (tcase, a_dead_consumer_leaves_the_count_right, 0, 3);
  return suite;
}
