/* SPDX-License-Identifier: MIT */
/* Shared arrays within one process: items, slices, large ones. */
#include "processes.h"
#include "punch.h"

#include "arena/arena.h"
#include "os.h"

#include <string.h>

static MprocArray *
make_array (const char *type, gsize length, GVariant *items, gpointer lock)
{
  GError *error = NULL;
  MprocArray *array = mproc_array_new (type, length, items, lock, &error);

  ck_assert_msg (array != NULL, "%s: %s", type,
                 error != NULL ? error->message : "no error");
  ck_assert_ptr_null (error);
  return array;
}

/* 0, 1, 2, ... */
static MprocArray *
count_up (gsize length)
{
  MprocArray *array = make_array ("y", length, NULL, NULL);
  guint8 *data = mproc_array_get_data (array, NULL);

  for (gsize i = 0; i < length; i++)
    data[i] = (guint8) i;
  return array;
}

/* Looks at it, and drops both. */
static void
expect (GVariant *found, const char *wanted)
{
  GVariant *value;
  char *text;

  ck_assert_ptr_nonnull (found);
  ck_assert (!g_variant_is_floating (found));
  value = g_variant_parse (g_variant_get_type (found), wanted, NULL, NULL, NULL);
  text = g_variant_print (found, FALSE);
  ck_assert_msg (value != NULL && g_variant_equal (found, value), "%s instead of %s",
                 text, wanted);
  g_free (text);
  g_variant_unref (value);
  g_variant_unref (found);
}

static GVariant *
slice_of (MprocArray *array, gssize start, gssize stop, gssize step)
{
  return mproc_array_get_slice (array, start, stop, step, NULL);
}

static GVariant *
all_of (MprocArray *array)
{
  return slice_of (array, 0, MPROC_SLICE_END, 1);
}

/* ------------------------------------------------------------------ making */

START_TEST (has_so_many_items)
{
  MprocArray *array = make_array ("i", 3, NULL, MPROC_OWN_LOCK);
  gsize length = 0;
  gint32 *data = mproc_array_get_data (array, &length);

  ck_assert_uint_eq (length, 3);
  ck_assert_uint_eq (mproc_array_get_length (array), 3);
  ck_assert_str_eq (mproc_array_get_type_string (array), "i");
  expect (all_of (array), "[0, 0, 0]");
  data[1] = -7;
  expect (all_of (array), "[0, -7, 0]");
  ck_assert_ptr_eq (mproc_array_ref (array), array);
  mproc_array_unref (array);
  mproc_array_unref (array);

  array = make_array ("i", 0, g_variant_new_parsed ("[5, 6]"), NULL);
  expect (all_of (array), "[5, 6]");
  mproc_array_unref (array);
  array = make_array ("i", 4, g_variant_new_parsed ("[5, 6]"), NULL);
  expect (all_of (array), "[5, 6, 0, 0]");
  mproc_array_unref (array);
  array = make_array ("i", 2, g_variant_new_parsed ("[5, 6]"), NULL);
  expect (all_of (array), "[5, 6]");
  mproc_array_unref (array);
  array = make_array ("i", 2, g_variant_new_parsed ("@ai []"), NULL);
  expect (all_of (array), "[0, 0]");
  mproc_array_unref (array);
}
END_TEST

START_TEST (holds_structures)
{
  MprocArray *array =
      make_array ("(yd)", 3, g_variant_new_parsed ("[(byte 1, 0.5)]"), MPROC_OWN_LOCK);
  struct
  {
    guint8 y;
    _Alignas(8) gdouble d;
  } *data = mproc_array_get_data (array, NULL);

  ck_assert (data[0].y == 1 && data[0].d == 0.5);
  memset (&data[2], 0xff, sizeof data[2]);
  data[2].y = 3;
  data[2].d = 2.5;
  expect (mproc_array_get (array, 2, NULL), "(3, 2.5)");
  expect (all_of (array), "[(1, 0.5), (0, 0.0), (3, 2.5)]");
  ck_assert (mproc_array_set (array, -2, g_variant_new ("(yd)", 9, 1.0), NULL));
  ck_assert (data[1].y == 9 && data[1].d == 1.0);
  mproc_array_unref (array);
}
END_TEST

START_TEST (bytes_of_any_kind_are_booleans)
{
  MprocArray *array = make_array ("b", 300, NULL, NULL);
  guint8 *data = mproc_array_get_data (array, NULL);
  const guint8 *copy;
  GVariant *items;
  guint n_wrong = 0;
  gsize n;

  for (guint i = 0; i < 300; i++)
    data[i] = (guint8) i;
  items = all_of (array);
  copy = g_variant_get_fixed_array (items, &n, 1);
  ck_assert_uint_eq (n, 300);
  for (guint i = 0; i < 300; i++)
    n_wrong += copy[i] != (i % 256 != 0);
  ck_assert_uint_eq (n_wrong, 0);
  g_variant_unref (items);
  mproc_array_unref (array);
}
END_TEST

