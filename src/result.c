/* SPDX-License-Identifier: MIT */
#include "result.h"

#include "cancel.h"
#include "object.h"
#include "word.h"

struct MprocResult
{
  MprocObject base;
  GMutex mutex;
  GCond is_there;
  gint ready; /* set last; value and error do not change any more */
  MprocResultForm form;
  guint n_parts;
  guint n_missing;
  GVariant **parts;
  GPtrArray *outputs; /* of GBytes, by parts; NULL: nothing was captured */
  GVariant *value;
  GError *error;
  MprocPoolLink *link; /* to its pool, or what is left of it */
};

static void
add_chunk (GVariantBuilder *all, GVariant *chunk)
{
  gsize n = g_variant_n_children (chunk);

  for (gsize i = 0; i < n; i++)
    {
      GVariant *item = g_variant_get_child_value (chunk, i);

      g_variant_builder_add_value (all, item);
      g_variant_unref (item);
    }
}

/* Of the parts, in order; only where none has failed. */
static GVariant *
put_together (MprocResult *self)
{
  GVariantBuilder all;

  if (self->form == MPROC_RESULT_VALUE)
    return g_variant_ref (self->parts[0]);
  g_variant_builder_init (&all, G_VARIANT_TYPE ("av"));
  for (guint i = 0; i < self->n_parts; i++)
    if (self->form == MPROC_RESULT_CHUNKS)
      add_chunk (&all, self->parts[i]);
    else
      g_variant_builder_add_value (&all, g_variant_new_variant (self->parts[i]));
  return g_variant_ref_sink (g_variant_builder_end (&all));
}

static void
free_parts (MprocResult *self)
{
  for (guint i = 0; i < self->n_parts; i++)
    if (self->parts[i] != NULL)
      g_variant_unref (self->parts[i]);
  g_clear_pointer (&self->parts, g_free);
  self->n_parts = 0;
}

/* Under the mutex. */
static void
make_ready (MprocResult *self)
{
  if (self->error == NULL)
    self->value = put_together (self);
  free_parts (self);
  g_atomic_int_set (&self->ready, TRUE);
  g_cond_broadcast (&self->is_there);
}

MprocResult *
mproc_result_new (guint n_parts, MprocResultForm form)
{
  MprocResult *self = g_new0 (MprocResult, 1);

  mproc_object_init (&self->base, MPROC_KIND_RESULT);
  g_mutex_init (&self->mutex);
  g_cond_init (&self->is_there);
  self->form = form;
  self->n_parts = n_parts;
  self->n_missing = n_parts;
  self->parts = g_new0 (GVariant *, n_parts);
  if (n_parts == 0)
    make_ready (self);
  return self;
}

void
mproc_result_set_part (MprocResult *self, guint part, GVariant *value, GError *error)
{
  g_mutex_lock (&self->mutex);
  self->parts[part] = value;
  if (error != NULL && self->error == NULL)
    self->error = error;
  else if (error != NULL)
    g_error_free (error);
  if (--self->n_missing == 0)
    make_ready (self);
  g_mutex_unlock (&self->mutex);
}

static void
unref_output (gpointer output)
{
  if (output != NULL)
    g_bytes_unref (output);
}

void
mproc_result_set_output (MprocResult *self, guint part, GBytes *output)
{
  if (self == NULL || output == NULL)
    {
      unref_output (output);
      return;
    }
  g_mutex_lock (&self->mutex);
  if (self->outputs == NULL)
    self->outputs = g_ptr_array_new_with_free_func (unref_output);
  if (self->outputs->len <= part)
    g_ptr_array_set_size (self->outputs, (gint) part + 1);
  unref_output (self->outputs->pdata[part]);
  self->outputs->pdata[part] = output;
  g_mutex_unlock (&self->mutex);
}

/* Nothing is added any more to one that is ready. */
GBytes *
mproc_result_get_output (MprocResult *self)
{
  GByteArray *all;

  g_return_val_if_fail (mproc_object_is (self, MPROC_KIND_RESULT), NULL);
  g_return_val_if_fail (g_atomic_int_get (&self->ready), NULL);
  if (self->outputs == NULL)
    return NULL;
  if (self->outputs->len == 1)
    return g_bytes_ref (self->outputs->pdata[0]);
  all = g_byte_array_new ();
  for (guint i = 0; i < self->outputs->len; i++)
    {
      GBytes *output = self->outputs->pdata[i];

      if (output != NULL)
        g_byte_array_append (all, g_bytes_get_data (output, NULL),
                             (guint) g_bytes_get_size (output));
    }
  return g_byte_array_free_to_bytes (all);
}

void
mproc_result_bind (MprocResult *self, MprocPoolLink *link)
{
  if (self->link == NULL)
    self->link = mproc_pool_link_ref (link);
}

MprocPoolLink *
mproc_result_get_link (MprocResult *self)
{
  return self->link;
}

MprocResult *
mproc_result_ref (MprocResult *self)
{
  g_return_val_if_fail (mproc_object_is (self, MPROC_KIND_RESULT), NULL);
  g_atomic_int_inc (&self->base.ref_count);
  return self;
}

void
mproc_result_unref (MprocResult *self)
{
  g_return_if_fail (self == NULL || mproc_object_is (self, MPROC_KIND_RESULT));
  if (self == NULL || !g_atomic_int_dec_and_test (&self->base.ref_count))
    return;
  free_parts (self);
  if (self->value != NULL)
    g_variant_unref (self->value);
  g_clear_error (&self->error);
  g_clear_pointer (&self->outputs, g_ptr_array_unref);
  mproc_pool_link_unref (self->link);
  g_mutex_clear (&self->mutex);
  g_cond_clear (&self->is_there);
  g_free (self);
}

gboolean
mproc_result_is_ready (MprocResult *self)
{
  g_return_val_if_fail (mproc_object_is (self, MPROC_KIND_RESULT), FALSE);
  return g_atomic_int_get (&self->ready);
}

gboolean
mproc_result_is_successful (MprocResult *self)
{
  g_return_val_if_fail (mproc_object_is (self, MPROC_KIND_RESULT), FALSE);
  g_return_val_if_fail (g_atomic_int_get (&self->ready), FALSE);
  return self->error == NULL;
}

gboolean
mproc_result_wait (MprocResult *self, gint64 timeout_us)
{
  gint64 deadline = mproc_deadline (timeout_us);
  gboolean in_time = TRUE;

  g_return_val_if_fail (mproc_object_is (self, MPROC_KIND_RESULT), FALSE);
  g_return_val_if_fail (timeout_us >= MPROC_FOREVER, FALSE);
  if (g_atomic_int_get (&self->ready))
    return TRUE;
  g_mutex_lock (&self->mutex);
  while (!self->ready && in_time)
    if (deadline == MPROC_OS_NEVER)
      g_cond_wait (&self->is_there, &self->mutex);
    else
      in_time = g_cond_wait_until (&self->is_there, &self->mutex, deadline);
  g_mutex_unlock (&self->mutex);
  return g_atomic_int_get (&self->ready);
}

GVariant *
mproc_result_get (MprocResult *self, gint64 timeout_us, GError **error)
{
  g_return_val_if_fail (mproc_object_is (self, MPROC_KIND_RESULT), NULL);
  g_return_val_if_fail (timeout_us >= MPROC_FOREVER, NULL);
  if (!mproc_result_wait (self, timeout_us))
    {
      g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_TIMED_OUT,
                           "the result is not there yet");
      return NULL;
    }
  if (self->value != NULL)
    return g_variant_ref (self->value);
  g_propagate_error (error, g_error_copy (self->error));
  return NULL;
}
