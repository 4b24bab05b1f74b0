/* SPDX-License-Identifier: MIT */
/* What an iterator consists of: iter.c makes it and takes from it, iterfill.c hands items over. */
#ifndef MPROC_ITER_DATA_H
#define MPROC_ITER_DATA_H

#include "pool/pool.h"
#include "result/track.h"

#include <mproc/iter.h>

G_BEGIN_DECLS

struct MprocIter
{
  MprocObject base;
  MprocPool *pool;
  MprocTrack *track;
  MprocFunc func;
  guint chunk;
  MprocTaskOptions *options; /* frozen; NULL: none */

  MprocNextFunc next;
  gpointer data;
  GDestroyNotify destroy;
  gboolean is_at_hand; /* the input is there already, all of it */

  guint most; /* outstanding chunks; under the track's mutex */

  /* Whoever fills works on these; that it does is under the track's mutex. */
  GThread *filler;
  GPtrArray *batch;    /* of GVariant: taken from the input, not handed over yet */
  gboolean has_ended;  /* the input */
  GError *input_error; /* what it ended with, to be given behind the batch */
};

/* Takes the track's mutex, of which the pool's is the outer one. */
void mproc_iter_lock (MprocIter *self);

/* Of the input, what has not been handed over.  Under the mutex, while nobody fills. */
gboolean mproc_iter_has_more (MprocIter *self);

/* Hands a chunk over.  Under the mutex, which it leaves meanwhile: the input is its owner's code, and
 * the pool may have to be waited for, where nothing else can be.  FALSE: nothing was handed over. */
gboolean mproc_iter_fill (MprocIter *self, gint64 deadline);

G_END_DECLS

#endif
