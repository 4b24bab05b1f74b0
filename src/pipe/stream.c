/* SPDX-License-Identifier: MIT */
#include "pipe/stream.h"

#include "arena/word.h"
#include "os.h"

#include <string.h>

/* ------------------------------------------------------------------ closing */

void
mproc_stream_init (MprocStream *self, gintptr channel)
{
  memset (self, 0, sizeof *self);
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  self->channel = channel;
}

gboolean
mproc_stream_is_closed (MprocStream *self)
{
  return mproc_load32 (&self->closed) != 0;
}

/* Unlocks.  If the stream is closed and nobody is inside, what it has is released. */
static void
unlock (MprocStream *self)
{
  gintptr channel = MPROC_OS_NONE;

  if (mproc_stream_is_closed (self) && self->inside == 0)
    {
      channel = self->channel;
      self->channel = MPROC_OS_NONE;
      mproc_frame_reader_clear (&self->in);
    }
  if (self->waiting > 0)
    g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
  if (channel != MPROC_OS_NONE)
    mproc_os_channel_close (channel);
}

void
mproc_stream_close (MprocStream *self)
{
  g_mutex_lock (&self->lock);
  mproc_store32 (&self->closed, 1);
  unlock (self);
}

void
mproc_stream_clear (MprocStream *self)
{
  g_assert (self->inside == 0);
  mproc_stream_close (self);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
}

static gboolean
set_closed (GError **error)
{
  g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_CLOSED,
                       "the connection is closed");
  return FALSE;
}

/* ------------------------------------------------------------------ turns */

/* FALSE: time is up. */
static gboolean
wait_for_change (MprocStream *self, gint64 deadline)
{
  gboolean in_time = TRUE;

  self->waiting++;
  if (deadline == MPROC_OS_NEVER)
    g_cond_wait (&self->changed, &self->lock);
  else
    in_time = g_cond_wait_until (&self->changed, &self->lock, deadline);
  self->waiting--;
  return in_time;
}

/* @turn is one of the stream's two. */
static gboolean
enter (MprocStream *self, gboolean *turn, gint64 deadline, GError **error)
{
  gboolean in_time = TRUE;
  gboolean closed;

  g_mutex_lock (&self->lock);
  while (!mproc_stream_is_closed (self) && *turn && in_time)
    in_time = wait_for_change (self, deadline);
  closed = mproc_stream_is_closed (self);
  in_time = !*turn;
  if (!closed && in_time)
    {
      *turn = TRUE;
      self->inside++;
    }
  g_mutex_unlock (&self->lock);

  if (closed)
    return set_closed (error);
  if (!in_time)
    g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_TIMED_OUT, "no message in time");
  return in_time;
}

static void
leave (MprocStream *self, gboolean *turn)
{
  g_mutex_lock (&self->lock);
  *turn = FALSE;
  self->inside--;
  unlock (self);
}

gintptr
mproc_stream_hold (MprocStream *self)
{
  gintptr channel = MPROC_OS_NONE;

  g_mutex_lock (&self->lock);
  if (!mproc_stream_is_closed (self))
    {
      channel = self->channel;
      self->inside++;
    }
  g_mutex_unlock (&self->lock);
  return channel;
}

void
mproc_stream_release (MprocStream *self)
{
  g_mutex_lock (&self->lock);
  self->inside--;
  unlock (self);
}

/* ------------------------------------------------------------------ sending */

static gboolean
write_all (MprocStream *self, gconstpointer data, gsize size, GError **error)
{
  const guint8 *at = data;

  while (size > 0)
    {
      gssize n =
          mproc_os_channel_write_until (self->channel, at, size, &self->closed, error);

      if (n < 0)
        return FALSE;
      /* The rest of a message that has begun to go out would look like a beginning. */
      self->is_cut_off = TRUE;
      at += n;
      size -= (gsize) n;
    }
  return TRUE;
}

static gboolean
write_message (MprocStream *self,
               gconstpointer head,
               gsize head_size,
               gconstpointer body,
               gsize body_size,
               GError **error)
{
  gboolean as_one = head_size + body_size <= MPROC_FRAME_ONE_WRITE;
  guint8 small[512];
  gsize size = MPROC_FRAME_MAX_HEAD + head_size + (as_one ? body_size : 0);
  guint8 *first = size <= sizeof small ? small : g_malloc (size);
  gboolean ok;

  size = mproc_frame_write_head (first, (guint64) head_size + body_size);
  if (head_size > 0)
    memcpy (first + size, head, head_size);
  size += head_size;
  if (as_one && body_size > 0)
    {
      memcpy (first + size, body, body_size);
      size += body_size;
    }
  ok = write_all (self, first, size, error) &&
       (as_one || write_all (self, body, body_size, error));
  if (first != small)
    g_free (first);
  return ok;
}

