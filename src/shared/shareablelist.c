/* SPDX-License-Identifier: MIT */
/* A list is a block of memory with a name and a layout in it (listlayout.h).  Its body names the
 * block and holds it as a message would, so that the block's entry is there as long as the
 * list's. */
#include "family/classes.h"
#include "family/plain.h"
#include "shared/listlayout.h"
#include "shared/sharedmemory.h"

typedef struct
{
  guint32 memory; /* handle of the block */
  guint32 unused;
  guint64 memory_body; /* offset of its body */
} Body;

G_STATIC_ASSERT (sizeof (Body) == 16);

struct MprocShareableList
{
  MprocObject object;
  MprocSharedMemory *memory;
  MprocListLayout layout;
};

#define IS_LIST(self) mproc_object_is (self, MPROC_KIND_LIST)

/* ------------------------------------------------------------------ the class */

static MprocShareableList *
object_new (MprocSharedMemory *memory)
{
  MprocShareableList *self = g_new0 (MprocShareableList, 1);

  mproc_object_init (&self->object, MPROC_KIND_LIST);
  self->memory = memory;
  return self;
}

static gboolean
read_layout (MprocShareableList *self, GError **error)
{
  gsize size = 0;
  guint8 *base = mproc_shared_memory_get_data (self->memory, &size);

  return mproc_list_layout_open (&self->layout, base, size, error);
}

/* The local lock is held: the block cannot be looked for among those that are open. */
static MprocObject *
open_object (const MprocClass *class_, MprocOffset offset, GError **error)
{
  const Body *body = mproc_arena_at (offset, sizeof (Body));
  MprocSharedMemory *memory = mproc_shared_memory_duplicate ((MprocHandle) body->memory,
                                                             body->memory_body, error);
  MprocShareableList *self;

  (void) class_;
  if (memory == NULL)
    return NULL;
  self = object_new (memory);
  if (read_layout (self, error))
    return &self->object;
  mproc_shared_memory_discard (memory);
  g_free (self);
  return NULL;
}

static void
close_object (MprocObject *object)
{
  MprocShareableList *self = (MprocShareableList *) object;

  mproc_shared_memory_unref (self->memory);
  g_free (self);
}

static void
destroy_body (MprocOffset offset)
{
  const Body *body = mproc_arena_at (offset, sizeof (Body));

  mproc_handle_drop ((MprocHandle) body->memory);
  mproc_arena_free (offset);
}

const MprocClass *
mproc_shareable_list_get_class (void)
{
  static const MprocClass list_class = {
    .name = "shareable list",
    .kind = MPROC_KIND_LIST,
    .open = open_object,
    .close = close_object,
    .destroy = destroy_body,
  };

  return &list_class;
}

/* ------------------------------------------------------------------ making and opening */

static gboolean
publish (MprocShareableList *self, GError **error)
{
  MprocHandle handle = ((MprocObject *) self->memory)->handle;
  MprocOffset memory_body = mproc_handle_get_body (handle, MPROC_KIND_MEMORY, error);
  MprocOffset offset;
  Body *body;

  if (memory_body == 0 || (offset = mproc_arena_alloc0 (sizeof (Body), error)) == 0)
    return FALSE;
  if (!mproc_handle_send (handle, error))
    {
      mproc_arena_free (offset);
      return FALSE;
    }
  body = mproc_arena_at (offset, sizeof (Body));
  body->memory = (guint32) handle;
  body->memory_body = memory_body;
  if (mproc_object_publish (&self->object, offset, error))
    return TRUE;
  destroy_body (offset);
  return FALSE;
}

static MprocShareableList *
create (const MprocItem *items, gsize n, const char *name, GError **error)
{
  gsize size = mproc_list_layout_measure (items, n, error);
  MprocSharedMemory *memory =
      size == 0 ? NULL : mproc_shared_memory_create (name, size, error);
  MprocShareableList *self;

  if (memory == NULL)
    return NULL;
  self = object_new (memory);
  mproc_list_layout_fill (&self->layout, mproc_shared_memory_get_data (memory, NULL),
                          items, n);
  if (publish (self, error))
    return self;
  mproc_shared_memory_unlink (memory, NULL);
  close_object (&self->object);
  return NULL;
}

static gboolean
init_items (MprocItem *items, gsize n, GVariant *container, GError **error)
{
  for (gsize i = 0; i < n; i++)
    {
      GVariant *value = g_variant_get_child_value (container, i);
      gboolean ok = mproc_item_init (&items[i], value, error);

      g_variant_unref (value);
      if (!ok)
        {
          g_prefix_error (error, "item %" G_GSIZE_FORMAT ": ", i);
          return FALSE;
        }
    }
  return TRUE;
}

static MprocShareableList *
create_from (GVariant *container, const char *name, GError **error)
{
  const GVariantType *type = g_variant_get_type (container);
  MprocShareableList *self = NULL;
  MprocItem *items;
  gsize n;

  if (!g_variant_type_is_tuple (type) && !g_variant_type_is_array (type))
    {
      g_set_error (error, MPROC_ERROR, MPROC_ERROR_INVALID,
                   "a list is made of a tuple or an array, not of a value of type %s",
                   g_variant_get_type_string (container));
      return NULL;
    }
  n = g_variant_n_children (container);
  items = g_new0 (MprocItem, n);
  if (init_items (items, n, container, error))
    self = create (items, n, name, error);
  for (gsize i = 0; i < n; i++)
    mproc_item_clear (&items[i]);
  g_free (items);
  return self;
}

