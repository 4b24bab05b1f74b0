/* SPDX-License-Identifier: MIT */
/* Sources for GLib's main loop.  What the loop cannot poll is looked at every
 * LOOK_INTERVAL. */
#include <mproc/wait.h>

#include "os.h"
#include "pipe/connection.h"
#include "process/process.h"

#define LOOK_INTERVAL 15 /* milliseconds */

/* A connection that another thread has closed is noticed after this long. */
#define CLOSE_INTERVAL 1000

typedef void (*AnyFunc) (void);

/* ------------------------------------------------------------------ connections */

typedef struct
{
  GSource source;
  MprocConnection *connection;
  MprocStream *stream;
  gintptr channel; /* held; MPROC_OS_NONE once let go */
  gboolean is_polled;
  GPollFD poll;
} ConnectionSource;

static gboolean
connection_prepare (GSource *source, gint *timeout)
{
  ConnectionSource *self = (ConnectionSource *) source;

  *timeout = self->is_polled ? CLOSE_INTERVAL : LOOK_INTERVAL;
  return mproc_stream_is_ready (self->stream);
}

static gboolean
connection_check (GSource *source)
{
  ConnectionSource *self = (ConnectionSource *) source;
  MprocOsWait wait = { self->channel, MPROC_OS_WAIT_CHANNEL, FALSE };

  if (mproc_stream_is_ready (self->stream))
    return TRUE;
  if (self->is_polled)
    return self->poll.revents != 0;
  return mproc_os_wait_many (&wait, 1, 0, NULL) != 0;
}

static void
let_go (ConnectionSource *self)
{
  if (self->channel == MPROC_OS_NONE)
    return;
  if (self->is_polled && !g_source_is_destroyed (&self->source))
    g_source_remove_poll (&self->source, &self->poll);
  self->channel = MPROC_OS_NONE;
  mproc_stream_release (self->stream);
}

static gboolean
connection_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  ConnectionSource *self = (ConnectionSource *) source;
  MprocConnectionFunc func = (MprocConnectionFunc) (AnyFunc) callback;
  gboolean goes_on = func != NULL && func (self->connection, user_data);

  if (mproc_stream_is_closed (self->stream))
    {
      let_go (self);
      goes_on = G_SOURCE_REMOVE;
    }
  return goes_on;
}

static void
connection_finalize (GSource *source)
{
  ConnectionSource *self = (ConnectionSource *) source;

  let_go (self);
  mproc_connection_unref (self->connection);
}

GSource *
mproc_connection_create_source (MprocConnection *connection)
{
  static GSourceFuncs funcs = {
    .prepare = connection_prepare,
    .check = connection_check,
    .dispatch = connection_dispatch,
    .finalize = connection_finalize,
  };
  ConnectionSource *self;
  GSource *source;

  g_return_val_if_fail (mproc_object_is (connection, MPROC_KIND_CONNECTION), NULL);
  g_return_val_if_fail (mproc_connection_is_readable (connection), NULL);

  source = g_source_new (&funcs, sizeof (ConnectionSource));
  self = (ConnectionSource *) source;
  self->connection = mproc_connection_ref (connection);
  self->stream = mproc_connection_get_stream (connection);
  self->channel = mproc_stream_hold (self->stream);
  self->is_polled =
      self->channel != MPROC_OS_NONE && mproc_os_can_poll (MPROC_OS_WAIT_CHANNEL);
  if (self->is_polled)
    {
      self->poll.fd = self->channel;
      self->poll.events = G_IO_IN | G_IO_HUP | G_IO_ERR;
      g_source_add_poll (source, &self->poll);
    }
  return source;
}

/* ------------------------------------------------------------------ processes */

typedef struct
{
  GSource source;
  MprocProcess *process;
  gboolean is_polled;
  GPollFD poll;
} ProcessSource;

static gboolean
process_check (GSource *source)
{
  ProcessSource *self = (ProcessSource *) source;

  if (self->is_polled)
    return self->poll.revents != 0;
  return !mproc_process_is_alive (self->process);
}

/* Before the first poll it knows nothing, and the poll tells at once. */
static gboolean
process_prepare (GSource *source, gint *timeout)
{
  ProcessSource *self = (ProcessSource *) source;

  *timeout = self->is_polled ? -1 : LOOK_INTERVAL;
  return !self->is_polled && process_check (source);
}

static gboolean
process_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  ProcessSource *self = (ProcessSource *) source;
  MprocProcessFunc func = (MprocProcessFunc) (AnyFunc) callback;

  if (func != NULL)
    func (self->process, user_data);
  return G_SOURCE_REMOVE;
}

static void
process_finalize (GSource *source)
{
  ProcessSource *self = (ProcessSource *) source;

  mproc_process_unref (self->process);
}

GSource *
mproc_process_create_source (MprocProcess *process)
{
  static GSourceFuncs funcs = {
    .prepare = process_prepare,
    .check = process_check,
    .dispatch = process_dispatch,
    .finalize = process_finalize,
  };
  ProcessSource *self;
  GSource *source;
  MprocOsWait wait;

  g_return_val_if_fail (mproc_object_is (process, MPROC_KIND_PROCESS), NULL);
  g_return_val_if_fail (mproc_process_get_pid (process) != 0, NULL);

  source = g_source_new (&funcs, sizeof (ProcessSource));
  self = (ProcessSource *) source;
  self->process = mproc_process_ref (process);
  self->is_polled =
      mproc_process_get_wait (process, &wait, NULL) && mproc_os_can_poll (wait.kind);
  if (self->is_polled)
    {
      self->poll.fd = wait.handle;
      self->poll.events = G_IO_IN | G_IO_HUP | G_IO_ERR;
      g_source_add_poll (source, &self->poll);
    }
  return source;
}
