/* SPDX-License-Identifier: MIT */
/* GNU make's jobserver is a semaphore with a name. */
#include "win32.h"

char *
mproc_os_jobserver_find (const char *name)
{
  gintptr jobserver = mproc_os_jobserver_open (name);

  if (jobserver == MPROC_OS_NONE)
    return NULL;
  mproc_os_jobserver_close (jobserver);
  return g_strdup (name);
}

gintptr
mproc_os_jobserver_open (const char *where)
{
  wchar_t *name = mproc_win32_wide (where);
  HANDLE handle = NULL;

  if (name != NULL)
    handle = OpenSemaphoreW (SYNCHRONIZE | SEMAPHORE_MODIFY_STATE, FALSE, name);
  g_free (name);
  return handle != NULL ? (gintptr) handle : MPROC_OS_NONE;
}

char *
mproc_os_jobserver_name (gintptr jobserver, const char *where)
{
  (void) jobserver;
  return g_strdup (where);
}

gint
mproc_os_jobserver_take (gintptr jobserver, gint64 deadline)
{
  return mproc_win32_wait (mproc_win32_handle (jobserver), deadline) ? 0 : -1;
}

void
mproc_os_jobserver_give (gintptr jobserver, guint8 token)
{
  (void) token;
  ReleaseSemaphore (mproc_win32_handle (jobserver), 1, NULL);
}

void
mproc_os_jobserver_close (gintptr jobserver)
{
  CloseHandle (mproc_win32_handle (jobserver));
}
