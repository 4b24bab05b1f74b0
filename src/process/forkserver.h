/* SPDX-License-Identifier: MIT */
/* The start method forkserver: a helper process, spawned when it is first needed and so
 * without threads and with the program as it was at mproc_init, forks children for its
 * owner.  forkserver.c is the server, forkstart.c the owner's side of a start, forknote.c
 * how the owner hears of a child's end.
 *
 * The owner writes a start record into the arena, as for spawn, and sends a request with
 * the channels of the connections among the arguments.  The child reports in the record.
 * Nobody answers the request itself: whether the server lives is seen from outside. */
#ifndef MPROC_FORKSERVER_H
#define MPROC_FORKSERVER_H

#include "process/processdata.h"

G_BEGIN_DECLS

/* How a child ended: a block of the owner's, in which the server writes once, when it has
 * reaped the child.  The owner has it noted as a loan, and the sweep frees it with the
 * owner.  So the server first makes it its own, see mproc_arena_own: what has another owner
 * by then is a note no more. */
typedef struct
{
  MprocAtomic32 is_written;
  gint32 exit_code; /* before that */
} MprocForkNote;

enum
{
  MPROC_FORK_START,
  MPROC_FORK_END /* the server shall end */
};

typedef struct
{
  guint32 kind;
  guint32 member; /* reserved, STARTING */
  guint64 record;
  guint64 note;
  guint32 owner; /* the note's */
  guint32 unused;
} MprocForkRequest;

/* The server's target: `(hu)`, its end of the line and the owner's kind of lifeline.  It
 * first writes there how many threads it has besides its own, a guint32. */
GVariant *mproc_forkserver_main (GVariant *args, GError **error);

/* By the owner: a note, in a cell that names it.  NULL with error. */
MprocBorrowCell *mproc_fork_note_new (GError **error);

/* By the owner: whether it is there, and what it says. */
gboolean mproc_fork_note_read (MprocBorrowCell *note, gint *exit_code);

/* By the server: nothing, if @owner is dead. */
void mproc_fork_note_write (MprocOffset note, MprocMember owner, gint exit_code);

/* By the owner: as mproc_os_child_wait, for a child that its server forked. */
gboolean mproc_fork_note_wait (MprocProcess *self, gint64 deadline);

/* By the owner: waits for the end of a child that is known to be about to end, or not to
 * be there at all, and frees the note; not before our end, if the server is stopped.  Returns
 * the exit code. */
gint mproc_fork_note_settle (MprocBorrowCell *note, MprocMember server);

/* Starts it if it does not run.  TRUE: it has no threads that its children would miss. */
gboolean mproc_forkserver_is_single (void);

/* Ends the server of this process, if it has one. */
void mproc_forkserver_end (void);

/* Reaps the server of this process if it has ended, unless somebody is just starting one. */
void mproc_forkserver_look (void);

/* 0: this process has none that it knows of. */
gint64 mproc_forkserver_get_pid (void);

/* In a forked child: it is the parent's. */
void mproc_forkserver_forget (void);

G_END_DECLS

#endif
