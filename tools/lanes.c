/* SPDX-License-Identifier: MIT */
/* A lane for each worker, a bar for each task.
 *
 * What is narrower than a few units is not drawn bar by bar: it is counted in cells of one width, and a
 * cell is as strong as it is busy.  So a picture is as large as its lanes are long, however many tasks
 * there were. */
#include "drawing.h"

#include <math.h>
#include <string.h>

/* So many cells are drawn at most, about. */
#define MOST_CELLS 40000.0

#define GROUP_HEIGHT 20.0

/* A part of a lane. */
typedef struct
{
  double busy[DRAWING_N_COLOURS];
  guint64 n_tasks;
  guint64 n_failed;
} Cell;

typedef struct
{
  Drawing *drawing;
  Cell *cells;
  guint n_cells;
  double cell; /* how wide one is */
} Lanes;

/* Cells beside each other that look the same. */
typedef struct
{
  guint first, n;
  guint colour;
  guint strength; /* 1 to 8 */
  guint64 n_tasks;
  guint64 n_failed;
  double busy;
} Run;

void
drawing_measure_lanes (Drawing *self)
{
  guint n = self->timeline->lanes->len;

  self->lane = n <= 8     ? 30
               : n <= 16  ? 24
               : n <= 40  ? 17
               : n <= 80  ? 11
               : n <= 300 ? 6
                          : 3;
  self->bar = self->lane - (self->lane >= 17 ? 4 : self->lane >= 6 ? 1.5 : 0.5);
}

static guint
count_groups (const Timeline *timeline)
{
  guint n = 0;
  gint64 pid = -1;

  for (guint i = 0; i < timeline->lanes->len; i++)
    {
      const Lane *lane = g_ptr_array_index (timeline->lanes, i);

      n += i == 0 || lane->pid != pid;
      pid = lane->pid;
    }
  return n;
}

double
drawing_get_lanes_height (const Drawing *self)
{
  guint n_groups = count_groups (self->timeline);

  return self->timeline->lanes->len * self->lane +
         (n_groups > 1 ? n_groups * GROUP_HEIGHT : 0);
}

/* ------------------------------------------------------------------ bars */

static const char *
outcome_text (const Task *task)
{
  return task->outcome == OUTCOME_DIED     ? ", died with its worker"
         : task->outcome == OUTCOME_FAILED ? ", failed"
                                           : "";
}

static void
append_task_title (Drawing *self, const Task *task, const Name *name)
{
  GString *title = g_string_new (name->text);

  g_string_append_printf (title, "\ntask %u%s", task->number, outcome_text (task));
  if (task->attempt > 1)
    g_string_append_printf (title, ", attempt %u", task->attempt);
  if (task->n_items > 1)
    g_string_append_printf (title, ", %u items", task->n_items);
  g_string_append (title, "\nran ");
  drawing_append_time (title, task->end - task->start);
  g_string_append (title, ", from ");
  drawing_append_time (title, task->start - self->timeline->start);
  if (task->waited > 0)
    {
      g_string_append (title, "\nwaited ");
      drawing_append_time (title, task->waited);
    }
  g_string_append (self->svg, "<title>");
  drawing_append_escaped (self->svg, title->str);
  g_string_append (self->svg, "</title>");
  g_string_free (title, TRUE);
}

/* Along the lower edge of what failed. */
static void
draw_alarm (Drawing *self, double x, double width)
{
  double height = MAX (1, self->bar * 0.2);

  drawing_box (self, x, self->y + self->bar - height, width, height, DRAWING_ALARM);
}

/* In the bar, where it has room for it. */
static void
draw_bar_label (Drawing *self, const Name *name, double x, double width)
{
  double length = (double) g_utf8_strlen (name->text, -1) * DRAWING_LETTER;

  if (self->bar >= 14 && length + 10 <= width)
    drawing_text (self, x + 5, self->y + self->bar / 2 + 3.6, "in", name->text);
}

