/* SPDX-License-Identifier: MIT */
/* A helper process forks children for another one.  It belongs to the library alone, so
 * that it may handle SIGCHLD, and may wait for any child. */
#include "posix.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0
#endif

static struct
{
  gintptr reader;
  gintptr writer;
  sigset_t mask;
  struct sigaction interrupt;
  struct sigaction child;
} before;

/* One byte that has not been read is enough: it does not matter if there is no room. */
static void
note_child (int number)
{
  int saved = errno;

  (void) number;
  (void) send ((int) before.writer, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
  errno = saved;
}

gintptr
mproc_os_children_sentinel (GError **error)
{
  struct sigaction action;
  sigset_t child;

  if (!mproc_os_channel_pair (FALSE, &before.reader, &before.writer, error))
    return MPROC_OS_NONE;
  memset (&action, 0, sizeof action);
  sigemptyset (&action.sa_mask);
  action.sa_handler = SIG_IGN;
  sigaction (SIGINT, &action, &before.interrupt);
  action.sa_handler = note_child;
  action.sa_flags = SA_RESTART | SA_NOCLDSTOP;
  sigaction (SIGCHLD, &action, &before.child);
  sigemptyset (&child);
  sigaddset (&child, SIGCHLD);
  pthread_sigmask (SIG_UNBLOCK, &child, &before.mask);
  return before.reader;
}

static pid_t
wait_for_any (int *status)
{
  pid_t pid;

  do
    pid = waitpid (-1, status, WNOHANG);
  while (pid < 0 && errno == EINTR);
  return pid;
}

static void
drain (void)
{
  char bytes[64];

  while (recv ((int) before.reader, bytes, sizeof bytes, MSG_DONTWAIT) > 0)
    continue;
}

gboolean
mproc_os_reap_any (gint64 *pid, gint *exit_code)
{
  int status = 0;
  pid_t child = wait_for_any (&status);

  /* The note is taken away before the last look: who ends after it leaves another. */
  if (child <= 0)
    {
      drain ();
      child = wait_for_any (&status);
    }
  if (child <= 0)
    return FALSE;
  *pid = child;
  *exit_code = WIFSIGNALED (status) ? -WTERMSIG (status) : WEXITSTATUS (status);
  return TRUE;
}

void
mproc_os_leave_helper (void)
{
  sigaction (SIGCHLD, &before.child, NULL);
  sigaction (SIGINT, &before.interrupt, NULL);
  pthread_sigmask (SIG_SETMASK, &before.mask, NULL);
  mproc_os_channel_close (before.reader);
  mproc_os_channel_close (before.writer);
}
