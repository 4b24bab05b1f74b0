/* SPDX-License-Identifier: MIT */
/* The warden: takes tasks away from their workers, whose limit is reached or who are cancelled.
 *
 * It is the pool's, whose thread is the one that frees a task's block: nobody else could touch a word
 * that another worker's seat names and be sure that it is still a word.  The worker itself is killed
 * by the crew, which finds that in the worker's seat. */
#ifndef MPROC_WARDEN_H
#define MPROC_WARDEN_H

#include "pool/job.h"

G_BEGIN_DECLS

/* A worker that is to be killed, and whose seat is not known yet. */
typedef struct
{
  MprocMember member;
  guint32 serial; /* of the task it has lost */
} MprocDoomed;

/* Where @member sits; NULL: nobody has told of it yet.  Under the mutex. */
MprocSeat *mproc_pool_find_seat (MprocPool *self, MprocMember member);

/* By the pool's thread, twice in MPROC_NAP: what is over its limit is condemned, and the crew is told. */
void mproc_warden_look (MprocPool *self);

/* A running task that is asked to end.  Under the mutex. */
void mproc_warden_stop (MprocPool *self, MprocJob *job, MprocMember member);

/* Takes the task away from @member.  FALSE: that has just finished it.  The job is settled when the
 * worker is dead; where that is a thread, which nobody can kill, the job is out of the table, has a
 * verdict, and the caller settles it.  Under the mutex. */
gboolean
mproc_warden_condemn (MprocPool *self, MprocJob *job, MprocMember member, MprocFate fate);

/* Jobs that have a verdict, with no lock held; takes the list. */
void mproc_warden_settle (GPtrArray *jobs);

G_END_DECLS

#endif
