/* SPDX-License-Identifier: MIT */
/* What the setters of MprocTaskOptions leave for the pool. */
#ifndef MPROC_TASK_OPTIONS_H
#define MPROC_TASK_OPTIONS_H

#include "worker/seat.h"

#include <mproc/task.h>

G_BEGIN_DECLS

struct MprocTaskOptions
{
  gint ref_count; /* atomic; one that several have is not changed any more */
  MprocTaskLimits limits;
  guint attempts;
  gint priority;
  gboolean captures_output;
  char *name; /* NULL: the function's */
};

/* Options that are not changed any more: @self as it is now, or NULL for NULL. */
MprocTaskOptions *mproc_task_options_freeze (const MprocTaskOptions *self);

/* Whether a task can have them; NULL: none. */
gboolean mproc_task_options_check (const MprocTaskOptions *self, GError **error);

/* Another reference to frozen ones. */
MprocTaskOptions *mproc_task_options_ref (MprocTaskOptions *self);

G_END_DECLS

#endif