static void
draw_task (Drawing *self, const Task *task)
{
  const Name *name = g_ptr_array_index (self->timeline->names, task->name);
  double x = drawing_x (self, task->start);
  double width = drawing_x (self, task->end) - x;
  const char *fill = drawing_colours[drawing_colour (name)];

  if (task->outcome == OUTCOME_DIED)
    fill = "url(#died)";
  /* A hair of daylight between neighbours. */
  width = MAX (width - 0.5, 0.5);
  drawing_begin_box (self, x, self->y, width, self->bar, fill);
  if (width > 6 && self->bar > 8)
    g_string_append (self->svg, " rx=\"2\"");
  g_string_append_c (self->svg, '>');
  append_task_title (self, task, name);
  g_string_append (self->svg, "</rect>\n");
  if (task->outcome == OUTCOME_FAILED)
    draw_alarm (self, x, width);
  if (task->outcome != OUTCOME_DIED)
    draw_bar_label (self, name, x, width);
}

/* ------------------------------------------------------------------ cells */

static void
count_part (Lanes *self, guint cell, double amount, const Task *task)
{
  const Name *name = g_ptr_array_index (self->drawing->timeline->names, task->name);

  self->cells[cell].busy[drawing_colour (name)] += amount;
}

/* A short one lies in two cells at most, or in a few. */
static void
count_task (Lanes *self, const Task *task)
{
  double from = (drawing_x (self->drawing, task->start) - DRAWING_LEFT) / self->cell;
  double to = (drawing_x (self->drawing, task->end) - DRAWING_LEFT) / self->cell;
  guint first = MIN ((guint) from, self->n_cells - 1);
  guint last = MIN ((guint) to, self->n_cells - 1);

  self->cells[first].n_tasks += task->n_items;
  self->cells[first].n_failed += task->outcome != OUTCOME_DONE ? task->n_items : 0;
  for (guint i = first; i <= last; i++)
    count_part (self, i, MAX (MIN (to, i + 1.0) - MAX (from, (double) i), 1e-6), task);
}

static double
sum_of (const Cell *cell)
{
  double sum = 0;

  for (guint i = 0; i < DRAWING_N_COLOURS; i++)
    sum += cell->busy[i];
  return sum;
}

static guint
main_colour (const Cell *cell)
{
  guint best = 0;

  for (guint i = 1; i < DRAWING_N_COLOURS; i++)
    if (cell->busy[i] > cell->busy[best])
      best = i;
  return best;
}

static const char *
name_of_colour (const Timeline *timeline, guint colour)
{
  for (guint i = 0; i < timeline->names->len; i++)
    {
      const Name *name = g_ptr_array_index (timeline->names, i);

      if (name->rank == colour)
        return name->text;
    }
  return "";
}

static void
append_run_title (Drawing *self, const Run *run)
{
  GString *title = g_string_new (NULL);

  drawing_append_things (title, run->n_tasks, "task");
  if (run->n_failed > 0)
    {
      g_string_append (title, ", ");
      drawing_append_count (title, run->n_failed);
      g_string_append (title, " failed");
    }
  g_string_append (title, run->colour == DRAWING_N_COLOURS - 1 ? "" : "\nmostly ");
  if (run->colour != DRAWING_N_COLOURS - 1)
    g_string_append (title, name_of_colour (self->timeline, run->colour));
  g_string_append (title, "\nbusy ");
  drawing_append_fixed (title, 100 * MIN (1, run->busy / run->n), 0);
  g_string_append_c (title, '%');
  g_string_append (self->svg, "<title>");
  drawing_append_escaped (self->svg, title->str);
  g_string_append (self->svg, "</title>");
  g_string_free (title, TRUE);
}

static void
draw_run (Lanes *self, const Run *run)
{
  Drawing *drawing = self->drawing;
  double x = DRAWING_LEFT + run->first * self->cell;
  double width = MIN (run->n * self->cell, DRAWING_LEFT + drawing->plot - x);

  if (run->n == 0)
    return;
  drawing_begin_box (drawing, x, drawing->y, width, drawing->bar,
                     drawing_colours[run->colour]);
  drawing_attribute (drawing->svg, "fill-opacity", 0.2 + 0.1 * run->strength);
  g_string_append_c (drawing->svg, '>');
  append_run_title (drawing, run);
  g_string_append (drawing->svg, "</rect>\n");
  if (run->n_failed > 0)
    draw_alarm (drawing, x, width);
}

