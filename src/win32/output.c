/* SPDX-License-Identifier: MIT */
/* Files to append to, and where standard output goes: to the system its handle, to the C library its
 * descriptor. */
#include "win32.h"

#include <fcntl.h>
#include <io.h>
#include <string.h>

static const int descriptors[] = { 1, 2 };
static const DWORD standard[] = { STD_OUTPUT_HANDLE, STD_ERROR_HANDLE };

static gboolean
write_all (HANDLE handle, gconstpointer data, gsize size)
{
  const char *at = data;

  while (size > 0)
    {
      DWORD n = 0;

      if (!WriteFile (handle, at, (DWORD) MIN (size, G_MAXINT32), &n, NULL) || n == 0)
        return FALSE;
      at += n;
      size -= n;
    }
  return TRUE;
}

/* ---------------------------------------------------------------- files to append to */

static guint64
size_of (HANDLE handle)
{
  LARGE_INTEGER size;

  return GetFileSizeEx (handle, &size) ? (guint64) size.QuadPart : 0;
}

/* A byte far behind any end is what all lock. */
static gboolean
write_head (HANDLE handle, const char *head)
{
  OVERLAPPED place = { 0 };
  gboolean locked, ok = TRUE;

  place.OffsetHigh = 0x7fffffff;
  locked = LockFileEx (handle, LOCKFILE_EXCLUSIVE_LOCK, 0, 1, 0, &place);
  if (GetFileType (handle) == FILE_TYPE_DISK && size_of (handle) == 0)
    ok = write_all (handle, head, strlen (head));
  if (locked)
    UnlockFileEx (handle, 0, 1, 0, &place);
  return ok;
}

/* Without the right to write elsewhere, whatever is written goes to the end. */
gintptr
mproc_os_append_open (const char *path, const char *head, GError **error)
{
  wchar_t *wide = mproc_win32_wide (path);
  HANDLE handle = INVALID_HANDLE_VALUE;

  if (wide != NULL)
    handle = CreateFileW (wide, FILE_APPEND_DATA | FILE_READ_DATA | SYNCHRONIZE,
                          FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                          OPEN_ALWAYS, FILE_ATTRIBUTE_NORMAL, NULL);
  g_free (wide);
  if (handle != INVALID_HANDLE_VALUE && write_head (handle, head))
    return (gintptr) handle;
  mproc_win32_fail (error, path, GetLastError ());
  if (handle != INVALID_HANDLE_VALUE)
    CloseHandle (handle);
  return MPROC_OS_NONE;
}

gboolean
mproc_os_append (gintptr file, gconstpointer data, gsize size)
{
  return write_all (mproc_win32_handle (file), data, size);
}

/* ---------------------------------------------------------------- files without a name */

/* It has one, which goes with the last handle. */
static HANDLE
create_temporary (void)
{
  HANDLE handle = INVALID_HANDLE_VALUE;
  guint64 number;
  wchar_t *wide;
  char *path;

  mproc_os_random (&number, sizeof number);
  path = g_strdup_printf ("%s\\mproc-%016" G_GINT64_MODIFIER "x.tmp", g_get_tmp_dir (),
                          number);
  wide = mproc_win32_wide (path);
  if (wide != NULL)
    handle = CreateFileW (wide, GENERIC_READ | GENERIC_WRITE | DELETE,
                          FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                          CREATE_NEW,
                          FILE_ATTRIBUTE_TEMPORARY | FILE_FLAG_DELETE_ON_CLOSE, NULL);
  g_free (wide);
  g_free (path);
  return handle;
}

gintptr
mproc_os_file_new (GError **error)
{
  HANDLE handle = create_temporary ();

  if (handle != INVALID_HANDLE_VALUE)
    return (gintptr) handle;
  mproc_win32_fail (error, "a file for the output", GetLastError ());
  return MPROC_OS_NONE;
}

gintptr
mproc_os_file_borrow (gint64 pid, gintptr file, GError **error)
{
  HANDLE process = OpenProcess (PROCESS_DUP_HANDLE, FALSE, (DWORD) pid);
  HANDLE handle = NULL;
  gboolean ok = process != NULL &&
                DuplicateHandle (process, mproc_win32_handle (file), GetCurrentProcess (),
                                 &handle, 0, FALSE, DUPLICATE_SAME_ACCESS);
  DWORD code = ok ? 0 : GetLastError ();

  if (process != NULL)
    CloseHandle (process);
  if (ok)
    return (gintptr) handle;
  mproc_win32_fail (error, "the output of a worker", code);
  return MPROC_OS_NONE;
}

