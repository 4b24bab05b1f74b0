/* SPDX-License-Identifier: MIT */
/* How a child dies with its parent.  Linux does it for us, but at the end of the
 * *thread* that started the child.  So only a child of the main thread leaves it to the
 * kernel; others, and those of other systems, have a small thread that watches the
 * parent.
 *
 * A main thread that ends by pthread_exit before its process does takes such children
 * with it; nothing can be known of that beforehand. */
#include "posix.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

#define KIND_KERNEL 0
#define KIND_THREAD 1
#define KIND_ADOPTED 2 /* a thread, too; the parent did not fork it */

/* As long as a thread that must poll sleeps. */
#define NAP 100 /* ms */

/* Room for poll () and a table of thread-local variables. */
#define STACK_SIZE (64 * 1024)

typedef struct
{
  MprocOsIdentity parent;
  gboolean is_visible; /* its pid means something here */
  int watch;           /* readable at the parent's end, or -1 */
  pid_t first_ppid;    /* 0: it says nothing of the parent */
} Lifeline;

/* How many such threads there are in process @owner.  A fork inherits no thread: under
 * another pid the count means nothing. */
static MprocAtomic64 owner;
static MprocAtomic32 threads;

guint
mproc_posix_own_threads (void)
{
  return mproc_load64 (&owner) == (guint64) getpid () ? mproc_load32 (&threads) : 0;
}

guint32
mproc_os_lifeline_kind (void)
{
#if defined(__linux__)
  return syscall (SYS_gettid) == getpid () ? KIND_KERNEL : KIND_THREAD;
#else
  return KIND_THREAD;
#endif
}

guint32
mproc_os_lifeline_kind_adopted (void)
{
  return KIND_ADOPTED;
}

static void
die (void)
{
  kill (getpid (), SIGKILL);
  /* The first process of a container cannot kill itself. */
  _exit (128 + SIGKILL);
}

/* Looks whether the parent has ended, where that cannot be waited for: a child of its
 * own has another parent then, and its number is free some time later. */
static gboolean
has_ended (const Lifeline *line)
{
  return (line->first_ppid != 0 && getppid () != line->first_ppid) ||
         mproc_os_is_dead (&line->parent) ||
         (line->is_visible && kill ((pid_t) line->parent.pid, 0) != 0 && errno == ESRCH);
}

/* The thread.  It uses nothing that another thread could have locked at a fork. */
static void *
watch_parent (void *data)
{
  Lifeline line = *(Lifeline *) data;
  struct pollfd end = { line.watch, POLLIN, 0 };

  free (data);
  for (;;)
    {
      /* Without a watch this is the nap: poll () skips a negative descriptor. */
      int ready = poll (&end, 1, line.watch < 0 ? NAP : -1);

      if (ready > 0 || (line.watch < 0 && has_ended (&line)))
        die ();
    }
  return NULL;
}

/* A thread that no signal meant for the program is delivered to. */
static gboolean
start_thread (Lifeline *line)
{
  pthread_attr_t attributes;
  pthread_t thread;
  sigset_t all, old;
  int number;

  if (pthread_attr_init (&attributes) != 0)
    return FALSE;
  pthread_attr_setdetachstate (&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize (&attributes, MAX (STACK_SIZE, PTHREAD_STACK_MIN));

  sigfillset (&all);
  pthread_sigmask (SIG_SETMASK, &all, &old);
  number = pthread_create (&thread, &attributes, watch_parent, line);
  if (number == EINVAL)
    {
      /* The program's thread-local variables need more. */
      number = pthread_create (&thread, NULL, watch_parent, line);
      if (number == 0)
        pthread_detach (thread);
    }
  pthread_sigmask (SIG_SETMASK, &old, NULL);
  pthread_attr_destroy (&attributes);
  return number == 0;
}

static void
count_thread (void)
{
  if (mproc_load64 (&owner) != (guint64) getpid ())
    {
      mproc_store32 (&threads, 0);
      mproc_store64 (&owner, (guint64) getpid ());
    }
  mproc_add32 (&threads, 1);
}

static void
die_by_thread (const MprocOsIdentity *parent, guint32 kind)
{
  Lifeline *line = malloc (sizeof *line);

  if (line == NULL)
    die ();
  line->parent = *parent;
  line->is_visible = mproc_posix_in_our_space (parent);
  line->first_ppid = kind != KIND_ADOPTED ? getppid () : 0;
  /* The watch comes first: if the parent lives after it, it is the parent that is
   * watched. */
  line->watch = line->is_visible ? mproc_posix_watch ((pid_t) parent->pid) : -1;
  if (has_ended (line))
    die ();
  count_thread ();
  /* A daemon that might outlive its parent must not run. */
  if (!start_thread (line))
    die ();
}

void
mproc_os_die_with (const MprocOsIdentity *parent, guint32 lifeline_kind)
{
#if defined(__linux__)
  if (lifeline_kind == KIND_KERNEL && prctl (PR_SET_PDEATHSIG, SIGKILL) == 0)
    {
      /* Too late if we have another parent by now.  In another pid namespace its number
       * would be 0 or that of someone else. */
      if (mproc_posix_in_our_space (parent) && getppid () != parent->pid)
        die ();
      return;
    }
#endif
  die_by_thread (parent, lifeline_kind);
}
