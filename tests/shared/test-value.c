/* SPDX-License-Identifier: MIT */
/* Objects and functions inside values: mproc_pack, mproc_unpack, handles and their end. */
#include "mproc-test.h"

#include "family/object.h"

static GVariant *
twice (GVariant *args, GError **error)
{
  (void) error;
  return g_variant_new_int32 (2 * g_variant_get_int32 (args));
}

static MprocHandle
handle_of (MprocQueue *queue)
{
  return ((MprocObject *) (gpointer) queue)->handle;
}

START_TEST (packs_and_unpacks)
{
  MprocQueue *queue = mproc_queue_new (0, NULL);
  GVariant *value = g_variant_ref_sink (mproc_pack ("(hfi(s&h)m(ii)^as)", queue, twice,
                                                    42, "text", queue, TRUE, 1, 2,
                                                    (const char *[]){ "x", "y", NULL }));
  MprocQueue *first;
  MprocQueue *second;
  MprocFunc func;
  gint32 number;
  const char *text;
  char **list;
  gboolean there;
  gint32 a;
  gint32 b;
  GError *error = NULL;

  ck_assert_str_eq (g_variant_get_type_string (value), "(hhi(sh)m(ii)as)");
  ck_assert (mproc_unpack (value, &error, "(&hfi(&sh)m(ii)^as)", &first, &func, &number,
                           &text, &second, &there, &a, &b, &list));
  ck_assert (error == NULL);
  ck_assert_ptr_eq (first, queue);
  ck_assert_ptr_eq (second, queue);
  ck_assert (func == twice);
  ck_assert_int_eq (number, 42);
  ck_assert_str_eq (text, "text");
  ck_assert (there && a == 1 && b == 2);
  ck_assert_str_eq (list[1], "y");
  g_strfreev (list);
  mproc_queue_unref (second);
  g_variant_unref (value);
  mproc_queue_unref (queue);
}
END_TEST

START_TEST (a_value_holds_its_objects)
{
  MprocQueue *queue = mproc_queue_new (0, NULL);
  GVariant *value = g_variant_ref_sink (mproc_pack ("(h)", queue));
  MprocQueue *again;

  mproc_queue_unref (queue);
  ck_assert (mproc_unpack (value, NULL, "(&h)", &again));
  ck_assert (mproc_queue_is_empty (again));
  g_variant_unref (value);
}
END_TEST

static void
expect (gboolean ok, GError **error, gint code)
{
  ck_assert (!ok);
  ck_assert_msg (g_error_matches (*error, MPROC_ERROR, code), "%s", (*error)->message);
  g_clear_error (error);
}

START_TEST (wrong_forms_are_refused_and_nothing_is_written)
{
  GVariant *value = g_variant_ref_sink (g_variant_new ("(is)", 1, "x"));
  gint32 number = 7;
  const char *text = "untouched";
  GError *error = NULL;

  expect (mproc_unpack (value, &error, "(ii)", &number, NULL), &error,
          MPROC_ERROR_INVALID);
  expect (mproc_unpack (value, &error, "(i)", &number), &error, MPROC_ERROR_INVALID);
  expect (mproc_unpack (value, &error, "(isi)", &number, &text, NULL), &error,
          MPROC_ERROR_INVALID);
  expect (mproc_unpack (value, &error, "(hs)", NULL, &text), &error, MPROC_ERROR_INVALID);
  expect (mproc_unpack (value, &error, "i", &number), &error, MPROC_ERROR_INVALID);
  expect (mproc_unpack (value, &error, "(is)i", &number, &text, &number), &error,
          MPROC_ERROR_INVALID);
  ck_assert_int_eq (number, 7);
  ck_assert_str_eq (text, "untouched");
  g_variant_unref (value);
}
END_TEST

START_TEST (stale_and_garbage_handles_are_refused)
{
  MprocQueue *queue = mproc_queue_new (0, NULL);
  MprocHandle stale = handle_of (queue);
  const gint32 garbage[] = { 0, -1, G_MININT32, G_MAXINT32, 1, stale, stale + 1 };
  GError *error = NULL;

  mproc_queue_unref (queue);
  for (guint i = 0; i < G_N_ELEMENTS (garbage); i++)
    {
      GVariant *value = g_variant_ref_sink (g_variant_new ("(h)", garbage[i]));
      MprocQueue *found = NULL;

      expect (mproc_unpack (value, &error, "(h)", &found), &error, MPROC_ERROR_HANDLE);
      ck_assert_ptr_null (found);
      g_variant_unref (value);
    }
}
END_TEST

