/* SPDX-License-Identifier: MIT */
/* Connections between processes, under every start method. */
#include "pipes.h"

#include <string.h>

#define LARGE (16 * 1024 * 1024)

/* ------------------------------------------------------------------ children */

static GVariant *
say_and_close (GVariant *args, GError **error)
{
  MprocConnection *connection;

  if (mproc_unpack (args, error, "(&h)", &connection) &&
      mproc_connection_send (connection, g_variant_new_parsed ("[<42>, <'hello'>]"),
                             error))
    mproc_connection_close (connection);
  return NULL;
}

/* Every value comes back, until the empty tuple does.  Not until the end of the file: a
 * forked child has a copy of the other end, too. */
static GVariant *
echo (GVariant *args, GError **error)
{
  MprocConnection *connection;
  GVariant *value;

  if (!mproc_unpack (args, error, "(&h)", &connection))
    return NULL;
  while ((value = mproc_connection_recv (connection, MPROC_FOREVER, NULL)) != NULL)
    {
      gboolean last = g_variant_is_of_type (value, G_VARIANT_TYPE_UNIT);
      gboolean sent = mproc_connection_send (connection, value, error);

      g_variant_unref (value);
      if (last || !sent)
        return NULL;
    }
  return NULL;
}

/* From the one to the other. */
static GVariant *
forward (GVariant *args, GError **error)
{
  MprocConnection *from, *to;
  gint32 n;
  GBytes *bytes;

  if (!mproc_unpack (args, error, "(&h&hi)", &from, &to, &n))
    return NULL;
  for (; n > 0 &&
         (bytes = mproc_connection_recv_bytes (from, MPROC_FOREVER, error)) != NULL;
       n--)
    {
      mproc_connection_send_bytes (to, g_bytes_get_data (bytes, NULL),
                                   g_bytes_get_size (bytes), error);
      g_bytes_unref (bytes);
    }
  return NULL;
}

static GVariant *
send_for_ever (GVariant *args, GError **error)
{
  MprocConnection *connection;
  guint8 *data = g_malloc0 (LARGE);

  if (mproc_unpack (args, error, "(&h)", &connection))
    while (mproc_connection_send_bytes (connection, data, LARGE, NULL))
      ;
  g_free (data);
  return NULL;
}

static GVariant *
hand_on (GVariant *args, GError **error)
{
  MprocProcess *child = mproc_process_new (say_and_close, args);

  if (mproc_process_start (child, error))
    mproc_process_join (child, MPROC_FOREVER);
  mproc_process_unref (child);
  return NULL;
}

/* ------------------------------------------------------------------ tests */

static void
end_echo (MprocConnection *connection, MprocProcess *child)
{
  ck_assert (mproc_connection_send (connection, g_variant_new_tuple (NULL, 0), NULL));
  g_variant_unref (mproc_connection_recv (connection, MPROC_FOREVER, NULL));
  mproc_test_end_with (child, 0);
}

