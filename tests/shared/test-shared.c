/* SPDX-License-Identifier: MIT */
/* Shared values within one process: types, layout, locks, errors. */
#include "processes.h"

#include "family/object.h"

#include <string.h>

static MprocValue *
make_value (const char *type, GVariant *initial, gpointer lock)
{
  GError *error = NULL;
  MprocValue *value = mproc_value_new (type, initial, lock, &error);

  ck_assert_msg (value != NULL, "%s: %s", type,
                 error != NULL ? error->message : "no error");
  ck_assert_ptr_null (error);
  return value;
}

/* In the one form that these bytes have: GLib's word for what lies there. */
static GVariant *
parse (const char *type, gconstpointer data, gsize size)
{
  GVariant *raw = g_variant_new_from_data ((const GVariantType *) type, data, size, FALSE,
                                           NULL, NULL);
  GVariant *normal = g_variant_get_normal_form (raw);

  g_variant_unref (g_variant_ref_sink (raw));
  return normal;
}

static GVariant *
make_zero (const char *type)
{
  GVariant *raw =
      g_variant_new_from_data ((const GVariantType *) type, NULL, 0, FALSE, NULL, NULL);
  GVariant *normal;

  g_variant_ref_sink (raw);
  normal = g_variant_get_normal_form (raw);
  g_variant_unref (raw);
  return normal;
}

static gboolean
has_same_bytes (GVariant *a, GVariant *b)
{
  return g_variant_get_size (a) == g_variant_get_size (b) &&
         memcmp (g_variant_get_data (a), g_variant_get_data (b),
                 g_variant_get_size (a)) == 0;
}

/* Looks at it, and drops what it should be. */
static void
expect (MprocValue *value, GVariant *wanted)
{
  GVariant *found = mproc_value_get (value);
  char *text;

  g_variant_ref_sink (wanted);
  ck_assert_ptr_nonnull (found);
  ck_assert (!g_variant_is_floating (found));
  text = g_variant_print (found, TRUE);
  ck_assert_msg (g_variant_equal (found, wanted), "%s", text);
  ck_assert (has_same_bytes (found, wanted));
  g_free (text);
  g_variant_unref (found);
  g_variant_unref (wanted);
}

/* ------------------------------------------------------------------ types */

/* As text, and how large they are. */
static const struct
{
  const char *type;
  const char *text;
  gsize size;
} examples[] = {
  { "b", "true", 1 },
  { "y", "byte 0xfe", 1 },
  { "n", "int16 -32768", 2 },
  { "q", "uint16 65535", 2 },
  { "i", "-2147483648", 4 },
  { "u", "uint32 4294967295", 4 },
  { "x", "int64 -9223372036854775808", 8 },
  { "t", "uint64 18446744073709551615", 8 },
  { "d", "-3.25", 8 },
  { "(id)", "(-5, 0.5)", 16 },
  { "(di)", "(0.5, -5)", 16 },
  { "(ybq)", "(byte 0x07, true, uint16 300)", 4 },
  { "(y(ny(xy))b)", "(byte 0x01, (int16 -2, byte 0x03, (int64 -4, byte 0x05)), true)",
    40 },
  { "((((i))))", "((((77,),),),)", 4 },
  { "(u)", "(uint32 9,)", 4 },
  { "()", "()", 1 },
  { "(()())", "((), ())", 2 },
  { "(i())", "(-1, ())", 8 },
  { "{yd}", "{byte 0x01, 2.5}", 16 },
};

static GVariant *
parse_text (guint i)
{
  GVariant *value = g_variant_parse ((const GVariantType *) examples[i].type,
                                     examples[i].text, NULL, NULL, NULL);

  ck_assert_msg (value != NULL, "%s", examples[i].text);
  return value;
}