/* What a cell would look like alone. */
static Run
run_of (const Cell *cell, guint i)
{
  double busy = MIN (1, sum_of (cell));
  Run run = { i, 1, main_colour (cell), 0, cell->n_tasks, cell->n_failed, busy };

  run.strength = CLAMP ((guint) ceil (busy * 8), 1, 8);
  return run;
}

static gboolean
looks_like (const Run *a, const Run *b)
{
  return a->n > 0 && a->colour == b->colour && a->strength == b->strength &&
         (a->n_failed > 0) == (b->n_failed > 0);
}

static void
draw_cells (Lanes *self)
{
  Run run = { 0 };

  for (guint i = 0; i < self->n_cells; i++)
    {
      Run next = run_of (&self->cells[i], i);

      if (sum_of (&self->cells[i]) <= 0)
        next.n = 0;
      if (next.n > 0 && run.first + run.n == i && looks_like (&run, &next))
        {
          run.n++;
          run.n_tasks += next.n_tasks;
          run.n_failed += next.n_failed;
          run.busy += next.busy;
          continue;
        }
      draw_run (self, &run);
      run = next;
    }
  draw_run (self, &run);
}

/* ------------------------------------------------------------------ a lane */

/* Of a lane no more bars are drawn than have room beside each other. */
static void
draw_tasks (Lanes *self, const Lane *lane)
{
  Drawing *drawing = self->drawing;
  guint room = 2 * self->n_cells;

  memset (self->cells, 0, self->n_cells * sizeof (Cell));
  for (guint i = 0; i < lane->tasks->len; i++)
    {
      const Task *task = &g_array_index (lane->tasks, Task, i);

      if (drawing_x (drawing, task->end) - drawing_x (drawing, task->start) <
          2 * self->cell)
        count_task (self, task);
    }
  draw_cells (self);
  for (guint i = 0; i < lane->tasks->len && room > 0; i++)
    {
      const Task *task = &g_array_index (lane->tasks, Task, i);

      if (drawing_x (drawing, task->end) - drawing_x (drawing, task->start) >=
          2 * self->cell)
        {
          draw_task (drawing, task);
          room--;
        }
    }
}

static void
append_stroke (GString *svg, double x, double y, double dx, double dy)
{
  g_string_append_c (svg, 'M');
  drawing_append_number (svg, x);
  g_string_append_c (svg, ' ');
  drawing_append_number (svg, y);
  g_string_append_c (svg, 'l');
  drawing_append_number (svg, dx);
  g_string_append_c (svg, ' ');
  drawing_append_number (svg, dy);
}

static void
draw_death (Drawing *self, const Death *death)
{
  double r = CLAMP (self->bar * 0.28, 2.5, 6);
  double x = CLAMP (drawing_x (self, death->time), DRAWING_LEFT + r,
                    DRAWING_LEFT + self->plot - r);
  double y = self->y + self->bar / 2;
  GString *title = g_string_new (death->how);

  g_string_append (title, " after ");
  drawing_append_time (title, death->time - self->timeline->start);
  g_string_append (self->svg, "<g transform=\"translate(");
  drawing_append_number (self->svg, x);
  g_string_append_c (self->svg, ' ');
  drawing_append_number (self->svg, y);
  g_string_append (self->svg, ")\"><title>");
  drawing_append_escaped (self->svg, title->str);
  g_string_append (self->svg, "</title><circle");
  drawing_attribute (self->svg, "r", r + 2);
  g_string_append (self->svg, " fill=\"#fff\" stroke=\"" DRAWING_ALARM "\"/>"
                              "<path stroke=\"" DRAWING_ALARM
                              "\" stroke-width=\"1.8\" stroke-linecap=\"round\" d=\"");
  append_stroke (self->svg, -r * 0.5, -r * 0.5, r, r);
  append_stroke (self->svg, -r * 0.5, r * 0.5, r, -r);
  g_string_append (self->svg, "\"/></g>\n");
  g_string_free (title, TRUE);
}

