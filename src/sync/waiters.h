/* SPDX-License-Identifier: MIT */
/* Those who wait for a notification, in the order in which they came.
 *
 * Each has a block of its own in the arena, linked into a list, and sleeps on a word in it, so
 * that a notifier wakes exactly those whom it notifies.  The list has a lock word of its own, held
 * for an instant and never by one who sleeps, because a condition's lock does not protect it: those
 * who look for the dead do not hold that.
 *
 * A notification reaches its waiter when that one has left the list.  One who dies before leaves a
 * block that says NOTIFIED, and whoever waits beside it finds it, at the end of a nap or of his
 * time, and passes the notification on to the first one who was waiting already when it was
 * given.  So nobody has to wait for it to be received.
 *
 * Model: tests/models/condition.pml */
#ifndef MPROC_WAITERS_H
#define MPROC_WAITERS_H

#include "arena/arena.h"
#include "family/watch.h"

G_BEGIN_DECLS

/* Zeros, in the arena. */
typedef struct
{
  MprocAtomic32 guard; /* a lock word */
  guint32 unused;
  MprocAtomic64 first;
  MprocAtomic64 last;
  MprocAtomic64 n_ever; /* they are numbered, from 1 */
  MprocWatch watch;
} MprocWaiters;

/* The caller waits from here on.  0 with MPROC_ERROR_NO_MEMORY. */
MprocOffset mproc_waiters_join (MprocWaiters *self, GError **error);

/* Sleeps until notified; FALSE: the time is up. */
gboolean mproc_waiters_sleep (MprocWaiters *self, MprocOffset waiter, gint64 deadline);

/* After that, always. */
void mproc_waiters_leave (MprocWaiters *self, MprocOffset waiter);

/* The @n who have waited longest. */
void mproc_waiters_notify (MprocWaiters *self, guint n);

/* Frees what the dead have left, when nobody can wait any more. */
void mproc_waiters_clear (MprocWaiters *self);

G_END_DECLS

#endif
