/* SPDX-License-Identifier: MIT */
/* A worker takes one task at a time: what is fetched and not claimed would be nobody's
 * when it dies. */
#include "worker/worker.h"

#include "arena/word.h"
#include "family/function.h"
#include "insight/capture.h"
#include "map/batchrun.h"
#include "pool/memorywatch.h"
#include "worker/jobserver.h"
#include "worker/setup.h"
#include "worker/task.h"

#include <mproc/value.h>

#include <stdio.h>
#include <string.h>

typedef struct
{
  MprocWorker *worker;
  MprocTaskRecord record;
} Claim;

static gboolean
claim (gconstpointer payload, gsize size, gpointer data)
{
  Claim *self = data;
  MprocTaskRecord *record = &self->record;

  if (size != sizeof *record)
    return FALSE;
  memcpy (record, payload, sizeof *record);
  if (record->is_batch)
    return mproc_batch_enter (record->task, record->serial, self->worker->seat);
  return record->task == 0 || mproc_task_claim (record);
}

void
mproc_set_silent_failure (GError **error)
{
  g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_FAILED,
                       "the function failed, and did not say why");
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

/* For each of @items, as `av`.  NULL with the first error. */
static GVariant *
run_each (MprocFunc func, GVariant *items, GError **error)
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

GVariant *
mproc_worker_run_task (MprocFunc func, guint32 flags, GVariant *args, GError **error)
{
  GVariant *value;

  if ((flags & MPROC_TASK_MAP) != 0)
    value = run_each (func, args, error);
  else if ((flags & MPROC_TASK_EACH) != 0)
    value = mproc_worker_run_all (func, args);
  else
    value = mproc_worker_run (func, args, error);
  return value != NULL ? g_variant_take_ref (value) : NULL;
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
  if (func != NULL)
    value = mproc_worker_run_task (func, plan->flags, args, error);
  g_variant_unref (args);
  return value;
}

void
mproc_worker_print_error (const GError *error)
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

/* A pool that is over waits for no slot of make's, but for its threads. */
static gboolean
is_over (gpointer data)
{
  MprocWorker *self = data;

  return mproc_queue_is_shut_down (self->tasks);
}

void
mproc_worker_take_slot (MprocWorker *self)
{
  if (self->jobserver != MPROC_OS_NONE)
    mproc_jobserver_take (self->jobserver, self->seat, is_over, self);
}

void
mproc_worker_give_slot (MprocWorker *self)
{
  if (self->jobserver != MPROC_OS_NONE)
    mproc_jobserver_give (self->jobserver, self->seat);
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

  MPROC_CRASH_POINT (TASK_TAKEN);
  mproc_worker_take_slot (self);
  mproc_task_begin (record->task, record->serial, self->seat);
  MPROC_CRASH_POINT (TASK_BEGUN);
  self->attempt = mproc_task_count_attempts (record->task);
  value = run_captured (self, record->task, &error);
  self->attempt = 0;
  mproc_task_end (record->task, self->seat);
  mproc_worker_give_slot (self);
  MPROC_CRASH_POINT (TASK_LEFT);
  if (error != NULL && is_pushed)
    mproc_worker_print_error (error);
  wanted = mproc_task_finish (record->task, value, error);
  if (value != NULL)
    g_variant_unref (value);
  g_clear_error (&error);
  MPROC_CRASH_POINT (TASK_TOLD);
  if (wanted)
    mproc_pool_event_post (self->events, &event);
  return wanted;
}

gboolean
mproc_worker_takes_another (MprocWorker *self)
{
  return (self->max_tasks == 0 || self->n_tasks < self->max_tasks) &&
         (self->n_tasks == 0 || !mproc_worker_is_bloated (self));
}

/* First it counts as leaving, then it takes its leave: killed in between it has ended all the same.
 * Whoever counts it before the second step lets one worker less leave, and looks again. */
static gboolean
takes_leave (MprocWorker *self)
{
  MprocPoolControl *control = mproc_control_at (self->seat->control);
  guint32 n = mproc_load32 (&control->leave);

  if (n == 0)
    return FALSE;
  mproc_store32 (&self->seat->phase, MPROC_SEAT_LEAVING);
  while (n > 0)
    {
      if (mproc_cas32 (&control->leave, n, n - 1))
        return TRUE;
      n = mproc_load32 (&control->leave);
    }
  mproc_store32 (&self->seat->phase, MPROC_SEAT_WORKING);
  return FALSE;
}