START_TEST (refuses_what_cannot_be)
{
  GError *error = NULL;

  ck_assert_ptr_null (mproc_array_new ("i", 0, NULL, NULL, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_INVALID, "one item at least");
  ck_assert_ptr_null (mproc_array_new ("i", 0, g_variant_new_parsed ("@ai []"), NULL,
                                       &error));
  mproc_test_expect_error (&error, MPROC_ERROR_INVALID, "one item at least");
  ck_assert_ptr_null (mproc_array_new ("i", 1, g_variant_new_parsed ("[1, 2]"), NULL,
                                       &error));
  mproc_test_expect_error (&error, MPROC_ERROR_INVALID, "2 items do not fit");
  ck_assert_ptr_null (mproc_array_new ("i", 1, g_variant_new_parsed ("[1.5]"), NULL,
                                       &error));
  mproc_test_expect_error (&error, MPROC_ERROR_INVALID, "\"ad\" was given");
  ck_assert_ptr_null (mproc_array_new ("i", 1, g_variant_new_int32 (1), NULL, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_INVALID, "\"ai\" is wanted");
}
END_TEST

START_TEST (refuses_more_than_there_is)
{
  static const gsize lengths[] = { G_MAXSIZE,     G_MAXSIZE - 15,    G_MAXSIZE / 2,
                                   G_MAXSIZE / 8, G_MAXSIZE / 8 + 1, G_MAXSIZE / 16 + 2 };
  guint64 before = mproc_test_memory_in_use ();
  GError *error = NULL;
  MprocArray *array;

  for (guint i = 0; i < G_N_ELEMENTS (lengths); i++)
    {
      ck_assert_ptr_null (mproc_array_new ("x", lengths[i], NULL, NULL, &error));
      mproc_test_expect_error (&error, MPROC_ERROR_NO_MEMORY, "");
      ck_assert_ptr_null (mproc_array_new ("y", lengths[i], NULL, MPROC_OWN_LOCK, NULL));
      ck_assert_ptr_null (mproc_array_new ("(xxx)", lengths[i], NULL, NULL, NULL));
    }
  ck_assert (mproc_set_memory_limit (before + (8 << 20), NULL));
  ck_assert_ptr_null (mproc_array_new ("x", 16 << 20, NULL, MPROC_OWN_LOCK, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_NO_MEMORY, "mproc_set_memory_limit");
  ck_assert_uint_le (mproc_test_memory_in_use (), before + (2 << 20));
  array = make_array ("x", 1000, NULL, MPROC_OWN_LOCK);
  mproc_array_unref (array);
  ck_assert (mproc_set_memory_limit (G_MAXUINT64, NULL));
}
END_TEST

/* ------------------------------------------------------------------ one item */

START_TEST (items_have_indexes_from_both_ends)
{
  MprocArray *array =
      make_array ("n", 0, g_variant_new_parsed ("[int16 10, 11, 12]"), NULL);
  static const gssize bad[] = { 3, 4, -4, -5, G_MAXSSIZE, G_MINSSIZE };
  GError *error = NULL;

  expect (mproc_array_get (array, 0, NULL), "10");
  expect (mproc_array_get (array, 2, NULL), "12");
  expect (mproc_array_get (array, -1, NULL), "12");
  expect (mproc_array_get (array, -3, NULL), "10");
  ck_assert (mproc_array_set (array, -3, g_variant_new_int16 (-1), NULL));
  ck_assert (mproc_array_set (array, 2, g_variant_new_int16 (-2), NULL));
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      ck_assert_ptr_null (mproc_array_get (array, bad[i], &error));
      mproc_test_expect_error (&error, MPROC_ERROR_INVALID, "range of 3");
      ck_assert (!mproc_array_set (array, bad[i], g_variant_new_int16 (5), &error));
      mproc_test_expect_error (&error, MPROC_ERROR_INVALID, "range of 3");
    }
  ck_assert (!mproc_array_set (array, 0, g_variant_new_int32 (5), &error));
  mproc_test_expect_error (&error, MPROC_ERROR_INVALID, "\"i\" was given");
  expect (all_of (array), "[-1, 11, -2]");
  mproc_array_unref (array);
}
END_TEST

/* ------------------------------------------------------------------ slices */

/* What Python's list would give, by a walk: the places, and how many. */
static guint
walk (gssize length, gssize start, gssize stop, gssize step, gssize *places)
{
  guint n = 0;

  start = CLAMP (start, -100, 100);
  stop = CLAMP (stop, -100, 100);
  step = CLAMP (step, -100, 100);
  start += start < 0 ? length : 0;
  stop += stop < 0 ? length : 0;
  if (step > 0 && start < 0)
    start = 0;
  if (step < 0 && start >= length)
    start = length - 1;
  for (gssize i = start; step > 0 ? i < stop : i > stop; i += step)
    if (i >= 0 && i < length)
      places[n++] = i;
  return n;
}

static gboolean
gets_as_a_list (MprocArray *array, gssize start, gssize stop, gssize step)
{
  gssize places[16];
  guint wanted =
      walk ((gssize) mproc_array_get_length (array), start, stop, step, places);
  GVariant *items = slice_of (array, start, stop, step);
  const guint8 *bytes;
  gboolean ok;
  gsize n;

  bytes = g_variant_get_fixed_array (items, &n, 1);
  ok = n == wanted && g_variant_is_of_type (items, (const GVariantType *) "ay");
  for (gsize i = 0; ok && i < n; i++)
    ok = bytes[i] == places[i];
  g_variant_unref (items);
  return ok;
}

static gboolean
sets_as_a_list (gsize length, gssize start, gssize stop, gssize step)
{
  MprocArray *array = count_up (length);
  guint8 *data = mproc_array_get_data (array, NULL);
  guint8 wanted[16], given[17];
  gssize places[16];
  guint n = walk ((gssize) length, start, stop, step, places);
  gboolean ok;

  memcpy (wanted, data, length);
  for (guint i = 0; i < 17; i++)
    given[i] = (guint8) (100 + i);
  for (guint i = 0; i < n; i++)
    wanted[places[i]] = given[i];
  /* One too many, one too few: nothing happens. */
  ok = !mproc_array_set_slice (array, start, stop, step,
                               g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, given,
                                                          n + 1, 1),
                               NULL) &&
       (n == 0 || !mproc_array_set_slice (array, start, stop, step,
                                          g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE,
                                                                     given, n - 1, 1),
                                          NULL));
  for (gsize i = 0; ok && i < length; i++)
    ok = data[i] == i;
  ok =
      ok &&
      mproc_array_set_slice (array, start, stop, step,
                             g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, given, n, 1),
                             NULL) &&
      memcmp (data, wanted, length) == 0;
  mproc_array_unref (array);
  return ok;
}

