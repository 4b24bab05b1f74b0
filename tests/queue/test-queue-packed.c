/* SPDX-License-Identifier: MIT */
/* Values put from variables and got into variables, which are the same items as those of
 * mproc_queue_put() and mproc_queue_get(). */
#include "pipes.h"
#include "processes.h"
#include "queues.h"

#include <string.h>

static void
expect_no_get (MprocQueue *queue, gint code, const char *text)
{
  gint64 number = 7;
  GError *error = NULL;

  ck_assert (!mproc_queue_get_unpacked (queue, 0, &error, "x", &number));
  mproc_test_expect_error (&error, code, text);
  ck_assert_int_eq (number, 7);
}

static void
put_numbers (MprocQueue *queue, gint64 first, gint64 n)
{
  for (gint64 i = first; i < first + n; i++)
    ck_assert (mproc_queue_put_packed (queue, 0, NULL, "x", i));
}

static void
expect_numbers (MprocQueue *queue, gint64 first, gint64 n)
{
  for (gint64 i = first; i < first + n; i++)
    {
      gint64 number;

      ck_assert (mproc_queue_get_unpacked (queue, 0, NULL, "x", &number));
      ck_assert_int_eq (number, i);
    }
}

/* ------------------------------------------------------------------ items */

#define ALL "(bynqiuxtd(sog)())"

static void
put_all (MprocQueue *queue)
{
  ck_assert (mproc_queue_put_packed (queue, 0, NULL, ALL, TRUE, 255, G_MININT16,
                                     G_MAXUINT16, G_MININT32, G_MAXUINT32, G_MININT64,
                                     G_MAXUINT64, 0.1, "text \303\244", "/a/b", "a{sv}"));
}

/* Of the expected text. */
static void
expect_all (MprocQueue *queue)
{
  gboolean b;
  guint8 y;
  gint16 n;
  guint16 q;
  gint32 i;
  guint32 u;
  gint64 x;
  guint64 t;
  gdouble d;
  char *s, *o, *g;

  ck_assert (mproc_queue_get_unpacked (queue, 0, NULL, ALL, &b, &y, &n, &q, &i, &u, &x,
                                       &t, &d, &s, &o, &g));
  ck_assert (b == TRUE && y == 255 && n == G_MININT16 && q == G_MAXUINT16);
  ck_assert (i == G_MININT32 && u == G_MAXUINT32 && x == G_MININT64 && t == G_MAXUINT64);
  ck_assert (d == 0.1);
  ck_assert_str_eq (s, "text \303\244");
  ck_assert_str_eq (o, "/a/b");
  ck_assert_str_eq (g, "a{sv}");
  g_free (s);
  g_free (o);
  g_free (g);
}

START_TEST (either_side_may_do_it_either_way)
{
  MprocQueue *queue = make_queue (0);
  GVariant *value;

  put_all (queue);
  value = mproc_queue_get (queue, 0, NULL);
  ck_assert_str_eq (g_variant_get_type_string (value), ALL);
  ck_assert (g_variant_is_normal_form (value));
  ck_assert (mproc_queue_put (queue, value, 0, NULL));
  g_variant_unref (value);
  put_all (queue);
  expect_all (queue);
  expect_all (queue);
  ck_assert (mproc_queue_is_empty (queue));
  mproc_queue_unref (queue);
}
END_TEST

/* What is not wanted is not given. */
START_TEST (parts_may_be_left_out)
{
  MprocQueue *queue = make_queue (0);
  gint32 number;

  ck_assert (mproc_queue_put_packed (queue, 0, NULL, "(s(is)d)", "a", 5, "b", 1.0));
  ck_assert (mproc_queue_get_unpacked (queue, 0, NULL, "(s(is)d)", NULL, &number, NULL,
                                       NULL));
  ck_assert_int_eq (number, 5);
  ck_assert (mproc_queue_put_packed (queue, 0, NULL, "()"));
  ck_assert (mproc_queue_get_unpacked (queue, 0, NULL, "()"));
  mproc_queue_unref (queue);
}
END_TEST