START_TEST (holds_every_type)
{
  gpointer lock = _i % 2 == 0 ? MPROC_OWN_LOCK : NULL;
  guint example = (guint) _i / 2;
  const char *type = examples[example].type;
  GVariant *given = parse_text (example);
  MprocValue *value = make_value (type, NULL, lock);

  ck_assert_str_eq (mproc_value_get_type_string (value), type);
  ck_assert_uint_eq ((gsize) mproc_value_get_data (value) % 16, 0);
  expect (value, make_zero (type));
  ck_assert (mproc_value_set (value, given, NULL)); /* floating no more */
  expect (value, g_variant_ref (given));
  ck_assert_uint_eq (g_variant_get_size (given), examples[example].size);
  ck_assert_mem_eq (mproc_value_get_data (value), g_variant_get_data (given),
                    examples[example].size);
  mproc_value_unref (value);

  value = make_value (type, given, lock);
  expect (value, parse_text (example));
  mproc_value_unref (value);
  g_variant_unref (given);
}
END_TEST

typedef struct
{
  gint32 number;
  _Alignas(8) gdouble real;
} Pair;

typedef struct
{
  guint8 y;
  guint8 b;
  guint16 q;
  _Alignas(8) gint64 x;
  _Alignas(8) gdouble d;
  struct
  {
    gint16 n;
    guint8 b;
  } inner;
  guint8 last;
} Many;

START_TEST (lies_as_c_lays_it_out)
{
  MprocValue *value = make_value ("(id)", g_variant_new ("(id)", 7, 1.5), MPROC_OWN_LOCK);
  Pair *pair = mproc_value_get_data (value);
  MprocValue *many_value = make_value ("(ybqxd(nb)y)", NULL, NULL);
  Many *many = mproc_value_get_data (many_value);

  ck_assert_int_eq (pair->number, 7);
  ck_assert (pair->real == 1.5);
  pair->number = -1;
  pair->real = 1e300;
  expect (value, g_variant_new ("(id)", -1, 1e300));
  mproc_value_unref (value);

  *many = (Many){ 1, 1, 3, -4, 5.5, { -6, 1 }, 7 };
  expect (many_value,
          g_variant_new ("(ybqxd(nb)y)", 1, TRUE, 3, (gint64) -4, 5.5, -6, TRUE, 7));
  ck_assert (mproc_value_set (many_value,
                              g_variant_new ("(ybqxd(nb)y)", 9, TRUE, 8, (gint64) 7, 6.5,
                                             5, TRUE, 4),
                              NULL));
  ck_assert (many->y == 9 && many->b == 1 && many->q == 8 && many->x == 7);
  ck_assert (many->d == 6.5 && many->inner.n == 5 && many->inner.b == 1);
  ck_assert_int_eq (many->last, 4);
  mproc_value_unref (many_value);
}
END_TEST

/* At most three letters or tuples, and tuples of them. */
static void
make_type (GRand *rand, GString *type, guint depth)
{
  static const char letters[] = "bynqiuxtd";

  if (depth == 0 || g_rand_int_range (rand, 0, 3) == 0)
    {
      g_string_append_c (type, letters[g_rand_int_range (rand, 0, 9)]);
      return;
    }
  g_string_append_c (type, '(');
  for (gint n = g_rand_int_range (rand, 0, 4); n > 0; n--)
    make_type (rand, type, depth - 1);
  g_string_append_c (type, ')');
}

/* Whatever lies there, a good value comes out, and the one that GLib itself sees in it. */
static gboolean
reads_anything (GRand *rand, const char *type)
{
  MprocValue *value = make_value (type, NULL, NULL);
  guint8 *data = mproc_value_get_data (value);
  GVariant *wanted = make_zero (type);
  gsize size = g_variant_get_size (wanted);
  GVariant *found;
  GVariant *copy;
  gboolean ok;

  g_variant_unref (wanted);
  for (gsize i = 0; i < size; i++)
    data[i] = (guint8) g_rand_int_range (rand, 0, 256);
  wanted = parse (type, data, size);
  found = mproc_value_get (value);
  copy = g_variant_ref_sink (g_variant_new_from_data ((const GVariantType *) type,
                                                      g_variant_get_data (found),
                                                      g_variant_get_size (found), FALSE,
                                                      NULL, NULL));
  ok = has_same_bytes (found, wanted) && g_variant_is_normal_form (copy);
  g_variant_unref (copy);
  g_variant_unref (found);
  g_variant_unref (wanted);
  mproc_value_unref (value);
  return ok;
}

