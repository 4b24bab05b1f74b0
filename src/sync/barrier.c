/* SPDX-License-Identifier: MIT */
/* A barrier is its rounds, and what the last one to come in each has to do. */
#include "family/classes.h"
#include "family/function.h"
#include "family/plain.h"
#include "sync/rounds.h"
#include "values/message.h"

#include <mproc/barrier.h>

/* Behind it are the rounds' entries, and the action's message. */
typedef struct
{
  gint64 timeout;
  guint64 args_size;
  gint32 action; /* a ticket; 0: none */
  guint32 unused;
  MprocRounds rounds;
} Body;

struct MprocBarrier
{
  MprocPlain plain;
};

#define IS_BARRIER(self) MPROC_OBJECT_IS (self, MPROC_KIND_BARRIER)

static inline Body *
body_of (MprocBarrier *self)
{
  return self->plain.body;
}

static gpointer
args_of (Body *body)
{
  return (guint8 *) (body + 1) + MPROC_ROUNDS_SIZE (body->rounds.parties);
}

static void
destroy_body (MprocOffset offset)
{
  Body *body = mproc_arena_at (offset, mproc_arena_block_size (offset));

  if (body->action != 0)
    mproc_message_discard (args_of (body), (gsize) body->args_size);
  mproc_arena_free (offset);
}

const MprocClass *
mproc_barrier_get_class (void)
{
  static const MprocClass barrier_class = {
    .name = "barrier",
    .kind = MPROC_KIND_BARRIER,
    .open = mproc_plain_open,
    .close = mproc_plain_close,
    .destroy = destroy_body,
  };

  return &barrier_class;
}

/* ------------------------------------------------------------------ a new one */

static MprocOffset
make_body (guint parties, gint64 timeout_us, gsize args_size, GError **error)
{
  gsize size = sizeof (Body) + MPROC_ROUNDS_SIZE (parties) + args_size;
  MprocOffset offset = mproc_arena_alloc0 (size, error);
  Body *body;

  if (offset == 0)
    return 0;
  body = mproc_arena_at (offset, size);
  body->timeout = timeout_us;
  body->args_size = args_size;
  mproc_rounds_init (&body->rounds, parties);
  return offset;
}

static MprocOffset
make_body_for_action (guint parties,
                      MprocHandle action,
                      const MprocMessage *args,
                      gint64 timeout_us,
                      GError **error)
{
  MprocOffset offset;
  Body *body;

  if (mproc_message_has_kind (args, MPROC_KIND_CONNECTION))
    {
      g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_NOT_SUPPORTED,
                           "a barrier's action cannot be given a connection: only the "
                           "arguments of mproc_process_start can name one");
      return 0;
    }
  offset = make_body (parties, timeout_us, args->size, error);
  if (offset == 0)
    return 0;
  body = mproc_arena_at (offset, mproc_arena_block_size (offset));
  mproc_message_store (args, args_of (body));
  body->action = action;
  return offset;
}

/* Consumes @args. */
static MprocOffset
make_body_with_action (guint parties,
                       MprocFunc action,
                       GVariant *args,
                       gint64 timeout_us,
                       GError **error)
{
  MprocHandle ticket;
  MprocMessage message;
  MprocOffset offset;

  if (!mproc_message_init (&message, args, error))
    return 0;
  ticket = mproc_function_get_ticket (action, error);
  offset = ticket != 0
               ? make_body_for_action (parties, ticket, &message, timeout_us, error)
               : 0;
  mproc_message_clear (&message, offset != 0);
  return offset;
}

