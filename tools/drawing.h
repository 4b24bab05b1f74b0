/* SPDX-License-Identifier: MIT */
/* A picture that is being drawn: an SVG document, from the top down. */
#ifndef DRAWING_H
#define DRAWING_H

#include "timeline.h"

#define DRAWING_LEFT 132.0 /* of the lanes: their labels */
#define DRAWING_RIGHT 96.0 /* how busy they were */
#define DRAWING_MARGIN 20.0
#define DRAWING_LETTER 6.4 /* about so wide is one of the small text */

/* For the functions, by the time they took; the last one is for all others.  They are told apart also by
 * those who do not see red or green. */
#define DRAWING_N_COLOURS 10
extern const char *const drawing_colours[DRAWING_N_COLOURS];

#define DRAWING_ALARM "#c8102e"

typedef struct
{
  const Timeline *timeline;
  GString *svg;
  double width;
  double plot;  /* how wide the lanes are */
  double scale; /* units a microsecond */
  double lane;  /* how high one is, with the gap below it */
  double bar;   /* and without */
  double y;     /* where to go on */
} Drawing;

/* ------------------------------------------------------------------ svg.c: pieces */

void drawing_append_escaped (GString *svg, const char *text);
void drawing_append_number (GString *svg, double number);
void drawing_append_fixed (GString *to, double number, guint n_decimals);
void drawing_append_time (GString *to, double us);
void drawing_append_count (GString *to, guint64 n);
void drawing_append_things (GString *to, guint64 n, const char *thing);

void drawing_attribute (GString *svg, const char *name, double number);
void
drawing_text (Drawing *self, double x, double y, const char *class_, const char *text);

/* The first one leaves it open, for a title. */
void drawing_begin_box (Drawing *self,
                        double x,
                        double y,
                        double width,
                        double height,
                        const char *fill);
void drawing_box (Drawing *self,
                  double x,
                  double y,
                  double width,
                  double height,
                  const char *fill);

/* Where that time is. */
double drawing_x (const Drawing *self, double time);

guint drawing_colour (const Name *name);

/* ------------------------------------------------------------------ lanes.c */

/* How high they have to be, how many there are. */
void drawing_measure_lanes (Drawing *self);
double drawing_get_lanes_height (const Drawing *self);
void drawing_draw_lanes (Drawing *self);

#endif
