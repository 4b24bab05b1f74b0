/* SPDX-License-Identifier: MIT */
#include "task.h"

#include <string.h>

/* Room behind the argument for an outcome of the usual size. */
#define INLINE_OUTCOME 104

typedef struct
{
  MprocAtomic64 state; /* serial << 32 | see task.h */
  gint32 function;
  guint32 flags;
  guint64 args_size;
  guint64 inline_size; /* of the room behind the argument */
  MprocAtomic64
      outcome; /* where its bytes are: 0 none yet, else in this block or one of its own */
  guint64 outcome_size;
  guint32 outcome_is_error;
  guint32 unused;
} Task;

static Task *
task_at (MprocOffset task)
{
  return mproc_arena_at (task, sizeof (Task));
}

static gsize
round8 (gsize size)
{
  return (size + 7) / 8 * 8;
}

static MprocOffset
args_of (MprocOffset task)
{
  return task + sizeof (Task);
}

static MprocOffset
room_of (MprocOffset task)
{
  return args_of (task) + round8 ((gsize) task_at (task)->args_size);
}

GVariant *
mproc_get_item (GVariant *items, gsize i)
{
  GVariant *item = g_variant_get_child_value (items, i);
  GVariant *inside;

  if (!g_variant_is_of_type (item, G_VARIANT_TYPE_VARIANT))
    return item;
  inside = g_variant_get_variant (item);
  g_variant_unref (item);
  return inside;
}

MprocOffset
mproc_task_new (guint32 flags,
                MprocHandle function,
                const MprocMessage *args,
                GError **error)
{
  gsize size = sizeof (Task) + round8 (args->size) + INLINE_OUTCOME;
  MprocOffset offset = mproc_arena_alloc (size, error);
  Task *self;

  if (offset == 0)
    return 0;
  self = mproc_arena_at (offset, size);
  self->function = function;
  self->flags = flags;
  self->args_size = args->size;
  self->inline_size =
      mproc_arena_block_size (offset) - sizeof (Task) - round8 (args->size);
  self->outcome_size = 0;
  self->outcome_is_error = FALSE;
  mproc_store64 (&self->outcome, 0);
  mproc_message_store (args, mproc_arena_at (args_of (offset), args->size));
  mproc_store64 (&self->state, MPROC_TASK_DONE); /* nobody's to claim yet */
  return offset;
}

void
mproc_task_queue (MprocOffset task, guint32 serial)
{
  mproc_store64 (&task_at (task)->state, (guint64) serial << 32 | MPROC_TASK_QUEUED);
}

gboolean
mproc_task_claim (const MprocTaskRecord *record)
{
  guint64 queued = (guint64) record->serial << 32 | MPROC_TASK_QUEUED;

  return mproc_cas64 (&task_at (record->task)->state, queued, queued | mproc_self ());
}

guint32
mproc_task_get_state (MprocOffset task)
{
  return (guint32) mproc_load64 (&task_at (task)->state);
}

gboolean
mproc_task_get_work (MprocOffset task, MprocTaskWork *work, GError **error)
{
  Task *self = task_at (task);
  gsize size = (gsize) self->args_size;

  work->function = self->function;
  work->flags = self->flags;
  work->args = mproc_message_peek (mproc_arena_at (args_of (task), size), size, error);
  return work->args != NULL;
}

/* ------------------------------------------------------------------ outcome */

/* Until the task's word says DONE the outcome is still its worker's. */
static void
publish (MprocOffset task, MprocOffset outcome, gsize size, gboolean is_error)
{
  Task *self = task_at (task);
  guint64 running = mproc_load64 (&self->state);

  self->outcome_size = size;
  self->outcome_is_error = is_error;
  mproc_crash_order ();
  mproc_store64 (&self->outcome, outcome);
  mproc_crash_order ();
  mproc_cas64 (&self->state, running, (running >> 32) << 32 | MPROC_TASK_DONE);
}

/* Into the room behind the argument, else into a block of its own. */
static gboolean
store_outcome (MprocOffset task, MprocMessage *message, gboolean is_error, GError **error)
{
  MprocOffset to = room_of (task);
  gboolean own = message->size > task_at (task)->inline_size;

  if (own)
    to = mproc_arena_alloc (message->size, error);
  if (to == 0)
    return FALSE;
  if (own)
    own = mproc_intent_begin (to);
  mproc_message_store (message, mproc_arena_at (to, message->size));
  if (own)
    mproc_intent_end (to);
  publish (task, to, message->size, is_error);
  return TRUE;
}

static gboolean
finish_with (MprocOffset task, GVariant *value, gboolean is_error, GError **error)
{
  MprocMessage message;
  gboolean ok;

  if (!mproc_message_init (&message, value, error))
    return FALSE;
  ok = store_outcome (task, &message, is_error, error);
  mproc_message_clear (&message, ok);
  return ok;
}

/* Fits into the room that every task has. */
static void
finish_without_words (MprocOffset task)
{
  GError *error = g_error_new_literal (MPROC_ERROR, MPROC_ERROR_NO_MEMORY,
                                       "no memory for the task's error");

  if (!finish_with (task, mproc_error_to_value (error), TRUE, NULL))
    g_assert_not_reached ();
  g_error_free (error);
}

static void
finish_with_error (MprocOffset task, const GError *error)
{
  if (!finish_with (task, mproc_error_to_value (error), TRUE, NULL))
    finish_without_words (task);
}

void
mproc_task_finish (MprocOffset task, GVariant *value, const GError *error)
{
  GError *failure = NULL;

  if (error != NULL)
    {
      finish_with_error (task, error);
      return;
    }
  if (value == NULL)
    value = g_variant_new_maybe (G_VARIANT_TYPE_VARIANT, NULL);
  if (!finish_with (task, value, FALSE, &failure))
    {
      g_prefix_error (&failure, "the task's result cannot be sent: ");
      finish_with_error (task, failure);
      g_error_free (failure);
    }
}

GVariant *
mproc_task_get_outcome (MprocOffset task, GError **error)
{
  Task *self = task_at (task);
  gsize size = (gsize) self->outcome_size;
  GVariant *value =
      mproc_message_peek (mproc_arena_at (mproc_load64 (&self->outcome), size), size,
                          error);

  if (value == NULL || !self->outcome_is_error)
    return value;
  g_propagate_error (error, mproc_error_from_value (value));
  g_variant_unref (value);
  return NULL;
}

void
mproc_task_free (MprocOffset task)
{
  Task *self = task_at (task);
  MprocOffset outcome = mproc_load64 (&self->outcome);

  if (outcome != 0)
    mproc_message_discard (mproc_arena_at (outcome, (gsize) self->outcome_size),
                           (gsize) self->outcome_size);
  if (outcome != 0 && outcome != room_of (task))
    mproc_arena_free (outcome);
  mproc_message_discard (mproc_arena_at (args_of (task), (gsize) self->args_size),
                         (gsize) self->args_size);
  mproc_arena_free (task);
}

void
mproc_task_free_unsent (MprocOffset task)
{
  mproc_arena_free (task);
}
