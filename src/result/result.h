/* SPDX-License-Identifier: MIT */
/* What the pool does with results. */
#ifndef MPROC_RESULT_INTERNAL_H
#define MPROC_RESULT_INTERNAL_H

#include "result/callbacks.h"

G_BEGIN_DECLS

struct MprocPoolLink;

typedef enum
{
  MPROC_RESULT_VALUE, /* one task's value is the result */
  MPROC_RESULT_ITEMS, /* each task's value is one item of an `av` */
  MPROC_RESULT_CHUNKS /* each task's value is an `av`, a part of the whole */
} MprocResultForm;

/* To be given by @n_parts tasks, whose values are put together in order.  0 parts:
 * ready at once.  @callbacks: of the pool whose thread makes it ready; NULL: none does. */
MprocResult *
mproc_result_new (MprocCallbacks *callbacks, guint n_parts, MprocResultForm form);

/* One that has failed already; takes @error. */
MprocResult *mproc_result_new_failed (GError *error);

/* @hook is called once, by whoever makes it ready, under any lock and inside of the gate.  Before its
 * tasks are handed over. */
typedef void (*MprocResultHook) (gpointer data);
void mproc_result_set_hook (MprocResult *self, MprocResultHook hook, gpointer data);

/* What goes to its hook; NULL: it has none. */
gpointer mproc_result_get_hook_data (MprocResult *self);

/* One task is done: takes @value, or @error.  The last one makes the result ready. */
void
mproc_result_set_part (MprocResult *self, guint part, GVariant *value, GError *error);

/* What part @part has written; takes @output, before the part is set.  NULL of either: nothing. */
void mproc_result_set_output (MprocResult *self, guint part, GBytes *output);
/* Waits for it, drops @self (NULL: has failed already, without error) and gives its value, or NULL with
 * error. */
GVariant *mproc_result_take (MprocResult *self, GError **error);

/* Whether it is what one task gives; and that task while it is handed over and not settled, else NULL.  Both
 * under its pool's mutex: so nobody has to look for it among all others. */
gboolean mproc_result_is_of_one (MprocResult *self);
void mproc_result_set_job (MprocResult *self, gpointer job);
gpointer mproc_result_get_job (MprocResult *self);

/* Which pool it comes from; @link is referenced.  Before it is given to anybody. */
void mproc_result_bind (MprocResult *self, struct MprocPoolLink *link);

/* NULL: it never reached one. */
struct MprocPoolLink *mproc_result_get_link (MprocResult *self);

G_END_DECLS

#endif
