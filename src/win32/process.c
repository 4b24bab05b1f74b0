/* SPDX-License-Identifier: MIT */
#include "win32.h"

#include <stdio.h>

/* The exit code of whom mproc_os_child_signal has ended, and what stands for it
 * outside. */
#define KILLED_CODE 0x10000
#define KILLED_RESULT (-15)

/* ------------------------------------------------------------------ who a process is */

/* 0 if it cannot be told. */
static guint64
start_time_of (HANDLE process)
{
  FILETIME start, end, kernel, user;

  if (!GetProcessTimes (process, &start, &end, &kernel, &user))
    return 0;
  return (guint64) start.dwHighDateTime << 32 | start.dwLowDateTime;
}

void
mproc_os_identify (MprocOsIdentity *out)
{
  out->pid = mproc_os_pid ();
  out->start_time = start_time_of (GetCurrentProcess ());
  out->space = 0;
}

gboolean
mproc_os_is_dead (const MprocOsIdentity *who)
{
  HANDLE process = OpenProcess (SYNCHRONIZE | PROCESS_QUERY_LIMITED_INFORMATION, FALSE,
                                (DWORD) who->pid);
  guint64 start_time;
  gboolean dead;

  if (process == NULL)
    return GetLastError () == ERROR_INVALID_PARAMETER;

  /* A process that has ended can be opened while anyone holds a handle of it. */
  start_time = start_time_of (process);
  dead = (start_time != 0 && start_time != who->start_time) ||
         WaitForSingleObject (process, 0) == WAIT_OBJECT_0;
  CloseHandle (process);
  return dead;
}

gint64
mproc_os_pid (void)
{
  return GetCurrentProcessId ();
}

/* A pid here may be another's by now. */
gboolean
mproc_os_is_child_of (gint64 pid)
{
  (void) pid;
  return FALSE;
}

/* Asked before a fork, which is not to be had here. */
guint
mproc_os_thread_count (void)
{
  return 0;
}

/* Nobody is a fork of anybody: any page will do. */
gpointer
mproc_os_wiped_page (void)
{
  static guint64 page[512];

  return page;
}

/* Rights are raised by a service that starts the program anew, with an environment of
 * its own making; no caller hands one over to a program that may do more than he. */
gboolean
mproc_os_is_elevated (void)
{
  return FALSE;
}

/* ------------------------------------------------------------------ forks: none */

gboolean
mproc_os_can_fork (void)
{
  return FALSE;
}

gboolean
mproc_os_prefers_fork (void)
{
  return FALSE;
}

gint
mproc_os_fork (MprocOsChild *child, GError **error)
{
  (void) child;
  mproc_win32_fail (error, "fork", ERROR_NOT_SUPPORTED);
  return -1;
}

void
mproc_os_child_adopt (const MprocOsIdentity *who, MprocOsChild *child)
{
  child->pid = who->pid;
  child->handle = MPROC_OS_NONE;
  child->ended = TRUE;
  child->exit_code = MPROC_OS_EXIT_UNKNOWN;
  child->is_adopted = TRUE;
}

gintptr
mproc_os_children_sentinel (GError **error)
{
  mproc_win32_fail (error, "fork", ERROR_NOT_SUPPORTED);
  return MPROC_OS_NONE;
}

gboolean
mproc_os_reap_any (gint64 *pid, gint *exit_code)
{
  (void) pid;
  (void) exit_code;
  return FALSE;
}

void
mproc_os_leave_helper (void)
{
}

guint32
mproc_os_lifeline_kind_adopted (void)
{
  return mproc_os_lifeline_kind ();
}

gboolean
mproc_os_channel_pass (gintptr channel,
                       gconstpointer data,
                       gsize size,
                       const gintptr *handles,
                       guint n,
                       gint64 deadline,
                       GError **error)
{
  (void) channel;
  (void) data;
  (void) size;
  (void) handles;
  (void) n;
  (void) deadline;
  return mproc_win32_fail (error, "handles over a channel", ERROR_NOT_SUPPORTED);
}

gboolean
mproc_os_channel_take (gintptr channel,
                       gpointer data,
                       gsize size,
                       gintptr *handles,
                       guint *n,
                       GError **error)
{
  (void) channel;
  (void) data;
  (void) size;
  (void) handles;
  (void) n;
  return mproc_win32_fail (error, "handles over a channel", ERROR_NOT_SUPPORTED);
}