gsize
mproc_os_file_read (gintptr file, guint64 offset, gpointer buffer, gsize size)
{
  OVERLAPPED place = { 0 };
  DWORD n = 0;

  place.Offset = (DWORD) offset;
  place.OffsetHigh = (DWORD) (offset >> 32);
  if (!ReadFile (mproc_win32_handle (file), buffer, (DWORD) MIN (size, G_MAXINT32), &n,
                 &place))
    return 0;
  return n;
}

guint64
mproc_os_file_size (gintptr file)
{
  return size_of (mproc_win32_handle (file));
}

void
mproc_os_file_empty (gintptr file)
{
  HANDLE handle = mproc_win32_handle (file);
  LARGE_INTEGER start = { 0 };

  if (SetFilePointerEx (handle, start, NULL, FILE_BEGIN))
    SetEndOfFile (handle);
}

void
mproc_os_file_trim (gintptr file, guint64 keep)
{
  (void) file, (void) keep;
}

void
mproc_os_file_close (gintptr file)
{
  CloseHandle (mproc_win32_handle (file));
}

/* ---------------------------------------------------------------- standard output */

/* A second handle for @file, which has the right to append alone. */
static int
open_descriptor (gintptr file)
{
  HANDLE handle = ReOpenFile (mproc_win32_handle (file), FILE_APPEND_DATA | SYNCHRONIZE,
                              FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, 0);
  int fd;

  if (handle == INVALID_HANDLE_VALUE &&
      !DuplicateHandle (GetCurrentProcess (), mproc_win32_handle (file),
                        GetCurrentProcess (), &handle, FILE_APPEND_DATA | SYNCHRONIZE,
                        FALSE, 0))
    return -1;
  fd = _open_osfhandle ((gintptr) handle, _O_APPEND | _O_BINARY);
  if (fd < 0)
    CloseHandle (handle);
  return fd;
}

/* What the system's handle was is the C library's to restore as well, where it had one. */
static void
point (guint i, int fd)
{
  if (fd < 0)
    {
      _close (descriptors[i]);
      SetStdHandle (standard[i], NULL);
    }
  else if (_dup2 (fd, descriptors[i]) == 0)
    SetStdHandle (standard[i], (HANDLE) _get_osfhandle (descriptors[i]));
}

gboolean
mproc_os_redirect_output (gintptr file, MprocOsRedirection *out, GError **error)
{
  int fd = open_descriptor (file);
  guint i;

  if (fd < 0)
    return mproc_win32_fail (error, "standard output", GetLastError ());
  mproc_os_flush_output ();
  for (i = 0; i < G_N_ELEMENTS (descriptors); i++)
    {
      out->saved[i] = _dup (descriptors[i]);
      point (i, fd);
    }
  _close (fd);
  return TRUE;
}

void
mproc_os_restore_output (MprocOsRedirection *redirection)
{
  guint i;

  mproc_os_flush_output ();
  for (i = 0; i < G_N_ELEMENTS (descriptors); i++)
    {
      point (i, (int) redirection->saved[i]);
      if (redirection->saved[i] >= 0)
        _close ((int) redirection->saved[i]);
    }
}

/* ---------------------------------------------------------------- terminals */

gboolean
mproc_os_is_terminal (gint fd, guint *columns)
{
  CONSOLE_SCREEN_BUFFER_INFO info;
  gintptr handle = _isatty (fd) ? _get_osfhandle (fd) : -1;

  if (handle == -1 || !GetConsoleScreenBufferInfo (mproc_win32_handle (handle), &info))
    return FALSE;
  *columns = (guint) (info.srWindow.Right - info.srWindow.Left + 1);
  return TRUE;
}

void
mproc_os_write_text (gint fd, const char *text, gsize size)
{
  while (size > 0)
    {
      int n = _write (fd, text, (unsigned) MIN (size, 1 << 20));

      if (n <= 0)
        return;
      text += n;
      size -= (gsize) n;
    }
}
