/* SPDX-License-Identifier: MIT */
/* A line that is drawn again and again: one write each time, from the line's start over what stands
 * there, so that it never flickers and needs no more of a terminal than a carriage return. */
#include "os.h"

#include <mproc/insight.h>

#include <string.h>

/* So often it is drawn at most, but for the last time; and written where nothing can be drawn. */
#define INTERVAL (G_USEC_PER_SEC / 20)
#define LOG_INTERVAL (3 * G_USEC_PER_SEC)

/* Over so long a time the rate is an average, more or less. */
#define MEMORY (5.0 * G_USEC_PER_SEC)

#define USUAL_COLUMNS 80
#define LEAST_BAR 8
#define MOST_BAR 40

struct MprocProgressBar
{
  GMutex mutex;
  char *label;
  int fd;
  gboolean is_utf8;
  guint64 done, failed, total;
  gint64 begun;
  gint64 drawn;    /* when; 0: never */
  guint columns;   /* of what stands there */
  gint64 measured; /* when the rate was looked at last */
  guint64 counted; /* what was done then */
  double rate;     /* a second */
};

/* ------------------------------------------------------------------ text */

static guint
columns_of (const char *text)
{
  guint n = 0;

  for (; *text != '\0'; text = g_utf8_next_char (text))
    {
      gunichar c = g_utf8_get_char (text);

      if (!g_unichar_iszerowidth (c))
        n += g_unichar_iswide (c) ? 2 : 1;
    }
  return n;
}

/* As much of @text as has room, and blanks for what is left of a wide letter. */
static void
append_columns (GString *to, const char *text, guint columns)
{
  for (; *text != '\0'; text = g_utf8_next_char (text))
    {
      gunichar c = g_utf8_get_char (text);
      guint width = g_unichar_iszerowidth (c) ? 0 : g_unichar_iswide (c) ? 2 : 1;

      if (width > columns)
        break;
      columns -= width;
      g_string_append_unichar (to, c);
    }
}

/* A label with line feeds or escapes in it would draw elsewhere. */
static char *
clean (const char *label)
{
  GString *text = g_string_new (NULL);

  for (; label != NULL && *label != '\0'; label = g_utf8_next_char (label))
    {
      gunichar c = g_utf8_get_char (label);

      g_string_append_unichar (text, g_unichar_iscntrl (c) ? ' ' : c);
    }
  return g_string_free (text, FALSE);
}

static void
append_time (GString *to, double seconds)
{
  guint64 s = (guint64) (seconds + 0.5);

  if (s >= 3600)
    g_string_append_printf (to, "%" G_GUINT64_FORMAT ":%02u:%02u", s / 3600,
                            (guint) (s / 60 % 60), (guint) (s % 60));
  else
    g_string_append_printf (to, "%u:%02u", (guint) (s / 60), (guint) (s % 60));
}

static void
append_rate (GString *to, double rate)
{
  if (rate >= 100)
    g_string_append_printf (to, "  %.0f/s", rate);
  else if (rate >= 1)
    g_string_append_printf (to, "  %.1f/s", rate);
  else
    g_string_append_printf (to, "  %.1f/min", rate * 60);
}

/* What stands behind the bar, most important first: what has no room is left out from its end. */
static GString *
describe (const MprocProgressBar *self, gint64 now)
{
  GString *text = g_string_new (NULL);
  guint64 left = self->total > self->done ? self->total - self->done : 0;

  if (self->total > 0)
    g_string_append_printf (text, "%3u%%  ",
                            (guint) ((double) self->done * 100 / (double) self->total));
  g_string_append_printf (text, "%" G_GUINT64_FORMAT, self->done);
  if (self->total > 0)
    g_string_append_printf (text, "/%" G_GUINT64_FORMAT, self->total);
  if (self->failed > 0)
    g_string_append_printf (text, "  %" G_GUINT64_FORMAT " failed", self->failed);
  if (self->rate > 0)
    append_rate (text, self->rate);
  if (left > 0 && self->rate > 0 && (double) left / self->rate < 100 * 3600)
    {
      g_string_append (text, "  ");
      append_time (text, (double) left / self->rate);
      g_string_append (text, " left");
    }
  else if (left == 0)
    {
      g_string_append (text, "  in ");
      append_time (text, (double) (now - self->begun) / G_USEC_PER_SEC);
    }
  return text;
}

/* Eighths of a column where there are letters for them. */
static void
append_bar (GString *to, const MprocProgressBar *self, guint columns)
{
  static const char *const eighths[] = { "", "▏", "▎", "▍", "▌", "▋", "▊", "▉" };
  double part = MIN (1.0, (double) self->done / (double) self->total);
  guint filled = (guint) (part * columns * 8);
  guint used = filled / 8;

  for (guint i = 0; i < used; i++)
    g_string_append (to, self->is_utf8 ? "█" : "#");
  if (self->is_utf8 && filled % 8 != 0)
    {
      g_string_append (to, eighths[filled % 8]);
      used++;
    }
  for (; used < columns; used++)
    g_string_append_c (to, self->is_utf8 ? ' ' : '.');
}

/* The label may have half of the line. */
static GString *
compose (const MprocProgressBar *self, guint columns, gint64 now)
{
  GString *line = g_string_new (NULL);
  GString *text = describe (self, now);
  guint used, room;

  append_columns (line, self->label, columns / 2);
  if (line->len > 0)
    g_string_append_c (line, ' ');
  used = columns_of (line->str);
  room = columns - MIN (columns, used + (guint) text->len + 1);
  if (self->total > 0 && room >= LEAST_BAR)
    {
      append_bar (line, self, MIN (room, MOST_BAR));
      g_string_append_c (line, ' ');
    }
  append_columns (line, text->str, columns - columns_of (line->str));
  g_string_free (text, TRUE);
  return line;
}