START_TEST (hello_from_a_child)
{
  Pipe pipe = make_pipe (FALSE);
  MprocProcess *child = mproc_test_start (_i, say_and_close, mproc_pack ("(h)", pipe.b));
  GVariant *value;
  GError *error = NULL;

  mproc_connection_close (pipe.b);
  value = mproc_connection_recv (pipe.a, MPROC_FOREVER, &error);
  ck_assert_msg (value != NULL, "%s", error != NULL ? error->message : "");
  ck_assert_uint_eq (g_variant_n_children (value), 2);
  g_variant_unref (value);
  ck_assert_ptr_null (mproc_connection_recv (pipe.a, MPROC_FOREVER, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_CLOSED, "end of file");
  mproc_test_end_with (child, 0);
  free_pipe (&pipe);
}
END_TEST

START_TEST (ping_pong)
{
  Pipe pipe = make_pipe (TRUE);
  MprocProcess *child = mproc_test_start (_i, echo, mproc_pack ("(h)", pipe.b));
  gint rounds = mproc_test_is_slow_platform () ? 100 : 2000;

  mproc_connection_close (pipe.b);
  for (gint i = 0; i < rounds; i++)
    {
      GVariant *value;

      ck_assert (mproc_connection_send (pipe.a, g_variant_new_int32 (i), NULL));
      value = mproc_connection_recv (pipe.a, MPROC_FOREVER, NULL);
      ck_assert_ptr_nonnull (value);
      ck_assert_int_eq (g_variant_get_int32 (value), i);
      g_variant_unref (value);
    }
  end_echo (pipe.a, child);
  free_pipe (&pipe);
}
END_TEST

/* There and back over the same duplex channel: each side sends when the other is done. */
START_TEST (large_value_comes_back)
{
  Pipe pipe = make_pipe (TRUE);
  MprocProcess *child = mproc_test_start (_i, echo, mproc_pack ("(h)", pipe.b));
  guint8 *data = g_malloc (LARGE);
  GVariant *value;
  const guint8 *back;
  gsize size;

  mproc_connection_close (pipe.b);
  for (gsize i = 0; i < LARGE; i++)
    data[i] = (guint8) (i ^ (i >> 9));
  value =
      g_variant_new_from_data (G_VARIANT_TYPE_BYTESTRING, data, LARGE, TRUE, NULL, NULL);
  ck_assert (mproc_connection_send (pipe.a, value, NULL));
  value = mproc_connection_recv (pipe.a, MPROC_FOREVER, NULL);
  ck_assert_ptr_nonnull (value);
  back = g_variant_get_fixed_array (value, &size, 1);
  ck_assert_uint_eq (size, LARGE);
  ck_assert (memcmp (back, data, LARGE) == 0);
  g_variant_unref (value);
  g_free (data);
  end_echo (pipe.a, child);
  free_pipe (&pipe);
}
END_TEST

START_TEST (two_connections_for_one_child)
{
  Pipe in = make_pipe (FALSE), out = make_pipe (FALSE);
  MprocProcess *child =
      mproc_test_start (_i, forward, mproc_pack ("(hhi)", in.a, out.b, 3));
  GError *error = NULL;

  mproc_connection_close (in.a);
  mproc_connection_close (out.b);
  send_text (in.b, "one");
  send_text (in.b, "");
  send_text (in.b, "three");
  expect_bytes (out.a, "one");
  expect_bytes (out.a, "");
  expect_bytes (out.a, "three");
  mproc_test_end_with (child, 0);
  ck_assert_ptr_null (mproc_connection_recv (out.a, MPROC_FOREVER, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_CLOSED, "end of file");
  ck_assert (!mproc_connection_send_bytes (in.b, "x", 1, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_CLOSED, "");
  free_pipe (&in);
  free_pipe (&out);
}
END_TEST

/* Both ends of a pipe go to children of their own, and the parent has neither. */
START_TEST (between_two_children)
{
  Pipe in = make_pipe (FALSE), middle = make_pipe (FALSE), out = make_pipe (FALSE);
  MprocStartMethod method = mproc_test_method (_i);
  MprocProcess *first =
      mproc_test_start_by (method, forward, mproc_pack ("(hhi)", in.a, middle.b, 1));
  MprocProcess *second =
      mproc_test_start_by (method, forward, mproc_pack ("(hhi)", middle.a, out.b, 1));

  free_pipe (&middle);
  send_text (in.b, "through both");
  expect_bytes (out.a, "through both");
  mproc_test_end_with (first, 0);
  mproc_test_end_with (second, 0);
  free_pipe (&in);
  free_pipe (&out);
}
END_TEST

START_TEST (handed_on_to_a_grandchild)
{
  Pipe pipe = make_pipe (FALSE);
  MprocProcess *child = mproc_test_start (_i, hand_on, mproc_pack ("(h)", pipe.b));
  GError *error = NULL;

  mproc_connection_close (pipe.b);
  g_variant_unref (mproc_connection_recv (pipe.a, MPROC_FOREVER, &error));
  ck_assert_ptr_null (error);
  mproc_test_end_with (child, 0);
  free_pipe (&pipe);
}
END_TEST

/* The sender is blocked in the middle of a message, or just has begun one. */
START_TEST (sender_is_killed)
{
  MprocStartMethod method = mproc_test_method (_i);
  Pipe pipe = make_pipe (FALSE);
  GError *error = NULL;
  GBytes *bytes = NULL;
  MprocProcess *child;

  if (method != MPROC_START_METHOD_THREAD)
    {
      child = mproc_test_start_by (method, send_for_ever, mproc_pack ("(h)", pipe.b));
      mproc_connection_close (pipe.b);
      for (int i = 0; i < 2; i++) /* one message, then a part of the second */
        {
          ck_assert (mproc_connection_poll (pipe.a, MPROC_FOREVER));
          if (i == 0)
            bytes = mproc_connection_recv_bytes (pipe.a, MPROC_FOREVER, &error);
        }
      ck_assert_uint_eq (g_bytes_get_size (bytes), LARGE);
      g_bytes_unref (bytes);
      ck_assert (mproc_process_kill (child, NULL));
      ck_assert_ptr_null (mproc_connection_recv_bytes (pipe.a, MPROC_FOREVER, &error));
      mproc_test_expect_error (&error, MPROC_ERROR_PROTOCOL, "middle");
      ck_assert (mproc_connection_is_closed (pipe.a));
      ck_assert (mproc_process_join (child, MPROC_FOREVER));
      mproc_process_unref (child);
    }
  free_pipe (&pipe);
}
END_TEST

START_TEST (receiver_is_killed)
{
  MprocStartMethod method = mproc_test_method (_i);
  Pipe pipe = make_pipe (TRUE);
  GError *error = NULL;
  MprocProcess *child;

  if (method != MPROC_START_METHOD_THREAD)
    {
      child = mproc_test_start_by (method, echo, mproc_pack ("(h)", pipe.b));
      mproc_connection_close (pipe.b);
      ck_assert (mproc_process_kill (child, NULL));
      ck_assert (mproc_process_join (child, MPROC_FOREVER));
      ck_assert (!mproc_connection_send (pipe.a, g_variant_new_int32 (1), &error));
      mproc_test_expect_error (&error, MPROC_ERROR_CLOSED, "");
      ck_assert_ptr_null (mproc_connection_recv (pipe.a, MPROC_FOREVER, &error));
      mproc_test_expect_error (&error, MPROC_ERROR_CLOSED, "end of file");
      mproc_process_unref (child);
    }
  free_pipe (&pipe);
}
END_TEST

START_TEST (closed_before_the_start)
{
  Pipe pipe = make_pipe (TRUE);
  MprocProcess *child = mproc_process_new (echo, mproc_pack ("(h)", pipe.b));
  GError *error = NULL;

  mproc_process_set_start_method (child, mproc_test_method (_i));
  mproc_connection_close (pipe.b);
  if (mproc_test_method (_i) != MPROC_START_METHOD_FORK)
    {
      ck_assert (!mproc_process_start (child, &error));
      mproc_test_expect_error (&error, MPROC_ERROR_CLOSED, "closed");
    }
  mproc_process_unref (child);
  free_pipe (&pipe);
}
END_TEST

static MprocConnection *inherited;

static GVariant *
use_inherited (GVariant *args, GError **error)
{
  (void) args;
  mproc_connection_send_bytes (inherited, "from a copy", 11, error);
  return NULL;
}

/* A forked child has what its parent had. */
START_TEST (fork_inherits)
{
  Pipe pipe = make_pipe (FALSE);

  inherited = pipe.b;
  if (mproc_test_can_fork ())
    {
      MprocProcess *child =
          mproc_test_start_by (MPROC_START_METHOD_FORK, use_inherited, NULL);

      mproc_connection_close (pipe.b);
      expect_bytes (pipe.a, "from a copy");
      mproc_test_end_with (child, 0);
    }
  free_pipe (&pipe);
}
END_TEST

Suite *
mproc_test_pipe_suite (void)
{
  Suite *suite = suite_create ("pipe");
  TCase *tcase = mproc_test_case (suite, "pipe");
  int n = (int) mproc_test_n_methods ();

  tcase_add_loop_test (tcase, hello_from_a_child, 0, n);
  tcase_add_loop_test (tcase, ping_pong, 0, n);
  tcase_add_loop_test (tcase, large_value_comes_back, 0, n);
  tcase_add_loop_test (tcase, two_connections_for_one_child, 0, n);
  tcase_add_loop_test (tcase, between_two_children, 0, n);
  tcase_add_loop_test (tcase, handed_on_to_a_grandchild, 0, n);
  tcase_add_loop_test (tcase, sender_is_killed, 0, n);
  tcase_add_loop_test (tcase, receiver_is_killed, 0, n);
  tcase_add_loop_test (tcase, closed_before_the_start, 0, n);
  tcase_add_test (tcase, fork_inherits);
  return suite;
}
