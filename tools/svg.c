/* SPDX-License-Identifier: MIT */
#include "drawing.h"

#include <string.h>

void
drawing_append_escaped (GString *svg, const char *text)
{
  char *escaped = g_markup_escape_text (text, -1);

  g_string_append (svg, escaped);
  g_free (escaped);
}

/* Numbers of the document, without the locale's comma. */
void
drawing_append_number (GString *svg, double number)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];

  g_string_append (svg, g_ascii_formatd (text, sizeof text, "%.2f", number));
}

void
drawing_attribute (GString *svg, const char *name, double number)
{
  g_string_append_printf (svg, " %s=\"", name);
  drawing_append_number (svg, number);
  g_string_append_c (svg, '"');
}

void
drawing_append_fixed (GString *to, double number, guint n_decimals)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE], how[8];

  g_snprintf (how, sizeof how, "%%.%uf", n_decimals);
  g_string_append (to, g_ascii_formatd (text, sizeof text, how, number));
}

static void
append_unit (GString *to, double number, guint n_decimals, const char *unit)
{
  drawing_append_fixed (to, number, n_decimals);
  g_string_append (to, unit);
}

void
drawing_append_time (GString *to, double us)
{
  if (us < 1000)
    append_unit (to, us, 0, " µs");
  else if (us < 10e3)
    append_unit (to, us / 1e3, 2, " ms");
  else if (us < 1e6)
    append_unit (to, us / 1e3, 1, " ms");
  else if (us < 600e6)
    append_unit (to, us / 1e6, 2, " s");
  else
    append_unit (to, us / 60e6, 1, " min");
}

/* Groups of three digits, which a thin space parts. */
void
drawing_append_count (GString *to, guint64 n)
{
  char text[32];
  gsize length;

  g_snprintf (text, sizeof text, "%" G_GUINT64_FORMAT, n);
  length = strlen (text);
  for (gsize i = 0; i < length; i++)
    {
      if (i > 0 && (length - i) % 3 == 0)
        g_string_append (to, " ");
      g_string_append_c (to, text[i]);
    }
}

void
drawing_append_things (GString *to, guint64 n, const char *thing)
{
  drawing_append_count (to, n);
  g_string_append_printf (to, " %s%s", thing, n == 1 ? "" : "s");
}

void
drawing_text (Drawing *self, double x, double y, const char *class_, const char *text)
{
  g_string_append (self->svg, "<text");
  drawing_attribute (self->svg, "x", x);
  drawing_attribute (self->svg, "y", y);
  g_string_append_printf (self->svg, " class=\"%s\">", class_);
  drawing_append_escaped (self->svg, text);
  g_string_append (self->svg, "</text>\n");
}

/* Left open, for a title. */
void
drawing_begin_box (Drawing *self,
                   double x,
                   double y,
                   double width,
                   double height,
                   const char *fill)
{
  g_string_append (self->svg, "<rect");
  drawing_attribute (self->svg, "x", x);
  drawing_attribute (self->svg, "y", y);
  drawing_attribute (self->svg, "width", width);
  drawing_attribute (self->svg, "height", height);
  g_string_append_printf (self->svg, " fill=\"%s\"", fill);
}

void
drawing_box (Drawing *self,
             double x,
             double y,
             double width,
             double height,
             const char *fill)
{
  drawing_begin_box (self, x, y, width, height, fill);
  g_string_append (self->svg, "/>\n");
}

double
drawing_x (const Drawing *self, double time)
{
  return DRAWING_LEFT +
         CLAMP ((time - self->timeline->start) * self->scale, 0, self->plot);
}

guint
drawing_colour (const Name *name)
{
  return MIN (name->rank, DRAWING_N_COLOURS - 1);
}
