/* SPDX-License-Identifier: MIT */
#include "tracefile.h"

#include <math.h>
#include <string.h>

#define DEEPEST 16
#define LARGEST 1e15
#define LONGEST_NUMBER 64

typedef enum
{
  READ_OK,
  READ_CUT, /* it may have been right, had it gone on */
  READ_BROKEN
} Status;

typedef struct
{
  const char *at;
  const char *end;
} Reader;

static void
skip_blanks (Reader *self)
{
  while (self->at < self->end && strchr (" \t\r\n", *self->at) != NULL &&
         *self->at != '\0')
    self->at++;
}

/* The next letter that is no blank must be this one. */
static Status
expect (Reader *self, char wanted)
{
  skip_blanks (self);
  if (self->at == self->end)
    return READ_CUT;
  if (*self->at != wanted)
    return READ_BROKEN;
  self->at++;
  return READ_OK;
}

static gboolean
next_is (Reader *self, char wanted)
{
  skip_blanks (self);
  return self->at < self->end && *self->at == wanted;
}

/* ------------------------------------------------------------------ texts */

/* As long as there is room; what does not fit is dropped. */
static void
append_letter (gunichar c, char *to, gsize *length, gsize room)
{
  char bytes[6];
  gint n;

  if (g_unichar_iscntrl (c) || (c & 0xfffe) == 0xfffe || (c & 0xfffff800) == 0xd800)
    c = ' ';
  n = g_unichar_to_utf8 (c, bytes);
  if (*length + (gsize) n >= room)
    return;
  memcpy (to + *length, bytes, (gsize) n);
  *length += (gsize) n;
}

static Status
read_unit (Reader *self, gunichar *out)
{
  *out = 0;
  for (guint i = 0; i < 4; i++, self->at++)
    {
      if (self->at == self->end)
        return READ_CUT;
      if (!g_ascii_isxdigit (*self->at))
        return READ_BROKEN;
      *out = *out << 4 | (gunichar) g_ascii_xdigit_value (*self->at);
    }
  return READ_OK;
}

/* Behind "\u".  Letters beyond 16 bits come in two halves. */
static Status
read_code (Reader *self, gunichar *out)
{
  Status status = read_unit (self, out);
  gunichar low;

  if (status != READ_OK || (*out & 0xfc00) != 0xd800)
    return status;
  if (self->end - self->at < 2)
    return READ_CUT;
  if (self->at[0] != '\\' || self->at[1] != 'u')
    return READ_BROKEN;
  self->at += 2;
  status = read_unit (self, &low);
  if (status == READ_OK && (low & 0xfc00) != 0xdc00)
    return READ_BROKEN;
  *out = 0x10000 + ((*out & 0x3ff) << 10) + (low & 0x3ff);
  return status;
}

/* Behind the backslash. */
static Status
read_escape (Reader *self, gunichar *out)
{
  static const char letters[] = "\"\\/bfnrt";
  static const char meanings[] = "\"\\/\b\f\n\r\t";
  const char *found;

  if (self->at == self->end)
    return READ_CUT;
  if (*self->at == 'u')
    {
      self->at++;
      return read_code (self, out);
    }
  found = *self->at != '\0' ? strchr (letters, *self->at) : NULL;
  if (found == NULL)
    return READ_BROKEN;
  self->at++;
  *out = (guchar) meanings[found - letters];
  return READ_OK;
}

static Status
read_letter (Reader *self, gunichar *out)
{
  gssize left = (gssize) (self->end - self->at);

  if (*self->at == '\\')
    {
      self->at++;
      return read_escape (self, out);
    }
  if ((guchar) *self->at < 0x20)
    return READ_BROKEN;
  *out = g_utf8_get_char_validated (self->at, left);
  if (*out == (gunichar) -2)
    return READ_CUT;
  if (*out == (gunichar) -1)
    return READ_BROKEN;
  self->at = g_utf8_next_char (self->at);
  return READ_OK;
}

