/* SPDX-License-Identifier: MIT */
/* A worker takes one task at a time: what is fetched and not claimed would be nobody's
 * when it dies. */
#include "worker.h"

#include "crew.h"
#include "function.h"
#include "task.h"

#include <mproc/value.h>

#include <stdio.h>
#include <string.h>

static gboolean
claim (gconstpointer payload, gsize size, gpointer data)
{
  MprocTaskRecord *record = data;

  if (size != sizeof *record)
    return FALSE;
  memcpy (record, payload, sizeof *record);
  return mproc_task_claim (record);
}

static GVariant *
call_one (MprocFunc func, GVariant *args, GError **error)
{
  GVariant *value = func (args, error);

  if (*error == NULL)
    return value != NULL ? value : g_variant_new_maybe (G_VARIANT_TYPE_VARIANT, NULL);
  if (value != NULL)
    g_variant_unref (g_variant_take_ref (value));
  return NULL;
}

static GVariant *
call_for_each (MprocFunc func, GVariant *items, GError **error)
{
  gsize n = g_variant_n_children (items);
  GVariantBuilder results;

  g_variant_builder_init (&results, G_VARIANT_TYPE ("av"));
  for (gsize i = 0; i < n; i++)
    {
      GVariant *item = mproc_get_item (items, i);
      GVariant *value = call_one (func, item, error);

      g_variant_unref (item);
      if (value == NULL)
        {
          g_variant_builder_clear (&results);
          return NULL;
        }
      value = g_variant_take_ref (value);
      g_variant_builder_add (&results, "v", value);
      g_variant_unref (value);
    }
  return g_variant_builder_end (&results);
}

static GVariant *
run (MprocOffset task, guint32 *flags, GError **error)
{
  MprocTaskWork work;
  MprocFunc func;
  GVariant *value = NULL;

  *flags = 0;
  if (!mproc_task_get_work (task, &work, error))
    return NULL;
  *flags = work.flags;
  func = mproc_function_resolve (work.function, error);
  if (func != NULL && (work.flags & MPROC_TASK_MAP) != 0)
    value = call_for_each (func, work.args, error);
  else if (func != NULL)
    value = call_one (func, work.args, error);
  g_variant_unref (work.args);
  return value;
}

static void
print_error (const GError *error)
{
  fprintf (stderr, "Process %s: %s\n", mproc_process_get_name (mproc_process_current ()),
           error->message);
  fflush (stderr);
}

static void
do_task (const MprocTaskRecord *record, MprocQueue *events)
{
  MprocPoolEvent event = { .kind = MPROC_EVENT_RESULT, .serial = record->serial };
  GError *error = NULL;
  guint32 flags;
  GVariant *value = run (record->task, &flags, &error);

  if (value != NULL)
    value = g_variant_take_ref (value);
  if (error != NULL && (flags & MPROC_TASK_PUSHED) != 0)
    print_error (error);
  mproc_task_finish (record->task, value, error);
  if (value != NULL)
    g_variant_unref (value);
  g_clear_error (&error);
  mproc_event_post (events, &event);
}

GVariant *
mproc_worker_main (GVariant *args, GError **error)
{
  MprocQueue *tasks;
  MprocQueue *events;
  MprocTaskRecord record;

  if (!mproc_unpack (args, error, "(&h&h)", &tasks, &events))
    return NULL;
  while (mproc_queue_take (tasks, MPROC_OS_NEVER, claim, &record, NULL))
    do_task (&record, events);
  return NULL;
}
