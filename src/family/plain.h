/* SPDX-License-Identifier: MIT */
/* Objects that are nothing but a body in the arena: a local object has no more than a
 * pointer to it, and perhaps to the lock that it needs. */
#ifndef MPROC_PLAIN_H
#define MPROC_PLAIN_H

#include "arena/word.h"
#include "family/object.h"

#include <mproc/init.h>

G_BEGIN_DECLS

typedef struct
{
  MprocObject object;
  gpointer body;
  MprocOffset offset; /* of the body, which is an arena block */
  gpointer lock; /* atomic: the one that lockref.h keeps here, once it was asked for */
} MprocPlain;

/* Before a body is made: this process is a member, and all classes are known. */
gboolean mproc_plain_prepare (GError **error);

/* A local object of @class_ around @body, an arena block, with an entry in the table.  On
 * failure the class has destroyed the body. */
gpointer mproc_plain_new (const MprocClass *class_, MprocOffset body, GError **error);

/* The same with a body of @size bytes of zeros, for classes that need no more. */
gpointer mproc_plain_new_zeros (const MprocClass *class_, gsize size, GError **error);

/* The functions of a plain class; destroy is mproc_arena_free where nothing hangs on the
 * body. */
MprocObject *
mproc_plain_open (const MprocClass *class_, MprocOffset body, GError **error);
void mproc_plain_close (MprocObject *object);

G_END_DECLS

#endif
