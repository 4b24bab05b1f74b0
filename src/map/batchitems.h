/* SPDX-License-Identifier: MIT */
/* The items of a batch of values, as its workers give them to the function.
 *
 * A function may keep its item, while the batch goes.  So what it is given are children of a copy, made of
 * some items at once: GLib takes three times as long to make a child as to copy its bytes. */
#ifndef MPROC_BATCH_ITEMS_H
#define MPROC_BATCH_ITEMS_H

#include "map/batch.h"

G_BEGIN_DECLS

typedef struct
{
  GVariant *all;
  gboolean is_view; /* it lies in the arena */
  gsize n;
  const guint8 *bytes;
  gsize size;
  const GVariantType *type; /* of the items of an array; NULL: they are in none */
  gboolean is_basic;
  gsize alignment;
  gsize fixed_size; /* of an item; 0: each has its own */

  GVariant *copy; /* of the items from @first to @end; NULL: none */
  guint64 first;
  guint64 end;
} MprocBatchItems;

/* FALSE with error: they cannot be had. */
gboolean mproc_batchitems_open (MprocBatchItems *self, MprocOffset batch, GError **error);

/* Item @i, or what is inside of it, a full reference.  Those behind it up to @end will be asked for next. */
GVariant *mproc_batchitems_get (MprocBatchItems *self, guint64 i, guint64 end);

void mproc_batchitems_close (MprocBatchItems *self);

G_END_DECLS

#endif
