/* SPDX-License-Identifier: MIT */
#include "hoard.h"

#include "processes.h"

#include "arena/arena.h"

guint64
mproc_test_hoard_rest (MprocTestHoard *self)
{
  guint64 n_bytes = 0;

  for (gsize size = 1 << 20; size >= 16; size = size * 3 / 4)
    {
      MprocOffset block;

      while ((block = mproc_arena_alloc (size, NULL)) != 0)
        {
          g_array_append_val (self->blocks, block);
          n_bytes += mproc_arena_block_size (block);
        }
    }
  return n_bytes;
}

gsize
mproc_test_hoard_give_back (MprocTestHoard *self, guint i)
{
  MprocOffset block = g_array_index (self->blocks, MprocOffset, i);
  gsize size = mproc_arena_block_size (block);

  mproc_arena_free (block);
  g_array_remove_index (self->blocks, i);
  return size;
}

void
mproc_test_hoard_init (MprocTestHoard *self)
{
  self->blocks = g_array_new (FALSE, FALSE, sizeof (MprocOffset));
  ck_assert (mproc_set_memory_limit (1, NULL));
  mproc_test_hoard_rest (self);
}

void
mproc_test_hoard_clear (MprocTestHoard *self)
{
  while (self->blocks->len > 0)
    mproc_test_hoard_give_back (self, self->blocks->len - 1);
  g_array_unref (self->blocks);
  ck_assert (mproc_set_memory_limit (G_MAXUINT64, NULL));
}
