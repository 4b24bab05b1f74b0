/* SPDX-License-Identifier: MIT */
/* Messages that take descriptors along. */
#include "posix.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0
#endif

#if !defined(MSG_CMSG_CLOEXEC)
#define MSG_CMSG_CLOEXEC 0 /* the descriptors are marked one by one then */
#endif

typedef union
{
  struct cmsghdr head; /* for its alignment */
  char bytes[CMSG_SPACE (sizeof (int) * MPROC_OS_MOST_PASSED)];
} Ancillary;

static void
pack_handles (struct msghdr *message, Ancillary *room, const gintptr *handles, guint n)
{
  int fds[MPROC_OS_MOST_PASSED];
  struct cmsghdr *head;

  if (n == 0)
    return;
  for (guint i = 0; i < n; i++)
    fds[i] = (int) handles[i];
  memset (room, 0, sizeof *room);
  message->msg_control = room->bytes;
  message->msg_controllen = CMSG_SPACE (sizeof (int) * n);
  head = CMSG_FIRSTHDR (message);
  head->cmsg_level = SOL_SOCKET;
  head->cmsg_type = SCM_RIGHTS;
  head->cmsg_len = CMSG_LEN (sizeof (int) * n);
  memcpy (CMSG_DATA (head), fds, sizeof (int) * n);
}

/* The descriptors go with the first bytes that are taken. */
static gssize
send_once (gintptr channel, struct msghdr *message, gint64 deadline, GError **error)
{
  for (;;)
    {
      struct pollfd poll = { (int) channel, POLLOUT, 0 };
      gssize sent = sendmsg ((int) channel, message, MSG_DONTWAIT | MSG_NOSIGNAL);

      if (sent >= 0)
        return sent;
      if (errno == EINTR)
        continue;
      if (errno == EPIPE || errno == ECONNRESET)
        {
          g_set_error (error, MPROC_ERROR, MPROC_ERROR_CLOSED, "sendmsg: %s",
                       g_strerror (errno));
          return -1;
        }
      if (errno != EAGAIN && errno != EWOULDBLOCK)
        {
          mproc_posix_set_error (error, errno, "sendmsg");
          return -1;
        }
      if (mproc_posix_poll (&poll, 1, deadline) == 0)
        {
          g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_TIMED_OUT,
                               "sendmsg: the time was up");
          return -1;
        }
    }
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
  const char *at = data;
  Ancillary room;

  g_assert (n <= MPROC_OS_MOST_PASSED);
  while (size > 0)
    {
      struct iovec piece = { (void *) (guintptr) at, size };
      struct msghdr message = { 0 };
      gssize sent;

      message.msg_iov = &piece;
      message.msg_iovlen = 1;
      pack_handles (&message, &room, handles, n);
      sent = send_once (channel, &message, deadline, error);
      if (sent < 0)
        return FALSE;
      n = sent > 0 ? 0 : n;
      at += sent;
      size -= (gsize) sent;
    }
  return TRUE;
}

static void
unpack_handles (struct msghdr *message, gintptr *handles, guint *n)
{
  for (struct cmsghdr *head = CMSG_FIRSTHDR (message); head != NULL;
       head = CMSG_NXTHDR (message, head))
    {
      guint count = (guint) ((head->cmsg_len - CMSG_LEN (0)) / sizeof (int));

      if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS)
        continue;
      for (guint i = 0; i < count; i++)
        {
          int fd;

          memcpy (&fd, CMSG_DATA (head) + i * sizeof fd, sizeof fd);
          (void) fcntl (fd, F_SETFD, FD_CLOEXEC);
          if (*n < MPROC_OS_MOST_PASSED)
            handles[(*n)++] = fd;
          else
            close (fd);
        }
    }
}

gboolean
mproc_os_channel_take (gintptr channel,
                       gpointer data,
                       gsize size,
                       gintptr *handles,
                       guint *n,
                       GError **error)
{
  char *at = data;
  Ancillary room;

  *n = 0;
  while (size > 0)
    {
      struct iovec piece = { at, size };
      struct msghdr message = { 0 };
      gssize got;

      message.msg_iov = &piece;
      message.msg_iovlen = 1;
      message.msg_control = room.bytes;
      message.msg_controllen = sizeof room.bytes;
      got = recvmsg ((int) channel, &message, MSG_CMSG_CLOEXEC);
      if (got < 0 && errno == EINTR)
        continue;
      if (got < 0 && errno != ECONNRESET)
        mproc_posix_set_error (error, errno, "recvmsg");
      else if (got <= 0)
        g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_CLOSED,
                             "recvmsg: the other end is closed");
      if (got <= 0)
        break;
      unpack_handles (&message, handles, n);
      at += got;
      size -= (gsize) got;
    }
  if (size == 0)
    return TRUE;
  for (guint i = 0; i < *n; i++)
    mproc_os_channel_close (handles[i]);
  *n = 0;
  return FALSE;
}