/* The numbers around 0 and around both ends, and the last there are. */
static gssize
number (gsize length, guint i)
{
  gssize last = (gssize) length + 2;

  if (i == 0)
    return G_MINSSIZE;
  if (i == 1)
    return G_MAXSSIZE;
  if (i == 2)
    return G_MINSSIZE + 1;
  return (gssize) i - 3 - last;
}

static guint
count_numbers (gsize length)
{
  return 3 + 2 * ((guint) length + 2) + 1;
}

START_TEST (slices_are_those_of_a_list)
{
  gsize length = (gsize) _i;
  MprocArray *array = count_up (length);
  guint n = count_numbers (length);

  for (guint i = 0; i < n * n * n; i++)
    {
      gssize start = number (length, i % n);
      gssize stop = number (length, i / n % n);
      gssize step = number (length, i / n / n);

      if (step != 0 && (!gets_as_a_list (array, start, stop, step) ||
                        !sets_as_a_list (length, start, stop, step)))
        ck_abort_msg ("%d items, [%" G_GSSIZE_FORMAT ":%" G_GSSIZE_FORMAT
                      ":%" G_GSSIZE_FORMAT "]",
                      _i, start, stop, step);
    }
  mproc_array_unref (array);
}
END_TEST

START_TEST (slices_read_as_in_python)
{
  MprocArray *array =
      make_array ("i", 0, g_variant_new_parsed ("[0,1,2,3,4,5,6,7,8,9]"), MPROC_OWN_LOCK);

  expect (slice_of (array, 2, 5, 1), "[2, 3, 4]");
  expect (slice_of (array, -3, MPROC_SLICE_END, 1), "[7, 8, 9]");
  expect (slice_of (array, 0, -7, 1), "[0, 1, 2]");
  expect (slice_of (array, 1, MPROC_SLICE_END, 3), "[1, 4, 7]");
  expect (slice_of (array, -1, G_MINSSIZE, -1), "[9, 8, 7, 6, 5, 4, 3, 2, 1, 0]");
  expect (slice_of (array, MPROC_SLICE_END, 5, -2), "[9, 7]");
  expect (slice_of (array, 5, 2, 1), "@ai []");
  ck_assert (mproc_array_set_slice (array, 8, G_MINSSIZE, -4,
                                    g_variant_new_parsed ("[-8, -4, -10]"), NULL));
  expect (all_of (array), "[-10, 1, 2, 3, -4, 5, 6, 7, -8, 9]");
  mproc_array_unref (array);
}
END_TEST