/* Arrays, variants, maybes, objects and functions: as mproc_pack() and mproc_unpack(). */
START_TEST (every_other_form_does)
{
  MprocQueue *queue = make_queue (0);
  MprocQueue *carried = make_queue (0);
  MprocQueue *arrived = NULL;
  const char *const texts[] = { "x", "y", NULL };
  GVariant *value = NULL;
  gint32 number = 0, inner = 0;
  gboolean there = FALSE;
  MprocFunc func = NULL;
  char **list = NULL;

  put_numbers (carried, 1, 2);
  ck_assert (mproc_queue_put_packed (queue, 0, NULL, "(hfim(i)^asv)", carried,
                                     mproc_test_do_nothing, 42, TRUE, 3, texts,
                                     g_variant_new_string ("z")));
  mproc_queue_unref (carried);
  ck_assert (mproc_queue_get_unpacked (queue, 0, NULL, "(hfim(i)^as@v)", &arrived, &func,
                                       &number, &there, &inner, &list, &value));
  expect_numbers (arrived, 1, 2);
  ck_assert (func == mproc_test_do_nothing && number == 42 && there && inner == 3);
  ck_assert_str_eq (list[1], "y");
  ck_assert_str_eq (g_variant_get_type_string (value), "v");
  g_strfreev (list);
  g_variant_unref (value);
  mproc_queue_unref (arrived);

  ck_assert (mproc_queue_put_bytes (queue, "abc", 4, 0, NULL));
  ck_assert (mproc_queue_get_unpacked (queue, 0, NULL, "@ay", &value));
  ck_assert_uint_eq (g_variant_n_children (value), 4);
  g_variant_unref (value);
  mproc_queue_unref (queue);
}
END_TEST

/* Around what fits on the stack, where offsets grow, where an item gets a block of its
 * own; and a long one. */
START_TEST (texts_of_any_size)
{
  static const gsize sizes[] = { 0,    1,     240,   255,   256,   460,   512,
                                 1024, 16300, 16384, 16400, 65530, 65540, 3000000 };
  MprocQueue *queue = make_queue (0);
  char *text = g_malloc (3000001);

  memset (text, 'a', 3000000);
  text[3000000] = '\0';
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    for (gsize size = sizes[i]; size < sizes[i] + 32 && size <= 3000000; size++)
      {
        char *got = NULL;
        gint64 number = 0;

        text[size] = '\0';
        ck_assert (mproc_queue_put_packed (queue, 0, NULL, "(sx)", text, (gint64) size));
        ck_assert (mproc_queue_get_unpacked (queue, 0, NULL, "(sx)", &got, &number));
        ck_assert (strcmp (got, text) == 0 && number == (gint64) size);
        text[size] = 'a';
        g_free (got);
      }
  g_free (text);
  mproc_queue_unref (queue);
}
END_TEST

/* ------------------------------------------------------------------ what does not suit */

START_TEST (another_type_stays)
{
  MprocQueue *queue = make_queue (0);
  const char *const none[] = { NULL };
  GError *error = NULL;
  gint32 number = 7;
  char *text = NULL;
  char **list = NULL;

  ck_assert (mproc_queue_put_packed (queue, 0, NULL, "(is)", 1, "x"));
  ck_assert (mproc_queue_put_bytes (queue, "bytes", 5, 0, NULL));
  ck_assert (mproc_queue_put_packed (queue, 0, NULL, "(i^as)", 2, none));
  put_numbers (queue, 3, 1);

  ck_assert (!mproc_queue_get_unpacked (queue, 0, &error, "(ii)", &number, &number));
  mproc_test_expect_error (&error, MPROC_ERROR_INVALID,
                           "a value of type (is) does not have the form \"(ii)\"");
  ck_assert (!mproc_queue_get_unpacked (queue, 0, &error, "(i)", &number));
  mproc_test_expect_error (&error, MPROC_ERROR_INVALID, "(is)");
  ck_assert (!mproc_queue_get_unpacked (queue, 0, &error, "(is?)", &number, &text, NULL));
  mproc_test_expect_error (&error, MPROC_ERROR_INVALID, "(is?)");
  ck_assert (!mproc_queue_get_unpacked (queue, 0, &error, "(is)i", &number, &text, NULL));
  mproc_test_expect_error (&error, MPROC_ERROR_INVALID, "(is)i");
  ck_assert (!mproc_queue_get_unpacked (queue, 0, NULL, "(i^as)", &number, &list));
  ck_assert_uint_eq (mproc_queue_get_size (queue), 4);
  ck_assert (number == 7 && text == NULL && list == NULL);

  ck_assert (mproc_queue_get_unpacked (queue, 0, &error, "(is)", &number, &text));
  g_free (text);
  ck_assert (!mproc_queue_get_unpacked (queue, 0, &error, "s", &text));
  mproc_test_expect_error (&error, MPROC_ERROR_INVALID, "ay");
  g_bytes_unref (mproc_queue_get_bytes (queue, 0, NULL));
  ck_assert (!mproc_queue_get_unpacked (queue, 0, &error, "(is)", &number, &text));
  mproc_test_expect_error (&error, MPROC_ERROR_INVALID, "(ias)");
  ck_assert (mproc_queue_get_unpacked (queue, 0, &error, "(i^as)", &number, &list));
  ck_assert_int_eq (number, 2);
  g_strfreev (list);
  expect_numbers (queue, 3, 1);
  mproc_queue_unref (queue);
}
END_TEST