/* FALSE: there is nothing more for it to do here. */
static gboolean
take_task (MprocWorker *self, Claim *taken)
{
  do
    if (takes_leave (self) ||
        !mproc_queue_take (self->tasks, mproc_deadline (self->idle_timeout), claim, taken,
                           NULL))
      return FALSE;
  while (taken->record.task == 0);
  return TRUE;
}

/* A condemned one is about to be killed, and does not wait for that. */
static void
work (MprocWorker *self)
{
  Claim taken = { .worker = self };
  gboolean wanted = TRUE;

  mproc_store64 (&self->seat->ready, (guint64) g_get_monotonic_time ());
  mproc_store32 (&self->seat->phase, MPROC_SEAT_WORKING);
  while (wanted && mproc_worker_takes_another (self) && take_task (self, &taken))
    if (taken.record.is_batch)
      wanted = mproc_worker_run_batch (self, taken.record.task);
    else
      {
        wanted = do_task (self, &taken.record);
        self->n_tasks++;
      }
  mproc_store32 (&self->seat->phase, MPROC_SEAT_LEAVING);
}

/* It would fail in the next one as well. */
static void
report_broken (MprocWorker *self, const char *what, const GError *error)
{
  MprocPoolEvent event = { .kind = MPROC_EVENT_BROKEN, .member = self->member };

  g_snprintf (event.text, sizeof event.text, "%s failed: %s", what, error->message);
  mproc_pool_event_post (self->events, &event);
}

/* Neither its successor nor the pool's end is to wait until somebody looks whether it is still there.
 * A hint, which may be lost: where memory is used up nobody may be there to give some back.  Of
 * thousands that leave at a time one says so for all: whoever hears of it looks at all. */
static void
report_leaving (MprocWorker *self)
{
  MprocPoolControl *control = mproc_control_at (self->seat->control);
  MprocPoolEvent event = { .kind = MPROC_EVENT_LEAVING };

  atomic_store (&self->seat->phase, MPROC_SEAT_LEFT);
  if ((!mproc_worker_takes_another (self) || mproc_queue_is_shut_down (self->tasks)) &&
      mproc_cas32 (&control->leaving, 0, 1))
    mproc_queue_put_bytes (self->events, &event, MPROC_EVENT_BASE_SIZE, 0, NULL);
}

static void
open_jobserver (MprocWorker *self)
{
  const char *where;

  if (g_variant_lookup (self->setup, "jobserver", "^&ay", &where))
    self->jobserver = mproc_os_jobserver_open (where);
}

static void
live (MprocWorker *self, GError **error)
{
  GError *failure = NULL;

  g_variant_lookup (self->setup, "max-tasks", "u", &self->max_tasks);
  g_variant_lookup (self->setup, "idle-timeout", "x", &self->idle_timeout);
  open_jobserver (self);
  g_variant_lookup (self->setup, "recycle-at", "t", &self->recycle_at);
  if (!mproc_setup_apply (self->setup, self->seat->place, &failure))
    {
      report_broken (self, "the worker's setup", failure);
      g_propagate_error (error, failure);
      return;
    }
  if (!mproc_worker_call (self, "initializer", &failure))
    {
      report_broken (self, "the initializer", failure);
      g_propagate_error (error, failure);
      return;
    }
  work (self);
  mproc_worker_call (self, "finalizer", error);
}

void
mproc_worker_serve (MprocQueue *tasks,
                    MprocQueue *events,
                    MprocOffset seat,
                    GVariant *setup,
                    GError **error)
{
  MprocWorker self = { .idle_timeout = MPROC_FOREVER, .jobserver = MPROC_OS_NONE };

  self.tasks = tasks;
  self.events = events;
  self.setup = setup;
  self.seat_offset = seat;
  self.seat = mproc_seat_at (seat);
  self.member = mproc_self ();
  mproc_store32 (&self.seat->member, self.member);
  mproc_worker_become (&self);
  live (&self, error);
  mproc_worker_clear_data (&self);
  if (self.jobserver != MPROC_OS_NONE)
    mproc_os_jobserver_close (self.jobserver);
  mproc_worker_become (NULL);
  mproc_capture_drop (&self);
  report_leaving (&self);
}

GVariant *
mproc_worker_main (GVariant *args, GError **error)
{
  MprocQueue *tasks, *events;
  guint64 seat;
  GVariant *boxed, *setup;

  if (!mproc_unpack (args, error, "(&h&ht@v)", &tasks, &events, &seat, &boxed))
    return NULL;
  setup = g_variant_get_variant (boxed);
  g_variant_unref (boxed);
  mproc_worker_serve (tasks, events, (MprocOffset) seat, setup, error);
  g_variant_unref (setup);
  return NULL;
}
