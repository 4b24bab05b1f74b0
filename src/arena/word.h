/* SPDX-License-Identifier: MIT */
/* Wait words: the one pair of operations that everything in the arena sleeps with.
 *
 * The truth is in the memory, a wake is a hint: a waker may be killed between its
 * change and its wake.  So no sleep is unbounded: a sleeper returns after MPROC_NAP at
 * the latest and looks again, at the word and at the life of whoever it waits for; where many
 * sleep for the same thing, so that some look all the time, each may look more rarely. */
#ifndef MPROC_WORD_H
#define MPROC_WORD_H

#include "atomic.h"
#include "os.h"

#include <mproc/init.h>

G_BEGIN_DECLS

/* The longest a sleeper goes without a look, in microseconds. */
#define MPROC_NAP 100000

/* Sleeps while *word (in the arena) is @value; returns at @deadline, after MPROC_NAP,
 * at a wake, or for no reason. */
void mproc_word_wait (MprocAtomic32 *word, guint32 value, gint64 deadline);

/* The same after another time than MPROC_NAP. */
void mproc_word_nap (MprocAtomic32 *word, guint32 value, gint64 deadline, gint64 nap);

/* Wakes up to @n sleepers; TRUE if there was one. */
gboolean mproc_word_wake (MprocAtomic32 *word, guint n);

/* Orders a sleeper's announcement before its last look, and on the other side a
 * runner's change before its look for sleepers.  The sleeper pays (a barrier in every
 * running process) so that the runner needs no fence, unless a member cannot take part. */
void mproc_order_sleeper (void);
void mproc_order_runner (void);

/* The same for runners that do an atomic read-modify-write between their change and
 * their look, as the release of a lock is.  On x86 that is a full barrier by itself, so
 * that the sleeper need not interrupt every running process to make one. */
void mproc_order_sleeper_of_lockers (void);
void mproc_order_locker (void);

/* How a thread spins before it sleeps: after 8 spins in vain in a row it stops, every
 * 64th wait tries again, one success turns it on.  One for each kind of wait. */
typedef struct
{
  gint vain;
  gint skipped;
} MprocSpin;

/* About as long as it takes to sleep and be woken: less never sees an answer come that the other side
 * had to be woken for. */
#define MPROC_SPIN_LOOKS 2000

/* Once, before the first spin: looks how many processors there are. */
void mproc_spin_prepare (void);
gboolean mproc_has_one_processor (void);

/* How many looks to take now (may be 0). */
gint mproc_spin_budget (MprocSpin *spin);
void mproc_spin_result (MprocSpin *spin, gboolean success);

/* Whether a public timeout is one: other negative numbers are the caller's mistake. */
#define MPROC_IS_TIMEOUT(timeout) ((timeout) >= 0 || (timeout) == MPROC_FOREVER)

/* The absolute deadline of a public timeout: MPROC_FOREVER gives MPROC_OS_NEVER. */
gint64 mproc_deadline (gint64 timeout_us);

/* The parking array (systems without a word that processes can share): made with the
 * arena, its semaphores inherited by every child.  Handles to inherit are appended to
 * @handles. */
gboolean mproc_parking_create (GError **error);
void mproc_parking_list_handles (GArray *handles);

/* A dead member's entries are given back. */
void mproc_parking_sweep (guint32 member);

G_END_DECLS

#endif
