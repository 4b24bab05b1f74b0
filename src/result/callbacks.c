/* SPDX-License-Identifier: MIT */
#include "result/callbacks.h"

#include "family/local.h"
#include "worker/poolevent.h"

struct MprocCallbacks
{
  gint ref_count;     /* atomic */
  MprocQueue *events; /* a reference */
  GMutex mutex;       /* a leaf: nothing is called under it */
  GQueue due;         /* of MprocCallback */
  gboolean has_ended; /* nobody serves it any more */
  gint n_due;         /* as many; atomic, to be looked at without a lock */
};

static _Thread_local MprocCallbacks *served;

MprocCallbacks *
mproc_callbacks_new (MprocQueue *events)
{
  MprocCallbacks *self = g_new0 (MprocCallbacks, 1);

  self->ref_count = 1;
  self->events = mproc_queue_ref (events);
  g_mutex_init (&self->mutex);
  g_queue_init (&self->due);
  return self;
}

MprocCallbacks *
mproc_callbacks_ref (MprocCallbacks *self)
{
  if (self != NULL)
    g_atomic_int_inc (&self->ref_count);
  return self;
}

void
mproc_callbacks_unref (MprocCallbacks *self)
{
  if (self == NULL || !g_atomic_int_dec_and_test (&self->ref_count))
    return;
  mproc_queue_unref (self->events);
  g_mutex_clear (&self->mutex);
  g_free (self);
}

void
mproc_callback_call (MprocCallback *callback)
{
  callback->func (callback->result, callback->data);
  if (callback->destroy != NULL)
    callback->destroy (callback->data);
  mproc_result_unref (callback->result);
  g_free (callback);
}

/* ------------------------------------------------------------------ in a main context */

static gboolean
call_in_context (gpointer data)
{
  MprocCallback *callback = data;

  callback->func (callback->result, callback->data);
  return G_SOURCE_REMOVE;
}

/* Also where the context goes before it has called it. */
static void
free_in_context (gpointer data)
{
  MprocCallback *callback = data;

  if (callback->destroy != NULL)
    callback->destroy (callback->data);
  mproc_result_unref (callback->result);
  g_free (callback);
}

static void
give_to_context (MprocCallback *callback)
{
  GMainContext *context = callback->context;
  GSource *source = g_idle_source_new ();

  callback->context = NULL;
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, call_in_context, callback, free_in_context);
  g_source_attach (source, context);
  g_source_unref (source);
  g_main_context_unref (context);
}

/* ------------------------------------------------------------------ in the pool's thread */

/* A hint, which may be lost: the thread looks at the list twice in each nap anyway. */
static void
wake (MprocCallbacks *self)
{
  MprocPoolEvent event = { .kind = MPROC_EVENT_WAKE };

  mproc_queue_put_bytes (self->events, &event, MPROC_EVENT_BASE_SIZE, 0, NULL);
}

/* FALSE: it is too late for that.  A task may be taken back while the last of its pool ends. */
static gboolean
enlist (MprocCallbacks *self, MprocCallback *callback)
{
  gboolean in_time;

  g_mutex_lock (&self->mutex);
  in_time = !self->has_ended;
  if (in_time)
    {
      g_queue_push_tail (&self->due, callback);
      g_atomic_int_inc (&self->n_due);
    }
  g_mutex_unlock (&self->mutex);
  return in_time;
}

gboolean
mproc_callbacks_end (MprocCallbacks *self)
{
  gboolean is_empty;

  mproc_gate_enter ();
  g_mutex_lock (&self->mutex);
  is_empty = g_queue_is_empty (&self->due);
  self->has_ended = is_empty;
  g_mutex_unlock (&self->mutex);
  mproc_gate_leave ();
  return is_empty;
}

void
mproc_callbacks_add (MprocCallbacks *self, MprocCallback *callback)
{
  if (callback->context != NULL)
    give_to_context (callback);
  else if (!enlist (self, callback))
    mproc_callback_call (callback);
  else if (!mproc_callbacks_are_mine (self))
    wake (self);
}

void
mproc_callbacks_serve (MprocCallbacks *self)
{
  served = self;
}

gboolean
mproc_callbacks_are_mine (MprocCallbacks *self)
{
  return self != NULL && served == self;
}

static MprocCallback *
take_next (MprocCallbacks *self)
{
  MprocCallback *callback;

  if (g_atomic_int_get (&self->n_due) == 0)
    return NULL;
  mproc_gate_enter ();
  g_mutex_lock (&self->mutex);
  callback = g_queue_pop_head (&self->due);
  g_atomic_int_add (&self->n_due, -1);
  g_mutex_unlock (&self->mutex);
  mproc_gate_leave ();
  return callback;
}

/* While it runs its user's code the thread is one of the user's, beside which a fork is not safe. */
void
mproc_callbacks_run (MprocCallbacks *self)
{
  MprocCallback *callback;

  while ((callback = take_next (self)) != NULL)
    {
      mproc_own_thread_lend (TRUE);
      mproc_callback_call (callback);
      mproc_own_thread_lend (FALSE);
    }
}