MprocShareableList *
mproc_shareable_list_new (GVariant *items, const char *name, GError **error)
{
  MprocShareableList *self;

  g_return_val_if_fail (items != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  g_variant_ref_sink (items);
  self = create_from (items, name, error);
  g_variant_unref (items);
  return self;
}

MprocShareableList *
mproc_shareable_list_open (const char *name, GError **error)
{
  MprocSharedMemory *memory;
  MprocShareableList *self;

  g_return_val_if_fail (name != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  memory = mproc_shared_memory_open (name, 0, error);
  if (memory == NULL)
    return NULL;
  self = object_new (memory);
  if (read_layout (self, error) && publish (self, error))
    return self;
  close_object (&self->object);
  return NULL;
}

MprocShareableList *
mproc_shareable_list_ref (MprocShareableList *self)
{
  g_return_val_if_fail (IS_LIST (self), NULL);

  return (MprocShareableList *) mproc_object_ref (&self->object);
}

void
mproc_shareable_list_unref (MprocShareableList *self)
{
  g_return_if_fail (self == NULL || IS_LIST (self));

  if (self != NULL)
    mproc_object_unref (&self->object);
}

MprocSharedMemory *
mproc_shareable_list_get_memory (MprocShareableList *self)
{
  g_return_val_if_fail (IS_LIST (self), NULL);

  return self->memory;
}

/* ------------------------------------------------------------------ items */

gsize
mproc_shareable_list_get_length (MprocShareableList *self)
{
  g_return_val_if_fail (IS_LIST (self), 0);

  return self->layout.n;
}

static gboolean
find (MprocShareableList *self, gssize index, gsize *i, GError **error)
{
  gsize n = self->layout.n;

  if (index < 0 ? (gsize) - (index + 1) < n : (gsize) index < n)
    {
      *i = index < 0 ? n + (gsize) index : (gsize) index;
      return TRUE;
    }
  g_set_error (error, MPROC_ERROR, MPROC_ERROR_INVALID,
               "there is no item %" G_GSSIZE_FORMAT " in a list of %" G_GSIZE_FORMAT,
               index, n);
  return FALSE;
}

GVariant *
mproc_shareable_list_get (MprocShareableList *self, gssize index, GError **error)
{
  gsize i;

  g_return_val_if_fail (IS_LIST (self), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return find (self, index, &i, error) ? mproc_list_layout_get (&self->layout, i, error)
                                       : NULL;
}

/* What is common to the functions that take a value: it is an item while @use runs. */
static gssize
with_item (MprocShareableList *self,
           GVariant *value,
           gssize (*use) (MprocShareableList *, const MprocItem *, gpointer, GError **),
           gpointer data,
           GError **error)
{
  MprocItem item;
  gssize result = -1;

  g_variant_ref_sink (value);
  if (mproc_item_init (&item, value, error))
    {
      result = use (self, &item, data, error);
      mproc_item_clear (&item);
    }
  g_variant_unref (value);
  return result;
}

static gssize
set (MprocShareableList *self, const MprocItem *item, gpointer data, GError **error)
{
  return mproc_list_layout_set (&self->layout, *(gsize *) data, item, error) ? 0 : -1;
}

gboolean
mproc_shareable_list_set (MprocShareableList *self,
                          gssize index,
                          GVariant *value,
                          GError **error)
{
  gsize i;

  g_return_val_if_fail (IS_LIST (self), FALSE);
  g_return_val_if_fail (value != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (find (self, index, &i, error))
    return with_item (self, value, set, &i, error) == 0;
  g_variant_unref (g_variant_ref_sink (value));
  return FALSE;
}

/* 1 or 0; -1 with error. */
static gint
is_equal (MprocShareableList *self, gsize i, const MprocItem *wanted, GError **error)
{
  GVariant *value = mproc_list_layout_get (&self->layout, i, error);
  MprocItem item;
  gint result = -1;

  if (value != NULL && mproc_item_init (&item, value, error))
    {
      result = mproc_item_equal (&item, wanted);
      mproc_item_clear (&item);
    }
  if (value != NULL)
    g_variant_unref (value);
  return result;
}

static gssize
count (MprocShareableList *self, const MprocItem *wanted, gpointer data, GError **error)
{
  gssize n = 0;

  (void) data;
  for (gsize i = 0; i < self->layout.n; i++)
    {
      gint result = is_equal (self, i, wanted, error);

      if (result < 0)
        return -1;
      n += result;
    }
  return n;
}

gssize
mproc_shareable_list_count (MprocShareableList *self, GVariant *value, GError **error)
{
  g_return_val_if_fail (IS_LIST (self), -1);
  g_return_val_if_fail (value != NULL, -1);
  g_return_val_if_fail (error == NULL || *error == NULL, -1);

  return with_item (self, value, count, NULL, error);
}

static gssize
look_for (MprocShareableList *self,
          const MprocItem *wanted,
          gpointer data,
          GError **error)
{
  (void) data;
  for (gsize i = 0; i < self->layout.n; i++)
    {
      gint result = is_equal (self, i, wanted, error);

      if (result != 0)
        return result > 0 ? (gssize) i : -1;
    }
  g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_NOT_FOUND,
                       "there is no such item in the list");
  return -1;
}

gssize
mproc_shareable_list_index (MprocShareableList *self, GVariant *value, GError **error)
{
  g_return_val_if_fail (IS_LIST (self), -1);
  g_return_val_if_fail (value != NULL, -1);
  g_return_val_if_fail (error == NULL || *error == NULL, -1);

  return with_item (self, value, look_for, NULL, error);
}

char *
mproc_shareable_list_get_format (MprocShareableList *self, GError **error)
{
  GString *text;

  g_return_val_if_fail (IS_LIST (self), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  text = g_string_new (NULL);
  for (gsize i = 0; i < self->layout.n; i++)
    if (!mproc_list_layout_append_format (&self->layout, i, text, error))
      {
        g_string_free (text, TRUE);
        return NULL;
      }
  return g_string_free (text, FALSE);
}
