/* SPDX-License-Identifier: MIT */
/* Frames on the wire: what is written, and that nothing else is accepted. */
#include "mproc-test.h"

#include "pipe/frame.h"

#include <string.h>

static void
expect_head (guint64 size, const char *expected, gsize length)
{
  guint8 head[MPROC_FRAME_MAX_HEAD];

  ck_assert_uint_eq (mproc_frame_write_head (head, size), length);
  ck_assert_mem_eq (head, expected, length);
}

START_TEST (heads_are_those_of_python)
{
  expect_head (0, "\0\0\0\0", 4);
  expect_head (5, "\0\0\0\5", 4);
  expect_head (0x7fffffff, "\x7f\xff\xff\xff", 4);
  expect_head (G_GUINT64_CONSTANT (0x80000000), "\xff\xff\xff\xff\0\0\0\0\x80\0\0\0", 12);
}
END_TEST

/* Everything the reader makes of @data, in pieces of @piece bytes.  FALSE: refused. */
static gboolean
feed (MprocFrameReader *reader,
      const char *data,
      gsize size,
      gsize piece,
      GPtrArray *messages)
{
  while (size > 0)
    {
      gsize room;
      gpointer to = mproc_frame_reader_next (reader, &room, NULL);
      gsize n = MIN (MIN (room, piece), size);
      GError *error = NULL;

      memcpy (to, data, n);
      data += n;
      size -= n;
      if (!mproc_frame_reader_advance (reader, n, &error))
        {
          ck_assert (g_error_matches (error, MPROC_ERROR, MPROC_ERROR_PROTOCOL));
          g_error_free (error);
          return FALSE;
        }
      if (mproc_frame_reader_is_complete (reader))
        g_ptr_array_add (messages, mproc_frame_reader_steal (reader));
    }
  return TRUE;
}

START_TEST (frames_come_in_pieces)
{
  static const char data[] = "\0\0\0\3one\0\0\0\0\xff\xff\xff\xff\0\0\0\0\0\0\0\3two\0\0";
  GPtrArray *messages = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  MprocFrameReader reader;

  memset (&reader, 0, sizeof reader);
  ck_assert (feed (&reader, data, sizeof data - 1, (gsize) _i, messages));
  ck_assert (!mproc_frame_reader_is_empty (&reader));
  ck_assert_uint_eq (messages->len, 3);
  ck_assert_mem_eq (g_bytes_get_data (messages->pdata[0], NULL), "one", 3);
  ck_assert_uint_eq (g_bytes_get_size (messages->pdata[1]), 0);
  ck_assert_mem_eq (g_bytes_get_data (messages->pdata[2], NULL), "two", 3);
  mproc_frame_reader_clear (&reader);
  ck_assert (mproc_frame_reader_is_empty (&reader));
  g_ptr_array_unref (messages);
}
END_TEST

static const struct
{
  const char *data;
  gsize size;
} bad_heads[] = {
  { "\xff\xff\xff\xfe", 4 },
  { "\x80\0\0\0", 4 },
  { "\xff\xff\xff\xff\0\0\1\0\0\0\0\1", 12 },
  { "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12 },
};

START_TEST (bad_heads_are_refused)
{
  MprocFrameReader reader;

  memset (&reader, 0, sizeof reader);
  ck_assert (!feed (&reader, bad_heads[_i].data, bad_heads[_i].size, 100, NULL));
  mproc_frame_reader_clear (&reader);
}
END_TEST

START_TEST (announced_is_not_allocated)
{
  gsize limit = sizeof (gsize) > 4 ? 12 : 4;
  const char *head =
      limit == 12 ? "\xff\xff\xff\xff\0\0\1\0\0\0\0\0" : "\x7f\xff\xff\xff";
  MprocFrameReader reader;
  gsize room;

  memset (&reader, 0, sizeof reader);
  ck_assert (feed (&reader, head, limit, 100, NULL));
  ck_assert_ptr_nonnull (mproc_frame_reader_next (&reader, &room, NULL));
  ck_assert_uint_le (room, 1 << 20);
  ck_assert_uint_le (reader.allocated, 1 << 20);
  mproc_frame_reader_clear (&reader);
}
END_TEST

Suite *
mproc_test_frame_suite (void)
{
  Suite *suite = suite_create ("frame");
  TCase *tcase = mproc_test_case (suite, "frame");

  tcase_add_test (tcase, heads_are_those_of_python);
  tcase_add_loop_test (tcase, frames_come_in_pieces, 1, 14);
  tcase_add_loop_test (tcase, bad_heads_are_refused, 0, G_N_ELEMENTS (bad_heads));
  tcase_add_test (tcase, announced_is_not_allocated);
  return suite;
}
