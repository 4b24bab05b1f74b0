/* SPDX-License-Identifier: MIT */
#include "win32.h"

/* A read of nothing from a byte pipe ends when there is something to read, and takes
 * nothing: it is the bell of a channel that is waited for.  All bells ring one event.
 * What is ready is never concluded from a bell, only from looking.
 *
 * The system waits for 64 handles at a time: the event, and 63 processes.  For those
 * beyond the thread pool waits, and sets the event. */

typedef struct
{
  HANDLE event; /* the calling thread's, set by bells and by the thread pool */
  MprocWin32Io *bells;
  guint n_bells;
  HANDLE handles[MAXIMUM_WAIT_OBJECTS];
  guint n_handles;
  HANDLE *registered;
  guint n_registered;
} Vigil;

/* 1: ready, 0: not, -1: cannot be told, see GetLastError (). */
static gint
look_at (const MprocOsWait *wait)
{
  HANDLE handle = mproc_win32_handle (wait->handle);
  DWORD available;

  if (wait->handle == MPROC_OS_NONE)
    {
      SetLastError (ERROR_INVALID_HANDLE);
      return -1;
    }
  if (wait->kind == MPROC_OS_WAIT_CHILD)
    switch (WaitForSingleObject (handle, 0))
      {
      case WAIT_OBJECT_0:
        return 1;
      case WAIT_TIMEOUT:
        return 0;
      default:
        return -1;
      }
  if (PeekNamedPipe (handle, NULL, 0, NULL, &available, NULL))
    return available > 0;
  return mproc_win32_is_end (GetLastError ()) ? 1 : -1;
}

/* How many are ready, or -1 with the code in GetLastError (). */
static gint
look (MprocOsWait *waits, guint n)
{
  gint count = 0;

  for (guint i = 0; i < n; i++)
    {
      gint ready = look_at (&waits[i]);

      if (ready < 0)
        return -1;
      waits[i].ready = ready;
      count += ready;
    }
  return count;
}

static VOID CALLBACK
set_event (PVOID event, BOOLEAN timed_out)
{
  (void) timed_out;
  SetEvent (event);
}

static gboolean
watch_child (Vigil *self, HANDLE child)
{
  if (self->n_handles < MAXIMUM_WAIT_OBJECTS)
    {
      self->handles[self->n_handles++] = child;
      return TRUE;
    }
  if (!RegisterWaitForSingleObject (&self->registered[self->n_registered], child,
                                    set_event, self->event, INFINITE,
                                    WT_EXECUTEONLYONCE | WT_EXECUTEINWAITTHREAD))
    return FALSE;
  self->n_registered++;
  return TRUE;
}

/* Issuing an operation clears its event, which may have been set a moment before on
 * behalf of another: so all bells come first, are looked at when the last is issued,
 * and whoever else sets the event starts after that.  TRUE: all are set, and none has
 * rung yet. */
static gboolean
set_bells (Vigil *self, const MprocOsWait *waits, guint n)
{
  static guint8 nothing;
  gboolean silent = TRUE;

  for (guint i = 0; i < n; i++)
    if (waits[i].kind == MPROC_OS_WAIT_CHANNEL &&
        !mproc_win32_io_start (&self->bells[self->n_bells++], waits[i].handle,
                               self->event, FALSE, &nothing, 0))
      return FALSE;

  for (guint i = 0; i < self->n_bells; i++)
    silent = silent && !HasOverlappedIoCompleted (&self->bells[i].overlapped);
  return silent;
}

static gboolean
begin (Vigil *self, guint n)
{
  memset (self, 0, sizeof *self);
  self->event = mproc_win32_io_event ();
  if (self->event == NULL)
    return FALSE;
  self->bells = g_new (MprocWin32Io, n);
  self->registered = g_new (HANDLE, n);
  self->handles[self->n_handles++] = self->event;
  return TRUE;
}

static void
end (Vigil *self)
{
  DWORD ignored;

  for (guint i = 0; i < self->n_registered; i++)
    UnregisterWaitEx (self->registered[i], INVALID_HANDLE_VALUE);
  for (guint i = 0; i < self->n_bells; i++)
    mproc_win32_io_end (&self->bells[i], &ignored);
  g_free (self->registered);
  g_free (self->bells);
}

/* Sleeps until something may be ready or time is up.  FALSE: see GetLastError (). */
static gboolean
sleep_on (const MprocOsWait *waits, guint n, gint64 deadline)
{
  Vigil vigil;
  gboolean ok;
  DWORD code;

  if (!begin (&vigil, n))
    return FALSE;

  ok = TRUE;
  if (set_bells (&vigil, waits, n))
    {
      for (guint i = 0; ok && i < n; i++)
        if (waits[i].kind == MPROC_OS_WAIT_CHILD)
          ok = watch_child (&vigil, mproc_win32_handle (waits[i].handle));
      ok = ok && WaitForMultipleObjects (vigil.n_handles, vigil.handles, FALSE,
                                         mproc_win32_timeout (deadline)) != WAIT_FAILED;
    }

  code = GetLastError ();
  end (&vigil);
  SetLastError (code);
  return ok;
}

gint
mproc_os_wait_many (MprocOsWait *waits, guint n, gint64 deadline, GError **error)
{
  for (;;)
    {
      gboolean last = mproc_win32_timeout (deadline) == 0;
      gint count = look (waits, n);

      if (count > 0 || (count == 0 && last))
        return count;
      if (count < 0 || !sleep_on (waits, n, deadline))
        break;
    }

  mproc_win32_fail (error, "wait", GetLastError ());
  return -1;
}

/* A pipe is signalled by its last operation, not by what may be read. */
gboolean
mproc_os_can_poll (MprocOsWaitKind kind)
{
  return kind == MPROC_OS_WAIT_CHILD;
}
