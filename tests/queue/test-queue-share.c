/* SPDX-License-Identifier: MIT */
/* A queue between processes, under every start method. */
#include "pipes.h"
#include "queues.h"

#include <string.h>

#define METHOD mproc_test_method (_i)

static gint
get_int (MprocQueue *queue)
{
  GError *error = NULL;
  GVariant *value = mproc_queue_get (queue, MPROC_SECONDS (30), &error);
  gint number;

  ck_assert_msg (value != NULL, "%s", error != NULL ? error->message : "no error");
  number = g_variant_get_int32 (value);
  g_variant_unref (value);
  return number;
}

/* ------------------------------------------------------------------ to and fro */

/* Returns every item to the other queue, until its own has been shut down. */
static GVariant *
echo (GVariant *args, GError **error)
{
  MprocQueue *in;
  MprocQueue *out;
  GVariant *value;

  if (!mproc_unpack (args, error, "(&h&h)", &in, &out))
    return NULL;
  while ((value = mproc_queue_get (in, MPROC_FOREVER, error)) != NULL)
    {
      gboolean sent = mproc_queue_put (out, value, MPROC_FOREVER, error);

      g_variant_unref (value);
      if (!sent)
        return NULL;
    }
  if (error != NULL && g_error_matches (*error, MPROC_ERROR, MPROC_ERROR_CLOSED))
    g_clear_error (error);
  return NULL;
}

START_TEST (items_go_to_and_fro)
{
  MprocQueue *there = make_queue (0);
  MprocQueue *back = make_queue (0);
  MprocProcess *child =
      mproc_test_start_by (METHOD, echo, mproc_pack ("(hh)", there, back));

  for (gint i = 0; i < 200; i++)
    {
      ck_assert (mproc_queue_put (there, g_variant_new_int32 (i), MPROC_FOREVER, NULL));
      ck_assert_int_eq (get_int (back), i);
    }
  for (gint i = 0; i < 5000; i++)
    ck_assert (mproc_queue_put (there, g_variant_new_int32 (i), MPROC_FOREVER, NULL));
  mproc_queue_shutdown (there, FALSE);
  for (gint i = 0; i < 5000; i++)
    ck_assert_int_eq (get_int (back), i);
  mproc_test_end_with (child, 0);
  mproc_queue_unref (there);
  mproc_queue_unref (back);
}
END_TEST

START_TEST (big_items_go_to_and_fro)
{
  MprocQueue *there = make_queue (0);
  MprocQueue *back = make_queue (0);
  MprocProcess *child =
      mproc_test_start_by (METHOD, echo, mproc_pack ("(hh)", there, back));
  gsize size = 3 << 20;
  guint8 *data = g_malloc (size);

  for (gsize i = 0; i < size; i++)
    data[i] = (guint8) (i * 7 + i / 251);
  for (gint i = 0; i < 3; i++)
    {
      GVariant *value;

      ck_assert (mproc_queue_put_bytes (there, data, size, MPROC_FOREVER, NULL));
      value = mproc_queue_get (back, MPROC_SECONDS (30), NULL);
      ck_assert_ptr_nonnull (value);
      ck_assert_uint_eq (g_variant_get_size (value), size);
      ck_assert (memcmp (g_variant_get_data (value), data, size) == 0);
      g_variant_unref (value);
    }
  g_free (data);
  mproc_queue_shutdown (there, FALSE);
  mproc_test_end_with (child, 0);
  mproc_queue_unref (there);
  mproc_queue_unref (back);
}
END_TEST

/* ------------------------------------------------------------------ many */

#define N_ITEMS 2000

/* Puts its number and a count. */
static GVariant *
produce (GVariant *args, GError **error)
{
  MprocQueue *queue;
  gint number;

  if (!mproc_unpack (args, error, "(&hi)", &queue, &number))
    return NULL;
  for (gint i = 0; i < N_ITEMS; i++)
    if (!mproc_queue_put (queue, g_variant_new ("(ii)", number, i), MPROC_FOREVER, error))
      return NULL;
  return NULL;
}