void
mproc_os_at_fork (void (*prepare) (void), void (*parent) (void), void (*child) (void))
{
  (void) prepare;
  (void) parent;
  (void) child;
}

void
mproc_os_close_stdin (void)
{
}

void
mproc_os_ignore_interrupt (gboolean ignore)
{
  SetConsoleCtrlHandler (NULL, ignore);
}

static BOOL WINAPI
swallow (DWORD event)
{
  return event == CTRL_C_EVENT || event == CTRL_BREAK_EVENT;
}

void
mproc_os_refuse_interrupt (void)
{
  SetConsoleCtrlHandler (swallow, TRUE);
}

/* ------------------------------------------------------------------ life and death */

gboolean
mproc_os_child_wait (MprocOsChild *child, gint64 deadline)
{
  HANDLE process = mproc_win32_handle (child->handle);
  gint exit_code = MPROC_OS_EXIT_UNKNOWN;
  DWORD code;

  if (child->ended)
    return TRUE;
  if (child->handle != MPROC_OS_NONE)
    {
      if (!mproc_win32_wait (process, deadline))
        return FALSE;
      if (GetExitCodeProcess (process, &code))
        exit_code = code == KILLED_CODE ? KILLED_RESULT : (gint) code;
    }
  child->exit_code = exit_code;
  child->ended = TRUE;
  return TRUE;
}

gintptr
mproc_os_child_sentinel (MprocOsChild *child, GError **error)
{
  if (child->handle == MPROC_OS_NONE)
    mproc_win32_fail (error, "process", ERROR_INVALID_HANDLE);
  return child->handle;
}

/* Whether it has ended, or is past saving. */
static gboolean
has_exit_code (HANDLE process)
{
  DWORD code;

  return WaitForSingleObject (process, 0) == WAIT_OBJECT_0 ||
         (GetExitCodeProcess (process, &code) && code != STILL_ACTIVE);
}

gboolean
mproc_os_child_signal (MprocOsChild *child, MprocOsSignal what, GError **error)
{
  HANDLE process = mproc_win32_handle (child->handle);
  DWORD code;

  if (child->ended)
    return TRUE;
  if (child->handle == MPROC_OS_NONE)
    return mproc_win32_fail (error, "process", ERROR_INVALID_HANDLE);
  if (has_exit_code (process))
    return TRUE;
  if (what == MPROC_OS_INTERRUPT)
    {
      g_set_error (error, MPROC_ERROR, MPROC_ERROR_NOT_SUPPORTED,
                   "interrupt: Windows can interrupt all processes of a console, but not "
                   "one of them");
      return FALSE;
    }

  if (TerminateProcess (process, KILLED_CODE))
    return TRUE;
  code = GetLastError ();
  return has_exit_code (process) || mproc_win32_fail (error, "terminate", code);
}

void
mproc_os_child_clear (MprocOsChild *child)
{
  if (child->handle != MPROC_OS_NONE)
    CloseHandle (mproc_win32_handle (child->handle));
  child->handle = MPROC_OS_NONE;
}

guint32
mproc_os_lifeline_kind (void)
{
  return 0;
}

void
mproc_os_die_with (const MprocOsIdentity *parent, guint32 lifeline_kind)
{
  (void) lifeline_kind;
  if (mproc_os_is_dead (parent))
    mproc_os_exit (KILLED_CODE);
}

void
mproc_os_flush_output (void)
{
  fflush (stdout);
  fflush (stderr);
}

/* ExitProcess would run the libraries' detach handlers, with all other threads gone in
 * the middle of whatever they did. */
void
mproc_os_exit (gint code)
{
  TerminateProcess (GetCurrentProcess (), (UINT) code);
  for (;;)
    Sleep (INFINITE);
}

void
mproc_os_kill_self (void)
{
  mproc_os_exit (KILLED_CODE);
}

const char *
mproc_os_signal_name (gint number)
{
  static const char *const names[] = {
    [2] = "SIGINT",   [4] = "SIGILL",   [8] = "SIGFPE",    [9] = "SIGKILL",
    [11] = "SIGSEGV", [15] = "SIGTERM", [21] = "SIGBREAK", [22] = "SIGABRT"
  };

  if (number < 0 || number >= (gint) G_N_ELEMENTS (names))
    return NULL;
  return names[number];
}
