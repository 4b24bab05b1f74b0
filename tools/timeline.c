/* SPDX-License-Identifier: MIT */
#include "timeline.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What is needed while events come in. */
typedef struct
{
  Timeline *timeline;
  GHashTable *lanes; /* pid and tid, as text -> Lane */
  GHashTable *names; /* text -> index + 1 */
  guint64 n_tasks;
} Builder;

static void
free_lane (gpointer data)
{
  Lane *self = data;

  for (guint i = 0; i < self->deaths->len; i++)
    g_free (g_array_index (self->deaths, Death, i).how);
  g_array_unref (self->deaths);
  g_array_unref (self->tasks);
  g_free (self->label);
  g_free (self);
}

static void
free_name (gpointer data)
{
  Name *self = data;

  g_free (self->text);
  g_free (self);
}

void
timeline_free (Timeline *self)
{
  g_ptr_array_unref (self->lanes);
  g_ptr_array_unref (self->names);
  g_array_unref (self->samples);
  g_free (self->program);
  g_free (self);
}

/* ------------------------------------------------------------------ events */

/* NULL: there are too many. */
static Lane *
find_lane (Builder *self, const TraceEvent *event)
{
  char key[48];
  Lane *lane;

  g_snprintf (key, sizeof key, "%" G_GINT64_FORMAT "/%" G_GINT64_FORMAT, event->pid,
              event->tid);
  lane = g_hash_table_lookup (self->lanes, key);
  if (lane != NULL || self->timeline->lanes->len == MOST_LANES)
    return lane;
  lane = g_new0 (Lane, 1);
  lane->pid = event->pid;
  lane->tid = event->tid;
  lane->born = NAN;
  lane->gone = NAN;
  lane->tasks = g_array_new (FALSE, FALSE, sizeof (Task));
  lane->deaths = g_array_new (FALSE, FALSE, sizeof (Death));
  g_ptr_array_add (self->timeline->lanes, lane);
  g_hash_table_insert (self->lanes, g_strdup (key), lane);
  return lane;
}

/* All that are too many are one. */
static guint
find_name (Builder *self, const char *text)
{
  guint i = GPOINTER_TO_UINT (g_hash_table_lookup (self->names, text));
  Name *name;

  if (i != 0)
    return i - 1;
  if (self->timeline->names->len == MOST_NAMES)
    return MOST_NAMES - 1;
  name = g_new0 (Name, 1);
  name->text = g_strdup (self->timeline->names->len == MOST_NAMES - 1 ? "others" : text);
  g_ptr_array_add (self->timeline->names, name);
  g_hash_table_insert (self->names, g_strdup (text),
                       GUINT_TO_POINTER (self->timeline->names->len));
  return self->timeline->names->len - 1;
}

static Outcome
outcome_of (const TraceEvent *event)
{
  if (strcmp (event->outcome, "died") == 0)
    return OUTCOME_DIED;
  if (*event->outcome == '\0' || strcmp (event->outcome, "done") == 0)
    return OUTCOME_DONE;
  return OUTCOME_FAILED;
}

static void
add_task (Builder *self, const TraceEvent *event)
{
  Lane *lane = self->n_tasks < MOST_TASKS ? find_lane (self, event) : NULL;
  Task task = { event->start, event->start + event->duration, -1, 0, 0, 0, 0, 0 };

  if (lane == NULL)
    {
      self->timeline->n_dropped++;
      return;
    }
  task.number = (guint32) CLAMP (event->task, 0, G_MAXUINT32);
  task.n_items = (guint32) CLAMP (event->items, 1, G_MAXUINT32);
  task.attempt = (guint8) CLAMP (event->attempt, 1, 255);
  task.outcome = (guint8) outcome_of (event);
  task.name = (guint16) find_name (self, event->name);
  task.waited = (float) event->waited;
  g_array_append_val (lane->tasks, task);
  self->n_tasks++;
}

