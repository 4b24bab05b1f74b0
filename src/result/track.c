/* SPDX-License-Identifier: MIT */
#include "result/track.h"

#include "worker/worker.h"

MprocTrack *
mproc_track_new (gboolean is_ordered)
{
  MprocTrack *self = g_new0 (MprocTrack, 1);

  self->ref_count = 1;
  self->is_ordered = is_ordered;
  g_mutex_init (&self->mutex);
  g_cond_init (&self->changed);
  g_queue_init (&self->parts);
  g_queue_init (&self->ready);
  return self;
}

void
mproc_track_unref (MprocTrack *self)
{
  if (!g_atomic_int_dec_and_test (&self->ref_count))
    return;
  g_mutex_clear (&self->mutex);
  g_cond_clear (&self->changed);
  g_free (self);
}

static void
free_part (MprocTrackPart *part)
{
  mproc_result_unref (part->result);
  g_free (part);
}

/* Under the mutex. */
static void
note_ready (MprocTrack *self, MprocTrackPart *part)
{
  part->is_ready = TRUE;
  if (!self->is_ordered)
    g_queue_push_tail (&self->ready, part);
  g_cond_broadcast (&self->changed);
}

/* The result's hook: by the pool's thread, or by one that could not hand it over. */
static void
part_is_ready (gpointer data)
{
  MprocTrackPart *part = data;
  MprocTrack *self = part->track;
  gboolean is_wanted;

  g_mutex_lock (&self->mutex);
  is_wanted = !self->is_abandoned;
  if (is_wanted)
    note_ready (self, part);
  g_mutex_unlock (&self->mutex);
  if (!is_wanted)
    free_part (part);
  mproc_track_unref (self);
}

MprocTrackPart *
mproc_track_add (MprocTrack *self, MprocResult *result, guint n_items, gboolean is_single)
{
  MprocTrackPart *part = g_new0 (MprocTrackPart, 1);

  part->result = result;
  part->n_items = n_items;
  part->is_single = is_single;
  g_mutex_lock (&self->mutex);
  g_queue_push_tail (&self->parts, part);
  if (mproc_result_is_ready (result))
    note_ready (self, part);
  else
    {
      g_atomic_int_inc (&self->ref_count);
      part->track = self;
      mproc_result_set_hook (result, part_is_ready, part);
    }
  g_mutex_unlock (&self->mutex);
  return part;
}

/* Its result will never be ready: there is no task. */
void
mproc_track_take_back (MprocTrack *self, MprocTrackPart *part)
{
  g_mutex_lock (&self->mutex);
  g_queue_remove (&self->parts, part);
  g_mutex_unlock (&self->mutex);
  mproc_track_unref (part->track);
  free_part (part);
}

/* What a whole chunk fails with, because its worker died or it could not be sent, each of its items
 * fails with. */
static GVariant *
get_outcome (MprocTrackPart *part, GError **error)
{
  GVariant *all = mproc_result_get (part->result, 0, error);
  GVariant *value;

  if (all == NULL || part->is_single)
    return all;
  value = mproc_worker_get_one (all, part->n_given, error);
  g_variant_unref (all);
  return value;
}

gboolean
mproc_track_take (MprocTrack *self, GVariant **value, GError **error)
{
  MprocTrackPart *part =
      g_queue_peek_head (self->is_ordered ? &self->parts : &self->ready);

  if (part == NULL || !part->is_ready)
    return FALSE;
  *value = get_outcome (part, error);
  if (++part->n_given == part->n_items)
    {
      g_queue_remove (&self->parts, part);
      g_queue_remove (&self->ready, part);
      free_part (part);
    }
  return TRUE;
}

gboolean
mproc_track_has (MprocTrack *self, MprocResult *result)
{
  MprocTrackPart *part = mproc_result_get_hook_data (result);

  return part != NULL && part->track == self;
}

void
mproc_track_abandon (MprocTrack *self)
{
  MprocTrackPart *part;

  g_mutex_lock (&self->mutex);
  self->is_abandoned = TRUE;
  g_queue_clear (&self->ready);
  while ((part = g_queue_pop_head (&self->parts)) != NULL)
    if (part->is_ready)
      free_part (part);
  g_mutex_unlock (&self->mutex);
}
