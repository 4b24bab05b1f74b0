/* SPDX-License-Identifier: MIT */
#include "shared/listlayout.h"

#include <mproc/error.h>
#include <stdio.h>
#include <string.h>

#define WORD 8

/* What a format of eight letters can say. */
#define LARGEST_SLOT ((gsize) 9999992)

/* ------------------------------------------------------------------ where things lie */

static MprocAtomic64 *
word_at (const MprocListLayout *self, gsize offset)
{
  return (MprocAtomic64 *) (gpointer) (self->base + offset);
}

static gsize
slots_start (const MprocListLayout *self)
{
  return (self->n + 2) * WORD;
}

static MprocAtomic64 *
format_at (const MprocListLayout *self, gsize i)
{
  return word_at (self, slots_start (self) + self->slots_size + i * WORD);
}

/* One byte, read and written as such. */
static volatile guint8 *
code_at (const MprocListLayout *self, gsize i)
{
  return self->base + slots_start (self) + self->slots_size + self->n * WORD + i;
}

static gboolean
refuse_list (const char *why, GError **error)
{
  g_set_error (error, MPROC_ERROR, MPROC_ERROR_INVALID, "the block holds no list: %s",
               why);
  return FALSE;
}

static gboolean
refuse_item (gsize i, const char *why, GError **error)
{
  g_set_error (error, MPROC_ERROR, MPROC_ERROR_INVALID, "item %" G_GSIZE_FORMAT ": %s", i,
               why);
  return FALSE;
}

typedef struct
{
  gsize start; /* in the block */
  gsize size;
} Slot;

static gboolean
find_slot (const MprocListLayout *self, gsize i, Slot *slot, GError **error)
{
  guint64 start = mproc_load64 (word_at (self, (i + 1) * WORD));
  guint64 end = mproc_load64 (word_at (self, (i + 2) * WORD));

  if (start > end || end > self->slots_size || start % WORD != 0 || end % WORD != 0)
    return refuse_item (i, "its offsets in the block are wrong", error);
  slot->start = slots_start (self) + (gsize) start;
  slot->size = (gsize) (end - start);
  return TRUE;
}

/* ------------------------------------------------------------------ formats */

static const char *const formats[] = { "q", "d", "xxxxxxx?", NULL, NULL, "xxxxxx?x" };
static const guint8 codes[] = { 0, 0, 0, 1, 2, 3 };

/* Eight letters, without a zero at the end. */
typedef union
{
  guint64 word;
  char text[WORD];
} Format;

static gsize
format_length (const Format *format)
{
  gsize length = WORD;

  while (length > 0 && format->text[length - 1] == '\0')
    length--;
  return length;
}

static gboolean
is_format (const Format *format, const char *text)
{
  gsize length = format_length (format);

  return length == strlen (text) && memcmp (format->text, text, length) == 0;
}

/* The number before an s; G_MAXSIZE if that is not what it is. */
static gsize
format_size (const Format *format)
{
  gsize length = format_length (format);
  gsize size = 0;

  if (length < 2 || format->text[length - 1] != 's')
    return G_MAXSIZE;
  for (gsize i = 0; i < length - 1; i++)
    {
      if (!g_ascii_isdigit (format->text[i]))
        return G_MAXSIZE;
      size = size * 10 + (gsize) (format->text[i] - '0');
    }
  return size;
}

static Format
make_format (MprocItemType type, gsize slot_size)
{
  char text[24];
  Format format = { 0 };

  if (formats[type] != NULL)
    memcpy (format.text, formats[type], strlen (formats[type]));
  else
    {
      snprintf (text, sizeof text, "%" G_GSIZE_FORMAT "s", slot_size);
      memcpy (format.text, text, MIN (strlen (text), sizeof format.text));
    }
  return format;
}

static gboolean
has_size (MprocItemType type)
{
  return formats[type] == NULL;
}

/* ------------------------------------------------------------------ making one */

