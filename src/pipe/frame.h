/* SPDX-License-Identifier: MIT */
/* What goes over a connection: frames, which are CPython's byte for byte.
 *
 * A frame is a 4-byte big-endian signed length and that many bytes.  A length of -1 is
 * followed by an 8-byte unsigned one, for what is longer than 2^31 - 1. */
#ifndef MPROC_FRAME_H
#define MPROC_FRAME_H

#include <glib.h>

G_BEGIN_DECLS

#define MPROC_FRAME_MAX_HEAD 12

/* No frame is longer, whatever its 8-byte length says. */
#define MPROC_FRAME_MAX_SIZE (G_GUINT64_CONSTANT (1) << 40)

/* Up to here the length and the payload are one write. */
#define MPROC_FRAME_ONE_WRITE 16384

/* Writes the length of a payload of @size bytes; returns how many bytes that took, 4 or
 * 12. */
gsize mproc_frame_write_head (guint8 *to, guint64 size);

/* One frame as it comes in, piece by piece; zeros are an empty one.  What a frame
 * announces is not allocated before it arrives: the buffer starts small and doubles. */
typedef struct
{
  guint8 head[MPROC_FRAME_MAX_HEAD];
  gsize head_size; /* bytes of it that are there */
  gboolean has_size;
  guint64 size; /* of the payload */
  guint8 *payload;
  gsize allocated;
  gsize received;
} MprocFrameReader;

/* Where the next bytes go, and how many at most.  NULL: no memory for more
 * (MPROC_ERROR_NO_MEMORY; may be tried again).  Not to be called when the frame is
 * complete. */
gpointer mproc_frame_reader_next (MprocFrameReader *reader, gsize *size, GError **error);

/* @n bytes have been put there.  FALSE: what came is no frame (MPROC_ERROR_PROTOCOL). */
gboolean mproc_frame_reader_advance (MprocFrameReader *reader, gsize n, GError **error);

gboolean mproc_frame_reader_is_complete (const MprocFrameReader *reader);

/* Nothing of a frame has come yet: an end of file here is a clean one. */
gboolean mproc_frame_reader_is_empty (const MprocFrameReader *reader);

/* The payload of a complete frame; the reader is ready for the next one. */
GBytes *mproc_frame_reader_steal (MprocFrameReader *reader);

void mproc_frame_reader_clear (MprocFrameReader *reader);

G_END_DECLS

#endif
