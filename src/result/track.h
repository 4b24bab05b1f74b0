/* SPDX-License-Identifier: MIT */
/* What an iterator has handed over, and what of that is there.
 *
 * Apart from the iterator, because the pool's thread may be the last to let go of it: of an iterator
 * that is gone, tasks may still run. */
#ifndef MPROC_TRACK_H
#define MPROC_TRACK_H

#include "result/result.h"

G_BEGIN_DECLS

typedef struct MprocTrack MprocTrack;

/* A task, and the items that travel in it. */
typedef struct
{
  MprocTrack *track; /* a reference, until the result is ready */
  MprocResult *result;
  guint n_items;
  guint n_given;
  gboolean is_single; /* the result is an item's own, or what all of them fail with */
  gboolean is_ready;
} MprocTrackPart;

struct MprocTrack
{
  gint ref_count; /* atomic */
  gboolean is_ordered;

  GMutex mutex; /* over what follows, and its iterator's state */
  GCond changed;
  GQueue parts; /* of MprocTrackPart: handed over, not all of it taken; in order */
  GQueue
      ready; /* those that are there, in the order in which they came; not is_ordered */
  gboolean is_abandoned;
};

MprocTrack *mproc_track_new (gboolean is_ordered);
void mproc_track_unref (MprocTrack *self);

/* For @n_items items; takes @result.  One that is not ready gets its hook, and is waited for. */
MprocTrackPart *mproc_track_add (MprocTrack *self,
                                 MprocResult *result,
                                 guint n_items,
                                 gboolean is_single);

/* It was not handed over after all. */
void mproc_track_take_back (MprocTrack *self, MprocTrackPart *part);

/* Under the mutex: TRUE if there is an outcome to take; then it is taken, NULL with its error. */
gboolean mproc_track_take (MprocTrack *self, GVariant **value, GError **error);

/* Whether that result, which is not ready, is of a part of it. */
gboolean mproc_track_has (MprocTrack *self, MprocResult *result);

/* Nobody wants the rest.  What is not ready yet is freed when it is. */
void mproc_track_abandon (MprocTrack *self);

G_END_DECLS

#endif
