/* SPDX-License-Identifier: MIT */
/* What a map's function is given, and what is made of its values, for items of every form and size. */
#include "pools.h"

#include <string.h>

/* ------------------------------------------------------------------ functions that run there */

static GVariant *
echo (GVariant *x, GError **error)
{
  (void) error;
  return g_variant_ref (x);
}

/* What it was given three items ago, if that was in the same worker; and keeps its item. */
static GVariant *
echo_later (GVariant *x, GError **error)
{
  static GVariant *kept[3];
  static guint next;
  GVariant *before = kept[next % 3];

  (void) error;
  kept[next++ % 3] = g_variant_ref (x);
  return before != NULL ? before : g_variant_ref (x);
}

/* As a rule a number; of each seventh item something else. */
static GVariant *
change_types (GVariant *x, GError **error)
{
  gint32 n = g_variant_get_int32 (x);

  (void) error;
  if (n % 7 != 0)
    return g_variant_new_int32 (n);
  return n % 2 != 0 ? g_variant_new ("(si)", "odd", n)
                    : g_variant_new ("v", g_variant_new_int32 (n));
}

static GVariant *
fail_after_an_object (GVariant *x, GError **error)
{
  if (g_variant_is_of_type (x, G_VARIANT_TYPE ("(h)")))
    return g_variant_ref (x);
  g_set_error_literal (error, g_quark_from_string ("test"), 1, "no object");
  return NULL;
}

/* ------------------------------------------------------------------ items */

static GVariant *make (const GVariantType *type, guint seed);

static GVariant *
make_container (const GVariantType *type, guint seed)
{
  GVariant *children[8];
  guint n = 0;
  const GVariantType *at;

  if (g_variant_type_is_maybe (type))
    {
      const GVariantType *inner = g_variant_type_element (type);

      return g_variant_new_maybe (inner, seed % 3 == 0 ? NULL : make (inner, seed));
    }
  if (g_variant_type_is_array (type))
    {
      const GVariantType *inner = g_variant_type_element (type);
      GVariantBuilder all;

      g_variant_builder_init (&all, type);
      for (guint i = 0; i < seed % 5; i++)
        g_variant_builder_add_value (&all, make (inner, seed + i));
      return g_variant_builder_end (&all);
    }
  if (g_variant_type_is_dict_entry (type))
    return g_variant_new_dict_entry (make (g_variant_type_key (type), seed),
                                     make (g_variant_type_value (type), seed + 1));
  for (at = g_variant_type_first (type); at != NULL; at = g_variant_type_next (at))
    {
      children[n] = make (at, seed * 3 + n);
      n++;
    }
  return g_variant_new_tuple (children, n);
}

/* A value of that type, which @seed chooses. */
static GVariant *
make (const GVariantType *type, guint seed)
{
  static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
  char *text;
  GVariant *value;

  switch (*g_variant_type_peek_string (type))
    {
    case 'b':
      return g_variant_new_boolean (seed % 2 != 0);
    case 'y':
      return g_variant_new_byte ((guint8) seed);
    case 'n':
      return g_variant_new_int16 ((gint16) seed);
    case 'x':
      return g_variant_new_int64 ((gint64) seed << 20);
    case 'd':
      return g_variant_new_double (seed / 3.0);
    case 'i':
      return g_variant_new_int32 ((gint32) seed);
    case 'g':
      return g_variant_new_signature (seed % 2 != 0 ? "a{sv}" : "");
    case 'v':
      return g_variant_new_variant (make (G_VARIANT_TYPE (seed % 2 != 0 ? "s" : "(xs)"),
                                          seed));
    case 's':
      text = g_strdup_printf ("%u%.*s", seed, (int) (seed * 7 % 26), letters);
      value = g_variant_new_string (text);
      g_free (text);
      return value;
    default:
      break;
    }
  return make_container (type, seed);
}

static GVariant *
make_array (const char *element, guint n)
{
  GVariant **children = g_new (GVariant *, n);
  GVariant *value;

  for (guint i = 0; i < n; i++)
    children[i] = make (G_VARIANT_TYPE (element), i);
  value = g_variant_new_array (G_VARIANT_TYPE (element), children, n);
  g_free (children);
  return g_variant_ref_sink (value);
}