/* Into @to, of @room bytes, or nowhere. */
static Status
read_text (Reader *self, char *to, gsize room)
{
  Status status = expect (self, '"');
  gsize length = 0;
  gunichar c;

  while (status == READ_OK)
    {
      if (self->at == self->end)
        return READ_CUT;
      if (*self->at == '"')
        {
          self->at++;
          break;
        }
      status = read_letter (self, &c);
      if (status == READ_OK && to != NULL)
        append_letter (c, to, &length, room);
    }
  if (to != NULL)
    to[length] = '\0';
  return status;
}

/* ------------------------------------------------------------------ numbers */

static gsize
count_digits (const char *text)
{
  return strspn (text, "0123456789");
}

/* As JSON has it: no sign but minus, no zero before other digits, digits on both sides of a point. */
static gboolean
is_number (const char *text)
{
  gsize n;

  text += *text == '-';
  n = count_digits (text);
  if (n == 0 || (n > 1 && *text == '0'))
    return FALSE;
  text += n;
  if (*text == '.')
    {
      n = count_digits (text + 1);
      if (n == 0)
        return FALSE;
      text += n + 1;
    }
  if (*text != 'e' && *text != 'E')
    return *text == '\0';
  text++;
  text += *text == '-' || *text == '+';
  n = count_digits (text);
  return n > 0 && text[n] == '\0';
}

static Status
read_number (Reader *self, double *out)
{
  char text[LONGEST_NUMBER];
  gsize n = 0;
  double number;

  skip_blanks (self);
  while (self->at + n < self->end && n < sizeof text - 1 && self->at[n] != '\0' &&
         strchr ("+-.eE0123456789", self->at[n]) != NULL)
    {
      text[n] = self->at[n];
      n++;
    }
  text[n] = '\0';
  if (self->at + n == self->end)
    return READ_CUT;
  if (!is_number (text))
    return READ_BROKEN;
  self->at += n;
  number = g_ascii_strtod (text, NULL);
  if (out != NULL)
    *out = isfinite (number) ? CLAMP (number, -LARGEST, LARGEST) : 0;
  return READ_OK;
}

/* ------------------------------------------------------------------ values */

static Status skip_value (Reader *self, guint depth);

static Status
skip_word (Reader *self)
{
  static const char *const words[] = { "true", "false", "null" };
  gsize left = (gsize) (self->end - self->at);

  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    {
      gsize n = strlen (words[i]);

      if (memcmp (self->at, words[i], MIN (n, left)) != 0)
        continue;
      if (left < n)
        return READ_CUT;
      self->at += n;
      return READ_OK;
    }
  return READ_BROKEN;
}

/* What is in an object, or in an array, whose first letter is read; up to its last. */
static Status
skip_members (Reader *self, gboolean is_object, guint depth)
{
  char last = is_object ? '}' : ']';
  Status status = READ_OK;

  if (next_is (self, last))
    return expect (self, last);
  for (;;)
    {
      if (is_object)
        status = read_text (self, NULL, 0);
      if (status == READ_OK && is_object)
        status = expect (self, ':');
      if (status == READ_OK)
        status = skip_value (self, depth + 1);
      if (status != READ_OK || !next_is (self, ','))
        break;
      self->at++;
    }
  return status == READ_OK ? expect (self, last) : status;
}

static Status
skip_value (Reader *self, guint depth)
{
  skip_blanks (self);
  if (self->at == self->end)
    return READ_CUT;
  if (depth > DEEPEST)
    return READ_BROKEN;
  switch (*self->at)
    {
    case '"':
      return read_text (self, NULL, 0);
    case '{':
    case '[':
      self->at++;
      return skip_members (self, self->at[-1] == '{', depth);
    case 't':
    case 'f':
    case 'n':
      return skip_word (self);
    default:
      return read_number (self, NULL);
    }
}

/* ------------------------------------------------------------------ events */

/* What is to be known of an event, and where it goes. */
typedef struct
{
  const char *key;
  double *number;
  char *text;
  gsize room;
} Field;

