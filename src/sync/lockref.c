/* SPDX-License-Identifier: MIT */
#include "sync/lockref.h"

#include "family/entry.h"
#include "sync/lock.h"

static gboolean
is_lock (gpointer lock)
{
  return MPROC_OBJECT_IS (lock, MPROC_KIND_LOCK);
}

static gboolean
is_rlock (gpointer lock)
{
  return MPROC_OBJECT_IS (lock, MPROC_KIND_RLOCK);
}

gboolean
mproc_lockref_is_valid (gpointer lock)
{
  return lock == NULL || lock == MPROC_OWN_LOCK || is_lock (lock) || is_rlock (lock);
}

gboolean
mproc_lockref_take (gpointer lock, MprocHandle *handle, GError **error)
{
  MprocRLock *own = NULL;
  gboolean ok;

  *handle = 0;
  if (lock == NULL)
    return TRUE;
  if (lock == MPROC_OWN_LOCK && (lock = own = mproc_rlock_new (error)) == NULL)
    return FALSE;
  *handle = ((MprocObject *) lock)->handle;
  ok = mproc_handle_send (*handle, error);
  mproc_rlock_unref (own);
  return ok;
}

void
mproc_lockref_drop (MprocHandle handle)
{
  if (handle != 0)
    mproc_handle_drop (handle);
}

/* There may be no memory to note that this process has it open.  The body holds it anyway. */
static gpointer
open_lock (MprocHandle handle)
{
  MprocKind kind = mproc_handle_get_kind (handle);
  const MprocClass *class_ = mproc_object_get_class (kind);
  gpointer lock = mproc_object_open (handle, kind, NULL);

  return lock != NULL ? lock : class_->open (class_, mproc_entry_get_body (handle), NULL);
}

gpointer
mproc_lockref_get (MprocPlain *self, MprocHandle handle)
{
  gpointer lock = g_atomic_pointer_get (&self->lock);

  if (lock != NULL || handle == 0)
    return lock;
  lock = open_lock (handle);
  if (!g_atomic_pointer_compare_and_exchange (&self->lock, NULL, lock))
    {
      mproc_object_unref (lock);
      lock = g_atomic_pointer_get (&self->lock);
    }
  return lock;
}

MprocLockStatus
mproc_lockref_acquire (gpointer lock, gint64 timeout_us)
{
  return is_rlock (lock) ? mproc_rlock_acquire (lock, timeout_us)
                         : mproc_lock_acquire (lock, timeout_us);
}

gboolean
mproc_lockref_release (gpointer lock, GError **error)
{
  return is_rlock (lock) ? mproc_rlock_release (lock, error)
                         : mproc_lock_release (lock, error);
}

gboolean
mproc_lockref_is_mine (gpointer lock)
{
  return is_rlock (lock) ? mproc_rlock_is_mine (lock) : mproc_lock_is_ours (lock);
}

guint32
mproc_lockref_release_all (gpointer lock)
{
  if (is_rlock (lock))
    return mproc_rlock_release_all (lock);
  mproc_lock_release (lock, NULL);
  return 1;
}

MprocLockStatus
mproc_lockref_acquire_again (gpointer lock, guint32 depth)
{
  return is_rlock (lock) ? mproc_rlock_acquire_again (lock, depth)
                         : mproc_lock_acquire (lock, MPROC_FOREVER);
}
