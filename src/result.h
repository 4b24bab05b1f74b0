/* SPDX-License-Identifier: MIT */
/* What the pool does with results. */
#ifndef MPROC_RESULT_INTERNAL_H
#define MPROC_RESULT_INTERNAL_H

#include <mproc/result.h>

G_BEGIN_DECLS

struct MprocPoolLink;

typedef enum
{
  MPROC_RESULT_VALUE, /* one task's value is the result */
  MPROC_RESULT_ITEMS, /* each task's value is one item of an `av` */
  MPROC_RESULT_CHUNKS /* each task's value is an `av`, a part of the whole */
} MprocResultForm;

/* To be given by @n_parts tasks, whose values are put together in order.  0 parts:
 * ready at once. */
MprocResult *mproc_result_new (guint n_parts, MprocResultForm form);

/* One task is done: takes @value, or @error.  The last one makes the result ready. */
void
mproc_result_set_part (MprocResult *self, guint part, GVariant *value, GError *error);

/* What part @part has written; takes @output, before the part is set.  NULL of either: nothing. */
void mproc_result_set_output (MprocResult *self, guint part, GBytes *output);
/* Which pool it comes from; @link is referenced.  Before it is given to anybody. */
void mproc_result_bind (MprocResult *self, struct MprocPoolLink *link);

/* NULL: it never reached one. */
struct MprocPoolLink *mproc_result_get_link (MprocResult *self);

G_END_DECLS

#endif