/* ------------------------------------------------------------------ drawing */

/* Letters that the place has none for become question marks. */
static void
write_text (const MprocProgressBar *self, const char *text)
{
  char *local = self->is_utf8 ? g_strdup (text)
                              : g_convert_with_fallback (text, -1, "ASCII", "UTF-8", "?",
                                                         NULL, NULL, NULL);

  if (local != NULL)
    mproc_os_write_text (self->fd, local, strlen (local));
  g_free (local);
}

/* The last column stays free: terminals differ in what they do when it is written to. */
static void
draw (MprocProgressBar *self, guint columns, gint64 now)
{
  GString *line = compose (self, MAX (columns, 2) - 1, now);
  guint drawn = columns_of (line->str);

  g_string_prepend_c (line, '\r');
  for (guint i = drawn; i < MIN (self->columns, columns - 1); i++)
    g_string_append_c (line, ' ');
  write_text (self, line->str);
  self->columns = drawn;
  g_string_free (line, TRUE);
}

static void
log_line (MprocProgressBar *self, gint64 now)
{
  GString *text = describe (self, now);

  if (*self->label != '\0')
    g_string_prepend (text, ": ");
  g_string_prepend (text, self->label);
  g_string_append_c (text, '\n');
  write_text (self, text->str);
  g_string_free (text, TRUE);
}

static void
measure (MprocProgressBar *self, gint64 now)
{
  double time = (double) (now - self->measured);
  double rate, weight;

  if (self->done < self->counted || time < INTERVAL)
    return;
  rate = (double) (self->done - self->counted) * G_USEC_PER_SEC / time;
  /* At first the average of all that is known, later of the last seconds. */
  weight = MAX (time / (time + MEMORY), time / (double) MAX (now - self->begun, 1));
  self->rate += weight * (rate - self->rate);
  self->measured = now;
  self->counted = self->done;
}

/* The last one always is shown. */
static void
show (MprocProgressBar *self)
{
  gint64 now = g_get_monotonic_time ();
  gboolean is_all = self->total > 0 && self->done >= self->total;
  guint columns = 0;

  measure (self, now);
  if (mproc_os_is_terminal (self->fd, &columns))
    {
      if (!is_all && self->drawn != 0 && now - self->drawn < INTERVAL)
        return;
      draw (self, columns != 0 ? columns : USUAL_COLUMNS, now);
    }
  else
    {
      if (now - (self->drawn != 0 ? self->drawn : self->begun) < LOG_INTERVAL)
        return;
      log_line (self, now);
    }
  self->drawn = now;
}

/* A program that never called setlocale () has no letters but ASCII's for the C library, and its
 * terminal has them all the same. */
static gboolean
has_utf8 (void)
{
  static const char *const variables[] = { "LC_ALL", "LC_CTYPE", "LANG" };

  if (g_get_charset (NULL))
    return TRUE;
  for (guint i = 0; i < G_N_ELEMENTS (variables); i++)
    {
      const char *value = g_getenv (variables[i]);

      if (value != NULL && *value != '\0')
        return strstr (value, "UTF-8") != NULL || strstr (value, "utf8") != NULL;
    }
  return FALSE;
}

/* ------------------------------------------------------------------ public */

MprocProgressBar *
mproc_progress_bar_new (const char *label, int fd)
{
  MprocProgressBar *self;

  g_return_val_if_fail (label == NULL || g_utf8_validate (label, -1, NULL), NULL);
  self = g_new0 (MprocProgressBar, 1);
  g_mutex_init (&self->mutex);
  self->label = clean (label);
  self->fd = fd;
  self->is_utf8 = has_utf8 ();
  self->begun = g_get_monotonic_time ();
  self->measured = self->begun;
  return self;
}

void
mproc_progress_bar_show (guint64 done, guint64 failed, guint64 total, gpointer bar)
{
  MprocProgressBar *self = bar;

  g_return_if_fail (self != NULL);
  g_mutex_lock (&self->mutex);
  self->done = done;
  self->failed = failed;
  self->total = total;
  show (self);
  g_mutex_unlock (&self->mutex);
}

void
mproc_progress_bar_clear (MprocProgressBar *self)
{
  g_return_if_fail (self != NULL);
  g_mutex_lock (&self->mutex);
  if (self->columns > 0)
    {
      char *blanks = g_strnfill (self->columns + 2, ' ');

      blanks[0] = '\r';
      blanks[self->columns + 1] = '\r';
      write_text (self, blanks);
      g_free (blanks);
    }
  self->columns = 0;
  self->drawn = 0;
  g_mutex_unlock (&self->mutex);
}

/* What has been told since it was drawn last is shown all the same. */
static void
end_line (MprocProgressBar *self)
{
  gint64 now = g_get_monotonic_time ();
  guint columns = 0;

  if (self->done == 0 && self->total == 0)
    return;
  if (!mproc_os_is_terminal (self->fd, &columns))
    {
      log_line (self, now);
      return;
    }
  draw (self, columns != 0 ? columns : USUAL_COLUMNS, now);
  write_text (self, "\n");
}

void
mproc_progress_bar_free (MprocProgressBar *self)
{
  if (self == NULL)
    return;
  end_line (self);
  g_mutex_clear (&self->mutex);
  g_free (self->label);
  g_free (self);
}
