/* SPDX-License-Identifier: MIT */
#include "win32.h"

/* A channel is a named pipe whose both ends are opened here and now; nobody needs its
 * name again.  All I/O is overlapped, as an operation must be able to end at a
 * deadline, and as several threads may be at work on one end.
 *
 * Every operation is in a list while it runs.  CancelIoEx without an OVERLAPPED would
 * end what other threads do with duplicates of the handle, and an operation that has
 * been cancelled must be over before the handle is closed, since its number may be used
 * again at once: so who closes looks for the operations on this handle, and waits until
 * they have left. */

#define BUFFER_SIZE (64 * 1024)

/* One operation pins its buffer: larger transfers go in steps. */
#define LARGEST_TRANSFER (1024 * 1024)

static GMutex running_lock;
static GCond running_left;
static GQueue running = G_QUEUE_INIT;

/* ------------------------------------------------------------------ one operation */

static void
close_event (gpointer event)
{
  CloseHandle (event);
}

static GPrivate thread_event = G_PRIVATE_INIT (close_event);

HANDLE
mproc_win32_io_event (void)
{
  HANDLE event = g_private_get (&thread_event);

  if (event == NULL)
    {
      event = CreateEventW (NULL, TRUE, FALSE, NULL);
      if (event != NULL)
        g_private_set (&thread_event, event);
    }
  return event;
}

gboolean
mproc_win32_io_start (MprocWin32Io *io,
                      gintptr channel,
                      HANDLE event,
                      gboolean to_write,
                      gpointer buffer,
                      DWORD size)
{
  BOOL done;

  memset (io, 0, sizeof *io);
  io->overlapped.hEvent = event;
  io->handle = mproc_win32_handle (channel);
  io->link.data = io;

  g_mutex_lock (&running_lock);
  g_queue_push_tail_link (&running, &io->link);
  g_mutex_unlock (&running_lock);

  done = to_write ? WriteFile (io->handle, buffer, size, NULL, &io->overlapped)
                  : ReadFile (io->handle, buffer, size, NULL, &io->overlapped);
  io->code = done ? 0 : GetLastError ();

  /* Who closes may have cancelled it before it was issued. */
  g_mutex_lock (&running_lock);
  if (io->closing)
    CancelIoEx (io->handle, &io->overlapped);
  g_mutex_unlock (&running_lock);

  return io->code == ERROR_IO_PENDING;
}

/* Other operations may share the event, so it may be set although this one is not
 * over. */
static void
await_end (MprocWin32Io *io)
{
  while (!HasOverlappedIoCompleted (&io->overlapped))
    {
      ResetEvent (io->overlapped.hEvent);
      if (!HasOverlappedIoCompleted (&io->overlapped))
        mproc_win32_wait (io->overlapped.hEvent, MPROC_OS_NEVER);
    }
}

DWORD
mproc_win32_io_end (MprocWin32Io *io, DWORD *n)
{
  DWORD code = io->code;

  if (code == ERROR_IO_PENDING)
    {
      if (!HasOverlappedIoCompleted (&io->overlapped))
        CancelIoEx (io->handle, &io->overlapped);
      await_end (io);
      code = 0;
    }
  /* Cancelled too late, it has its result: that counts. */
  if (code == 0 && !GetOverlappedResult (io->handle, &io->overlapped, n, FALSE))
    code = GetLastError ();

  g_mutex_lock (&running_lock);
  g_queue_unlink (&running, &io->link);
  if (io->closing)
    g_cond_broadcast (&running_left);
  else if (code == ERROR_OPERATION_ABORTED)
    code = WAIT_TIMEOUT;
  g_mutex_unlock (&running_lock);
  return code;
}

/* Returns 0 or the error code. */
static DWORD
transfer (gintptr channel,
          gboolean to_write,
          gpointer buffer,
          gsize size,
          gint64 deadline,
          DWORD *n)
{
  HANDLE event = mproc_win32_io_event ();
  MprocWin32Io io;

  if (event == NULL)
    return GetLastError ();
  if (mproc_win32_io_start (&io, channel, event, to_write, buffer,
                            (DWORD) MIN (size, LARGEST_TRANSFER)))
    mproc_win32_wait (event, deadline);
  return mproc_win32_io_end (&io, n);
}

/* ------------------------------------------------------------------ channels */

static wchar_t *
new_name (void)
{
  guint64 random[2];
  char *name;
  wchar_t *wide;

  mproc_os_random (random, sizeof random);
  name = g_strdup_printf ("\\\\.\\pipe\\mproc-%016" G_GINT64_MODIFIER
                          "x%016" G_GINT64_MODIFIER "x",
                          random[0], random[1]);
  wide = mproc_win32_wide (name);
  g_free (name);
  return wide;
}

/* One instance: the name can be neither taken before nor shared.  Who connects to it
 * from outside, in the instant before we do, makes our open fail and gets nothing. */
