/* SPDX-License-Identifier: MIT */
#include "map/batchitems.h"

#include "values/ends.h"
#include "worker/task.h"

#include <string.h>

/* So much is copied at once; and so much more memory a function keeps with an item. */
#define MOST_BYTES 16384

/* ------------------------------------------------------------------ arrays as they are serialized */

/* A container has that of its largest member, however deep that lies. */
static gsize
find_alignment (const char *type)
{
  if (type[strcspn (type, "xtdv")] != '\0')
    return 8;
  if (type[strcspn (type, "iuh")] != '\0')
    return 4;
  return type[strcspn (type, "nq")] != '\0' ? 2 : 1;
}

static void
learn_layout (MprocBatchItems *self)
{
  const char *type = g_variant_get_type_string (self->all);

  self->n = g_variant_n_children (self->all);
  if (*type != 'a' || self->n == 0)
    return;
  self->type = g_variant_type_element (g_variant_get_type (self->all));
  self->is_basic = g_variant_type_is_basic (self->type);
  self->bytes = g_variant_get_data (self->all);
  self->size = g_variant_get_size (self->all);
  self->alignment = find_alignment (type + 1);
  if (type[1 + strcspn (type + 1, "asogvm")] == '\0')
    self->fixed_size = self->size / self->n;
}

static gsize
read_end (const MprocBatchItems *self, guint64 i)
{
  guint n = mproc_end_size (self->size);
  guint64 end = 0;

  memcpy (&end, self->bytes + self->size - (self->n - i) * n, n);
  return (gsize) GUINT64_FROM_LE (end);
}

static gsize
find_start (const MprocBatchItems *self, guint64 i)
{
  gsize end = i > 0 ? read_end (self, i - 1) : 0;

  return (end + self->alignment - 1) / self->alignment * self->alignment;
}

/* ------------------------------------------------------------------ copies */

static GVariant *
new_value (const GVariantType *type, gpointer bytes, gsize size)
{
  return g_variant_ref_sink (g_variant_new_from_data (type, bytes, size, TRUE, g_free,
                                                      bytes));
}

static GVariant *
copy_fixed (MprocBatchItems *self, guint64 first, guint64 end)
{
  guint64 n = MIN (end - first, MAX (MOST_BYTES / self->fixed_size, 1));
  gsize size = (gsize) n * self->fixed_size;
  gpointer bytes = g_malloc (size);

  self->end = first + n;
  memcpy (bytes, self->bytes + first * self->fixed_size, size);
  return new_value (g_variant_get_type (self->all), bytes, size);
}

/* Up to where items go together; @first if an end is not where one can be, as in what was no proper form
 * already when it was handed over. */
static guint64
find_last (const MprocBatchItems *self, guint64 first, guint64 end)
{
  gsize start = find_start (self, first);
  gsize most = self->size - self->n * mproc_end_size (self->size);
  gsize before = start;
  guint64 i = first;

  for (; i < end; i++)
    {
      gsize at = read_end (self, i);

      if (find_start (self, i) > at || at < before || at > most)
        return first;
      if (at - start > MOST_BYTES && i > first)
        break;
      before = at;
    }
  return i;
}

/* NULL: it has to be done another way. */
static GVariant *
copy_varying (MprocBatchItems *self, guint64 first, guint64 end)
{
  guint64 last;
  gsize start, body, size;
  guint n, offset_size;
  guint8 *bytes;

  if (self->size / self->n < 1)
    return NULL;
  last = find_last (self, first, end);
  if (last == first)
    return NULL;
  n = (guint) (last - first);
  start = find_start (self, first);
  body = read_end (self, last - 1) - start;
  offset_size = mproc_end_size_behind (body, n);
  size = body + (gsize) n * offset_size;
  bytes = g_malloc (size);
  memcpy (bytes, self->bytes + start, body);
  for (guint i = 0; i < n; i++)
    {
      guint64 at = GUINT64_TO_LE ((guint64) (read_end (self, first + i) - start));

      memcpy (bytes + body + (gsize) i * offset_size, &at, offset_size);
    }
  self->end = last;
  return new_value (g_variant_get_type (self->all), bytes, size);
}

/* One that is in no array. */
static GVariant *
copy_child (MprocBatchItems *self, guint64 i)
{
  GVariant *item = mproc_get_item (self->all, (gsize) i);
  gsize size = g_variant_get_size (item);
  gpointer bytes = g_malloc (size);
  GVariant *copy;

  if (size > 0)
    memcpy (bytes, g_variant_get_data (item), size);
  copy = new_value (g_variant_get_type (item), bytes, size);
  g_variant_unref (item);
  return copy;
}

/* A number, or the last one to come. */
static GVariant *
copy_one (MprocBatchItems *self, guint64 i)
{
  gsize size = self->fixed_size;
  gpointer bytes = g_malloc (size);

  memcpy (bytes, self->bytes + i * size, size);
  return new_value (self->type, bytes, size);
}

static gboolean
copy_some (MprocBatchItems *self, guint64 first, guint64 end)
{
  g_clear_pointer (&self->copy, g_variant_unref);
  self->first = self->end = first;
  if (self->type != NULL)
    self->copy = self->fixed_size > 0 ? copy_fixed (self, first, end)
                                      : copy_varying (self, first, end);
  return self->copy != NULL;
}

/* ------------------------------------------------------------------ for the worker */

gboolean
mproc_batchitems_open (MprocBatchItems *self, MprocOffset batch, GError **error)
{
  gsize size;
  gconstpointer bytes = mproc_batch_get_args (batch, &size);
  guint n_handles;

  memset (self, 0, sizeof *self);
  mproc_message_get_handles (bytes, size, &n_handles);
  self->is_view = n_handles == 0;
  self->all = self->is_view ? mproc_message_view (bytes, size)
                            : mproc_message_peek (bytes, size, error);
  if (self->all != NULL && self->is_view)
    learn_layout (self);
  return self->all != NULL;
}

GVariant *
mproc_batchitems_get (MprocBatchItems *self, guint64 i, guint64 end)
{
  if (!self->is_view)
    return mproc_get_item (self->all, (gsize) i);
  if (self->fixed_size > 0 && (self->is_basic || end - i == 1))
    return copy_one (self, i);
  if ((i < self->first || i >= self->end) && !copy_some (self, i, end))
    return copy_child (self, i);
  return mproc_get_item (self->copy, (gsize) (i - self->first));
}

void
mproc_batchitems_close (MprocBatchItems *self)
{
  g_clear_pointer (&self->copy, g_variant_unref);
  g_clear_pointer (&self->all, g_variant_unref);
}
