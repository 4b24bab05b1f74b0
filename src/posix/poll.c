/* SPDX-License-Identifier: MIT */
#include "posix.h"

#include <errno.h>
#include <time.h>

#define POLLS_ON_STACK 64

/* One poll for @left microseconds, for ever if that is negative. */
static int
poll_once (struct pollfd *polls, nfds_t n, gint64 left)
{
#if defined(__linux__) || defined(__FreeBSD__)
  struct timespec time = { (time_t) (left / G_USEC_PER_SEC),
                           (long) (left % G_USEC_PER_SEC) * 1000 };

  return ppoll (polls, n, left < 0 ? NULL : &time, NULL);
#else
  return poll (polls, n, left < 0 ? -1 : (int) MIN ((left + 999) / 1000, G_MAXINT));
#endif
}

/* One look at the clock, which goes on between two: less than nothing would be for ever. */
static gint64
time_left (gint64 deadline)
{
  gint64 left;

  if (deadline == MPROC_OS_NEVER)
    return -1;
  left = deadline - g_get_monotonic_time ();
  return MAX (left, 0);
}

int
mproc_posix_poll (struct pollfd *polls, nfds_t n, gint64 deadline)
{
  for (;;)
    {
      gint64 left = time_left (deadline);
      int ready = poll_once (polls, n, left);

      if (ready > 0 || (ready < 0 && errno != EINTR && errno != EAGAIN))
        return ready;
      if (left == 0)
        return 0;
    }
}

/* Marks what is ready and counts it.  A descriptor that is none is a mistake of the
 * caller, for which waiting would never end. */
static gint
collect (MprocOsWait *waits, const struct pollfd *polls, guint n, GError **error)
{
  gint ready = 0;
  guint i;

  for (i = 0; i < n; i++)
    if ((polls[i].revents & POLLNVAL) != 0)
      {
        mproc_posix_set_error (error, EBADF, "poll");
        return -1;
      }
  for (i = 0; i < n; i++)
    {
      waits[i].ready = polls[i].revents != 0;
      if (waits[i].ready)
        ready++;
    }
  return ready;
}

gint
mproc_os_wait_many (MprocOsWait *waits, guint n, gint64 deadline, GError **error)
{
  struct pollfd few[POLLS_ON_STACK];
  struct pollfd *polls = n <= POLLS_ON_STACK ? few : g_new (struct pollfd, n);
  gint result;
  guint i;

  for (i = 0; i < n; i++)
    {
      polls[i].fd = (int) waits[i].handle;
      polls[i].events = POLLIN;
      polls[i].revents = 0;
    }
  result = mproc_posix_poll (polls, n, deadline);
  if (result < 0)
    mproc_posix_set_error (error, errno, "poll");
  else
    result = collect (waits, polls, n, error);

  if (polls != few)
    g_free (polls);
  return result;
}

gboolean
mproc_os_can_poll (MprocOsWaitKind kind)
{
  (void) kind;
  return TRUE;
}
