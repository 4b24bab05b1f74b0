/* SPDX-License-Identifier: MIT */
/* The nursery: a pool's own small process, forked when the pool is made, which forks
 * the workers and their replacements.  So they see the program as it was then, and no
 * fork happens behind the caller's back once threads run. */
#ifndef MPROC_NURSERY_H
#define MPROC_NURSERY_H

#include "worker/crew.h"

G_BEGIN_DECLS

typedef struct MprocNursery MprocNursery;

/* Forks it; it starts @plan's workers and posts READY, or BROKEN. */
MprocNursery *mproc_nursery_new (const MprocCrewPlan *plan, GError **error);

/* Its crew is to look at the seats now. */
void mproc_nursery_wake (MprocNursery *self);

/* FALSE once it has ended, for whatever reason. */
gboolean mproc_nursery_is_alive (MprocNursery *self);

/* TRUE once none of its workers, which die with it, is left either. */
gboolean mproc_nursery_is_deserted (MprocNursery *self);

/* Tells it to kill its workers and waits until all of them have ended.  FALSE: the
 * nursery has been killed, and a worker did not die with it. */
gboolean mproc_nursery_free (MprocNursery *self);

G_END_DECLS

#endif
