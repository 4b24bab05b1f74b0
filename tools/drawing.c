/* SPDX-License-Identifier: MIT */
#include "drawing.h"

#include <math.h>

#define LEGEND_ROW 19.0
#define CHART 44.0 /* of how many wait */

const char *const drawing_colours[DRAWING_N_COLOURS] = {
  "#4c78a8", "#f2a541", "#54a24b", "#b279a2", "#72b7b2",
  "#d6795b", "#9d755d", "#e6c229", "#5f6caf", "#9aa5b1",
};

static const char style[] =
    "<style>"
    "text{font-family:system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif;"
    "fill:#28323c;font-size:11px}"
    ".title{font-size:18px;font-weight:600}"
    ".sub{font-size:12px;fill:#5b6875}"
    ".axis{fill:#6b7785;text-anchor:middle}"
    ".label{text-anchor:end}"
    ".group{fill:#5b6875;font-weight:600}"
    ".share,.note{fill:#5b6875}"
    ".in{fill:#fff;font-size:10.5px;pointer-events:none}"
    "rect:hover{stroke:#28323c;stroke-width:.7}"
    "</style>\n"
    "<defs><pattern id=\"died\" width=\"6\" height=\"6\" "
    "patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">"
    "<rect width=\"6\" height=\"6\" fill=\"#f3c6cc\"/>"
    "<rect width=\"3\" height=\"6\" fill=\"" DRAWING_ALARM "\"/></pattern></defs>\n";

/* ------------------------------------------------------------------ the head */

static void
append_part (GString *text, guint64 n, const char *thing)
{
  g_string_append (text, " · ");
  drawing_append_things (text, n, thing);
}

static void
draw_head (Drawing *self)
{
  const Timeline *timeline = self->timeline;
  const char *program = timeline->program;
  GString *text = g_string_new (NULL);

  drawing_text (self, DRAWING_MARGIN, 32, "title",
                program != NULL && *program != '\0' ? program : "timeline");
  drawing_append_time (text, timeline->end - timeline->start);
  append_part (text, timeline->lanes->len, "worker");
  append_part (text, timeline->n_tasks, "task");
  if (timeline->alive > 0)
    {
      g_string_append (text, " · ");
      drawing_append_fixed (text, 100 * MIN (1, timeline->busy / timeline->alive), 0);
      g_string_append (text, "% busy");
    }
  if (timeline->n_failed > 0)
    {
      g_string_append (text, " · ");
      drawing_append_count (text, timeline->n_failed);
      g_string_append (text, " failed");
    }
  if (timeline->n_deaths > 0)
    append_part (text, timeline->n_deaths, "death");
  drawing_text (self, DRAWING_MARGIN, 52, "sub", text->str);
  g_string_free (text, TRUE);
  self->y = 66;
}

/* ------------------------------------------------------------------ the legend */

static GString *
describe_name (const Name *name)
{
  GString *text = g_string_new (NULL);

  if (g_utf8_strlen (name->text, -1) > 40)
    {
      const char *end = g_utf8_offset_to_pointer (name->text, 39);

      g_string_append_len (text, name->text, end - name->text);
      g_string_append (text, "…");
    }
  else
    g_string_append (text, name->text);
  g_string_append (text, " · ");
  drawing_append_count (text, name->n_tasks);
  g_string_append (text, " × ");
  drawing_append_time (text, name->n_tasks > 0 ? name->time / (double) name->n_tasks : 0);
  return text;
}

static void
draw_entry (Drawing *self, double *x, const char *colour, const char *text)
{
  double width = 18 + (double) g_utf8_strlen (text, -1) * DRAWING_LETTER + 22;

  if (*x > DRAWING_MARGIN && *x + width > self->width - DRAWING_MARGIN)
    {
      *x = DRAWING_MARGIN;
      self->y += LEGEND_ROW;
    }
  drawing_begin_box (self, *x, self->y, 11, 11, colour);
  g_string_append (self->svg, " rx=\"2\"/>\n");
  drawing_text (self, *x + 17, self->y + 9.5, "legend", text);
  *x += width;
}

