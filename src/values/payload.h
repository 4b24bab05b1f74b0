/* SPDX-License-Identifier: MIT */
/* What is in a frame, told by its first byte: a GVariant as written here; later, a pickle.
 *
 *   0  'G'
 *   1  version, 1
 *   2  'l' or 'B': the byte order of everything below
 *   3  0
 *   4  u16 length of the type string
 *   6  u16 0
 *   8  u32 number of handles
 *  12  type string | handles, 4 bytes each | zeros up to a multiple of 8 | data
 *
 * All of it is hostile until checked. */
#ifndef MPROC_PAYLOAD_H
#define MPROC_PAYLOAD_H

#include <glib.h>

G_BEGIN_DECLS

/* Refuses what the other side would refuse: values that are not in normal form
 * (MPROC_ERROR_INVALID), nested too deeply or with too long a type
 * (MPROC_ERROR_TOO_LARGE). */
gboolean mproc_payload_check_value (GVariant *value, GError **error);

/* All of the payload that comes before the data; g_free.  @handles may be NULL. */
guint8 *mproc_payload_new_prefix (GVariant *value, const GArray *handles, gsize *size);

/* The value of a payload, in host byte order.  It is borrowed from @payload where
 * possible.  The handles in it are only numbers still; they are refused unless @family,
 * else given as a GArray of gint32 (NULL: none).  Every fault is MPROC_ERROR_PROTOCOL. */
GVariant *
mproc_payload_decode (GBytes *payload, gboolean family, GArray **handles, GError **error);

G_END_DECLS

#endif
