/* SPDX-License-Identifier: MIT */
/* Handing tasks over. */
#include "family/function.h"
#include "insight/capture.h"
#include "insight/progress.h"
#include "map/poolmap.h"
#include "pool/cancel.h"
#include "pool/pool.h"

#include <mproc/queue.h>

typedef MprocOrder Order;

gboolean
mproc_pool_check_running (MprocPool *self, GError **error)
{
  if (self->broken != NULL)
    g_propagate_error (error, g_error_copy (self->broken));
  else if (self->state != MPROC_POOL_RUNNING)
    g_set_error (error, MPROC_ERROR, MPROC_ERROR_STATE,
                 "the pool is not running: it has been %s",
                 self->state == MPROC_POOL_CLOSED ? "closed" : "terminated");
  else
    return TRUE;
  return FALSE;
}

gboolean
mproc_pool_check_owner (MprocPool *self, GError **error)
{
  if (mproc_pool_is_mine (self))
    return TRUE;
  g_set_error (error, MPROC_ERROR, MPROC_ERROR_STATE,
               "the pool belongs to the process with pid %" G_GINT64_FORMAT
               ", which made it, and this is another one, forked since: make a pool here",
               self->creator);
  return FALSE;
}

gboolean
mproc_pool_check_open (MprocPool *self, GError **error)
{
  gboolean ok;

  if (!mproc_pool_check_owner (self, error))
    return FALSE;
  g_mutex_lock (&self->mutex);
  ok = mproc_pool_check_running (self, error);
  g_mutex_unlock (&self->mutex);
  return ok;
}

/* Another one than before, so that a record which names the old one claims nothing. */
static guint32
choose_serial (MprocPool *self)
{
  do
    self->last_serial++;
  while (self->last_serial == 0 ||
         g_hash_table_contains (self->jobs, GUINT_TO_POINTER (self->last_serial)));
  return self->last_serial;
}

static void
enter (MprocPool *self, MprocJob *job, guint32 serial)
{
  if (job->serial != 0)
    g_hash_table_steal (self->jobs, GUINT_TO_POINTER (job->serial));
  job->serial = serial;
  g_hash_table_insert (self->jobs, GUINT_TO_POINTER (serial), job);
}

void
mproc_pool_number_job (MprocPool *self, MprocJob *job)
{
  enter (self, job, choose_serial (self));
  mproc_task_queue (job->task, job->serial);
}

/* A map's priority is 0: others have their chunks handed over as tasks. */
static void
note_urgent (MprocPool *self, const MprocJob *job)
{
  if (job->backlog.priority > 0)
    mproc_store64 (&mproc_control_at (self->control)->urgent,
                   G_GUINT64_CONSTANT (1) << 32 | mproc_queue_get_put (self->tasks));
}

/* Serials and records are in the same order: that a task has been claimed says that every
 * earlier record is gone from the queue. */
gboolean
mproc_pool_put_job (MprocPool *self, MprocJob *job, GError **error)
{
  MprocTaskRecord record = { job->task, 0, 0 };
  gboolean was_known = job->serial != 0;

  /* Known here before any worker can see it. */
  mproc_pool_number_job (self, job);
  record.serial = job->serial;
  if (mproc_queue_put_bytes (self->tasks, &record, sizeof record, MPROC_FOREVER, error))
    {
      note_urgent (self, job);
      mproc_pool_feed_crew (self);
      return TRUE;
    }
  if (!was_known)
    g_hash_table_steal (self->jobs, GUINT_TO_POINTER (job->serial));
  mproc_pool_make_room (self);
  return FALSE;
}

gboolean
mproc_pool_take_back_job (MprocPool *self, MprocJob *job)
{
  guint32 serial = choose_serial (self);

  if (!mproc_task_take_back (job->task, job->serial, serial))
    return FALSE;
  enter (self, job, serial);
  return TRUE;
}

/* What takes time is done before the mutex is taken: the thread that gives results out
 * wants it too. */
static gboolean
hand_over_message (MprocPool *self,
                   const Order *order,
                   MprocMessage *message,
                   GError **error)
{
  MprocTaskPlan plan = { order->flags,
                         mproc_function_get_ticket (order->func, error),
                         { 0, 0 } };
  MprocJob *job;
  gboolean ok;

  if (plan.function == 0)
    return FALSE;
  if (!mproc_capture_plan (order->options, order->result, self->method, &plan, error))
    return FALSE;
  if (order->options != NULL)
    plan.limits = order->options->limits;
  job = g_new0 (MprocJob, 1);
  job->result = order->result != NULL ? mproc_result_ref (order->result) : NULL;
  if (job->result != NULL)
    mproc_result_bind (job->result, self->link);
  job->part = order->part;
  job->options = mproc_task_options_ref (order->options);
  job->task = mproc_task_new (&plan, message, error);
  ok = job->task != 0;
  if (ok)
    {
      mproc_insight_hand_over (&self->insight, &job->note, order->func, job->options,
                               MAX (1, order->n_items));
      g_mutex_lock (&self->mutex);
      ok = mproc_pool_await_room (self, order->deadline, error) &&
           mproc_pool_check_running (self, error) &&
           mproc_pool_queue_job (self, job, error);
      job->number = job->serial;
      if (ok && job->result != NULL)
        mproc_result_set_job (job->result, job);
      self->is_watched |= plan.limits.hard > 0;
      g_mutex_unlock (&self->mutex);
      if (!ok)
        mproc_insight_take_back (&job->note);
      if (!ok)
        mproc_task_free_unsent (job->task);
    }
  if (!ok)
    mproc_job_free (job);
  return ok;
}