/* In a block of its own, and where bytes are counted. */
START_TEST (another_type_stays_wherever_it_lies)
{
  MprocQueue *queue = mproc_queue_new_full (3, 100000, NULL);
  char *text = g_strnfill (50000, 'x');
  char *got = NULL;
  guint64 n_bytes;

  ck_assert (mproc_queue_put_packed (queue, 0, NULL, "s", text));
  put_numbers (queue, 1, 1);
  n_bytes = mproc_queue_get_n_bytes (queue);
  expect_no_get (queue, MPROC_ERROR_INVALID, "type s");
  ck_assert_uint_eq (mproc_queue_get_n_bytes (queue), n_bytes);
  ck_assert (mproc_queue_get_unpacked (queue, 0, NULL, "s", &got));
  ck_assert_str_eq (got, text);
  expect_numbers (queue, 1, 1);
  ck_assert_uint_eq (mproc_queue_get_n_bytes (queue), 0);
  g_free (got);
  g_free (text);
  mproc_queue_unref (queue);
}
END_TEST

/* What the type says, and the bytes do not: GLib's default values. */
START_TEST (values_that_are_not_normal)
{
  MprocQueue *queue = make_queue (0);
  GVariant *value =
      g_variant_new_from_data (G_VARIANT_TYPE ("(xi)"), "1234", 4, FALSE, NULL, NULL);
  gint64 x = 7;
  gint32 i = 7;

  ck_assert (mproc_queue_put (queue, value, 0, NULL));
  ck_assert (mproc_queue_get_unpacked (queue, 0, NULL, "(xi)", &x, &i));
  ck_assert (x == 0 && i == 0);
  mproc_queue_unref (queue);
}
END_TEST

START_TEST (texts_that_cannot_be_sent)
{
  MprocQueue *queue = make_queue (0);
  GError *error = NULL;

  ck_assert (!mproc_queue_put_packed (queue, 0, &error, "(is)", 1, "\377"));
  mproc_test_expect_error (&error, MPROC_ERROR_INVALID, "UTF-8");
  ck_assert (!mproc_queue_put_packed (queue, 0, &error, "(io)", 1, "a"));
  mproc_test_expect_error (&error, MPROC_ERROR_INVALID, "object path");
  ck_assert (!mproc_queue_put_packed (queue, 0, NULL, "g", "("));
  ck_assert (mproc_queue_is_empty (queue));
  put_numbers (queue, 1, 1);
  expect_numbers (queue, 1, 1);
  mproc_queue_unref (queue);
}
END_TEST

START_TEST (mistakes_are_told)
{
  MprocQueue *queue = make_queue (0);
  GError *error = NULL;
  const char *text = "untouched";
  const char *none = NULL;

  put_numbers (queue, 1, 1);
  mproc_test_count_criticals ();
  ck_assert (!mproc_queue_get_unpacked (queue, 0, &error, "&s", &text));
  ck_assert (!mproc_queue_get_unpacked (queue, 0, &error, "(^a&s)", &text));
  ck_assert (!mproc_queue_get_unpacked (queue, 0, &error, none));
  ck_assert (!mproc_queue_get_unpacked (queue, -2, &error, "x", NULL));
  ck_assert (!mproc_queue_get_unpacked (NULL, 0, &error, "x", NULL));
  ck_assert_uint_eq (mproc_test_count_criticals (), 5);
  ck_assert (!mproc_queue_put_packed (queue, 0, &error, "s", none));
  ck_assert (!mproc_queue_put_packed (queue, 0, &error, none));
  ck_assert (!mproc_queue_put_packed (queue, -2, &error, "x", (gint64) 1));
  ck_assert (!mproc_queue_put_packed (NULL, 0, &error, "x", (gint64) 1));
  ck_assert_uint_eq (mproc_test_count_criticals (), 4);
  ck_assert (error == NULL);
  ck_assert_str_eq (text, "untouched");
  expect_numbers (queue, 1, 1);
  mproc_queue_unref (queue);
}
END_TEST

/* ------------------------------------------------------------------ room and time */

