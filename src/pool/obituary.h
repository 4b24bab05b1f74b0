/* SPDX-License-Identifier: MIT */
/* The errors of tasks that have lost their worker. */
#ifndef MPROC_OBITUARY_H
#define MPROC_OBITUARY_H

#include "pool/job.h"

G_BEGIN_DECLS

/* What became of the worker that ran @what. */
GError *mproc_describe_death (const MprocPoolEvent *death, const char *what);

/* How often it may be begun. */
guint mproc_job_get_attempts (const MprocJob *job);

/* What it is called: "task 7 (treehash+0x1180)", or by its own name. */
char *mproc_job_name (const MprocJob *job);

/* A worker has died with it.  Full references. */
GError *mproc_job_describe_death (const MprocJob *job, const MprocPoolEvent *death);

/* It was condemned: @pid's task. */
GError *mproc_job_describe_fate (const MprocJob *job, gint64 pid);

/* It was cancelled before any worker had begun it. */
GError *mproc_job_describe_cancel (const MprocJob *job);

G_END_DECLS

#endif
