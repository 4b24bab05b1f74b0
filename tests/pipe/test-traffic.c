/* SPDX-License-Identifier: MIT */
/* What goes over connections that should not, what may go in values, and many threads
 * at it. */
#include "pipes.h"

#include <string.h>

/* ------------------------------------------------------------------ garbage */

static const struct
{
  const char *data;
  gsize size;
  const char *why;
} garbage[] = {
  { "", 0, "" },
  { "\0", 1, "" },
  { "hello", 5, "plain bytes" },
  { "G", 1, "" },
  { "GGGGGGGGGGGGGGGGGGGG", 20, "" },
  { "\x80\4\x95\x0a\0\0\0\0\0\0\0\x8c\6hello.\x94.", 19, "Python" },
  { "G\1l\0\1\0\0\0\0\0\0\0b\0\0\0\2", 17, "" },
  { "G\1l\0\xff\xff\0\0\xff\xff\xff\xff", 12, "" },
  { "G\1l\0\1\0\0\0\1\0\0\0y\5\0\0\0\0\0\0\0\0\0\0\0x", 25, "" },
};

START_TEST (garbage_closes)
{
  Pipe pipe = make_pipe (TRUE);
  GError *error = NULL;

  ck_assert (mproc_connection_send_bytes (pipe.b, garbage[_i].data, garbage[_i].size,
                                          NULL));
  ck_assert_ptr_null (mproc_connection_recv (pipe.a, MPROC_FOREVER, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_PROTOCOL, garbage[_i].why);
  ck_assert (mproc_connection_is_closed (pipe.a));
  ck_assert_ptr_null (mproc_connection_recv (pipe.b, MPROC_FOREVER, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_CLOSED, "end of file");
  free_pipe (&pipe);
}
END_TEST

START_TEST (bytes_are_not_looked_at)
{
  Pipe pipe = make_pipe (FALSE);
  GBytes *bytes;

  ck_assert (mproc_connection_send_bytes (pipe.b, garbage[_i].data, garbage[_i].size,
                                          NULL));
  bytes = mproc_connection_recv_bytes (pipe.a, MPROC_FOREVER, NULL);
  ck_assert_uint_eq (g_bytes_get_size (bytes), garbage[_i].size);
  if (garbage[_i].size > 0)
    ck_assert_mem_eq (g_bytes_get_data (bytes, NULL), garbage[_i].data, garbage[_i].size);
  g_bytes_unref (bytes);
  free_pipe (&pipe);
}
END_TEST

static const struct
{
  const char *data;
  gsize size;
} bad_frames[] = {
  { "\xff\xff\xff\xfe", 4 },
  { "\x80\0\0\0", 4 },
  { "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12 },
};

START_TEST (bad_frames_close)
{
  Pipe pipe = make_pipe (TRUE);
  GError *error = NULL;

  write_raw (pipe.b, bad_frames[_i].data, bad_frames[_i].size);
  ck_assert_ptr_null (mproc_connection_recv_bytes (pipe.a, MPROC_FOREVER, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_PROTOCOL, "");
  ck_assert (mproc_connection_is_closed (pipe.a));
  free_pipe (&pipe);
}
END_TEST

/* A message of this handle would be whole, but there is no such object. */
START_TEST (stale_handle)
{
  static const char message[] = "G\1l\0\1\0\0\0\1\0\0\0h\xff\xff\xff\x7f\0\0\0\0\0\0\0"
                                "\xff\xff\xff\x7f";
  Pipe pipe = make_pipe (TRUE);
  GError *error = NULL;

  ck_assert (mproc_connection_send_bytes (pipe.b, message, sizeof message - 1, NULL));
  ck_assert_ptr_null (mproc_connection_recv (pipe.a, MPROC_FOREVER, &error));
  if (G_BYTE_ORDER == G_LITTLE_ENDIAN)
    {
      mproc_test_expect_error (&error, MPROC_ERROR_HANDLE, "");
      send_text (pipe.b, "goes on");
      expect_bytes (pipe.a, "goes on");
    }
  g_clear_error (&error);
  free_pipe (&pipe);
}
END_TEST

/* ------------------------------------------------------------------ values */

static void
expect_unsendable (GVariant *value, gint code)
{
  Pipe pipe = make_pipe (FALSE);
  GError *error = NULL;

  ck_assert (!mproc_connection_send (pipe.b, value, &error));
  mproc_test_expect_error (&error, code, "");
  send_text (pipe.b, "still usable");
  expect_bytes (pipe.a, "still usable");
  free_pipe (&pipe);
}

START_TEST (unsendable_values)
{
  GVariant *deep = g_variant_new_int32 (1);

  for (int i = 0; i < 110; i++)
    deep = g_variant_new_variant (deep);
  expect_unsendable (deep, MPROC_ERROR_TOO_LARGE);
  expect_unsendable (g_variant_new_from_data (G_VARIANT_TYPE ("as"), "a\0\7", 3, FALSE,
                                              NULL, NULL),
                     MPROC_ERROR_INVALID);
  expect_unsendable (g_variant_new_handle (0x7ffffff1), MPROC_ERROR_HANDLE);
  expect_unsendable (g_variant_new_handle (-1), MPROC_ERROR_HANDLE);
}
END_TEST

START_TEST (connections_are_start_arguments)
{
  Pipe other = make_pipe (TRUE);

  expect_unsendable (mproc_pack ("(hs)", other.a, "x"), MPROC_ERROR_NOT_SUPPORTED);
  send_text (other.a, "unharmed");
  expect_bytes (other.b, "unharmed");
  free_pipe (&other);
}
END_TEST

static GVariant *
some_function (GVariant *args, GError **error)
{
  (void) args;
  (void) error;
  return g_variant_new_int32 (42);
}

START_TEST (objects_travel)
{
  Pipe pipe = make_pipe (FALSE);
  MprocQueue *queue = mproc_queue_new (0, NULL);
  MprocQueue *received;
  GError *error = NULL;
  GVariant *value, *item;
  MprocFunc func;
  gint32 number;

  ck_assert (mproc_connection_send (pipe.b, mproc_pack ("(hfi)", queue, some_function, 7),
                                    &error));
  ck_assert (mproc_queue_put (queue, g_variant_new_string ("in it"), MPROC_FOREVER,
                              NULL));
  mproc_queue_unref (queue);

  /* In flight, the message alone keeps it. */
  value = mproc_connection_recv (pipe.a, MPROC_FOREVER, &error);
  ck_assert_msg (value != NULL, "%s", error != NULL ? error->message : "");
  ck_assert (mproc_unpack (value, &error, "(&hfi)", &received, &func, &number));
  ck_assert (func == some_function);
  ck_assert_int_eq (number, 7);
  item = mproc_queue_get (received, 0, NULL);
  ck_assert_str_eq (g_variant_get_string (item, NULL), "in it");
  g_variant_unref (item);
  g_variant_unref (value);
  free_pipe (&pipe);
}
END_TEST

/* ------------------------------------------------------------------ threads */

static gpointer
recv_until_closed (gpointer connection)
{
  GError *error = NULL;

  while (error == NULL)
    {
      GBytes *bytes = mproc_connection_recv_bytes (connection, MPROC_FOREVER, &error);

      if (bytes != NULL)
        g_bytes_unref (bytes);
    }
  return error;
}

static gpointer
send_until_closed (gpointer connection)
{
  static const char data[100000] = { 0 };
  GError *error = NULL;

  while (mproc_connection_send_bytes (connection, data, sizeof data, &error))
    ;
  return error;
}

static gpointer
poll_until_closed (gpointer connection)
{
  return GINT_TO_POINTER (mproc_connection_poll (connection, MPROC_FOREVER));
}

/* Three threads inside one end, two more that wait for their turn. */
START_TEST (closing_lets_everybody_go)
{
  Pipe pipe = make_pipe (TRUE);
  GThreadFunc const funcs[] = { recv_until_closed, recv_until_closed, send_until_closed,
                                send_until_closed, poll_until_closed };
  GThread *threads[G_N_ELEMENTS (funcs)];
  gint64 start;

  for (guint i = 0; i < G_N_ELEMENTS (funcs); i++)
    threads[i] = g_thread_new ("inside", funcs[i], pipe.a);
  ck_assert (mproc_connection_poll (pipe.b, MPROC_FOREVER)); /* the senders are at it */
  if (_i)
    g_usleep (20000); /* with luck, all of them */
  start = g_get_monotonic_time ();
  mproc_connection_close (pipe.a);
  for (guint i = 0; i < G_N_ELEMENTS (funcs) - 1; i++)
    {
      GError *error = g_thread_join (threads[i]);

      mproc_test_expect_error (&error, MPROC_ERROR_CLOSED, "");
    }
  ck_assert (g_thread_join (threads[G_N_ELEMENTS (funcs) - 1]) != NULL);
  ck_assert_int_lt (g_get_monotonic_time () - start, MPROC_SECONDS (5));
  free_pipe (&pipe);
}
END_TEST

#define N_SENDERS 4
#define N_MESSAGES 200

typedef struct
{
  MprocConnection *connection;
  guint8 letter;
} Sender;

static gpointer
send_own_letter (gpointer data)
{
  Sender *self = data;
  guint8 *text = g_malloc (40000);

  memset (text, self->letter, 40000);
  for (guint i = 0; i < N_MESSAGES; i++)
    if (!mproc_connection_send_bytes (self->connection, text, i * 40000 / N_MESSAGES,
                                      NULL))
      g_error ("cannot send");
  g_free (text);
  return NULL;
}

static gpointer
count_whole_messages (gpointer connection)
{
  gsize n = 0;

  for (;;)
    {
      GBytes *bytes = mproc_connection_recv_bytes (connection, MPROC_FOREVER, NULL);
      const char *data;
      gsize size;

      if (bytes == NULL)
        return GSIZE_TO_POINTER (n);
      data = g_bytes_get_data (bytes, &size);
      for (gsize i = 1; i < size; i++)
        if (data[i] != data[0])
          g_error ("two messages have been mixed");
      g_bytes_unref (bytes);
      n++;
    }
}

START_TEST (messages_of_threads_do_not_mix)
{
  Pipe pipe = make_pipe (FALSE);
  Sender senders[N_SENDERS];
  GThread *sending[N_SENDERS], *counting[2];
  gsize n = 0;

  for (guint i = 0; i < 2; i++)
    counting[i] = g_thread_new ("count", count_whole_messages, pipe.a);
  for (guint i = 0; i < N_SENDERS; i++)
    {
      senders[i] = (Sender){ pipe.b, (guint8) ('a' + i) };
      sending[i] = g_thread_new ("send", send_own_letter, &senders[i]);
    }
  for (guint i = 0; i < N_SENDERS; i++)
    g_thread_join (sending[i]);
  mproc_connection_close (pipe.b);
  for (guint i = 0; i < 2; i++)
    n += GPOINTER_TO_SIZE (g_thread_join (counting[i]));
  ck_assert_uint_eq (n, N_SENDERS * N_MESSAGES);
  free_pipe (&pipe);
}
END_TEST

/* A thread that waits for its turn keeps its timeout. */
START_TEST (turns_end_in_time)
{
  Pipe pipe = make_pipe (TRUE);
  GThread *thread = g_thread_new ("receiver", recv_until_closed, pipe.a);
  GError *error = NULL;

  for (int i = 0; i < 5; i++)
    {
      ck_assert_ptr_null (mproc_connection_recv (pipe.a, 10000, &error));
      mproc_test_expect_error (&error, MPROC_ERROR_TIMED_OUT, "");
    }
  mproc_connection_close (pipe.b);
  error = g_thread_join (thread);
  mproc_test_expect_error (&error, MPROC_ERROR_CLOSED, "end of file");
  free_pipe (&pipe);
}
END_TEST

Suite *
mproc_test_traffic_suite (void)
{
  Suite *suite = suite_create ("traffic");
  TCase *bad = mproc_test_case (suite, "garbage");
  TCase *values = mproc_test_case (suite, "values");
  TCase *threads = mproc_test_case (suite, "threads");

  tcase_add_loop_test (bad, garbage_closes, 0, G_N_ELEMENTS (garbage));
  tcase_add_loop_test (bad, bytes_are_not_looked_at, 0, G_N_ELEMENTS (garbage));
  tcase_add_loop_test (bad, bad_frames_close, 0, G_N_ELEMENTS (bad_frames));
  tcase_add_test (bad, stale_handle);
  tcase_add_test (values, unsendable_values);
  tcase_add_test (values, connections_are_start_arguments);
  tcase_add_test (values, objects_travel);
  tcase_add_loop_test (threads, closing_lets_everybody_go, 0, 2);
  tcase_add_test (threads, messages_of_threads_do_not_mix);
  tcase_add_test (threads, turns_end_in_time);
  return suite;
}
