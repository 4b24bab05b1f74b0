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
#if defined(__linux__)
  return TRUE;
#else
  return FALSE;
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
  child->is_adopted = FALSE;
  return 1;
}

void
mproc_os_child_adopt (const MprocOsIdentity *who, MprocOsChild *child)
{
  child->pid = who->pid;
  child->handle = MPROC_OS_NONE;
  child->ended = FALSE;
  child->exit_code = MPROC_OS_EXIT_UNKNOWN;
  child->is_adopted = TRUE;
  child->start_time = who->start_time;
  child->space = who->space;
}

static MprocOsIdentity
identity_of (const MprocOsChild *child)
{
  return (MprocOsIdentity){ child->pid, child->start_time, child->space };
}

/* Its number is its own as long as we have not reaped it, but for one that somebody else
 * reaps.  -1 with errno set. */
static int
watch (const MprocOsChild *child)
{
  MprocOsIdentity who = identity_of (child);

  return child->is_adopted ? mproc_posix_watch_same (&who)
                           : mproc_posix_watch ((pid_t) child->pid);
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
    fd = watch (child);
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

#if defined(__linux__)
static gboolean
send_by_descriptor (int fd, int number)
{
  return syscall (SYS_pidfd_send_signal, fd, number, NULL, 0) == 0;
}
#endif

/* FALSE with errno set.  Without descriptors of processes the number is all there is, and
 * could become another's between the look and the deed. */
static gboolean
send_to_adopted (const MprocOsChild *child, int number)
{
  MprocOsIdentity who = identity_of (child);
#if defined(__linux__)
  int fd = child->handle != MPROC_OS_NONE ? -1 : watch (child);
  gboolean sent;
  int reason;

  if (fd >= 0)
    {
      sent = send_by_descriptor (fd, number);
      reason = errno;
      close (fd);
      errno = reason;
      if (sent || errno == ESRCH)
        return sent;
    }
#endif
  if (!mproc_os_is_dead (&who))
    return kill ((pid_t) child->pid, number) == 0;
  errno = ESRCH;
  return FALSE;
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
      if (send_by_descriptor ((int) child->handle, number))
        return TRUE;
      if (errno == ESRCH)
        return FALSE;
    }
#endif
  if (child->is_adopted)
    return send_to_adopted (child, number);
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
