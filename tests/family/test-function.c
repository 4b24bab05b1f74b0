/* SPDX-License-Identifier: MIT */
/* Functions by name, here and elsewhere.  Those in libraries are in test-guard.c. */
#include "forge.h"
#include "processes.h"

#include "family/function.h"

#include <string.h>

static GVariant *
twice (GVariant *args, GError **error)
{
  (void) error;
  return g_variant_new_int32 (2 * g_variant_get_int32 (args));
}

static GVariant *
thrice (GVariant *args, GError **error)
{
  (void) error;
  return g_variant_new_int32 (3 * g_variant_get_int32 (args));
}

static GVariant *
five_times (GVariant *args, GError **error)
{
  (void) error;
  return g_variant_new_int32 (5 * g_variant_get_int32 (args));
}

START_TEST (one_ticket_for_each_function)
{
  MprocHandle ticket = mproc_function_get_ticket (twice, NULL);

  ck_assert_int_gt (ticket, 0);
  ck_assert_int_eq (mproc_function_get_ticket (twice, NULL), ticket);
  ck_assert_int_ne (mproc_function_get_ticket (thrice, NULL), ticket);
  ck_assert (mproc_function_resolve (ticket, NULL) == twice);
  ck_assert (mproc_function_resolve (ticket, NULL) == twice);
}
END_TEST

/* A target `(hf)`: calls the function, and puts what it returns. */
static GVariant *
call (GVariant *args, GError **error)
{
  MprocQueue *queue;
  MprocFunc func;

  if (mproc_unpack (args, error, "(&hf)", &queue, &func))
    mproc_queue_put (queue, func (g_variant_new_int32 (21), error), MPROC_FOREVER, error);
  return NULL;
}

START_TEST (functions_travel)
{
  MprocQueue *queue = mproc_queue_new (0, NULL);
  GVariant *value;

  mproc_test_end_with (mproc_test_start (_i, call, mproc_pack ("(hf)", queue, twice)), 0);
  value = mproc_queue_get (queue, 0, NULL);
  ck_assert_int_eq (g_variant_get_int32 (value), 42);
  g_variant_unref (value);
  mproc_queue_unref (queue);
}
END_TEST

START_TEST (what_is_no_function)
{
  static int data = 1;
  gpointer heap = g_malloc (16);
  GError *error = NULL;

  ck_assert_int_eq (mproc_function_get_ticket ((MprocFunc) (guintptr) &data, &error), 0);
  mproc_test_expect_error (&error, MPROC_ERROR_FUNCTION, "is no function");
  ck_assert_int_eq (mproc_function_get_ticket ((MprocFunc) (guintptr) heap, &error), 0);
  mproc_test_expect_error (&error, MPROC_ERROR_FUNCTION, "no loaded program");
  ck_assert_int_eq (mproc_function_get_ticket ((MprocFunc) (guintptr) 16, &error), 0);
  mproc_test_expect_error (&error, MPROC_ERROR_FUNCTION, "no loaded program");
  g_free (heap);
}
END_TEST

START_TEST (what_is_no_ticket)
{
  MprocQueue *queue = mproc_queue_new (0, NULL);
  GVariant *value = g_variant_ref_sink (mproc_pack ("h", queue));
  GError *error = NULL;

  ck_assert (mproc_function_resolve (g_variant_get_handle (value), &error) == NULL);
  mproc_test_expect_error (&error, MPROC_ERROR_HANDLE, "");
  ck_assert (mproc_function_resolve (0, &error) == NULL);
  mproc_test_expect_error (&error, MPROC_ERROR_HANDLE, "");
  ck_assert (mproc_function_resolve (-1, &error) == NULL);
  mproc_test_expect_error (&error, MPROC_ERROR_HANDLE, "");
  ck_assert (mproc_function_resolve (0x7fffffff, &error) == NULL);
  mproc_test_expect_error (&error, MPROC_ERROR_HANDLE, "");
  g_variant_unref (value);
  mproc_queue_unref (queue);
}
END_TEST

static char *
hex_of (const guint8 *bytes, guint n)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < n; i++)
    g_string_append_printf (text, "%02x", bytes[i]);
  return g_string_free (text, FALSE);
}

START_TEST (functions_of_another_build)
{
  guint8 forged[MPROC_OS_IDENTITY_SIZE];
  MprocOsImage image;
  MprocProcess *process;
  GError *error = NULL;
  char *ours, *theirs;

  ck_assert (mproc_os_image_at ((gconstpointer) (guintptr) five_times, &image));
  mproc_test_forge_ticket (five_times, &image, forged);
  ours = hex_of (image.identity, image.identity_size);
  theirs = hex_of (forged, image.identity_size);

  process = mproc_process_new (five_times, g_variant_new_int32 (1));
  mproc_process_set_start_method (process, MPROC_START_METHOD_SPAWN);
  ck_assert (!mproc_process_start (process, &error));
  ck_assert_msg (strstr (error->message, ours) != NULL, "%s", error->message);
  mproc_test_expect_error (&error, MPROC_ERROR_FUNCTION, theirs);

  g_free (ours);
  g_free (theirs);
  mproc_os_image_clear (&image);
  mproc_process_unref (process);
}
END_TEST

static gpointer
resolve_often (gpointer ticket)
{
  for (guint i = 0; i < 10000; i++)
    if (mproc_function_resolve (GPOINTER_TO_INT (ticket), NULL) != thrice ||
        mproc_function_get_ticket (thrice, NULL) != GPOINTER_TO_INT (ticket))
      return NULL;
  return ticket;
}

START_TEST (threads_ask_at_once)
{
  MprocHandle ticket = mproc_function_get_ticket (thrice, NULL);
  GThread *threads[4];

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("resolve", resolve_often, GINT_TO_POINTER (ticket));
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    ck_assert_int_eq (GPOINTER_TO_INT (g_thread_join (threads[i])), ticket);
}
END_TEST

Suite *
mproc_test_function_suite (void)
{
  Suite *suite = suite_create ("function");
  TCase *tcase = mproc_test_case (suite, "function");
  int n = (int) mproc_test_n_methods ();

  tcase_add_test (tcase, one_ticket_for_each_function);
  tcase_add_loop_test (tcase, functions_travel, 0, n);
  tcase_add_test (tcase, what_is_no_function);
  tcase_add_test (tcase, what_is_no_ticket);
  tcase_add_test (tcase, functions_of_another_build);
  tcase_add_test (tcase, threads_ask_at_once);
  return suite;
}
