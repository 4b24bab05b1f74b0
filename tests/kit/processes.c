/* SPDX-License-Identifier: MIT */
#include "processes.h"

#include <string.h>

static void
start (MprocStartMethod method, MprocProcess *process)
{
  GError *error = NULL;

  mproc_test_default_signals ();
  mproc_process_set_start_method (process, method);
  ck_assert_msg (mproc_process_start (process, &error), "start method %d: %s",
                 (int) method, error != NULL ? error->message : "no error");
  ck_assert_ptr_null (error);
}

MprocProcess *
mproc_test_start_by (MprocStartMethod method, MprocFunc func, GVariant *args)
{
  MprocProcess *process = mproc_process_new (func, args);

  start (method, process);
  return process;
}

MprocProcess *
mproc_test_start (int i, MprocFunc func, GVariant *args)
{
  return mproc_test_start_by (mproc_test_method (i), func, args);
}

void
mproc_test_start_it (int i, MprocProcess *process)
{
  start (mproc_test_method (i), process);
}

void
mproc_test_end_with (MprocProcess *process, int exit_code)
{
  int code = -1000;

  ck_assert (mproc_process_join (process, MPROC_FOREVER));
  ck_assert (mproc_process_get_exit_code (process, &code));
  ck_assert_int_eq (code, exit_code);
  mproc_process_unref (process);
}

gboolean
mproc_test_is_thread (int i)
{
  return mproc_test_method (i) == MPROC_START_METHOD_THREAD;
}

void
mproc_test_expect_text (MprocQueue *queue, const char *text)
{
  GError *error = NULL;
  GVariant *value = mproc_queue_get (queue, MPROC_SECONDS (30), &error);

  ck_assert_msg (value != NULL, "%s", error != NULL ? error->message : "no error");
  ck_assert (g_variant_is_of_type (value, G_VARIANT_TYPE_STRING));
  ck_assert_str_eq (g_variant_get_string (value, NULL), text);
  g_variant_unref (value);
}

void
mproc_test_say (MprocQueue *queue, const char *text)
{
  /* No assertion: a child is not inside a test, as Check sees it. */
  mproc_queue_put (queue, g_variant_new_string (text), MPROC_FOREVER, NULL);
}

gint
mproc_test_hear (MprocQueue *queue, gint64 timeout_us)
{
  GVariant *value = mproc_queue_get (queue, timeout_us, NULL);
  gint number = value != NULL ? g_variant_get_int32 (value) : MPROC_TEST_SILENCE;

  if (value != NULL)
    g_variant_unref (value);
  return number;
}

void
mproc_test_expect_number (MprocQueue *queue, gint number)
{
  ck_assert_int_eq (mproc_test_hear (queue, MPROC_SECONDS (30)), number);
}

void
mproc_test_tell (MprocQueue *queue, gint number)
{
  /* As above. */
  mproc_queue_put (queue, g_variant_new_int32 (number), MPROC_FOREVER, NULL);
}

GVariant *
mproc_test_wait_in_queue (GVariant *args, GError **error)
{
  MprocQueue *queue;
  GVariant *value;

  if (!mproc_unpack (args, error, "(&h)", &queue))
    return NULL;
  value = mproc_queue_get (queue, MPROC_FOREVER, error);
  if (value != NULL)
    g_variant_unref (value);
  return NULL;
}

static guint criticals;

static void
count_critical (const char *domain,
                GLogLevelFlags level,
                const char *message,
                gpointer data)
{
  (void) domain;
  (void) level;
  (void) message;
  (void) data;
  criticals++;
}

guint
mproc_test_count_criticals (void)
{
  static guint handler;
  guint n = criticals;

  if (handler == 0)
    handler = g_log_set_handler ("mproc", G_LOG_LEVEL_CRITICAL, count_critical, NULL);
  criticals = 0;
  return n;
}

void
mproc_test_expect_error (GError **error, gint code, const char *text)
{
  ck_assert_ptr_nonnull (*error);
  ck_assert_msg (g_error_matches (*error, MPROC_ERROR, code), "%s", (*error)->message);
  ck_assert_msg (strstr ((*error)->message, text) != NULL, "%s", (*error)->message);
  g_clear_error (error);
}

GVariant *
mproc_test_do_nothing (GVariant *args, GError **error)
{
  (void) args, (void) error;
  return NULL;
}

GVariant *
mproc_test_exit_with_six (GVariant *args, GError **error)
{
  (void) args, (void) error;
  mproc_process_exit (6);
}