static void
add_death (Builder *self, const TraceEvent *event)
{
  Lane *lane = find_lane (self, event);
  Death death = { event->start, NULL };

  if (lane == NULL || lane->deaths->len >= 100)
    return;
  death.how = g_strdup (event->name);
  g_array_append_val (lane->deaths, death);
  self->timeline->n_deaths++;
}

static void
add_sample (Builder *self, const TraceEvent *event)
{
  Sample sample = { event->start, MAX (0, event->waiting) };

  if (self->timeline->samples->len < MOST_SAMPLES)
    g_array_append_val (self->timeline->samples, sample);
}

static void
add_name_of_thread (Builder *self, const TraceEvent *event)
{
  Lane *lane = find_lane (self, event);

  if (lane == NULL)
    return;
  g_free (lane->label);
  lane->label = g_strdup (event->label);
}

static void
add_event (const TraceEvent *event, gpointer data)
{
  Builder *self = data;
  gboolean is_worker = strcmp (event->category, "worker") == 0;
  Lane *lane;

  if (event->phase == 'X')
    add_task (self, event);
  else if (event->phase == 'i' && strcmp (event->category, "death") == 0)
    add_death (self, event);
  else if (event->phase == 'C')
    add_sample (self, event);
  else if (event->phase == 'M' && strcmp (event->name, "thread_name") == 0)
    add_name_of_thread (self, event);
  else if (event->phase == 'M' && strcmp (event->name, "process_name") == 0)
    {
      g_free (self->timeline->program);
      self->timeline->program = g_strdup (event->label);
    }
  else if ((event->phase == 'B' && is_worker) || event->phase == 'E')
    {
      lane = find_lane (self, event);
      if (lane != NULL && event->phase == 'B')
        {
          lane->born = event->start;
          lane->number = event->number;
        }
      else if (lane != NULL)
        lane->gone = event->start;
    }
}

/* ------------------------------------------------------------------ putting in order */

static int
compare_doubles (double a, double b)
{
  return (a > b) - (a < b);
}

static int
compare_tasks (const void *a, const void *b)
{
  return compare_doubles (((const Task *) a)->start, ((const Task *) b)->start);
}

static int
compare_samples (const void *a, const void *b)
{
  return compare_doubles (((const Sample *) a)->time, ((const Sample *) b)->time);
}

static int
compare_names (const void *a, const void *b)
{
  const Name *x = *(Name *const *) a, *y = *(Name *const *) b;

  if (x->time != y->time)
    return compare_doubles (y->time, x->time);
  return strcmp (x->text, y->text);
}

static double
first_time (const Lane *lane)
{
  if (!isnan (lane->born))
    return lane->born;
  return lane->tasks->len > 0 ? g_array_index (lane->tasks, Task, 0).start : 0;
}

static int
compare_lanes (const void *a, const void *b)
{
  const Lane *x = *(Lane *const *) a, *y = *(Lane *const *) b;

  if (x->pid != y->pid)
    return x->pid < y->pid ? -1 : 1;
  if (x->number != y->number)
    return compare_doubles (x->number, y->number);
  if (first_time (x) != first_time (y))
    return compare_doubles (first_time (x), first_time (y));
  return (x->tid > y->tid) - (x->tid < y->tid);
}

/* Of nothing there is not even a place. */
static void
sort (gpointer items, guint n, gsize size, int (*compare) (const void *, const void *))
{
  if (n > 1)
    qsort (items, n, size, compare);
}

static void
stretch (Timeline *self, double start, double end)
{
  if (isnan (self->start) || start < self->start)
    self->start = start;
  if (isnan (self->end) || end > self->end)
    self->end = end;
}

