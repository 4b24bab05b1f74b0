/* SPDX-License-Identifier: MIT */
#include "pipes.h"

#include "os.h"
#include "pipe/connection.h"

#include <string.h>

Pipe
make_pipe (gboolean duplex)
{
  Pipe pipe = { NULL, NULL };
  GError *error = NULL;

  ck_assert_msg (mproc_pipe (duplex, &pipe.a, &pipe.b, &error), "%s",
                 error != NULL ? error->message : "");
  return pipe;
}

void
free_pipe (Pipe *pipe)
{
  mproc_connection_unref (pipe->a);
  mproc_connection_unref (pipe->b);
}

void
expect_bytes (MprocConnection *connection, const char *text)
{
  GError *error = NULL;
  GBytes *bytes = mproc_connection_recv_bytes (connection, MPROC_FOREVER, &error);

  ck_assert_msg (bytes != NULL, "%s", error != NULL ? error->message : "");
  ck_assert_uint_eq (g_bytes_get_size (bytes), strlen (text));
  if (*text != '\0')
    ck_assert_mem_eq (g_bytes_get_data (bytes, NULL), text, strlen (text));
  g_bytes_unref (bytes);
}

void
send_text (MprocConnection *connection, const char *text)
{
  ck_assert (mproc_connection_send_bytes (connection, text, strlen (text), NULL));
}

void
write_raw (MprocConnection *connection, const void *data, gsize size)
{
  gintptr channel = mproc_connection_get_stream (connection)->channel;

  ck_assert_int_eq (mproc_os_channel_write (channel, data, size, MPROC_OS_NEVER, NULL),
                    (gssize) size);
}

GVariant *
stay_open (GVariant *args, GError **error)
{
  MprocConnection *connection;

  if (mproc_unpack (args, error, "(&h)", &connection))
    mproc_connection_poll (connection, MPROC_FOREVER);
  return NULL;
}
