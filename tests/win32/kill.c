/* SPDX-License-Identifier: MIT */
#include "kill.h"

#include <windows.h>

void
mproc_test_kill_pid (gint64 pid)
{
  HANDLE process = OpenProcess (PROCESS_TERMINATE, FALSE, (DWORD) pid);

  if (process == NULL)
    return;
  TerminateProcess (process, 9);
  CloseHandle (process);
}
