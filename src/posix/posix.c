/* SPDX-License-Identifier: MIT */
#include "posix.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/syscall.h>
#elif defined(__APPLE__) || defined(__FreeBSD__) || defined(__OpenBSD__) ||              \
    defined(__NetBSD__)
#include <sys/event.h>
#include <sys/time.h>
#define HAVE_KQUEUE 1
#endif

/* pidfd_open has one number on every architecture; older C libraries do not know it. */
#if defined(__linux__) && !defined(SYS_pidfd_open)
#define SYS_pidfd_open 434
#endif

static MprocError
code_of (int number)
{
  switch (number)
    {
    case EMFILE:
    case ENFILE:
      return MPROC_ERROR_TOO_MANY_FILES;
    case ENOMEM:
    case ENOSPC:
    case EFBIG:
      return MPROC_ERROR_NO_MEMORY;
    default:
      return MPROC_ERROR_SYSTEM;
    }
}

void
mproc_posix_set_error (GError **error, int number, const char *what)
{
  g_set_error (error, MPROC_ERROR, code_of (number), "%s: %s", what, g_strerror (number));
}

gssize
mproc_posix_read_once (const char *path, char *text, gsize size)
{
  int fd = open (path, O_RDONLY | O_CLOEXEC);
  gssize length;
  int number;

  if (fd < 0)
    return -1;
  do
    length = read (fd, text, size - 1);
  while (length < 0 && errno == EINTR);
  number = length < 0 ? errno : 0;
  close (fd);

  if (length >= 0)
    text[length] = '\0';
  else
    errno = number;
  return length;
}

int
mproc_posix_above_standard (int fd)
{
  int number, moved;

  if (fd < 0 || fd > STDERR_FILENO)
    return fd;
  moved = fcntl (fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  number = errno;
  close (fd);
  errno = number;
  return moved;
}

int
mproc_posix_watch (pid_t pid)
{
#if defined(__linux__)
  return mproc_posix_above_standard ((int) syscall (SYS_pidfd_open, pid, 0));
#elif defined(HAVE_KQUEUE)
  struct kevent event;
  int number, fd = mproc_posix_above_standard (kqueue ());

  if (fd < 0)
    return -1;
  (void) fcntl (fd, F_SETFD, FD_CLOEXEC);
  EV_SET (&event, (guintptr) pid, EVFILT_PROC, EV_ADD, NOTE_EXIT, 0, NULL);
  if (kevent (fd, &event, 1, NULL, 0, NULL) == 0)
    return fd;
  number = errno;
  close (fd);
  errno = number;
  return -1;
#else
  (void) pid;
  errno = ENOSYS;
  return -1;
#endif
}
