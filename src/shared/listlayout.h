/* SPDX-License-Identifier: MIT */
/* How a list lies in its block, byte for byte as Python's ShareableList lays it out:
 *
 *   int64         n, the number of items
 *   int64[n + 1]  where each item's slot starts, from the start of the slots; the last: their end
 *   ...           the slots, each a multiple of 8 bytes
 *   char[8][n]    the format in which each item is packed, padded with zeros
 *   int8[n]       what an unpacked item is turned back into
 *
 *   format      code  item
 *   q           0     an integer
 *   d           0     a double
 *   xxxxxxx?    0     a boolean
 *   8s, 16s...  1     a text, padded with zeros
 *   8s, 16s...  2     bytes, padded with zeros
 *   xxxxxx?x    3     nothing
 *
 * The block may have been written by anybody, who may be writing it still: each field is read
 * once, and checked before it is used.  Where formats and codes lie is settled when the list is
 * opened. */
#ifndef MPROC_LIST_LAYOUT_H
#define MPROC_LIST_LAYOUT_H

#include "atomic.h"

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  MPROC_ITEM_INTEGER,
  MPROC_ITEM_DOUBLE,
  MPROC_ITEM_BOOLEAN,
  MPROC_ITEM_TEXT,
  MPROC_ITEM_BYTES,
  MPROC_ITEM_NOTHING
} MprocItemType;

typedef struct
{
  MprocItemType type;
  gint64 integer; /* of a boolean too */
  double number;
  gconstpointer data; /* of texts and bytes, in @value */
  gsize size;
  GVariant *value; /* ours */
} MprocItem;

typedef struct
{
  guint8 *base; /* a multiple of 8 */
  gsize n;
  gsize slots_size;
} MprocListLayout;

/* What @value, boxed or not, is as an item.  MPROC_ERROR_INVALID. */
gboolean mproc_item_init (MprocItem *self, GVariant *value, GError **error);
void mproc_item_clear (MprocItem *self);

/* As Python compares: 1, 1.0 and true are equal. */
gboolean mproc_item_equal (const MprocItem *a, const MprocItem *b);

/* How large a block is that holds these items.  0 with error: MPROC_ERROR_TOO_LARGE. */
gsize mproc_list_layout_measure (const MprocItem *items, gsize n, GError **error);

/* Fills in a block of zeros that is large enough.  The number comes last, so that whoever
 * opens the list too early sees one without items. */
void mproc_list_layout_fill (MprocListLayout *self,
                             guint8 *base,
                             const MprocItem *items,
                             gsize n);

/* MPROC_ERROR_INVALID: that is no list. */
gboolean
mproc_list_layout_open (MprocListLayout *self, guint8 *base, gsize size, GError **error);

/* The item (transfer full), NULL with MPROC_ERROR_INVALID.  @i is less than n in these
 * three. */
GVariant *mproc_list_layout_get (const MprocListLayout *self, gsize i, GError **error);

/* MPROC_ERROR_TOO_LARGE: it does not fit, and nothing is changed. */
gboolean mproc_list_layout_set (const MprocListLayout *self,
                                gsize i,
                                const MprocItem *item,
                                GError **error);

/* Appends the format of one item. */
gboolean mproc_list_layout_append_format (const MprocListLayout *self,
                                          gsize i,
                                          GString *text,
                                          GError **error);

G_END_DECLS

#endif
