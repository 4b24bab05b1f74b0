/* SPDX-License-Identifier: MIT */
/* A value as bytes, as it lies in a queue, a task or a start record.
 *
 *   data (8-aligned) | padding | handles, 4 bytes each | type string | trailer
 *
 * The trailer makes the handles known without looking into the data.  Everything here is
 * written and read inside one family and is trusted; what comes from outside goes through
 * frame.c. */
#ifndef MPROC_MESSAGE_H
#define MPROC_MESSAGE_H

#include "family/object.h"

G_BEGIN_DECLS

typedef struct
{
  GVariant *value; /* our reference */
  gsize data_size;
  gsize size;      /* of the whole message */
  GArray *handles; /* of MprocHandle; NULL if none */
} MprocMessage;

/* Takes (sinks) @value, NULL is `()`; checks every handle in it and counts it as in
 * flight.  On error the value is consumed all the same. */
gboolean mproc_message_init (MprocMessage *message, GVariant *value, GError **error);

/* TRUE if one of the handles names an object of @kind. */
gboolean mproc_message_has_kind (const MprocMessage *message, MprocKind kind);

/* Writes message->size bytes; @to is 8-aligned. */
void mproc_message_store (const MprocMessage *message, gpointer to);

/* What follows the data of a value of that type without handles. */
gsize mproc_message_get_tail_size (gsize data_size, gsize type_length);
void mproc_message_store_tail (gpointer to,
                               gsize data_size,
                               const char *type,
                               gsize type_length);

/* sent: whoever loads the bytes now owns what is in flight; else it is dropped. */
void mproc_message_clear (MprocMessage *message, gboolean sent);

/* The value of @bytes (g_malloc, taken): opens its handles, which the value then holds
 * as long as it lives, and drops what was in flight.  Returns a full reference, NULL
 * with error. */
GVariant *mproc_message_load (gpointer bytes, gsize size, GError **error);

/* The same from bytes that stay the caller's and in flight (start arguments, tasks). */
GVariant *mproc_message_peek (gconstpointer bytes, gsize size, GError **error);

/* A value over bytes without handles, which stay the caller's, and where they are, as long as the value
 * lives and all that is taken from it. */
GVariant *mproc_message_view (gconstpointer bytes, gsize size);

/* Bytes that nobody will load. */
void mproc_message_discard (gconstpointer bytes, gsize size);

/* The handles of stored bytes. */
const MprocHandle *mproc_message_get_handles (gconstpointer bytes, gsize size, guint *n);

/* The type string of stored bytes, which has no zero at its end, and their data. */
const char *mproc_message_get_type (gconstpointer bytes, gsize size, gsize *type_length);
gsize mproc_message_get_data_size (gconstpointer bytes, gsize size);

/* Every handle in @value is appended to @handles, in order of appearance. */
void mproc_value_collect_handles (GVariant *value, GArray *handles);

/* The same value, floating again, holding @objects (taken) as long as it lives. */
GVariant *mproc_value_hold (GVariant *value, GPtrArray *objects);

/* An error as a value `(sis)` of domain, code and message, and back. */
GVariant *mproc_error_to_value (const GError *error);
GError *mproc_error_from_value (GVariant *value);

G_END_DECLS

#endif
