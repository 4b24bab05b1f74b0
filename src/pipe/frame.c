/* SPDX-License-Identifier: MIT */
#include "pipe/frame.h"

#include <mproc/error.h>
#include <string.h>

#define FIRST_ALLOCATION (1 << 20)

gsize
mproc_frame_write_head (guint8 *to, guint64 size)
{
  if (size <= G_MAXINT32)
    {
      guint32 head = GUINT32_TO_BE ((guint32) size);

      memcpy (to, &head, sizeof head);
      return sizeof head;
    }
  else
    {
      guint64 head = GUINT64_TO_BE (size);

      memset (to, 0xff, 4);
      memcpy (to + 4, &head, sizeof head);
      return 4 + sizeof head;
    }
}

/* How long the head is, as far as its first four bytes tell. */
static gsize
head_length (const MprocFrameReader *reader)
{
  static const guint8 long_form[4] = { 0xff, 0xff, 0xff, 0xff };

  if (reader->head_size >= 4 && memcmp (reader->head, long_form, 4) == 0)
    return MPROC_FRAME_MAX_HEAD;
  return 4;
}

static gboolean
parse_head (MprocFrameReader *reader, GError **error)
{
  if (reader->head_size == 4)
    {
      guint32 size;

      memcpy (&size, reader->head, sizeof size);
      reader->size = GUINT32_FROM_BE (size);
      if (reader->size > G_MAXINT32)
        {
          g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_PROTOCOL,
                               "a message of negative length");
          return FALSE;
        }
    }
  else
    {
      memcpy (&reader->size, reader->head + 4, sizeof reader->size);
      reader->size = GUINT64_FROM_BE (reader->size);
      if (reader->size > MIN (MPROC_FRAME_MAX_SIZE, (guint64) G_MAXSSIZE))
        {
          g_set_error (error, MPROC_ERROR, MPROC_ERROR_PROTOCOL,
                       "a message of %" G_GUINT64_FORMAT " bytes", reader->size);
          return FALSE;
        }
    }
  reader->has_size = TRUE;
  return TRUE;
}

static gboolean
grow (MprocFrameReader *reader, GError **error)
{
  gsize wanted = reader->allocated == 0 ? FIRST_ALLOCATION : 2 * reader->allocated;
  guint8 *payload;

  wanted = (gsize) MIN ((guint64) wanted, reader->size);
  payload = g_try_realloc (reader->payload, wanted);
  if (payload == NULL)
    {
      g_set_error (error, MPROC_ERROR, MPROC_ERROR_NO_MEMORY,
                   "no memory for a message of %" G_GUINT64_FORMAT " bytes",
                   reader->size);
      return FALSE;
    }
  reader->payload = payload;
  reader->allocated = wanted;
  return TRUE;
}

gpointer
mproc_frame_reader_next (MprocFrameReader *reader, gsize *size, GError **error)
{
  if (!reader->has_size)
    {
      *size = head_length (reader) - reader->head_size;
      return reader->head + reader->head_size;
    }
  if (reader->received == reader->allocated && !grow (reader, error))
    return NULL;
  *size = reader->allocated - reader->received;
  return reader->payload + reader->received;
}

gboolean
mproc_frame_reader_advance (MprocFrameReader *reader, gsize n, GError **error)
{
  if (reader->has_size)
    {
      reader->received += n;
      return TRUE;
    }
  reader->head_size += n;
  if (reader->head_size < head_length (reader))
    return TRUE;
  return parse_head (reader, error);
}

gboolean
mproc_frame_reader_is_complete (const MprocFrameReader *reader)
{
  return reader->has_size && reader->received == reader->size;
}

gboolean
mproc_frame_reader_is_empty (const MprocFrameReader *reader)
{
  return reader->head_size == 0;
}

GBytes *
mproc_frame_reader_steal (MprocFrameReader *reader)
{
  GBytes *payload = g_bytes_new_take (reader->payload, reader->received);

  memset (reader, 0, sizeof *reader);
  return payload;
}

void
mproc_frame_reader_clear (MprocFrameReader *reader)
{
  g_free (reader->payload);
  memset (reader, 0, sizeof *reader);
}