gboolean
mproc_os_channel_pair (gboolean duplex, gintptr *a, gintptr *b, GError **error)
{
  wchar_t *name = new_name ();
  HANDLE server =
      CreateNamedPipeW (name,
                        (duplex ? PIPE_ACCESS_DUPLEX : PIPE_ACCESS_INBOUND) |
                            FILE_FLAG_OVERLAPPED | FILE_FLAG_FIRST_PIPE_INSTANCE,
                        PIPE_TYPE_BYTE | PIPE_READMODE_BYTE | PIPE_WAIT |
                            PIPE_REJECT_REMOTE_CLIENTS,
                        1, BUFFER_SIZE, BUFFER_SIZE, 0, NULL);
  HANDLE client = INVALID_HANDLE_VALUE;
  DWORD code = GetLastError ();

  if (server != INVALID_HANDLE_VALUE)
    {
      client = CreateFileW (name, (duplex ? GENERIC_READ : 0) | GENERIC_WRITE, 0, NULL,
                            OPEN_EXISTING, FILE_FLAG_OVERLAPPED, NULL);
      code = GetLastError ();
    }
  g_free (name);

  if (client == INVALID_HANDLE_VALUE)
    {
      if (server != INVALID_HANDLE_VALUE)
        CloseHandle (server);
      return mproc_win32_fail (error, "pipe", code);
    }

  *a = (gintptr) server;
  *b = (gintptr) client;
  return TRUE;
}

gboolean
mproc_win32_is_end (DWORD code)
{
  return code == ERROR_BROKEN_PIPE || code == ERROR_HANDLE_EOF ||
         code == ERROR_PIPE_NOT_CONNECTED || code == ERROR_NO_DATA;
}

gssize
mproc_os_channel_read (gintptr channel,
                       gpointer buffer,
                       gsize size,
                       gint64 deadline,
                       GError **error)
{
  DWORD n = 0;
  DWORD code;

  g_assert (size > 0);
  do /* a foreign program's empty write comes out as an empty read, and is not the end */
    code = transfer (channel, FALSE, buffer, size, deadline, &n);
  while (code == 0 && n == 0);

  if (code == 0)
    return (gssize) n;
  if (mproc_win32_is_end (code))
    return 0;
  mproc_win32_fail (error, "read", code);
  return -1;
}

/* The system does not tell how much of a cancelled write the peer has read already: a
 * write that has timed out leaves a stream that nobody can go on with. */
gssize
mproc_os_channel_write (gintptr channel,
                        gconstpointer buffer,
                        gsize size,
                        gint64 deadline,
                        GError **error)
{
  DWORD n = 0;
  DWORD code;

  g_assert (size > 0);
  code = transfer (channel, TRUE, (gpointer) buffer, size, deadline, &n);
  if (code == 0)
    return (gssize) n;
  mproc_win32_fail (error, "write", code);
  return -1;
}

gssize
mproc_os_channel_write_until (gintptr channel,
                              gconstpointer buffer,
                              gsize size,
                              const MprocAtomic32 *stop,
                              GError **error)
{
  HANDLE event = mproc_win32_io_event ();
  MprocWin32Io io;
  DWORD n = 0;
  DWORD code;

  g_assert (size > 0);
  if (event == NULL)
    {
      mproc_win32_fail (error, "write", GetLastError ());
      return -1;
    }
  if (mproc_win32_io_start (&io, channel, event, TRUE, (gpointer) buffer,
                            (DWORD) MIN (size, LARGEST_TRANSFER)))
    while (mproc_load32 (stop) == 0 && !HasOverlappedIoCompleted (&io.overlapped))
      mproc_win32_wait (event, g_get_monotonic_time () + G_USEC_PER_SEC / 10);
  code = mproc_win32_io_end (&io, &n);
  if (code == 0)
    return (gssize) n;
  mproc_win32_fail (error, "write",
                    code == WAIT_TIMEOUT ? ERROR_OPERATION_ABORTED : code);
  return -1;
}

gintptr
mproc_os_channel_dup (gintptr channel, GError **error)
{
  HANDLE self = GetCurrentProcess ();
  HANDLE copy;

  if (channel != MPROC_OS_NONE &&
      DuplicateHandle (self, mproc_win32_handle (channel), self, &copy, 0, FALSE,
                       DUPLICATE_SAME_ACCESS))
    return (gintptr) copy;

  mproc_win32_fail (error, "duplicate",
                    channel == MPROC_OS_NONE ? ERROR_INVALID_HANDLE : GetLastError ());
  return MPROC_OS_NONE;
}

/* Whether there were any to cancel. */
static gboolean
cancel_running (HANDLE handle)
{
  gboolean found = FALSE;

  for (GList *link = running.head; link != NULL; link = link->next)
    {
      MprocWin32Io *io = link->data;

      if (io->handle != handle)
        continue;
      found = TRUE;
      io->closing = TRUE;
      CancelIoEx (handle, &io->overlapped);
    }
  return found;
}

void
mproc_os_channel_close (gintptr channel)
{
  HANDLE handle = mproc_win32_handle (channel);

  if (channel == MPROC_OS_NONE)
    return;

  g_mutex_lock (&running_lock);
  while (cancel_running (handle))
    g_cond_wait (&running_left, &running_lock);
  g_mutex_unlock (&running_lock);
  CloseHandle (handle);
}

void
mproc_os_channel_adopt (gintptr channel)
{
  SetHandleInformation (mproc_win32_handle (channel), HANDLE_FLAG_INHERIT, 0);
}
