/* SPDX-License-Identifier: MIT */
/* Names in the system that go when the process that made them has ended, however it ended.
 *
 * A guardian, a small process that is nobody's child, reads from a channel which names
 * there are.  When the channel ends, the creator, who alone has the other end, has ended,
 * or has closed it: it took the guardian for dead and made another one, became another
 * program, or closed all its descriptors.  So the guardian waits for the end of the creator
 * before it unlinks what is left.  It is made with the first name and ends with the last.
 * It starts as a copy of the creator, whose table of names it so inherits; from then on
 * each is sent the same records.
 *
 * What remains: both killed together leave the names behind, and so does the end of a
 * whole pid namespace. */
#include "posix.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

/* A guardian that does not read for so long is taken for dead. */
#define PATIENCE (2 * G_USEC_PER_SEC)

/* How often one that was given up looks whether there still is a name, in ms. */
#define LOOK 2000

#define LARGEST_DESCRIPTOR (1 << 20)

/* A name, and the record that tells of it: it is there (again); without a text: it is
 * gone. */
typedef struct
{
  guint64 id;
  guint64 identity[2]; /* zeros: not made yet, as far as we know */
  char path[MPROC_POSIX_NAME_SIZE];
} Name;

static struct
{
  Name *names; /* mapped, not allocated: the guardian must not call malloc */
  gsize n;
  gsize room;
} table;

static GMutex mutex; /* over all of this file; held across a fork */
static guint64 last_id;
static gintptr channel = MPROC_OS_NONE; /* our end */
static guint64 channel_identity[2];
static _Thread_local gboolean is_forking; /* a guardian: the mutex is ours already */

/* ---------------------------------------------------------------- the table */

/* By what it names, or, where that is NULL, by id; NULL if there is none.  The last ones first: those
 * are made just now. */
static Name *
find (guint64 id, const guint64 *identity)
{
  for (gsize i = table.n; i-- > 0;)
    {
      Name *name = &table.names[i];

      if (identity != NULL ? memcmp (name->identity, identity, sizeof name->identity) == 0
                           : name->id == id)
        return name;
    }
  return NULL;
}