/* What two tasks cover at the same time counts once. */
static void
settle_lane (Timeline *self, Lane *lane)
{
  double covered = -G_MAXDOUBLE;

  sort (lane->tasks->data, lane->tasks->len, sizeof (Task), compare_tasks);
  for (guint i = 0; i < lane->tasks->len; i++)
    {
      const Task *task = &g_array_index (lane->tasks, Task, i);
      Name *name = g_ptr_array_index (self->names, task->name);

      lane->busy += MAX (0, task->end - MAX (task->start, covered));
      covered = MAX (covered, task->end);
      name->n_tasks += task->n_items;
      name->n_failed += task->outcome != OUTCOME_DONE ? task->n_items : 0;
      name->time += task->end - task->start;
      stretch (self, task->start, task->end);
    }
  if (!isnan (lane->born))
    stretch (self, lane->born, lane->born);
  if (!isnan (lane->gone))
    stretch (self, lane->gone, lane->gone);
  for (guint i = 0; i < lane->deaths->len; i++)
    stretch (self, g_array_index (lane->deaths, Death, i).time,
             g_array_index (lane->deaths, Death, i).time);
}

/* The tasks name the functions by their old places: these are told their ranks. */
static void
rank_names (Timeline *self)
{
  GPtrArray *order = g_ptr_array_new ();

  for (guint i = 0; i < self->names->len; i++)
    g_ptr_array_add (order, g_ptr_array_index (self->names, i));
  sort (order->pdata, order->len, sizeof (gpointer), compare_names);
  for (guint i = 0; i < order->len; i++)
    {
      Name *name = g_ptr_array_index (order, i);

      name->rank = i;
      self->n_tasks += name->n_tasks;
      self->n_failed += name->n_failed;
    }
  g_ptr_array_unref (order);
}

/* Lanes that have nothing to show were only named: a file that was cut may have them. */
static void
drop_empty_lanes (Timeline *self)
{
  for (guint i = self->lanes->len; i > 0; i--)
    {
      const Lane *lane = g_ptr_array_index (self->lanes, i - 1);

      if (lane->tasks->len == 0 && lane->deaths->len == 0 && isnan (lane->born))
        g_ptr_array_remove_index (self->lanes, i - 1);
    }
}

static void
settle (Timeline *self)
{
  drop_empty_lanes (self);
  for (guint i = 0; i < self->lanes->len; i++)
    settle_lane (self, g_ptr_array_index (self->lanes, i));
  if (isnan (self->start))
    self->start = self->end = 0;
  self->end = MAX (self->end, self->start + 1);
  sort (self->lanes->pdata, self->lanes->len, sizeof (gpointer), compare_lanes);
  sort (self->samples->data, self->samples->len, sizeof (Sample), compare_samples);
  rank_names (self);
  for (guint i = 0; i < self->lanes->len; i++)
    {
      const Lane *lane = g_ptr_array_index (self->lanes, i);

      self->busy += lane->busy;
      self->alive += timeline_lane_end (self, lane) - timeline_lane_start (self, lane);
    }
}

double
timeline_lane_start (const Timeline *self, const Lane *lane)
{
  double start = isnan (lane->born) ? self->start : lane->born;

  if (lane->tasks->len > 0)
    start = MIN (start, g_array_index (lane->tasks, Task, 0).start);
  return start;
}

double
timeline_lane_end (const Timeline *self, const Lane *lane)
{
  return MAX (isnan (lane->gone) ? self->end : lane->gone,
              timeline_lane_start (self, lane));
}

Timeline *
timeline_new (const char *text, gsize size, TraceSummary *summary)
{
  Timeline *self = g_new0 (Timeline, 1);
  Builder builder = { .timeline = self };

  self->start = NAN;
  self->end = NAN;
  self->lanes = g_ptr_array_new_with_free_func (free_lane);
  self->names = g_ptr_array_new_with_free_func (free_name);
  self->samples = g_array_new (FALSE, FALSE, sizeof (Sample));
  builder.lanes = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  builder.names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  trace_read (text, size, add_event, &builder, summary);
  g_hash_table_unref (builder.lanes);
  g_hash_table_unref (builder.names);
  settle (self);
  return self;
}
