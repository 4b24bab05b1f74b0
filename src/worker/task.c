/* SPDX-License-Identifier: MIT */
#include "worker/task.h"

#include <string.h>

/* Room behind the argument for an outcome of the usual size. */
#define INLINE_OUTCOME 104

typedef struct
{
  MprocAtomic64 word;
  MprocTaskPlan plan;
  gint64 started;
  gint64 ended;
  guint32 member;   /* whose these times are */
  guint32 attempts; /* begun so often */
  guint64 args_size;
  guint64 inline_size; /* of the room behind the argument */
  MprocAtomic64
      outcome; /* where its bytes are: 0 none yet, else in this block or one of its own */
  guint64 outcome_size;
  guint32 outcome_is_error;
  guint32 unused;
  MprocAtomic64 output; /* a block of its own; 0: none */
  guint64 output_size;
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
mproc_task_new (const MprocTaskPlan *plan, const MprocMessage *args, GError **error)
{
  gsize size = sizeof (Task) + round8 (args->size) + INLINE_OUTCOME;
  MprocOffset offset = mproc_arena_alloc (size, error);
  Task *self;

  if (offset == 0)
    return 0;
  self = mproc_arena_at (offset, size);
  self->plan = *plan;
  self->started = 0;
  self->ended = 0;
  self->member = 0;
  self->attempts = 0;
  self->args_size = args->size;
  self->inline_size =
      mproc_arena_block_size (offset) - sizeof (Task) - round8 (args->size);
  self->outcome_size = 0;
  self->outcome_is_error = FALSE;
  mproc_store64 (&self->outcome, 0);
  mproc_store64 (&self->output, 0);
  mproc_message_store (args, mproc_arena_at (args_of (offset), args->size));
  mproc_store64 (&self->word, MPROC_TASK_DONE); /* nobody's to claim yet */
  return offset;
}

void
mproc_task_queue (MprocOffset task, guint32 serial)
{
  mproc_store64 (&task_at (task)->word, mproc_taskword_make (serial, MPROC_TASK_QUEUED));
}

gboolean
mproc_task_take_back (MprocOffset task, guint32 serial, guint32 later)
{
  return mproc_cas64 (&task_at (task)->word,
                      mproc_taskword_make (serial, MPROC_TASK_QUEUED),
                      mproc_taskword_make (later, MPROC_TASK_QUEUED));
}

gboolean
mproc_task_claim (const MprocTaskRecord *record)
{
  if (!mproc_taskword_claim (&task_at (record->task)->word, record->serial,
                             mproc_self ()))
    return FALSE;
  MPROC_CRASH_POINT (TASK_CLAIMED);
  return TRUE;
}

gboolean
mproc_task_condemn (MprocOffset task, guint32 state)
{
  MprocAtomic64 *word = &task_at (task)->word;

  return mproc_taskword_condemn (word, mproc_taskword_serial (mproc_load64 (word)),
                                 state);
}

guint32
mproc_task_get_state (MprocOffset task)
{
  return mproc_taskword_state (mproc_load64 (&task_at (task)->word));
}

const MprocTaskPlan *
mproc_task_get_plan (MprocOffset task)
{
  return &task_at (task)->plan;
}

GVariant *
mproc_task_get_args (MprocOffset task, GError **error)
{
  gsize size = (gsize) task_at (task)->args_size;

  return mproc_message_peek (mproc_arena_at (args_of (task), size), size, error);
}

guint
mproc_task_count_attempts (MprocOffset task)
{
  return task_at (task)->attempts;
}

void
mproc_task_begin (MprocOffset task, guint32 serial, MprocSeat *seat)
{
  Task *self = task_at (task);

  self->attempts++;
  self->member = mproc_self ();
  self->ended = 0;
  self->started = mproc_seat_begin (seat, task + G_STRUCT_OFFSET (Task, word),
                                    mproc_seat_name (serial, 0), &self->plan.limits);
}

void
mproc_task_end (MprocOffset task, MprocSeat *seat)
{
  task_at (task)->ended = mproc_seat_end (seat);
}

void
mproc_task_get_run (MprocOffset task, MprocTaskRun *run)
{
  const Task *self = task_at (task);

  run->started = self->started;
  run->ended = self->ended;
  run->member = self->member;
}

/* ------------------------------------------------------------------ outcome */

typedef enum
{
  OUTCOME_FAILED, /* it cannot be told: with error */
  OUTCOME_TOLD,
  OUTCOME_UNWANTED /* the task was condemned meanwhile */
} Telling;

/* Until the task's word says DONE the outcome is still its worker's.  After that the block is the
 * pool's, and may be gone. */
static Telling
publish (MprocOffset task, MprocOffset outcome, gsize size, gboolean is_error)
{
  Task *self = task_at (task);
  guint32 serial = mproc_taskword_serial (mproc_load64 (&self->word));

  self->outcome_size = size;
  self->outcome_is_error = is_error;
  mproc_crash_order ();
  mproc_store64 (&self->outcome, outcome);
  mproc_crash_order ();
  MPROC_CRASH_POINT (OUTCOME_STORED);
  return mproc_taskword_finish (&self->word, serial, mproc_self ()) ? OUTCOME_TOLD
                                                                    : OUTCOME_UNWANTED;
}

gboolean
mproc_task_check_result (const MprocMessage *message, GError **error)
{
  if (!mproc_message_has_kind (message, MPROC_KIND_CONNECTION))
    return TRUE;
  g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_NOT_SUPPORTED,
                       "it has a connection, which stays in its process");
  return FALSE;
}

