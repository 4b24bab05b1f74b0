/* SPDX-License-Identifier: MIT */
#include "values/message.h"

#include "values/types.h"

#include <string.h>

typedef struct
{
  guint16 type_length;
  guint16 n_handles;
  guint32 padding; /* bytes between the data and the handles, which are 4-aligned */
} Trailer;

/* g_memdup counts in 32 bits, and g_memdup2 is newer than the GLib we ask for. */
static gpointer
copy_of (gconstpointer bytes, gsize size)
{
  return memcpy (g_malloc (size), bytes, size);
}

static gsize
padding_after (gsize data_size)
{
  return (4 - data_size % 4) % 4;
}

/* What keeps a value's bytes, and the objects it names, as long as the value lives. */
typedef struct
{
  gpointer bytes;
  GBytes *shared_bytes;
  GPtrArray *objects;
} Keeper;

static void
keeper_free (gpointer data)
{
  Keeper *self = data;

  g_free (self->bytes);
  if (self->shared_bytes != NULL)
    g_bytes_unref (self->shared_bytes);
  if (self->objects != NULL)
    g_ptr_array_unref (self->objects);
  g_free (self);
}

/* ------------------------------------------------------------------ handles in values */

static gboolean
may_have_handles (GVariant *value)
{
  return strpbrk (g_variant_get_type_string (value), "hv") != NULL;
}

void
mproc_value_collect_handles (GVariant *value, GArray *handles)
{
  if (g_variant_is_of_type (value, G_VARIANT_TYPE_HANDLE))
    {
      MprocHandle handle = g_variant_get_handle (value);

      g_array_append_val (handles, handle);
    }
  else if (g_variant_is_container (value) && may_have_handles (value))
    {
      gsize n = g_variant_n_children (value);

      for (gsize i = 0; i < n; i++)
        {
          GVariant *child = g_variant_get_child_value (value, i);

          mproc_value_collect_handles (child, handles);
          g_variant_unref (child);
        }
    }
}

static void
drop_handles (const MprocHandle *handles, guint n)
{
  for (guint i = 0; i < n; i++)
    mproc_handle_drop (handles[i]);
}

/* All or none. */
static gboolean
send_handles (GArray *handles, GError **error)
{
  for (guint i = 0; i < handles->len; i++)
    if (!mproc_handle_send (g_array_index (handles, MprocHandle, i), error))
      {
        drop_handles ((const MprocHandle *) (gpointer) handles->data, i);
        return FALSE;
      }
  return TRUE;
}

static GPtrArray *
open_handles (const MprocHandle *handles, guint n, GError **error)
{
  GPtrArray *objects =
      g_ptr_array_new_with_free_func ((GDestroyNotify) mproc_object_unref);

  for (guint i = 0; i < n; i++)
    {
      MprocObject *object;

      if (mproc_handle_get_kind (handles[i]) == MPROC_KIND_FUNCTION)
        continue;
      object = mproc_object_open (handles[i], MPROC_KIND_NONE, error);
      if (object == NULL)
        {
          g_ptr_array_unref (objects);
          return NULL;
        }
      g_ptr_array_add (objects, object);
    }
  return objects;
}

/* ------------------------------------------------------------------ out */

static gsize
get_tail_size (gsize data_size, gsize n_handles, gsize type_length)
{
  return padding_after (data_size) + n_handles * sizeof (MprocHandle) + type_length +
         sizeof (Trailer);
}

gboolean
mproc_message_init (MprocMessage *message, GVariant *value, GError **error)
{
  gsize n_handles = 0;
  gsize type_length;

  if (value == NULL)
    value = g_variant_new_tuple (NULL, 0);
  message->value = g_variant_ref_sink (value);
  message->handles = NULL;
  if (may_have_handles (value))
    {
      message->handles = g_array_new (FALSE, FALSE, sizeof (MprocHandle));
      mproc_value_collect_handles (value, message->handles);
      n_handles = message->handles->len;
    }
  mproc_types_keep (g_variant_get_type (value));
  message->data_size = g_variant_get_size (value);
  type_length = strlen (g_variant_get_type_string (value));
  message->size =
      message->data_size + get_tail_size (message->data_size, n_handles, type_length);
  if (type_length > G_MAXUINT16 || n_handles > G_MAXUINT16)
    g_set_error (error, MPROC_ERROR, MPROC_ERROR_TOO_LARGE,
                 "a value of %" G_GSIZE_FORMAT " handles and a type of %" G_GSIZE_FORMAT
                 " letters cannot be sent",
                 n_handles, type_length);
  else if (n_handles == 0 || send_handles (message->handles, error))
    return TRUE;
  g_clear_pointer (&message->handles, g_array_unref);
  mproc_message_clear (message, TRUE);
  return FALSE;
}

