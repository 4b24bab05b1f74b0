/* SPDX-License-Identifier: MIT */
/* What a pool notes for those who want to see what it does. */
#ifndef MPROC_INSIGHT_INTERNAL_H
#define MPROC_INSIGHT_INTERNAL_H

#include "insight/trace.h"
#include "pool/taskoptions.h"
#include "worker/poolevent.h"
#include "worker/task.h"

#include <mproc/insight.h>

G_BEGIN_DECLS

typedef struct MprocProgress MprocProgress;

/* Of a pool.  Tasks are counted by those who hand them over and by those who settle them, workers by
 * the pool's thread.  A map's items count one by one. */
typedef struct
{
  MprocAtomic64 n_handed;
  MprocAtomic64 n_done;
  MprocAtomic64 n_failed;
  MprocAtomic64 n_lost;    /* workers that ended otherwise than in good order */
  MprocTrace *trace;       /* NULL: nobody has asked for one */
  MprocProgress *progress; /* the same; see progress.h */
  GArray *outputs;         /* see capture.h; the pool's thread's alone, NULL: none */
} MprocInsight;

/* What is noted of one task between the two. */
typedef struct
{
  MprocInsight *insight;
  guint n_items;
  gint64 handed;    /* only with a trace */
  const char *name; /* the same */
  guint n_told;     /* so many attempts have been traced */
} MprocJobNote;

/* The notes of something that runs @func (NULL: it is not traced), and that these options hold for; it is
 * counted from here on. */
void mproc_insight_hand_over (MprocInsight *self,
                              MprocJobNote *note,
                              MprocFunc func,
                              const MprocTaskOptions *options,
                              guint n_items);

/* It was not handed over after all. */
void mproc_insight_take_back (MprocJobNote *note);

/* The same, of one that has its outcome before anybody else could see it. */
void mproc_insight_count (MprocInsight *self, guint n_items, const GError *error);

/* It has an outcome, @error or a value. */
void mproc_insight_settle (MprocJobNote *note,
                           guint32 serial,
                           MprocOffset task,
                           const GError *error);

/* The same, of what has no task. */
void mproc_insight_settle_batch (MprocJobNote *note, const GError *error);

/* It was begun, and its worker has died; it may be begun again. */
void mproc_insight_note_attempt (MprocJobNote *note,
                                 guint32 serial,
                                 MprocOffset task,
                                 const char *outcome);

/* By the pool's thread: a worker's end, while its seat is there. */
void mproc_insight_note_death (MprocInsight *self, const MprocPoolEvent *death);

/* How many of @seats run something now. */
guint mproc_insight_count_running (const GArray *seats);

/* By the pool's thread, now and then: what nobody sends an event for. */
void mproc_insight_look (MprocInsight *self, const GArray *seats);

/* How many tasks have been handed over and not begun, where so many run. */
guint mproc_insight_count_waiting (MprocInsight *self, guint n_running);

void mproc_insight_clear (MprocInsight *self);

G_END_DECLS

#endif
