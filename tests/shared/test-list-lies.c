/* SPDX-License-Identifier: MIT */
/* Blocks of memory that are no lists, or pretend to be. */
#include "lists.h"

#include "fuzz-list.h"
#include "names.h"

#include <string.h>

typedef struct
{
  gsize at;
  gint64 value; /* written there, or, with bytes, those */
  const char *bytes;
  gsize size;     /* of the block; 0: as it is */
  gboolean opens; /* it is the item that is refused */
} Lie;

#define OFFSET(i) ((1 + (i)) * 8)
#define DATA (14 * 8)
#define FORMAT(i) (DATA + 0x70 + (i) *8)
#define CODE(i) (FORMAT (12) + (i))

/* All but the first few lies are about item 6, an eight byte text. */
static const Lie lies[] = {
  { 0, 12, NULL, 8, FALSE },
  { 0, 12, NULL, 15, FALSE },
  { 0, 12, NULL, 100, FALSE },
  { 0, 12, NULL, CODE (11), FALSE },
  { 0, 13, NULL, 0, FALSE },
  { 0, -1, NULL, 0, FALSE },
  { 0, G_MAXINT64, NULL, 0, FALSE },
  { 0, G_MININT64, NULL, 0, FALSE },
  { 0, G_MAXINT64 / 8, NULL, 0, FALSE },
  { OFFSET (0), 8, NULL, 0, FALSE },
  { OFFSET (0), -8, NULL, 0, FALSE },
  { OFFSET (6), -8, NULL, 0, FALSE },
  { OFFSET (6), 0x31, NULL, 0, FALSE },
  { OFFSET (6), 0x40, NULL, 0, FALSE },
  { OFFSET (6), G_MAXINT64 - 7, NULL, 0, FALSE },
  { OFFSET (12), 0x78, NULL, 0, FALSE },
  { OFFSET (12), 0x60, NULL, 0, FALSE },
  { OFFSET (12), -8, NULL, 0, FALSE },
  { OFFSET (12), G_MININT64, NULL, 0, FALSE },
  { OFFSET (7), 0x30, NULL, 0, TRUE }, /* no slot at all */
  { FORMAT (6), 0, "16s\0\0\0\0\0", 0, TRUE },
  { FORMAT (6), 0, "9999999s", 0, TRUE },
  { FORMAT (6), 0, "99999999", 0, TRUE },
  { FORMAT (6), 0, "s\0\0\0\0\0\0\0", 0, TRUE },
  { FORMAT (6), 0, "-8s\0\0\0\0\0", 0, TRUE },
  { FORMAT (6), 0, "8\0s\0\0\0\0\0", 0, TRUE },
  { FORMAT (6), 0, "\0\0\0\0\0\0\0s", 0, TRUE },
  { FORMAT (6), 0, "8x\0\0\0\0\0\0", 0, TRUE },
  { FORMAT (6), 0, "q\0\0\0\0\0\0\0", 0, TRUE },
  { FORMAT (6), 0, "\0\0\0\0\0\0\0\0", 0, TRUE },
  { CODE (6), 0, "\0", 0, TRUE },
  { CODE (6), 0, "\3", 0, TRUE },
  { CODE (6), 0, "\4", 0, TRUE },
  { CODE (6), 0, "\xff", 0, TRUE },
  { DATA + 0x30, 0, "\xff", 0, TRUE },          /* no UTF-8 */
  { DATA + 0x30, 0, "a\0b\0\0\0\0\0", 0, TRUE } /* a text with a zero within */
};

/* A block with a name in which these bytes are. */
static MprocSharedMemory *
make_block (const guint8 *data, gsize size)
{
  MprocSharedMemory *memory = mproc_shared_memory_create (NULL, size, NULL);

  memcpy (mproc_shared_memory_get_data (memory, NULL), data, size);
  return memory;
}

static void
tell_lie (guint8 *data, const Lie *lie)
{
  const gsize one = lie->at >= CODE (0) || (guint8) lie->bytes[0] == 0xff;

  memcpy (data + lie->at, lie->bytes, one ? 1 : 8);
}