START_TEST (makes_normal_what_others_wrote)
{
  GRand *rand = g_rand_new_with_seed (1);
  GString *type = g_string_new (NULL);

  for (gint i = 0; i < mproc_test_scale (1000); i++)
    {
      g_string_truncate (type, 0);
      make_type (rand, type, 4);
      if (type->len < 200 && !reads_anything (rand, type->str))
        ck_abort_msg ("%s", type->str);
    }
  g_string_free (type, TRUE);
  g_rand_free (rand);
}
END_TEST

START_TEST (a_boolean_is_true_or_false)
{
  MprocValue *value = make_value ("b", NULL, NULL);
  MprocValue *tuple = make_value ("(bb)", NULL, NULL);

  memset (mproc_value_get_data (value), 0x80, 1);
  expect (value, g_variant_new_boolean (TRUE));
  memset (mproc_value_get_data (tuple), 0x02, 1);
  expect (tuple, g_variant_new ("(bb)", TRUE, FALSE));
  mproc_value_unref (tuple);
  mproc_value_unref (value);
}
END_TEST

/* Bytes that came from elsewhere, and are no good value. */
START_TEST (takes_what_is_not_normal)
{
  static const guint8 bad[16] = { 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1 };
  MprocValue *value = make_value ("(yx)", NULL, NULL);
  const guint8 *data = mproc_value_get_data (value);

  ck_assert (mproc_value_set (value,
                              g_variant_new_from_data ((const GVariantType *) "(yx)", bad,
                                                       16, FALSE, NULL, NULL),
                              NULL));
  expect (value, g_variant_new ("(yx)", 1, (gint64) 1));
  ck_assert_int_eq (data[1], 0);
  /* Of the wrong size: GLib reads zeros. */
  ck_assert (mproc_value_set (value,
                              g_variant_new_from_data ((const GVariantType *) "(yx)", bad,
                                                       5, FALSE, NULL, NULL),
                              NULL));
  expect (value, make_zero ("(yx)"));
  mproc_value_unref (value);
}
END_TEST

/* ------------------------------------------------------------------ what is refused */

