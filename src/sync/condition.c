/* SPDX-License-Identifier: MIT */
/* A condition is the handle of its lock, and those who wait.  A waiter is in the list before the
 * lock is free, so no notification can be given that it misses. */
#include "family/classes.h"
#include "sync/lockref.h"
#include "sync/waiters.h"

#include <mproc/condition.h>

typedef struct
{
  MprocHandle lock;
  guint32 unused;
  MprocWaiters waiters;
} Body;

struct MprocCondition
{
  MprocPlain plain;
};

#define IS_CONDITION(self) MPROC_OBJECT_IS (self, MPROC_KIND_CONDITION)

static inline Body *
body_of (MprocCondition *self)
{
  return self->plain.body;
}

static inline gpointer
lock_of (MprocCondition *self)
{
  return mproc_lockref_get (&self->plain, body_of (self)->lock);
}

static void
destroy_body (MprocOffset offset)
{
  Body *body = mproc_arena_at (offset, sizeof (Body));

  mproc_waiters_clear (&body->waiters);
  mproc_lockref_drop (body->lock);
  mproc_arena_free (offset);
}

const MprocClass *
mproc_condition_get_class (void)
{
  static const MprocClass condition_class = {
    .name = "condition",
    .kind = MPROC_KIND_CONDITION,
    .open = mproc_plain_open,
    .close = mproc_plain_close,
    .destroy = destroy_body,
  };

  return &condition_class;
}

MprocCondition *
mproc_condition_new (gpointer lock, GError **error)
{
  MprocHandle handle;
  MprocOffset offset;

  g_return_val_if_fail (mproc_lockref_is_valid (lock), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (!mproc_plain_prepare (error) ||
      !mproc_lockref_take (lock != NULL ? lock : MPROC_OWN_LOCK, &handle, error))
    return NULL;
  offset = mproc_arena_alloc0 (sizeof (Body), error);
  if (offset == 0)
    {
      mproc_lockref_drop (handle);
      return NULL;
    }
  ((Body *) mproc_arena_at (offset, sizeof (Body)))->lock = handle;
  return mproc_plain_new (mproc_condition_get_class (), offset, error);
}

MprocCondition *
mproc_condition_ref (MprocCondition *self)
{
  g_return_val_if_fail (IS_CONDITION (self), NULL);

  return (MprocCondition *) mproc_object_ref (&self->plain.object);
}

void
mproc_condition_unref (MprocCondition *self)
{
  g_return_if_fail (self == NULL || IS_CONDITION (self));

  if (self != NULL)
    mproc_object_unref (&self->plain.object);
}

gpointer
mproc_condition_get_lock (MprocCondition *self)
{
  g_return_val_if_fail (IS_CONDITION (self), NULL);

  return lock_of (self);
}

MprocLockStatus
mproc_condition_acquire (MprocCondition *self, gint64 timeout_us)
{
  g_return_val_if_fail (IS_CONDITION (self), MPROC_LOCK_STATUS_TIMED_OUT);

  return mproc_lockref_acquire (lock_of (self), timeout_us);
}

gboolean
mproc_condition_release (MprocCondition *self, GError **error)
{
  g_return_val_if_fail (IS_CONDITION (self), FALSE);

  return mproc_lockref_release (lock_of (self), error);
}

static gboolean
check_owner (MprocCondition *self, const char *what, GError **error)
{
  gpointer lock = lock_of (self);

  if (G_UNLIKELY (lock == NULL))
    g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_NO_MEMORY,
                         "shared memory is used up: there is none to note who holds the "
                         "condition's lock");
  else if (mproc_lockref_is_mine (lock))
    return TRUE;
  else
    g_set_error (error, MPROC_ERROR, MPROC_ERROR_NOT_OWNER,
                 "the caller does not hold the condition's lock, which it needs to %s",
                 what);
  return FALSE;
}

/* ------------------------------------------------------------------ waiting */

