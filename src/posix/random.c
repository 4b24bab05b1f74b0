/* SPDX-License-Identifier: MIT */
#include "posix.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#if defined(__linux__) || defined(__APPLE__)
#include <sys/random.h>
#endif

/* What the system gives in one call: the largest piece that getentropy takes. */
#define PIECE 256

/* Returns how much it filled, -1 with errno set. */
static gssize
fill_some (guint8 *buffer, gsize size)
{
#if defined(__linux__)
  return getrandom (buffer, MIN (size, PIECE), 0);
#else
  gsize piece = MIN (size, PIECE);

  return getentropy (buffer, piece) == 0 ? (gssize) piece : -1;
#endif
}

/* For a kernel or a sandbox that refuses the system call. */
static void
fill_from_device (guint8 *buffer, gsize size)
{
  int fd = open ("/dev/urandom", O_RDONLY | O_CLOEXEC);

  while (fd >= 0 && size > 0)
    {
      gssize n = read (fd, buffer, size);

      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        break;
      buffer += n;
      size -= (gsize) n;
    }
  if (size > 0)
    g_error ("random: %s", g_strerror (errno));
  close (fd);
}

void
mproc_os_random (gpointer buffer, gsize size)
{
  guint8 *at = buffer;

  while (size > 0)
    {
      gssize n = fill_some (at, size);

      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        {
          fill_from_device (at, size);
          return;
        }
      at += n;
      size -= (gsize) n;
    }
}
