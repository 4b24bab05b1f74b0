/* SPDX-License-Identifier: MIT */
/* Values written and read without a GVariant: the bytes are GLib's. */
#include "mproc-test.h"

#include "values/fastpack.h"

#include <string.h>

#define N 8 /* leaves of a random form at most */

/* ------------------------------------------------------------------ random forms */

/* How an argument is passed: as an int, as 64 bits, as a double, or as a pointer. */
typedef enum
{
  I,
  L,
  D,
  S
} Class;

typedef struct
{
  GRand *rand;
  GString *format;
  guint n;    /* leaves */
  guint code; /* the classes of four leaves, two bits each; then again from the first */
  char letters[N]; /* the leaves' types */
  gint ints[N];
  gint64 longs[N];
  gdouble doubles[N];
  char *texts[N];
  gsize typical; /* length of a text */
} Sample;

static Class
class_of (const Sample *self, guint i)
{
  return (Class) (self->code >> 2 * (i % 4) & 3);
}

static char
choose (GRand *rand, const char *letters)
{
  return letters[g_rand_int_range (rand, 0, (gint32) strlen (letters))];
}

static void
add_leaf (Sample *self)
{
  static const char *const letters[] = { "bynqiu", "xt", "d", "sog" };
  char letter = choose (self->rand, letters[class_of (self, self->n)]);

  self->letters[self->n++] = letter;
  if (strchr ("sog", letter) != NULL && g_rand_boolean (self->rand))
    g_string_append_c (self->format, '&');
  g_string_append_c (self->format, letter);
}

/* Of @n leaves in all. */
static void
add_tuple (Sample *self, guint n, guint depth)
{
  guint end = self->n + n;

  g_string_append_c (self->format, '(');
  while (self->n < end)
    if (depth < 6 && g_rand_int_range (self->rand, 0, 4) == 0)
      add_tuple (self,
                 (guint) g_rand_int_range (self->rand, 0, (gint32) (end - self->n) + 1),
                 depth + 1);
    else
      add_leaf (self);
  if (depth < 6 && g_rand_int_range (self->rand, 0, 10) == 0)
    add_tuple (self, 0, depth + 1);
  g_string_append_c (self->format, ')');
}

static char *
make_text (Sample *self, char letter)
{
  gsize length = (gsize) g_rand_int_range (self->rand, 0, (gint32) self->typical + 1);
  GString *text = g_string_new (letter == 'o' ? "/" : "");

  if (g_rand_boolean (self->rand))
    length = self->typical;
  if (letter == 's' && g_rand_int_range (self->rand, 0, 5) == 0)
    g_string_append (text, "\303\244\342\202\254\360\237\230\200");
  if (text->len < length)
    {
      gsize from = text->len;

      g_string_set_size (text, length);
      memset (text->str + from, letter == 'g' ? 'x' : choose (self->rand, "abcxyz019_"),
              length - from);
    }
  if (letter == 'g' && text->len > 255)
    g_string_truncate (text, 255);
  return g_string_free (text, FALSE);
}

/* Limits and zero as often as anything else. */
static gint64
make_number (GRand *rand)
{
  static const gint64 special[] = { 0,          1,          -1,         127,       128,
                                    255,        256,        32767,      -32768,    65535,
                                    G_MAXINT32, G_MININT32, G_MAXINT64, G_MININT64 };

  if (g_rand_boolean (rand))
    return special[g_rand_int_range (rand, 0, G_N_ELEMENTS (special))];
  return (gint64) ((guint64) g_rand_int (rand) << 32 | g_rand_int (rand));
}

static gint
narrow (char letter, gint64 number)
{
  switch (letter)
    {
    case 'b':
      return number & 1;
    case 'y':
      return (guint8) number;
    case 'n':
      return (gint16) number;
    case 'q':
      return (guint16) number;
    default:
      return (gint) number;
    }
}

static void
sample_init (Sample *self, GRand *rand, gsize typical)
{
  guint n = (guint) g_rand_int_range (rand, 0, N + 1);

  *self = (Sample){ .rand = rand, .format = g_string_new (NULL), .typical = typical };
  self->code = (guint) g_rand_int_range (rand, 0, 256);
  if (n == 1 && g_rand_boolean (rand))
    add_leaf (self);
  else
    add_tuple (self, n, 0);
  for (guint i = 0; i < self->n; i++)
    {
      gint64 number = make_number (rand);

      self->ints[i] = narrow (self->letters[i], number);
      self->longs[i] = number;
      self->doubles[i] = (gdouble) number / 3;
      self->texts[i] = make_text (self, self->letters[i]);
    }
}

