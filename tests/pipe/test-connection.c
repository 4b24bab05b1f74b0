/* SPDX-License-Identifier: MIT */
/* Connections inside one process; test-pipe.c has them between processes. */
#include "mproc-test.h"

#include "limit.h"
#include "pipes.h"

#define LARGE (16 * 1024 * 1024)

/* ------------------------------------------------------------------ messages */

START_TEST (values_arrive)
{
  static const char *const texts[] = { "()", "[<42>, <@mi nothing>, <'hello'>]", "'x'",
                                       "{'a': <1>}", "@as []" };
  Pipe pipe = make_pipe (_i);

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      GVariant *value = g_variant_ref_sink (g_variant_new_parsed (texts[i]));
      GVariant *received;

      ck_assert (mproc_connection_send (pipe.b, value, NULL));
      received = mproc_connection_recv (pipe.a, MPROC_FOREVER, NULL);
      ck_assert_ptr_nonnull (received);
      ck_assert (!g_variant_is_floating (received));
      ck_assert (g_variant_equal (value, received));
      g_variant_unref (received);
      g_variant_unref (value);
    }
  free_pipe (&pipe);
}
END_TEST

START_TEST (messages_keep_their_bounds)
{
  Pipe pipe = make_pipe (_i);

  ck_assert (!mproc_connection_poll (pipe.a, 0));
  send_text (pipe.b, "one");
  send_text (pipe.b, "");
  send_text (pipe.b, "three");
  ck_assert (mproc_connection_poll (pipe.a, 0));
  expect_bytes (pipe.a, "one");
  ck_assert (mproc_connection_poll (pipe.a, MPROC_FOREVER));
  expect_bytes (pipe.a, "");
  expect_bytes (pipe.a, "three");
  ck_assert (!mproc_connection_poll (pipe.a, MPROC_SECONDS (0.02)));
  free_pipe (&pipe);
}
END_TEST

/* Times that are up while the wait begins: each is waited for, none for ever. */
START_TEST (the_shortest_timeouts_end)
{
  gint n = mproc_test_is_slow_platform () ? 200 : 20000;
  Pipe pipe = make_pipe (_i);
  gint n_ready = 0;

  for (gint i = 0; i < n; i++)
    n_ready += mproc_connection_poll (pipe.a, 1 + i % 3) != FALSE;
  ck_assert_int_eq (n_ready, 0);
  free_pipe (&pipe);
}
END_TEST