static gsize
slot_size (const MprocItem *item)
{
  return has_size (item->type) ? (item->size / WORD + 1) * WORD : WORD;
}

gsize
mproc_list_layout_measure (const MprocItem *items, gsize n, GError **error)
{
  gsize size = 2 * WORD;

  for (gsize i = 0; i < n; i++)
    {
      if (has_size (items[i].type) && items[i].size >= LARGEST_SLOT)
        {
          g_set_error (error, MPROC_ERROR, MPROC_ERROR_TOO_LARGE,
                       "item %" G_GSIZE_FORMAT " has %" G_GSIZE_FORMAT
                       " bytes; less than %" G_GSIZE_FORMAT " fit into a list",
                       i, items[i].size, LARGEST_SLOT);
          return 0;
        }
      size += WORD + slot_size (&items[i]) + WORD + 1;
    }
  return size;
}

/* The slot is large enough. */
static void
write_item (const MprocListLayout *self, gsize i, Slot slot, const MprocItem *item)
{
  guint64 bits = item->type == MPROC_ITEM_INTEGER ? (guint64) item->integer : 0;
  guint8 *to = self->base + slot.start;

  mproc_store64 (format_at (self, i), make_format (item->type, slot.size).word);
  *code_at (self, i) = codes[item->type];
  if (has_size (item->type))
    {
      if (item->size > 0)
        memcpy (to, item->data, item->size);
      memset (to + item->size, 0, slot.size - item->size);
      return;
    }
  if (item->type == MPROC_ITEM_DOUBLE)
    memcpy (&bits, &item->number, sizeof bits);
  if (item->type == MPROC_ITEM_BOOLEAN)
    ((guint8 *) &bits)[WORD - 1] = item->integer != 0;
  mproc_store64 (word_at (self, slot.start), bits);
}

void
mproc_list_layout_fill (MprocListLayout *self,
                        guint8 *base,
                        const MprocItem *items,
                        gsize n)
{
  gsize offset = 0;

  self->base = base;
  self->n = n;
  for (gsize i = 0; i < n; i++)
    {
      offset += slot_size (&items[i]);
      mproc_store64 (word_at (self, (i + 2) * WORD), offset);
    }
  self->slots_size = offset;
  offset = slots_start (self);
  for (gsize i = 0; i < n; i++)
    {
      Slot slot = { offset, slot_size (&items[i]) };

      write_item (self, i, slot, &items[i]);
      offset += slot.size;
    }
  mproc_store64 (word_at (self, 0), n);
}

/* ------------------------------------------------------------------ opening one */

/* Offsets are never changed in a list, so a wrong one is not somebody's work in progress. */
static gboolean
check_offsets (const MprocListLayout *self, GError **error)
{
  guint64 before = 0;

  for (gsize i = 0; i <= self->n; i++)
    {
      guint64 offset = mproc_load64 (word_at (self, (i + 1) * WORD));

      if (offset < before || offset > self->slots_size || offset % WORD != 0 ||
          (i == 0 && offset != 0))
        return refuse_list ("its offsets do not rise", error);
      before = offset;
    }
  return TRUE;
}

gboolean
mproc_list_layout_open (MprocListLayout *self, guint8 *base, gsize size, GError **error)
{
  const gsize each = 2 * WORD + 1; /* of the block, besides its slot */
  guint64 n, slots_size;

  self->base = base;
  if (size < 2 * WORD)
    return refuse_list ("it is too small", error);
  n = mproc_load64 (word_at (self, 0));
  if (n > (size - 2 * WORD) / each)
    return refuse_list ("it is too small for the number of items", error);
  self->n = (gsize) n;
  slots_size = mproc_load64 (word_at (self, (self->n + 1) * WORD));
  if (slots_size > size - 2 * WORD - self->n * each || slots_size % WORD != 0)
    return refuse_list ("it is too small for the items", error);
  self->slots_size = (gsize) slots_size;
  return check_offsets (self, error);
}

/* ------------------------------------------------------------------ reading */

