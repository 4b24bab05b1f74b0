/* SPDX-License-Identifier: MIT */
/* A connection has no body in the arena: its entry in the table of objects, made when
 * it is first packed, is only a name for it, under which start arguments carry it. */
#include "pipe/connection.h"

#include "arena/word.h"
#include "family/classes.h"
#include "family/entry.h"
#include "os.h"
#include "values/message.h"
#include "values/payload.h"

struct MprocConnection
{
  MprocObject object;
  MprocStream stream;
  guint32 flags;
};

/* The flags. */
#define READABLE (1u << 0)
#define WRITABLE (1u << 1)
#define FAMILY (1u << 2) /* both ends are of the family: handles may pass */

#define IS_CONNECTION(self) mproc_object_is (self, MPROC_KIND_CONNECTION)

/* ------------------------------------------------------------------ lifecycle */

static void
close_object (MprocObject *object)
{
  MprocConnection *self = (MprocConnection *) object;

  mproc_stream_clear (&self->stream);
  g_free (self);
}

static void
destroy_nothing (MprocOffset body)
{
  (void) body;
}

const MprocClass *
mproc_connection_get_class (void)
{
  static const MprocClass connection_class = {
    .name = "connection",
    .kind = MPROC_KIND_CONNECTION,
    .close = close_object,
    .destroy = destroy_nothing,
  };

  return &connection_class;
}

static MprocConnection *
connection_new (gintptr channel, guint32 flags)
{
  MprocConnection *self = g_new0 (MprocConnection, 1);

  mproc_classes_prepare ();
  mproc_object_init (&self->object, MPROC_KIND_CONNECTION);
  mproc_stream_init (&self->stream, channel);
  self->flags = flags;
  return self;
}

gboolean
mproc_pipe (gboolean duplex, MprocConnection **a, MprocConnection **b, GError **error)
{
  guint32 both = duplex ? READABLE | WRITABLE : 0;
  gintptr channel_a, channel_b;

  g_return_val_if_fail (a != NULL && b != NULL && a != b, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (!mproc_family_ensure (error) ||
      !mproc_os_channel_pair (duplex, &channel_a, &channel_b, error))
    return FALSE;
  *a = connection_new (channel_a, FAMILY | READABLE | both);
  *b = connection_new (channel_b, FAMILY | WRITABLE | both);
  return TRUE;
}

MprocConnection *
mproc_connection_ref (MprocConnection *self)
{
  g_return_val_if_fail (IS_CONNECTION (self), NULL);

  mproc_object_ref (&self->object);
  return self;
}

void
mproc_connection_unref (MprocConnection *self)
{
  if (self == NULL)
    return;
  g_return_if_fail (IS_CONNECTION (self));

  mproc_object_unref (&self->object);
}

/* ------------------------------------------------------------------ for starting and waiting */

gboolean
mproc_connection_get_channel (MprocHandle handle,
                              gintptr *channel,
                              guint32 *flags,
                              GError **error)
{
  MprocObject *object = mproc_object_open (handle, MPROC_KIND_CONNECTION, error);
  MprocConnection *self = (MprocConnection *) object;
  gintptr found;

  if (object == NULL)
    return FALSE;
  found = mproc_stream_hold (&self->stream);
  if (found == MPROC_OS_NONE)
    g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_CLOSED,
                         "a connection to be handed over is closed");
  else
    {
      *channel = found;
      *flags = self->flags;
      mproc_stream_release (&self->stream);
    }
  mproc_object_unref (object);
  return found != MPROC_OS_NONE;
}

MprocObject *
mproc_connection_adopt (MprocHandle handle, gintptr channel, guint32 flags)
{
  MprocConnection *self = connection_new (channel, flags);

  self->object.handle = handle;
  return &self->object;
}

MprocStream *
mproc_connection_get_stream (MprocConnection *self)
{
  return &self->stream;
}

/* Closed comes first: what is closed has no direction any more. */
static gboolean
check_direction (MprocConnection *self, guint32 direction, GError **error)
{
  if (mproc_stream_is_closed (&self->stream))
    {
      g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_CLOSED,
                           "the connection is closed");
      return FALSE;
    }
  if ((self->flags & direction) == 0)
    {
      g_set_error (error, MPROC_ERROR, MPROC_ERROR_STATE,
                   "this end of the connection only %s",
                   direction == READABLE ? "sends" : "receives");
      return FALSE;
    }
  return TRUE;
}

/* ------------------------------------------------------------------ sending */

static gboolean
send_message (MprocConnection *self, const MprocMessage *message, GError **error)
{
  gsize prefix_size;
  guint8 *prefix =
      mproc_payload_new_prefix (message->value, message->handles, &prefix_size);
  gboolean sent =
      mproc_stream_send (&self->stream, prefix, prefix_size,
                         g_variant_get_data (message->value), message->data_size, error);

  g_free (prefix);
  return sent;
}

static gboolean
check_handles (MprocConnection *self, const MprocMessage *message, GError **error)
{
  const char *problem = NULL;

  if (mproc_message_has_kind (message, MPROC_KIND_CONNECTION))
    problem =
        "a message cannot carry a connection; arguments of mproc_process_start() can";
  else if (message->handles != NULL && message->handles->len > 0 &&
           (self->flags & FAMILY) == 0)
    problem = "objects and functions cannot leave the family";
  if (problem != NULL)
    g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_NOT_SUPPORTED, problem);
  return problem == NULL;
}