START_TEST (one_way_has_directions)
{
  Pipe pipe = make_pipe (FALSE);
  GError *error = NULL;

  ck_assert (mproc_connection_is_readable (pipe.a) &&
             !mproc_connection_is_writable (pipe.a));
  ck_assert (!mproc_connection_is_readable (pipe.b) &&
             mproc_connection_is_writable (pipe.b));
  ck_assert (!mproc_connection_send_bytes (pipe.a, "x", 1, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_STATE, "receives");
  ck_assert (!mproc_connection_send (pipe.a, g_variant_new_int32 (1), &error));
  mproc_test_expect_error (&error, MPROC_ERROR_STATE, "receives");
  ck_assert_ptr_null (mproc_connection_recv (pipe.b, MPROC_FOREVER, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_STATE, "sends");
  ck_assert_ptr_null (mproc_connection_recv_bytes (pipe.b, MPROC_FOREVER, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_STATE, "sends");
  ck_assert (mproc_connection_poll (pipe.b, MPROC_FOREVER));
  free_pipe (&pipe);
}
END_TEST

START_TEST (duplex_goes_both_ways)
{
  Pipe pipe = make_pipe (TRUE);

  send_text (pipe.a, "there");
  send_text (pipe.b, "and back");
  expect_bytes (pipe.a, "and back");
  expect_bytes (pipe.b, "there");
  free_pipe (&pipe);
}
END_TEST

static gpointer
send_large (gpointer connection)
{
  guint8 *data = g_malloc (LARGE);
  gboolean sent;

  for (gsize i = 0; i < LARGE; i++)
    data[i] = (guint8) (i * 7 + i / 251);
  sent = mproc_connection_send (connection,
                                g_variant_new_from_data (G_VARIANT_TYPE_BYTESTRING, data,
                                                         LARGE, TRUE, g_free, data),
                                NULL);
  return GINT_TO_POINTER (sent);
}

static void
expect_large (MprocConnection *connection)
{
  GError *error = NULL;
  GVariant *value = mproc_connection_recv (connection, MPROC_FOREVER, &error);
  const guint8 *data;
  gsize n, wrong = 0;

  ck_assert_msg (value != NULL, "%s", error != NULL ? error->message : "");
  data = g_variant_get_fixed_array (value, &n, 1);
  ck_assert_uint_eq (n, LARGE);
  for (gsize i = 0; i < LARGE; i++)
    wrong += data[i] != (guint8) (i * 7 + i / 251);
  ck_assert_uint_eq (wrong, 0);
  g_variant_unref (value);
}

START_TEST (large_messages)
{
  Pipe pipe = make_pipe (_i);
  GThread *forth = g_thread_new ("forth", send_large, pipe.b);
  GThread *back = _i ? g_thread_new ("back", send_large, pipe.a) : NULL;

  expect_large (pipe.a);
  if (back != NULL)
    expect_large (pipe.b);
  ck_assert (g_thread_join (forth) != NULL);
  ck_assert (back == NULL || g_thread_join (back) != NULL);
  free_pipe (&pipe);
}
END_TEST

/* ------------------------------------------------------------------ buffers and timeouts */

START_TEST (short_buffer_keeps_the_message)
{
  Pipe pipe = make_pipe (FALSE);
  GError *error = NULL;
  char buffer[8];

  send_text (pipe.b, "a long message");
  send_text (pipe.b, "short");
  for (int i = 0; i < 2; i++)
    {
      ck_assert_int_eq (mproc_connection_recv_bytes_into (pipe.a, buffer, sizeof buffer,
                                                          MPROC_FOREVER, &error),
                        -1);
      mproc_test_expect_error (&error, MPROC_ERROR_BUFFER_TOO_SHORT, "14 bytes");
      ck_assert (mproc_connection_poll (pipe.a, 0));
    }
  expect_bytes (pipe.a, "a long message");
  ck_assert_int_eq (mproc_connection_recv_bytes_into (pipe.a, buffer, sizeof buffer, 0,
                                                      &error),
                    5);
  ck_assert_mem_eq (buffer, "short", 5);
  send_text (pipe.b, "");
  ck_assert_int_eq (mproc_connection_recv_bytes_into (pipe.a, NULL, 0, MPROC_FOREVER,
                                                      &error),
                    0);

  ck_assert (mproc_connection_send (pipe.b, g_variant_new_int32 (7), NULL));
  ck_assert_int_eq (mproc_connection_recv_bytes_into (pipe.a, NULL, 0, MPROC_FOREVER,
                                                      NULL),
                    -1);
  g_variant_unref (mproc_connection_recv (pipe.a, 0, &error));
  ck_assert_ptr_null (error);
  free_pipe (&pipe);
}
END_TEST

START_TEST (timeouts_lose_nothing)
{
  static const char message[] = "\0\0\0\5hello";
  Pipe pipe = make_pipe (_i);
  GError *error = NULL;

  ck_assert_ptr_null (mproc_connection_recv_bytes (pipe.a, 0, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_TIMED_OUT, "");
  for (gsize i = 0; i < 9; i++)
    {
      ck_assert_ptr_null (mproc_connection_recv_bytes (pipe.a, i == 5 ? 2000 : 0,
                                                       &error));
      mproc_test_expect_error (&error, MPROC_ERROR_TIMED_OUT, "");
      write_raw (pipe.b, message + i, 1);
    }
  expect_bytes (pipe.a, "hello");
  ck_assert (!mproc_connection_is_closed (pipe.a));
  free_pipe (&pipe);
}
END_TEST

START_TEST (timeouts_are_kept)
{
  Pipe pipe = make_pipe (_i);
  gint64 start = g_get_monotonic_time ();
  GError *error = NULL;

  ck_assert_ptr_null (mproc_connection_recv (pipe.a, MPROC_SECONDS (0.25), &error));
  mproc_test_expect_error (&error, MPROC_ERROR_TIMED_OUT, "");
  ck_assert_int_ge (g_get_monotonic_time () - start, MPROC_SECONDS (0.25));
  start = g_get_monotonic_time ();
  ck_assert (!mproc_connection_poll (pipe.a, MPROC_SECONDS (0.25)));
  ck_assert_int_ge (g_get_monotonic_time () - start, MPROC_SECONDS (0.25));
  free_pipe (&pipe);
}
END_TEST

/* ------------------------------------------------------------------ the end */

START_TEST (end_of_file)
{
  Pipe pipe = make_pipe (_i);
  GError *error = NULL;

  send_text (pipe.b, "last");
  mproc_connection_close (pipe.b);
  expect_bytes (pipe.a, "last");
  for (int i = 0; i < 2; i++)
    {
      ck_assert (mproc_connection_poll (pipe.a, MPROC_FOREVER));
      ck_assert_ptr_null (mproc_connection_recv (pipe.a, MPROC_FOREVER, &error));
      mproc_test_expect_error (&error, MPROC_ERROR_CLOSED, "end of file");
    }
  ck_assert (!mproc_connection_is_closed (pipe.a));
  if (_i)
    {
      ck_assert (!mproc_connection_send_bytes (pipe.a, "x", 1, &error));
      mproc_test_expect_error (&error, MPROC_ERROR_CLOSED, "");
    }
  free_pipe (&pipe);
}
END_TEST

START_TEST (end_of_file_inside_a_message)
{
  static const char message[] = "\0\0\1\0half of it";
  Pipe pipe = make_pipe (FALSE);
  GError *error = NULL;

  write_raw (pipe.b, message, (gsize) _i);
  ck_assert_ptr_null (mproc_connection_recv_bytes (pipe.a, 0, NULL));
  mproc_connection_close (pipe.b);
  ck_assert_ptr_null (mproc_connection_recv_bytes (pipe.a, MPROC_FOREVER, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_PROTOCOL, "middle");
  ck_assert (mproc_connection_is_closed (pipe.a));
  free_pipe (&pipe);
}
END_TEST

START_TEST (sender_without_receiver)
{
  Pipe pipe = make_pipe (_i);
  GError *error = NULL;

  mproc_connection_close (pipe.a);
  ck_assert (!mproc_connection_send_bytes (pipe.b, "x", 1, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_CLOSED, "");
  free_pipe (&pipe);
}
END_TEST

START_TEST (closed_is_closed)
{
  Pipe pipe = make_pipe (TRUE);
  GError *error = NULL;
  char buffer[4];

  ck_assert (!mproc_connection_is_closed (pipe.a));
  send_text (pipe.b, "never read");
  ck_assert_int_eq (mproc_connection_recv_bytes_into (pipe.a, buffer, 4, MPROC_FOREVER,
                                                      NULL),
                    -1);
  mproc_connection_close (pipe.a);
  mproc_connection_close (pipe.a);
  ck_assert (mproc_connection_is_closed (pipe.a));
  ck_assert (mproc_connection_poll (pipe.a, MPROC_FOREVER));
  ck_assert (!mproc_connection_send (pipe.a, g_variant_new_int32 (1), &error));
  mproc_test_expect_error (&error, MPROC_ERROR_CLOSED, "closed");
  ck_assert_ptr_null (mproc_connection_recv (pipe.a, MPROC_FOREVER, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_CLOSED, "closed");
  ck_assert_int_eq (mproc_connection_recv_bytes_into (pipe.a, buffer, 4, 0, &error), -1);
  mproc_test_expect_error (&error, MPROC_ERROR_CLOSED, "closed");
  free_pipe (&pipe);
}
END_TEST

START_TEST (references)
{
  Pipe pipe = make_pipe (FALSE);

  ck_assert_ptr_eq (mproc_connection_ref (pipe.b), pipe.b);
  mproc_connection_unref (pipe.b);
  send_text (pipe.b, "alive");
  expect_bytes (pipe.a, "alive");
  mproc_connection_unref (NULL);
  free_pipe (&pipe);
}
END_TEST

START_TEST (descriptor_limit)
{
  GPtrArray *ends =
      g_ptr_array_new_with_free_func ((GDestroyNotify) mproc_connection_unref);
  guint before = mproc_test_limit_descriptors (64);
  GError *error = NULL;
  MprocConnection *a = NULL, *b = NULL;

  while (before != 0 && mproc_pipe (ends->len % 4 == 0, &a, &b, &error))
    {
      g_ptr_array_add (ends, a);
      g_ptr_array_add (ends, b);
      a = b = NULL;
    }
  if (before != 0)
    {
      mproc_test_expect_error (&error, MPROC_ERROR_TOO_MANY_FILES, "");
      ck_assert (a == NULL && b == NULL);
      ck_assert_uint_gt (ends->len, 4);
      send_text (ends->pdata[1], "still there");
      expect_bytes (ends->pdata[0], "still there");
      g_ptr_array_set_size (ends, (gint) ends->len - 2);
      ck_assert (mproc_pipe (FALSE, &a, &b, &error));
      g_ptr_array_add (ends, a);
      g_ptr_array_add (ends, b);
      mproc_test_limit_descriptors (before);
    }
  g_ptr_array_unref (ends);
}
END_TEST

START_TEST (mistakes_are_criticals)
{
  Pipe pipe = make_pipe (TRUE);

  g_test_expect_message ("mproc", G_LOG_LEVEL_CRITICAL, "*IS_TIMEOUT*");
  ck_assert_ptr_null (mproc_connection_recv (pipe.a, -2, NULL));
  g_test_expect_message ("mproc", G_LOG_LEVEL_CRITICAL, "*IS_TIMEOUT*");
  ck_assert (!mproc_connection_poll (pipe.a, -5));
  g_test_expect_message ("mproc", G_LOG_LEVEL_CRITICAL, "*value != NULL*");
  ck_assert (!mproc_connection_send (pipe.a, NULL, NULL));
  g_test_expect_message ("mproc", G_LOG_LEVEL_CRITICAL, "*IS_CONNECTION*");
  mproc_connection_close (NULL);
  g_test_assert_expected_messages ();
  free_pipe (&pipe);
}
END_TEST

Suite *
mproc_test_connection_suite (void)
{
  Suite *suite = suite_create ("connection");
  TCase *messages = mproc_test_case (suite, "messages");
  TCase *end = mproc_test_case (suite, "end");

  tcase_add_loop_test (messages, values_arrive, 0, 2);
  tcase_add_loop_test (messages, messages_keep_their_bounds, 0, 2);
  tcase_add_test (messages, one_way_has_directions);
  tcase_add_test (messages, duplex_goes_both_ways);
  tcase_add_loop_test (messages, large_messages, 0, 2);
  tcase_add_test (messages, short_buffer_keeps_the_message);
  tcase_add_loop_test (messages, timeouts_lose_nothing, 0, 2);
  tcase_add_loop_test (messages, timeouts_are_kept, 0, 2);
  tcase_add_loop_test (messages, the_shortest_timeouts_end, 0, 2);
  tcase_add_loop_test (end, end_of_file, 0, 2);
  tcase_add_loop_test (end, end_of_file_inside_a_message, 1, 14);
  tcase_add_loop_test (end, sender_without_receiver, 0, 2);
  tcase_add_test (end, closed_is_closed);
  tcase_add_test (end, references);
  tcase_add_test (end, descriptor_limit);
  tcase_add_test (end, mistakes_are_criticals);
  return suite;
}
