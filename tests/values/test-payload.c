/* SPDX-License-Identifier: MIT */
/* What is in frames: every value comes back, and nothing else is accepted. */
#include "mproc-test.h"

#include "values/payload.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static const char *const samples[] = {
  "()",
  "true",
  "'text'",
  "@as []",
  "[1, 2, 3]",
  "(byte 1, int16 2, uint32 3, int64 4, 5.5, true)",
  "[<42>, <@mi nothing>, <'hello'>]",
  "{'a': <1>, 'b': <[<'nested'>, <(2, 'x')>]>}",
  "@a{sv} {}",
  "[b'one', b'', b'three']",
  "<<<<'deep'>>>>",
  "(@mmi just nothing, @o '/a/b', @g 'a{sv}')",
};

static GVariant *
sample (guint i)
{
  return g_variant_ref_sink (g_variant_new_parsed (samples[i]));
}

static GBytes *
encode (GVariant *value, const GArray *handles)
{
  gsize size;
  guint8 *prefix = mproc_payload_new_prefix (value, handles, &size);
  GByteArray *payload = g_byte_array_new ();

  g_byte_array_append (payload, prefix, (guint) size);
  g_byte_array_append (payload, g_variant_get_data (value),
                       (guint) g_variant_get_size (value));
  g_free (prefix);
  return g_byte_array_free_to_bytes (payload);
}

static void
expect_refusal (const void *data, gsize size, gboolean family, const char *why)
{
  GBytes *payload = g_bytes_new (data, size);
  GArray *handles = NULL;
  GError *error = NULL;

  ck_assert_ptr_null (mproc_payload_decode (payload, family, &handles, &error));
  ck_assert (g_error_matches (error, MPROC_ERROR, MPROC_ERROR_PROTOCOL));
  if (why != NULL)
    ck_assert_msg (strstr (error->message, why) != NULL, "%s", error->message);
  ck_assert_ptr_null (handles);
  g_error_free (error);
  g_bytes_unref (payload);
}

START_TEST (values_come_back)
{
  GVariant *value = sample ((guint) _i);
  GBytes *payload = encode (value, NULL);
  GArray *handles = NULL;
  GVariant *back = mproc_payload_decode (payload, FALSE, &handles, NULL);

  ck_assert (mproc_payload_check_value (value, NULL));
  ck_assert_ptr_nonnull (back);
  ck_assert (g_variant_equal (value, back));
  ck_assert_ptr_null (handles);
  g_variant_unref (back);
  g_bytes_unref (payload);
  g_variant_unref (value);
}
END_TEST

/* What a machine of the other byte order would send. */
START_TEST (other_byte_order_comes_back)
{
  GVariant *value = sample ((guint) _i);
  GVariant *swapped = g_variant_byteswap (value);
  GBytes *payload = encode (swapped, NULL);
  GArray *handles = NULL;
  gsize size;
  guint8 *data = g_bytes_unref_to_data (payload, &size);
  GVariant *back;

  data[2] = data[2] == 'l' ? 'B' : 'l';
  for (guint i = 4; i < 12; i += i == 4 ? 4 : 8)
    {
      guint width = i == 4 ? 2 : 4;

      for (guint k = 0; k < width / 2; k++)
        {
          guint8 byte = data[i + k];

          data[i + k] = data[i + width - 1 - k];
          data[i + width - 1 - k] = byte;
        }
    }
  payload = g_bytes_new_take (data, size);
  back = mproc_payload_decode (payload, FALSE, &handles, NULL);
  ck_assert_ptr_nonnull (back);
  ck_assert (g_variant_equal (value, back));
  g_variant_unref (back);
  g_bytes_unref (payload);
  g_variant_unref (swapped);
  g_variant_unref (value);
}
END_TEST

