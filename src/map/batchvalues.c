/* SPDX-License-Identifier: MIT */
/* The worker's side of a part's values. */
#include "map/batchvalues.h"

#include "values/fixed.h"
#include "values/types.h"
#include "worker/task.h"

#include <string.h>

typedef MprocBatchValuesHead Head;

#define IS_MESSAGE MPROC_BATCH_VALUES_MESSAGE

/* ------------------------------------------------------------------ room */

static void
grow (MprocBatchValues *self, gsize size)
{
  if (size <= self->room)
    return;
  self->room = MAX (size, MAX (self->room * 2, 1024));
  self->bytes = g_realloc (self->bytes, self->room);
}

static void
add_end (MprocBatchValues *self, guint32 end)
{
  if (self->n == self->room_for_ends)
    {
      self->room_for_ends = MAX (self->room_for_ends * 2, 64);
      self->ends = g_renew (guint32, self->ends, self->room_for_ends);
    }
  self->ends[self->n++] = end;
}

/* Room for one of @size bytes, and its end; NULL with error. */
static guint8 *
add (MprocBatchValues *self, gsize size, guint32 flag, GError **error)
{
  gsize head = sizeof (Head);
  gsize start = MAX (mproc_batchvalues_align (self->size), head);

  if (size > G_MAXINT32 || start + size > G_MAXINT32 - 8)
    {
      g_set_error_literal (
          error, MPROC_ERROR, MPROC_ERROR_TOO_LARGE,
          "the values of one part of a map have more than 2 GiB; use smaller chunks");
      return NULL;
    }
  grow (self, start + size);
  /* What lies between two values is copied with them. */
  if (self->n > 0)
    memset (self->bytes + self->size, 0, start - self->size);
  self->size = start + size;
  self->n_messages += flag != 0;
  add_end (self, (guint32) (self->size - head) | flag);
  return self->bytes + start;
}

/* ------------------------------------------------------------------ values */

/* A type's string stays where it is as long as some value has the type. */
static void
learn_type (MprocBatchValues *self, GVariant *value)
{
  const GVariantType *type = g_variant_get_type (value);
  GVariant *sample = g_variant_new_from_data (type, NULL, 0, FALSE, NULL, NULL);

  mproc_types_keep (type);
  g_clear_pointer (&self->sample, g_variant_unref);
  self->sample = g_variant_ref_sink (sample);
  self->type = g_variant_get_type_string (value);
  self->type_length = strlen (self->type);
  self->may_have_handles = strpbrk (self->type, "hv") != NULL;
  if (!mproc_fixed_check (self->type, &self->fixed_size, NULL))
    self->fixed_size = 0;
}

static gboolean
append_plain (MprocBatchValues *self, GVariant *value, GError **error)
{
  gsize size = self->fixed_size != 0 ? self->fixed_size : g_variant_get_size (value);
  guint8 *to = add (self, size + 1 + self->type_length, 0, error);

  if (to == NULL)
    return FALSE;
  g_variant_store (value, to);
  to[size] = 0;
  memcpy (to + size + 1, self->type, self->type_length);
  return TRUE;
}

static gboolean
append_message (MprocBatchValues *self, GVariant *value, GError **error)
{
  MprocMessage message;
  gboolean ok;
  guint8 *to = NULL;

  /* The caller's reference may be the floating one, which the message would take. */
  if (!mproc_message_init (&message, g_variant_take_ref (value), error))
    return FALSE;
  if (!mproc_task_check_result (&message, error))
    ok = FALSE;
  else if (message.handles == NULL || message.handles->len == 0)
    ok = append_plain (self, value, error);
  else
    {
      to = add (self, message.size, IS_MESSAGE, error);
      ok = to != NULL;
      if (ok)
        mproc_message_store (&message, to);
    }
  mproc_message_clear (&message, ok);
  return ok;
}

gboolean
mproc_batchvalues_append (MprocBatchValues *self, GVariant *value, GError **error)
{
  if (g_variant_get_type_string (value) != self->type)
    learn_type (self, value);
  return self->may_have_handles ? append_message (self, value, error)
                                : append_plain (self, value, error);
}

/* ------------------------------------------------------------------ all of them */

gconstpointer
mproc_batchvalues_finish (MprocBatchValues *self, gsize *size)
{
  Head head = { self->n, (guint32) (self->size - sizeof head), self->n_messages, 0 };
  gsize start = mproc_batchvalues_align (self->size);
  gsize size_of_ends = self->n * sizeof *self->ends;

  *size = mproc_batchvalues_align (start + size_of_ends);
  grow (self, *size);
  memcpy (self->bytes, &head, sizeof head);
  memset (self->bytes + self->size, 0, start - self->size);
  memcpy (self->bytes + start, self->ends, size_of_ends);
  memset (self->bytes + start + size_of_ends, 0, *size - start - size_of_ends);
  /* What messages carry is the batch's now. */
  self->n_messages = 0;
  return self->bytes;
}

static void
discard_messages (MprocBatchValues *self)
{
  gsize start = sizeof (Head);

  for (guint i = 0; self->n_messages > 0 && i < self->n; i++)
    {
      gsize end = sizeof (Head) + (self->ends[i] & ~IS_MESSAGE);

      if ((self->ends[i] & IS_MESSAGE) != 0)
        mproc_message_discard (self->bytes + start, end - start);
      start = mproc_batchvalues_align (end);
    }
}

void
mproc_batchvalues_reset (MprocBatchValues *self)
{
  discard_messages (self);
  self->n_messages = 0;
  self->size = 0;
  self->n = 0;
}

void
mproc_batchvalues_clear (MprocBatchValues *self)
{
  mproc_batchvalues_reset (self);
  g_clear_pointer (&self->sample, g_variant_unref);
  g_free (self->bytes);
  g_free (self->ends);
}
