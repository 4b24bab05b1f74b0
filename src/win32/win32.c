/* SPDX-License-Identifier: MIT */
#include "win32.h"

static MprocError
error_of (DWORD code)
{
  switch (code)
    {
    case ERROR_TOO_MANY_OPEN_FILES:
    case ERROR_NO_SYSTEM_RESOURCES:
      return MPROC_ERROR_TOO_MANY_FILES;
    case ERROR_NOT_ENOUGH_MEMORY:
    case ERROR_OUTOFMEMORY:
    case ERROR_COMMITMENT_LIMIT:
    case ERROR_COMMITMENT_MINIMUM:
    case ERROR_PAGEFILE_QUOTA:
    case ERROR_NOT_ENOUGH_QUOTA:
      return MPROC_ERROR_NO_MEMORY;
    case ERROR_BROKEN_PIPE:
    case ERROR_NO_DATA: /* "the pipe is being closed" */
    case ERROR_PIPE_NOT_CONNECTED:
    case ERROR_OPERATION_ABORTED:
      return MPROC_ERROR_CLOSED;
    case ERROR_NOT_SUPPORTED:
      return MPROC_ERROR_NOT_SUPPORTED;
    default:
      return MPROC_ERROR_SYSTEM;
    }
}

gboolean
mproc_win32_fail (GError **error, const char *what, DWORD code)
{
  char *text = g_win32_error_message ((gint) code);

  if (code == WAIT_TIMEOUT)
    g_set_error (error, MPROC_ERROR, MPROC_ERROR_TIMED_OUT, "%s: the time is up", what);
  else if (*text != 0)
    g_set_error (error, MPROC_ERROR, error_of (code), "%s: %s", what, text);
  else /* the system knows more errors than texts */
    g_set_error (error, MPROC_ERROR, error_of (code), "%s: error %lu", what,
                 (gulong) code);
  g_free (text);
  return FALSE;
}

DWORD
mproc_win32_timeout (gint64 deadline)
{
  gint64 now = g_get_monotonic_time ();

  if (deadline == MPROC_OS_NEVER)
    return INFINITE;
  if (deadline <= now)
    return 0;
  return (DWORD) MIN ((deadline - now - 1) / 1000 + 1, G_MAXINT32);
}

gboolean
mproc_win32_wait (HANDLE handle, gint64 deadline)
{
  for (;;)
    {
      /* A wait may end a clock tick early, and sees at most 24 days ahead. */
      DWORD timeout = mproc_win32_timeout (deadline);
      DWORD result = WaitForSingleObject (handle, timeout);

      if (result == WAIT_OBJECT_0)
        return TRUE;
      if (result == WAIT_FAILED)
        g_error ("WaitForSingleObject: error %lu", (gulong) GetLastError ());
      if (timeout == 0)
        return FALSE;
    }
}

wchar_t *
mproc_win32_wide (const char *text)
{
  G_STATIC_ASSERT (sizeof (wchar_t) == sizeof (gunichar2));
  wchar_t *wide = (wchar_t *) g_utf8_to_utf16 (text, -1, NULL, NULL, NULL);

  if (wide == NULL)
    SetLastError (ERROR_NO_UNICODE_TRANSLATION);
  return wide;
}
