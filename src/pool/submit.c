/* SPDX-License-Identifier: MIT */
#include "pool/submit.h"

#include "family/function.h"
#include "insight/capture.h"
#include "insight/progress.h"
#include "pool/cancel.h"
#include "pool/dispatch.h"
#include "pool/job.h"
#include "pool/pending.h"

/* What has a task, if it could be made. */
static MprocJob *
make_job (MprocPool *self,
          const MprocOrder *order,
          const MprocTaskPlan *plan,
          MprocMessage *message,
          GError **error)
{
  MprocJob *job = g_new0 (MprocJob, 1);

  if (order->result != NULL)
    {
      job->result = mproc_result_ref (order->result);
      mproc_result_bind (job->result, self->link);
    }
  job->part = order->part;
  job->options = mproc_task_options_ref (order->options);
  job->task = mproc_task_new (plan, message, error);
  if (job->task != 0)
    return job;
  mproc_job_free (job);
  return NULL;
}

static gboolean
enter_job (MprocPool *self, const MprocOrder *order, MprocJob *job, GError **error)
{
  gboolean ok;

  g_mutex_lock (&self->mutex);
  ok = mproc_pool_await_room (self, order->deadline, error) &&
       mproc_pool_check_running (self, error) && mproc_pool_queue_job (self, job, error);
  job->number = job->serial;
  if (ok && job->result != NULL)
    mproc_result_set_job (job->result, job);
  self->is_watched |= order->options != NULL && order->options->limits.hard > 0;
  g_mutex_unlock (&self->mutex);
  return ok;
}

/* What takes time is done before the mutex is taken: the thread that gives results out
 * wants it too. */
static gboolean
hand_over_message (MprocPool *self,
                   const MprocOrder *order,
                   MprocMessage *message,
                   GError **error)
{
  MprocTaskPlan plan = { order->flags,
                         mproc_function_get_ticket (order->func, error),
                         { 0, 0 } };
  MprocJob *job;

  if (plan.function == 0 ||
      !mproc_capture_plan (order->options, order->result, self->method, &plan, error))
    return FALSE;
  if (order->options != NULL)
    plan.limits = order->options->limits;
  job = make_job (self, order, &plan, message, error);
  if (job == NULL)
    return FALSE;
  mproc_insight_hand_over (&self->insight, &job->note, order->func, job->options,
                           MAX (1, order->n_items));
  if (enter_job (self, order, job, error))
    return TRUE;
  mproc_insight_take_back (&job->note);
  mproc_task_free_unsent (job->task);
  mproc_job_free (job);
  return FALSE;
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
mproc_pool_hand_over (MprocPool *self, const MprocOrder *order, GError **error)
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

void
mproc_pool_submit_part (MprocPool *self, const MprocOrder *order)
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
  MprocOrder order = { .func = func, .args = args, .deadline = MPROC_OS_NEVER };
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
  mproc_pool_submit_part (self, &order);
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
  MprocOrder order = {
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
