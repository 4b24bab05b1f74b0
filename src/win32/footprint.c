/* SPDX-License-Identifier: MIT */
/* How much memory a process has for itself. */
#include "win32.h"

#include <psapi.h>

/* What it has committed, which is the same as its private usage; and that Wine does not tell. */
static gboolean
ask (HANDLE process, guint64 *bytes)
{
  PROCESS_MEMORY_COUNTERS counters;

  counters.cb = sizeof counters;
  if (!K32GetProcessMemoryInfo (process, &counters, sizeof counters))
    return FALSE;
  *bytes = counters.PagefileUsage;
  return TRUE;
}

/* Nothing is left in common by a start here, so that the number is exact. */
gboolean
mproc_os_private_memory (const MprocOsIdentity *who, guint64 enough, guint64 *bytes)
{
  HANDLE process;
  gboolean ok;

  (void) enough;
  if (who == NULL)
    return ask (GetCurrentProcess (), bytes);
  process =
      OpenProcess (PROCESS_QUERY_INFORMATION | PROCESS_VM_READ, FALSE, (DWORD) who->pid);
  if (process == NULL)
    return FALSE;
  ok = ask (process, bytes);
  CloseHandle (process);
  return ok;
}
