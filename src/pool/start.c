/* SPDX-License-Identifier: MIT */
#include "pool/start.h"

#include "arena/word.h"
#include "family/local.h"
#include "pool/dispatch.h"
#include "pool/submit.h"

/* The nursery itself starts no worker: not a worker that does not work. */
static gboolean
is_nursery_broken (const MprocPoolEvent *event)
{
  return event->kind == MPROC_EVENT_BROKEN && event->member == 0;
}

/* An initializer may fail before the last worker has been started: that breaks the pool as it would a
 * moment later. */
static void
note_start (MprocPool *self, const MprocPoolEvent *event)
{
  mproc_pool_note_seat (self, event);
  if (event->kind == MPROC_EVENT_BROKEN && event->member != 0)
    mproc_pool_break (self, event->text);
}

/* The nursery's word that all have been started, or its silence. */
static gboolean
await_nursery (MprocPool *self, GError **error)
{
  MprocPoolEvent event = { 0 };

  do
    if (!mproc_queue_take (self->events, g_get_monotonic_time () + MPROC_NAP,
                           mproc_pool_event_copy, &event, NULL))
      {
        if (mproc_nursery_is_alive (self->nursery))
          continue;
        g_set_error_literal (
            error, MPROC_ERROR, MPROC_ERROR_STATE,
            "the pool's nursery ended before it had started the workers");
        return FALSE;
      }
    else
      note_start (self, &event);
  while (event.kind != MPROC_EVENT_READY && !is_nursery_broken (&event));
  if (event.kind == MPROC_EVENT_READY)
    return TRUE;
  g_set_error (error, MPROC_ERROR, MPROC_ERROR_STATE,
               "the pool's workers cannot be started: %s", event.text);
  return FALSE;
}

void
mproc_pool_fill_plan (MprocPool *self, MprocStartMethod method, MprocCrewPlan *plan)
{
  plan->control = self->control;
  plan->starts_on_demand = self->options->idle_timeout != MPROC_FOREVER;
  plan->method = method;
  plan->name = self->options->name;
  plan->tasks = self->tasks;
  plan->events = self->events;
  plan->setup = self->setup;
}

static gboolean
start_workers (MprocPool *self, GError **error)
{
  MprocCrewPlan plan;

  mproc_pool_fill_plan (self, self->method, &plan);
  if (self->method == MPROC_START_METHOD_FORK)
    {
      self->nursery = mproc_nursery_new (&plan, error);
      return self->nursery != NULL && await_nursery (self, error);
    }
  self->crew = mproc_crew_new (&plan);
  return mproc_crew_fill (self->crew, error);
}

static gboolean
make_control (MprocPool *self, GError **error)
{
  self->control = mproc_arena_alloc0 (sizeof (MprocPoolControl), error);
  if (self->control == 0)
    return FALSE;
  mproc_store32 (&mproc_control_at (self->control)->wanted, self->n_workers);
  return TRUE;
}

/* Nothing has to end before it is over. */
static gboolean
set_up_inline (MprocPool *self, GError **error)
{
  GError *failure = NULL;

  self->thread_ended = TRUE;
  if (!mproc_family_ensure (error) || !make_control (self, error))
    return FALSE;
  self->setup =
      mproc_pool_options_pack_setup (self->options, self->jobserver_name, error);
  if (self->setup == NULL)
    return FALSE;
  self->worker = mproc_inline_new (self->setup, &failure, error);
  if (failure != NULL)
    mproc_pool_break_inline (self, failure);
  return self->worker != NULL;
}

gboolean
mproc_pool_set_up (MprocPool *self, GError **error)
{
  if (self->options->is_inline)
    return set_up_inline (self, error);
  self->tasks = mproc_queue_new (0, error);
  self->events = self->tasks != NULL ? mproc_queue_new (0, error) : NULL;
  if (self->events == NULL || !make_control (self, error))
    return FALSE;
  self->setup =
      mproc_pool_options_pack_setup (self->options, self->jobserver_name, error);
  if (self->setup == NULL || !start_workers (self, error))
    return FALSE;
  self->callbacks = mproc_callbacks_new (self->events);
  self->insight.trace = mproc_trace_new (self->options->name);
  self->thread = mproc_own_thread_new ("mproc-pool", mproc_pool_dispatch, self, error);
  return self->thread != NULL;
}