static void
sample_clear (Sample *self)
{
  g_string_free (self->format, TRUE);
  for (guint i = 0; i < self->n; i++)
    g_free (self->texts[i]);
}

/* ------------------------------------------------------------------ both ways at once */

typedef struct
{
  GVariant *value;
  gboolean ok;
  MprocFastpackBuffer buffer;
} Written;

static void
write_both (Written *to, const char *format, ...)
{
  MprocFastpack form;
  va_list arguments;

  ck_assert_msg (mproc_fastpack_init (&form, format), "%s", format);
  va_start (arguments, format);
  to->value = g_variant_ref_sink (g_variant_new_va (format, NULL, &arguments));
  va_end (arguments);
  va_start (arguments, format);
  mproc_fastpack_buffer_init (&to->buffer);
  to->ok = mproc_fastpack_write (&form, &to->buffer, &arguments, NULL);
  va_end (arguments);
  ck_assert_uint_eq (form.type_length, strlen (g_variant_get_type_string (to->value)));
  ck_assert_int_eq (memcmp (form.type, g_variant_get_type_string (to->value),
                            form.type_length),
                    0);
}

/* A call for each order of the classes of four arguments, which comes twice. */
#define PASS_I(i) sample->ints[i]
#define PASS_L(i) sample->longs[i]
#define PASS_D(i) sample->doubles[i]
#define PASS_S(i) sample->texts[i]
#define CASE(a, b, c, d)                                                                 \
  case a | b << 2 | c << 4 | d << 6:                                                     \
    write_both (to, sample->format->str, PASS_##a (0), PASS_##b (1), PASS_##c (2),       \
                PASS_##d (3), PASS_##a (4), PASS_##b (5), PASS_##c (6), PASS_##d (7));   \
    break;
#define CASES_OF_3(b, c, d)                                                              \
  CASE (I, b, c, d) CASE (L, b, c, d) CASE (D, b, c, d) CASE (S, b, c, d)
#define CASES_OF_2(c, d)                                                                 \
  CASES_OF_3 (I, c, d) CASES_OF_3 (L, c, d) CASES_OF_3 (D, c, d) CASES_OF_3 (S, c, d)
#define CASES_OF_1(d)                                                                    \
  CASES_OF_2 (I, d) CASES_OF_2 (L, d) CASES_OF_2 (D, d) CASES_OF_2 (S, d)

static void
write_sample (const Sample *sample, Written *to)
{
  switch (sample->code)
    {
      CASES_OF_1 (I)
      CASES_OF_1 (L)
      CASES_OF_1 (D)
      CASES_OF_1 (S)
    default:
      ck_abort ();
    }
}

static void
written_clear (Written *self)
{
  g_variant_unref (self->value);
  mproc_fastpack_buffer_clear (&self->buffer);
}

typedef union
{
  guint64 number;
  gdouble real;
  char *text;
} Part;

/* Consumes the texts. */
static void
expect_same_parts (const Sample *sample, const Part *parts, const Part *wanted)
{
  for (guint i = 0; i < sample->n; i++)
    if (class_of (sample, i) == S)
      {
        ck_assert_str_eq (parts[i].text, wanted[i].text);
        g_free (parts[i].text);
        g_free (wanted[i].text);
      }
    else
      ck_assert_msg (memcmp (&parts[i], &wanted[i], sizeof *parts) == 0, "%s: part %u",
                     sample->format->str, i);
}

static gboolean
read_fast (const MprocFastpack *form, gconstpointer data, gsize size, ...)
{
  va_list arguments;
  gboolean ok;

  va_start (arguments, size);
  ok = mproc_fastpack_read (form, data, size, &arguments);
  va_end (arguments);
  return ok;
}

/* Reads @data in both ways; FALSE, with nothing written, if the fast one refuses. */
static gboolean
read_both (const Sample *sample, gconstpointer data, gsize size)
{
  Part fast[N] = { { 0 } };
  Part slow[N] = { { 0 } };
  const Part none[N] = { { 0 } };
  char **format = g_strsplit (sample->format->str, "&", -1);
  char *owning = g_strjoinv ("", format); /* all texts are copied */
  MprocFastpack form;
  GVariant *value;

  ck_assert (mproc_fastpack_init (&form, owning));
  if (!read_fast (&form, data, size, &fast[0], &fast[1], &fast[2], &fast[3], &fast[4],
                  &fast[5], &fast[6], &fast[7]))
    {
      ck_assert_int_eq (memcmp (fast, none, sizeof none), 0);
      g_strfreev (format);
      g_free (owning);
      return FALSE;
    }
  value = g_variant_new_from_data (G_VARIANT_TYPE (owning), data, size, TRUE, NULL, NULL);
  g_variant_ref_sink (value);
  g_variant_get (value, owning, &slow[0], &slow[1], &slow[2], &slow[3], &slow[4],
                 &slow[5], &slow[6], &slow[7]);
  expect_same_parts (sample, fast, slow);
  g_variant_unref (value);
  g_strfreev (format);
  g_free (owning);
  return TRUE;
}

/* ------------------------------------------------------------------ the same bytes */

static void
expect_same_bytes (const Sample *sample, const Written *written)
{
  gconstpointer data = g_variant_get_data (written->value);
  gsize size = g_variant_get_size (written->value);

  ck_assert (written->ok);
  ck_assert_msg (written->buffer.size == size &&
                     memcmp (written->buffer.data, data, size) == 0,
                 "%s: %" G_GSIZE_FORMAT " bytes, GLib makes %" G_GSIZE_FORMAT,
                 sample->format->str, written->buffer.size, size);
  ck_assert_msg (read_both (sample, data, size), "%s", sample->format->str);
}

/* Offsets grow where the whole exceeds 255 and 65535 bytes. */
START_TEST (bytes_are_those_of_glib)
{
  static const gsize typical[] = { 8,   40,  120,   250,   254,  255,
                                   256, 510, 32760, 65500, 65533 };
  GRand *rand = g_rand_new_with_seed (1);
  gint n = mproc_test_scale (mproc_test_is_slow_platform () ? 3000 : 20000);

  for (gint k = 0; k < n; k++)
    {
      gsize i = (gsize) k % (k % 10 == 0 ? 11 : 8);
      Sample sample;
      Written written;

      sample_init (&sample, rand, typical[i]);
      write_sample (&sample, &written);
      expect_same_bytes (&sample, &written);
      written_clear (&written);
      sample_clear (&sample);
    }
  g_rand_free (rand);
}
END_TEST

static void
expect_same (const Sample *sample, const char *format, const char *one, const char *two)
{
  Written written;

  write_both (&written, format, one, two);
  g_string_assign (sample->format, format);
  expect_same_bytes (sample, &written);
  written_clear (&written);
}

/* Every length around the limits, with one offset, and with two. */
START_TEST (offsets_grow_where_those_of_glib_do)
{
  char *text = g_malloc (65600);
  Sample sample = { .format = g_string_new (NULL), .n = 2, .code = 0xff };

  memset (text, 'a', 65599);
  text[65599] = '\0';
  for (gsize i = 0; i < 330; i++)
    {
      gsize length = i < 30 ? 240 + i : 65250 + i;

      text[length] = '\0';
      expect_same (&sample, "(ss)", "x", text);
      expect_same (&sample, "(ss)", text, "x");
      expect_same (&sample, "(ss())", text, "x");
      expect_same (&sample, "((s)(s))", text, "x");
      expect_same (&sample, "((ss))", text, "");
      expect_same (&sample, "(((s)s)())", text, "");
      text[length] = 'a';
    }
  g_string_free (sample.format, TRUE);
  g_free (text);
}
END_TEST

/* ------------------------------------------------------------------ other bytes */

/* What a value can be that was never checked.  Whatever is accepted means what it means to
 * GLib, and nothing beyond the data is read, which has no byte more. */
static guint
read_damaged (const Sample *sample, const Written *written)
{
  GRand *rand = sample->rand;
  gsize size = written->buffer.size;
  guint n_refused = 0;

  for (guint k = 0; k < 8; k++)
    {
      gsize less = k % 2 == 0 ? 0 : (gsize) g_rand_int_range (rand, 0, (gint32) size + 1);
      guint8 *data = g_malloc (size - less + 1);
      guint8 *exact = g_malloc (size - less);

      memcpy (data, written->buffer.data, size - less);
      if (less < size)
        data[g_rand_int_range (rand, 0, (gint32) (size - less))] =
            (guint8) g_rand_int_range (rand, 0, 256);
      if (less < size)
        memcpy (exact, data, size - less);
      n_refused += !read_both (sample, exact, size - less);
      g_free (exact);
      g_free (data);
    }
  return n_refused;
}

START_TEST (other_bytes_are_refused_or_mean_the_same)
{
  GRand *rand = g_rand_new_with_seed (2);
  gint n = mproc_test_scale (mproc_test_is_slow_platform () ? 500 : 5000);
  guint n_refused = 0;

  for (gint k = 0; k < n; k++)
    {
      Sample sample;
      Written written;

      sample_init (&sample, rand, k % 20 == 0 ? 300 : 6);
      write_sample (&sample, &written);
      n_refused += read_damaged (&sample, &written);
      written_clear (&written);
      sample_clear (&sample);
    }
  ck_assert_uint_gt (n_refused, (guint) n);
  g_rand_free (rand);
}
END_TEST

/* ------------------------------------------------------------------ the edges */

START_TEST (other_forms_are_left_to_glib)
{
  static const char *const formats[] = {
    "",     "v",   "as",   "(",    ")",     "(i", "i)",   "(i)i",  "ii",
    "h",    "f",   "&h",   "(ih)", "(ias)", "mi", "{sv}", "&i",    "&(s)",
    "(&i)", "@s",  "(@s)", "?",    "(i?)",  "*",  "r",    "^as",   "(s^ay)",
    "&",    "&&s", "(&)",  "a",    "(i))",  " i", "i ",   "(i,s)",
  };
  GString *many = g_string_new ("(");
  MprocFastpack form;

  for (guint i = 0; i < G_N_ELEMENTS (formats); i++)
    ck_assert_msg (!mproc_fastpack_init (&form, formats[i]), "%s", formats[i]);
  while (many->len < MPROC_FASTPACK_MAX_STEPS)
    g_string_append_c (many, 'y');
  g_string_append_c (many, ')');
  ck_assert (mproc_fastpack_init (&form, many->str));
  ck_assert_uint_eq (form.n_steps, MPROC_FASTPACK_MAX_STEPS);
  ck_assert_uint_eq (form.steps[0].size, MPROC_FASTPACK_MAX_STEPS - 1);
  g_string_insert_c (many, 1, 'y');
  ck_assert (!mproc_fastpack_init (&form, many->str));
  g_string_free (many, TRUE);
}
END_TEST

/* As many tuples in each other as there may be. */
START_TEST (deep_forms)
{
  char format[2 * MPROC_FASTPACK_MAX_STEPS] = "";
  guint depth = MPROC_FASTPACK_MAX_STEPS - 1;
  Sample sample = { .format = g_string_new (NULL), .n = 1, .code = 0xff };

  memset (format, '(', depth);
  format[depth] = 's';
  memset (format + depth + 1, ')', depth);
  expect_same (&sample, format, "text", NULL);
  g_string_free (sample.format, TRUE);
}
END_TEST

static gboolean
write_one (GError **error, const char *format, ...)
{
  MprocFastpackBuffer buffer;
  MprocFastpack form;
  va_list arguments;
  gboolean ok;

  ck_assert (mproc_fastpack_init (&form, format));
  mproc_fastpack_buffer_init (&buffer);
  va_start (arguments, format);
  ok = mproc_fastpack_write (&form, &buffer, &arguments, error);
  va_end (arguments);
  mproc_fastpack_buffer_clear (&buffer);
  return ok;
}

START_TEST (texts_are_checked)
{
  static const struct
  {
    const char *format;
    const char *text;
    const char *complaint; /* NULL: none */
  } cases[] = {
    { "s", "", NULL },
    { "s", "\303\244", NULL },
    { "s", "\303", "UTF-8" },
    { "s", "long enough for a look at words\377", "UTF-8" },
    { "&s", "\355\240\200", "UTF-8" },
    { "(s)", "\300\200", "UTF-8" },
    { "o", "/", NULL },
    { "o", "", "object path" },
    { "o", "/a/", "object path" },
    { "((o))", "a", "object path" },
    { "g", "", NULL },
    { "g", "a{sv}(i)", NULL },
    { "g", "(", "signature" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      GError *error = NULL;
      gboolean ok = write_one (&error, cases[i].format, cases[i].text);

      ck_assert_int_eq (ok, cases[i].complaint == NULL);
      ck_assert_int_eq (error == NULL, ok);
      if (ok)
        continue;
      ck_assert (g_error_matches (error, MPROC_ERROR, MPROC_ERROR_INVALID));
      ck_assert_ptr_nonnull (strstr (error->message, cases[i].complaint));
      g_error_free (error);
    }
}
END_TEST

Suite *
mproc_test_fastpack_suite (void)
{
  Suite *suite = suite_create ("fastpack");
  TCase *tcase = mproc_test_case (suite, "fastpack");

  tcase_add_test (tcase, bytes_are_those_of_glib);
  tcase_add_test (tcase, offsets_grow_where_those_of_glib_do);
  tcase_add_test (tcase, other_bytes_are_refused_or_mean_the_same);
  tcase_add_test (tcase, other_forms_are_left_to_glib);
  tcase_add_test (tcase, deep_forms);
  tcase_add_test (tcase, texts_are_checked);
  return suite;
}
