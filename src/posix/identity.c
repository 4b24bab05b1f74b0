/* SPDX-License-Identifier: MIT */
/* Who a process is, and whether it lives. */
#include "posix.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#if defined(__linux__)
#include <time.h>
#elif defined(__APPLE__) || defined(__FreeBSD__)
#include <sys/sysctl.h>
#endif
#if defined(__FreeBSD__)
#include <sys/user.h>
#endif

/* Enough for /proc/PID/stat: some fifty numbers and a name of at most 64 bytes. */
#define STAT_SIZE 2048

/* The fields of /proc/PID/stat, counted from 1. */
#define STAT_THREADS 20
#define STAT_START_TIME 22

#if defined(__linux__)
/* What only forked children call is bound when the program is loaded: by way of the
 * linker's lazy tables every child would look the names up anew, which takes longer
 * than the calls. */
static pid_t (*volatile const get_parent) (void) = getppid;
static int (*volatile const get_time) (clockid_t, struct timespec *) = clock_gettime;

/* The pid namespace, once known.  A fork inherits it and almost always lives in it too. */
static MprocAtomic64 own_space;

/* 0: /proc has not been compared with the clock yet, or goes by another one. */
static guint64 ticks_per_second;

/* By hand, in this file: the first thing that a forked child does is to read its own
 * line, and every page of the C library and of GLib that it touches for the first time
 * costs it more than the reading. */
static guint64
parse_number (const char *text)
{
  guint64 number = 0;

  while (*text == ' ')
    text++;
  for (; *text >= '0' && *text <= '9'; text++)
    number = number * 10 + (guint64) (*text - '0');
  return number;
}

/* Field @wanted, after the name, which may contain anything. */
static guint64
stat_field (const char *text, guint wanted)
{
  const char *at = NULL;
  guint field = 2;

  for (; *text != '\0'; text++)
    if (*text == ')')
      at = text;
  while (at != NULL && field < wanted)
    {
      for (at++; *at != ' ' && *at != '\0';)
        at++;
      if (*at == '\0')
        return 0;
      field++;
    }
  return at == NULL ? 0 : parse_number (at);
}

static guint64
find_space (void)
{
  struct stat about;
  guint64 space = stat ("/proc/self/ns/pid", &about) == 0 ? (guint64) about.st_ino : 0;

  mproc_store64 (&own_space, space);
  return space;
}

static guint64
space_of_this_process (void)
{
  guint64 space = mproc_load64 (&own_space);

  return space != 0 ? space : find_space ();
}

/* Reads our line.  FALSE if there is none, or if it bears another number than ours: then
 * /proc belongs to another pid namespace, and what it says of any other pid is of someone
 * else. */
static gboolean
read_own_stat (char *text)
{
  return mproc_posix_read_once ("/proc/self/stat", text, STAT_SIZE) > 0 &&
         parse_number (text) == (guint64) getpid ();
}

static gboolean
can_tell_start_times (void)
{
  char text[STAT_SIZE];

  return read_own_stat (text);
}

/* 0 if it cannot be told. */
static guint64
start_time_of (gint64 pid)
{
  char path[40], text[STAT_SIZE];

  g_snprintf (path, sizeof path, "/proc/%" G_GINT64_FORMAT "/stat", pid);
  if (mproc_posix_read_once (path, text, sizeof text) <= 0)
    return 0;
  return stat_field (text, STAT_START_TIME);
}

/* Whether the process that started then is another one than @who, who has had the same
 * number. */
static gboolean
is_another (guint64 start_time, const MprocOsIdentity *who)
{
  return start_time > who->start_time;
}

/* Boot time in the unit of /proc, counted as /proc counts it. */
static guint64
read_clock (void)
{
  struct timespec now;

  if (ticks_per_second == 0 || get_time (CLOCK_BOOTTIME, &now) != 0)
    return 0;
  return (guint64) now.tv_sec * ticks_per_second +
         (guint64) now.tv_nsec / (G_GUINT64_CONSTANT (1000000000) / ticks_per_second);
}

/* What a process of an image of its own knows of itself; whether /proc goes by our
 * clock is found out on the way. */
static void
identify_by_proc (MprocOsIdentity *out)
{
  char text[STAT_SIZE];
  long ticks = sysconf (_SC_CLK_TCK);

  if (read_own_stat (text))
    {
      out->start_time = stat_field (text, STAT_START_TIME);
      out->space = space_of_this_process ();
      ticks_per_second = ticks > 0 ? (guint64) ticks : 0;
      if (out->start_time == 0 || out->start_time > read_clock ())
        ticks_per_second = 0;
    }
  else
    {
      /* Perhaps the host unshared the namespace before it forked us. */
      out->start_time = 0;
      out->space = find_space ();
    }
}

