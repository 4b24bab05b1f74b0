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

/* Sets *ready, 1 or 0.  Returns 0 or the error code, as the functions below do. */
static DWORD
look_at (const MprocOsWait *wait, gint *ready)
{
  HANDLE handle = mproc_win32_handle (wait->handle);
  DWORD available = 0;
  DWORD result;

  if (wait->handle == MPROC_OS_NONE)
    return ERROR_INVALID_HANDLE;

  if (wait->kind == MPROC_OS_WAIT_CHILD)
    {
      result = WaitForSingleObject (handle, 0);
      *ready = result == WAIT_OBJECT_0;
      return result == WAIT_FAILED ? GetLastError () : 0;
    }
  result = PeekNamedPipe (handle, NULL, 0, NULL, &available, NULL) ? 0 : GetLastError ();
  *ready = available > 0 || mproc_win32_is_end (result);
  return *ready ? 0 : result;
}

static DWORD
look (MprocOsWait *waits, guint n, gint *count)
{
  *count = 0;
  for (guint i = 0; i < n; i++)
    {
      gint ready;
      DWORD code = look_at (&waits[i], &ready);

      if (code != 0)
        return code;
      waits[i].ready = ready;
      *count += ready;
    }
  return 0;
}

static VOID CALLBACK
set_event (PVOID event, BOOLEAN timed_out)
{
  (void) timed_out;
  SetEvent (event);
}

static DWORD
watch_child (Vigil *self, HANDLE child)
{
  if (self->n_handles < MAXIMUM_WAIT_OBJECTS)
    self->handles[self->n_handles++] = child;
  else if (RegisterWaitForSingleObject (&self->registered[self->n_registered], child,
                                        set_event, self->event, INFINITE,
                                        WT_EXECUTEONLYONCE | WT_EXECUTEINWAITTHREAD))
    self->n_registered++;
  else
    return GetLastError ();
  return 0;
}

/* Issuing an operation clears its event, which may have been set a moment before on
 * behalf of another: so all bells come first, are looked at when the last is issued,
 * and whoever else sets the event starts after that. */
static DWORD
set_bells (Vigil *self, const MprocOsWait *waits, guint n, gboolean *rung)
{
  static guint8 nothing;

  for (guint i = 0; i < n; i++)
    if (waits[i].kind == MPROC_OS_WAIT_CHANNEL)
      {
        MprocWin32Io *bell = &self->bells[self->n_bells++];

        if (!mproc_win32_io_start (bell, waits[i].handle, self->event, FALSE, &nothing,
                                   0))
          {
            *rung = TRUE;
            return mproc_win32_is_end (bell->code) ? 0 : bell->code;
          }
      }

  *rung = FALSE;
  for (guint i = 0; i < self->n_bells; i++)
    *rung = *rung || HasOverlappedIoCompleted (&self->bells[i].overlapped);
  return 0;
}

static DWORD
begin (Vigil *self, guint n)
{
  memset (self, 0, sizeof *self);
  self->event = mproc_win32_io_event ();
  if (self->event == NULL)
    return GetLastError ();
  ResetEvent (self->event);
  self->bells = g_new (MprocWin32Io, n);
  self->registered = g_new (HANDLE, n);
  self->handles[self->n_handles++] = self->event;
  return 0;
}

/* A channel that was closed meanwhile is an error: its handle must not be looked at. */
static DWORD
end (Vigil *self)
{
  DWORD result = 0;
  DWORD ignored;

  for (guint i = 0; i < self->n_registered; i++)
    UnregisterWaitEx (self->registered[i], INVALID_HANDLE_VALUE);
  for (guint i = 0; i < self->n_bells; i++)
    if (mproc_win32_io_end (&self->bells[i], &ignored) == ERROR_OPERATION_ABORTED)
      result = ERROR_OPERATION_ABORTED;
  g_free (self->registered);
  g_free (self->bells);
  return result;
}

/* Sleeps until something may be ready or time is up. */
static DWORD
sleep_on (const MprocOsWait *waits, guint n, gint64 deadline)
{
  gboolean rung;
  Vigil vigil;
  DWORD code = begin (&vigil, n);
  DWORD closed;

  if (code != 0)
    return code;

  code = set_bells (&vigil, waits, n, &rung);
  if (code == 0 && !rung)
    {
      for (guint i = 0; code == 0 && i < n; i++)
        if (waits[i].kind == MPROC_OS_WAIT_CHILD)
          code = watch_child (&vigil, mproc_win32_handle (waits[i].handle));
      if (code == 0 &&
          WaitForMultipleObjects (vigil.n_handles, vigil.handles, FALSE,
                                  mproc_win32_timeout (deadline)) == WAIT_FAILED)
        code = GetLastError ();
    }

  closed = end (&vigil);
  return closed != 0 ? closed : code;
}

gint
mproc_os_wait_many (MprocOsWait *waits, guint n, gint64 deadline, GError **error)
{
  DWORD code = 0;

  while (code == 0)
    {
      gboolean last = mproc_win32_timeout (deadline) == 0;
      gint count;

      code = look (waits, n, &count);
      if (code == 0 && (count > 0 || last))
        return count;
      if (code == 0)
        code = sleep_on (waits, n, deadline);
    }

  mproc_win32_fail (error, "wait", code);
  return -1;
}

/* A pipe is signalled by its last operation, not by what may be read. */
gboolean
mproc_os_can_poll (MprocOsWaitKind kind)
{
  return kind == MPROC_OS_WAIT_CHILD;
}