static const Name *
name_of_rank (const Timeline *timeline, guint rank)
{
  for (guint i = 0; i < timeline->names->len; i++)
    if (((Name *) g_ptr_array_index (timeline->names, i))->rank == rank)
      return g_ptr_array_index (timeline->names, i);
  return NULL;
}

static void
draw_legend (Drawing *self)
{
  guint n = self->timeline->names->len;
  double x = DRAWING_MARGIN;

  for (guint rank = 0; rank < MIN (n, DRAWING_N_COLOURS); rank++)
    {
      GString *text = describe_name (name_of_rank (self->timeline, rank));

      if (rank == DRAWING_N_COLOURS - 1 && n > DRAWING_N_COLOURS)
        g_string_printf (text, "%u others", n - rank);
      draw_entry (self, &x, drawing_colours[rank], text->str);
      g_string_free (text, TRUE);
    }
  if (self->timeline->n_failed > 0)
    draw_entry (self, &x, DRAWING_ALARM, "failed");
  if (n > 0)
    self->y += LEGEND_ROW;
  self->y += 10;
}

/* ------------------------------------------------------------------ the axis */

/* 1, 2 or 5 of something, of which there are ten or so. */
static double
choose_step (double span, double most)
{
  double power = pow (10, floor (log10 (span / most)));

  for (guint i = 0; i < 3; i++)
    {
      static const double factors[] = { 1, 2, 5 };

      if (span / (power * factors[i]) <= most)
        return power * factors[i];
    }
  return power * 10;
}

static void
append_tick (GString *to, double time, double step)
{
  double unit = step >= 1e6 ? 1e6 : step >= 1e3 ? 1e3 : 1;
  const char *name = unit > 1e3 ? " s" : unit > 1 ? " ms" : " µs";

  if (time <= 0)
    g_string_append (to, "0");
  else if (unit == 1e3 && time >= 1e6) /* 1.25 s rather than 1250 ms */
    {
      drawing_append_fixed (to, time / 1e6, step >= 100e3 ? 1 : step >= 10e3 ? 2 : 3);
      name = " s";
    }
  else
    drawing_append_fixed (to, time / unit, 0);
  if (time > 0)
    g_string_append (to, name);
}

static void
draw_line (Drawing *self, double x, double top, double bottom)
{
  g_string_append (self->svg, "<path stroke=\"#dde2e7\" d=\"M");
  drawing_append_number (self->svg, x);
  g_string_append_c (self->svg, ' ');
  drawing_append_number (self->svg, top);
  g_string_append_c (self->svg, 'V');
  drawing_append_number (self->svg, bottom);
  g_string_append (self->svg, "\"/>\n");
}

/* Above the lanes, with lines down to @bottom; below them once more where they are long. */
static void
draw_axis (Drawing *self, double bottom)
{
  double span = self->timeline->end - self->timeline->start;
  double step = choose_step (span, MAX (2, self->plot / 90));
  guint n = (guint) (span / step);
  gboolean twice = bottom - self->y > 500;

  for (guint i = 0; i <= n; i++)
    {
      double x = DRAWING_LEFT + i * step * self->scale;
      GString *text = g_string_new (NULL);

      append_tick (text, i * step, step);
      drawing_text (self, x, self->y + 10, "axis", text->str);
      if (twice)
        drawing_text (self, x, bottom + 14, "axis", text->str);
      draw_line (self, x, self->y + 15, bottom);
      g_string_free (text, TRUE);
    }
  self->y += 18;
}

/* ------------------------------------------------------------------ who waits */