START_TEST (kinds_are_told_apart)
{
  MprocQueue *queue = mproc_queue_new (0, NULL);
  GVariant *value = g_variant_ref_sink (mproc_pack ("(hf)", queue, twice));
  MprocFunc func;
  MprocQueue *found;
  GError *error = NULL;

  expect (mproc_unpack (value, &error, "(ff)", &func, &func), &error, MPROC_ERROR_HANDLE);
  expect (mproc_unpack (value, &error, "(hh)", &found, &found), &error,
          MPROC_ERROR_HANDLE);
  g_variant_unref (value);
  mproc_queue_unref (queue);
}
END_TEST

START_TEST (messages_hold_what_they_carry)
{
  MprocQueue *carrier = mproc_queue_new (0, NULL);
  MprocQueue *cargo = mproc_queue_new (0, NULL);
  MprocHandle handle = handle_of (cargo);
  MprocQueue *found;
  GVariant *value;

  ck_assert (mproc_queue_put_bytes (cargo, "inside", 6, 0, NULL));
  ck_assert (mproc_queue_put (carrier, mproc_pack ("(hf)", cargo, twice), 0, NULL));
  mproc_queue_unref (cargo);
  ck_assert_int_eq (mproc_handle_get_kind (handle), MPROC_KIND_QUEUE);
  value = mproc_queue_get (carrier, 0, NULL);
  ck_assert (mproc_unpack (value, NULL, "(&hf)", &found, NULL));
  ck_assert_int_eq (mproc_queue_get_size (found), 1);
  g_variant_unref (value);
  ck_assert_int_eq (mproc_handle_get_kind (handle), MPROC_KIND_NONE);

  /* A message that nobody takes out lets go of it when the queue goes. */
  cargo = mproc_queue_new (0, NULL);
  handle = handle_of (cargo);
  ck_assert (mproc_queue_put (carrier, mproc_pack ("(h)", cargo), 0, NULL));
  mproc_queue_unref (cargo);
  ck_assert_int_eq (mproc_handle_get_kind (handle), MPROC_KIND_QUEUE);
  mproc_queue_unref (carrier);
  ck_assert_int_eq (mproc_handle_get_kind (handle), MPROC_KIND_NONE);
}
END_TEST

START_TEST (a_stale_handle_cannot_be_sent_and_the_queue_stays_usable)
{
  MprocQueue *carrier = mproc_queue_new (0, NULL);
  MprocQueue *gone = mproc_queue_new (0, NULL);
  gint32 handle = handle_of (gone);
  GVariant *value;
  GError *error = NULL;

  mproc_queue_unref (gone);
  expect (mproc_queue_put (carrier, g_variant_new ("(h)", handle), 0, &error), &error,
          MPROC_ERROR_HANDLE);
  ck_assert (mproc_queue_put (carrier, g_variant_new_int32 (5), 0, NULL));
  value = mproc_queue_get (carrier, 0, NULL);
  ck_assert_int_eq (g_variant_get_int32 (value), 5);
  g_variant_unref (value);
  mproc_queue_unref (carrier);
}
END_TEST

static GVariant *
take_and_forward (GVariant *args, GError **error)
{
  MprocQueue *in;
  MprocQueue *out;
  MprocFunc func;
  GVariant *result;
  GVariant *number = g_variant_ref_sink (g_variant_new_int32 (21));

  if (!mproc_unpack (args, error, "(&h&hf)", &in, &out, &func))
    return NULL;
  result = func (number, error);
  mproc_queue_put (out, mproc_pack ("(h*)", in, result), MPROC_FOREVER, error);
  g_variant_unref (number);
  return NULL;
}