/* Little-endian payloads, as most machines write them; others swap. */
static const struct
{
  const char *data;
  gsize size;
  const char *why;
} bad_payloads[] = {
  { "", 0, "plain bytes" },
  { "\x80\4\x95", 3, "Python" },
  { "G", 1, "plain bytes" },
  { "hello, world, hello", 19, "plain bytes" },
  { "G\2l\0\1\0\0\0\0\0\0\0y\0\0\0x", 17, "version" },
  { "G\1x\0\1\0\0\0\0\0\0\0y\0\0\0x", 17, "byte order" },
  { "G\1l\1\1\0\0\0\0\0\0\0y\0\0\0x", 17, "flags" },
  { "G\1l\0\1\0\0\1\0\0\0\0y\0\0\0x", 17, "flags" },
  { "G\1l\0\xff\xff\0\0\0\0\0\0y\0\0\0x", 17, "cut off" },
  { "G\1l\0\1\0\0\0\xff\xff\xff\xffy\0\0\0x", 17, "cut off" },
  { "G\1l\0\1\0\0\0\1\0\0\0y\0\0\0x", 17, "cut off" },
  { "G\1l\0\1\0\0\0\0\0\0\0y\0\0", 15, "cut off" },
  { "G\1l\0\1\0\0\0\0\0\0\0y\0\0\1x", 17, "padded" },
  { "G\1l\0\1\0\0\0\0\0\0\0Q\0\0\0x", 17, "type" },
  { "G\1l\0\1\0\0\0\0\0\0\0*\0\0\0x", 17, "type" },
  { "G\1l\0\1\0\0\0\0\0\0\0r\0\0\0x", 17, "type" },
  { "G\1l\0\2\0\0\0\0\0\0\0y\0\0\0x", 17, "type" },
  { "G\1l\0\0\0\0\0\0\0\0\0\0\0\0\0x", 17, "type" },
  { "G\1l\0\2\0\0\0\0\0\0\0yy\0\0x", 17, "type" },
  { "G\1l\0\1\0\0\0\0\0\0\0y\0\0\0", 16, "data" },
  { "G\1l\0\1\0\0\0\0\0\0\0y\0\0\0xx", 18, "data" },
  { "G\1l\0\1\0\0\0\0\0\0\0b\0\0\0\2", 17, "data" },
  { "G\1l\0\1\0\0\0\0\0\0\0s\0\0\0abc", 19, "data" },
  { "G\1l\0\1\0\0\0\0\0\0\0s\0\0\0\xff\xfe\0", 19, "data" },
  { "G\1l\0\1\0\0\0\0\0\0\0o\0\0\0a\0", 18, "data" },
  { "G\1l\0\2\0\0\0\0\0\0\0()\0\0\1", 17, "data" },
  { "G\1l\0\2\0\0\0\0\0\0\0as\0\0a\0\7", 19, "data" },
  { "G\1l\0\1\0\0\0\0\0\0\0v\0\0\0ab\0s", 20, "data" },
  { "G\1l\0\1\0\0\0\0\0\0\0v\0\0\0", 16, "data" },
  { "G\1l\0\1\0\0\0\0\0\0\0h\0\0\0\5\0\0\0", 20, "lists" },
  { "G\1l\0\1\0\0\0\1\0\0\0h\5\0\0\0\0\0\0\0\0\0\0\0\6\0\0\0", 28, "lists" },
  { "G\1l\0\1\0\0\0\1\0\0\0y\5\0\0\0\0\0\0\0\0\0\0\0x", 25, "lists" },
};

START_TEST (garbage_is_refused)
{
  expect_refusal (bad_payloads[_i].data, bad_payloads[_i].size, FALSE, NULL);
  expect_refusal (bad_payloads[_i].data, bad_payloads[_i].size, TRUE,
                  bad_payloads[_i].why);
}
END_TEST

START_TEST (every_cut_is_refused)
{
  GVariant *value = sample ((guint) _i);
  GBytes *payload = encode (value, NULL);
  gsize size;
  const guint8 *data = g_bytes_get_data (payload, &size);

  for (gsize i = 0; i < size; i++)
    {
      GBytes *part = g_bytes_new (data, i);
      GArray *handles = NULL;
      GVariant *back = mproc_payload_decode (part, TRUE, &handles, NULL);

      /* Some containers are whole values at several lengths, none is the same one. */
      ck_assert (back == NULL || !g_variant_equal (back, value));
      if (back != NULL)
        g_variant_unref (back);
      g_bytes_unref (part);
    }
  g_bytes_unref (payload);
  g_variant_unref (value);
}
END_TEST

START_TEST (handles_pass_inside_the_family_only)
{
  GVariant *value =
      g_variant_ref_sink (g_variant_new_parsed ("(@h 7, <@ah [8, 9]>, 'x')"));
  GArray *handles = g_array_new (FALSE, FALSE, sizeof (gint32));
  GArray *back_handles = NULL;
  gint32 numbers[] = { 7, 8, 9 };
  GBytes *payload;
  GVariant *back;

  g_array_append_vals (handles, numbers, 3);
  payload = encode (value, handles);
  expect_refusal (g_bytes_get_data (payload, NULL), g_bytes_get_size (payload), FALSE,
                  "family");
  back = mproc_payload_decode (payload, TRUE, &back_handles, NULL);
  ck_assert_ptr_nonnull (back);
  ck_assert_uint_eq (back_handles->len, 3);
  ck_assert_mem_eq (back_handles->data, numbers, sizeof numbers);
  g_array_unref (back_handles);
  g_array_unref (handles);
  g_variant_unref (back);
  g_bytes_unref (payload);
  g_variant_unref (value);
}
END_TEST

