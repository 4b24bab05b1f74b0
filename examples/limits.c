/* SPDX-License-Identifier: MIT */
/* Tasks that are not let run for ever: one heeds its limit, one reaches it, one is cancelled; and a pool
 * that is ended while a task still runs.  An initializer prepares each worker. */
#include <mproc.h>
#include <stdio.h>

static GVariant *
open_worker (GVariant *greeting, GError **error)
{
  mproc_worker_set_data (g_variant_dup_string (greeting, NULL), g_free);
  return NULL;
}

static GVariant *
greet (GVariant *name, GError **error)
{
  const char *greeting = mproc_worker_get_data ();

  return g_variant_new_take_string (g_strdup_printf ("%s %s", greeting,
                                                     g_variant_get_string (name, NULL)));
}

/* Asks whether it should go on, and ends with the error that says why not. */
static GVariant *
work_with_care (GVariant *args, GError **error)
{
  while (mproc_task_check (error))
    g_usleep (1000);
  return NULL;
}

/* Says that it has begun, and has no end of its own. */
static GVariant *
work_on (GVariant *args, GError **error)
{
  MprocEvent *begun;

  if (!mproc_unpack (args, error, "(&h)", &begun))
    return NULL;
  mproc_event_set (begun);
  while (!mproc_task_should_stop ())
    g_usleep (1000);
  return NULL;
}

static void
show (const char *what, MprocResult *result)
{
  GError *error = NULL;
  GVariant *value = mproc_result_get (result, MPROC_FOREVER, &error);

  if (value != NULL && g_variant_is_of_type (value, G_VARIANT_TYPE_STRING))
    printf ("%s: %s\n", what, g_variant_get_string (value, NULL));
  else if (value != NULL)
    printf ("%s: done\n", what);
  else if (g_error_matches (error, MPROC_ERROR, MPROC_ERROR_TIMED_OUT))
    printf ("%s: its time was up\n", what);
  else if (g_error_matches (error, MPROC_ERROR, MPROC_ERROR_CANCELLED))
    printf ("%s: cancelled\n", what);
  else
    g_error ("%s", error->message);
  g_clear_pointer (&value, g_variant_unref);
  g_clear_error (&error);
  mproc_result_unref (result);
}

static MprocPool *
make_pool (void)
{
  MprocPoolOptions *options = mproc_pool_options_new ();
  GError *error = NULL;
  MprocPool *pool;

  mproc_pool_options_set_initializer (options, open_worker,
                                      g_variant_new_string ("hello"));
  pool = mproc_pool_new_full (2, options, &error);
  if (pool == NULL)
    g_error ("%s", error->message);
  mproc_pool_options_free (options);
  return pool;
}

static void
show_limits (MprocPool *pool, MprocEvent *begun)
{
  MprocTaskOptions *soft = mproc_task_options_new ();
  MprocTaskOptions *hard = mproc_task_options_new ();
  MprocResult *result;

  mproc_task_options_set_soft_limit (soft, MPROC_SECONDS (0.05));
  mproc_task_options_set_hard_limit (hard, MPROC_SECONDS (0.05));
  show ("soft limit", mproc_pool_apply_async (pool, work_with_care, NULL, soft));
  show ("hard limit",
        mproc_pool_apply_async (pool, work_on, mproc_pack ("(h)", begun), hard));
  result = mproc_pool_apply_async (pool, work_with_care, NULL, NULL);
  mproc_result_cancel (result);
  show ("unlimited", result);
  mproc_task_options_free (soft);
  mproc_task_options_free (hard);
}

int
main (int argc, char **argv)
{
  MprocPoolReport *report;
  MprocEvent *begun;
  MprocPool *pool;
  char *text;

  mproc_init (&argc, &argv);
  pool = make_pool ();
  begun = mproc_event_new (NULL);
  show ("greeting",
        mproc_pool_apply_async (pool, greet, g_variant_new_string ("bob"), NULL));
  show_limits (pool, begun);

  mproc_event_clear (begun);
  mproc_pool_push (pool, work_on, mproc_pack ("(h)", begun), NULL);
  mproc_event_wait (begun, MPROC_FOREVER);
  report = mproc_pool_shutdown (pool, 0, MPROC_FOREVER);
  text = mproc_pool_report_to_string (report);
  printf ("shutdown: %s\n", text);
  g_free (text);
  mproc_pool_report_free (report);
  mproc_event_unref (begun);
  mproc_pool_unref (pool);
  return 0;
}
