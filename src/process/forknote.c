/* SPDX-License-Identifier: MIT */
/* The end of a child that is the server's.  Its note wakes whoever joins it, and a look at
 * it costs nothing, which is what a pool does all the time with its workers.  A look at the
 * process itself, now and then, finds what no note tells of: the server is stopped, or was
 * killed.  Then nobody knows how the child ended but the child itself, which writes its
 * exit code into its slot unless a signal ends it. */
#include "process/forkserver.h"

#include "arena/word.h"
#include "os.h"

/* How long the server may take to write the note of a child that has ended: it may be
 * stopped.  After that it may write at any time: the block is not used again before our end.
 * In another note of ours it would say that a child has ended which lives. */
#define PATIENCE (5 * G_USEC_PER_SEC)

/* How often the process itself is looked at while its server lives. */
#define LOOK G_USEC_PER_SEC

/* The owner of a note is its process's member; of one that is just being written, the stage after that. */
#define BEING_WRITTEN 1u

static MprocForkNote *
note_at (MprocOffset offset)
{
  return mproc_arena_at (offset, sizeof (MprocForkNote));
}

static MprocForkNote *
note_of (MprocBorrowCell *note)
{
  return note_at (mproc_load64 (note));
}

MprocBorrowCell *
mproc_fork_note_new (GError **error)
{
  MprocBorrowCell *cell = mproc_borrow_reserve (error);
  MprocOffset note;

  if (cell == NULL)
    return NULL;
  note = mproc_arena_alloc0 (sizeof (MprocForkNote), error);
  if (note == 0)
    {
      mproc_borrow_give_back (cell);
      return NULL;
    }
  MPROC_CRASH_POINT (NOTE_MADE);
  mproc_arena_own (note, mproc_process_self ());
  mproc_borrow_fill (cell, note);
  return cell;
}

/* The sweep of a dead owner may be at it.  A server that dies in the middle leaves the note to its owner;
 * if that dies as well, it is lost. */
void
mproc_fork_note_write (MprocOffset offset, MprocMember owner, gint exit_code)
{
  MprocForkNote *note = note_at (offset);

  if (!mproc_arena_pass_on (offset, owner, owner | BEING_WRITTEN))
    return;
  MPROC_CRASH_POINT (NOTE_TAKEN);
  note->exit_code = exit_code;
  mproc_store32 (&note->is_written, 1);
  MPROC_CRASH_POINT (NOTE_WRITTEN);
  mproc_arena_pass_on (offset, owner | BEING_WRITTEN, owner);
  MPROC_CRASH_POINT (NOTE_PASSED_ON);
  mproc_word_wake (&note->is_written, G_MAXINT32);
}

gboolean
mproc_fork_note_read (MprocBorrowCell *cell, gint *exit_code)
{
  MprocForkNote *note = note_of (cell);

  if (mproc_load32 (&note->is_written) == 0)
    return FALSE;
  *exit_code = note->exit_code;
  return TRUE;
}

/* A note that has been written, or whose server is dead.  The server passes it on in its next step: it may
 * not find it free, and another one's, by then.  One that is stopped there leaves it to our end. */
static void
free_note (MprocBorrowCell *note, MprocMember server)
{
  MprocMember self = mproc_process_self ();
  gint64 deadline = g_get_monotonic_time () + MPROC_NAP;

  while (!mproc_borrow_end (note, self) && g_get_monotonic_time () < deadline)
    {
      mproc_forkserver_look ();
      if (mproc_member_is_dead (server) && mproc_borrow_end (note, self | BEING_WRITTEN))
        return;
      g_thread_yield ();
    }
}

gint
mproc_fork_note_settle (MprocBorrowCell *note, MprocMember server)
{
  gint64 deadline = g_get_monotonic_time () + PATIENCE;
  gint code = MPROC_OS_EXIT_UNKNOWN;

  while (!mproc_fork_note_read (note, &code))
    {
      mproc_forkserver_look ();
      /* It may have written just before it ended. */
      if (mproc_member_is_dead (server))
        {
          mproc_fork_note_read (note, &code);
          break;
        }
      if (g_get_monotonic_time () >= deadline)
        return MPROC_OS_EXIT_UNKNOWN;
      mproc_word_wait (&note_of (note)->is_written, 0, deadline);
    }
  free_note (note, server);
  return code;
}

static gboolean
take_note (MprocProcess *self)
{
  gint code;

  if (!mproc_fork_note_read (self->note, &code))
    return FALSE;
  free_note (self->note, self->server);
  self->note = NULL;
  self->child.ended = TRUE;
  self->child.exit_code = code;
  return TRUE;
}

/* The process has ended. */
static void
settle (MprocProcess *self)
{
  gint code = mproc_fork_note_settle (self->note, self->server);

  self->note = NULL;
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
          mproc_word_wait (&note_of (self->note)->is_written, 0, deadline);
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
