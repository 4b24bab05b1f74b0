/* SPDX-License-Identifier: MIT */
/* A semaphore is its value, and those who sleep until it is not 0.  One that restores the
 * units of the dead keeps besides who has taken how many (holdings.h). */
#include "family/classes.h"
#include "family/plain.h"
#include "sync/holdings.h"
#include "sync/sleepers.h"

#include <mproc/semaphore.h>

/* How long a wait may last before the life of those who hold units is asked for. */
#define PATIENCE (MPROC_NAP / 2)

typedef struct
{
  MprocAtomic32 value;
  MprocSleepers waiters;
  guint32 max;
  guint32 unused;
  MprocOffset holdings; /* 0: nobody asks who holds them */
} Body;

struct MprocSemaphore
{
  MprocPlain plain;
};

#define IS_SEMAPHORE(self) MPROC_OBJECT_IS (self, MPROC_KIND_SEMAPHORE)

static inline Body *
body_of (MprocSemaphore *self)
{
  return self->plain.body;
}

static void
destroy_body (MprocOffset offset)
{
  Body *body = mproc_arena_at (offset, sizeof (Body));

  if (body->holdings != 0)
    mproc_arena_free (body->holdings);
  mproc_arena_free (offset);
}

const MprocClass *
mproc_semaphore_get_class (void)
{
  static const MprocClass semaphore_class = {
    .name = "semaphore",
    .kind = MPROC_KIND_SEMAPHORE,
    .open = mproc_plain_open,
    .close = mproc_plain_close,
    .destroy = destroy_body,
  };

  return &semaphore_class;
}

static gboolean
check (gint initial, gint max, GError **error)
{
  if (initial < 0 || max < 0)
    g_set_error (error, MPROC_ERROR, MPROC_ERROR_INVALID,
                 "a semaphore cannot have %d units: the number must not be negative",
                 initial < 0 ? initial : max);
  else if (max > 0 && initial > max)
    g_set_error (error, MPROC_ERROR, MPROC_ERROR_INVALID,
                 "a semaphore of at most %d units cannot start with %d", max, initial);
  else
    return TRUE;
  return FALSE;
}

MprocSemaphore *
mproc_semaphore_new (gint initial, gint max, MprocSemaphoreFlags flags, GError **error)
{
  MprocOffset offset;
  Body *body;

  g_return_val_if_fail ((flags & ~(guint) MPROC_SEMAPHORE_RESTORE) == 0, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (!check (initial, max, error) || !mproc_plain_prepare (error) ||
      (offset = mproc_arena_alloc0 (sizeof (Body), error)) == 0)
    return NULL;
  body = mproc_arena_at (offset, sizeof (Body));
  mproc_store32 (&body->value, (guint32) initial);
  body->max = max > 0 ? (guint32) max : G_MAXINT32;
  if (flags & MPROC_SEMAPHORE_RESTORE)
    {
      body->holdings = mproc_holdings_new ((guint32) initial, error);
      if (body->holdings == 0)
        {
          mproc_arena_free (offset);
          return NULL;
        }
    }
  return mproc_plain_new (mproc_semaphore_get_class (), offset, error);
}

MprocSemaphore *
mproc_semaphore_ref (MprocSemaphore *self)
{
  g_return_val_if_fail (IS_SEMAPHORE (self), NULL);

  return (MprocSemaphore *) mproc_object_ref (&self->plain.object);
}

void
mproc_semaphore_unref (MprocSemaphore *self)
{
  g_return_if_fail (self == NULL || IS_SEMAPHORE (self));

  if (self != NULL)
    mproc_object_unref (&self->plain.object);
}

/* ------------------------------------------------------------------ units */

static gboolean
take_one (Body *body)
{
  guint32 value = mproc_load32 (&body->value);

  if (body->holdings != 0)
    return mproc_holdings_take (body->holdings, &body->value);
  while (value > 0)
    if (atomic_compare_exchange_weak (&body->value, &value, value - 1))
      return TRUE;
  return FALSE;
}

static gboolean
give_one (Body *body)
{
  guint32 value = mproc_load32 (&body->value);

  if (body->holdings != 0)
    return mproc_holdings_give (body->holdings, &body->value, body->max);
  while (value < body->max)
    if (atomic_compare_exchange_weak (&body->value, &value, value + 1))
      return TRUE;
  return FALSE;
}

static gboolean
has_units (gpointer data)
{
  Body *body = data;

  return mproc_load32 (&body->value) > 0;
}

/* One who was woken for a unit may have found two, or have been woken for two. */
static void
wake_next (Body *body)
{
  if (G_UNLIKELY (mproc_sleepers_may_be_there (&body->waiters)) && has_units (body))
    mproc_sleepers_wake (&body->waiters, 1);
}

/* Somebody who holds units may have died.  Whoever finds none looks at what the memory knows
 * of that; he asks the system when he has waited a while, and before he says that there
 * is none. */
static gboolean
acquire_slowly (Body *body, gint64 deadline)
{
  MprocSleep sleep = { FALSE };
  gint64 asked = g_get_monotonic_time ();
  gboolean ask = FALSE;

  while (!take_one (body))
    {
      if (body->holdings != 0 &&
          mproc_holdings_restore (body->holdings, &body->value, ask))
        continue;
      if (ask)
        asked = g_get_monotonic_time ();
      if (mproc_sleepers_wait (&body->waiters, &sleep, has_units, body, deadline))
        ask = g_get_monotonic_time () - asked >= PATIENCE;
      else if (ask)
        return FALSE;
      else
        ask = TRUE;
    }
  return TRUE;
}

gboolean
mproc_semaphore_acquire (MprocSemaphore *self, gint64 timeout_us)
{
  Body *body;

  g_return_val_if_fail (IS_SEMAPHORE (self), FALSE);
  g_return_val_if_fail (MPROC_IS_TIMEOUT (timeout_us), FALSE);

  body = body_of (self);
  if (!take_one (body) && !acquire_slowly (body, mproc_deadline (timeout_us)))
    return FALSE;
  MPROC_CRASH_POINT (SEMAPHORE_TAKEN);
  wake_next (body);
  return TRUE;
}

gboolean
mproc_semaphore_release (MprocSemaphore *self, GError **error)
{
  Body *body;

  g_return_val_if_fail (IS_SEMAPHORE (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  body = body_of (self);
  if (give_one (body))
    {
      MPROC_CRASH_POINT (SEMAPHORE_GIVEN);
      mproc_sleepers_wake (&body->waiters, 1);
      return TRUE;
    }
  g_set_error (
      error, MPROC_ERROR, MPROC_ERROR_OVER_RELEASE,
      "the semaphore is released more often than it was acquired: it has all of its "
      "%" G_GUINT32_FORMAT " units",
      body->max);
  return FALSE;
}

gint
mproc_semaphore_get_value (MprocSemaphore *self)
{
  g_return_val_if_fail (IS_SEMAPHORE (self), 0);

  return (gint) mproc_load32 (&body_of (self)->value);
}

gboolean
mproc_semaphore_is_locked (MprocSemaphore *self)
{
  g_return_val_if_fail (IS_SEMAPHORE (self), FALSE);

  return !has_units (body_of (self));
}
