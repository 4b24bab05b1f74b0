/* SPDX-License-Identifier: MIT */
/* An event is one word, its lowest bit the flag, above it how often the flag was set: so one who
 * waits sees that it was set, even if it is cleared again before he has woken. */
#include "classes.h"
#include "plain.h"
#include "sleepers.h"

#include <mproc/event.h>

#define IS_SET 1u
#define ONE_MORE 2u

typedef struct
{
  MprocAtomic32 word;
  MprocSleepers waiters;
} Body;

struct MprocEvent
{
  MprocPlain plain;
};

#define IS_EVENT(self) MPROC_IS_PLAIN (self, MPROC_KIND_EVENT)

static inline Body *
body_of (MprocEvent *self)
{
  return self->plain.body;
}

const MprocClass *
mproc_event_get_class (void)
{
  static const MprocClass event_class = {
    .name = "event",
    .kind = MPROC_KIND_EVENT,
    .open = mproc_plain_open,
    .close = mproc_plain_close,
    .destroy = mproc_arena_free,
  };

  return &event_class;
}

MprocEvent *
mproc_event_new (GError **error)
{
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return mproc_plain_new_zeros (mproc_event_get_class (), sizeof (Body), error);
}

MprocEvent *
mproc_event_ref (MprocEvent *self)
{
  g_return_val_if_fail (IS_EVENT (self), NULL);

  return (MprocEvent *) mproc_object_ref (&self->plain.object);
}

void
mproc_event_unref (MprocEvent *self)
{
  g_return_if_fail (self == NULL || IS_EVENT (self));

  if (self != NULL)
    mproc_object_unref (&self->plain.object);
}

void
mproc_event_set (MprocEvent *self)
{
  guint32 word;
  Body *body;

  g_return_if_fail (IS_EVENT (self));

  body = body_of (self);
  word = mproc_load32 (&body->word);
  while (!(word & IS_SET) &&
         !atomic_compare_exchange_weak (&body->word, &word, (word + ONE_MORE) | IS_SET))
    ;
  MPROC_CRASH_POINT (EVENT_SET);
  /* Also if it was set already: whoever set it may have died before it woke anyone. */
  mproc_sleepers_wake (&body->waiters, G_MAXINT32);
}

void
mproc_event_clear (MprocEvent *self)
{
  g_return_if_fail (IS_EVENT (self));

  atomic_fetch_and (&body_of (self)->word, ~IS_SET);
}

gboolean
mproc_event_is_set (MprocEvent *self)
{
  g_return_val_if_fail (IS_EVENT (self), FALSE);

  return mproc_load32 (&body_of (self)->word) & IS_SET;
}

typedef struct
{
  Body *body;
  guint32 before; /* the word when the wait began */
} Wait;

static gboolean
is_over (gpointer data)
{
  Wait *self = data;
  guint32 word = mproc_load32 (&self->body->word);

  return (word & IS_SET) != 0 || word >> 1 != self->before >> 1;
}

gboolean
mproc_event_wait (MprocEvent *self, gint64 timeout_us)
{
  MprocSleep sleep = { FALSE };
  gint64 deadline;
  Wait wait;

  g_return_val_if_fail (IS_EVENT (self), FALSE);
  g_return_val_if_fail (MPROC_IS_TIMEOUT (timeout_us), FALSE);

  wait.body = body_of (self);
  wait.before = mproc_load32 (&wait.body->word);
  if (is_over (&wait))
    return TRUE;
  deadline = mproc_deadline (timeout_us);
  while (!is_over (&wait))
    if (!mproc_sleepers_wait (&wait.body->waiters, &sleep, is_over, &wait, deadline))
      return is_over (&wait);
  return TRUE;
}
