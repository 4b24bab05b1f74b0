/* SPDX-License-Identifier: MIT */
/* The process that sees to the end of names: a small one that is nobody's child, and reads from a
 * channel which names there are.  When the channel ends, the creator, who alone has the other end, has
 * ended, or has closed it: it took the guardian for dead and made another one, became another program,
 * or closed all its descriptors.  So the guardian waits for the end of the creator before it unlinks
 * what is left. */
#include "guardian.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

/* How often one that was given up looks whether there still is a name, in ms. */
#define LOOK 2000

#define LARGEST_DESCRIPTOR (1 << 20)

static _Thread_local gboolean is_forking; /* a guardian */

/* ---------------------------------------------------------------- in the guardian */

/* From here to the next bar: what runs in a copy of a program that may have had threads.
 * Nothing but system calls. */

/* What a guardian knows of whom it guards the names of. */
typedef struct
{
  int reader; /* of the channel */
  int watch;  /* readable when it has ended; -1: the guardian opens one */
  MprocOsIdentity identity;
  char title[16]; /* of the guardian, as long as the system takes it */
} Creator;

/* FALSE: that was all. */
static gboolean
read_record (int from, MprocPosixName *record)
{
  gsize done = 0;

  while (done < sizeof *record)
    {
      gssize n = read (from, (char *) record + done, sizeof *record - done);

      if (n == 0 || (n < 0 && errno != EINTR))
        return FALSE;
      done += n < 0 ? 0 : (gsize) n;
    }
  record->path[sizeof record->path - 1] = '\0';
  return TRUE;
}

/* Both included. */
static void
close_between (int first, int last)
{
  struct rlimit limit = { 0, 0 };

  if (first > last)
    return;
#if defined(__linux__) && defined(SYS_close_range)
  if (syscall (SYS_close_range, first, last, 0) == 0)
    return;
#endif
  getrlimit (RLIMIT_NOFILE, &limit);
  for (int fd = first; fd <= last && fd < (int) MIN (limit.rlim_cur, LARGEST_DESCRIPTOR);
       fd++)
    close (fd);
}

/* Of the host's nothing stays open: no terminal, no folder, no end of a pipe whose other
 * end somebody watches.  @watch may be -1. */
static void
let_go (int reader, int watch)
{
  int null = open ("/dev/null", O_RDWR);
  int low = MAX (MIN (reader, watch), STDERR_FILENO), high = MAX (reader, watch);

  for (int fd = 0; fd <= STDERR_FILENO; fd++)
    if (null < 0)
      close (fd);
    else
      (void) dup2 (null, fd);
  close_between (STDERR_FILENO + 1, low - 1);
  close_between (low + 1, high - 1);
  close_between (high + 1, G_MAXINT);
  (void) setsid ();
  (void) !chdir ("/");
}

/* Something to wait for the end of @who with; -1 if that is over, or cannot be seen. */
static int
watch_creator (const MprocOsIdentity *who)
{
  int watch = mproc_posix_watch ((pid_t) who->pid);

  if (watch >= 0 && mproc_os_is_dead (who)) /* and its number another process's */
    {
      close (watch);
      watch = -1;
    }
  return watch;
}

/* Or that of the last name. */
static void
await_end (int watch)
{
  struct pollfd poll_end = { watch, POLLIN, 0 };
  int n = 0;

  while (watch >= 0 && mproc_posix_names_count () > 0)
    {
      n = poll (&poll_end, 1, LOOK);
      if (n > 0 || (n < 0 && errno != EINTR && errno != EAGAIN))
        return;
      mproc_posix_names_forget_gone ();
    }
}

/* By the kernel: what is wrapped around the C library's functions, as sanitizers do, may want a
 * lock that another thread of the creator held when this copy was made. */
MPROC_NORETURN static void
leave (int status)
{
#if defined(__linux__)
  (void) syscall (SYS_exit_group, status);
#endif
  _exit (status);
}

/* All signals stay blocked: it ends with its creator, not before. */
MPROC_NORETURN static void
run_guardian (const Creator *creator)
{
  int watch = creator->watch;
  MprocPosixName record;

  let_go (creator->reader, watch);
  if (watch < 0)
    watch = watch_creator (&creator->identity);
#if defined(__linux__)
  (void) syscall (SYS_prctl, PR_SET_NAME, creator->title, 0, 0, 0);
#endif
  while (read_record (creator->reader, &record))
    if (!mproc_posix_names_note (&record))
      leave (1); /* the creator finds out, and makes another one */
  await_end (watch);
  mproc_posix_names_unlink ();
  leave (0);
}

/* Linux makes children that no wait () of the host's sees and no SIGCHLD tells of; and no
 * handler of the host's for forks runs in them.  All its arguments are 0, in whichever
 * order a machine takes them. */
static pid_t
fork_quietly (void)
{
#if defined(__linux__) && !defined(__sparc__)
  return (pid_t) syscall (SYS_clone, 0, 0, 0, 0, 0);
#else
  return fork ();
#endif
}

/* ---------------------------------------------------------------- making it */

#if defined(__WALL)
#define WAIT_FLAGS __WALL
#else
#define WAIT_FLAGS 0
#endif

/* In a child of the creator, whose own child the guardian is, and nobody's soon. */
MPROC_NORETURN static void
run_between (const Creator *creator)
{
  pid_t pid = fork_quietly ();

  if (pid == 0)
    run_guardian (creator);
  leave (pid < 0 ? errno : 0);
}

/* A pidfd stays what it is in the guardian, whatever becomes of the number; the queues of
 * other systems are not inherited. */
static void
describe_creator (Creator *out, int reader)
{
  out->reader = reader;
#if defined(__linux__)
  out->watch = mproc_posix_watch (getpid ());
#else
  out->watch = -1;
#endif
  mproc_os_identify (&out->identity);
  g_snprintf (out->title, sizeof out->title, "mproc:%d", (int) getpid ());
}

/* Returns an errno. */
static int
fork_guardian (const Creator *creator)
{
  sigset_t all, before;
  int status = 0;
  pid_t pid;

  sigfillset (&all);
  pthread_sigmask (SIG_SETMASK, &all, &before);
  is_forking = TRUE;
  pid = fork_quietly ();
  if (pid == 0)
    run_between (creator);
  is_forking = FALSE;
  if (pid < 0)
    status = errno;
  else
    {
      while (waitpid (pid, &status, WAIT_FLAGS) < 0)
        if (errno != EINTR)
          break; /* the host was faster, or the system reaps by itself */
      status = WIFEXITED (status) ? WEXITSTATUS (status) : EAGAIN;
    }
  pthread_sigmask (SIG_SETMASK, &before, NULL);
  return status;
}

int
mproc_posix_fork_guardian (int reader)
{
  Creator creator;
  int number;

  describe_creator (&creator, reader);
  number = fork_guardian (&creator);
  if (creator.watch >= 0)
    close (creator.watch);
  return number;
}

gboolean
mproc_posix_is_forking_guardian (void)
{
  return is_forking;
}