START_TEST (refuses_other_types)
{
  static const char *const types[] = {
    "",  "s",    "ai",  "v",   "mi",    "o",      "g",        "r",
    "*", "?",    "a*",  "(s)", "(iai)", "(*)",    "i ",       "(",
    ")", "((i)", "{i}", "{}",  "ii",    "{(i)i}", "\xff\xfe", "%s%n"
  };
  GError *error = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    {
      ck_assert_ptr_null (mproc_value_new (types[i], NULL, NULL, &error));
      mproc_test_expect_error (&error, MPROC_ERROR_INVALID, "type \"");
      ck_assert_ptr_null (mproc_array_new (types[i], 3, NULL, NULL, &error));
      mproc_test_expect_error (&error, MPROC_ERROR_INVALID, "type \"");
    }
  ck_assert_ptr_null (mproc_value_new ("h", NULL, NULL, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_INVALID, "objects");
  ck_assert_ptr_null (mproc_value_new ("(i(h))", g_variant_new_int32 (1), NULL, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_INVALID, "objects");
}
END_TEST

/* So many tuples in each other, and a number. */
static char *
nest (guint depth)
{
  GString *type = g_string_new (NULL);

  for (guint i = 0; i < depth; i++)
    g_string_append_c (type, '(');
  g_string_append_c (type, 'q');
  for (guint i = 0; i < depth; i++)
    g_string_append_c (type, ')');
  return g_string_free (type, FALSE);
}

static char *
widen (guint n)
{
  char *type = g_malloc (n + 3);

  type[0] = '(';
  memset (type + 1, 'b', n);
  memcpy (type + 1 + n, ")", 2);
  return type;
}

static void
expect_limit (char *good, char *bad)
{
  MprocArray *array = mproc_array_new (good, 2, NULL, NULL, NULL);
  GError *error = NULL;
  GVariant *items;

  ck_assert_ptr_nonnull (array);
  memset (mproc_array_get_data (array, NULL), 0xff, 2);
  items = mproc_array_get_slice (array, 0, MPROC_SLICE_END, 1, NULL);
  ck_assert (mproc_array_set_slice (array, 0, 2, 1, items, NULL));
  ck_assert_uint_eq (g_variant_n_children (items), 2);
  g_variant_unref (items);
  mproc_array_unref (array);
  ck_assert_ptr_null (mproc_value_new (bad, NULL, NULL, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_INVALID, "too long");
  g_free (good);
  g_free (bad);
}

START_TEST (types_are_long_and_deep_to_a_limit)
{
  expect_limit (nest (64), nest (65));
  expect_limit (widen (253), widen (254));
}
END_TEST

START_TEST (refuses_values_of_another_type)
{
  MprocValue *value = make_value ("i", g_variant_new_int32 (5), MPROC_OWN_LOCK);
  GVariant *kept = g_variant_ref_sink (g_variant_new_string ("text"));
  GError *error = NULL;

  ck_assert_ptr_null (mproc_value_new ("i", g_variant_new_double (1), NULL, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_INVALID, "\"d\" was given");
  ck_assert_ptr_null (mproc_value_new ("(ii)", g_variant_new ("(iu)", 1, 2), NULL, NULL));
  ck_assert_ptr_null (mproc_value_new ("()", g_variant_new_int32 (1), NULL, NULL));
  ck_assert (!mproc_value_set (value, g_variant_new_uint32 (6), &error));
  mproc_test_expect_error (&error, MPROC_ERROR_INVALID, "where \"i\" is wanted");
  ck_assert (!mproc_value_set (value, kept, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_INVALID, "\"s\" was given");
  ck_assert_str_eq (g_variant_get_string (kept, NULL), "text");
  g_variant_unref (kept);
  expect (value, g_variant_new_int32 (5));
  mproc_value_unref (value);
}
END_TEST

START_TEST (wrong_use_is_a_critical)
{
  MprocValue *value = make_value ("d", NULL, NULL);
  MprocQueue *queue = mproc_queue_new (0, NULL);
  MprocArray *array = mproc_array_new ("i", 1, NULL, NULL, NULL);

  mproc_test_count_criticals ();
  ck_assert_ptr_null (mproc_value_new ("i", NULL, queue, NULL));
  ck_assert_ptr_null (mproc_array_new ("i", 1, NULL, value, NULL));
  ck_assert_ptr_null (mproc_value_new (NULL, NULL, NULL, NULL));
  ck_assert_uint_eq (mproc_test_count_criticals (), 3);
  ck_assert_ptr_null (mproc_value_get ((MprocValue *) (gpointer) array));
  ck_assert_ptr_null (mproc_array_get_data ((MprocArray *) (gpointer) value, NULL));
  ck_assert (!mproc_value_set (value, NULL, NULL));
  ck_assert_uint_eq (mproc_test_count_criticals (), 3);
  ck_assert_int_eq (mproc_value_add (value, 1), 0);
  ck_assert_int_eq (mproc_value_acquire (value, 0), MPROC_LOCK_STATUS_TIMED_OUT);
  ck_assert (!mproc_value_release (value, NULL));
  ck_assert_int_eq (mproc_array_acquire (array, 0), MPROC_LOCK_STATUS_TIMED_OUT);
  ck_assert (!mproc_array_release (array, NULL));
  ck_assert_uint_eq (mproc_test_count_criticals (), 5);
  mproc_value_unref (NULL);
  mproc_array_unref (NULL);
  ck_assert_uint_eq (mproc_test_count_criticals (), 0);
  mproc_array_unref (array);
  mproc_queue_unref (queue);
  mproc_value_unref (value);
}
END_TEST

/* ------------------------------------------------------------------ adding */

static void
expect_sums (const char *type, gint64 most, gint64 least, gint64 above)
{
  MprocValue *value = make_value (type, NULL, NULL);

  ck_assert_int_eq (mproc_value_add (value, 5), 0);
  ck_assert_int_eq (mproc_value_add (value, -3), 5);
  ck_assert_int_eq (mproc_value_add (value, most - 2), 2);
  ck_assert_int_eq (mproc_value_add (value, 1), most);
  ck_assert_int_eq (mproc_value_add (value, -1), least);
  ck_assert_int_eq (mproc_value_add (value, 0), most);
  ck_assert_int_eq (mproc_value_add (value, -most - 1), most);
  ck_assert_int_eq (mproc_value_add (value, 0), above);
  mproc_value_unref (value);
}

START_TEST (adds_and_wraps_around)
{
  expect_sums ("y", G_MAXUINT8, 0, G_MAXUINT8);
  expect_sums ("n", G_MAXINT16, G_MININT16, -1);
  expect_sums ("q", G_MAXUINT16, 0, G_MAXUINT16);
  expect_sums ("i", G_MAXINT32, G_MININT32, -1);
  expect_sums ("u", G_MAXUINT32, 0, G_MAXUINT32);
  expect_sums ("x", G_MAXINT64, G_MININT64, -1);
  expect_sums ("t", G_MAXINT64, G_MININT64, -1);
}
END_TEST

/* ------------------------------------------------------------------ locks */

START_TEST (has_the_lock_it_was_given)
{
  MprocLock *lock = mproc_lock_new (NULL);
  MprocRLock *rlock = mproc_rlock_new (NULL);
  MprocValue *none = make_value ("i", NULL, NULL);
  MprocValue *own = make_value ("i", NULL, MPROC_OWN_LOCK);
  MprocValue *locked = make_value ("i", NULL, lock);
  MprocValue *rlocked = make_value ("i", NULL, rlock);
  MprocArray *array = mproc_array_new ("i", 4, NULL, rlock, NULL);

  ck_assert_ptr_null (mproc_value_get_lock (none));
  ck_assert_ptr_eq (mproc_value_get_lock (locked), lock);
  ck_assert_ptr_eq (mproc_value_get_lock (rlocked), rlock);
  ck_assert_ptr_eq (mproc_array_get_lock (array), rlock);

  ck_assert (!mproc_rlock_is_locked (mproc_value_get_lock (own)));
  ck_assert_int_eq (mproc_value_acquire (own, MPROC_FOREVER), MPROC_LOCK_STATUS_ACQUIRED);
  ck_assert (mproc_rlock_is_mine (mproc_value_get_lock (own)));
  ck_assert (mproc_value_release (own, NULL));

  /* One lock for several. */
  ck_assert_int_eq (mproc_value_acquire (locked, 0), MPROC_LOCK_STATUS_ACQUIRED);
  ck_assert (mproc_lock_is_locked (lock));
  ck_assert_int_eq (mproc_value_acquire (locked, 0), MPROC_LOCK_STATUS_TIMED_OUT);
  ck_assert (mproc_lock_release (lock, NULL));
  ck_assert_int_eq (mproc_array_acquire (array, 0), MPROC_LOCK_STATUS_ACQUIRED);
  ck_assert (mproc_rlock_is_mine (rlock));
  ck_assert (mproc_value_release (rlocked, NULL));

  /* It stays. */
  mproc_lock_unref (lock);
  mproc_rlock_unref (rlock);
  expect (locked, g_variant_new_int32 (0));
  ck_assert_int_eq (mproc_value_acquire (rlocked, 0), MPROC_LOCK_STATUS_ACQUIRED);
  ck_assert (mproc_array_release (array, NULL));
  mproc_array_unref (array);
  mproc_value_unref (rlocked);
  mproc_value_unref (locked);
  mproc_value_unref (own);
  mproc_value_unref (none);
}
END_TEST

static MprocHandle
handle_of (gpointer object)
{
  return ((MprocObject *) object)->handle;
}

/* Its own lock, which has been asked for, and one that it was given, which has not. */
START_TEST (locks_end_with_what_they_guard)
{
  MprocValue *value = make_value ("i", NULL, MPROC_OWN_LOCK);
  MprocHandle own = handle_of (mproc_value_get_lock (value));
  MprocLock *lock = mproc_lock_new (NULL);
  MprocHandle given = handle_of (lock);
  MprocArray *array = mproc_array_new ("i", 1, NULL, lock, NULL);

  mproc_lock_unref (lock);
  ck_assert_int_eq (mproc_handle_get_kind (own), MPROC_KIND_RLOCK);
  ck_assert_int_eq (mproc_handle_get_kind (given), MPROC_KIND_LOCK);
  mproc_value_unref (value);
  mproc_array_unref (array);
  ck_assert_int_eq (mproc_handle_get_kind (own), MPROC_KIND_NONE);
  ck_assert_int_eq (mproc_handle_get_kind (given), MPROC_KIND_NONE);
}
END_TEST

START_TEST (release_without_acquire_is_an_error)
{
  MprocLock *lock = mproc_lock_new (NULL);
  MprocValue *locked = make_value ("i", NULL, lock);
  MprocValue *own = make_value ("i", NULL, MPROC_OWN_LOCK);
  GError *error = NULL;

  ck_assert (!mproc_value_release (locked, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_OVER_RELEASE, "free");
  ck_assert (!mproc_value_release (own, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_NOT_OWNER, "not held");
  mproc_value_unref (own);
  mproc_value_unref (locked);
  mproc_lock_unref (lock);
}
END_TEST

START_TEST (a_recursive_lock_recurs)
{
  MprocValue *value = make_value ("(ii)", NULL, MPROC_OWN_LOCK);
  MprocArray *array = mproc_array_new ("i", 3, NULL, mproc_value_get_lock (value), NULL);
  GVariant *item;

  ck_assert_int_eq (mproc_value_acquire (value, 0), MPROC_LOCK_STATUS_ACQUIRED);
  ck_assert_int_eq (mproc_value_acquire (value, 0), MPROC_LOCK_STATUS_ACQUIRED);
  expect (value, g_variant_new ("(ii)", 0, 0));
  ck_assert (mproc_value_set (value, g_variant_new ("(ii)", 1, 2), NULL));
  ck_assert (mproc_array_set (array, 0, g_variant_new_int32 (3), NULL));
  item = mproc_array_get (array, 0, NULL);
  ck_assert_int_eq (g_variant_get_int32 (item), 3);
  g_variant_unref (item);
  expect (value, g_variant_new ("(ii)", 1, 2));
  ck_assert (mproc_value_release (value, NULL));
  ck_assert (mproc_rlock_is_mine (mproc_value_get_lock (value)));
  ck_assert (mproc_value_release (value, NULL));
  ck_assert (!mproc_rlock_is_locked (mproc_value_get_lock (value)));
  mproc_array_unref (array);
  mproc_value_unref (value);
}
END_TEST

/* ------------------------------------------------------------------ life */

START_TEST (travels_in_values)
{
  MprocValue *value = make_value ("i", g_variant_new_int32 (3), MPROC_OWN_LOCK);
  GVariant *packed = g_variant_ref_sink (mproc_pack ("(h)", value));
  gint32 *data = mproc_value_get_data (value);
  MprocValue *again;

  ck_assert_ptr_eq (mproc_value_ref (value), value);
  mproc_value_unref (value);
  mproc_value_unref (value);
  ck_assert (mproc_unpack (packed, NULL, "(h)", &again));
  ck_assert_ptr_eq (mproc_value_get_data (again), data);
  expect (again, g_variant_new_int32 (3));
  g_variant_unref (packed);
  mproc_value_unref (again);
}
END_TEST

Suite *
mproc_test_shared_suite (void)
{
  Suite *suite = suite_create ("shared");
  TCase *types = mproc_test_case (suite, "types");
  TCase *refused = mproc_test_case (suite, "refused");
  TCase *locks = mproc_test_case (suite, "locks");

  tcase_add_loop_test (types, holds_every_type, 0, 2 * (int) G_N_ELEMENTS (examples));
  tcase_add_test (types, lies_as_c_lays_it_out);
  tcase_add_test (types, makes_normal_what_others_wrote);
  tcase_add_test (types, a_boolean_is_true_or_false);
  tcase_add_test (types, takes_what_is_not_normal);
  tcase_add_test (types, adds_and_wraps_around);
  tcase_add_test (types, travels_in_values);
  tcase_add_test (refused, refuses_other_types);
  tcase_add_test (refused, types_are_long_and_deep_to_a_limit);
  tcase_add_test (refused, refuses_values_of_another_type);
  tcase_add_test (refused, wrong_use_is_a_critical);
  tcase_add_test (locks, has_the_lock_it_was_given);
  tcase_add_test (locks, locks_end_with_what_they_guard);
  tcase_add_test (locks, release_without_acquire_is_an_error);
  tcase_add_test (locks, a_recursive_lock_recurs);
  return suite;
}
