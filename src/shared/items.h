/* SPDX-License-Identifier: MIT */
/* What a shared value and a shared array have in common: items of one type in a block of the
 * arena, and the lock that guards them, which may be none. */
#ifndef MPROC_ITEMS_H
#define MPROC_ITEMS_H

#include "sync/lockref.h"
#include "values/fixed.h"

G_BEGIN_DECLS

typedef struct
{
  MprocPlain plain;
  guint8 *data;
  gsize length; /* how many */
  gsize size;   /* of each */
  /* Of all: an array's; that of one is behind its first letter.  A copy, since the body's may share
   * a cache line with the items, which others write. */
  char *type;
  MprocHandle lock; /* 0: none */
  guint8 *map;      /* as mproc_fixed_map says; NULL: nothing has to be made normal */
} MprocItems;

/* Some of the items: these from @first on, each @step behind the one before. */
typedef struct
{
  gsize first;
  gsize n;
  gssize step;
} MprocSlice;

/* Makes items of zeros, at least one, of a type that mproc_fixed_check has passed. */
gpointer mproc_items_new (const MprocClass *class_,
                          const char *type,
                          gsize length,
                          gpointer lock,
                          GError **error);

/* The functions of both classes. */
MprocObject *
mproc_items_open (const MprocClass *class_, MprocOffset body, GError **error);
void mproc_items_close (MprocObject *object);
void mproc_items_destroy (MprocOffset body);

static inline const GVariantType *
mproc_items_type (const MprocItems *self)
{
  return (const GVariantType *) self->type;
}

static inline const GVariantType *
mproc_items_item_type (const MprocItems *self)
{
  return (const GVariantType *) (self->type + 1);
}

/* NULL: it has none. */
gpointer mproc_items_get_lock (MprocItems *self);

/* For those that have one. */
MprocLockStatus mproc_items_acquire (MprocItems *self, gint64 timeout_us);
gboolean mproc_items_release (MprocItems *self, GError **error);

/* Acquires the lock, if there is one, whatever has become of its last owner. */
void mproc_items_hold (MprocItems *self);
void mproc_items_let_go (MprocItems *self);

/* Copies, with the lock held: out, as a GVariant of @type (transfer full), the items' own or that
 * of one, or NULL with MPROC_ERROR_NO_MEMORY; and in, from a value in normal form with just as
 * many. */
GVariant *mproc_items_read (MprocItems *self,
                            const MprocSlice *slice,
                            const GVariantType *type,
                            GError **error);
void mproc_items_write (MprocItems *self, const MprocSlice *slice, GVariant *normal);

/* For new ones, which nobody else knows yet: copies a value in normal form to the front. */
void mproc_items_fill (MprocItems *self, GVariant *normal);

G_END_DECLS

#endif
