/* SPDX-License-Identifier: MIT */
/* An RLock is a lock word, and which of the owner's threads holds it how often.  The two are
 * written by that thread alone: they mean something to it only, and to one who takes over they
 * are as good as zeros. */
#include "family/classes.h"
#include "family/lockword.h"
#include "family/plain.h"
#include "sync/lock.h"

typedef struct
{
  MprocAtomic32 word;
  MprocAtomic32 depth;
  MprocAtomic64 thread; /* whose; 0: nobody's */
} Body;

struct MprocRLock
{
  MprocPlain plain;
};

G_STATIC_ASSERT ((int) MPROC_LOCKED_NOT == (int) MPROC_LOCK_STATUS_TIMED_OUT);
G_STATIC_ASSERT ((int) MPROC_LOCKED == (int) MPROC_LOCK_STATUS_ACQUIRED);
G_STATIC_ASSERT ((int) MPROC_LOCKED_RECOVERED == (int) MPROC_LOCK_STATUS_RECOVERED);

#define IS_RLOCK(self) MPROC_OBJECT_IS (self, MPROC_KIND_RLOCK)

static inline Body *
body_of (MprocRLock *self)
{
  return self->plain.body;
}

/* A number for each thread of the family that is never used again, as a thread's id is: the
 * member, and a count of its threads.  What a fork copied of it names the parent, and is made
 * anew. */
static inline guint64
this_thread (void)
{
  static MprocAtomic32 last;
  static _Thread_local guint64 serial;
  MprocMember self = mproc_self ();

  if (G_UNLIKELY (serial >> 32 != self))
    serial = (guint64) self << 32 |
             (atomic_fetch_add_explicit (&last, 1, memory_order_relaxed) + 1);
  return serial;
}

/* No other thread writes this thread's number, and a dead one's is never ours. */
static inline gboolean
is_mine (Body *body)
{
  return atomic_load_explicit (&body->thread, memory_order_relaxed) == this_thread ();
}

static void
set_owner (Body *body, guint64 thread, guint32 depth)
{
  atomic_store_explicit (&body->thread, thread, memory_order_relaxed);
  MPROC_CRASH_POINT (RLOCK_NAMED);
  atomic_store_explicit (&body->depth, depth, memory_order_relaxed);
  mproc_crash_order ();
}

const MprocClass *
mproc_rlock_get_class (void)
{
  static const MprocClass rlock_class = {
    .name = "rlock",
    .kind = MPROC_KIND_RLOCK,
    .open = mproc_plain_open,
    .close = mproc_plain_close,
    .destroy = mproc_arena_free,
  };

  return &rlock_class;
}

MprocRLock *
mproc_rlock_new (GError **error)
{
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return mproc_plain_new_zeros (mproc_rlock_get_class (), sizeof (Body), error);
}

MprocRLock *
mproc_rlock_ref (MprocRLock *self)
{
  g_return_val_if_fail (IS_RLOCK (self), NULL);

  return (MprocRLock *) mproc_object_ref (&self->plain.object);
}

void
mproc_rlock_unref (MprocRLock *self)
{
  g_return_if_fail (self == NULL || IS_RLOCK (self));

  if (self != NULL)
    mproc_object_unref (&self->plain.object);
}

MprocLockStatus
mproc_rlock_acquire (MprocRLock *self, gint64 timeout_us)
{
  guint32 free_word = 0;
  MprocLocked locked = MPROC_LOCKED;
  Body *body;

  g_return_val_if_fail (IS_RLOCK (self), MPROC_LOCK_STATUS_TIMED_OUT);
  g_return_val_if_fail (MPROC_IS_TIMEOUT (timeout_us), MPROC_LOCK_STATUS_TIMED_OUT);

  body = body_of (self);
  if (is_mine (body))
    {
      set_owner (body, this_thread (), mproc_load32 (&body->depth) + 1);
      return MPROC_LOCK_STATUS_ACQUIRED;
    }
  if (G_UNLIKELY (!atomic_compare_exchange_strong_explicit (&body->word, &free_word,
                                                            mproc_self (),
                                                            memory_order_acquire,
                                                            memory_order_relaxed)))
    locked = mproc_lockword_acquire_slowly (&body->word, mproc_deadline (timeout_us));
  if (locked == MPROC_LOCKED_NOT)
    return MPROC_LOCK_STATUS_TIMED_OUT;
  MPROC_CRASH_POINT (RLOCK_ACQUIRED);
  set_owner (body, this_thread (), 1);
  return (MprocLockStatus) locked;
}

gboolean
mproc_rlock_release (MprocRLock *self, GError **error)
{
  guint32 depth;
  Body *body;

  g_return_val_if_fail (IS_RLOCK (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  body = body_of (self);
  if (G_UNLIKELY (!is_mine (body)))
    {
      g_set_error_literal (
          error, MPROC_ERROR, MPROC_ERROR_NOT_OWNER,
          "the recursive lock is not held by the calling thread, and can be "
          "released by its holder only");
      return FALSE;
    }
  depth = atomic_load_explicit (&body->depth, memory_order_relaxed);
  if (depth > 1)
    set_owner (body, this_thread (), depth - 1);
  else
    mproc_rlock_release_all (self);
  return TRUE;
}

gboolean
mproc_rlock_is_locked (MprocRLock *self)
{
  g_return_val_if_fail (IS_RLOCK (self), FALSE);

  return mproc_load32 (&body_of (self)->word) != 0;
}

gboolean
mproc_rlock_is_mine (MprocRLock *self)
{
  g_return_val_if_fail (IS_RLOCK (self), FALSE);

  return is_mine (body_of (self));
}

guint32
mproc_rlock_release_all (MprocRLock *self)
{
  Body *body = body_of (self);
  guint32 depth = mproc_load32 (&body->depth);

  set_owner (body, 0, 0);
  MPROC_CRASH_POINT (RLOCK_LEFT);
  mproc_lockword_release (&body->word);
  return depth;
}

MprocLockStatus
mproc_rlock_acquire_again (MprocRLock *self, guint32 depth)
{
  Body *body = body_of (self);
  MprocLocked locked = mproc_lockword_acquire (&body->word, MPROC_OS_NEVER);

  set_owner (body, this_thread (), depth);
  return (MprocLockStatus) locked;
}