/* Adds up what it gets, and checks the order of each producer's; puts the sum into
 * results. */
static GVariant *
consume (GVariant *args, GError **error)
{
  MprocQueue *queue;
  MprocQueue *results;
  gint last[3] = { -1, -1, -1 };
  gint64 sum = 0;
  GVariant *value;

  if (!mproc_unpack (args, error, "(&h&h)", &queue, &results))
    return NULL;
  while ((value = mproc_queue_get (queue, MPROC_FOREVER, error)) != NULL)
    {
      gint number, i;

      g_variant_get (value, "(ii)", &number, &i);
      g_variant_unref (value);
      if (number < 0 || number > 2 || i <= last[number])
        {
          g_set_error (error, MPROC_ERROR, MPROC_ERROR_FAILED, "%d of %d after %d", i,
                       number, number < 0 || number > 2 ? 0 : last[number]);
          return NULL;
        }
      last[number] = i;
      sum += i;
    }
  if (error == NULL || !g_error_matches (*error, MPROC_ERROR, MPROC_ERROR_CLOSED))
    return NULL;
  g_clear_error (error);
  mproc_queue_put (results, g_variant_new_int64 (sum), MPROC_FOREVER, error);
  return NULL;
}

static void
run_many (MprocStartMethod method, guint max_items)
{
  MprocQueue *queue = make_queue (max_items);
  MprocQueue *results = make_queue (0);
  MprocProcess *producers[3];
  MprocProcess *consumers[3];
  gint64 sum = 0;

  for (gint i = 0; i < 3; i++)
    {
      consumers[i] =
          mproc_test_start_by (method, consume, mproc_pack ("(hh)", queue, results));
      producers[i] = mproc_test_start_by (method, produce, mproc_pack ("(hi)", queue, i));
    }
  for (gint i = 0; i < 3; i++)
    mproc_test_end_with (producers[i], 0);
  mproc_queue_shutdown (queue, FALSE);
  for (gint i = 0; i < 3; i++)
    {
      GVariant *value;

      mproc_test_end_with (consumers[i], 0);
      value = mproc_queue_get (results, 0, NULL);
      sum += g_variant_get_int64 (value);
      g_variant_unref (value);
    }
  ck_assert_int_eq (sum, (gint64) 3 * N_ITEMS * (N_ITEMS - 1) / 2);
  ck_assert (mproc_queue_is_empty (queue));
  mproc_queue_unref (queue);
  mproc_queue_unref (results);
}

START_TEST (many_producers_and_consumers) { run_many (METHOD, 0); }
END_TEST

START_TEST (many_with_little_room) { run_many (METHOD, 2); }
END_TEST

/* ------------------------------------------------------------------ the end */

/* Says that it is about to wait, waits, and says what came of it. */
static GVariant *
wait_for_item (GVariant *args, GError **error)
{
  MprocQueue *queue;
  MprocQueue *reports;
  GError *outcome = NULL;
  GVariant *value;
  gint code = -1;

  if (!mproc_unpack (args, error, "(&h&h)", &queue, &reports) ||
      !mproc_queue_put (reports, g_variant_new_int32 (1000), MPROC_FOREVER, error))
    return NULL;
  value = mproc_queue_get (queue, MPROC_FOREVER, &outcome);
  if (value == NULL)
    code = outcome->code;
  else
    g_variant_unref (value);
  g_clear_error (&outcome);
  mproc_queue_put (reports, g_variant_new_int32 (code), MPROC_FOREVER, error);
  return NULL;
}

static GVariant *
wait_for_room (GVariant *args, GError **error)
{
  MprocQueue *queue;
  MprocQueue *reports;
  GError *outcome = NULL;
  gint code = -1;

  if (!mproc_unpack (args, error, "(&h&h)", &queue, &reports) ||
      !mproc_queue_put (reports, g_variant_new_int32 (1000), MPROC_FOREVER, error))
    return NULL;
  if (!mproc_queue_put_bytes (queue, "x", 1, MPROC_FOREVER, &outcome))
    code = outcome->code;
  g_clear_error (&outcome);
  mproc_queue_put (reports, g_variant_new_int32 (code), MPROC_FOREVER, error);
  return NULL;
}

