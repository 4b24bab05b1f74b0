/* SPDX-License-Identifier: MIT */
/* What tasks write to standard output and standard error.
 *
 * A worker has one file without a name for that, to which both go while such a task runs.  The pool has
 * the file open as well, where the system allows that: so what the task of a worker that died had
 * written is not lost, and what nobody will read can be given back. */
#ifndef MPROC_CAPTURE_H
#define MPROC_CAPTURE_H

#include "insight/insight.h"
#include "os.h"
#include "worker/worker.h"

G_BEGIN_DECLS

/* So much is kept, of the end. */
#define MPROC_CAPTURE_LIMIT (1024 * 1024)

/* Whether a task with these options is captured: into the plan.  FALSE: it cannot be, with error. */
gboolean mproc_capture_plan (const MprocTaskOptions *options,
                             gconstpointer result,
                             MprocStartMethod method,
                             MprocTaskPlan *plan,
                             GError **error);

/* By the worker, around a task. */
gboolean
mproc_capture_begin (MprocWorker *self, MprocOsRedirection *before, GError **error);
void mproc_capture_end (MprocWorker *self, MprocOsRedirection *before, MprocOffset task);

/* By the worker, at its end. */
void mproc_capture_drop (MprocWorker *self);

/* By the pool's thread: a worker has made its file. */
void mproc_capture_note (MprocInsight *self, const MprocPoolEvent *event);

/* What a task with @options had written whose worker, of that seat, is dead; NULL: nothing is known. */
GBytes *mproc_capture_rescue (MprocInsight *self,
                              MprocOffset seat,
                              const MprocTaskOptions *options);

/* The seat is not there any more. */
void mproc_capture_forget (MprocInsight *self, MprocOffset seat);

/* Gives back what the running tasks have written too much. */
void mproc_capture_trim (MprocInsight *self);

void mproc_capture_clear (MprocInsight *self);

G_END_DECLS

#endif