gboolean
mproc_stream_send (MprocStream *self,
                   gconstpointer head,
                   gsize head_size,
                   gconstpointer body,
                   gsize body_size,
                   GError **error)
{
  gboolean ok = FALSE;

  if (!enter (self, &self->is_sending, MPROC_OS_NEVER, error))
    return FALSE;
  if (self->is_cut_off)
    g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_CLOSED,
                         "the connection is closed for sending: a message was cut off");
  else
    ok = write_message (self, head, head_size, body, body_size, error);
  if (ok)
    self->is_cut_off = FALSE;
  leave (self, &self->is_sending);
  return ok;
}

/* ------------------------------------------------------------------ receiving */

/* As mproc_os_channel_read, but ends when another thread closes the stream. */
static gssize
read_some (MprocStream *self, gpointer to, gsize size, gint64 deadline, GError **error)
{
  for (;;)
    {
      gint64 nap = g_get_monotonic_time () + MPROC_NAP;
      GError *local_error = NULL;
      gssize n;

      if (mproc_stream_is_closed (self))
        {
          set_closed (error);
          return -1;
        }
      n = mproc_os_channel_read (self->channel, to, size, MIN (deadline, nap),
                                 &local_error);
      if (n >= 0)
        return n;
      if (!g_error_matches (local_error, MPROC_ERROR, MPROC_ERROR_TIMED_OUT) ||
          deadline <= nap)
        {
          g_propagate_error (error, local_error);
          return -1;
        }
      g_error_free (local_error);
    }
}

static void
set_end_of_file (MprocStream *self, GError **error)
{
  if (mproc_frame_reader_is_empty (&self->in))
    g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_CLOSED,
                         "end of file: the other end is closed");
  else
    g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_PROTOCOL,
                         "end of file in the middle of a message");
}

/* Until there is a whole message. */
static gboolean
fill (MprocStream *self, gint64 deadline, GError **error)
{
  while (!mproc_frame_reader_is_complete (&self->in))
    {
      gsize size;
      gpointer to = mproc_frame_reader_next (&self->in, &size, error);
      gssize n;

      if (to == NULL)
        return FALSE;
      n = read_some (self, to, size, deadline, error);
      if (n == 0)
        set_end_of_file (self, error);
      if (n <= 0 || !mproc_frame_reader_advance (&self->in, (gsize) n, error))
        return FALSE;
    }
  return TRUE;
}

/* With the turn; gives it up on failure. */
static gboolean
begin_recv (MprocStream *self, gint64 deadline, GError **error)
{
  GError *local_error = NULL;

  if (!enter (self, &self->is_receiving, deadline, error))
    return FALSE;
  if (fill (self, deadline, &local_error))
    return TRUE;
  /* Nobody can tell where the next message would begin. */
  if (g_error_matches (local_error, MPROC_ERROR, MPROC_ERROR_PROTOCOL))
    mproc_stream_close (self);
  leave (self, &self->is_receiving);
  g_propagate_error (error, local_error);
  return FALSE;
}

GBytes *
mproc_stream_recv (MprocStream *self, gint64 deadline, GError **error)
{
  GBytes *message;

  if (!begin_recv (self, deadline, error))
    return NULL;
  message = mproc_frame_reader_steal (&self->in);
  leave (self, &self->is_receiving);
  return message;
}

gssize
mproc_stream_recv_into (MprocStream *self,
                        gpointer buffer,
                        gsize size,
                        gint64 deadline,
                        GError **error)
{
  gssize received = -1;

  if (!begin_recv (self, deadline, error))
    return -1;
  if (self->in.received > size)
    g_set_error (error, MPROC_ERROR, MPROC_ERROR_BUFFER_TOO_SHORT,
                 "a message of %" G_GSIZE_FORMAT
                 " bytes for a buffer of %" G_GSIZE_FORMAT,
                 self->in.received, size);
  else
    {
      received = (gssize) self->in.received;
      if (received > 0)
        memcpy (buffer, self->in.payload, self->in.received);
      mproc_frame_reader_clear (&self->in);
    }
  leave (self, &self->is_receiving);
  return received;
}

/* ------------------------------------------------------------------ waiting */

gboolean
mproc_stream_is_ready (MprocStream *self)
{
  gboolean ready;

  g_mutex_lock (&self->lock);
  ready = mproc_stream_is_closed (self) ||
          (!self->is_receiving && mproc_frame_reader_is_complete (&self->in));
  g_mutex_unlock (&self->lock);
  return ready;
}

gboolean
mproc_stream_poll (MprocStream *self, gint64 deadline)
{
  MprocOsWait wait = { mproc_stream_hold (self), MPROC_OS_WAIT_CHANNEL, FALSE };
  gint ready = 0;

  if (wait.handle == MPROC_OS_NONE)
    return TRUE;
  while (ready == 0)
    {
      gint64 nap = g_get_monotonic_time () + MPROC_NAP;

      if (mproc_stream_is_ready (self))
        ready = 1;
      else
        ready = mproc_os_wait_many (&wait, 1, MIN (deadline, nap), NULL);
      if (deadline <= nap)
        break;
    }
  mproc_stream_release (self);
  /* What cannot be waited for is for recv to tell. */
  return ready != 0;
}
