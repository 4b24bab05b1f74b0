/* SPDX-License-Identifier: MIT */
#include "map/batchvalues.h"

#include "values/types.h"

#include <string.h>

typedef struct
{
  guint32 size; /* of what follows, without what fills its last unit */
  guint32 is_message;
} Head;

static gsize
round8 (gsize size)
{
  return (size + 7) / 8 * 8;
}

/* ------------------------------------------------------------------ in the worker */

/* Room for a value of @size bytes. */
static guint8 *
grow (GByteArray *values, gsize size, gboolean is_message, GError **error)
{
  Head head = { (guint32) size, is_message };
  gsize whole = sizeof head + round8 (size);
  guint at = values->len;

  if (size > G_MAXUINT32 / 2 || whole > G_MAXUINT32 / 2 - at)
    {
      g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_TOO_LARGE,
                           "the values of one part of a map have more than 2 GiB");
      return NULL;
    }
  g_byte_array_set_size (values, (guint) (at + whole));
  memcpy (values->data + at, &head, sizeof head);
  return values->data + at + sizeof head;
}

static gboolean
append_plain (GByteArray *values, GVariant *value, GError **error)
{
  const char *type = g_variant_get_type_string (value);
  gsize type_length = strlen (type);
  gsize size = g_variant_get_size (value);
  guint8 *to = grow (values, size + 1 + type_length, FALSE, error);

  if (to == NULL)
    return FALSE;
  if (g_variant_is_container (value))
    mproc_types_keep (g_variant_get_type (value));
  g_variant_store (value, to);
  to[size] = 0;
  memcpy (to + size + 1, type, type_length);
  return TRUE;
}

static gboolean
append_message (GByteArray *values, GVariant *value, GError **error)
{
  MprocMessage message;
  gboolean has_handles, ok;
  guint8 *to = NULL;

  if (!mproc_message_init (&message, value, error))
    return FALSE;
  has_handles = message.handles != NULL && message.handles->len > 0;
  if (has_handles)
    to = grow (values, message.size, TRUE, error);
  if (to != NULL)
    mproc_message_store (&message, to);
  ok = has_handles ? to != NULL : append_plain (values, value, error);
  mproc_message_clear (&message, ok);
  return ok;
}

gboolean
mproc_batchvalues_append (GByteArray *values, GVariant *value, GError **error)
{
  if (strpbrk (g_variant_get_type_string (value), "hv") == NULL)
    return append_plain (values, value, error);
  return append_message (values, value, error);
}

/* ------------------------------------------------------------------ in the pool */

typedef struct
{
  const guint8 *at;
  const guint8 *end;
} Reader;

static gboolean
read_next (Reader *self, Head *head, const guint8 **value)
{
  if (self->at >= self->end)
    return FALSE;
  memcpy (head, self->at, sizeof *head);
  *value = self->at + sizeof *head;
  self->at = *value + round8 (head->size);
  return TRUE;
}

/* FALSE: there is nothing at @word. */
static gboolean
read_part (Reader *self, MprocOffset batch, guint32 word)
{
  gsize size = 0;

  self->at = mproc_batch_get_values (batch, word, &size);
  self->end = self->at != NULL ? self->at + size : NULL;
  return self->at != NULL;
}

void
mproc_batchvalues_discard (gconstpointer values, gsize size)
{
  Reader reader = { values, (const guint8 *) values + size };
  const guint8 *value;
  Head head;

  while (read_next (&reader, &head, &value))
    if (head.is_message)
      mproc_message_discard (value, head.size);
}

void
mproc_batchvalues_discard_all (MprocOffset batch)
{
  guint32 n_words = mproc_batch_count_words (batch);

  if (mproc_batch_get_plan (batch)->kind != MPROC_BATCH_VALUES)
    return;
  for (guint32 word = 0; word < n_words; word++)
    {
      gsize size = 0;
      gconstpointer values = mproc_batch_get_values (batch, word, &size);

      if (values != NULL)
        mproc_batchvalues_discard (values, size);
    }
}

/* Where messages are among them: children one by one. */
static GVariant *
build (MprocOffset batch, GError **error)
{
  guint32 n_words = mproc_batch_count_words (batch);
  gboolean ok = TRUE;
  GVariantBuilder all;

  g_variant_builder_init (&all, G_VARIANT_TYPE ("av"));
  for (guint32 word = 0; ok && word < n_words; word++)
    {
      Reader reader;
      const guint8 *bytes;
      Head head;

      read_part (&reader, batch, word);
      while (ok && read_next (&reader, &head, &bytes))
        {
          GVariant *value;

          if (head.is_message)
            {
              value = mproc_message_peek (bytes, head.size, error);
              ok = value != NULL;
              if (ok)
                g_variant_builder_add_value (&all, g_variant_new_variant (value));
            }
          else
            {
              GBytes *copy = g_bytes_new (bytes, head.size);

              value =
                  g_variant_ref_sink (g_variant_new_from_bytes (G_VARIANT_TYPE_VARIANT,
                                                                copy, TRUE));
              g_variant_builder_add_value (&all, value);
              g_bytes_unref (copy);
            }
          g_clear_pointer (&value, g_variant_unref);
        }
    }
  if (ok)
    return g_variant_ref_sink (g_variant_builder_end (&all));
  g_variant_builder_clear (&all);
  return NULL;
}

typedef struct
{
  gsize n;
  gsize end; /* of the last one */
  gboolean has_messages;
} Total;

static void
count (MprocOffset batch, Total *total)
{
  guint32 n_words = mproc_batch_count_words (batch);

  for (guint32 word = 0; word < n_words; word++)
    {
      Reader reader;
      const guint8 *value;
      Head head;

      read_part (&reader, batch, word);
      while (read_next (&reader, &head, &value))
        {
          total->n++;
          total->end = round8 (total->end) + head.size;
          total->has_messages |= head.is_message != 0;
        }
    }
}

/* Behind an array's items stand their ends, each in as many bytes as the array's size asks for. */
static guint
choose_offset_size (const Total *total)
{
  guint size = 1;

  while (size < 8 && (guint64) total->end + total->n * size >
                         (G_GUINT64_CONSTANT (1) << 8 * size) - 1)
    size *= 2;
  return size;
}

static void
write_offset (guint8 *to, guint64 offset, guint size)
{
  offset = GUINT64_TO_LE (offset);
  memcpy (to, &offset, size);
}

/* An `av` as it is serialized. */
static GVariant *
copy_together (MprocOffset batch, const Total *total)
{
  guint32 n_words = mproc_batch_count_words (batch);
  guint offset_size = choose_offset_size (total);
  gsize size = total->end + total->n * offset_size;
  guint8 *bytes = g_malloc (size);
  guint8 *offsets = bytes + total->end;
  gsize end = 0;

  for (guint32 word = 0; word < n_words; word++)
    {
      Reader reader;
      const guint8 *value;
      Head head;

      read_part (&reader, batch, word);
      for (; read_next (&reader, &head, &value); offsets += offset_size)
        {
          gsize start = round8 (end);

          memset (bytes + end, 0, start - end);
          memcpy (bytes + start, value, head.size);
          end = start + head.size;
          write_offset (offsets, end, offset_size);
        }
    }
  return g_variant_ref_sink (g_variant_new_from_data (G_VARIANT_TYPE ("av"), bytes, size,
                                                      TRUE, g_free, bytes));
}

GVariant *
mproc_batchvalues_collect (MprocOffset batch, GError **error)
{
  Total total = { 0, 0, FALSE };

  count (batch, &total);
  return total.has_messages ? build (batch, error) : copy_together (batch, &total);
}