/* As g_variant_equal(), which prints what is long. */
static gboolean
is_same (GVariant *one, GVariant *other)
{
  gsize size = g_variant_get_size (one);

  return g_variant_type_equal (g_variant_get_type (one), g_variant_get_type (other)) &&
         g_variant_get_size (other) == size &&
         (size == 0 ||
          memcmp (g_variant_get_data (one), g_variant_get_data (other), size) == 0);
}

static void
expect_same (GVariant *results, GVariant *items)
{
  gsize n = g_variant_n_children (items);
  gboolean right;

  ck_assert_ptr_nonnull (results);
  ck_assert (g_variant_is_normal_form (results));
  right = g_variant_n_children (results) == n;
  for (gsize i = 0; right && i < n; i++)
    {
      GVariant *result;
      GVariant *item = g_variant_get_child_value (items, i);

      g_variant_get_child (results, i, "v", &result);
      if (g_variant_is_of_type (item, G_VARIANT_TYPE_VARIANT))
        {
          GVariant *inside = g_variant_get_variant (item);

          g_variant_unref (item);
          item = inside;
        }
      right = is_same (result, item);
      g_variant_unref (item);
      g_variant_unref (result);
    }
  ck_assert_msg (right, "of type %s", g_variant_get_type_string (items));
  g_variant_unref (results);
}

static const char *const elements[] = { "y",        "b",     "n",   "x",    "d",
                                        "s",        "g",     "v",   "()",   "(yx)",
                                        "(xs)",     "(sn)",  "as",  "ay",   "ax",
                                        "ms",       "mx",    "mmy", "{sv}", "a{sv}",
                                        "(y(ny)d)", "(sas)", "aas", "(ms)", "a()" };

START_TEST (items_of_every_type_arrive_whole)
{
  static const guint counts[] = { 1, 2, 130, 2000 };
  static const guint chunks[] = { 0, 1, 300 };
  MprocPool *pool = mproc_test_pool (2, _i);

  for (guint t = 0; t < G_N_ELEMENTS (elements); t++)
    for (guint i = 0; i < G_N_ELEMENTS (counts); i++)
      {
        GVariant *items = make_array (elements[t], counts[i]);

        for (guint j = 0; j < G_N_ELEMENTS (chunks); j++)
          expect_same (mproc_pool_map (pool, echo, items, chunks[j], NULL), items);
        g_variant_unref (items);
      }
  mproc_test_end_pool (pool);
}
END_TEST

/* Each far beyond what is copied at once. */
START_TEST (large_items_arrive_whole)
{
  MprocPool *pool = mproc_test_pool (2, _i);
  GVariantBuilder all;
  GVariant *items;

  g_variant_builder_init (&all, G_VARIANT_TYPE ("aay"));
  for (guint i = 0; i < 30; i++)
    {
      gsize size = i % 3 == 0 ? i : i * 10000;
      guint8 *bytes = g_malloc (MAX (size, 1));

      memset (bytes, (int) i, size);
      g_variant_builder_add_value (&all, g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE,
                                                                    bytes, size, 1));
      g_free (bytes);
    }
  items = g_variant_ref_sink (g_variant_builder_end (&all));
  for (guint chunk = 0; chunk < 12; chunk += 5)
    expect_same (mproc_pool_map (pool, echo, items, chunk, NULL), items);
  g_variant_unref (items);
  mproc_test_end_pool (pool);
}
END_TEST

START_TEST (a_function_may_keep_its_item)
{
  MprocPool *pool = mproc_test_pool (2, _i);
  static const char *const types[] = { "x", "s", "(xs)", "(yx)" };

  if (mproc_test_method (_i) == MPROC_START_METHOD_THREAD)
    {
      /* Its workers would share the function's variable. */
      mproc_test_end_pool (pool);
      return;
    }
  for (guint round = 0; round < 12; round++)
    {
      GVariant *items = make_array (types[round % 4], 3000);
      GVariant *results = mproc_pool_map (pool, echo_later, items, 0, NULL);

      ck_assert_ptr_nonnull (results);
      ck_assert (g_variant_is_normal_form (results));
      ck_assert_uint_eq (g_variant_n_children (results), 3000);
      g_variant_unref (results);
      g_variant_unref (items);
    }
  mproc_test_end_pool (pool);
}
END_TEST

