/* SPDX-License-Identifier: MIT */
#include "shared/items.h"

#include "os.h"

#include <string.h>

/* What has so many pages begins at one, so that the program can do with them as it likes; what
 * is as large as a line of the cache, or larger, begins at one. */
#define N_PAGES_ALIGNED 16
#define CACHE_LINE 64

/* The data follow, somewhere behind the type. */
typedef struct
{
  MprocHandle lock; /* held as a message would; 0: none */
  guint32 data;     /* where they start, from here */
  guint64 length;
  char type[]; /* of all the items: an array's */
} Body;

G_STATIC_ASSERT (sizeof (Body) == 16);

/* ------------------------------------------------------------------ the body */

static gsize
choose_alignment (gsize size)
{
  if (size >= N_PAGES_ALIGNED * mproc_os_page_size ())
    return mproc_os_page_size ();
  return size >= CACHE_LINE ? CACHE_LINE : 16;
}

/* 0: more than there can be. */
static gsize
block_size (gsize head, gsize length, gsize size)
{
  gsize most = G_MAXSSIZE - head - mproc_os_page_size ();

  if (length > most / size)
    return 0;
  /* Blocks are aligned to 16 anyway. */
  return head + length * size + choose_alignment (length * size) - 16;
}

static MprocOffset
body_new (const char *type, gsize length, GError **error)
{
  gsize size = 0, head, total, alignment;
  MprocOffset offset;
  Body *body;

  mproc_fixed_check (type, &size, NULL);
  head = (sizeof (Body) + 1 + strlen (type) + 1 + 15) / 16 * 16;
  total = block_size (head, length, size);
  if (total == 0)
    {
      g_set_error (error, MPROC_ERROR, MPROC_ERROR_NO_MEMORY,
                   "%" G_GSIZE_FORMAT " items of %" G_GSIZE_FORMAT
                   " bytes are more than any memory has",
                   length, size);
      return 0;
    }
  offset = mproc_arena_alloc0 (total, error);
  if (offset == 0)
    return 0;
  body = mproc_arena_at (offset, total);
  alignment = choose_alignment (length * size);
  body->data =
      (guint32) ((offset + head + alignment - 1) / alignment * alignment - offset);
  body->length = length;
  body->type[0] = 'a';
  strcpy (body->type + 1, type);
  return offset;
}

/* The lock last: who is killed in between leaks it, and no more. */
void
mproc_items_destroy (MprocOffset offset)
{
  Body *body = mproc_arena_at (offset, sizeof (Body));
  MprocHandle lock = body->lock;

  mproc_arena_free (offset);
  mproc_crash_order ();
  mproc_lockref_drop (lock);
}

/* ------------------------------------------------------------------ the local object */

MprocObject *
mproc_items_open (const MprocClass *class_, MprocOffset offset, GError **error)
{
  MprocItems *self = g_new0 (MprocItems, 1);
  Body *body;

  (void) error;
  mproc_object_init (&self->plain.object, class_->kind);
  body = mproc_arena_at (offset, mproc_arena_block_size (offset));
  self->plain.offset = offset;
  self->plain.body = body;
  self->data = (guint8 *) body + body->data;
  self->length = (gsize) body->length;
  self->type = g_strdup (body->type);
  self->lock = body->lock;
  mproc_fixed_check (body->type + 1, &self->size, NULL);
  self->map = g_malloc (self->size);
  if (!mproc_fixed_map (body->type + 1, self->map))
    g_clear_pointer (&self->map, g_free);
  return &self->plain.object;
}

void
mproc_items_close (MprocObject *object)
{
  MprocItems *self = (MprocItems *) object;

  g_free (self->type);
  g_free (self->map);
  mproc_plain_close (object);
}

gpointer
mproc_items_new (const MprocClass *class_,
                 const char *type,
                 gsize length,
                 gpointer lock,
                 GError **error)
{
  MprocHandle handle;
  MprocOffset offset;

  if (!mproc_plain_prepare (error) || !mproc_lockref_take (lock, &handle, error))
    return NULL;
  offset = body_new (type, length, error);
  if (offset == 0)
    {
      mproc_lockref_drop (handle);
      return NULL;
    }
  ((Body *) mproc_arena_at (offset, sizeof (Body)))->lock = handle;
  return mproc_plain_new (class_, offset, error);
}

/* ------------------------------------------------------------------ the lock */

gpointer
mproc_items_get_lock (MprocItems *self)
{
  return mproc_lockref_get (&self->plain, self->lock);
}

MprocLockStatus
mproc_items_acquire (MprocItems *self, gint64 timeout_us)
{
  return mproc_lockref_acquire (mproc_items_get_lock (self), timeout_us);
}

gboolean
mproc_items_release (MprocItems *self, GError **error)
{
  return mproc_lockref_release (mproc_items_get_lock (self), error);
}

void
mproc_items_hold (MprocItems *self)
{
  if (self->lock != 0)
    mproc_items_acquire (self, MPROC_FOREVER);
}

void
mproc_items_let_go (MprocItems *self)
{
  if (self->lock != 0)
    mproc_items_release (self, NULL);
}

/* ------------------------------------------------------------------ copying */

/* An item's number wraps around where a step would lead out at the end: it is not used then. */
static void
copy_out (const MprocItems *self, const MprocSlice *slice, guint8 *to)
{
  gsize at = slice->first;

  if (slice->step == 1 && slice->n > 0)
    memcpy (to, self->data + at * self->size, slice->n * self->size);
  else
    for (gsize i = 0; i < slice->n; i++, at += (gsize) slice->step)
      memcpy (to + i * self->size, self->data + at * self->size, self->size);
}

static void
copy_in (const MprocItems *self, const MprocSlice *slice, const guint8 *from)
{
  gsize at = slice->first;

  if (slice->step == 1 && slice->n > 0)
    memcpy (self->data + at * self->size, from, slice->n * self->size);
  else
    for (gsize i = 0; i < slice->n; i++, at += (gsize) slice->step)
      memcpy (self->data + at * self->size, from + i * self->size, self->size);
}

GVariant *
mproc_items_read (MprocItems *self,
                  const MprocSlice *slice,
                  const GVariantType *type,
                  GError **error)
{
  gsize size = slice->n * self->size;
  guint8 *copy = g_try_malloc (size);

  if (copy == NULL && size > 0)
    {
      g_set_error (error, MPROC_ERROR, MPROC_ERROR_NO_MEMORY,
                   "there is no memory for a copy of %" G_GSIZE_FORMAT " bytes", size);
      return NULL;
    }
  mproc_items_hold (self);
  copy_out (self, slice, copy);
  mproc_items_let_go (self);
  if (self->map != NULL)
    mproc_fixed_make_normal (copy, slice->n, self->map, self->size);
  return g_variant_ref_sink (g_variant_new_from_data (type, copy, size, TRUE, g_free,
                                                      copy));
}

void
mproc_items_write (MprocItems *self, const MprocSlice *slice, GVariant *normal)
{
  const guint8 *data = g_variant_get_data (normal); /* which may have to be made */

  mproc_items_hold (self);
  copy_in (self, slice, data);
  mproc_items_let_go (self);
}

void
mproc_items_fill (MprocItems *self, GVariant *normal)
{
  if (g_variant_get_size (normal) > 0)
    memcpy (self->data, g_variant_get_data (normal), g_variant_get_size (normal));
}
