/* SPDX-License-Identifier: MIT */
#include "result/result.h"

#include "arena/word.h"
#include "family/object.h"
#include "pool/cancel.h"

struct MprocResult
{
  MprocObject base;
  GMutex mutex;
  GCond is_there;
  gint64 creator;            /* pid of the process that it comes to */
  MprocCallbacks *callbacks; /* of its pool; NULL: it has no thread */
  MprocResultHook hook;
  gpointer hook_data;
  gboolean has_callback;   /* has been given one */
  MprocCallback *callback; /* until it is due */
  gint ready;              /* set last; value and error do not change any more */
  MprocResultForm form;
  guint n_parts;
  guint n_missing;
  GVariant **parts;
  GPtrArray *outputs; /* of GBytes, by parts; NULL: nothing was captured */
  GVariant *value;
  GError *error;
  MprocPoolLink *link; /* to its pool, or what is left of it */
  gpointer job;        /* under that one's mutex */
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
mproc_result_new (MprocCallbacks *callbacks, guint n_parts, MprocResultForm form)
{
  MprocResult *self = g_new0 (MprocResult, 1);

  mproc_object_init (&self->base, MPROC_KIND_RESULT);
  self->creator = mproc_os_pid ();
  self->callbacks = mproc_callbacks_ref (callbacks);
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

MprocResult *
mproc_result_new_failed (GError *error)
{
  MprocResult *self = mproc_result_new (NULL, 1, MPROC_RESULT_VALUE);

  mproc_result_set_part (self, 0, NULL, error);
  return self;
}

void
mproc_result_set_hook (MprocResult *self, MprocResultHook hook, gpointer data)
{
  self->hook = hook;
  self->hook_data = data;
}

gpointer
mproc_result_get_hook_data (MprocResult *self)
{
  return self->hook_data;
}

gboolean
mproc_result_is_of_one (MprocResult *self)
{
  return self->form == MPROC_RESULT_VALUE;
}

void
mproc_result_set_job (MprocResult *self, gpointer job)
{
  self->job = job;
}

gpointer
mproc_result_get_job (MprocResult *self)
{
  return self->job;
}

/* A callback is set while it is not ready, and so has a pool that brings it. */
static void
announce (MprocResult *self, MprocCallback *callback)
{
  if (self->hook != NULL)
    self->hook (self->hook_data);
  if (callback == NULL)
    return;
  callback->result = mproc_result_ref (self);
  mproc_callbacks_add (self->callbacks, callback);
}

void
mproc_result_set_part (MprocResult *self, guint part, GVariant *value, GError *error)
{
  MprocCallback *callback = NULL;
  gboolean is_last;

  g_mutex_lock (&self->mutex);
  self->parts[part] = value;
  if (error != NULL && self->error == NULL)
    self->error = error;
  else if (error != NULL)
    g_error_free (error);
  is_last = --self->n_missing == 0;
  if (is_last)
    {
      make_ready (self);
      callback = g_steal_pointer (&self->callback);
    }
  g_mutex_unlock (&self->mutex);
  if (is_last)
    announce (self, callback);
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
  mproc_callbacks_unref (self->callbacks);
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

/* By whoever is in the process that made it, whose lock it is. */
static gboolean
is_mine (MprocResult *self)
{
  return self->creator == mproc_os_pid ();
}

/* Nobody brings it while the calling thread waits, or nobody ever. */
static gboolean
cannot_come (MprocResult *self)
{
  return !is_mine (self) || mproc_callbacks_are_mine (self->callbacks);
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
  if (cannot_come (self))
    return FALSE;
  g_mutex_lock (&self->mutex);
  while (!self->ready && in_time)
    if (deadline == MPROC_OS_NEVER)
      g_cond_wait (&self->is_there, &self->mutex);
    else
      in_time = g_cond_wait_until (&self->is_there, &self->mutex, deadline);
  g_mutex_unlock (&self->mutex);
  return g_atomic_int_get (&self->ready);
}

static void
tell_why_not_ready (MprocResult *self, gint64 timeout_us, GError **error)
{
  if (!is_mine (self))
    g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_STATE,
                         "the result comes to the process that asked for it, and this is "
                         "another one, forked since");
  else if (timeout_us != 0 && mproc_callbacks_are_mine (self->callbacks))
    g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_STATE,
                         "the result is not there yet, and cannot come while the pool's "
                         "thread waits for it: set a callback");
  else
    g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_TIMED_OUT,
                         "the result is not there yet");
}

GVariant *
mproc_result_get (MprocResult *self, gint64 timeout_us, GError **error)
{
  g_return_val_if_fail (mproc_object_is (self, MPROC_KIND_RESULT), NULL);
  g_return_val_if_fail (timeout_us >= MPROC_FOREVER, NULL);
  if (!mproc_result_wait (self, timeout_us))
    {
      tell_why_not_ready (self, timeout_us, error);
      return NULL;
    }
  if (self->value != NULL)
    return g_variant_ref (self->value);
  g_propagate_error (error, g_error_copy (self->error));
  return NULL;
}

GVariant *
mproc_result_take (MprocResult *self, GError **error)
{
  GVariant *value;

  if (self == NULL)
    return NULL;
  value = mproc_result_get (self, MPROC_FOREVER, error);
  mproc_result_unref (self);
  return value;
}

/* ------------------------------------------------------------------ callback */

/* FALSE: it has one. */
static gboolean
claim_callback (MprocResult *self)
{
  gboolean had_one;

  g_mutex_lock (&self->mutex);
  had_one = self->has_callback;
  self->has_callback = TRUE;
  g_mutex_unlock (&self->mutex);
  return !had_one;
}

/* FALSE: it is ready, and nobody looks for a callback any more. */
static gboolean
leave_callback (MprocResult *self, MprocCallback *callback)
{
  gboolean is_ready;

  g_mutex_lock (&self->mutex);
  is_ready = self->ready;
  if (!is_ready)
    self->callback = callback;
  g_mutex_unlock (&self->mutex);
  return !is_ready;
}

void
mproc_result_set_callback (MprocResult *self,
                           GMainContext *context,
                           MprocResultFunc func,
                           gpointer user_data,
                           GDestroyNotify destroy)
{
  MprocCallback *callback;

  g_return_if_fail (mproc_object_is (self, MPROC_KIND_RESULT));
  g_return_if_fail (func != NULL && is_mine (self));
  g_return_if_fail (claim_callback (self));

  callback = g_new0 (MprocCallback, 1);
  *callback = (MprocCallback){ NULL, func, user_data, destroy, NULL };
  if (context != NULL)
    callback->context = g_main_context_ref (context);
  if (leave_callback (self, callback))
    return;
  callback->result = mproc_result_ref (self);
  if (context != NULL)
    mproc_callbacks_add (NULL, callback);
  else
    mproc_callback_call (callback);
}