static gboolean
grow (void)
{
  gsize room = table.room == 0 ? 16 : 2 * table.room;
  void *names = mmap (NULL, room * sizeof (Name), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  if (names == MAP_FAILED)
    return FALSE;
  if (table.names != NULL)
    {
      memcpy (names, table.names, table.n * sizeof (Name));
      munmap (table.names, table.room * sizeof (Name));
    }
  table.names = names;
  table.room = room;
  return TRUE;
}

/* FALSE: there is no memory for it. */
static gboolean
note (const Name *record)
{
  Name *name = find (record->id, NULL);

  if (record->path[0] == '\0')
    {
      if (name != NULL)
        *name = table.names[--table.n];
      return TRUE;
    }
  if (name == NULL && table.n == table.room && !grow ())
    return FALSE;
  if (name == NULL)
    name = &table.names[table.n++];
  *name = *record;
  return TRUE;
}

/* ---------------------------------------------------------------- the guardian */

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
read_record (int from, Name *record)
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

/* The creator takes names away without telling a guardian that it has given up. */
static void
forget_those_gone (void)
{
  for (gsize i = table.n; i-- > 0;)
    if (!mproc_posix_is_named (table.names[i].path, table.names[i].identity))
      table.names[i] = table.names[--table.n];
}

/* Or that of the last name. */
static void
await_end (int watch)
{
  struct pollfd poll_end = { watch, POLLIN, 0 };
  int n = 0;

  while (watch >= 0 && table.n > 0)
    {
      n = poll (&poll_end, 1, LOOK);
      if (n > 0 || (n < 0 && errno != EINTR && errno != EAGAIN))
        return;
      forget_those_gone ();
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
  Name record;

  let_go (creator->reader, watch);
  if (watch < 0)
    watch = watch_creator (&creator->identity);
#if defined(__linux__)
  (void) syscall (SYS_prctl, PR_SET_NAME, creator->title, 0, 0, 0);
#endif
  while (read_record (creator->reader, &record))
    if (!note (&record))
      leave (1); /* the creator finds out, and makes another one */
  await_end (watch);
  for (gsize i = 0; i < table.n; i++)
    (void) mproc_posix_unlink_same (table.names[i].path, table.names[i].identity);
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

/* A host that closed all its descriptors may have another file under that number. */
static gboolean
channel_is_ours (void)
{
  guint64 identity[2];
  struct stat about;

  if (channel == MPROC_OS_NONE)
    return FALSE;
  if (fstat ((int) channel, &about) == 0)
    {
      mproc_posix_identify_file (&about, identity);
      if (memcmp (identity, channel_identity, sizeof identity) == 0)
        return TRUE;
    }
  channel = MPROC_OS_NONE;
  return FALSE;
}

static void
dismiss (void)
{
  if (channel_is_ours ())
    mproc_os_channel_close (channel);
  channel = MPROC_OS_NONE;
}

/* It knows all that the table has. */
static gboolean
make_guardian (GError **error)
{
  gintptr reader;
  Creator creator;
  struct stat about;
  int number;

  if (!mproc_os_channel_pair (FALSE, &reader, &channel, error))
    return FALSE;
  number = fstat ((int) channel, &about) == 0 ? 0 : errno;
  if (number == 0)
    {
      mproc_posix_identify_file (&about, channel_identity);
      describe_creator (&creator, (int) reader);
      number = fork_guardian (&creator);
      if (creator.watch >= 0)
        close (creator.watch);
    }
  mproc_os_channel_close (reader);
  if (number == 0)
    return TRUE;
  dismiss ();
  mproc_posix_set_error (error, number, "start of the guardian of names");
  return FALSE;
}

static gboolean
send_record (const Name *record)
{
  const char *at = (const char *) record;
  gsize left = sizeof *record;

  while (left > 0)
    {
      gssize n = mproc_os_channel_write (channel, at, left,
                                         g_get_monotonic_time () + PATIENCE, NULL);

      if (n < 0)
        return FALSE;
      at += n;
      left -= (gsize) n;
    }
  return TRUE;
}

/* Orphans come to the first process of a pid namespace, and to one that asked for them.
 * In such a process, which may never wait for any, the guardian stays, so that there is
 * one and not one for each name. */
static gboolean
adopts_orphans (void)
{
#if defined(__linux__)
  int asked = 0;

  return getpid () == 1 ||
         (prctl (PR_GET_CHILD_SUBREAPER, &asked, 0, 0, 0) == 0 && asked);
#else
  return FALSE;
#endif
}

/* Under the mutex. */
static gboolean
tell (const Name *record, GError **error)
{
  gboolean told;

  if (!note (record))
    {
      mproc_posix_set_error (error, ENOMEM, "list of names");
      return FALSE;
    }
  told = channel_is_ours () && send_record (record);
  if (table.n == 0 && told && adopts_orphans ())
    return TRUE;
  if (table.n > 0 && told)
    return TRUE;
  dismiss ();
  return table.n == 0 || make_guardian (error);
}

/* ---------------------------------------------------------------- forks */

static void
before_fork (void)
{
  if (!is_forking)
    g_mutex_lock (&mutex);
}

static void
after_fork_in_parent (void)
{
  if (!is_forking)
    g_mutex_unlock (&mutex);
}

/* The names are the parent's, and only the parent keeps the guardian waiting. */
static void
after_fork_in_child (void)
{
  if (is_forking)
    return;
  dismiss ();
  table.n = 0;
  g_mutex_unlock (&mutex);
}

static gpointer
prepare (gpointer unused)
{
  (void) unused;
  mproc_os_at_fork (before_fork, after_fork_in_parent, after_fork_in_child);
  return NULL;
}

/* ---------------------------------------------------------------- its users */

guint64
mproc_posix_guard (const char *path, GError **error)
{
  static GOnce once = G_ONCE_INIT;
  Name name;
  gboolean told;

  g_once (&once, prepare, NULL);
  memset (&name, 0, sizeof name);
  g_strlcpy (name.path, path, sizeof name.path);
  g_mutex_lock (&mutex);
  name.id = ++last_id;
  told = tell (&name, error);
  if (!told)
    {
      name.path[0] = '\0';
      (void) note (&name);
    }
  g_mutex_unlock (&mutex);
  return told ? name.id : 0;
}

/* Tells of a name, if it is in the list, that it is that of @block now; NULL: that it is gone. */
static gboolean
tell_change (guint64 id, const guint64 *identity, const guint64 *block)
{
  Name *name, record;

  g_mutex_lock (&mutex);
  name = find (id, identity);
  if (name != NULL)
    {
      record = *name;
      if (block != NULL)
        memcpy (record.identity, block, sizeof record.identity);
      else
        record.path[0] = '\0';
      (void) tell (&record, NULL);
    }
  g_mutex_unlock (&mutex);
  return name != NULL;
}

void
mproc_posix_guard_block (guint64 id, const guint64 *identity)
{
  (void) tell_change (id, NULL, identity);
}

void
mproc_posix_unguard (guint64 id)
{
  (void) tell_change (id, NULL, NULL);
}

gboolean
mproc_posix_unguard_block (const guint64 *identity)
{
  return tell_change (0, identity, NULL);
}

gboolean
mproc_posix_guards_block (const guint64 *identity)
{
  gboolean found;

  g_mutex_lock (&mutex);
  found = find (0, identity) != NULL;
  g_mutex_unlock (&mutex);
  return found;
}
