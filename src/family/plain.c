/* SPDX-License-Identifier: MIT */
#include "family/plain.h"

#include "family/entry.h"

gboolean
mproc_plain_prepare (GError **error)
{
  mproc_classes_prepare ();
  return mproc_family_ensure (error);
}

MprocObject *
mproc_plain_open (const MprocClass *class_, MprocOffset body, GError **error)
{
  MprocPlain *self = g_new0 (MprocPlain, 1);

  (void) error;
  mproc_object_init (&self->object, class_->kind);
  self->offset = body;
  self->body = mproc_arena_at (body, mproc_arena_block_size (body));
  return &self->object;
}

void
mproc_plain_close (MprocObject *object)
{
  MprocPlain *self = (MprocPlain *) object;

  mproc_object_unref (self->lock);
  g_free (self);
}

gpointer
mproc_plain_new (const MprocClass *class_, MprocOffset body, GError **error)
{
  MprocObject *object = class_->open (class_, body, NULL);

  if (mproc_object_publish (object, body, error))
    return object;
  class_->close (object);
  class_->destroy (body);
  return NULL;
}

gpointer
mproc_plain_new_zeros (const MprocClass *class_, gsize size, GError **error)
{
  MprocOffset body;

  if (!mproc_plain_prepare (error) || (body = mproc_arena_alloc0 (size, error)) == 0)
    return NULL;
  return mproc_plain_new (class_, body, error);
}