/* ------------------------------------------------------------------ inline */

/* Of a pool that has no thread and no tasks pending. */
void
mproc_pool_break_inline (MprocPool *self, GError *failure)
{
  char *why = g_strdup_printf ("the initializer failed: %s", failure->message);

  g_mutex_lock (&self->mutex);
  mproc_pool_break (self, why);
  g_mutex_unlock (&self->mutex);
  g_free (why);
  g_error_free (failure);
}

static gboolean
may_run_inline (MprocPool *self, const MprocOrder *order, GError **error)
{
  MprocTaskPlan plan = { 0 };
  gboolean ok;

  if (!mproc_capture_plan (order->options, order->result, self->method, &plan, error))
    return FALSE;
  g_mutex_lock (&self->mutex);
  ok = mproc_pool_check_running (self, error);
  g_mutex_unlock (&self->mutex);
  return ok && mproc_function_get_ticket (order->func, error) != 0;
}

static void
settle_inline (const MprocOrder *order, GVariant *value, GError *error)
{
  if (order->result != NULL)
    {
      mproc_result_set_part (order->result, order->part, value, error);
      return;
    }
  if (error != NULL)
    mproc_worker_print_error (error);
  g_clear_error (&error);
  if (value != NULL)
    g_variant_unref (value);
}

/* Before it returns. */
static gboolean
run_inline (MprocPool *self, const MprocOrder *order, GVariant *args, GError **error)
{
  MprocInlineTask task = { order->func, order->flags, args, NULL };
  GError *failure = NULL;
  GError *outcome = NULL;
  GVariant *value;

  if (!may_run_inline (self, order, error))
    return FALSE;
  if (order->options != NULL)
    task.limits = &order->options->limits;
  value = mproc_inline_run (self->worker, &task, &failure, &outcome);
  if (failure == NULL)
    {
      mproc_insight_count (&self->insight, MAX (1, order->n_items), outcome);
      settle_inline (order, value, outcome);
      mproc_progress_report (self, FALSE);
      return TRUE;
    }
  mproc_pool_break_inline (self, failure);
  return may_run_inline (self, order, error);
}

gboolean
mproc_pool_check_message (const MprocMessage *message, GError **error)
{
  if (!mproc_message_has_kind (message, MPROC_KIND_CONNECTION))
    return TRUE;
  g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_NOT_SUPPORTED,
                       "a task cannot carry a connection: only the arguments of "
                       "mproc_process_start do");
  return FALSE;
}

gboolean
mproc_pool_hand_over (MprocPool *self, const Order *order, GError **error)
{
  MprocMessage message;
  gboolean ok;

  if (!mproc_message_init (&message, order->args, error))
    return FALSE;
  if (!mproc_pool_check_message (&message, error) ||
      !mproc_task_options_check (order->options, error))
    {
      mproc_message_clear (&message, FALSE);
      return FALSE;
    }
  if (self->worker != NULL)
    {
      ok = run_inline (self, order, message.value, error);
      mproc_message_clear (&message, FALSE);
      return ok;
    }
  ok = hand_over_message (self, order, &message, error);
  mproc_message_clear (&message, ok);
  return ok;
}

static void
submit_part (MprocPool *self, const Order *order)
{
  GError *error = NULL;

  if (!mproc_pool_hand_over (self, order, &error))
    mproc_result_set_part (order->result, order->part, NULL, error);
}

MprocTaskOptions *
mproc_pool_choose_options (MprocPool *self, const MprocTaskOptions *given)
{
  return given != NULL ? mproc_task_options_freeze (given)
                       : mproc_task_options_ref (self->options->task_options);
}

/* Taken, as it would have been. */
void
mproc_pool_refuse_value (GVariant *value)
{
  if (value != NULL)
    g_variant_unref (g_variant_ref_sink (value));
}

MprocResult *
mproc_pool_apply_async (MprocPool *self,
                        MprocFunc func,
                        GVariant *args,
                        const MprocTaskOptions *options)
{
  Order order = { .func = func, .args = args, .deadline = MPROC_OS_NEVER };
  GError *error = NULL;

  g_return_val_if_fail (mproc_object_is (self, MPROC_KIND_POOL), NULL);
  g_return_val_if_fail (func != NULL, NULL);
  if (!mproc_pool_check_owner (self, &error))
    {
      mproc_pool_refuse_value (args);
      return mproc_result_new_failed (error);
    }
  order.options = mproc_pool_choose_options (self, options);
  order.result = mproc_result_new (self->callbacks, 1, MPROC_RESULT_VALUE);
  submit_part (self, &order);
  mproc_task_options_free (order.options);
  return order.result;
}

