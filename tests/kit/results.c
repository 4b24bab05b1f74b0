/* SPDX-License-Identifier: MIT */
#include "results.h"

#include <string.h>

GVariant *
mproc_test_value_of (MprocResult *result)
{
  GError *error = NULL;
  GVariant *value = mproc_result_get (result, MPROC_TEST_PATIENCE, &error);

  if (value == NULL)
    ck_abort_msg ("%s", error->message);
  mproc_result_unref (result);
  return value;
}

void
mproc_test_expect_success (MprocResult *result)
{
  g_variant_unref (mproc_test_value_of (result));
}

void
mproc_test_expect_failure (MprocResult *result, gint code, const char *text)
{
  GError *error = NULL;
  GVariant *value = mproc_result_get (result, MPROC_TEST_PATIENCE, &error);

  ck_assert_ptr_null (value);
  mproc_test_expect_error (&error, code, text != NULL ? text : "");
  mproc_result_unref (result);
}

GVariant *
mproc_test_value_or_death (MprocResult *result)
{
  GError *error = NULL;
  GVariant *value = mproc_result_get (result, MPROC_TEST_PATIENCE, &error);

  if (value == NULL)
    mproc_test_expect_error (&error, MPROC_ERROR_WORKER_DIED, "");
  mproc_result_unref (result);
  return value;
}

gint32
mproc_test_int (GVariant *value)
{
  gint32 number;

  ck_assert_ptr_nonnull (value);
  ck_assert (g_variant_is_of_type (value, G_VARIANT_TYPE_INT32));
  number = g_variant_get_int32 (value);
  g_variant_unref (value);
  return number;
}

gint64
mproc_test_long (GVariant *value)
{
  gint64 number;

  ck_assert_ptr_nonnull (value);
  ck_assert (g_variant_is_of_type (value, G_VARIANT_TYPE_INT64));
  number = g_variant_get_int64 (value);
  g_variant_unref (value);
  return number;
}

GVariant *
mproc_test_numbers (gint32 first, guint n)
{
  gint32 *numbers = g_new (gint32, n + 1); /* NULL has no numbers, not even none */
  GVariant *value;

  for (guint i = 0; i < n; i++)
    numbers[i] = first + (gint32) i;
  value = g_variant_new_fixed_array (G_VARIANT_TYPE_INT32, numbers, n, sizeof *numbers);
  g_free (numbers);
  return value;
}

static gboolean
is_square_of (GVariant *value, gint32 n)
{
  return g_variant_is_of_type (value, G_VARIANT_TYPE_INT32) &&
         g_variant_get_int32 (value) == n * n;
}

void
mproc_test_expect_squares (GVariant *values, gint32 first, guint n)
{
  gboolean right = TRUE;

  ck_assert_ptr_nonnull (values);
  ck_assert_str_eq (g_variant_get_type_string (values), "av");
  ck_assert_uint_eq (g_variant_n_children (values), n);
  for (guint i = 0; right && i < n; i++)
    {
      GVariant *value;

      g_variant_get_child (values, i, "v", &value);
      right = is_square_of (value, first + (gint32) i);
      g_variant_unref (value);
    }
  ck_assert (right);
  ck_assert (g_variant_is_normal_form (values));
  g_variant_unref (values);
}
