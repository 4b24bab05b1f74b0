/* SPDX-License-Identifier: MIT */
/* A table in the arena that grows by segments, which never move and are never given back: the
 * process table and the object table. */
#ifndef MPROC_TABLE_H
#define MPROC_TABLE_H

#include "arena/arena.h"

G_BEGIN_DECLS

/* What is known of a table without looking. */
typedef struct
{
  MprocRoot root;
  guint item_size;
  guint per_segment;
  guint n_segments;
} MprocTable;

/* Empty, at its root. */
gboolean mproc_table_create (const MprocTable *self, GError **error);

/* How many items have ever been used; each of them can be looked at. */
guint mproc_table_count (const MprocTable *self);
gpointer mproc_table_at (const MprocTable *self, guint index);

/* The index at which a search for a free item among @n goes on, another one each time: so the one that
 * has been free longest comes first. */
guint mproc_table_next (const MprocTable *self, guint n);

/* One item more than @n, zeros; unless somebody else has been as fast. */
gboolean mproc_table_grow (const MprocTable *self, guint n, GError **error);

G_END_DECLS

#endif
