/* SPDX-License-Identifier: MIT */
#include "worker/inline.h"

#include "family/function.h"
#include "values/message.h"
#include "worker/task.h"

struct MprocInline
{
  GRecMutex mutex; /* over all of it; held while a task runs */
  MprocWorker worker;
  MprocOffset seat;
  guint depth; /* of tasks that hand over others */
  guint n_maps;
  gboolean is_started;
  gboolean is_over;
};

/* What a task inside of a task finds, and leaves as it was. */
typedef struct
{
  MprocWorker *worker; /* what the thread was before */
  MprocMember member;
  guint attempt;
  guint64 running;
  guint64 started;
  guint64 soft;
} Frame;

static Frame
enter (MprocInline *self)
{
  MprocSeat *seat = self->worker.seat;
  Frame frame = { mproc_worker_current (),       self->worker.member,
                  self->worker.attempt,          mproc_load64 (&seat->running),
                  mproc_load64 (&seat->started), mproc_load64 (&seat->soft) };

  self->worker.member = mproc_self ();
  mproc_worker_become (&self->worker);
  return frame;
}

static void
leave (MprocInline *self, const Frame *frame)
{
  MprocSeat *seat = self->worker.seat;

  self->worker.member = frame->member;
  self->worker.attempt = frame->attempt;
  mproc_store64 (&seat->running, frame->running);
  mproc_store64 (&seat->started, frame->started);
  mproc_store64 (&seat->soft, frame->soft);
  mproc_worker_become (frame->worker);
}

/* ------------------------------------------------------------------ the worker's life */

static gboolean
start (MprocInline *self, GError **failure)
{
  Frame frame = enter (self);

  self->worker.n_tasks = 0;
  mproc_store32 (&self->worker.seat->phase, MPROC_SEAT_WORKING);
  self->is_started = mproc_worker_call (&self->worker, "initializer", failure);
  if (!self->is_started)
    mproc_worker_clear_data (&self->worker);
  leave (self, &frame);
  return self->is_started;
}

/* What its finalizer fails with nobody hears of, as of any worker's. */
static void
finish (MprocInline *self)
{
  GError *error = NULL;
  Frame frame = enter (self);

  mproc_worker_call (&self->worker, "finalizer", &error);
  g_clear_error (&error);
  mproc_worker_clear_data (&self->worker);
  leave (self, &frame);
  self->is_started = FALSE;
  self->worker.seat->number++;
}

static gboolean
is_done (MprocInline *self)
{
  const MprocWorker *worker = &self->worker;

  return (self->is_over && self->n_maps == 0) ||
         (worker->max_tasks != 0 && worker->n_tasks >= worker->max_tasks);
}

static void
finish_if_done (MprocInline *self)
{
  if (self->depth == 0 && self->is_started && is_done (self))
    finish (self);
}

MprocInline *
mproc_inline_new (GVariant *setup, GError **failure, GError **error)
{
  MprocOffset seat = mproc_family_ensure (error) ? mproc_seat_new (1, error) : 0;
  MprocInline *self;

  if (seat == 0)
    return NULL;
  self = g_new0 (MprocInline, 1);
  g_rec_mutex_init (&self->mutex);
  self->seat = seat;
  self->worker.seat = mproc_seat_at (seat);
  self->worker.setup = g_variant_ref (setup);
  g_variant_lookup (setup, "max-tasks", "u", &self->worker.max_tasks);
  start (self, failure);
  return self;
}

void
mproc_inline_end (MprocInline *self)
{
  g_rec_mutex_lock (&self->mutex);
  self->is_over = TRUE;
  finish_if_done (self);
  g_rec_mutex_unlock (&self->mutex);
}

void
mproc_inline_free (MprocInline *self)
{
  if (self == NULL)
    return;
  mproc_arena_free (self->seat);
  g_variant_unref (self->worker.setup);
  g_rec_mutex_clear (&self->mutex);
  g_free (self);
}

/* ------------------------------------------------------------------ tasks */

/* As if it had to be sent: what works inline works in a pool of processes. */
static gboolean
check_sending (GVariant *value, GError **error)
{
  MprocMessage message;
  gboolean ok = mproc_message_init (&message, value, error);

  if (ok)
    {
      ok = mproc_task_check_result (&message, error);
      mproc_message_clear (&message, FALSE);
    }
  if (!ok)
    g_prefix_error (error, "the task's result cannot be sent: ");
  return ok;
}

/* In the frame of a worker. */
static gboolean
run (MprocInline *self,
     MprocInlineWork work,
     gpointer data,
     const MprocTaskLimits *limits,
     GError **error)
{
  const MprocTaskLimits none = { 0, 0 };
  Frame frame = enter (self);
  gboolean ok;

  self->depth++;
  self->worker.attempt = 1;
  mproc_seat_begin (self->worker.seat, 0, mproc_seat_name (self->worker.n_tasks, 0),
                    limits != NULL ? limits : &none);
  ok = work (data, error);
  mproc_seat_end (self->worker.seat);
  self->depth--;
  leave (self, &frame);
  self->worker.n_tasks++;
  return ok;
}

gboolean
mproc_inline_do (MprocInline *self,
                 MprocInlineWork work,
                 gpointer data,
                 const MprocTaskLimits *limits,
                 GError **failure,
                 GError **error)
{
  gboolean ok = FALSE;

  g_rec_mutex_lock (&self->mutex);
  if (self->is_started || start (self, failure))
    {
      ok = run (self, work, data, limits, error);
      finish_if_done (self);
    }
  g_rec_mutex_unlock (&self->mutex);
  return ok;
}

void
mproc_inline_begin_map (MprocInline *self)
{
  g_rec_mutex_lock (&self->mutex);
  self->n_maps++;
  g_rec_mutex_unlock (&self->mutex);
}

void
mproc_inline_end_map (MprocInline *self)
{
  g_rec_mutex_lock (&self->mutex);
  self->n_maps--;
  finish_if_done (self);
  g_rec_mutex_unlock (&self->mutex);
}

/* ------------------------------------------------------------------ functions of values */

typedef struct
{
  const MprocInlineTask *task;
  GVariant *value;
} Call;

static gboolean
call (gpointer data, GError **error)
{
  Call *self = data;
  GError *failure = NULL;

  self->value = mproc_worker_run_task (self->task->func, self->task->flags,
                                       self->task->args, &failure);
  if (self->value != NULL && !check_sending (self->value, &failure))
    g_clear_pointer (&self->value, g_variant_unref);
  if (failure == NULL)
    return TRUE;
  g_propagate_error (error, failure);
  return FALSE;
}

GVariant *
mproc_inline_run (MprocInline *self,
                  const MprocInlineTask *task,
                  GError **failure,
                  GError **error)
{
  Call data = { task, NULL };

  mproc_inline_do (self, call, &data, task->limits, failure, error);
  return data.value;
}
