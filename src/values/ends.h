/* SPDX-License-Identifier: MIT */
/* The ends of members in what GVariant serializes: behind the members of a container whose sizes vary
 * stands where each of them ends, in as many bytes as the size of the whole asks for. */
#ifndef MPROC_ENDS_H
#define MPROC_ENDS_H

#include <glib.h>

G_BEGIN_DECLS

/* How long each is in a container of that size. */
static inline guint
mproc_end_size (guint64 whole)
{
  if (whole <= G_MAXUINT8)
    return 1;
  if (whole <= G_MAXUINT16)
    return 2;
  return whole <= G_MAXUINT32 ? 4 : 8;
}

/* How long each of @n has to be behind members of that size. */
static inline guint
mproc_end_size_behind (guint64 body, guint64 n)
{
  guint size = 1;

  while (mproc_end_size (body + n * size) > size)
    size *= 2;
  return size;
}

G_END_DECLS

#endif