static gboolean
find_type (const MprocListLayout *self,
           gsize i,
           Format *format,
           MprocItemType *type,
           GError **error)
{
  guint8 code = *code_at (self, i);

  format->word = mproc_load64 (format_at (self, i));
  for (MprocItemType t = MPROC_ITEM_INTEGER; t <= MPROC_ITEM_NOTHING; t++)
    if (codes[t] == code && (formats[t] != NULL ? is_format (format, formats[t])
                                                : format_size (format) != G_MAXSIZE))
      {
        *type = t;
        return TRUE;
      }
  return refuse_item (i, "its format is not known", error);
}

/* A copy, because what lies in the block may change between the check and the use. */
static GVariant *
read_sized (const guint8 *from, gsize size, gsize i, MprocItemType type, GError **error)
{
  char *copy = g_malloc (size + 1);
  GVariant *value = NULL;

  memcpy (copy, from, size);
  while (size > 0 && copy[size - 1] == '\0')
    size--;
  copy[size] = '\0';
  if (type == MPROC_ITEM_BYTES)
    value = g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, copy, size, 1);
  else if (g_utf8_validate (copy, (gssize) size, NULL))
    value = g_variant_new_string (copy);
  else
    refuse_item (i, "it is a text that is not UTF-8, or has a zero within", error);
  g_free (copy);
  return value;
}

static GVariant *
read_word (guint64 bits, MprocItemType type)
{
  double number;

  switch (type)
    {
    case MPROC_ITEM_INTEGER:
      return g_variant_new_int64 ((gint64) bits);
    case MPROC_ITEM_BOOLEAN:
      return g_variant_new_boolean (((guint8 *) &bits)[WORD - 1] != 0);
    case MPROC_ITEM_DOUBLE:
      memcpy (&number, &bits, sizeof number);
      return g_variant_new_double (number);
    default:
      return g_variant_new_maybe (G_VARIANT_TYPE_VARIANT, NULL);
    }
}

GVariant *
mproc_list_layout_get (const MprocListLayout *self, gsize i, GError **error)
{
  MprocItemType type;
  GVariant *value;
  Format format;
  Slot slot;

  if (!find_slot (self, i, &slot, error) || !find_type (self, i, &format, &type, error))
    return NULL;
  if ((has_size (type) ? format_size (&format) : WORD) > slot.size)
    {
      refuse_item (i, "its format is larger than its slot", error);
      return NULL;
    }
  if (has_size (type))
    value = read_sized (self->base + slot.start, format_size (&format), i, type, error);
  else
    value = read_word (mproc_load64 (word_at (self, slot.start)), type);
  return value == NULL ? NULL : g_variant_ref_sink (value);
}

gboolean
mproc_list_layout_append_format (const MprocListLayout *self,
                                 gsize i,
                                 GString *text,
                                 GError **error)
{
  MprocItemType type;
  Format format;

  if (!find_type (self, i, &format, &type, error))
    return FALSE;
  g_string_append_len (text, format.text, (gssize) format_length (&format));
  return TRUE;
}

/* ------------------------------------------------------------------ writing */

gboolean
mproc_list_layout_set (const MprocListLayout *self,
                       gsize i,
                       const MprocItem *item,
                       GError **error)
{
  gsize needed = has_size (item->type) ? item->size : WORD;
  Slot slot;

  if (!find_slot (self, i, &slot, error))
    return FALSE;
  if (slot.size == 0 || slot.size > LARGEST_SLOT)
    return refuse_item (i, "its slot has a size that none can have", error);
  if (needed > slot.size)
    {
      g_set_error (error, MPROC_ERROR, MPROC_ERROR_TOO_LARGE,
                   "item %" G_GSIZE_FORMAT " has room for %" G_GSIZE_FORMAT
                   " bytes, %" G_GSIZE_FORMAT " are too many",
                   i, slot.size, needed);
      return FALSE;
    }
  write_item (self, i, slot, item);
  return TRUE;
}
