/* SPDX-License-Identifier: MIT */
#include "posix.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__linux__)
#include <stdio_ext.h>
#include <sys/auxv.h>
#elif defined(__APPLE__)
#include <sys/sysctl.h>
#elif defined(__FreeBSD__)
#include <sys/sysctl.h>
#include <sys/user.h>
#endif

/* Enough for /proc/PID/stat: some fifty numbers and a name of at most 64 bytes. */
#define STAT_SIZE 2048

/* The fields of /proc/PID/stat, counted from 1. */
#define STAT_THREADS 20
#define STAT_START_TIME 22

/* What only forked children call is bound when the program is loaded: by way of the
 * linker's lazy tables every child would look the names up anew, which takes longer
 * than the calls. */
static void (*volatile const exit_now) (int) = _exit;
#if defined(__linux__) && defined(__GLIBC__)
static void (*volatile const purge) (FILE *) = __fpurge;
#elif defined(__linux__)
static int (*volatile const purge) (FILE *) = __fpurge;
#elif defined(__APPLE__) || defined(__FreeBSD__)
static int (*volatile const purge) (FILE *) = fpurge;
#endif
#if defined(__linux__)
static pid_t (*volatile const get_parent) (void) = getppid;
static int (*volatile const get_time) (clockid_t, struct timespec *) = clock_gettime;
#endif

/* ---------------------------------------------------------------- who a process is */

#if defined(__linux__)

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

gint64
mproc_os_pid (void)
{
  return getpid ();
}

gboolean
mproc_os_is_child_of (gint64 pid)
{
  return getppid () == pid;
}

gpointer
mproc_os_wiped_page (void)
{
#if defined(MADV_WIPEONFORK)
  gsize size = mproc_os_page_size ();
  void *page =
      mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  if (page == MAP_FAILED)
    return NULL;
  if (madvise (page, size, MADV_WIPEONFORK) == 0)
    return page;
  munmap (page, size);
#endif
  return NULL;
}

gboolean
mproc_os_is_elevated (void)
{
#if defined(__linux__)
  return getauxval (AT_SECURE) != 0;
#elif defined(__APPLE__) || defined(__FreeBSD__) || defined(__OpenBSD__)
  return issetugid () != 0;
#else
  return getuid () != geteuid () || getgid () != getegid ();
#endif
}

/* ---------------------------------------------------------------- the process itself */

void
mproc_os_at_fork (void (*prepare) (void), void (*parent) (void), void (*child) (void))
{
  if (pthread_atfork (prepare, parent, child) != 0)
    g_error ("pthread_atfork: %s", g_strerror (ENOMEM));
}

void
mproc_os_close_stdin (void)
{
  int fd;

  /* The lowest number that is free, which is this one. */
  close (STDIN_FILENO);
  fd = open ("/dev/null", O_RDONLY);
  if (fd > STDIN_FILENO)
    {
      (void) dup2 (fd, STDIN_FILENO);
      close (fd);
    }
    /* What the parent had read ahead is not ours to read either. */
#if defined(__linux__) || defined(__APPLE__) || defined(__FreeBSD__)
  (void) purge (stdin);
#endif
}

/* A stream is a page or two that a fork has to copy. */
static void
flush (FILE *stream)
{
#if defined(__linux__)
  if (__fpending (stream) == 0)
    return;
#endif
  fflush (stream);
}

void
mproc_os_flush_output (void)
{
  flush (stdout);
  flush (stderr);
}

void
mproc_os_exit (gint code)
{
  exit_now (code);
  abort ();
}

void
mproc_os_kill_self (void)
{
  kill (getpid (), SIGKILL);
  abort ();
}

/* ---------------------------------------------------------------- signals */

/* Signals are numbered from 1; no system has more.  Numbers that are none are refused. */
#define SIGNALS 129

static struct
{
  gboolean is_saved;
  sigset_t mask;
  struct sigaction actions[SIGNALS];
} before;

static void
set_aside_signals (void)
{
  struct sigaction action;
  sigset_t none;
  int i;

  sigemptyset (&none);
  memset (&action, 0, sizeof action);
  sigemptyset (&action.sa_mask);
  for (i = 1; i < SIGNALS; i++)
    {
      action.sa_handler = i == SIGINT ? SIG_IGN : SIG_DFL;
      /* What the C library keeps for itself it refuses, which is right. */
      if (sigaction (i, NULL, &before.actions[i]) != 0 ||
          sigaction (i, &action, NULL) != 0)
        before.actions[i].sa_handler = SIG_ERR;
    }
  /* Only now, so that nothing that waited runs a handler of the program's. */
  pthread_sigmask (SIG_SETMASK, &none, &before.mask);
  before.is_saved = TRUE;
}

static void
put_back_signals (void)
{
  int i;

  pthread_sigmask (SIG_SETMASK, &before.mask, NULL);
  for (i = 1; i < SIGNALS; i++)
    if (before.actions[i].sa_handler != SIG_ERR)
      sigaction (i, &before.actions[i], NULL);
  before.is_saved = FALSE;
}

void
mproc_os_ignore_interrupt (gboolean ignore)
{
  if (ignore && !before.is_saved)
    set_aside_signals ();
  else if (!ignore && before.is_saved)
    put_back_signals ();
}

/* First ignored, which drops one that waits; then no longer blocked, as the starter may
 * have left it. */
void
mproc_os_refuse_interrupt (void)
{
  struct sigaction action;
  sigset_t interrupt;

  memset (&action, 0, sizeof action);
  action.sa_handler = SIG_IGN;
  sigemptyset (&action.sa_mask);
  sigaction (SIGINT, &action, NULL);
  sigemptyset (&interrupt);
  sigaddset (&interrupt, SIGINT);
  pthread_sigmask (SIG_UNBLOCK, &interrupt, NULL);
}

const char *
mproc_os_signal_name (gint number)
{
  static const struct
  {
    int number;
    const char *name;
  } names[] = {
#define NAME(signal) { signal, #signal }
    NAME (SIGHUP),    NAME (SIGINT),  NAME (SIGQUIT), NAME (SIGILL),  NAME (SIGTRAP),
    NAME (SIGABRT),   NAME (SIGBUS),  NAME (SIGFPE),  NAME (SIGKILL), NAME (SIGUSR1),
    NAME (SIGSEGV),   NAME (SIGUSR2), NAME (SIGPIPE), NAME (SIGALRM), NAME (SIGTERM),
    NAME (SIGCHLD),   NAME (SIGCONT), NAME (SIGSTOP), NAME (SIGTSTP), NAME (SIGTTIN),
    NAME (SIGTTOU),   NAME (SIGURG),  NAME (SIGXCPU), NAME (SIGXFSZ), NAME (SIGVTALRM),
    NAME (SIGPROF),   NAME (SIGSYS),
#ifdef SIGWINCH
    NAME (SIGWINCH),
#endif
#ifdef SIGIO
    NAME (SIGIO),
#endif
#ifdef SIGPWR
    NAME (SIGPWR),
#endif
#ifdef SIGSTKFLT
    NAME (SIGSTKFLT),
#endif
#undef NAME
  };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (names); i++)
    if (names[i].number == number)
      return names[i].name;
  return NULL;
}
