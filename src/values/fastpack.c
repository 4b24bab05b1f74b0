/* SPDX-License-Identifier: MIT */
#include "values/fastpack.h"

#include "values/ends.h"
#include "values/fixed.h"

#include <mproc/error.h>

#include <string.h>

typedef MprocFastpackStep Step;
typedef MprocFastpackBuffer Buffer;

static inline gsize
round_up (gsize size, gsize alignment)
{
  return (size + alignment - 1) & ~(alignment - 1);
}

/* ------------------------------------------------------------------ the form */

typedef struct
{
  MprocFastpack *to;
  const char *at;
} Parser;

static gboolean
is_string (char letter)
{
  return letter == 's' || letter == 'o' || letter == 'g';
}

static gboolean parse_member (Parser *self);

static gboolean
parse_tuple (Parser *self, Step *tuple)
{
  gboolean last_varies = FALSE;
  gboolean varies = FALSE;
  gsize size = 0;

  while (*self->at != ')')
    {
      Step *member = &self->to->steps[self->to->n_steps];

      if (!parse_member (self))
        return FALSE;
      tuple->n_members++;
      tuple->alignment = MAX (tuple->alignment, member->alignment);
      size = round_up (size, member->alignment) + member->size;
      last_varies = member->size == 0;
      tuple->n_offsets = (guint8) (tuple->n_offsets + last_varies);
      varies = varies || last_varies;
    }
  self->at++;
  self->to->type[self->to->type_length++] = ')';
  tuple->n_offsets = (guint8) (tuple->n_offsets -
                               last_varies); /* that one ends where the offsets begin */
  if (!varies)
    tuple->size = (guint16) MAX (round_up (size, tuple->alignment), 1);
  return TRUE;
}

/* A `&` says nothing about the bytes. */
static gboolean
parse_member (Parser *self)
{
  MprocFastpack *to = self->to;
  Step *step;
  char letter;

  if (*self->at == '&' && is_string (self->at[1]))
    self->at++;
  letter = *self->at;
  if (to->n_steps == MPROC_FASTPACK_MAX_STEPS ||
      (letter != '(' && !is_string (letter) && mproc_fixed_size_of_number (letter) == 0))
    return FALSE;
  self->at++;
  to->type[to->type_length++] = letter;
  step = &to->steps[to->n_steps++];
  *step =
      (Step){ .letter = letter, .size = (guint8) mproc_fixed_size_of_number (letter) };
  step->alignment = (guint8) MAX (step->size, 1);
  return letter != '(' || parse_tuple (self, step);
}

gboolean
mproc_fastpack_init (MprocFastpack *self, const char *format)
{
  Parser parser = { self, format };

  self->n_steps = 0;
  self->type_length = 0;
  return parse_member (&parser) && *parser.at == '\0';
}

/* ------------------------------------------------------------------ the bytes */

void
mproc_fastpack_buffer_init (Buffer *self)
{
  self->data = self->own;
  self->size = 0;
  self->room = sizeof self->own;
}

void
mproc_fastpack_buffer_clear (Buffer *self)
{
  if (self->data != self->own)
    g_free (self->data);
}

static void
grow (Buffer *self, gsize n)
{
  self->room = MAX (2 * self->room, self->size + n);
  if (self->data == self->own)
    self->data = memcpy (g_malloc (self->room), self->own, self->size);
  else
    self->data = g_realloc (self->data, self->room);
}

guint8 *
mproc_fastpack_buffer_extend (Buffer *self, gsize n)
{
  guint8 *end;

  if (G_UNLIKELY (n > self->room - self->size))
    grow (self, n);
  end = self->data + self->size;
  self->size += n;
  return end;
}

static void
pad_to (Buffer *self, gsize size)
{
  gsize n = size - self->size;

  if (n > 0)
    memset (mproc_fastpack_buffer_extend (self, n), 0, n);
}

/* ------------------------------------------------------------------ writing */

typedef struct
{
  const Step *next;
  Buffer *to;
  GError **error;
  guint n_ends;
  gsize
      ends[MPROC_FASTPACK_MAX_STEPS]; /* of the varying members of the tuples it is in */
} Writer;

typedef union
{
  guint8 of_8;
  guint16 of_16;
  guint32 of_32;
  guint64 of_64;
  gdouble real;
} Number;

static void
write_number (Writer *self, const Step *step, va_list *arguments)
{
  Number number;

  switch (step->letter)
    {
    case 'b':
      number.of_8 = va_arg (*arguments, gboolean) != FALSE;
      break;
    case 'y':
      number.of_8 = (guint8) va_arg (*arguments, gint);
      break;
    case 'n':
    case 'q':
      number.of_16 = (guint16) va_arg (*arguments, gint);
      break;
    case 'i':
      number.of_32 = (guint32) va_arg (*arguments, gint32);
      break;
    case 'u':
      number.of_32 = va_arg (*arguments, guint32);
      break;
    case 'x':
      number.of_64 = (guint64) va_arg (*arguments, gint64);
      break;
    case 't':
      number.of_64 = va_arg (*arguments, guint64);
      break;
    default:
      number.real = va_arg (*arguments, gdouble);
      break;
    }
  memcpy (mproc_fastpack_buffer_extend (self->to, step->size), &number, step->size);
}

static gboolean
refuse_text (char letter, GError **error)
{
  g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_INVALID,
                       letter == 's'   ? "a text to be sent is not UTF-8"
                       : letter == 'o' ? "a text to be sent is no object path"
                                       : "a text to be sent is no type signature");
  return FALSE;
}

