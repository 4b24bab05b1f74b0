/* SPDX-License-Identifier: MIT */
/* A Lock is one lock word, which anybody may set free. */
#include "lock.h"

#include "classes.h"
#include "lockword.h"
#include "plain.h"

struct MprocLock
{
  MprocPlain plain; /* the body is the word */
};

#define IS_LOCK(self) MPROC_IS_PLAIN (self, MPROC_KIND_LOCK)

static inline MprocAtomic32 *
word_of (MprocLock *self)
{
  return self->plain.body;
}

const MprocClass *
mproc_lock_get_class (void)
{
  static const MprocClass lock_class = {
    .name = "lock",
    .kind = MPROC_KIND_LOCK,
    .open = mproc_plain_open,
    .close = mproc_plain_close,
    .destroy = mproc_arena_free,
  };

  return &lock_class;
}

MprocLock *
mproc_lock_new (GError **error)
{
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return mproc_plain_new_zeros (mproc_lock_get_class (), sizeof (MprocAtomic32), error);
}

MprocLock *
mproc_lock_ref (MprocLock *self)
{
  g_return_val_if_fail (IS_LOCK (self), NULL);

  return (MprocLock *) mproc_object_ref (&self->plain.object);
}

void
mproc_lock_unref (MprocLock *self)
{
  g_return_if_fail (self == NULL || IS_LOCK (self));

  if (self != NULL)
    mproc_object_unref (&self->plain.object);
}

MprocLockStatus
mproc_lock_acquire (MprocLock *self, gint64 timeout_us)
{
  guint32 free_word = 0;

  g_return_val_if_fail (IS_LOCK (self), MPROC_LOCK_STATUS_TIMED_OUT);
  g_return_val_if_fail (MPROC_IS_TIMEOUT (timeout_us), MPROC_LOCK_STATUS_TIMED_OUT);

  if (G_LIKELY (atomic_compare_exchange_strong_explicit (word_of (self), &free_word,
                                                         mproc_self (),
                                                         memory_order_acquire,
                                                         memory_order_relaxed)))
    {
      MPROC_CRASH_POINT (LOCK_ACQUIRED);
      return MPROC_LOCK_STATUS_ACQUIRED;
    }
  return (MprocLockStatus) mproc_lockword_acquire_slowly (word_of (self),
                                                          mproc_deadline (timeout_us));
}

static gboolean
refuse_release (GError **error)
{
  g_set_error_literal (
      error, MPROC_ERROR, MPROC_ERROR_OVER_RELEASE,
      "the lock is released more often than it was acquired: it is free");
  return FALSE;
}

gboolean
mproc_lock_release (MprocLock *self, GError **error)
{
  guint32 held;

  g_return_val_if_fail (IS_LOCK (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  /* From what was read, never an exchange: if somebody else has released it meanwhile, and
   * a third one acquired it, it is not the caller's to release any more. */
  held = atomic_load_explicit (word_of (self), memory_order_relaxed);
  do
    if (G_UNLIKELY (held == 0))
      return refuse_release (error);
  while (G_UNLIKELY (!atomic_compare_exchange_weak_explicit (word_of (self), &held, 0,
                                                             memory_order_release,
                                                             memory_order_relaxed)));
  if (G_LIKELY (!(held & 1)))
    return TRUE;
  MPROC_CRASH_POINT (LOCK_RELEASED);
  mproc_lockword_wake (word_of (self));
  return TRUE;
}

gboolean
mproc_lock_is_locked (MprocLock *self)
{
  g_return_val_if_fail (IS_LOCK (self), FALSE);

  return mproc_load32 (word_of (self)) != 0;
}

gboolean
mproc_lock_is_ours (MprocLock *self)
{
  return (mproc_load32 (word_of (self)) & ~1u) == mproc_self ();
}
