/* SPDX-License-Identifier: MIT */
/* What a queue promises inside one process: everything but the others. */
#include "pipes.h"
#include "queues.h"

#include "arena/arena.h"
#include "queue/queue.h"

#include <string.h>

static void
put_int (MprocQueue *queue, gint number)
{
  GError *error = NULL;

  ck_assert (mproc_queue_put (queue, g_variant_new_int32 (number), 0, &error));
  ck_assert_ptr_null (error);
}

static void
expect_int (MprocQueue *queue, gint number)
{
  GError *error = NULL;
  GVariant *value = mproc_queue_get (queue, 0, &error);

  ck_assert_msg (value != NULL, "%s", error != NULL ? error->message : "no error");
  ck_assert_int_eq (g_variant_get_int32 (value), number);
  ck_assert (!g_variant_is_floating (value));
  g_variant_unref (value);
}

static void
expect_no_get (MprocQueue *queue, gint64 timeout, gint code)
{
  GError *error = NULL;

  ck_assert_ptr_null (mproc_queue_get (queue, timeout, &error));
  mproc_test_expect_error (&error, code, "");
}

static void
expect_no_put (MprocQueue *queue, gint64 timeout, gint code)
{
  GError *error = NULL;

  ck_assert (!mproc_queue_put (queue, g_variant_new_int32 (1), timeout, &error));
  mproc_test_expect_error (&error, code, "");
}

/* ------------------------------------------------------------------ items */

START_TEST (values_come_back)
{
  static const char *const samples[] = {
    "()",
    "true",
    "'text'",
    "@as []",
    "(byte 1, int16 2, uint32 3, int64 4, 5.5, true)",
    "[<42>, <@mi nothing>, <'hello'>]",
    "{'a': <1>, 'b': <[<'nested'>, <(2, 'x')>]>}",
    "b'bytes'",
  };
  MprocQueue *queue = make_queue (0);

  for (guint i = 0; i < G_N_ELEMENTS (samples); i++)
    ck_assert (mproc_queue_put (queue, g_variant_new_parsed (samples[i]), 0, NULL));
  ck_assert_uint_eq (mproc_queue_get_size (queue), G_N_ELEMENTS (samples));
  for (guint i = 0; i < G_N_ELEMENTS (samples); i++)
    {
      GVariant *wanted = g_variant_ref_sink (g_variant_new_parsed (samples[i]));
      GVariant *value = mproc_queue_get (queue, MPROC_FOREVER, NULL);

      ck_assert (g_variant_equal (value, wanted));
      g_variant_unref (value);
      g_variant_unref (wanted);
    }
  mproc_queue_unref (queue);
}
END_TEST

START_TEST (bytes_come_back)
{
  MprocQueue *queue = make_queue (0);
  GVariant *value;
  GBytes *bytes;
  char buffer[10];

  ck_assert (mproc_queue_put_bytes (queue, "one", 3, 0, NULL));
  ck_assert (mproc_queue_put_bytes (queue, "two", 3, 0, NULL));
  ck_assert (mproc_queue_put_bytes (queue, "three", 5, 0, NULL));
  ck_assert (mproc_queue_put_bytes (queue, NULL, 0, 0, NULL));
  ck_assert (mproc_queue_put_bytes (queue, NULL, 0, 0, NULL));

  bytes = mproc_queue_get_bytes (queue, 0, NULL);
  ck_assert_uint_eq (g_bytes_get_size (bytes), 3);
  ck_assert (memcmp (g_bytes_get_data (bytes, NULL), "one", 3) == 0);
  g_bytes_unref (bytes);
  ck_assert_int_eq (mproc_queue_get_bytes_into (queue, buffer, sizeof buffer, 0, NULL),
                    3);
  ck_assert (memcmp (buffer, "two", 3) == 0);
  value = mproc_queue_get (queue, 0, NULL);
  ck_assert_str_eq (g_variant_get_type_string (value), "ay");
  ck_assert_uint_eq (g_variant_get_size (value), 5);
  ck_assert (memcmp (g_variant_get_data (value), "three", 5) == 0);
  g_variant_unref (value);
  bytes = mproc_queue_get_bytes (queue, 0, NULL);
  ck_assert_uint_eq (g_bytes_get_size (bytes), 0);
  g_bytes_unref (bytes);
  ck_assert_int_eq (mproc_queue_get_bytes_into (queue, NULL, 0, 0, NULL), 0);
  mproc_queue_unref (queue);
}
END_TEST