GVariant *
mproc_pool_apply (MprocPool *self, MprocFunc func, GVariant *args, GError **error)
{
  return mproc_result_take (mproc_pool_apply_async (self, func, args, NULL), error);
}

gboolean
mproc_pool_push (MprocPool *self, MprocFunc func, GVariant *args, GError **error)
{
  Order order = {
    .func = func, .args = args, .flags = MPROC_TASK_PUSHED, .deadline = MPROC_OS_NEVER
  };

  g_return_val_if_fail (mproc_object_is (self, MPROC_KIND_POOL), FALSE);
  g_return_val_if_fail (func != NULL, FALSE);
  if (!mproc_pool_check_owner (self, error))
    {
      mproc_pool_refuse_value (args);
      return FALSE;
    }
  order.options = self->options->task_options;
  return mproc_pool_hand_over (self, &order, error);
}

/* ------------------------------------------------------------------ map */

/* CPython's: a quarter of an even share, rounded up. */
static guint
choose_chunk (MprocPool *self, gsize n)
{
  gsize parts = (gsize) mproc_pool_get_n_workers (self) * 4;

  return (guint) MAX (1, (n + parts - 1) / parts);
}

/* The items of one chunk as a value. */
static GVariant *
slice (GVariant *items, gsize from, gsize n)
{
  GVariant **children = g_new (GVariant *, n);
  GVariant *value;

  for (gsize i = 0; i < n; i++)
    children[i] = g_variant_get_child_value (items, from + i);
  if (g_variant_is_of_type (items, G_VARIANT_TYPE_ARRAY))
    value = g_variant_new_array (g_variant_type_element (g_variant_get_type (items)),
                                 children, n);
  else
    value = g_variant_new_tuple (children, n);
  for (gsize i = 0; i < n; i++)
    g_variant_unref (children[i]);
  g_free (children);
  return value;
}

/* A negative number, as it looks when cast.  A pool that takes no tasks takes no map of 0 items. */
gboolean
mproc_pool_check_map (MprocPool *self, guint chunk, GError **error)
{
  if (chunk <= G_MAXINT)
    return mproc_pool_check_open (self, error);
  g_set_error (error, MPROC_ERROR, MPROC_ERROR_INVALID,
               "a chunk of %u items is more than a task can have; at most %d, and 0 is "
               "chosen well",
               chunk, G_MAXINT);
  return FALSE;
}

MprocResult *
mproc_pool_map_async (MprocPool *self,
                      MprocFunc func,
                      GVariant *items,
                      guint chunk,
                      const MprocTaskOptions *options)
{
  GError *error = NULL;
  MprocTaskOptions *chosen;
  MprocResult *result;
  gsize n;
  guint n_parts;

  g_return_val_if_fail (mproc_object_is (self, MPROC_KIND_POOL), NULL);
  g_return_val_if_fail (func != NULL, NULL);
  g_return_val_if_fail (items != NULL && g_variant_is_container (items), NULL);
  g_variant_ref_sink (items);
  if (!mproc_pool_check_map (self, chunk, &error))
    {
      g_variant_unref (items);
      return mproc_result_new_failed (error);
    }
  n = g_variant_n_children (items);
  chosen = mproc_pool_choose_options (self, options);
  if (n > 0 && mproc_pool_can_batch (self, chosen))
    {
      result = mproc_pool_map_values (self, func, items, chunk, chosen);
      mproc_task_options_free (chosen);
      g_variant_unref (items);
      return result;
    }
  if (chunk == 0)
    chunk = choose_chunk (self, n);
  n_parts = (guint) ((n + chunk - 1) / chunk);
  result = mproc_result_new (self->callbacks, n_parts,
                             chunk == 1 ? MPROC_RESULT_ITEMS : MPROC_RESULT_CHUNKS);
  for (guint i = 0; i < n_parts; i++)
    {
      gsize from = (gsize) i * chunk;
      Order order = { .func = func,
                      .flags = chunk == 1 ? 0 : MPROC_TASK_MAP,
                      .result = result,
                      .part = i,
                      .options = chosen,
                      .deadline = MPROC_OS_NEVER,
                      .n_items = (guint) MIN (chunk, n - from) };

      if (chunk == 1)
        order.args = mproc_get_item (items, from);
      else
        order.args = g_variant_ref_sink (slice (items, from, MIN (chunk, n - from)));
      submit_part (self, &order);
      g_variant_unref (order.args);
    }
  mproc_task_options_free (chosen);
  g_variant_unref (items);
  return result;
}

GVariant *
mproc_pool_map (MprocPool *self,
                MprocFunc func,
                GVariant *items,
                guint chunk,
                GError **error)
{
  return mproc_result_take (mproc_pool_map_async (self, func, items, chunk, NULL), error);
}
