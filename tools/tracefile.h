/* SPDX-License-Identifier: MIT */
/* Reads what MPROC_TRACE has written: trace events, in a JSON array that may end anywhere.
 *
 * The file is anybody's: nothing in it is believed.  Text comes out as UTF-8 without control letters, of a
 * bounded length; numbers are finite and within what a picture can need. */
#ifndef TRACEFILE_H
#define TRACEFILE_H

#include <glib.h>

/* With the zero at its end. */
#define TRACE_TEXT 256

/* Times are microseconds.  What an event does not have is 0 or "". */
typedef struct
{
  char phase; /* 'X', 'B', 'E', 'i', 'C', 'M' or another letter */
  char name[TRACE_TEXT];
  char category[32];
  double start;
  double duration;
  gint64 pid;
  gint64 tid;

  /* args */
  char label[TRACE_TEXT]; /* name */
  char outcome[32];
  double task;
  double attempt;
  double items;
  double waited;
  double waiting;
  double number;
} TraceEvent;

typedef void (*TraceEventFunc) (const TraceEvent *event, gpointer data);

typedef struct
{
  guint64 n_events;
  guint64 n_broken; /* lines, or what is left of them, that are no event */
  gboolean is_cut;  /* it ends inside of an event */
} TraceSummary;

void trace_read (const char *text,
                 gsize size,
                 TraceEventFunc func,
                 gpointer data,
                 TraceSummary *summary);

#endif