gboolean
mproc_message_has_kind (const MprocMessage *message, MprocKind kind)
{
  for (guint i = 0; message->handles != NULL && i < message->handles->len; i++)
    if (mproc_handle_get_kind (g_array_index (message->handles, MprocHandle, i)) == kind)
      return TRUE;
  return FALSE;
}

static void
store_tail (guint8 *at,
            gsize data_size,
            const GArray *handles,
            const char *type,
            gsize type_length)
{
  Trailer trailer = { (guint16) type_length, 0, (guint32) padding_after (data_size) };

  memset (at, 0, trailer.padding);
  at += trailer.padding;
  if (handles != NULL && handles->len > 0)
    {
      trailer.n_handles = (guint16) handles->len;
      memcpy (at, handles->data, trailer.n_handles * sizeof (MprocHandle));
      at += trailer.n_handles * sizeof (MprocHandle);
    }
  memcpy (at, type, type_length);
  memcpy (at + type_length, &trailer, sizeof trailer);
}

void
mproc_message_store (const MprocMessage *message, gpointer to)
{
  const char *type = g_variant_get_type_string (message->value);

  g_variant_store (message->value, to);
  store_tail ((guint8 *) to + message->data_size, message->data_size, message->handles,
              type, strlen (type));
}

gsize
mproc_message_get_tail_size (gsize data_size, gsize type_length)
{
  return get_tail_size (data_size, 0, type_length);
}

void
mproc_message_store_tail (gpointer to,
                          gsize data_size,
                          const char *type,
                          gsize type_length)
{
  store_tail (to, data_size, NULL, type, type_length);
}

void
mproc_message_clear (MprocMessage *message, gboolean sent)
{
  if (message->handles != NULL)
    {
      if (!sent)
        drop_handles ((const MprocHandle *) (gpointer) message->handles->data,
                      message->handles->len);
      g_array_unref (message->handles);
    }
  g_variant_unref (message->value);
  message->value = NULL;
  message->handles = NULL;
}

/* ------------------------------------------------------------------ in */

static Trailer
get_trailer (gconstpointer bytes, gsize size)
{
  Trailer trailer;

  g_assert (size >= sizeof trailer);
  memcpy (&trailer, (const guint8 *) bytes + size - sizeof trailer, sizeof trailer);
  g_assert (size >= sizeof trailer + trailer.type_length +
                        trailer.n_handles * sizeof (MprocHandle));
  return trailer;
}

const MprocHandle *
mproc_message_get_handles (gconstpointer bytes, gsize size, guint *n)
{
  Trailer trailer = get_trailer (bytes, size);
  gsize end = size - sizeof trailer - trailer.type_length;

  *n = trailer.n_handles;
  return (const MprocHandle *) (gconstpointer) ((const guint8 *) bytes + end) - *n;
}

const char *
mproc_message_get_type (gconstpointer bytes, gsize size, gsize *type_length)
{
  Trailer trailer = get_trailer (bytes, size);

  *type_length = trailer.type_length;
  return (const char *) bytes + size - sizeof trailer - trailer.type_length;
}

gsize
mproc_message_get_data_size (gconstpointer bytes, gsize size)
{
  Trailer trailer = get_trailer (bytes, size);

  return size - sizeof trailer - trailer.type_length - trailer.padding -
         trailer.n_handles * sizeof (MprocHandle);
}

static GVariant *
take_bytes (const GVariantType *type, gpointer bytes, gsize size, GPtrArray *objects)
{
  GDestroyNotify free_func = g_free;
  gpointer data = bytes;

  if (objects != NULL)
    {
      Keeper *keeper = g_new0 (Keeper, 1);

      keeper->bytes = bytes;
      keeper->objects = objects;
      free_func = keeper_free;
      data = keeper;
    }
  return g_variant_ref_sink (g_variant_new_from_data (type, bytes, size, TRUE, free_func,
                                                      data));
}