/* A forked child does without /proc, where a first look at a new process costs a fifth
 * of what its whole life does: it takes the time of now, which is later than its start,
 * and earlier than that of any other process that gets its number.  One without a
 * parent that it can see is the first of another pid namespace. */
void
mproc_os_identify (MprocOsIdentity *out)
{
  guint64 space = mproc_load64 (&own_space);
  guint64 now = space != 0 && get_parent () != 0 ? read_clock () : 0;

  out->pid = getpid ();
  out->start_time = now;
  out->space = space;
  if (now == 0)
    identify_by_proc (out);
}

guint
mproc_os_thread_count (void)
{
  char text[STAT_SIZE];
  guint count, ours = mproc_posix_own_threads ();
  struct stat about;

  /* The folder of the threads has a link for each besides the usual two: a quarter of
   * what reading the number costs. */
  if (stat ("/proc/self/task", &about) == 0 && about.st_nlink > 2)
    count = (guint) about.st_nlink - 2;
  else if (mproc_posix_read_once ("/proc/self/stat", text, sizeof text) > 0)
    count = (guint) stat_field (text, STAT_THREADS);
  else
    return 0;
  return count > ours ? count - ours : count;
}

#else

static guint64
space_of_this_process (void)
{
  return 1;
}

static gboolean
can_tell_start_times (void)
{
  return TRUE;
}

static guint64
start_time_of (gint64 pid)
{
#if defined(__APPLE__) || defined(__FreeBSD__)
  int name[4] = { CTL_KERN, KERN_PROC, KERN_PROC_PID, (int) pid };
  struct kinfo_proc about;
  size_t length = sizeof about;
  struct timeval start;

  if (sysctl (name, 4, &about, &length, NULL, 0) != 0 || length != sizeof about)
    return 0;
#if defined(__APPLE__)
  start = about.kp_proc.p_starttime;
#else
  start = about.ki_start;
#endif
  return (guint64) start.tv_sec * G_USEC_PER_SEC + (guint64) start.tv_usec;
#else
  (void) pid;
  return 0;
#endif
}

static gboolean
is_another (guint64 start_time, const MprocOsIdentity *who)
{
  return start_time != who->start_time;
}

void
mproc_os_identify (MprocOsIdentity *out)
{
  out->pid = getpid ();
  out->start_time = start_time_of (out->pid);
  out->space = space_of_this_process ();
}

guint
mproc_os_thread_count (void)
{
  return 0;
}

#endif

/* Space 0 is that of a process that could not look: it might be any. */
gboolean
mproc_posix_in_our_space (const MprocOsIdentity *who)
{
  return who->pid > 0 && who->space != 0 && who->space == space_of_this_process ();
}

gboolean
mproc_os_is_dead (const MprocOsIdentity *who)
{
  int watch;
  guint64 start_time;
  struct pollfd poll = { -1, POLLIN, 0 };
  gboolean dead;

  if (!mproc_posix_in_our_space (who))
    return FALSE;

  /* The order matters: what is watched cannot be replaced any more by the time that we
   * look at its start. */
  watch = mproc_posix_watch ((pid_t) who->pid);
  if (watch < 0 && errno == ESRCH)
    return TRUE;
  /* Nothing to watch with: then only that nobody has the number is certain. */
  if (watch < 0 && (errno == ENOSYS || errno == EPERM))
    return kill ((pid_t) who->pid, 0) != 0 && errno == ESRCH;
  /* Older kernels say EINVAL, newer ones ENOENT, where the number still names a thread
   * or a process group, but no process. */
  if (watch < 0 && errno != EINVAL && errno != ENOENT)
    return FALSE;

  start_time = start_time_of (who->pid);
  if (watch < 0)
    return (start_time == 0 || is_another (start_time, who)) && can_tell_start_times ();

  poll.fd = watch;
  dead = mproc_posix_poll (&poll, 1, 0) > 0;
  if (!dead && start_time != 0 && who->start_time != 0 && is_another (start_time, who))
    dead = can_tell_start_times ();
  close (watch);
  return dead;
}

int
mproc_posix_watch_same (const MprocOsIdentity *who)
{
  int watch = mproc_posix_watch ((pid_t) who->pid);
  guint64 start_time = watch >= 0 ? start_time_of (who->pid) : 0;

  /* Only now: whoever has the number from here on is not who is watched. */
  if (start_time == 0 || who->start_time == 0 || !is_another (start_time, who) ||
      !can_tell_start_times ())
    return watch;
  close (watch);
  errno = ESRCH;
  return -1;
}
