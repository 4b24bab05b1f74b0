/* SPDX-License-Identifier: MIT */
/* What a peer sends, as libFuzzer calls it:
 *
 *   clang -g -fsanitize=fuzzer,address,undefined ... tests/pipe/fuzz-frame.c build/.../libmproc.a
 *
 * test-payload.c calls it with inputs of its own.  The first byte says how: bit 0, whether the peer
 * is of the family; the others, in pieces of what size the rest arrives. */
#include "pipe/frame.h"
#include "values/payload.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* What has been accepted can be used, and sent on. */
static void
use_value (GVariant *value, const GArray *handles)
{
  gsize prefix_size;
  guint8 *prefix = mproc_payload_new_prefix (value, handles, &prefix_size);
  GByteArray *whole = g_byte_array_new ();
  GBytes *payload;
  GVariant *again;
  GArray *handles_again = NULL;
  char *text = g_variant_print (value, TRUE);

  g_assert (g_variant_is_normal_form (value));
  g_byte_array_append (whole, prefix, (guint) prefix_size);
  g_byte_array_append (whole, g_variant_get_data (value),
                       (guint) g_variant_get_size (value));
  payload = g_byte_array_free_to_bytes (whole);
  again = mproc_payload_decode (payload, TRUE, &handles_again, NULL);
  g_assert (again != NULL && (handles_again == NULL) == (handles == NULL));

  if (handles_again != NULL)
    g_array_unref (handles_again);
  g_variant_unref (again);
  g_bytes_unref (payload);
  g_free (prefix);
  g_free (text);
}

static void
decode (GBytes *payload, gboolean family)
{
  GError *error = NULL;
  GArray *handles = NULL;
  GVariant *value = mproc_payload_decode (payload, family, &handles, &error);

  g_assert ((value == NULL) == (error != NULL));
  g_assert (handles == NULL || (value != NULL && family));
  if (value != NULL)
    {
      use_value (value, handles);
      g_variant_unref (value);
    }
  if (handles != NULL)
    g_array_unref (handles);
  g_clear_error (&error);
}

/* The same bytes as a stream of frames. */
static void
read_frames (const guint8 *data, gsize size, gsize piece, gboolean family)
{
  MprocFrameReader reader;
  gboolean ok = TRUE;

  memset (&reader, 0, sizeof reader);
  while (size > 0 && ok)
    {
      gsize room;
      gpointer to = mproc_frame_reader_next (&reader, &room, NULL);
      gsize n = MIN (MIN (room, piece), size);

      g_assert (to != NULL && room > 0 &&
                reader.allocated <= (1 << 20) + 2 * reader.received);
      memcpy (to, data, n);
      data += n;
      size -= n;
      ok = mproc_frame_reader_advance (&reader, n, NULL);
      if (ok && mproc_frame_reader_is_complete (&reader))
        {
          GBytes *payload = mproc_frame_reader_steal (&reader);

          decode (payload, family);
          g_bytes_unref (payload);
        }
    }
  mproc_frame_reader_clear (&reader);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  GBytes *payload;

  if (size < 1)
    return 0;
  payload = g_bytes_new (data + 1, size - 1);
  decode (payload, (data[0] & 1) != 0);
  g_bytes_unref (payload);
  read_frames (data + 1, size - 1, 1 + (data[0] >> 1), (data[0] & 1) != 0);
  return 0;
}
