/* SPDX-License-Identifier: MIT */
#include "pool/pending.h"

#include "arena/word.h"

/* In its own thread there is always room: that thread is what makes some. */
static gboolean
has_room (MprocPool *self)
{
  guint most = self->options->max_pending;

  return most == 0 || g_hash_table_size (self->jobs) + self->batches->len < most ||
         mproc_callbacks_are_mine (self->callbacks);
}

static gboolean
is_serving (MprocPool *self)
{
  return self->state == MPROC_POOL_RUNNING && self->broken == NULL;
}

gboolean
mproc_pool_await_room (MprocPool *self, gint64 deadline, GError **error)
{
  gboolean in_time = TRUE;

  self->n_waiting_for_room++;
  while (in_time && is_serving (self) && !has_room (self))
    if (deadline == MPROC_OS_NEVER)
      g_cond_wait (&self->room, &self->mutex);
    else
      in_time = g_cond_wait_until (&self->room, &self->mutex, deadline);
  self->n_waiting_for_room--;
  if (in_time || !is_serving (self) || has_room (self))
    return TRUE;
  g_set_error (error, MPROC_ERROR, MPROC_ERROR_FULL,
               "the pool has %u tasks pending, as many as it may",
               self->options->max_pending);
  return FALSE;
}

void
mproc_pool_make_room (MprocPool *self)
{
  if (self->n_waiting_for_room == 0)
    return;
  if (is_serving (self))
    g_cond_signal (&self->room);
  else
    g_cond_broadcast (&self->room);
}