/* As GLib takes it, where an item's end is not behind its start. */
START_TEST (what_is_no_proper_form_arrives_as_it_is)
{
  static const guint8 lies[][8] = { { 1, 2, 3, 4, 5, 2, 4, 5 },
                                    { 1, 2, 3, 4, 5, 4, 2, 5 },
                                    { 1, 2, 3, 4, 5, 2, 250, 5 } };
  MprocPool *pool = mproc_test_pool (2, _i);

  for (guint i = 0; i < G_N_ELEMENTS (lies); i++)
    {
      GVariant *items =
          g_variant_ref_sink (g_variant_new_from_data (G_VARIANT_TYPE ("aay"), lies[i],
                                                       sizeof lies[i], TRUE, NULL, NULL));

      for (guint chunk = 0; chunk < 4; chunk++)
        expect_same (mproc_pool_map (pool, echo, items, chunk, NULL), items);
      g_variant_unref (items);
    }
  mproc_test_end_pool (pool);
}
END_TEST

START_TEST (values_may_be_of_other_types_each)
{
  MprocPool *pool = mproc_test_pool (2, _i);
  GVariant *items = make_array ("i", 5000);
  GVariant *results = mproc_pool_map (pool, change_types, items, 0, NULL);
  gboolean right = results != NULL && g_variant_is_normal_form (results);

  for (gint32 i = 0; right && i < 5000; i++)
    {
      GVariant *value;
      gint32 n = -1;

      g_variant_get_child (results, (gsize) i, "v", &value);
      if (i % 7 != 0)
        n = g_variant_get_int32 (value);
      else if (i % 2 != 0)
        g_variant_get (value, "(si)", NULL, &n);
      else
        {
          GVariant *inside = g_variant_get_variant (value);

          n = g_variant_get_int32 (inside);
          g_variant_unref (inside);
        }
      right = n == i;
      g_variant_unref (value);
    }
  ck_assert (right);
  g_variant_unref (results);
  g_variant_unref (items);
  mproc_test_end_pool (pool);
}
END_TEST

/* A part that fails has made some of its values already: what they carry must not stay in flight. */
START_TEST (values_of_a_part_that_fails_are_dropped)
{
  MprocPool *pool = mproc_test_pool (2, _i);
  MprocQueue *queue = mproc_queue_new (0, NULL);

  for (guint i = 0; i < 10; i++)
    {
      GVariant *children[3];
      GError *error = NULL;

      children[0] = mproc_pack ("(h)", queue);
      children[1] = mproc_pack ("(h)", queue);
      children[2] = g_variant_new_int32 (1);
      ck_assert_ptr_null (mproc_pool_map (pool, fail_after_an_object,
                                          g_variant_new_tuple (children, 3), 3, &error));
      ck_assert_str_eq (error->message, "no object");
      g_error_free (error);
    }
  mproc_test_end_pool (pool);
  mproc_queue_unref (queue);
}
END_TEST

Suite *mproc_test_pool_items_suite (void);

Suite *
mproc_test_pool_items_suite (void)
{
  static const TTest *const *const tests[] = {
    &items_of_every_type_arrive_whole,  &large_items_arrive_whole,
    &a_function_may_keep_its_item,      &what_is_no_proper_form_arrives_as_it_is,
    &values_may_be_of_other_types_each, &values_of_a_part_that_fails_are_dropped,
  };
  Suite *suite = suite_create ("pool-items");
  TCase *tcase = mproc_test_case (suite, "pool-items");

  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    tcase_add_loop_test (tcase, *tests[i], 0, (int) mproc_test_n_methods ());
  return suite;
}