static double
share_of (const Timeline *timeline, const Lane *lane)
{
  double alive =
      timeline_lane_end (timeline, lane) - timeline_lane_start (timeline, lane);

  return alive > 0 ? MIN (1, lane->busy / alive) : 0;
}

static void
draw_share (Drawing *self, const Lane *lane, gboolean has_text)
{
  double share = share_of (self->timeline, lane);
  double x = DRAWING_LEFT + self->plot + 10;
  double height = MIN (6, self->bar);
  double y = self->y + (self->bar - height) / 2;
  GString *text = g_string_new (NULL);

  drawing_box (self, x, y, 36, height, "#e6eaee");
  drawing_box (self, x, y, 36 * share, height, "#6b7785");
  if (has_text)
    {
      drawing_append_fixed (text, 100 * share, 0);
      g_string_append_c (text, '%');
      drawing_text (self, x + 42, self->y + self->bar / 2 + 4, "share", text->str);
    }
  g_string_free (text, TRUE);
}

/* The end of a name says more than its beginning. */
static void
draw_label (Drawing *self, const Lane *lane)
{
  guint most = (guint) ((DRAWING_LEFT - DRAWING_MARGIN) / DRAWING_LETTER);
  char *number = g_strdup_printf ("%" G_GINT64_FORMAT, lane->tid);
  const char *label = lane->label != NULL && *lane->label != '\0' ? lane->label : number;
  glong length = g_utf8_strlen (label, -1);
  GString *text = g_string_new (NULL);

  if (length > (glong) most)
    {
      g_string_append (text, "…");
      label = g_utf8_offset_to_pointer (label, length - (glong) most + 1);
    }
  g_string_append (text, label);
  drawing_text (self, DRAWING_LEFT - 9, self->y + self->bar / 2 + 4, "label", text->str);
  g_string_free (text, TRUE);
  g_free (number);
}

/* The time it lived, under its tasks. */
static void
draw_life (Drawing *self, const Lane *lane)
{
  double from = drawing_x (self, timeline_lane_start (self->timeline, lane));
  double to = drawing_x (self, timeline_lane_end (self->timeline, lane));

  drawing_begin_box (self, from, self->y, MAX (to - from, 0.5), self->bar, "#eef1f4");
  g_string_append_printf (self->svg, "><title>pid %" G_GINT64_FORMAT "</title></rect>\n",
                          lane->tid);
}

static void
draw_lane (Lanes *self, const Lane *lane, gboolean has_text)
{
  Drawing *drawing = self->drawing;

  draw_life (drawing, lane);
  draw_tasks (self, lane);
  for (guint i = 0; i < lane->deaths->len; i++)
    draw_death (drawing, &g_array_index (lane->deaths, Death, i));
  if (has_text)
    draw_label (drawing, lane);
  draw_share (drawing, lane, has_text);
  drawing->y += drawing->lane;
}

/* ------------------------------------------------------------------ all */

static void
draw_group (Drawing *self, const Lane *lane)
{
  char *text = g_strdup_printf ("process %" G_GINT64_FORMAT, lane->pid);

  drawing_text (self, DRAWING_MARGIN, self->y + GROUP_HEIGHT - 6, "group", text);
  g_free (text);
  self->y += GROUP_HEIGHT;
}

static double
cell_width (const Drawing *self)
{
  return CLAMP (ceil (self->timeline->lanes->len * self->plot / MOST_CELLS), 1, 20);
}

void
drawing_draw_lanes (Drawing *self)
{
  Lanes lanes = { self, NULL, 0, cell_width (self) };
  guint every = (guint) ceil (12 / self->lane);
  gboolean has_groups = count_groups (self->timeline) > 1;
  gint64 pid = -1;

  lanes.n_cells = (guint) ceil (self->plot / lanes.cell);
  lanes.cells = g_new (Cell, lanes.n_cells);
  for (guint i = 0; i < self->timeline->lanes->len; i++)
    {
      const Lane *lane = g_ptr_array_index (self->timeline->lanes, i);

      if (has_groups && (i == 0 || lane->pid != pid))
        draw_group (self, lane);
      pid = lane->pid;
      draw_lane (&lanes, lane, i % every == 0);
    }
  g_free (lanes.cells);
}
