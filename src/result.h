/* SPDX-License-Identifier: MIT */
/* What the pool does with results. */
#ifndef MPROC_RESULT_H
#define MPROC_RESULT_H

#include <mproc/pool.h>

G_BEGIN_DECLS

/* To be given by @n_parts tasks (a map's chunks), whose values (`av`) are put together in order; a
 * single one's value is the result itself if @is_map is FALSE. 0 parts: ready at once, an empty map. */
MprocResult *mproc_result_new (guint n_parts, gboolean is_map);

/* One task is done: takes @value, or @error.  The last one makes the result ready. */
void mproc_result_set_part (MprocResult *self, guint part, GVariant *value, GError *error);

G_END_DECLS

#endif