static GVariant *
nest (guint levels)
{
  GVariant *value = g_variant_new_int32 (1);

  for (guint i = 0; i < levels; i++)
    value = g_variant_new_variant (value);
  return g_variant_ref_sink (value);
}

START_TEST (depth_has_a_limit)
{
  GVariant *deep = nest (100);
  GVariant *deeper = nest (101);
  GBytes *payload = encode (deep, NULL);
  GArray *handles = NULL;
  GError *error = NULL;
  GVariant *back = mproc_payload_decode (payload, FALSE, &handles, &error);
  GString *wire = g_string_new_len ("G\1l\0\xe8\x03\0\0\0\0\0\0", 12);

  ck_assert (mproc_payload_check_value (deep, NULL));
  ck_assert_ptr_nonnull (back);
  ck_assert (!mproc_payload_check_value (deeper, &error));
  ck_assert (g_error_matches (error, MPROC_ERROR, MPROC_ERROR_TOO_LARGE));

  for (guint i = 0; i < 999; i++)
    g_string_append_c (wire, 'a');
  g_string_append_len (wire, "i\0\0\0\0", 5);
  expect_refusal (wire->str, wire->len, FALSE, "type");

  g_string_free (wire, TRUE);
  g_error_free (error);
  g_variant_unref (back);
  g_bytes_unref (payload);
  g_variant_unref (deeper);
  g_variant_unref (deep);
}
END_TEST

START_TEST (values_that_are_not_normal_are_not_sent)
{
  GVariant *value =
      g_variant_ref_sink (g_variant_new_from_data (G_VARIANT_TYPE ("as"), "a\0\7", 3,
                                                   FALSE, NULL, NULL));
  GError *error = NULL;

  ck_assert (!mproc_payload_check_value (value, &error));
  ck_assert (g_error_matches (error, MPROC_ERROR, MPROC_ERROR_INVALID));
  g_error_free (error);
  g_variant_unref (value);
}
END_TEST

/* ------------------------------------------------------------------ mutations */

/* A stretch of @data is overwritten, doubled, or lost. */
static void
mutate (GByteArray *data, GRand *random)
{
  guint at = (guint) g_rand_int_range (random, 0, (gint) data->len);
  guint8 byte = (guint8) g_rand_int (random);

  switch (g_rand_int_range (random, 0, 5))
    {
    case 0:
      data->data[at] = byte;
      break;
    case 1:
      data->data[at] ^= (guint8) (1 << (byte % 8));
      break;
    case 2:
      if (data->len > 1)
        g_byte_array_remove_range (data, at,
                                   MIN (1u + byte % 4, data->len - at - (at == 0)));
      break;
    case 3:
      g_byte_array_append (data, &byte, 1);
      break;
    default:
      data->data[at] = "()am{}vsyh\0\xff\x80\x7f\1\7"[byte % 16];
      break;
    }
}

START_TEST (mutations_do_no_harm)
{
  GRand *random = g_rand_new_with_seed ((guint32) _i + 1);
  GVariant *value = sample ((guint) _i);
  GBytes *payload = encode (value, NULL);

  for (gint round = 0; round < mproc_test_scale (3000); round++)
    {
      GByteArray *data = g_byte_array_new ();

      g_byte_array_append (data, (const guint8 *) "\1\0\0\0\0", round % 2 == 0 ? 1 : 5);
      if (data->len > 1)
        data->data[4] = (guint8) g_bytes_get_size (payload);
      g_byte_array_append (data, g_bytes_get_data (payload, NULL),
                           (guint) g_bytes_get_size (payload));
      for (gint n = g_rand_int_range (random, 1, 4); n > 0; n--)
        mutate (data, random);
      LLVMFuzzerTestOneInput (data->data, data->len);
      g_byte_array_unref (data);
    }
  g_bytes_unref (payload);
  g_variant_unref (value);
  g_rand_free (random);
}
END_TEST

Suite *
mproc_test_payload_suite (void)
{
  Suite *suite = suite_create ("payload");
  TCase *tcase = mproc_test_case (suite, "payload");
  int n_samples = G_N_ELEMENTS (samples);

  tcase_add_loop_test (tcase, values_come_back, 0, n_samples);
  tcase_add_loop_test (tcase, other_byte_order_comes_back, 0, n_samples);
  tcase_add_loop_test (tcase, garbage_is_refused, 0, G_N_ELEMENTS (bad_payloads));
  tcase_add_loop_test (tcase, every_cut_is_refused, 0, n_samples);
  tcase_add_test (tcase, handles_pass_inside_the_family_only);
  tcase_add_test (tcase, depth_has_a_limit);
  tcase_add_test (tcase, values_that_are_not_normal_are_not_sent);
  tcase_add_loop_test (tcase, mutations_do_no_harm, 0, n_samples);
  return suite;
}