START_TEST (what_does_not_suit_stays)
{
  MprocQueue *queue = make_queue (0);
  GError *error = NULL;
  char buffer[10];

  put_int (queue, 7);
  ck_assert (mproc_queue_put_bytes (queue, "0123456789", 10, 0, NULL));
  ck_assert_ptr_null (mproc_queue_get_bytes (queue, 0, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_INVALID, "value");
  ck_assert_int_eq (mproc_queue_get_bytes_into (queue, buffer, 10, 0, &error), -1);
  mproc_test_expect_error (&error, MPROC_ERROR_INVALID, "value");
  expect_int (queue, 7);
  ck_assert_int_eq (mproc_queue_get_bytes_into (queue, buffer, 9, 0, &error), -1);
  mproc_test_expect_error (&error, MPROC_ERROR_BUFFER_TOO_SHORT, "10");
  ck_assert_uint_eq (mproc_queue_get_size (queue), 1);
  ck_assert_int_eq (mproc_queue_get_bytes_into (queue, buffer, 10, 0, &error), 10);
  mproc_queue_unref (queue);
}
END_TEST

/* Around the sizes where an item goes into a block of its own, or fills a chunk. */
START_TEST (items_of_any_size)
{
  static const gsize sizes[] = { 0,       1,     7,     8,     9,       16383,
                                 16384,   16385, 65535, 65536, 1 << 20, (1 << 20) + 1,
                                 16 << 20 };
  MprocQueue *queue = make_queue (0);
  guint8 *data = g_malloc (16 << 20);

  for (gsize i = 0; i < 16 << 20; i++)
    data[i] = (guint8) (i * 31 + i / 256);
  for (guint round = 0; round < 2; round++)
    {
      for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
        ck_assert (mproc_queue_put_bytes (queue, data, sizes[i], 0, NULL));
      for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
        {
          GBytes *bytes = mproc_queue_get_bytes (queue, 0, NULL);

          ck_assert_uint_eq (g_bytes_get_size (bytes), sizes[i]);
          ck_assert (sizes[i] == 0 ||
                     memcmp (g_bytes_get_data (bytes, NULL), data, sizes[i]) == 0);
          g_bytes_unref (bytes);
        }
    }
  ck_assert (mproc_queue_put_bytes (queue, data, 16 << 20, 0, NULL));
  g_free (data);
  mproc_queue_unref (queue);
}
END_TEST

START_TEST (keeps_order_through_growth)
{
  MprocQueue *queue = make_queue (0);
  gint got = 0;

  for (gint i = 0; i < 100000; i++)
    {
      put_int (queue, i);
      if (i % 3 == 0)
        expect_int (queue, got++);
    }
  ck_assert_uint_eq (mproc_queue_get_size (queue), (guint) (100000 - got));
  while (got < 100000)
    expect_int (queue, got++);
  ck_assert (mproc_queue_is_empty (queue));
  mproc_queue_unref (queue);
}
END_TEST

static GVariant *
identity (GVariant *args, GError **error)
{
  (void) error;
  return g_variant_ref (args);
}

START_TEST (items_carry_objects_and_functions)
{
  MprocQueue *queue = make_queue (0);
  MprocQueue *carried = make_queue (0);
  MprocQueue *arrived = NULL;
  GError *error = NULL;
  MprocFunc func;
  GVariant *value;
  gint number;

  ck_assert (mproc_queue_put (queue, mproc_pack ("(hfi)", carried, identity, 5), 0,
                              &error));
  put_int (carried, 3);
  mproc_queue_unref (carried);
  value = mproc_queue_get (queue, 0, &error);
  ck_assert_ptr_nonnull (value);
  ck_assert (mproc_unpack (value, &error, "(hfi)", &arrived, &func, &number));
  g_variant_unref (value);
  expect_int (arrived, 3);
  ck_assert (func == identity);
  ck_assert_int_eq (number, 5);
  mproc_queue_unref (arrived);
  mproc_queue_unref (queue);
}
END_TEST

START_TEST (a_connection_is_refused)
{
  MprocQueue *queue = make_queue (0);
  Pipe pipe = make_pipe (FALSE);
  GError *error = NULL;

  ck_assert (!mproc_queue_put (queue, mproc_pack ("(h)", pipe.a), 0, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_NOT_SUPPORTED, "connection");
  ck_assert (mproc_queue_is_empty (queue));
  put_int (queue, 1);
  expect_int (queue, 1);
  free_pipe (&pipe);
  mproc_queue_unref (queue);
}
END_TEST

START_TEST (a_bad_handle_is_refused)
{
  MprocQueue *queue = make_queue (0);
  GError *error = NULL;

  ck_assert (!mproc_queue_put (queue, g_variant_new_handle (123456), 0, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_HANDLE, "");
  ck_assert (mproc_queue_is_empty (queue));
  mproc_queue_unref (queue);
}
END_TEST

/* What a queue holds goes with it, also the queues in its items, and big ones. */
START_TEST (gives_everything_back)
{
  guint64 before = 0;

  for (gint i = 0; i < 300; i++)
    {
      MprocQueue *queue = make_queue (0);
      MprocQueue *inner = make_queue (0);
      guint8 *data = g_malloc0 (100000);

      for (gint k = 0; k < 300; k++)
        ck_assert (mproc_queue_put_bytes (queue, data, 1000, 0, NULL));
      ck_assert (mproc_queue_put (queue, mproc_pack ("(h)", inner), 0, NULL));
      ck_assert (mproc_queue_put_bytes (inner, data, 100000, 0, NULL));
      g_free (data);
      mproc_queue_unref (inner);
      mproc_queue_unref (queue);
      if (i == 5)
        before = mproc_arena_get_committed ();
    }
  ck_assert_uint_le (mproc_arena_get_committed (), before + (4 << 20));
}
END_TEST

START_TEST (exhausted_memory_is_an_error)
{
  MprocQueue *queue = make_queue (0);
  guint8 *data = g_malloc0 (100000);
  GError *error = NULL;
  guint n = 0;
  guint small = 0;

  ck_assert (mproc_set_memory_limit (mproc_arena_get_committed () + (8 << 20), NULL));
  while (mproc_queue_put_bytes (queue, data, 100000, 0, &error))
    n++;
  mproc_test_expect_error (&error, MPROC_ERROR_NO_MEMORY, "memory");
  while (mproc_queue_put_bytes (queue, data, 1000, 0, &error))
    small++;
  mproc_test_expect_error (&error, MPROC_ERROR_NO_MEMORY, "memory");
  ck_assert_uint_gt (n, 20);
  ck_assert_uint_eq (mproc_queue_get_size (queue), n + small);
  for (guint i = 0; i < n; i++)
    g_bytes_unref (mproc_queue_get_bytes (queue, 0, NULL));
  ck_assert (mproc_queue_put_bytes (queue, data, 100000, 0, NULL));
  for (guint i = 0; i < small; i++)
    ck_assert_int_eq (mproc_queue_get_bytes_into (queue, data, 1000, 0, NULL), 1000);
  ck_assert_int_eq (mproc_queue_get_bytes_into (queue, data, 100000, 0, NULL), 100000);
  ck_assert (mproc_set_memory_limit (G_MAXUINT64, NULL));
  g_free (data);
  mproc_queue_unref (queue);
}
END_TEST

/* ------------------------------------------------------------------ bounds and times */

START_TEST (a_bound_is_kept)
{
  MprocQueue *queue = make_queue (3);

  for (gint round = 0; round < 1000; round++)
    {
      for (gint i = 0; i < 3; i++)
        {
          ck_assert (!mproc_queue_is_full (queue));
          put_int (queue, i);
        }
      ck_assert (mproc_queue_is_full (queue));
      ck_assert_uint_eq (mproc_queue_get_size (queue), 3);
      expect_no_put (queue, 0, MPROC_ERROR_FULL);
      for (gint i = 0; i < 3; i++)
        expect_int (queue, i);
      ck_assert (mproc_queue_is_empty (queue));
    }
  mproc_queue_unref (queue);
}
END_TEST

START_TEST (timeouts_are_waited_for)
{
  MprocQueue *queue = make_queue (1);
  gint64 start = g_get_monotonic_time ();

  expect_no_get (queue, 0, MPROC_ERROR_EMPTY);
  expect_no_get (queue, 150000, MPROC_ERROR_EMPTY);
  ck_assert_int_ge (g_get_monotonic_time () - start, 150000);
  put_int (queue, 1);
  start = g_get_monotonic_time ();
  expect_no_put (queue, 0, MPROC_ERROR_FULL);
  expect_no_put (queue, 150000, MPROC_ERROR_FULL);
  ck_assert_int_ge (g_get_monotonic_time () - start, 150000);
  ck_assert_int_lt (g_get_monotonic_time () - start, 10 * G_USEC_PER_SEC);
  expect_int (queue, 1);
  mproc_queue_unref (queue);
}
END_TEST

/* ------------------------------------------------------------------ the end */

START_TEST (closed_means_closed_here)
{
  MprocQueue *queue = make_queue (0);

  put_int (queue, 1);
  mproc_queue_close (queue);
  expect_no_put (queue, 0, MPROC_ERROR_CLOSED);
  expect_no_get (queue, MPROC_FOREVER, MPROC_ERROR_CLOSED);
  ck_assert_uint_eq (mproc_queue_get_size (queue), 1);
  ck_assert (!mproc_queue_is_shut_down (queue));
  mproc_queue_close (queue);
  mproc_queue_unref (queue);
}
END_TEST

START_TEST (shutdown_drains)
{
  MprocQueue *queue = make_queue (2);

  put_int (queue, 1);
  put_int (queue, 2);
  mproc_queue_shutdown (queue, FALSE);
  ck_assert (mproc_queue_is_shut_down (queue));
  ck_assert (!mproc_queue_is_finished (queue));
  expect_no_put (queue, MPROC_FOREVER, MPROC_ERROR_CLOSED);
  expect_int (queue, 1);
  expect_no_put (queue, MPROC_FOREVER, MPROC_ERROR_CLOSED);
  expect_int (queue, 2);
  ck_assert (mproc_queue_is_finished (queue));
  expect_no_get (queue, MPROC_FOREVER, MPROC_ERROR_CLOSED);
  expect_no_get (queue, 0, MPROC_ERROR_CLOSED);
  mproc_queue_shutdown (queue, FALSE);
  mproc_queue_unref (queue);
}
END_TEST

START_TEST (immediate_shutdown_drops)
{
  MprocQueue *queue = make_queue (0);

  for (gint i = 0; i < 5; i++)
    put_int (queue, i);
  expect_int (queue, 0);
  expect_int (queue, 1);
  ck_assert (mproc_queue_task_done (queue, NULL));
  mproc_queue_shutdown (queue, TRUE);
  ck_assert (mproc_queue_is_empty (queue));
  ck_assert (mproc_queue_is_finished (queue));
  expect_no_get (queue, MPROC_FOREVER, MPROC_ERROR_CLOSED);
  /* One was taken and not done yet. */
  ck_assert (!mproc_queue_join (queue, 0));
  ck_assert (mproc_queue_task_done (queue, NULL));
  ck_assert (mproc_queue_join (queue, 0));
  mproc_queue_unref (queue);
}
END_TEST

/* ------------------------------------------------------------------ tasks */

START_TEST (tasks_are_counted)
{
  MprocQueue *queue = make_queue (0);
  GError *error = NULL;

  ck_assert (mproc_queue_join (queue, 0));
  ck_assert (!mproc_queue_task_done (queue, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_OVER_RELEASE, "");
  put_int (queue, 1);
  put_int (queue, 2);
  ck_assert (!mproc_queue_join (queue, 0));
  expect_int (queue, 1);
  expect_int (queue, 2);
  ck_assert (!mproc_queue_join (queue, 10000));
  ck_assert (mproc_queue_task_done (queue, &error));
  ck_assert (!mproc_queue_join (queue, 0));
  ck_assert (mproc_queue_task_done (queue, &error));
  ck_assert (mproc_queue_join (queue, MPROC_FOREVER));
  ck_assert (!mproc_queue_task_done (queue, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_OVER_RELEASE, "");
  mproc_queue_unref (queue);
}
END_TEST

/* ------------------------------------------------------------------ claims */

typedef struct
{
  gint wanted;
  gint asked;
} Claim;

static gboolean
claim_number (gconstpointer payload, gsize size, gpointer data)
{
  Claim *claim = data;
  gint number;

  ck_assert_uint_eq (size, sizeof number);
  memcpy (&number, payload, sizeof number);
  claim->asked++;
  return number == claim->wanted;
}

START_TEST (claims_skip_what_is_not_theirs)
{
  MprocQueue *queue = make_queue (0);
  Claim claim = { 3, 0 };
  GError *error = NULL;

  for (gint i = 0; i < 5; i++)
    ck_assert (mproc_queue_put_bytes (queue, &i, sizeof i, 0, NULL));
  ck_assert (mproc_queue_take (queue, MPROC_OS_NEVER, claim_number, &claim, NULL));
  ck_assert_int_eq (claim.asked, 4);
  ck_assert_uint_eq (mproc_queue_get_size (queue), 1);
  ck_assert (!mproc_queue_take (queue, 0, claim_number, &claim, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_EMPTY, "");
  ck_assert_int_eq (claim.asked, 5);
  mproc_queue_shutdown (queue, FALSE);
  ck_assert (!mproc_queue_take (queue, MPROC_OS_NEVER, claim_number, &claim, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_CLOSED, "");
  mproc_queue_unref (queue);
}
END_TEST

/* ------------------------------------------------------------------ misuse */

static void
count_critical (const char *domain, GLogLevelFlags level, const char *text, gpointer data)
{
  (void) domain;
  (void) text;
  ck_assert_int_eq (level & G_LOG_LEVEL_CRITICAL, G_LOG_LEVEL_CRITICAL);
  ++*(gint *) data;
}

START_TEST (misuse_is_told)
{
  MprocQueue *queue = make_queue (0);
  gint64 no_queue[8] = { 0 };
  gint n = 0;
  guint handler = g_log_set_handler ("mproc", G_LOG_LEVEL_CRITICAL | G_LOG_FLAG_FATAL,
                                     count_critical, &n);
  MprocQueue *wrong[] = { NULL, (MprocQueue *) (gpointer) no_queue };

  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      ck_assert (!mproc_queue_put_bytes (wrong[i], "", 0, 0, NULL));
      ck_assert_ptr_null (mproc_queue_get (wrong[i], 0, NULL));
      ck_assert_ptr_null (mproc_queue_get_bytes (wrong[i], 0, NULL));
      ck_assert_int_eq (mproc_queue_get_bytes_into (wrong[i], NULL, 0, 0, NULL), -1);
      ck_assert_uint_eq (mproc_queue_get_size (wrong[i]), 0);
      ck_assert (!mproc_queue_task_done (wrong[i], NULL));
      ck_assert (!mproc_queue_join (wrong[i], 0));
      mproc_queue_close (wrong[i]);
      mproc_queue_shutdown (wrong[i], TRUE);
      ck_assert_int_eq (n, 9 * ((gint) i + 1));
    }
  n = 0;
  ck_assert (!mproc_queue_put (queue, NULL, 0, NULL));
  ck_assert (!mproc_queue_put_bytes (queue, NULL, 1, 0, NULL));
  ck_assert (!mproc_queue_put_bytes (queue, "x", 1, -2, NULL));
  ck_assert_ptr_null (mproc_queue_get (queue, -2, NULL));
  ck_assert_int_eq (n, 4);
  mproc_queue_unref (NULL);
  ck_assert_int_eq (n, 4);
  g_log_remove_handler ("mproc", handler);
  mproc_queue_unref (queue);
}
END_TEST

Suite *
mproc_test_queue_suite (void)
{
  Suite *suite = suite_create ("queue");
  TCase *items = mproc_test_case (suite, "items");
  TCase *rest = mproc_test_case (suite, "rest");

  tcase_add_test (items, values_come_back);
  tcase_add_test (items, bytes_come_back);
  tcase_add_test (items, what_does_not_suit_stays);
  tcase_add_test (items, items_of_any_size);
  tcase_add_test (items, keeps_order_through_growth);
  tcase_add_test (items, items_carry_objects_and_functions);
  tcase_add_test (items, a_connection_is_refused);
  tcase_add_test (items, a_bad_handle_is_refused);
  tcase_add_test (items, gives_everything_back);
  tcase_add_test (items, exhausted_memory_is_an_error);
  tcase_add_test (rest, a_bound_is_kept);
  tcase_add_test (rest, timeouts_are_waited_for);
  tcase_add_test (rest, closed_means_closed_here);
  tcase_add_test (rest, shutdown_drains);
  tcase_add_test (rest, immediate_shutdown_drops);
  tcase_add_test (rest, tasks_are_counted);
  tcase_add_test (rest, claims_skip_what_is_not_theirs);
  tcase_add_test (rest, misuse_is_told);
  return suite;
}
