/* SPDX-License-Identifier: MIT */
/* The one worker of an inline pool: whoever hands a task over is it while the task runs. */
#ifndef MPROC_INLINE_H
#define MPROC_INLINE_H

#include "worker/worker.h"

G_BEGIN_DECLS

typedef struct MprocInline MprocInline;

/* Starts it: its initializer has run when this returns.  NULL with error: no memory.  *failure: what
 * the initializer failed with. */
MprocInline *mproc_inline_new (GVariant *setup, GError **failure, GError **error);

/* What is done as one task.  FALSE with error. */
typedef gboolean (*MprocInlineWork) (gpointer data, GError **error);

/* One task at a time, but for those that a task hands over itself.  FALSE with @work's error.  *failure as
 * above, where a new worker was due: then nothing was run. */
gboolean mproc_inline_do (MprocInline *self,
                          MprocInlineWork work,
                          gpointer data,
                          const MprocTaskLimits *limits,
                          GError **failure,
                          GError **error);

/* Around several that have been handed over at once: a pool that is closed meanwhile does all of them. */
void mproc_inline_begin_map (MprocInline *self);
void mproc_inline_end_map (MprocInline *self);

/* What it runs. */
typedef struct
{
  MprocFunc func;
  guint32 flags; /* MprocTaskFlags */
  GVariant *args;
  const MprocTaskLimits *limits; /* NULL: none */
} MprocInlineTask;

/* The same of a function of values.  A full reference, or NULL with error. */
GVariant *mproc_inline_run (MprocInline *self,
                            const MprocInlineTask *task,
                            GError **failure,
                            GError **error);

/* Ends it, as soon as no task runs: no more will come. */
void mproc_inline_end (MprocInline *self);

void mproc_inline_free (MprocInline *self);

G_END_DECLS

#endif
