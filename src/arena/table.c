/* SPDX-License-Identifier: MIT */
#include "arena/table.h"

typedef struct
{
  MprocAtomic32 n_items;
  MprocAtomic32 cursor;
} Head;

static gsize
size_of_head (const MprocTable *self)
{
  return sizeof (Head) + self->n_segments * sizeof (MprocAtomic64);
}

static Head *
head_of (const MprocTable *self)
{
  return mproc_arena_at (mproc_load64 (mproc_arena_root (self->root)),
                         size_of_head (self));
}

/* The segments' offsets lie behind the head. */
static MprocAtomic64 *
segment_of (const MprocTable *self, guint index)
{
  return (MprocAtomic64 *) (gpointer) (head_of (self) + 1) + index / self->per_segment;
}

gboolean
mproc_table_create (const MprocTable *self, GError **error)
{
  MprocOffset offset = mproc_arena_alloc0 (size_of_head (self), error);

  if (offset != 0)
    mproc_store64 (mproc_arena_root (self->root), offset);
  return offset != 0;
}

guint
mproc_table_count (const MprocTable *self)
{
  return mproc_load32 (&head_of (self)->n_items);
}

gpointer
mproc_table_at (const MprocTable *self, guint index)
{
  gsize size = (gsize) self->per_segment * self->item_size;
  guint8 *segment = mproc_arena_at (mproc_load64 (segment_of (self, index)), size);

  return segment + (gsize) (index % self->per_segment) * self->item_size;
}

/* Not a count taken modulo @n: that would leap back by a number for each round made so far when
 * the table grows, among those that have just been taken, for whose sake it would grow again. */
guint
mproc_table_next (const MprocTable *self, guint n)
{
  MprocAtomic32 *cursor = &head_of (self)->cursor;
  guint32 at = mproc_load32 (cursor);

  while (!atomic_compare_exchange_weak (cursor, &at, at + 1 < n ? at + 1 : 0))
    ;
  return at < n ? at : 0;
}

gboolean
mproc_table_grow (const MprocTable *self, guint n, GError **error)
{
  MprocAtomic64 *segment = segment_of (self, n);

  if (mproc_load64 (segment) == 0)
    {
      MprocOffset fresh =
          mproc_arena_alloc0 ((gsize) self->per_segment * self->item_size, error);

      if (fresh == 0)
        return FALSE;
      if (!mproc_cas64 (segment, 0, fresh))
        mproc_arena_free (fresh);
    }
  mproc_cas32 (&head_of (self)->n_items, n, n + 1);
  return TRUE;
}