/* The most that waited within each unit of the width. */
static double *
collect_waiting (Drawing *self, guint n, double *most)
{
  const GArray *samples = self->timeline->samples;
  double *columns = g_new0 (double, n);
  double before = 0;
  guint at = 0;

  *most = 0;
  for (guint i = 0; i < samples->len; i++)
    {
      const Sample *sample = &g_array_index (samples, Sample, i);
      double x = drawing_x (self, sample->time) - DRAWING_LEFT;
      guint to = MIN ((guint) x, n - 1);

      for (; at < to; at++)
        columns[at] = MAX (columns[at], before);
      before = sample->n_waiting;
      columns[to] = MAX (columns[to], before);
      *most = MAX (*most, before);
    }
  for (; at < n; at++)
    columns[at] = MAX (columns[at], before);
  return columns;
}

static void
append_point (GString *svg, char letter, double x, double y)
{
  g_string_append_c (svg, letter);
  drawing_append_number (svg, x);
  g_string_append_c (svg, ' ');
  drawing_append_number (svg, y);
}

static void
draw_area (Drawing *self, const double *columns, guint n, double most)
{
  double foot = self->y + CHART;

  g_string_append (self->svg, "<path fill=\"#c9d6e4\" d=\"");
  append_point (self->svg, 'M', DRAWING_LEFT, foot);
  for (guint i = 0; i < n; i++)
    if (i == 0 || columns[i] != columns[i - 1])
      {
        append_point (self->svg, 'L', DRAWING_LEFT + i,
                      foot - CHART * (i == 0 ? 0 : columns[i - 1]) / most);
        append_point (self->svg, 'L', DRAWING_LEFT + i, foot - CHART * columns[i] / most);
      }
  append_point (self->svg, 'L', DRAWING_LEFT + n, foot - CHART * columns[n - 1] / most);
  append_point (self->svg, 'L', DRAWING_LEFT + n, foot);
  g_string_append (self->svg, "Z\"/>\n");
}

static void
draw_waiting (Drawing *self)
{
  guint n = (guint) self->plot;
  double most;
  double *columns = collect_waiting (self, n, &most);
  GString *text = g_string_new ("up to ");

  self->y += 12;
  drawing_text (self, DRAWING_LEFT - 9, self->y + CHART / 2 + 4, "label", "waiting");
  if (most > 0)
    draw_area (self, columns, n, most);
  drawing_append_count (text, (guint64) most);
  drawing_text (self, DRAWING_LEFT + self->plot + 10, self->y + 9, "note", text->str);
  self->y += CHART;
  g_string_free (text, TRUE);
  g_free (columns);
}

/* ------------------------------------------------------------------ all */

static void
draw_below (Drawing *self, double bottom, gboolean has_axis)
{
  self->y = bottom + (has_axis ? 16 : 0);
  if (self->timeline->samples->len > 0)
    draw_waiting (self);
  self->y += DRAWING_MARGIN;
}

static void
draw_all (Drawing *self)
{
  double bottom, top;

  draw_head (self);
  draw_legend (self);
  top = self->y;
  bottom = top + 18 + drawing_get_lanes_height (self);
  draw_axis (self, bottom);
  drawing_text (self, DRAWING_LEFT + self->plot + 52, top + 10, "note", "busy");
  drawing_draw_lanes (self);
  draw_below (self, bottom, bottom - top > 500);
}

GString *
timeline_draw (const Timeline *timeline, guint width)
{
  Drawing drawing = { .timeline = timeline, .svg = g_string_new (NULL), .width = width };
  GString *svg = g_string_new (NULL);

  drawing.plot = width - DRAWING_LEFT - DRAWING_RIGHT;
  drawing.scale = drawing.plot / (timeline->end - timeline->start);
  drawing_measure_lanes (&drawing);
  draw_all (&drawing);
  g_string_append_printf (
      svg,
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" height=\"%u\" "
      "viewBox=\"0 0 %u %u\">\n",
      width, (guint) drawing.y, width, (guint) drawing.y);
  g_string_append (svg, style);
  g_string_append (svg, "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n");
  g_string_append_len (svg, drawing.svg->str, (gssize) drawing.svg->len);
  g_string_append (svg, "</svg>\n");
  g_string_free (drawing.svg, TRUE);
  return svg;
}