static MprocLockStatus
wait_until (MprocCondition *self, gint64 deadline, GError **error)
{
  MprocWaiters *waiters = &body_of (self)->waiters;
  gpointer lock = lock_of (self);
  MprocOffset waiter = mproc_waiters_join (waiters, error);
  MprocLockStatus status;
  gboolean notified;
  guint32 depth;

  if (waiter == 0)
    return MPROC_LOCK_STATUS_TIMED_OUT;
  depth = mproc_lockref_release_all (lock);
  notified = mproc_waiters_sleep (waiters, waiter, deadline);
  /* Killed up to here, its notification is another one's; after that the lock tells. */
  status = mproc_lockref_acquire_again (lock, depth);
  mproc_waiters_leave (waiters, waiter);
  if (notified || status == MPROC_LOCK_STATUS_RECOVERED)
    return status;
  g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_TIMED_OUT,
                       "the condition was not notified in time");
  return MPROC_LOCK_STATUS_TIMED_OUT;
}

/* A predicate may have let go of the lock, which is somebody else's then. */
static MprocLockStatus
wait_if_owner (MprocCondition *self, gint64 deadline, GError **error)
{
  return check_owner (self, "wait", error) ? wait_until (self, deadline, error)
                                           : MPROC_LOCK_STATUS_TIMED_OUT;
}

MprocLockStatus
mproc_condition_wait (MprocCondition *self, gint64 timeout_us, GError **error)
{
  g_return_val_if_fail (IS_CONDITION (self), MPROC_LOCK_STATUS_TIMED_OUT);
  g_return_val_if_fail (MPROC_IS_TIMEOUT (timeout_us), MPROC_LOCK_STATUS_TIMED_OUT);
  g_return_val_if_fail (error == NULL || *error == NULL, MPROC_LOCK_STATUS_TIMED_OUT);

  return wait_if_owner (self, mproc_deadline (timeout_us), error);
}

MprocLockStatus
mproc_condition_wait_for (MprocCondition *self,
                          MprocPredicate predicate,
                          gpointer user_data,
                          gint64 timeout_us,
                          GError **error)
{
  MprocLockStatus status = MPROC_LOCK_STATUS_ACQUIRED;
  GError *reason = NULL;
  gint64 deadline;

  g_return_val_if_fail (IS_CONDITION (self), MPROC_LOCK_STATUS_TIMED_OUT);
  g_return_val_if_fail (predicate != NULL, MPROC_LOCK_STATUS_TIMED_OUT);
  g_return_val_if_fail (MPROC_IS_TIMEOUT (timeout_us), MPROC_LOCK_STATUS_TIMED_OUT);
  g_return_val_if_fail (error == NULL || *error == NULL, MPROC_LOCK_STATUS_TIMED_OUT);

  if (!check_owner (self, "wait", error))
    return MPROC_LOCK_STATUS_TIMED_OUT;
  deadline = mproc_deadline (timeout_us);
  while (status == MPROC_LOCK_STATUS_ACQUIRED && !predicate (user_data))
    status = wait_if_owner (self, deadline, &reason);
  if (reason == NULL)
    return status;
  if (g_error_matches (reason, MPROC_ERROR, MPROC_ERROR_TIMED_OUT) &&
      predicate (user_data))
    {
      g_error_free (reason);
      return MPROC_LOCK_STATUS_ACQUIRED;
    }
  g_propagate_error (error, reason);
  return MPROC_LOCK_STATUS_TIMED_OUT;
}

/* ------------------------------------------------------------------ notifying */

gboolean
mproc_condition_notify (MprocCondition *self, guint n, GError **error)
{
  g_return_val_if_fail (IS_CONDITION (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (!check_owner (self, "notify", error))
    return FALSE;
  mproc_waiters_notify (&body_of (self)->waiters, n);
  return TRUE;
}

gboolean
mproc_condition_notify_all (MprocCondition *self, GError **error)
{
  return mproc_condition_notify (self, G_MAXUINT, error);
}
