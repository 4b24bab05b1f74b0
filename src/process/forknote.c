/* SPDX-License-Identifier: MIT */
/* The end of a child that is the server's.  Its note wakes whoever joins it, and a look at
 * it costs nothing, which is what a pool does all the time with its workers.  A look at the
 * process itself, now and then, finds what no note tells of: the server is stopped, or was
 * killed.  Then nobody knows how the child ended but the child itself, which writes its
 * exit code into its slot unless a signal ends it. */
#include "process/forkserver.h"

#include "os.h"
#include "arena/word.h"

/* How long the server may take to write the note of a child that has ended: it may be
 * stopped.  After that it may write at any time, so the block is not used again. */
#define PATIENCE (5 * G_USEC_PER_SEC)

/* How often the process itself is looked at while its server lives. */
#define LOOK G_USEC_PER_SEC

void
mproc_fork_note_write (MprocOffset offset, gint exit_code)
{
  MprocForkNote *note = mproc_fork_note_at (offset);

  note->exit_code = exit_code;
  mproc_store32 (&note->is_written, 1);
  mproc_word_wake (&note->is_written, G_MAXINT32);
}

static gboolean
is_written (MprocOffset note)
{
  return mproc_load32 (&mproc_fork_note_at (note)->is_written) != 0;
}

static gint
read_and_free (MprocOffset note)
{
  gint code = mproc_fork_note_at (note)->exit_code;

  mproc_arena_free (note);
  return code;
}

gint
mproc_fork_note_settle (MprocOffset note, MprocMember server)
{
  gint64 deadline = g_get_monotonic_time () + PATIENCE;

  while (!is_written (note))
    {
      mproc_forkserver_look ();
      /* It may have written just before it ended. */
      if (mproc_member_is_dead (server) && !is_written (note))
        {
          mproc_arena_free (note);
          return MPROC_OS_EXIT_UNKNOWN;
        }
      if (g_get_monotonic_time () >= deadline)
        return MPROC_OS_EXIT_UNKNOWN;
      mproc_word_wait (&mproc_fork_note_at (note)->is_written, 0, deadline);
    }
  return read_and_free (note);
}

static gboolean
take_note (MprocProcess *self)
{
  if (!is_written (self->note))
    return FALSE;
  self->child.ended = TRUE;
  self->child.exit_code = read_and_free (self->note);
  self->note = 0;
  return TRUE;
}

/* The process has ended. */
static void
settle (MprocProcess *self)
{
  gint code = mproc_fork_note_settle (self->note, self->server);

  self->note = 0;
  /* The orphans of a server that was killed are ours where this process is init, or a
   * subreaper; then they are ours to reap, too. */
  if (code == MPROC_OS_EXIT_UNKNOWN && mproc_os_child_wait (&self->child, 0))
    return;
  self->child.ended = TRUE;
  self->child.exit_code = code;
}

/* Asked once in a nap for all its children.  A server that is reaped is known to be dead
 * where a zombie cannot be told from the living. */
static gboolean
is_orphan (MprocProcess *self, gint64 now)
{
  static MprocAtomic32 alive; /* the server that was found to be so */
  static MprocAtomic64 asked;

  if (mproc_load32 (&alive) == self->server &&
      now - (gint64) mproc_load64 (&asked) < MPROC_NAP)
    return FALSE;
  mproc_forkserver_look ();
  if (mproc_member_is_dead (self->server))
    return TRUE;
  mproc_store64 (&asked, (guint64) now);
  mproc_store32 (&alive, self->server);
  return FALSE;
}

/* Whoever waits for the sentinel, and has seen that it is ready, must find the end. */
static gboolean
has_ended (MprocProcess *self)
{
  const MprocOsIdentity who = { self->child.pid, self->child.start_time,
                                self->child.space };
  MprocOsWait sentinel = { MPROC_OS_NONE, MPROC_OS_WAIT_CHILD, FALSE };
  gint64 now = g_get_monotonic_time ();

  mproc_local_lock ();
  sentinel.handle = self->view.handle;
  mproc_local_unlock ();
  if (sentinel.handle != MPROC_OS_NONE)
    return mproc_os_wait_many (&sentinel, 1, 0, NULL) > 0;
  if (now - self->looked < (is_orphan (self, now) ? MPROC_NAP / 2 : LOOK))
    return FALSE;
  self->looked = now;
  return mproc_os_is_dead (&who);
}

gboolean
mproc_fork_note_wait (MprocProcess *self, gint64 deadline)
{
  for (;;)
    {
      if (take_note (self))
        return TRUE;
      if (g_get_monotonic_time () < deadline)
        {
          mproc_word_wait (&mproc_fork_note_at (self->note)->is_written, 0, deadline);
          if (take_note (self))
            return TRUE;
        }
      if (has_ended (self))
        {
          settle (self);
          return TRUE;
        }
      if (g_get_monotonic_time () >= deadline)
        return FALSE;
    }
}
