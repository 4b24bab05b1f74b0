/* SPDX-License-Identifier: MIT */
/* Frames over a channel, for any number of threads.
 *
 * One thread at a time sends, one receives.  Closing takes effect for all of them at
 * once, but the channel itself is only closed when the last thread has left it: a
 * descriptor's number is used again at once, and a read of it would then be a read of
 * something else.  So whoever is inside looks up every MPROC_NAP.
 *
 * A fork made while another thread is inside leaves the child a stream that seems to be
 * in use for ever; DEFAULT never forks then. */
#ifndef MPROC_STREAM_H
#define MPROC_STREAM_H

#include "atomic.h"
#include "pipe/frame.h"

G_BEGIN_DECLS

typedef struct
{
  GMutex lock; /* over all that follows; held for moments only */
  GCond changed;
  gintptr channel;
  MprocAtomic32 closed;
  guint inside;        /* threads and sources that use the channel */
  guint waiting;       /* threads, for the turn of another to end */
  gboolean is_sending; /* some thread has the turn */
  gboolean is_receiving;
  gboolean is_cut_off; /* a message was sent only in part */
  MprocFrameReader in; /* of the thread that has the turn to receive */
} MprocStream;

/* Takes @channel. */
void mproc_stream_init (MprocStream *self, gintptr channel);
void mproc_stream_clear (MprocStream *self);

void mproc_stream_close (MprocStream *self);
gboolean mproc_stream_is_closed (MprocStream *self);

/* One message, in two parts.  Blocks until the system has taken all of it. */
gboolean mproc_stream_send (MprocStream *self,
                            gconstpointer head,
                            gsize head_size,
                            gconstpointer body,
                            gsize body_size,
                            GError **error);

/* The next message.  MPROC_ERROR_TIMED_OUT: what has come of it is kept.
 * MPROC_ERROR_CLOSED: closed, or the end of the file.  MPROC_ERROR_PROTOCOL: no frame;
 * the stream is closed then. */
GBytes *mproc_stream_recv (MprocStream *self, gint64 deadline, GError **error);

/* The same into a buffer; MPROC_ERROR_BUFFER_TOO_SHORT keeps the message.  -1 with
 * error. */
gssize mproc_stream_recv_into (MprocStream *self,
                               gpointer buffer,
                               gsize size,
                               gint64 deadline,
                               GError **error);

/* TRUE if receiving would not wait, as far as is known without looking at the channel:
 * closed, or a whole message is kept. */
gboolean mproc_stream_is_ready (MprocStream *self);

/* Waits until receiving would not wait. */
gboolean mproc_stream_poll (MprocStream *self, gint64 deadline);

/* Keeps the channel open until released.  MPROC_OS_NONE, and no release: it is closed. */
gintptr mproc_stream_hold (MprocStream *self);
void mproc_stream_release (MprocStream *self);

G_END_DECLS

#endif