START_TEST (objects_and_functions_reach_other_processes)
{
  MprocQueue *in = mproc_queue_new (0, NULL);
  MprocQueue *out = mproc_queue_new (0, NULL);
  MprocProcess *process =
      mproc_process_new (take_and_forward, mproc_pack ("(hhf)", in, out, twice));
  MprocQueue *back;
  GVariant *number;
  GVariant *value;

  mproc_process_set_start_method (process, mproc_test_method (_i));
  ck_assert (mproc_process_start (process, NULL));
  value = mproc_queue_get (out, MPROC_SECONDS (30), NULL);
  ck_assert_ptr_nonnull (value);
  ck_assert (mproc_unpack (value, NULL, "(&h*)", &back, &number));
  ck_assert_ptr_eq (back, in);
  ck_assert_int_eq (g_variant_get_int32 (number), 42);
  g_variant_unref (number);
  g_variant_unref (value);
  mproc_process_join (process, MPROC_FOREVER);
  mproc_process_unref (process);
  mproc_queue_unref (in);
  mproc_queue_unref (out);
}
END_TEST

static GVariant *
die_with (GVariant *args, GError **error)
{
  MprocQueue *queue;
  MprocQueue *ready;

  if (!mproc_unpack (args, error, "(&h&h)", &queue, &ready))
    return NULL;
  mproc_queue_put_bytes (ready, "", 0, MPROC_FOREVER, NULL);
  for (;;)
    g_usleep (G_USEC_PER_SEC);
  return NULL;
}

/* What only the dead still held is freed when they are swept. */
START_TEST (the_dead_hold_nothing)
{
  MprocQueue *queue = mproc_queue_new (0, NULL);
  MprocQueue *ready = mproc_queue_new (0, NULL);
  MprocHandle handle = handle_of (queue);
  MprocProcess *process = mproc_process_new (die_with, mproc_pack ("(hh)", queue, ready));

  if (mproc_test_method (_i) == MPROC_START_METHOD_THREAD)
    goto end; /* a thread cannot be killed */
  mproc_process_set_start_method (process, mproc_test_method (_i));
  ck_assert (mproc_process_start (process, NULL));
  g_bytes_unref (mproc_queue_get_bytes (ready, MPROC_SECONDS (30), NULL));
  mproc_queue_unref (queue);
  ck_assert_int_eq (mproc_handle_get_kind (handle), MPROC_KIND_QUEUE);
  mproc_process_kill (process, NULL);
  mproc_process_join (process, MPROC_FOREVER);
  ck_assert_int_eq (mproc_handle_get_kind (handle), MPROC_KIND_NONE);
  queue = NULL;
end:
  mproc_process_unref (process);
  mproc_queue_unref (queue);
  mproc_queue_unref (ready);
}
END_TEST

START_TEST (nothing_is_a_value_of_its_own)
{
  GVariant *nothing =
      g_variant_ref_sink (g_variant_new_maybe (G_VARIANT_TYPE_VARIANT, NULL));
  GVariant *number = g_variant_ref_sink (g_variant_new_int32 (0));

  ck_assert (mproc_is_nothing (nothing));
  ck_assert (!mproc_is_nothing (number));
  ck_assert (!mproc_is_nothing (NULL));
  g_variant_unref (nothing);
  g_variant_unref (number);
}
END_TEST

Suite *
mproc_test_value_suite (void)
{
  Suite *suite = suite_create ("value");
  TCase *tcase = mproc_test_case (suite, "value");
  int n = (int) mproc_test_n_methods ();

  tcase_add_test (tcase, packs_and_unpacks);
  tcase_add_test (tcase, a_value_holds_its_objects);
  tcase_add_test (tcase, wrong_forms_are_refused_and_nothing_is_written);
  tcase_add_test (tcase, stale_and_garbage_handles_are_refused);
  tcase_add_test (tcase, kinds_are_told_apart);
  tcase_add_test (tcase, messages_hold_what_they_carry);
  tcase_add_test (tcase, a_stale_handle_cannot_be_sent_and_the_queue_stays_usable);
  tcase_add_loop_test (tcase, objects_and_functions_reach_other_processes, 0, n);
  tcase_add_loop_test (tcase, the_dead_hold_nothing, 0, n);
  tcase_add_test (tcase, nothing_is_a_value_of_its_own);
  return suite;
}