static void
wake_waiters (MprocStartMethod method, MprocFunc func, guint n_items, gboolean immediate)
{
  MprocQueue *queue = make_queue (n_items);
  MprocQueue *reports = make_queue (0);
  MprocProcess *children[3];

  for (guint i = 0; i < n_items; i++)
    ck_assert (mproc_queue_put_bytes (queue, "x", 1, 0, NULL));
  for (gint i = 0; i < 3; i++)
    children[i] = mproc_test_start_by (method, func, mproc_pack ("(hh)", queue, reports));
  for (gint i = 0; i < 3; i++)
    ck_assert_int_eq (get_int (reports), 1000);
  /* Some of them sleep by now, some perhaps not: both have to be told. */
  ck_assert_int_eq (mproc_queue_get_size (reports), 0);
  mproc_queue_shutdown (queue, immediate);
  for (gint i = 0; i < 3; i++)
    ck_assert_int_eq (get_int (reports), MPROC_ERROR_CLOSED);
  for (gint i = 0; i < 3; i++)
    mproc_test_end_with (children[i], 0);
  ck_assert_uint_eq (mproc_queue_get_size (queue), immediate ? 0 : n_items);
  mproc_queue_unref (queue);
  mproc_queue_unref (reports);
}

START_TEST (shutdown_wakes_getters) { wake_waiters (METHOD, wait_for_item, 0, FALSE); }
END_TEST

START_TEST (shutdown_wakes_putters)
{
  wake_waiters (METHOD, wait_for_room, 2, FALSE);
  wake_waiters (METHOD, wait_for_room, 2, TRUE);
}
END_TEST

START_TEST (room_wakes_a_putter)
{
  MprocQueue *queue = make_queue (1);
  MprocQueue *reports = make_queue (0);
  MprocProcess *child;
  gchar byte;

  ck_assert (mproc_queue_put_bytes (queue, "y", 1, 0, NULL));
  child =
      mproc_test_start_by (METHOD, wait_for_room, mproc_pack ("(hh)", queue, reports));
  ck_assert_int_eq (get_int (reports), 1000);
  ck_assert_int_eq (mproc_queue_get_bytes_into (queue, &byte, 1, 0, NULL), 1);
  ck_assert_int_eq (byte, 'y');
  ck_assert_int_eq (mproc_queue_get_bytes_into (queue, &byte, 1, MPROC_SECONDS (30),
                                                NULL),
                    1);
  ck_assert_int_eq (byte, 'x');
  ck_assert_int_eq (get_int (reports), -1);
  mproc_test_end_with (child, 0);
  mproc_queue_unref (queue);
  mproc_queue_unref (reports);
}
END_TEST

START_TEST (items_outlive_their_producer)
{
  MprocQueue *queue = make_queue (0);

  mproc_test_end_with (mproc_test_start_by (METHOD, produce,
                                            mproc_pack ("(hi)", queue, 7)),
                       0);
  ck_assert_uint_eq (mproc_queue_get_size (queue), N_ITEMS);
  for (gint i = 0; i < N_ITEMS; i++)
    {
      GVariant *value = mproc_queue_get (queue, 0, NULL);
      gint number, count;

      g_variant_get (value, "(ii)", &number, &count);
      ck_assert_int_eq (number, 7);
      ck_assert_int_eq (count, i);
      g_variant_unref (value);
    }
  mproc_queue_unref (queue);
}
END_TEST

/* ------------------------------------------------------------------ tasks and objects */

