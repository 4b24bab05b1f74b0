/* SPDX-License-Identifier: MIT */
/* A worker takes one task at a time: what is fetched and not claimed would be nobody's
 * when it dies. */
#include "worker.h"

#include "capture.h"
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

GVariant *
mproc_worker_run (MprocFunc func, GVariant *args, GError **error)
{
  GVariant *value = func (args, error);

  if (*error == NULL)
    return value != NULL ? value : g_variant_new_maybe (G_VARIANT_TYPE_VARIANT, NULL);
  if (value != NULL)
    g_variant_unref (g_variant_take_ref (value));
  return NULL;
}

GVariant *
mproc_worker_run_each (MprocFunc func, GVariant *items, GError **error)
{
  gsize n = g_variant_n_children (items);
  GVariantBuilder results;

  g_variant_builder_init (&results, G_VARIANT_TYPE ("av"));
  for (gsize i = 0; i < n; i++)
    {
      GVariant *item = mproc_get_item (items, i);
      GVariant *value = mproc_worker_run (func, item, error);

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
run (MprocOffset task, GError **error)
{
  const MprocTaskPlan *plan = mproc_task_get_plan (task);
  GVariant *args = mproc_task_get_args (task, error);
  GVariant *value = NULL;
  MprocFunc func;

  if (args == NULL)
    return NULL;
  func = mproc_function_resolve (plan->function, error);
  if (func != NULL && (plan->flags & MPROC_TASK_MAP) != 0)
    value = mproc_worker_run_each (func, args, error);
  else if (func != NULL)
    value = mproc_worker_run (func, args, error);
  g_variant_unref (args);
  return value != NULL ? g_variant_take_ref (value) : NULL;
}

static void
print_error (const GError *error)
{
  fprintf (stderr, "Process %s: %s\n", mproc_process_get_name (mproc_process_current ()),
           error->message);
  fflush (stderr);
}

static GVariant *
run_captured (MprocWorker *self, MprocOffset task, GError **error)
{
  MprocOsRedirection before;
  GVariant *value;

  if ((mproc_task_get_plan (task)->flags & MPROC_TASK_CAPTURED) == 0)
    return run (task, error);
  if (!mproc_capture_begin (self, &before, error))
    return NULL;
  value = run (task, error);
  mproc_capture_end (self, &before, task);
  return value;
}

/* FALSE: it has been condemned meanwhile. */
static gboolean
do_task (MprocWorker *self, const MprocTaskRecord *record)
{
  MprocPoolEvent event = { .kind = MPROC_EVENT_RESULT, .serial = record->serial };
  gboolean is_pushed = mproc_task_get_plan (record->task)->flags & MPROC_TASK_PUSHED;
  GError *error = NULL;
  GVariant *value;
  gboolean wanted;

  mproc_task_begin (record->task, record->serial, self->seat);
  self->attempt = mproc_task_count_attempts (record->task);
  value = run_captured (self, record->task, &error);
  self->attempt = 0;
  mproc_task_end (record->task, self->seat);
  if (error != NULL && is_pushed)
    print_error (error);
  wanted = mproc_task_finish (record->task, value, error);
  if (value != NULL)
    g_variant_unref (value);
  g_clear_error (&error);
  if (wanted)
    mproc_event_post (self->events, &event);
  return wanted;
}

static gboolean
takes_another (MprocWorker *self)
{
  return self->max_tasks == 0 || self->n_tasks < self->max_tasks;
}

/* A condemned one is about to be killed, and does not wait for that. */
static void
work (MprocWorker *self)
{
  MprocTaskRecord record;
  gboolean wanted = TRUE;

  mproc_store64 (&self->seat->ready, (guint64) g_get_monotonic_time ());
  mproc_store32 (&self->seat->phase, MPROC_SEAT_WORKING);
  while (wanted && takes_another (self) &&
         mproc_queue_take (self->tasks, MPROC_OS_NEVER, claim, &record, NULL))
    {
      wanted = do_task (self, &record);
      self->n_tasks++;
    }
  mproc_store32 (&self->seat->phase, MPROC_SEAT_LEAVING);
}

/* It would fail in the next one as well. */
static void
report_broken (MprocWorker *self, const GError *error)
{
  MprocPoolEvent event = { .kind = MPROC_EVENT_BROKEN };

  g_snprintf (event.text, sizeof event.text, "the initializer failed: %s",
              error->message);
  mproc_event_post (self->events, &event);
}

static void
live (MprocWorker *self, GError **error)
{
  GError *failure = NULL;

  g_variant_lookup (self->setup, "max-tasks", "u", &self->max_tasks);
  if (!mproc_worker_call (self, "initializer", &failure))
    {
      report_broken (self, failure);
      g_propagate_error (error, failure);
      return;
    }
  work (self);
  mproc_worker_call (self, "finalizer", error);
}

GVariant *
mproc_worker_main (GVariant *args, GError **error)
{
  MprocWorker self = { .seat = NULL };
  guint64 seat;
  GVariant *setup;

  if (!mproc_unpack (args, error, "(&h&ht@v)", &self.tasks, &self.events, &seat, &setup))
    return NULL;
  self.setup = g_variant_get_variant (setup);
  g_variant_unref (setup);
  self.seat_offset = (MprocOffset) seat;
  self.seat = mproc_seat_at (self.seat_offset);
  mproc_store32 (&self.seat->member, mproc_self ());
  mproc_worker_become (&self);
  live (&self, error);
  mproc_worker_clear_data (&self);
  mproc_worker_become (NULL);
  mproc_capture_drop (&self);
  g_variant_unref (self.setup);
  return NULL;
}
