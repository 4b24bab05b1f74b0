/* SPDX-License-Identifier: MIT */
/* GNU make's jobserver is a pipe of tokens, a byte each: one with a name, or two descriptors that a job
 * has inherited. */
#include "posix.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DOORS "/proc/"

/* Of a descriptor that is inherited by no other process its own door in /proc is left. */
static char *
name_of (const char *name)
{
  int in, out;

  if (strncmp (name, "fifo:", 5) == 0)
    return g_strdup (name + 5);
#if defined(__linux__)
  if (sscanf (name, "%d,%d", &in, &out) == 2 && in >= 0 && out >= 0)
    return g_strdup_printf (DOORS "%ld/fd/%d", (long) getpid (), in);
#else
  (void) in, (void) out;
#endif
  return NULL;
}

/* Make names the descriptors also to jobs that it has closed them for: what is there then is something
 * else. */
char *
mproc_os_jobserver_find (const char *name)
{
  char *where = name_of (name);
  struct stat about;

  if (where != NULL && stat (where, &about) == 0 && S_ISFIFO (about.st_mode))
    return where;
  g_free (where);
  return NULL;
}

/* For both directions, and by a description of our own: that it does not block is nobody else's
 * business. */
gintptr
mproc_os_jobserver_open (const char *where)
{
  struct stat about;
  int fd = mproc_posix_above_standard (open (where,
                                             O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));

  if (fd >= 0 && (fstat (fd, &about) != 0 || !S_ISFIFO (about.st_mode)))
    {
      close (fd);
      fd = -1;
    }
  return fd >= 0 ? fd : MPROC_OS_NONE;
}

char *
mproc_os_jobserver_name (gintptr jobserver, const char *where)
{
  if (strncmp (where, DOORS, strlen (DOORS)) != 0)
    return g_strdup (where);
  return g_strdup_printf (DOORS "%ld/fd/%d", (long) getpid (), (int) jobserver);
}

gint
mproc_os_jobserver_take (gintptr jobserver, gint64 deadline)
{
  struct pollfd wait = { (int) jobserver, POLLIN, 0 };
  guint8 token;

  if (mproc_posix_poll (&wait, 1, deadline) > 0 && read ((int) jobserver, &token, 1) == 1)
    return token;
  return -1;
}

/* There is room for what has been taken from it. */
void
mproc_os_jobserver_give (gintptr jobserver, guint8 token)
{
  gssize n;

  do
    n = write ((int) jobserver, &token, 1);
  while (n < 0 && errno == EINTR);
}

void
mproc_os_jobserver_close (gintptr jobserver)
{
  close ((int) jobserver);
}