static gboolean
write_string (Writer *self, char letter, const char *text)
{
  gsize length;

  g_return_val_if_fail (text != NULL, FALSE);

  length = strlen (text);
  if (letter == 's'   ? !g_utf8_validate (text, (gssize) length, NULL)
      : letter == 'o' ? !g_variant_is_object_path (text)
                      : !g_variant_is_signature (text))
    return refuse_text (letter, self->error);
  memcpy (mproc_fastpack_buffer_extend (self->to, length + 1), text, length + 1);
  return TRUE;
}

/* Backwards, and the last member's is none of them. */
static void
write_offsets (Writer *self, const Step *tuple, gsize start, guint first)
{
  guint size = mproc_end_size_behind (self->to->size - start, tuple->n_offsets);
  guint8 *to = mproc_fastpack_buffer_extend (self->to, (gsize) size * tuple->n_offsets);

  for (guint i = tuple->n_offsets; i > 0; i--)
    for (guint k = 0; k < size; k++)
      *to++ = (guint8) ((guint64) (self->ends[first + i - 1] - start) >> 8 * k);
}

static gboolean write_member (Writer *self, va_list *arguments);

static gboolean
write_tuple (Writer *self, const Step *tuple, va_list *arguments)
{
  gsize start = self->to->size;
  guint first = self->n_ends;

  for (guint i = 0; i < tuple->n_members; i++)
    if (!write_member (self, arguments))
      return FALSE;
  if (tuple->size != 0)
    pad_to (self->to, start + tuple->size);
  else
    write_offsets (self, tuple, start, first);
  self->n_ends = first;
  return TRUE;
}

static gboolean
write_member (Writer *self, va_list *arguments)
{
  const Step *step = self->next++;
  gboolean ok = TRUE;

  pad_to (self->to, round_up (self->to->size, step->alignment));
  if (step->letter == '(')
    ok = write_tuple (self, step, arguments);
  else if (step->size != 0)
    write_number (self, step, arguments);
  else
    ok = write_string (self, step->letter, va_arg (*arguments, const char *));
  if (step->size == 0)
    self->ends[self->n_ends++] = self->to->size;
  return ok;
}

gboolean
mproc_fastpack_write (const MprocFastpack *self,
                      Buffer *buffer,
                      va_list *arguments,
                      GError **error)
{
  Writer writer;

  writer.next = self->steps;
  writer.to = buffer;
  writer.error = error;
  writer.n_ends = 0;
  return write_member (&writer, arguments);
}

/* ------------------------------------------------------------------ reading */

/* First all parts are found, then all are given out. */
typedef struct
{
  const Step *next;
  const guint8 *data;
  const guint8 **places; /* of the members that are no tuples */
} Reader;

/* G_MAXSIZE if it is beyond all memory. */
static gsize
read_offset (const guint8 *from, guint size)
{
  guint64 offset = 0;

  for (guint k = size; k > 0; k--)
    offset = offset << 8 | from[k - 1];
  return (gsize) MIN (offset, G_MAXSIZE);
}

static gboolean find_tuple (Reader *self, const Step *tuple, gsize start, gsize end);

static gboolean
find_member (Reader *self, gsize start, gsize end)
{
  const Step *step = self->next++;

  if (step->letter == '(')
    return find_tuple (self, step, start, end);
  *self->places++ = self->data + start;
  if (step->size != 0)
    return end - start == step->size;
  return end > start && self->data[end - 1] == '\0';
}

/* Between the members there are only such ends as lie inside, one behind the other. */
static gboolean
find_tuple (Reader *self, const Step *tuple, gsize start, gsize end)
{
  guint offset_size = mproc_end_size (end - start);
  gsize n_bytes = (gsize) offset_size * tuple->n_offsets;
  gsize body_end = end - n_bytes;
  gsize offsets = end;
  gsize at = start;

  if (n_bytes > end - start || (tuple->size != 0 && tuple->size != end - start))
    return FALSE;
  for (guint i = 0; i < tuple->n_members; i++)
    {
      const Step *member = self->next;
      gboolean is_last = i + 1 == tuple->n_members;
      gsize member_end = body_end;

      at = round_up (at, member->alignment);
      if (member->size != 0)
        member_end = at + member->size;
      else if (!is_last)
        {
          offsets -= offset_size;
          member_end = read_offset (self->data + offsets, offset_size);
          if (member_end > end - start)
            return FALSE;
          member_end += start;
        }
      if (at > member_end || member_end > body_end || !find_member (self, at, member_end))
        return FALSE;
      at = member_end;
    }
  return TRUE;
}

static void
read_member (const Step *step, const guint8 *from, va_list *arguments)
{
  gpointer to = va_arg (*arguments, gpointer);

  if (to == NULL)
    return;
  if (step->size == 0)
    *(char **) to = g_strdup ((const char *) from);
  else if (step->letter == 'b')
    *(gboolean *) to = *from != 0;
  else
    memcpy (to, from, step->size);
}

gboolean
mproc_fastpack_read (const MprocFastpack *self,
                     gconstpointer data,
                     gsize size,
                     va_list *arguments)
{
  const guint8 *places[MPROC_FASTPACK_MAX_STEPS];
  Reader reader = { self->steps, data, places };
  guint n = 0;

  if (!find_member (&reader, 0, size))
    return FALSE;
  for (guint i = 0; i < self->n_steps; i++)
    if (self->steps[i].letter != '(')
      read_member (&self->steps[i], places[n++], arguments);
  return TRUE;
}
