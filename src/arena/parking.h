/* SPDX-License-Identifier: MIT */
/* The parking array: wait and wake where processes cannot share a futex.
 *
 * An entry is one word (the offset its sleeper waits for, or 0) and a semaphore of its
 * own.  A waiter leases an entry, publishes the offset, looks at the word again, and
 * sleeps on the semaphore; a waker takes every matching offset out by compare-and-swap
 * and posts exactly those. A waiter whose time is up and finds its offset gone eats the
 * token that is on its way.
 *
 * Model: tests/models/parking.pml */
#ifndef MPROC_PARKING_H
#define MPROC_PARKING_H

#include "atomic.h"

G_BEGIN_DECLS

void mproc_parking_wait (MprocAtomic32 *word, guint32 value, gint64 deadline);
guint mproc_parking_wake (MprocAtomic32 *word, guint n);

G_END_DECLS

#endif
