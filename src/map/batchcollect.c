/* SPDX-License-Identifier: MIT */
/* The pool's side of a batch's values. */
#include "map/batchvalues.h"

#include "values/ends.h"

#include <string.h>

typedef MprocBatchValuesHead Head;

#define IS_MESSAGE MPROC_BATCH_VALUES_MESSAGE

/* The values of a part. */
typedef struct
{
  const Head *head;
  const guint8 *bytes;
  const guint32 *ends;
} Part;

/* FALSE: there is nothing at @word. */
static gboolean
find_part (MprocOffset batch, guint32 word, Part *part)
{
  gsize size;
  const guint8 *values = mproc_batch_get_values (batch, word, &size);

  if (values == NULL)
    return FALSE;
  part->head = (const Head *) (gconstpointer) values;
  part->bytes = values + sizeof *part->head;
  part->ends =
      (const guint32 *) (gconstpointer) (part->bytes +
                                         mproc_batchvalues_align (part->head->size));
  return TRUE;
}

/* ------------------------------------------------------------------ one by one */

typedef struct
{
  const guint8 *bytes;
  gsize size;
  gboolean is_message;
} Value;

static Value
get_value (const Part *part, guint i)
{
  gsize start = i == 0 ? 0 : mproc_batchvalues_align (part->ends[i - 1] & ~IS_MESSAGE);
  Value value;

  value.bytes = part->bytes + start;
  value.size = (part->ends[i] & ~IS_MESSAGE) - start;
  value.is_message = (part->ends[i] & IS_MESSAGE) != 0;
  return value;
}

void
mproc_batchvalues_discard_all (MprocOffset batch)
{
  guint32 n_words = mproc_batch_count_words (batch);
  Part part;

  if (mproc_batch_get_plan (batch)->kind != MPROC_BATCH_VALUES)
    return;
  for (guint32 word = 0; word < n_words; word++)
    if (find_part (batch, word, &part) && part.head->n_messages > 0)
      for (guint i = 0; i < part.head->n; i++)
        {
          Value value = get_value (&part, i);

          if (value.is_message)
            mproc_message_discard (value.bytes, value.size);
        }
}

static gboolean
add_value (GVariantBuilder *all, const Value *value, GError **error)
{
  GVariant *child;

  if (value->is_message)
    {
      child = mproc_message_peek (value->bytes, value->size, error);
      if (child == NULL)
        return FALSE;
      g_variant_builder_add_value (all, g_variant_new_variant (child));
    }
  else
    {
      GBytes *copy = g_bytes_new (value->bytes, value->size);

      child = g_variant_new_from_bytes (G_VARIANT_TYPE_VARIANT, copy, TRUE);
      g_variant_builder_add_value (all, g_variant_ref_sink (child));
      g_bytes_unref (copy);
    }
  g_variant_unref (child);
  return TRUE;
}

/* Where messages are among them. */
static GVariant *
build (MprocOffset batch, GError **error)
{
  guint32 n_words = mproc_batch_count_words (batch);
  gboolean ok = TRUE;
  GVariantBuilder all;
  Part part;

  g_variant_builder_init (&all, G_VARIANT_TYPE ("av"));
  for (guint32 word = 0; ok && word < n_words; word++)
    if (find_part (batch, word, &part))
      for (guint i = 0; ok && i < part.head->n; i++)
        {
          Value value = get_value (&part, i);

          ok = add_value (&all, &value, error);
        }
  if (ok)
    return g_variant_ref_sink (g_variant_builder_end (&all));
  g_variant_builder_clear (&all);
  return NULL;
}

/* ------------------------------------------------------------------ part by part */

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
  Part part;

  for (guint32 word = 0; word < n_words; word++)
    if (find_part (batch, word, &part))
      {
        total->n += part.head->n;
        total->end = mproc_batchvalues_align (total->end) + part.head->size;
        total->has_messages |= part.head->n_messages > 0;
      }
}

/* Those of a part that begins at @start.  Returns where they end. */
static guint8 *
write_ends (guint8 *to, const Part *part, gsize start, guint size)
{
  if (size == 4)
    for (guint i = 0; i < part->head->n; i++, to += 4)
      {
        guint32 end = GUINT32_TO_LE ((guint32) (start + part->ends[i]));

        memcpy (to, &end, 4);
      }
  else
    for (guint i = 0; i < part->head->n; i++, to += size)
      {
        guint64 end = GUINT64_TO_LE ((guint64) start + part->ends[i]);

        memcpy (to, &end, size);
      }
  return to;
}

/* An `av` as it is serialized. */
static GVariant *
copy_together (MprocOffset batch, const Total *total)
{
  guint32 n_words = mproc_batch_count_words (batch);
  guint offset_size = mproc_end_size_behind (total->end, total->n);
  gsize size = total->end + total->n * offset_size;
  guint8 *bytes = g_malloc (size);
  guint8 *ends = bytes + total->end;
  gsize end = 0;
  Part part;

  for (guint32 word = 0; word < n_words; word++)
    if (find_part (batch, word, &part))
      {
        gsize start = mproc_batchvalues_align (end);

        memset (bytes + end, 0, start - end);
        memcpy (bytes + start, part.bytes, part.head->size);
        end = start + part.head->size;
        ends = write_ends (ends, &part, start, offset_size);
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