/* Into the room behind the argument, else into a block of its own. */
static Telling
store_outcome (MprocOffset task, MprocMessage *message, gboolean is_error, GError **error)
{
  MprocOffset to = room_of (task);
  gboolean own = message->size > task_at (task)->inline_size;

  if (own)
    to = mproc_arena_alloc (message->size, error);
  if (to == 0)
    return OUTCOME_FAILED;
  if (own)
    own = mproc_intent_begin (to);
  mproc_message_store (message, mproc_arena_at (to, message->size));
  if (own)
    mproc_intent_end (to);
  return publish (task, to, message->size, is_error);
}

static Telling
tell (MprocOffset task, GVariant *value, gboolean is_error, GError **error)
{
  MprocMessage message;
  Telling telling;

  if (!mproc_message_init (&message, value, error))
    return OUTCOME_FAILED;
  if (mproc_task_check_result (&message, error))
    telling = store_outcome (task, &message, is_error, error);
  else
    telling = OUTCOME_FAILED;
  mproc_message_clear (&message, telling != OUTCOME_FAILED);
  return telling;
}

/* Fits into the room that every task has. */
static Telling
tell_without_words (MprocOffset task)
{
  GError *error = g_error_new_literal (MPROC_ERROR, MPROC_ERROR_NO_MEMORY,
                                       "no memory for the task's error");
  Telling telling = tell (task, mproc_error_to_value (error), TRUE, NULL);

  g_assert (telling != OUTCOME_FAILED);
  g_error_free (error);
  return telling;
}

static Telling
tell_error (MprocOffset task, const GError *error)
{
  Telling telling = tell (task, mproc_error_to_value (error), TRUE, NULL);

  return telling != OUTCOME_FAILED ? telling : tell_without_words (task);
}

static Telling
tell_value (MprocOffset task, GVariant *value)
{
  GError *failure = NULL;
  Telling telling;

  if (value == NULL)
    value = g_variant_new_maybe (G_VARIANT_TYPE_VARIANT, NULL);
  telling = tell (task, value, FALSE, &failure);
  if (telling != OUTCOME_FAILED)
    return telling;
  g_prefix_error (&failure, "the task's result cannot be sent: ");
  telling = tell_error (task, failure);
  g_error_free (failure);
  return telling;
}

gboolean
mproc_task_finish (MprocOffset task, GVariant *value, const GError *error)
{
  Telling telling = error != NULL ? tell_error (task, error) : tell_value (task, value);

  return telling == OUTCOME_TOLD;
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

/* One that had been begun before may have some already. */
void
mproc_task_set_output (MprocOffset task, MprocOffset output, gsize size)
{
  Task *self = task_at (task);
  MprocOffset before = mproc_load64 (&self->output);

  self->output_size = size;
  mproc_crash_order ();
  mproc_store64 (&self->output, output);
  if (before != 0)
    mproc_arena_free (before);
}

GBytes *
mproc_task_get_output (MprocOffset task)
{
  const Task *self = task_at (task);
  MprocOffset output = mproc_load64 (&self->output);
  gsize size = (gsize) self->output_size;

  return output != 0 ? g_bytes_new (mproc_arena_at (output, size), size) : NULL;
}

void
mproc_task_drop_outcome (MprocOffset task)
{
  Task *self = task_at (task);
  MprocOffset outcome = mproc_load64 (&self->outcome);

  if (outcome == 0)
    return;
  mproc_store64 (&self->outcome, 0);
  mproc_message_discard (mproc_arena_at (outcome, (gsize) self->outcome_size),
                         (gsize) self->outcome_size);
  if (outcome != room_of (task))
    mproc_arena_free (outcome);
}

void
mproc_task_free (MprocOffset task)
{
  Task *self = task_at (task);

  if (mproc_load64 (&self->output) != 0)
    mproc_arena_free (mproc_load64 (&self->output));
  mproc_task_drop_outcome (task);
  mproc_message_discard (mproc_arena_at (args_of (task), (gsize) self->args_size),
                         (gsize) self->args_size);
  mproc_arena_free (task);
}

void
mproc_task_free_unsent (MprocOffset task)
{
  mproc_arena_free (task);
}
