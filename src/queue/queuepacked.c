/* SPDX-License-Identifier: MIT */
/* Values put and got without a GVariant, where their form is simple. */
#include "queue/queuedata.h"
#include "values/fastpack.h"
#include "values/pack.h"

#include <mproc/value.h>

/* The whole message is made before the lock is taken: so the lock is held for one copy, and
 * what the arguments may do to this process they do without it. */
static gboolean
put_directly (MprocQueue *self,
              const MprocFastpack *form,
              gint64 timeout,
              va_list *arguments,
              GError **error)
{
  MprocQueueItem item = { .is_value = TRUE };
  MprocFastpackBuffer buffer;
  gboolean ok;

  mproc_fastpack_buffer_init (&buffer);
  ok = mproc_fastpack_write (form, &buffer, arguments, error);
  if (ok)
    {
      gsize size = buffer.size;
      gsize tail_size = mproc_message_get_tail_size (size, form->type_length);

      mproc_message_store_tail (mproc_fastpack_buffer_extend (&buffer, tail_size), size,
                                form->type, form->type_length);
      item.data = buffer.data;
      item.size = buffer.size;
      ok = mproc_queue_put_item (self, &item, timeout, error);
    }
  mproc_fastpack_buffer_clear (&buffer);
  return ok;
}

gboolean
mproc_queue_put_packed (MprocQueue *self,
                        gint64 timeout_us,
                        GError **error,
                        const char *format,
                        ...)
{
  MprocFastpack form;
  va_list arguments;
  gboolean ok;

  g_return_val_if_fail (MPROC_IS_QUEUE (self), FALSE);
  g_return_val_if_fail (MPROC_IS_TIMEOUT (timeout_us), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);
  g_return_val_if_fail (format != NULL, FALSE);

  va_start (arguments, format);
  if (mproc_fastpack_init (&form, format))
    ok = put_directly (self, &form, timeout_us, &arguments, error);
  else
    ok = mproc_queue_put (self, mproc_pack_va (format, &arguments), timeout_us, error);
  va_end (arguments);
  return ok;
}

/* ------------------------------------------------------------------ get */

/* Consumes @value. */
static gboolean
unpack (GVariant *value, const char *format, va_list *arguments, GError **error)
{
  gboolean ok = value != NULL && mproc_unpack_va (value, error, format, arguments);

  if (value != NULL)
    g_variant_unref (value);
  return ok;
}

static gboolean
get_as_value (MprocQueue *self,
              gint64 deadline,
              const char *format,
              va_list *arguments,
              GError **error)
{
  char *type = mproc_format_to_type (format);
  MprocQueueForm form = { .format = format, .type = type };
  MprocQueueRequest request = { .deadline = deadline,
                                .of_form = TRUE,
                                .how = { .form = &form } };
  gboolean ok =
      mproc_queue_get_item (self, &request, error) &&
      unpack (mproc_queue_request_to_value (&request, error), format, arguments, error);

  g_free (type);
  return ok;
}

/* A value that somebody has put in another layout than GLib would have made is left to
 * GLib, which knows what it means. */
static gboolean
get_directly (MprocQueue *self,
              const MprocFastpack *fast,
              gint64 deadline,
              const char *format,
              va_list *arguments,
              GError **error)
{
  guint64 room[64];
  MprocQueueForm form = { format, fast->type, fast->type_length, TRUE };
  MprocQueueRequest request = { .deadline = deadline,
                                .of_form = TRUE,
                                .how = { .form = &form },
                                .data = room,
                                .room = sizeof room };
  gboolean ok;

  if (!mproc_queue_get_item (self, &request, error))
    return FALSE;
  ok = mproc_fastpack_read (fast, request.data,
                            mproc_message_get_data_size (request.data, request.size),
                            arguments) ||
       unpack (mproc_message_peek (request.data, request.size, error), format, arguments,
               error);
  if (request.data != room)
    g_free (request.data);
  return ok;
}

gboolean
mproc_queue_get_unpacked (MprocQueue *self,
                          gint64 timeout_us,
                          GError **error,
                          const char *format,
                          ...)
{
  MprocFastpack form;
  va_list arguments;
  gint64 deadline;
  gboolean ok;

  g_return_val_if_fail (MPROC_IS_QUEUE (self), FALSE);
  g_return_val_if_fail (MPROC_IS_TIMEOUT (timeout_us), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);
  g_return_val_if_fail (format != NULL && strchr (format, '&') == NULL, FALSE);

  deadline = mproc_queue_deadline (timeout_us);
  va_start (arguments, format);
  if (mproc_fastpack_init (&form, format))
    ok = get_directly (self, &form, deadline, format, &arguments, error);
  else
    ok = get_as_value (self, deadline, format, &arguments, error);
  va_end (arguments);
  return ok;
}