static void
expect_refusal (const char *name, const Lie *lie)
{
  GError *error = NULL;
  MprocShareableList *list = mproc_shareable_list_open (name, &error);

  ck_assert_msg ((list != NULL) == lie->opens, "at %u", (guint) lie->at);
  if (list == NULL)
    {
      mproc_test_expect_error (&error, MPROC_ERROR_INVALID, "no list");
      return;
    }
  ck_assert_ptr_null (mproc_shareable_list_get (list, 6, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_INVALID, "item 6");
  ck_assert_int_eq (mproc_shareable_list_count (list, mproc_list_nothing (), &error), -1);
  mproc_test_expect_error (&error, MPROC_ERROR_INVALID, "item 6");
  mproc_list_expect_item (list, 5, mproc_list_nothing ());
  mproc_shareable_list_unref (list);
}

START_TEST (what_is_no_list_is_refused)
{
  if (!mproc_list_has_vectors ())
    return;
  for (guint i = 0; i < G_N_ELEMENTS (lies); i++)
    {
      const Lie *lie = &lies[i];
      gsize size =
          lie->size != 0 && mproc_test_can_fork () ? lie->size : sizeof mproc_list_python;
      guint8 data[sizeof mproc_list_python];
      MprocSharedMemory *memory;

      /* Where the system rounds sizes up, a block cannot be short. */
      if (lie->size != size && lie->size != 0)
        continue;
      memcpy (data, mproc_list_python, sizeof data);
      if (lie->bytes != NULL)
        tell_lie (data, lie);
      else
        memcpy (data + lie->at, &lie->value, 8);
      memory = make_block (data, size);
      /* Nor can it say too large a number, there being room behind the list. */
      if (mproc_test_can_fork () || ((lie->at != 0 || lie->value != 13) &&
                                     (lie->at != OFFSET (12) || lie->value != 0x78)))
        expect_refusal (mproc_shared_memory_get_name (memory), lie);
      mproc_shared_memory_unlink (memory, NULL);
      mproc_shared_memory_unref (memory);
    }
}
END_TEST

/* Somebody changes it while we have it open: what was settled stays so. */
START_TEST (lies_told_later_are_refused)
{
  MprocShareableList *list = mproc_list_create (mproc_list_items ());
  MprocSharedMemory *memory = mproc_shareable_list_get_memory (list);
  guint8 *data = mproc_shared_memory_get_data (memory, NULL);
  const gint64 offsets[] = { -8, 4, 0x78, G_MAXINT64 - 7, G_MININT64 };
  GError *error = NULL;

  memset (data, 0xff, 8);
  ck_assert_uint_eq (mproc_shareable_list_get_length (list), MPROC_LIST_N_ITEMS);
  for (guint i = 0; i < G_N_ELEMENTS (offsets); i++)
    for (guint end = 0; end < 2; end++)
      {
        const gint64 right = end ? 0x38 : 0x30;

        memcpy (data + OFFSET (6 + end), &offsets[i], 8);
        if (end == 0 || offsets[i] != 0x78)
          {
            ck_assert_ptr_null (mproc_shareable_list_get (list, 6, &error));
            mproc_test_expect_error (&error, MPROC_ERROR_INVALID, "offsets");
            ck_assert (!mproc_shareable_list_set (list, 6, mproc_list_nothing (),
                                                  &error));
            mproc_test_expect_error (&error, MPROC_ERROR_INVALID, "offsets");
          }
        memcpy (data + OFFSET (6 + end), &right, 8);
      }
  mproc_list_expect_item (list, 6, mproc_list_item (6));
  memset (data + DATA + 0x70, 0xff, sizeof mproc_list_python - DATA - 0x70);
  ck_assert_ptr_null (mproc_shareable_list_get_format (list, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_INVALID, "format");
  mproc_list_drop (list);
}
END_TEST

/* Bytes change, and now and then the size. */
static gsize
mutate (guint8 *data, gsize size, GRand *random)
{
  static const gint64 words[] = {
    0, 1, 7, 8, -8, 0x70, 0x78, G_MAXINT64, G_MININT64, 1000
  };

  for (gint n = g_rand_int_range (random, 1, 5); n > 0; n--)
    {
      gsize at = (gsize) g_rand_int_range (random, 0, (gint) size);

      switch (g_rand_int_range (random, 0, 4))
        {
        case 0:
          data[at] = (guint8) g_rand_int (random);
          break;
        case 1:
          data[at] ^= (guint8) (1 << g_rand_int_range (random, 0, 8));
          break;
        case 2:
          data[at] = (guint8) "s018qdx?"[at % 8];
          break;
        default:
          memcpy (data + (at & ~(gsize) 7) % (size - 8 + 1),
                  &words[g_rand_int_range (random, 0, G_N_ELEMENTS (words))], 8);
          break;
        }
    }
  return g_rand_int_range (random, 0, 8) == 0
             ? (gsize) g_rand_int_range (random, 0, (gint) size + 1)
             : size;
}

START_TEST (mutations_do_no_harm)
{
  GRand *random = g_rand_new_with_seed ((guint32) _i + 1);
  guint8 data[sizeof mproc_list_python];

  for (gint round = 0; round < mproc_test_scale (4000); round++)
    {
      gsize size, room;
      guint8 *edge;

      memcpy (data, _i % 2 ? mproc_list_python_changed : mproc_list_python, sizeof data);
      size = mutate (data, sizeof data, random);
      room = (size + 7) / 8 * 8;
      /* Before an abyss; and before what the sanitizer watches, to the byte. */
      edge = mproc_test_edge_new (MAX (room, 8));
      memcpy (edge, data, size);
      mproc_fuzz_list (edge, size);
      mproc_test_edge_free (edge, MAX (room, 8));
      edge = g_malloc (MAX (size, 1));
      memcpy (edge, data, size);
      mproc_fuzz_list (edge, size);
      g_free (edge);
    }
  g_rand_free (random);
}
END_TEST

Suite *
mproc_test_list_lies_suite (void)
{
  Suite *suite = suite_create ("list-lies");
  TCase *tcase = mproc_test_case (suite, "lies");

  tcase_add_test (tcase, what_is_no_list_is_refused);
  tcase_add_test (tcase, lies_told_later_are_refused);
  tcase_add_loop_test (tcase, mutations_do_no_harm, 0, 4);
  return suite;
}