START_TEST (wrong_slices_are_errors)
{
  MprocArray *array =
      make_array ("i", 0, g_variant_new_parsed ("[1, 2, 3]"), MPROC_OWN_LOCK);
  GError *error = NULL;

  ck_assert_ptr_null (mproc_array_get_slice (array, 0, 1, 0, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_INVALID, "cannot be 0");
  ck_assert (!mproc_array_set_slice (array, 0, 1, 0, g_variant_new_parsed ("[9]"),
                                     &error));
  mproc_test_expect_error (&error, MPROC_ERROR_INVALID, "cannot be 0");
  ck_assert (!mproc_array_set_slice (array, 0, 3, 1, g_variant_new_parsed ("[9, 9]"),
                                     &error));
  mproc_test_expect_error (&error, MPROC_ERROR_INVALID, "2 items were given for a slice");
  ck_assert (!mproc_array_set_slice (array, 0, 3, 1,
                                     g_variant_new_parsed ("[9.0, 9.0, 9.0]"), &error));
  mproc_test_expect_error (&error, MPROC_ERROR_INVALID, "\"ad\" was given");
  expect (all_of (array), "[1, 2, 3]");
  /* The lock is free. */
  ck_assert (!mproc_rlock_is_locked (mproc_array_get_lock (array)));
  mproc_array_unref (array);
}
END_TEST

/* ------------------------------------------------------------------ memory */

START_TEST (large_ones_begin_at_a_page)
{
  gsize page = mproc_os_page_size ();
  gsize sizes[] = { 1, 63, 64, 1000, page, 16 * page, 17 * page + 1, 300 * page };
  gsize aligned[] = { 16, 16, 64, 64, 64, page, page, page };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      MprocArray *array = make_array ("y", sizes[i], NULL, NULL);
      guint8 *data = mproc_array_get_data (array, NULL);

      ck_assert_uint_eq ((gsize) data % aligned[i], 0);
      ck_assert (data[0] == 0 && data[sizes[i] - 1] == 0);
      memset (data, 0xaa, sizes[i]);
      mproc_array_unref (array);
    }
}
END_TEST

/* What used them before is not seen. */
START_TEST (used_memory_is_zeros_again)
{
  for (gsize length = 10; length < 20 << 20; length = length * 3 + 1)
    for (guint round = 0; round < 2; round++)
      {
        MprocArray *array = make_array ("y", length, NULL, NULL);
        guint8 *data = mproc_array_get_data (array, NULL);

        ck_assert (data[0] == 0 && memcmp (data, data + 1, length - 1) == 0);
        memset (data, 0x55, length);
        mproc_array_unref (array);
      }
}
END_TEST

/* Arrays of other sizes, one after the other, in little more than the largest needs. */
START_TEST (the_memory_of_large_ones_is_given_back)
{
  gsize size = (gsize) 24 << 20;
  guint64 before;

  if (!mproc_test_can_punch ())
    return;
  before = mproc_test_memory_in_use ();
  ck_assert (mproc_set_memory_limit (before + size + (10 << 20), NULL));
  for (guint i = 0; i < 6; i++)
    {
      gsize length = size - i * (size / 8);
      MprocArray *array = make_array ("y", length, NULL, MPROC_OWN_LOCK);

      memset (mproc_array_get_data (array, NULL), 1, length);
      ck_assert_uint_ge (mproc_test_memory_in_use (), length);
      mproc_array_unref (array);
      ck_assert_uint_le (mproc_test_memory_in_use (), before + (4 << 20));
    }
  ck_assert (mproc_set_memory_limit (G_MAXUINT64, NULL));
}
END_TEST

Suite *
mproc_test_array_suite (void)
{
  Suite *suite = suite_create ("array");
  TCase *items = mproc_test_case (suite, "items");
  TCase *slices = mproc_test_case (suite, "slices");
  TCase *memory = mproc_test_case (suite, "memory");

  tcase_add_test (items, has_so_many_items);
  tcase_add_test (items, holds_structures);
  tcase_add_test (items, bytes_of_any_kind_are_booleans);
  tcase_add_test (items, refuses_what_cannot_be);
  tcase_add_test (items, items_have_indexes_from_both_ends);
  tcase_add_loop_test (slices, slices_are_those_of_a_list, 1, 6);
  tcase_add_test (slices, slices_read_as_in_python);
  tcase_add_test (slices, wrong_slices_are_errors);
  tcase_add_test (memory, refuses_more_than_there_is);
  tcase_add_test (memory, large_ones_begin_at_a_page);
  tcase_add_test (memory, used_memory_is_zeros_again);
  tcase_add_test (memory, the_memory_of_large_ones_is_given_back);
  return suite;
}
