/* SPDX-License-Identifier: MIT */
/* GVariant types of fixed size, as they lie in shared memory: that is how C lays its numbers and
 * structures out, and how GVariant does.
 *
 * Any bytes may be found there, since any process may write through a pointer.  A GVariant has
 * but one form for each value: booleans are 0 or 1, and what fills the gaps between the members
 * of a structure is 0.  So what is read is made normal first. */
#ifndef MPROC_FIXED_H
#define MPROC_FIXED_H

#include <glib.h>

G_BEGIN_DECLS

/* The longest type, in letters. */
#define MPROC_FIXED_MAX 255

/* The size of a value of the type of that letter; 0: it is no number. */
gsize mproc_fixed_size_of_number (char letter);

/* Whether @type is one, and the bytes of a value; MPROC_ERROR_INVALID. */
gboolean mproc_fixed_check (const char *type, gsize *size, GError **error);

/* Says for each byte of a value what may be there; @map has the value's size.  FALSE: anything
 * may be everywhere, and nothing has to be made normal. */
gboolean mproc_fixed_map (const char *type, guint8 *map);
void mproc_fixed_make_normal (guint8 *values, gsize n, const guint8 *map, gsize size);

/* @value in normal form (transfer full), or NULL with MPROC_ERROR_INVALID if it is not of @type,
 * which may be an array's. */
GVariant *mproc_fixed_normal (GVariant *value, const GVariantType *type, GError **error);

G_END_DECLS

#endif
