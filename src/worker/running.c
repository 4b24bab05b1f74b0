/* SPDX-License-Identifier: MIT */
/* What a function that runs in a worker can ask, and keep. */
#include "worker/worker.h"

#include "family/function.h"

static _Thread_local MprocWorker *current;

/* A process that was forked in a task has a copy of what was its parent's. */
MprocWorker *
mproc_worker_current (void)
{
  return current != NULL && current->member == mproc_self () ? current : NULL;
}

void
mproc_worker_become (MprocWorker *self)
{
  current = self;
}

/* ------------------------------------------------------------------ the task */

static gboolean
should_stop (gboolean *cancelled)
{
  MprocWorker *self = mproc_worker_current ();

  return self != NULL && self->attempt != 0 &&
         mproc_seat_should_stop (self->seat, cancelled);
}

gboolean
mproc_task_should_stop (void)
{
  gboolean cancelled;

  return should_stop (&cancelled);
}

gboolean
mproc_task_check (GError **error)
{
  gboolean cancelled;

  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (!should_stop (&cancelled))
    return TRUE;
  if (cancelled)
    g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_CANCELLED,
                         "the task was cancelled while it ran");
  else
    g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_TIMED_OUT,
                         "the task's soft limit of time is reached");
  return FALSE;
}

guint
mproc_task_get_attempt (void)
{
  MprocWorker *self = mproc_worker_current ();

  return self != NULL ? self->attempt : 0;
}

/* ------------------------------------------------------------------ the worker */

gboolean
mproc_worker_serves (MprocQueue *tasks)
{
  MprocWorker *self = mproc_worker_current ();

  return self != NULL && tasks != NULL && self->tasks == tasks;
}

guint
mproc_worker_get_number (void)
{
  MprocWorker *self = mproc_worker_current ();

  return self != NULL ? self->seat->number : 0;
}

void
mproc_worker_clear_data (MprocWorker *self)
{
  gpointer data = self->data;
  GDestroyNotify free_data = self->free_data;

  self->data = NULL;
  self->free_data = NULL;
  if (free_data != NULL)
    free_data (data);
}

void
mproc_worker_set_data (gpointer data, GDestroyNotify free_func)
{
  MprocWorker *self = mproc_worker_current ();

  g_return_if_fail (self != NULL);

  mproc_worker_clear_data (self);
  self->data = data;
  self->free_data = free_func;
}

gpointer
mproc_worker_get_data (void)
{
  MprocWorker *self = mproc_worker_current ();

  return self != NULL ? self->data : NULL;
}

gboolean
mproc_worker_call (MprocWorker *self, const char *key, GError **error)
{
  MprocHandle ticket;
  GVariant *args;
  MprocFunc func;
  GVariant *value = NULL;

  if (!g_variant_lookup (self->setup, key, "(hv)", &ticket, &args))
    return TRUE;
  func = mproc_function_resolve (ticket, error);
  if (func != NULL)
    value = mproc_worker_run (func, args, error);
  if (value != NULL)
    g_variant_unref (g_variant_take_ref (value));
  g_variant_unref (args);
  return value != NULL;
}
