/* SPDX-License-Identifier: MIT */
/* A task as the pool sees it, and the pool's table of them. */
#ifndef MPROC_JOB_H
#define MPROC_JOB_H

#include "pool/pool.h"

G_BEGIN_DECLS

/* What has been decided about a task that its worker has lost. */
typedef enum
{
  MPROC_FATE_OPEN, /* nothing */
  MPROC_FATE_TIMED_OUT,
  MPROC_FATE_CANCELLED,
  MPROC_FATE_NO_MEMORY
} MprocFate;

struct MprocJob
{
  guint32 serial;
  MprocOffset task;
  MprocResult *result; /* NULL: pushed */
  guint part;
  MprocTaskOptions *options; /* frozen; NULL: none */
  guint32 number;            /* its first serial: each attempt has one of its own */
  guint n_begun;             /* when it was queued last */
  gboolean is_cancelled;     /* asked to end, and not to be begun again */
  MprocFate fate;
  MprocMember condemned; /* the worker that had it */
  MprocBacklogJob backlog;
  guint64 bytes_used; /* NO_MEMORY: by that worker */
  guint64 bytes_allowed;
  GError *verdict; /* what it is to be settled with, once no lock is held */
  MprocJobNote note;
};

void mproc_job_free (gpointer job);

/* Counts that it has ended, and how; once, and while its pool is sure to be there. */
void mproc_job_note_end (MprocJob *job, const GError *error);

/* Puts the end to a job that is out of the table: takes all three. */
void mproc_job_settle (MprocJob *job, GVariant *value, GError *error);

/* The same with the outcome of a task that is DONE. */
void mproc_job_settle_done (MprocJob *job);

/* ------------------------------------------------------------------ the table, under the mutex */

/* Those that are @wanted, in a list of their own, since what is done with them takes them out of the
 * table. */
GPtrArray *mproc_pool_list_jobs (MprocPool *self,
                                 gboolean (*wanted) (const MprocJob *job, gpointer data),
                                 gpointer data);

/* Out of the table; the last one of a closed pool ends the workers. */
void mproc_pool_take_out (MprocPool *self, MprocJob *job);

/* Gives the job a serial of its own; and the queue a record of it. */
void mproc_pool_number_job (MprocPool *self, MprocJob *job);
gboolean mproc_pool_put_job (MprocPool *self, MprocJob *job, GError **error);

/* Another serial, so that its record claims nothing any more.  FALSE: it has been claimed. */
gboolean mproc_pool_take_back_job (MprocPool *self, MprocJob *job);

G_END_DECLS

#endif