/* Where the data of @bytes ends, and its type: a known one, or a string to free. */
static const GVariantType *
find_type (gconstpointer bytes, gsize size, gsize *data_size, char **type_string)
{
  Trailer trailer = get_trailer (bytes, size);
  const char *type = (const char *) bytes + size - sizeof trailer - trailer.type_length;
  const GVariantType *known = mproc_types_find (type, trailer.type_length);

  *data_size = size - sizeof trailer - trailer.type_length - trailer.padding -
               trailer.n_handles * sizeof (MprocHandle);
  *type_string = NULL;
  if (known != NULL)
    return known;
  *type_string = g_strndup (type, trailer.type_length);
  return G_VARIANT_TYPE (*type_string);
}

static GVariant *
keep_type (GVariant *value, char *type_string)
{
  if (type_string != NULL)
    mproc_types_keep (g_variant_get_type (value));
  g_free (type_string);
  return value;
}

/* A value over @bytes, which it takes, as it does @objects. */
static GVariant *
make_value (gconstpointer bytes, gsize size, GPtrArray *objects)
{
  char *type_string;
  gsize data_size;
  const GVariantType *type = find_type (bytes, size, &data_size, &type_string);

  return keep_type (take_bytes (type, (gpointer) bytes, data_size, objects), type_string);
}

GVariant *
mproc_message_view (gconstpointer bytes, gsize size)
{
  char *type_string;
  gsize data_size;
  const GVariantType *type = find_type (bytes, size, &data_size, &type_string);
  GVariant *value = g_variant_new_from_data (type, bytes, data_size, TRUE, NULL, NULL);

  return keep_type (g_variant_ref_sink (value), type_string);
}

GVariant *
mproc_message_load (gpointer bytes, gsize size, GError **error)
{
  GPtrArray *objects = NULL;
  const MprocHandle *handles;
  guint n;

  handles = mproc_message_get_handles (bytes, size, &n);
  if (n > 0)
    {
      objects = open_handles (handles, n, error);
      MPROC_CRASH_POINT (MESSAGE_OPENED);
      drop_handles (handles, n);
      MPROC_CRASH_POINT (MESSAGE_DROPPED);
      if (objects == NULL)
        {
          g_free (bytes);
          return NULL;
        }
    }
  return make_value (bytes, size, objects);
}

GVariant *
mproc_message_peek (gconstpointer bytes, gsize size, GError **error)
{
  GPtrArray *objects = NULL;
  const MprocHandle *handles;
  guint n;

  handles = mproc_message_get_handles (bytes, size, &n);
  if (n > 0 && (objects = open_handles (handles, n, error)) == NULL)
    return NULL;
  return make_value (copy_of (bytes, size), size, objects);
}

void
mproc_message_discard (gconstpointer bytes, gsize size)
{
  const MprocHandle *handles;
  guint n;

  handles = mproc_message_get_handles (bytes, size, &n);
  drop_handles (handles, n);
}

GVariant *
mproc_value_hold (GVariant *value, GPtrArray *objects)
{
  GVariant *tree = g_variant_ref_sink (value);
  GBytes *bytes = g_variant_get_data_as_bytes (tree);
  Keeper *keeper = g_new0 (Keeper, 1);
  GVariant *held;

  keeper->shared_bytes = bytes;
  keeper->objects = objects;
  held =
      g_variant_new_from_data (g_variant_get_type (tree), g_bytes_get_data (bytes, NULL),
                               g_bytes_get_size (bytes), TRUE, keeper_free, keeper);
  g_variant_unref (tree);
  return held;
}

/* ------------------------------------------------------------------ errors */

GVariant *
mproc_error_to_value (const GError *error)
{
  char *text = g_utf8_make_valid (error->message, -1);
  GVariant *value =
      g_variant_new ("(sis)", g_quark_to_string (error->domain), error->code, text);

  g_free (text);
  return value;
}

GError *
mproc_error_from_value (GVariant *value)
{
  const char *domain;
  const char *text;
  gint code;

  g_variant_get (value, "(&si&s)", &domain, &code, &text);
  return g_error_new_literal (g_quark_from_string (domain), code, text);
}