/* A value of another kind than it should be is not there. */
static Status
read_field (Reader *self, const Field *field, guint depth)
{
  char first;

  skip_blanks (self);
  first = self->at < self->end ? *self->at : '\0';
  if (field != NULL && field->text != NULL && first == '"')
    return read_text (self, field->text, field->room);
  if (field != NULL && field->number != NULL && (first == '-' || g_ascii_isdigit (first)))
    return read_number (self, field->number);
  return skip_value (self, depth);
}

static const Field *
find_field (const Field *fields, guint n, const char *key)
{
  for (guint i = 0; i < n; i++)
    if (strcmp (fields[i].key, key) == 0)
      return &fields[i];
  return NULL;
}

/* An object.  What "args" stands for is an object of its own, with @inner fields. */
static Status
read_object (Reader *self,
             const Field *fields,
             guint n,
             const Field *inner,
             guint n_inner)
{
  Status status = expect (self, '{');
  char key[16];

  if (status != READ_OK || next_is (self, '}'))
    return status == READ_OK ? expect (self, '}') : status;
  for (;;)
    {
      status = read_text (self, key, sizeof key);
      if (status == READ_OK)
        status = expect (self, ':');
      if (status == READ_OK && inner != NULL && strcmp (key, "args") == 0 &&
          next_is (self, '{'))
        status = read_object (self, inner, n_inner, NULL, 0);
      else if (status == READ_OK)
        status = read_field (self, find_field (fields, n, key), 1);
      if (status != READ_OK || !next_is (self, ','))
        break;
      self->at++;
    }
  return status == READ_OK ? expect (self, '}') : status;
}

static Status
read_event (Reader *self, TraceEvent *event)
{
  double pid = 0, tid = 0;
  char phase[8] = "";
  const Field fields[] = {
    { "name", NULL, event->name, sizeof event->name },
    { "cat", NULL, event->category, sizeof event->category },
    { "ph", NULL, phase, sizeof phase },
    { "ts", &event->start, NULL, 0 },
    { "dur", &event->duration, NULL, 0 },
    { "pid", &pid, NULL, 0 },
    { "tid", &tid, NULL, 0 },
  };
  const Field args[] = {
    { "name", NULL, event->label, sizeof event->label },
    { "outcome", NULL, event->outcome, sizeof event->outcome },
    { "task", &event->task, NULL, 0 },
    { "attempt", &event->attempt, NULL, 0 },
    { "items", &event->items, NULL, 0 },
    { "waited", &event->waited, NULL, 0 },
    { "waiting", &event->waiting, NULL, 0 },
    { "number", &event->number, NULL, 0 },
  };
  Status status;

  memset (event, 0, sizeof *event);
  status = read_object (self, fields, G_N_ELEMENTS (fields), args, G_N_ELEMENTS (args));
  event->phase = phase[0];
  event->pid = (gint64) pid;
  event->tid = (gint64) tid;
  event->duration = MAX (0, event->duration);
  return status;
}

static void
skip_line (Reader *self)
{
  const char *end = memchr (self->at, '\n', (gsize) (self->end - self->at));

  self->at = end != NULL ? end + 1 : self->end;
}

/* Several processes may have written it, of which one may have been stopped in the middle by a full disk:
 * what is no event costs its line. */
void
trace_read (const char *text,
            gsize size,
            TraceEventFunc func,
            gpointer data,
            TraceSummary *summary)
{
  Reader reader = { text, text + size };
  TraceEvent event;

  memset (summary, 0, sizeof *summary);
  while (skip_blanks (&reader), reader.at < reader.end && !summary->is_cut)
    {
      Status status = READ_BROKEN;
      Reader start = reader;

      if (strchr ("[],", *reader.at) != NULL && *reader.at != '\0')
        {
          reader.at++;
          continue;
        }
      if (*reader.at == '{')
        status = read_event (&reader, &event);
      if (status == READ_OK)
        {
          summary->n_events++;
          func (&event, data);
        }
      else if (status == READ_CUT &&
               memchr (start.at, '\n', (gsize) (reader.end - start.at)) == NULL)
        summary->is_cut = TRUE;
      else
        {
          summary->n_broken++;
          reader = start;
          skip_line (&reader);
        }
    }
}
