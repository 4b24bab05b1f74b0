/* SPDX-License-Identifier: MIT */
/* The batches of a pool: those handed over and not settled, and those that are settled and may still be
 * reached by a worker. */
#ifndef MPROC_POOL_BATCH_H
#define MPROC_POOL_BATCH_H

#include "map/batch.h"
#include "pool/job.h"

G_BEGIN_DECLS

typedef struct
{
  MprocOffset batch;
  guint32 serial;
  guint32 last_record; /* of the task queue, that names it */
  guint32
      last_event; /* of the event queue, that may tell of a seat of one who is in there */
  MprocResult *result;
  gpointer results;      /* BYTES: where they go to; NULL: into the result */
  GError *error;         /* of a part that was lost */
  gboolean is_cancelled; /* what runs is to end, */
  gboolean is_killed;    /* or is ended; also what is only about to say that it runs */
  MprocJobNote note;
} MprocBatchJob;

/* Hands @job over, and takes it.  FALSE with error: it is still the caller's. */
gboolean mproc_pool_hand_over_batch (MprocPool *self, MprocBatchJob *job, GError **error);

void mproc_batch_job_free (gpointer job);

/* Under the mutex.  NULL: there is none that is not settled. */
MprocBatchJob *mproc_pool_find_batch (MprocPool *self, guint32 serial);

/* "items 3 to 5 of map 7 (square)", g_free. */
char *mproc_batch_job_describe_part (const MprocBatchJob *job, const MprocPart *part);

/* ------------------------------------------------------------------ by the pool's thread */

/* A worker has left a batch, or shared something out. */
void mproc_pool_handle_batch (MprocPool *self, const MprocPoolEvent *event);

/* Under the mutex.  A worker has died; NULL: all have. */
void mproc_pool_bury_in_batches (MprocPool *self, const MprocPoolEvent *death);

/* Under the mutex.  A worker has ended, and another one may come instead; or one is about to be started,
 * who may find offers that nobody has taken. */
void mproc_pool_offer_batches (MprocPool *self, gboolean for_lost);

/* What nobody sends an event for. */
void mproc_pool_tend_batches (MprocPool *self);

/* Under the mutex.  All of them fail. */
void mproc_pool_fail_batches (MprocPool *self, const GError *why);

/* ------------------------------------------------------------------ by anyone, under the mutex */

/* Why a part is taken from its worker. */
typedef struct
{
  MprocFate fate;
  guint64 bytes_used; /* NO_MEMORY */
} MprocPartLoss;

/* Takes the part of that batch which @member runs from it.  FALSE: it has just finished, or there is no such
 * batch. */
gboolean mproc_pool_condemn_part (MprocPool *self,
                                  guint32 serial,
                                  MprocMember member,
                                  const MprocPartLoss *loss);

/* By the warden: what the seat shows, where that is no task, may be over its limit, or cancelled. */
void mproc_pool_look_at_part (MprocPool *self,
                              MprocSeat *seat,
                              guint64 name,
                              guint64 hard,
                              gint64 now);

/* What @result waits for is cancelled; FALSE: nothing. */
gboolean
mproc_pool_end_batch_of (MprocPool *self, const MprocResult *result, gboolean kill);

/* No part is begun any more, and those that were not fail with @why.  Returns how many batches have
 * nothing that runs. */
guint mproc_pool_withdraw_batches (MprocPool *self, const GError *why);

/* The workers are to begin no more parts. */
void mproc_pool_cancel_batches (MprocPool *self);

G_END_DECLS

#endif
