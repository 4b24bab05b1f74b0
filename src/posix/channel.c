/* SPDX-License-Identifier: MIT */
/* A channel is a connected stream socket.  Its file description is shared with every
 * process that inherited it, so O_NONBLOCK and shutdown () are not ours to use on a
 * channel that has been handed out: each call says for itself that it must not block. */
#include "posix.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 /* SO_NOSIGPIPE stands in */
#endif

static gboolean
make_pair (int *fds)
{
#ifdef SOCK_CLOEXEC
  return socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0;
#else
  if (socketpair (AF_UNIX, SOCK_STREAM, 0, fds) != 0)
    return FALSE;
  (void) fcntl (fds[0], F_SETFD, FD_CLOEXEC);
  (void) fcntl (fds[1], F_SETFD, FD_CLOEXEC);
  return TRUE;
#endif
}

/* Without signals for a closed peer where that is a property of the socket. */
static void
prepare (int fd)
{
#ifdef SO_NOSIGPIPE
  int on = 1;

  (void) setsockopt (fd, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
#else
  (void) fd;
#endif
}

gboolean
mproc_os_channel_pair (gboolean duplex, gintptr *a, gintptr *b, GError **error)
{
  int fds[2];

  if (!make_pair (fds))
    {
      mproc_posix_set_error (error, errno, "socketpair");
      return FALSE;
    }
  fds[0] = mproc_posix_above_standard (fds[0]);
  fds[1] = mproc_posix_above_standard (fds[1]);
  if (fds[0] < 0 || fds[1] < 0)
    {
      mproc_posix_set_error (error, errno, "socketpair");
      mproc_os_channel_close (fds[0]);
      mproc_os_channel_close (fds[1]);
      return FALSE;
    }

  prepare (fds[0]);
  prepare (fds[1]);
  if (!duplex)
    {
      (void) shutdown (fds[0], SHUT_WR);
      (void) shutdown (fds[1], SHUT_RD);
    }
  *a = fds[0];
  *b = fds[1];
  return TRUE;
}

/* After a call that could not go on: waits until it can.  FALSE with error. */
static gboolean
wait_for (gintptr channel,
          short events,
          gint64 deadline,
          const char *what,
          GError **error)
{
  struct pollfd poll = { (int) channel, events, 0 };
  int ready = mproc_posix_poll (&poll, 1, deadline);

  if (ready < 0)
    mproc_posix_set_error (error, errno, what);
  else if (ready == 0)
    g_set_error (error, MPROC_ERROR, MPROC_ERROR_TIMED_OUT, "%s: the time was up", what);
  return ready > 0;
}

/* Without a deadline the call itself may sleep, which saves two others.  Only the first
 * time: the socket of someone else may be in non-blocking mode. */
static int
first_flags (gint64 deadline)
{
  return deadline == MPROC_OS_NEVER ? 0 : MSG_DONTWAIT;
}

gssize
mproc_os_channel_read (gintptr channel,
                       gpointer buffer,
                       gsize size,
                       gint64 deadline,
                       GError **error)
{
  int flags = first_flags (deadline);

  for (;;)
    {
      gssize n = recv ((int) channel, buffer, size, flags);

      if (n >= 0)
        return n;
      /* The peer closed before it had read all: for us that is its end and no more. */
      if (errno == ECONNRESET)
        return 0;
      if (errno == EINTR)
        continue;
      if (errno != EAGAIN && errno != EWOULDBLOCK)
        {
          mproc_posix_set_error (error, errno, "read");
          return -1;
        }
      if (!wait_for (channel, POLLIN, deadline, "read", error))
        return -1;
      flags = MSG_DONTWAIT;
    }
}

gssize
mproc_os_channel_write (gintptr channel,
                        gconstpointer buffer,
                        gsize size,
                        gint64 deadline,
                        GError **error)
{
  int flags = first_flags (deadline);

  for (;;)
    {
      gssize n = send ((int) channel, buffer, size, flags | MSG_NOSIGNAL);

      if (n >= 0)
        return n;
      if (errno == EINTR)
        continue;
      if (errno == EPIPE || errno == ECONNRESET)
        {
          g_set_error (error, MPROC_ERROR, MPROC_ERROR_CLOSED, "write: %s",
                       g_strerror (errno));
          return -1;
        }
      if (errno != EAGAIN && errno != EWOULDBLOCK)
        {
          mproc_posix_set_error (error, errno, "write");
          return -1;
        }
      if (!wait_for (channel, POLLOUT, deadline, "write", error))
        return -1;
      flags = MSG_DONTWAIT;
    }
}

gssize
mproc_os_channel_write_until (gintptr channel,
                              gconstpointer buffer,
                              gsize size,
                              const MprocAtomic32 *stop,
                              GError **error)
{
  while (mproc_load32 (stop) == 0)
    {
      gint64 deadline = g_get_monotonic_time () + G_USEC_PER_SEC / 10;
      GError *local_error = NULL;
      gssize n = mproc_os_channel_write (channel, buffer, size, deadline, &local_error);

      if (n >= 0)
        return n;
      if (!g_error_matches (local_error, MPROC_ERROR, MPROC_ERROR_TIMED_OUT))
        {
          g_propagate_error (error, local_error);
          return -1;
        }
      g_error_free (local_error);
    }
  g_set_error (error, MPROC_ERROR, MPROC_ERROR_CLOSED, "write: %s", g_strerror (EBADF));
  return -1;
}

gintptr
mproc_os_channel_dup (gintptr channel, GError **error)
{
  int fd = fcntl ((int) channel, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

  if (fd < 0)
    {
      mproc_posix_set_error (error, errno, "dup");
      return MPROC_OS_NONE;
    }
  return fd;
}

/* Wakes nobody here: what would, shutdown (), cuts off the other processes that inherited
 * this end. */
void
mproc_os_channel_close (gintptr channel)
{
  if (channel >= 0)
    close ((int) channel);
}

void
mproc_os_channel_adopt (gintptr channel)
{
  (void) fcntl ((int) channel, F_SETFD, FD_CLOEXEC);
}
