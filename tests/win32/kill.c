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

/* The system has this, but no header does. */
typedef LONG (WINAPI *Operation) (HANDLE process);

gboolean
mproc_test_stop_pid (gint64 pid, gboolean stop)
{
  HMODULE system = GetModuleHandleW (L"ntdll.dll");
  Operation operation =
      (Operation) (void (*) (void)) GetProcAddress (system, stop ? "NtSuspendProcess"
                                                                 : "NtResumeProcess");
  HANDLE process = OpenProcess (PROCESS_SUSPEND_RESUME, FALSE, (DWORD) pid);
  gboolean done = operation != NULL && process != NULL && operation (process) >= 0;

  if (process != NULL)
    CloseHandle (process);
  return done;
}

gboolean
mproc_test_interrupt_pid (gint64 pid)
{
  (void) pid;
  return FALSE;
}
