/* SPDX-License-Identifier: MIT */
/* What others need to know of the formats of mproc_pack(). */
#ifndef MPROC_PACK_H
#define MPROC_PACK_H

#include <glib.h>

G_BEGIN_DECLS

/* The type, perhaps an indefinite one, that a value must be of to be unpacked by @format; NULL if
 * none is.  g_free. */
char *mproc_format_to_type (const char *format);

/* INVALID: a value of that type (of @length letters) does not have the form. */
void mproc_format_set_error (const char *format,
                             const char *type,
                             gsize length,
                             GError **error);

G_END_DECLS

#endif
