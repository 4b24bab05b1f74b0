/* SPDX-License-Identifier: MIT */
/* A Lock is one lock word, which anybody may set free. */
#include "sync/lock.h"

#include "family/classes.h"
#include "family/lockword.h"
#include "family/plain.h"

struct MprocLock
{
  MprocPlain plain; /* the body is the word */
};

#define IS_LOCK(self) MPROC_OBJECT_IS (self, MPROC_KIND_LOCK)

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

/* The fast paths end in calls, and read neither the word nor the clock: to read a line that
 * an atomic instruction has just written takes longer than to know who one is. */
MprocLockStatus
mproc_lock_acquire (MprocLock *self, gint64 timeout_us)
{
  MprocMember mine;

  g_return_val_if_fail (IS_LOCK (self), MPROC_LOCK_STATUS_TIMED_OUT);
  g_return_val_if_fail (MPROC_IS_TIMEOUT (timeout_us), MPROC_LOCK_STATUS_TIMED_OUT);

  mine = mproc_self_if_known ();
  if (G_LIKELY (mine != 0 && mproc_lockword_try (word_of (self), mine)))
    {
      MPROC_CRASH_POINT (LOCK_ACQUIRED);
      return MPROC_LOCK_STATUS_ACQUIRED;
    }
  return (MprocLockStatus) mproc_lockword_acquire_within (word_of (self), timeout_us);
}

gboolean
mproc_lock_release (MprocLock *self, GError **error)
{
  MprocMember mine;

  g_return_val_if_fail (IS_LOCK (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  /* Mostly it is one's own, and nobody waits. */
  mine = mproc_self_if_known ();
  if (G_LIKELY (mine != 0 &&
                atomic_compare_exchange_strong_explicit (word_of (self), &mine, 0,
                                                         memory_order_release,
                                                         memory_order_relaxed)))
    return TRUE;
  return mproc_lockword_release_any (word_of (self), error);
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
