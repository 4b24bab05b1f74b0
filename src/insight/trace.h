/* SPDX-License-Identifier: MIT */
/* What a pool did when, written to a file for people to look at.
 *
 * The form is Chrome's and Perfetto's trace events: a JSON array, one event a line, that can be read
 * when it was cut off after any line.  Each pool appends to the file whole lines in single writes, so
 * that pools of many processes can share it. */
#ifndef MPROC_TRACE_H
#define MPROC_TRACE_H

#include "worker/seat.h"

#include <mproc/process.h>

G_BEGIN_DECLS

/* The variable of the environment that names the file. */
#define MPROC_TRACE_VARIABLE "MPROC_TRACE"

typedef struct MprocTrace MprocTrace;

/* One run of a task, or of one item of several. */
typedef struct
{
  const char *name;
  MprocMember member; /* the worker */
  gint64 handed;      /* to the pool; 0: not known */
  gint64 started;
  gint64 ended; /* 0: it has not, now is the end */
  guint32 serial;
  guint32 item;
  guint n_items; /* run one after the other */
  guint attempt; /* 1 the first one */
  const char *outcome;
} MprocTraceTask;

/* NULL if the environment does not ask for one.  @name: of the workers.  What goes wrong is said on
 * standard error, once. */
MprocTrace *mproc_trace_new (const char *name);
void mproc_trace_free (MprocTrace *self); /* NULL is fine */

/* What tasks that call @func are called; stays as long as @self. */
const char *mproc_trace_name_function (MprocTrace *self, MprocFunc func);

/* The worker of that seat lives, for all that is known; any number of times. */
void mproc_trace_worker (MprocTrace *self, const MprocSeat *seat);

/* It has ended.  @how: NULL: in good order, else what to call it. */
void mproc_trace_worker_end (MprocTrace *self, MprocMember member, const char *how);

/* A worker that is not known yet is one from here on. */
void mproc_trace_task (MprocTrace *self, const MprocTraceTask *task);

/* How many tasks wait and run now. */
void mproc_trace_count (MprocTrace *self, guint n_waiting, guint n_running);

/* Writes what has come, if that is worth it or @now. */
void mproc_trace_flush (MprocTrace *self, gboolean now);

/* What the outcome with that error, or NULL, is called. */
const char *mproc_trace_outcome (const GError *error);

G_END_DECLS

#endif