START_TEST (bounds_are_kept)
{
  MprocQueue *queue = make_queue (2);
  GError *error = NULL;
  gint64 start;

  put_numbers (queue, 1, 2);
  ck_assert (!mproc_queue_put_packed (queue, 0, &error, "x", (gint64) 3));
  mproc_test_expect_error (&error, MPROC_ERROR_FULL, "");
  start = g_get_monotonic_time ();
  ck_assert (!mproc_queue_put_packed (queue, 50000, &error, "x", (gint64) 3));
  mproc_test_expect_error (&error, MPROC_ERROR_FULL, "");
  ck_assert_int_ge (g_get_monotonic_time () - start, 50000);
  expect_numbers (queue, 1, 2);
  expect_no_get (queue, MPROC_ERROR_EMPTY, "");
  start = g_get_monotonic_time ();
  ck_assert (!mproc_queue_get_unpacked (queue, 50000, &error, "(v)", NULL));
  mproc_test_expect_error (&error, MPROC_ERROR_EMPTY, "");
  ck_assert_int_ge (g_get_monotonic_time () - start, 50000);
  mproc_queue_unref (queue);
}
END_TEST

/* The same as what mproc_queue_put() puts. */
START_TEST (bytes_are_counted)
{
  MprocQueue *queue = mproc_queue_new_full (0, 300, NULL);
  char *text = g_strnfill (300, 'x');
  GError *error = NULL;
  guint64 n_bytes;

  ck_assert (mproc_queue_put (queue, g_variant_new ("(sx)", "text", (gint64) 1), 0,
                              NULL));
  n_bytes = mproc_queue_get_n_bytes (queue);
  ck_assert (mproc_queue_put_packed (queue, 0, NULL, "(sx)", "text", (gint64) 1));
  ck_assert_uint_eq (mproc_queue_get_n_bytes (queue), 2 * n_bytes);
  ck_assert (!mproc_queue_put_packed (queue, MPROC_FOREVER, &error, "s", text));
  mproc_test_expect_error (&error, MPROC_ERROR_TOO_LARGE, "300");
  while (mproc_queue_put_packed (queue, 0, &error, "(sx)", "text", (gint64) 1))
    ;
  mproc_test_expect_error (&error, MPROC_ERROR_FULL, "");
  while (mproc_queue_get_unpacked (queue, 0, &error, "(sx)", NULL, NULL))
    ;
  mproc_test_expect_error (&error, MPROC_ERROR_EMPTY, "");
  ck_assert_uint_eq (mproc_queue_get_n_bytes (queue), 0);
  g_free (text);
  mproc_queue_unref (queue);
}
END_TEST

START_TEST (the_end_is_told)
{
  MprocQueue *queue = make_queue (0);
  GError *error = NULL;

  put_numbers (queue, 1, 2);
  mproc_queue_shutdown (queue, FALSE);
  ck_assert (!mproc_queue_put_packed (queue, 0, &error, "x", (gint64) 3));
  mproc_test_expect_error (&error, MPROC_ERROR_CLOSED, "");
  ck_assert (!mproc_queue_put_packed (queue, 0, &error, "v",
                                      g_variant_new_boolean (TRUE)));
  mproc_test_expect_error (&error, MPROC_ERROR_CLOSED, "");
  expect_numbers (queue, 1, 2);
  expect_no_get (queue, MPROC_ERROR_CLOSED, "shut down");
  mproc_queue_unref (queue);

  queue = make_queue (0);
  put_numbers (queue, 1, 1);
  mproc_queue_close (queue);
  ck_assert (!mproc_queue_put_packed (queue, 0, &error, "x", (gint64) 3));
  mproc_test_expect_error (&error, MPROC_ERROR_CLOSED, "");
  expect_no_get (queue, MPROC_ERROR_CLOSED, "closed");
  mproc_queue_unref (queue);
}
END_TEST

START_TEST (no_memory_is_told)
{
  MprocQueue *queue = make_queue (0);
  char *text = g_strnfill (8 << 20, 'x');
  GError *error = NULL;

  put_numbers (queue, 1, 1);
  ck_assert (mproc_set_memory_limit (1, NULL));
  while (mproc_queue_put_packed (queue, 0, &error, "s", text))
    ;
  mproc_test_expect_error (&error, MPROC_ERROR_NO_MEMORY, "");
  ck_assert (mproc_set_memory_limit (G_MAXUINT64, NULL));
  expect_numbers (queue, 1, 1);
  while (mproc_queue_get_unpacked (queue, 0, NULL, "s", NULL))
    ;
  ck_assert (mproc_queue_is_empty (queue));
  g_free (text);
  mproc_queue_unref (queue);
}
END_TEST

