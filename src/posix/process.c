/* SPDX-License-Identifier: MIT */
/* The process itself. */
#include "posix.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__linux__)
#include <stdio_ext.h>
#include <sys/auxv.h>
#endif

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
