/* SPDX-License-Identifier: MIT */
/* What the files of this folder share. */
#ifndef MPROC_WIN32_H
#define MPROC_WIN32_H

#include "os.h"

#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN
#endif
#include <windows.h>

/* MPROC_OS_NONE, read as a HANDLE, is what GetCurrentProcess () returns: ask whether
 * there is a handle before it is given to the system. */
static inline HANDLE
mproc_win32_handle (gintptr handle)
{
  return (HANDLE) handle;
}

/* Sets @error for the system's error @code, with the text os.h promises.  Always
 * FALSE. */
gboolean mproc_win32_fail (GError **error, const char *what, DWORD code);

/* The time left until @deadline in the form the system's waits take. */
DWORD mproc_win32_timeout (gint64 deadline);

/* Waits until @handle is signalled; FALSE: time is up. */
gboolean mproc_win32_wait (HANDLE handle, gint64 deadline);

/* @text in UTF-16; NULL, with the code in GetLastError (), if it is no UTF-8.
 * g_free. */
wchar_t *mproc_win32_wide (const char *text);

/* The file @module (NULL: the program) was loaded from.  g_free. */
wchar_t *mproc_win32_module_path (HMODULE module);

/* One overlapped operation on a channel, from start to end, on its thread's stack. */
typedef struct
{
  OVERLAPPED overlapped;
  HANDLE handle;
  DWORD code;       /* what the system said when it was issued */
  gboolean closing; /* by mproc_os_channel_close, under its lock */
  GList link;
} MprocWin32Io;

/* The event a thread waits on for its operations.  NULL: see GetLastError (). */
HANDLE mproc_win32_io_event (void);

/* Issues a read (or, to_write, a write).  FALSE: it is done already.
 * mproc_win32_io_end has to be called in either case. */
gboolean mproc_win32_io_start (MprocWin32Io *io,
                               gintptr channel,
                               HANDLE event,
                               gboolean to_write,
                               gpointer buffer,
                               DWORD size);

/* Ends it, by cancelling if it has to be.  Returns the error code, 0 with *n set where
 * it has succeeded.  The kernel knows nothing of @io and the buffer after this. */
DWORD mproc_win32_io_end (MprocWin32Io *io, DWORD *n);

/* Whether this error of a read means that the other end is closed. */
gboolean mproc_win32_is_end (DWORD code);

#endif