MprocBarrier *
mproc_barrier_new (guint parties,
                   MprocFunc action,
                   GVariant *args,
                   gint64 timeout_us,
                   GError **error)
{
  MprocOffset offset = 0;

  g_return_val_if_fail (MPROC_IS_TIMEOUT (timeout_us), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (args != NULL)
    g_variant_ref_sink (args);
  if (parties == 0 || parties > MPROC_MAX_MEMBERS)
    g_set_error (error, MPROC_ERROR, MPROC_ERROR_INVALID,
                 "a barrier is for 1 to %d parties, not for %u", MPROC_MAX_MEMBERS,
                 parties);
  else if (mproc_plain_prepare (error))
    offset = action != NULL
                 ? make_body_with_action (parties, action, args, timeout_us, error)
                 : make_body (parties, timeout_us, 0, error);
  if (args != NULL)
    g_variant_unref (args);
  return offset != 0 ? mproc_plain_new (mproc_barrier_get_class (), offset, error) : NULL;
}

MprocBarrier *
mproc_barrier_ref (MprocBarrier *self)
{
  g_return_val_if_fail (IS_BARRIER (self), NULL);

  return (MprocBarrier *) mproc_object_ref (&self->plain.object);
}

void
mproc_barrier_unref (MprocBarrier *self)
{
  g_return_if_fail (self == NULL || IS_BARRIER (self));

  if (self != NULL)
    mproc_object_unref (&self->plain.object);
}

/* ------------------------------------------------------------------ waiting */

static gboolean
run_action (Body *body, GError **error)
{
  MprocFunc func;
  GVariant *args;
  gboolean ok;

  if (body->action == 0)
    return TRUE;
  func = mproc_function_resolve (body->action, error);
  if (func == NULL)
    return FALSE;
  args = mproc_message_peek (args_of (body), (gsize) body->args_size, error);
  if (args == NULL)
    return FALSE;
  ok = mproc_function_call (func, args, error);
  MPROC_CRASH_POINT (ROUND_ACTED);
  g_variant_unref (args);
  return ok;
}

gint
mproc_barrier_wait (MprocBarrier *self, gint64 timeout_us, GError **error)
{
  GError *failure = NULL;
  MprocArrival arrival;
  gint64 deadline;
  Body *body;

  g_return_val_if_fail (IS_BARRIER (self), -1);
  g_return_val_if_fail (MPROC_IS_TIMEOUT (timeout_us) ||
                            timeout_us == MPROC_BARRIER_TIMEOUT,
                        -1);
  g_return_val_if_fail (error == NULL || *error == NULL, -1);

  body = body_of (self);
  deadline =
      mproc_deadline (timeout_us == MPROC_BARRIER_TIMEOUT ? body->timeout : timeout_us);
  if (mproc_rounds_arrive (&body->rounds, &arrival, deadline))
    {
      if (mproc_rounds_is_mine_to_finish (&arrival))
        {
          MPROC_CRASH_POINT (ROUND_FULL);
          mproc_rounds_finish (&arrival, run_action (body, &failure));
        }
      if (mproc_rounds_wait (&arrival, deadline))
        return (gint) arrival.index;
    }
  if (failure != NULL)
    g_propagate_error (error, failure);
  else
    g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_BROKEN_BARRIER,
                         "the barrier is broken, or was reset: not all of its parties "
                         "came, in time and alive");
  return -1;
}

/* ------------------------------------------------------------------ the rest */

void
mproc_barrier_abort (MprocBarrier *self)
{
  g_return_if_fail (IS_BARRIER (self));

  mproc_rounds_abort (&body_of (self)->rounds);
}

void
mproc_barrier_reset (MprocBarrier *self)
{
  g_return_if_fail (IS_BARRIER (self));

  mproc_rounds_reset (&body_of (self)->rounds);
}

guint
mproc_barrier_get_parties (MprocBarrier *self)
{
  g_return_val_if_fail (IS_BARRIER (self), 0);

  return body_of (self)->rounds.parties;
}

guint
mproc_barrier_get_n_waiting (MprocBarrier *self)
{
  g_return_val_if_fail (IS_BARRIER (self), 0);

  return mproc_rounds_count_inside (&body_of (self)->rounds);
}

gboolean
mproc_barrier_is_broken (MprocBarrier *self)
{
  g_return_val_if_fail (IS_BARRIER (self), FALSE);

  return mproc_rounds_is_broken (&body_of (self)->rounds);
}
