/* SPDX-License-Identifier: MIT */
/* What a trace tells, in the order in which it is drawn. */
#ifndef TIMELINE_H
#define TIMELINE_H

#include "tracefile.h"

/* More than that are not kept. */
#define MOST_TASKS 8000000
#define MOST_LANES 4096
#define MOST_NAMES 4096
#define MOST_SAMPLES 1000000

typedef enum
{
  OUTCOME_DONE,
  OUTCOME_FAILED, /* or cancelled, or timed out */
  OUTCOME_DIED
} Outcome;

typedef struct
{
  double start;
  double end;
  float waited; /* < 0: not known */
  guint32 number;
  guint32 n_items;
  guint16 name;
  guint8 outcome;
  guint8 attempt;
} Task;

/* A worker's end that nobody wanted. */
typedef struct
{
  double time;
  char *how;
} Death;

/* A worker. */
typedef struct
{
  gint64 pid; /* of its pool */
  gint64 tid; /* its own */
  char *label;
  double number;  /* among the pool's workers; 0: not told */
  double born;    /* NAN: not told */
  double gone;    /* the same */
  GArray *tasks;  /* of Task, by start */
  GArray *deaths; /* of Death */
  double busy;    /* with something to do */
} Lane;

/* A function. */
typedef struct
{
  char *text;
  guint64 n_tasks;
  guint64 n_failed;
  double time;
  guint rank; /* 0: it took the most time */
} Name;

/* How many tasks waited at an instant. */
typedef struct
{
  double time;
  double n_waiting;
} Sample;

typedef struct
{
  char *program;
  double start;
  double end;
  GPtrArray *lanes; /* of Lane, by pool and number */
  GPtrArray *names; /* of Name */
  GArray *samples;  /* of Sample, by time */
  guint64 n_tasks;  /* of all functions */
  guint64 n_failed; /* or died */
  guint64 n_deaths;
  guint64 n_dropped; /* events that were too many */
  double busy;       /* of all lanes */
  double alive;      /* the same */
} Timeline;

Timeline *timeline_new (const char *text, gsize size, TraceSummary *summary);
void timeline_free (Timeline *self);

/* When the lane's worker began and ended, as far as is known. */
double timeline_lane_start (const Timeline *self, const Lane *lane);
double timeline_lane_end (const Timeline *self, const Lane *lane);

/* The picture, @width units wide. */
GString *timeline_draw (const Timeline *self, guint width);

#endif
