/* SPDX-License-Identifier: MIT */
/* What the public API asks of a process that has been started. */
#include "process/processdata.h"

#include "arena/word.h"

static gboolean
has_started (MprocProcess *self)
{
  gboolean started;

  mproc_local_lock ();
  started = self->state >= MPROC_PROCESS_STARTED;
  mproc_local_unlock ();
  return started;
}

/* ------------------------------------------------------------------ the end */

/* A parent is no child, so nobody tells us: naps, and a look after each. A thread's
 * parent may be the very process it runs in, which it will not see end. */
static gboolean
join_parent (MprocProcess *self, gint64 deadline)
{
  MprocAtomic32 *word = mproc_member_word (mproc_self ());

  for (;;)
    {
      if (self->role == MPROC_PROCESS_PARENT && mproc_os_is_dead (&self->identity))
        return TRUE;
      if (g_get_monotonic_time () >= deadline)
        return FALSE;
      mproc_word_wait (word, mproc_load32 (word), deadline);
    }
}

gboolean
mproc_process_join (MprocProcess *self, gint64 timeout_us)
{
  g_return_val_if_fail (mproc_object_is (self, MPROC_KIND_PROCESS), FALSE);
  g_return_val_if_fail (timeout_us >= MPROC_FOREVER, FALSE);
  g_return_val_if_fail (self != mproc_process_current (), FALSE);

  if (self->role == MPROC_PROCESS_PARENT || mproc_process_is_current (self))
    return join_parent (self, mproc_deadline (timeout_us));
  g_return_val_if_fail (mproc_process_is_mine (self), FALSE);
  g_return_val_if_fail (has_started (self), FALSE);
  return mproc_child_wait (self, mproc_deadline (timeout_us));
}

gboolean
mproc_process_is_alive (MprocProcess *self)
{
  g_return_val_if_fail (mproc_object_is (self, MPROC_KIND_PROCESS), FALSE);

  if (mproc_process_is_current (self))
    return TRUE;
  if (self->role == MPROC_PROCESS_PARENT)
    return !mproc_os_is_dead (&self->identity);
  g_return_val_if_fail (mproc_process_is_mine (self), FALSE);
  return has_started (self) && !mproc_child_wait (self, 0);
}

gboolean
mproc_process_get_exit_code (MprocProcess *self, int *exit_code)
{
  g_return_val_if_fail (mproc_object_is (self, MPROC_KIND_PROCESS), FALSE);

  if (!mproc_process_is_mine (self) || !has_started (self) || !mproc_child_wait (self, 0))
    return FALSE;
  if (exit_code != NULL)
    *exit_code = self->exit_code;
  return TRUE;
}

/* ------------------------------------------------------------------ signals */

/* Under the local lock a child that has not ended is not reaped by us either: its pid
 * is its own. */
static gboolean
send_signal (MprocProcess *self, MprocOsSignal what, GError **error)
{
  gboolean ok = TRUE;

  mproc_local_lock ();
  if (self->state < MPROC_PROCESS_STARTED)
    {
      g_set_error (error, MPROC_ERROR, MPROC_ERROR_STATE, "%s has not been started",
                   self->name);
      ok = FALSE;
    }
  else if (self->state == MPROC_PROCESS_STARTED)
    {
      if (self->method == MPROC_START_METHOD_THREAD)
        {
          g_set_error (error, MPROC_ERROR, MPROC_ERROR_NOT_SUPPORTED,
                       "%s is a thread, which cannot be ended from outside", self->name);
          ok = FALSE;
        }
      else
        ok = mproc_os_child_signal (&self->view, what, error);
    }
  mproc_local_unlock ();
  return ok;
}

gboolean
mproc_process_interrupt (MprocProcess *self, GError **error)
{
  g_return_val_if_fail (mproc_object_is (self, MPROC_KIND_PROCESS), FALSE);
  g_return_val_if_fail (mproc_process_is_mine (self), FALSE);

  return send_signal (self, MPROC_OS_INTERRUPT, error);
}

gboolean
mproc_process_terminate (MprocProcess *self, GError **error)
{
  g_return_val_if_fail (mproc_object_is (self, MPROC_KIND_PROCESS), FALSE);
  g_return_val_if_fail (mproc_process_is_mine (self), FALSE);

  return send_signal (self, MPROC_OS_TERMINATE, error);
}

gboolean
mproc_process_kill (MprocProcess *self, GError **error)
{
  g_return_val_if_fail (mproc_object_is (self, MPROC_KIND_PROCESS), FALSE);
  g_return_val_if_fail (mproc_process_is_mine (self), FALSE);

  return send_signal (self, MPROC_OS_KILL, error);
}

/* ------------------------------------------------------------------ the sentinel */

/* Under the local lock.  The thread closes the other end at its own. */
static gintptr
get_thread_sentinel (MprocProcess *self, GError **error)
{
  if (self->end_reader == MPROC_OS_NONE &&
      mproc_os_channel_pair (FALSE, &self->end_reader, &self->end_writer, error) &&
      self->state == MPROC_PROCESS_ENDED)
    {
      mproc_os_channel_close (self->end_writer);
      self->end_writer = MPROC_OS_NONE;
    }
  return self->end_reader;
}

gboolean
mproc_process_get_wait (MprocProcess *self, MprocOsWait *wait, GError **error)
{
  gboolean is_thread = self->method == MPROC_START_METHOD_THREAD;
  gintptr handle = MPROC_OS_NONE;

  mproc_local_lock ();
  if (self->state < MPROC_PROCESS_STARTED)
    g_set_error (error, MPROC_ERROR, MPROC_ERROR_STATE, "%s has not been started",
                 self->name);
  else if (is_thread)
    handle = get_thread_sentinel (self, error);
  else
    handle = mproc_os_child_sentinel (&self->view, error);
  mproc_local_unlock ();
  if (handle == MPROC_OS_NONE)
    return FALSE;
  wait->handle = handle;
  wait->kind = is_thread ? MPROC_OS_WAIT_CHANNEL : MPROC_OS_WAIT_CHILD;
  wait->ready = FALSE;
  return TRUE;
}

gintptr
mproc_process_get_sentinel (MprocProcess *self, GError **error)
{
  MprocOsWait wait;

  g_return_val_if_fail (mproc_object_is (self, MPROC_KIND_PROCESS), -1);
  g_return_val_if_fail (mproc_process_is_mine (self), -1);

  return mproc_process_get_wait (self, &wait, error) ? wait.handle : -1;
}