/* @value is not floating. */
static gboolean
send_value (MprocConnection *self, GVariant *value, GError **error)
{
  MprocMessage message;
  gboolean sent;

  if (!check_direction (self, WRITABLE, error) ||
      !mproc_payload_check_value (value, error) ||
      !mproc_message_init (&message, value, error))
    return FALSE;
  sent = check_handles (self, &message, error) && send_message (self, &message, error);
  mproc_message_clear (&message, sent);
  return sent;
}

gboolean
mproc_connection_send (MprocConnection *self, GVariant *value, GError **error)
{
  gboolean sent;

  g_return_val_if_fail (IS_CONNECTION (self), FALSE);
  g_return_val_if_fail (value != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  g_variant_ref_sink (value);
  sent = send_value (self, value, error);
  g_variant_unref (value);
  return sent;
}

gboolean
mproc_connection_send_bytes (MprocConnection *self,
                             gconstpointer data,
                             gsize size,
                             GError **error)
{
  g_return_val_if_fail (IS_CONNECTION (self), FALSE);
  g_return_val_if_fail (data != NULL || size == 0, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return check_direction (self, WRITABLE, error) &&
         mproc_stream_send (&self->stream, NULL, 0, data, size, error);
}

/* ------------------------------------------------------------------ receiving */

/* Goes through the form that messages have in the arena, which knows how a value keeps
 * the objects that it names.  What was in flight in the frame is counted on until the
 * value has them. */
static GVariant *
open_handles (GVariant *value, const GArray *handles, GError **error)
{
  MprocMessage message;
  GVariant *opened;
  gpointer bytes;
  gsize size;

  if (!mproc_message_init (&message, value, error))
    return NULL;
  size = message.size;
  bytes = g_malloc (size);
  mproc_message_store (&message, bytes);
  mproc_message_clear (&message, TRUE);
  opened = mproc_message_load (bytes, size, error);
  for (guint i = 0; i < handles->len; i++)
    mproc_handle_drop (g_array_index (handles, MprocHandle, i));
  return opened;
}

static GVariant *
parse (MprocConnection *self, GBytes *payload, GError **error)
{
  GArray *handles = NULL;
  GVariant *value =
      mproc_payload_decode (payload, (self->flags & FAMILY) != 0, &handles, error);
  GVariant *opened;

  if (value == NULL)
    mproc_stream_close (&self->stream);
  if (handles == NULL)
    return value;
  opened = open_handles (value, handles, error);
  g_variant_unref (value);
  g_array_unref (handles);
  return opened;
}

GBytes *
mproc_connection_recv_bytes (MprocConnection *self, gint64 timeout_us, GError **error)
{
  g_return_val_if_fail (IS_CONNECTION (self), NULL);
  g_return_val_if_fail (MPROC_IS_TIMEOUT (timeout_us), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (!check_direction (self, READABLE, error))
    return NULL;
  return mproc_stream_recv (&self->stream, mproc_deadline (timeout_us), error);
}

GVariant *
mproc_connection_recv (MprocConnection *self, gint64 timeout_us, GError **error)
{
  GBytes *payload = mproc_connection_recv_bytes (self, timeout_us, error);
  GVariant *value;

  if (payload == NULL)
    return NULL;
  value = parse (self, payload, error);
  g_bytes_unref (payload);
  return value;
}

gssize
mproc_connection_recv_bytes_into (MprocConnection *self,
                                  gpointer buffer,
                                  gsize size,
                                  gint64 timeout_us,
                                  GError **error)
{
  g_return_val_if_fail (IS_CONNECTION (self), -1);
  g_return_val_if_fail (buffer != NULL || size == 0, -1);
  g_return_val_if_fail (MPROC_IS_TIMEOUT (timeout_us), -1);
  g_return_val_if_fail (error == NULL || *error == NULL, -1);

  if (!check_direction (self, READABLE, error))
    return -1;
  return mproc_stream_recv_into (&self->stream, buffer, size, mproc_deadline (timeout_us),
                                 error);
}

gboolean
mproc_connection_poll (MprocConnection *self, gint64 timeout_us)
{
  g_return_val_if_fail (IS_CONNECTION (self), FALSE);
  g_return_val_if_fail (MPROC_IS_TIMEOUT (timeout_us), FALSE);

  return (self->flags & READABLE) == 0 ||
         mproc_stream_poll (&self->stream, mproc_deadline (timeout_us));
}

/* ------------------------------------------------------------------ state */

void
mproc_connection_close (MprocConnection *self)
{
  g_return_if_fail (IS_CONNECTION (self));

  mproc_stream_close (&self->stream);
}

gboolean
mproc_connection_is_closed (MprocConnection *self)
{
  g_return_val_if_fail (IS_CONNECTION (self), TRUE);

  return mproc_stream_is_closed (&self->stream);
}

gboolean
mproc_connection_is_readable (MprocConnection *self)
{
  g_return_val_if_fail (IS_CONNECTION (self), FALSE);

  return (self->flags & READABLE) != 0;
}

gboolean
mproc_connection_is_writable (MprocConnection *self)
{
  g_return_val_if_fail (IS_CONNECTION (self), FALSE);

  return (self->flags & WRITABLE) != 0;
}