/* ------------------------------------------------------------------ processes */

static char *
text_of (guint32 i)
{
  return g_strnfill (i % 7 == 0 ? i % 700 : i % 50, (char) ('a' + i % 26));
}

static gboolean
put_one (MprocQueue *queue, guint32 i, GError **error)
{
  char *text = text_of (i);
  gboolean ok;

  if (i % 3 == 0)
    ok = mproc_queue_put (queue, g_variant_new ("(u(sd))", i, text, i / 2.0),
                          MPROC_FOREVER, error);
  else
    ok =
        mproc_queue_put_packed (queue, MPROC_FOREVER, error, "(u(sd))", i, text, i / 2.0);
  g_free (text);
  return ok;
}

static GVariant *
produce (GVariant *args, GError **error)
{
  MprocQueue *queue;
  guint32 n;

  if (!mproc_unpack (args, error, "(&hu)", &queue, &n))
    return NULL;
  for (guint32 i = 0; i < n; i++)
    if (!put_one (queue, i, error))
      return NULL;
  return NULL;
}

static gboolean
is_right (guint32 i, const char *text, gdouble half)
{
  char *wanted = text_of (i);
  gboolean right = strcmp (text, wanted) == 0 && half == i / 2.0;

  g_free (wanted);
  return right;
}

/* Gets as many, and tells how many of them were right. */
static GVariant *
consume (GVariant *args, GError **error)
{
  MprocQueue *queue, *reports;
  guint32 n_right = 0;
  guint32 n;

  if (!mproc_unpack (args, error, "(&h&hu)", &queue, &reports, &n))
    return NULL;
  for (guint32 k = 0; k < n; k++)
    {
      gdouble half;
      guint32 i;
      char *text;

      if (!mproc_queue_get_unpacked (queue, MPROC_FOREVER, error, "(u(sd))", &i, &text,
                                     &half))
        return NULL;
      n_right += is_right (i, text, half);
      g_free (text);
    }
  mproc_queue_put_packed (reports, MPROC_FOREVER, error, "(uh)", n_right, queue);
  return NULL;
}

/* _i: the method, and whether there is little room. */
START_TEST (between_processes)
{
  MprocStartMethod method = mproc_test_method (_i / 2);
  guint32 n = (guint32) mproc_test_scale (mproc_test_is_slow_platform () ? 500 : 5000);
  MprocQueue *queue = make_queue (_i % 2 == 0 ? 0 : 2);
  MprocQueue *reports = make_queue (0);
  MprocProcess *children[4];
  guint32 n_right = 0;

  for (guint i = 0; i < 2; i++)
    {
      children[i] =
          mproc_test_start_by (method, consume, mproc_pack ("(hhu)", queue, reports, n));
      children[i + 2] =
          mproc_test_start_by (method, produce, mproc_pack ("(hu)", queue, n));
    }
  for (guint i = 0; i < 4; i++)
    mproc_test_end_with (children[i], 0);
  for (guint i = 0; i < 2; i++)
    {
      MprocQueue *same;
      guint32 number;

      ck_assert (mproc_queue_get_unpacked (reports, 0, NULL, "(uh)", &number, &same));
      ck_assert_ptr_eq (same, queue);
      mproc_queue_unref (same);
      n_right += number;
    }
  ck_assert_uint_eq (n_right, 2 * n);
  ck_assert (mproc_queue_is_empty (queue));
  mproc_queue_unref (queue);
  mproc_queue_unref (reports);
}
END_TEST

Suite *
mproc_test_queue_packed_suite (void)
{
  Suite *suite = suite_create ("queue-packed");
  TCase *tcase = mproc_test_case (suite, "packed");

  tcase_add_test (tcase, either_side_may_do_it_either_way);
  tcase_add_test (tcase, parts_may_be_left_out);
  tcase_add_test (tcase, every_other_form_does);
  tcase_add_test (tcase, texts_of_any_size);
  tcase_add_test (tcase, another_type_stays);
  tcase_add_test (tcase, another_type_stays_wherever_it_lies);
  tcase_add_test (tcase, values_that_are_not_normal);
  tcase_add_test (tcase, texts_that_cannot_be_sent);
  tcase_add_test (tcase, mistakes_are_told);
  tcase_add_test (tcase, bounds_are_kept);
  tcase_add_test (tcase, bytes_are_counted);
  tcase_add_test (tcase, the_end_is_told);
  tcase_add_test (tcase, no_memory_is_told);
  tcase_add_loop_test (tcase, between_processes, 0, 2 * (int) mproc_test_n_methods ());
  return suite;
}
