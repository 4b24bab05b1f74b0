/* SPDX-License-Identifier: MIT */
/* What becomes of the tasks of workers that have died, and of blocks that nobody needs any more.
 * All of it under the pool's mutex. */
#ifndef MPROC_BURIAL_H
#define MPROC_BURIAL_H

#include "pool/job.h"

G_BEGIN_DECLS

/* A settled task whose block somebody may still look at: the record that names it may be in the
 * queue, until a later one has been claimed; a worker may run it, until that is dead. */
typedef struct
{
  guint32 serial;
  MprocMember member; /* 0: no worker has it */
  MprocOffset task;
} MprocGrave;

/* A worker has ended: what it had is settled, or queued again. */
void mproc_pool_bury_worker (MprocPool *self, const MprocPoolEvent *death);

/* The nursery has ended, and all workers with it. */
void mproc_pool_bury_orphans (MprocPool *self);

/* What is DONE, and whose event does not come any more, is settled. */
void mproc_pool_settle_finished (MprocPool *self);

/* Every job fails. */
void mproc_pool_fail_all (MprocPool *self, const GError *why);

/* Out of the table, and its block into a grave that waits for @member's death (0: for nobody's).  The
 * caller settles it. */
void mproc_pool_give_up_job (MprocPool *self, MprocJob *job, MprocMember member);

/* A task of that serial has been claimed: no earlier record is in the queue any more. */
void mproc_pool_free_graves (MprocPool *self, guint32 claimed);

/* No worker is left. */
void mproc_pool_free_all_graves (MprocPool *self);

G_END_DECLS

#endif
