/* SPDX-License-Identifier: MIT */
/* Children belong to the host as much as to us: nothing here handles SIGCHLD, and nothing
 * waits for a process other than the one asked for. */
#include "posix.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/syscall.h>
#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif
#endif

/* Where the end of a child cannot be waited for, naps grow between these. */
#define SHORTEST_NAP 1000
#define LONGEST_NAP 10000

gboolean
mproc_os_can_fork (void)
{
  return TRUE;
}

gboolean
mproc_os_prefers_fork (void)
{
#if defined(__APPLE__)
  return FALSE;
#else
  return TRUE;
#endif
}

gint
mproc_os_fork (MprocOsChild *child, GError **error)
{
  pid_t pid = fork ();

  if (pid < 0)
    {
      mproc_posix_set_error (error, errno, "fork");
      return -1;
    }
  if (pid == 0)
    return 0;

  child->pid = pid;
  child->handle = MPROC_OS_NONE;
  child->ended = FALSE;
  child->exit_code = MPROC_OS_EXIT_UNKNOWN;
  return 1;
}

/* ---------------------------------------------------------------- waiting */

/* Asks for the child's status, with waitpid's @flags.  TRUE if it has ended. */
static gboolean
reap (MprocOsChild *child, int flags)
{
  int status;
  pid_t pid;

  do
    pid = waitpid ((pid_t) child->pid, &status, flags);
  while (pid < 0 && errno == EINTR);
  if (pid == 0)
    return FALSE;

  child->ended = TRUE;
  if (pid < 0)
    child->exit_code = MPROC_OS_EXIT_UNKNOWN; /* ECHILD: the host was faster */
  else if (WIFSIGNALED (status))
    child->exit_code = -WTERMSIG (status);
  else
    child->exit_code = WEXITSTATUS (status);
  return TRUE;
}

/* Something that is readable for ever, for a child that is gone. */
static int
open_ended_sentinel (GError **error)
{
  gintptr reader, writer;

  if (!mproc_os_channel_pair (FALSE, &reader, &writer, error))
    return -1;
  mproc_os_channel_close (writer);
  return (int) reader;
}

gintptr
mproc_os_child_sentinel (MprocOsChild *child, GError **error)
{
  int fd = -1;

  if (child->handle != MPROC_OS_NONE)
    return child->handle;

  if (!child->ended)
    fd = mproc_posix_watch ((pid_t) child->pid);
  if (child->ended || (fd < 0 && errno == ESRCH))
    fd = open_ended_sentinel (error);
  else if (fd < 0 && (errno == ENOSYS || errno == EPERM))
    g_set_error (error, MPROC_ERROR, MPROC_ERROR_NOT_SUPPORTED, "pidfd_open: %s",
                 g_strerror (errno));
  else if (fd < 0)
    mproc_posix_set_error (error, errno, "pidfd_open");

  child->handle = fd < 0 ? MPROC_OS_NONE : fd;
  return child->handle;
}

gboolean
mproc_os_child_wait (MprocOsChild *child, gint64 deadline)
{
  gint64 nap = SHORTEST_NAP;

  if (child->ended || reap (child, deadline == MPROC_OS_NEVER ? 0 : WNOHANG))
    return TRUE;

  while (g_get_monotonic_time () < deadline)
    {
      struct pollfd end = { (int) mproc_os_child_sentinel (child, NULL), POLLIN, 0 };
      gint64 until = deadline;

      /* Without a sentinel, or with one that is ready though there is no status yet (the
       * child is traced, say), poll () is the nap. */
      if (end.fd < 0 || nap > SHORTEST_NAP)
        {
          end.fd = -1;
          until = MIN (deadline, g_get_monotonic_time () + nap);
        }
      (void) mproc_posix_poll (&end, 1, until);
      if (reap (child, WNOHANG))
        return TRUE;
      nap = MIN (nap * 2, LONGEST_NAP);
    }
  return FALSE;
}

/* ---------------------------------------------------------------- signals */

static int
number_of (MprocOsSignal what)
{
  switch (what)
    {
    case MPROC_OS_INTERRUPT:
      return SIGINT;
    case MPROC_OS_TERMINATE:
      return SIGTERM;
    case MPROC_OS_KILL:
    default:
      return SIGKILL;
    }
}

/* FALSE with errno set.  A pid may belong to someone else as soon as the child is
 * reaped, by another thread of the host perhaps; a descriptor of the child does not. */
static gboolean
send_signal (const MprocOsChild *child, int number)
{
  siginfo_t unused;

#if defined(__linux__)
  if (child->handle != MPROC_OS_NONE)
    {
      if (syscall (SYS_pidfd_send_signal, (int) child->handle, number, NULL, 0) == 0)
        return TRUE;
      if (errno == ESRCH)
        return FALSE;
    }
#endif
  /* Only looks: if there is nothing to wait for, it was reaped. */
  if (waitid (P_PID, (id_t) child->pid, &unused, WEXITED | WNOHANG | WNOWAIT) != 0)
    {
      errno = ESRCH;
      return FALSE;
    }
  return kill ((pid_t) child->pid, number) == 0;
}

gboolean
mproc_os_child_signal (MprocOsChild *child, MprocOsSignal what, GError **error)
{
  if (child->ended || send_signal (child, number_of (what)) || errno == ESRCH)
    return TRUE;
  mproc_posix_set_error (error, errno, "kill");
  return FALSE;
}

void
mproc_os_child_clear (MprocOsChild *child)
{
  if (child->handle != MPROC_OS_NONE)
    close ((int) child->handle);
  child->handle = MPROC_OS_NONE;
}
