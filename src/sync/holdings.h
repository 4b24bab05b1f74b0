/* SPDX-License-Identifier: MIT */
/* Who has taken how many units of a semaphore, so that those of the dead can be restored.
 *
 * The truth is the total and one word for each member: its generation and how many it has.
 * The semaphore's value is the total less all of those; it is a second copy, for others to
 * look at and sleep on, which whoever takes a dead member's lock over makes right again.
 *
 * Model: tests/models/holdings.pml */
#ifndef MPROC_HOLDINGS_H
#define MPROC_HOLDINGS_H

#include "arena/arena.h"
#include "atomic.h"

G_BEGIN_DECLS

/* Of a semaphore that has @total units, all of them free.  0 with error. */
MprocOffset mproc_holdings_new (guint32 total, GError **error);

/* FALSE: there is none. */
gboolean mproc_holdings_take (MprocOffset holdings, MprocAtomic32 *value);

/* One of the caller's, else one of somebody else's, else a new one.  FALSE: there are
 * @max. */
gboolean mproc_holdings_give (MprocOffset holdings, MprocAtomic32 *value, guint32 max);

/* Gives back what the dead have taken; TRUE if that was anything.  With @ask_system also
 * where nobody has noticed yet that they died, which costs system calls for each that holds
 * units. */
gboolean
mproc_holdings_restore (MprocOffset holdings, MprocAtomic32 *value, gboolean ask_system);

G_END_DECLS

#endif
