/* SPDX-License-Identifier: MIT */
/* Names in the system that go when the process that made them has ended, however it ended.
 *
 * They are on a list.  A guardian (guardian.c) is made with the first name and ends with the last.  It
 * starts as a copy of the creator, whose list it so inherits; from then on each is sent the same
 * records.
 *
 * What remains: both killed together leave the names behind, and so does the end of a
 * whole pid namespace. */
#include "guardian.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/prctl.h>
#endif

/* A guardian that does not read for so long is taken for dead. */
#define PATIENCE (2 * G_USEC_PER_SEC)

static struct
{
  MprocPosixName *names; /* mapped, not allocated: the guardian must not call malloc */
  gsize n;
  gsize room;
} table;

static GMutex mutex; /* over all of this file; held across a fork */
static guint64 last_id;
static gintptr channel = MPROC_OS_NONE; /* our end */
static guint64 channel_identity[2];

/* ---------------------------------------------------------------- the list */

/* By what it names, or, where that is NULL, by id; NULL if there is none.  The last ones first: those
 * are made just now. */
static MprocPosixName *
find (guint64 id, const guint64 *identity)
{
  for (gsize i = table.n; i-- > 0;)
    {
      MprocPosixName *name = &table.names[i];

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
  void *names = mmap (NULL, room * sizeof (MprocPosixName), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  if (names == MAP_FAILED)
    return FALSE;
  if (table.names != NULL)
    {
      memcpy (names, table.names, table.n * sizeof (MprocPosixName));
      munmap (table.names, table.room * sizeof (MprocPosixName));
    }
  table.names = names;
  table.room = room;
  return TRUE;
}

gboolean
mproc_posix_names_note (const MprocPosixName *record)
{
  MprocPosixName *name = find (record->id, NULL);

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

gsize
mproc_posix_names_count (void)
{
  return table.n;
}

void
mproc_posix_names_forget_gone (void)
{
  for (gsize i = table.n; i-- > 0;)
    if (!mproc_posix_is_named (table.names[i].path, table.names[i].identity))
      table.names[i] = table.names[--table.n];
}

void
mproc_posix_names_unlink (void)
{
  for (gsize i = 0; i < table.n; i++)
    (void) mproc_posix_unlink_same (table.names[i].path, table.names[i].identity);
}

/* ---------------------------------------------------------------- telling the guardian */

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
  struct stat about;
  int number;

  if (!mproc_os_channel_pair (FALSE, &reader, &channel, error))
    return FALSE;
  number = fstat ((int) channel, &about) == 0 ? 0 : errno;
  if (number == 0)
    {
      mproc_posix_identify_file (&about, channel_identity);
      number = mproc_posix_fork_guardian ((int) reader);
    }
  mproc_os_channel_close (reader);
  if (number == 0)
    return TRUE;
  dismiss ();
  mproc_posix_set_error (error, number, "start of the guardian of names");
  return FALSE;
}

static gboolean
send_record (const MprocPosixName *record)
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
tell (const MprocPosixName *record, GError **error)
{
  gboolean told;

  if (!mproc_posix_names_note (record))
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
  if (!mproc_posix_is_forking_guardian ())
    g_mutex_lock (&mutex);
}

static void
after_fork_in_parent (void)
{
  if (!mproc_posix_is_forking_guardian ())
    g_mutex_unlock (&mutex);
}

/* The names are the parent's, and only the parent keeps the guardian waiting. */
static void
after_fork_in_child (void)
{
  if (mproc_posix_is_forking_guardian ())
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
  MprocPosixName name;
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
      (void) mproc_posix_names_note (&name);
    }
  g_mutex_unlock (&mutex);
  return told ? name.id : 0;
}

/* Tells of a name, if it is in the list, that it is that of @block now; NULL: that it is gone. */
static gboolean
tell_change (guint64 id, const guint64 *identity, const guint64 *block)
{
  MprocPosixName *name, record;

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
