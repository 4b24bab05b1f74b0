/* SPDX-License-Identifier: MIT */
/* Types of values that have been met in this process.  GLib forgets what it knows of a type as soon
 * as no value has it, and to learn it again takes longer than anything else that happens to a
 * short message; so one value of each type is kept, of the first few. */
#ifndef MPROC_TYPES_H
#define MPROC_TYPES_H

#include <glib.h>

G_BEGIN_DECLS

/* The type whose string begins at @string; NULL if it is none of those that are kept. */
const GVariantType *mproc_types_find (const char *string, gsize length);

/* From here on it is kept, if there is room. */
void mproc_types_keep (const GVariantType *type);

G_END_DECLS

#endif