/* Works on items until the queue is shut down. */
static GVariant *
work (GVariant *args, GError **error)
{
  MprocQueue *tasks;
  GVariant *value;

  if (!mproc_unpack (args, error, "(&h)", &tasks))
    return NULL;
  while ((value = mproc_queue_get (tasks, MPROC_FOREVER, NULL)) != NULL)
    {
      g_variant_unref (value);
      if (!mproc_queue_task_done (tasks, error))
        return NULL;
    }
  return NULL;
}

START_TEST (join_waits_for_workers)
{
  MprocQueue *tasks = make_queue (0);
  MprocProcess *children[2];

  for (gint i = 0; i < 2; i++)
    children[i] = mproc_test_start_by (METHOD, work, mproc_pack ("(h)", tasks));
  for (gint round = 0; round < 50; round++)
    {
      for (gint i = 0; i < 20; i++)
        ck_assert (mproc_queue_put (tasks, g_variant_new_int32 (i), 0, NULL));
      ck_assert (mproc_queue_join (tasks, MPROC_SECONDS (30)));
      ck_assert (mproc_queue_is_empty (tasks));
    }
  mproc_queue_shutdown (tasks, FALSE);
  for (gint i = 0; i < 2; i++)
    mproc_test_end_with (children[i], 0);
  mproc_queue_unref (tasks);
}
END_TEST

static GVariant *
half (GVariant *args, GError **error)
{
  (void) error;
  return g_variant_new_int32 (g_variant_get_int32 (args) / 2);
}

/* Gets functions, and where to put what they return. */
static GVariant *
serve (GVariant *args, GError **error)
{
  MprocQueue *requests;
  GVariant *request;

  if (!mproc_unpack (args, error, "(&h)", &requests))
    return NULL;
  while ((request = mproc_queue_get (requests, MPROC_FOREVER, NULL)) != NULL)
    {
      MprocQueue *reply;
      MprocFunc func;
      GVariant *argument;
      gboolean ok = mproc_unpack (request, error, "(f&h@i)", &func, &reply, &argument);

      if (ok)
        {
          ok = mproc_queue_put (reply, func (argument, error), MPROC_FOREVER, error);
          g_variant_unref (argument);
        }
      g_variant_unref (request);
      if (!ok)
        return NULL;
    }
  return NULL;
}

START_TEST (items_carry_queues_and_functions)
{
  MprocQueue *requests = make_queue (0);
  MprocProcess *child = mproc_test_start_by (METHOD, serve, mproc_pack ("(h)", requests));

  for (gint i = 0; i < 100; i++)
    {
      MprocQueue *reply = make_queue (1);
      GVariant *request = mproc_pack ("(fhi)", half, reply, 2 * i);

      ck_assert (mproc_queue_put (requests, request, MPROC_FOREVER, NULL));
      ck_assert_int_eq (get_int (reply), i);
      mproc_queue_unref (reply);
    }
  mproc_queue_shutdown (requests, FALSE);
  mproc_test_end_with (child, 0);
  mproc_queue_unref (requests);
}
END_TEST

Suite *
mproc_test_queue_share_suite (void)
{
  Suite *suite = suite_create ("queue-share");
  TCase *tcase = mproc_test_case (suite, "share");
  int n = (int) mproc_test_n_methods ();

  tcase_add_loop_test (tcase, items_go_to_and_fro, 0, n);
  tcase_add_loop_test (tcase, big_items_go_to_and_fro, 0, n);
  tcase_add_loop_test (tcase, many_producers_and_consumers, 0, n);
  tcase_add_loop_test (tcase, many_with_little_room, 0, n);
  tcase_add_loop_test (tcase, shutdown_wakes_getters, 0, n);
  tcase_add_loop_test (tcase, shutdown_wakes_putters, 0, n);
  tcase_add_loop_test (tcase, room_wakes_a_putter, 0, n);
  tcase_add_loop_test (tcase, items_outlive_their_producer, 0, n);
  tcase_add_loop_test (tcase, join_waits_for_workers, 0, n);
  tcase_add_loop_test (tcase, items_carry_queues_and_functions, 0, n);
  return suite;
}
