/* SPDX-License-Identifier: MIT */
/* Values of simple forms straight from arguments to bytes and back, with no GVariant in between:
 * numbers, strings, and tuples of them.  The bytes are those that GLib would make, so the other
 * side may use either way.
 *
 * A tuple's members follow each other, each at a multiple of its alignment, and behind them stand
 * the ends of those whose size varies, the last member's excepted, backwards: offsets from the
 * tuple's begin, little-endian, of the 1, 2, 4 or 8 bytes that the size of the whole needs.  One of
 * fixed size is padded to its alignment, and () is one zero byte. */
#ifndef MPROC_FASTPACK_H
#define MPROC_FASTPACK_H

#include <glib.h>
#include <stdarg.h>

G_BEGIN_DECLS

/* Longer forms are left to GLib. */
#define MPROC_FASTPACK_MAX_STEPS 64

typedef struct
{
  char letter;      /* of the type; the members of '(' are the next steps */
  guint8 alignment; /* 1, 2, 4 or 8 */
  guint8 n_members;
  guint8 n_offsets; /* how many ends of members it notes */
  guint16 size;     /* 0: it varies */
} MprocFastpackStep;

/* A format, taken apart. */
typedef struct
{
  guint n_steps;
  guint type_length;
  char type[2 * MPROC_FASTPACK_MAX_STEPS]; /* no zero at its end */
  MprocFastpackStep steps[MPROC_FASTPACK_MAX_STEPS];
} MprocFastpack;

/* FALSE: not one of those forms, or not a format at all. */
gboolean mproc_fastpack_init (MprocFastpack *self, const char *format);

/* Bytes that grow: on the stack as long as they are few. */
typedef struct
{
  guint8 *data;
  gsize size;
  gsize room;
  guint8 own[512];
} MprocFastpackBuffer;

void mproc_fastpack_buffer_init (MprocFastpackBuffer *self);
void mproc_fastpack_buffer_clear (MprocFastpackBuffer *self);

/* Room for @n more bytes, which count from now on. */
guint8 *mproc_fastpack_buffer_extend (MprocFastpackBuffer *self, gsize n);

/* Writes the arguments to @buffer, which is empty.  FALSE with MPROC_ERROR_INVALID if one is a text
 * that its type does not allow. */
gboolean mproc_fastpack_write (const MprocFastpack *self,
                               MprocFastpackBuffer *buffer,
                               va_list *arguments,
                               GError **error);

/* Puts the parts of @data where the arguments say, as g_variant_get(): strings are copied, and NULL
 * takes nothing.  FALSE, with nothing written, if @data is not laid out as the form wants it. */
gboolean mproc_fastpack_read (const MprocFastpack *self,
                              gconstpointer data,
                              gsize size,
                              va_list *arguments);

G_END_DECLS

#endif
