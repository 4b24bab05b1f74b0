/* SPDX-License-Identifier: MIT */
/* Waiting where there is one processor: what is waited for comes when another one runs, so let
 * it.  To change to one that is ready takes two thirds of the time of a sleep and a wake.
 *
 * But whoever yields is not woken: it goes on when its turn comes, which may be a while if
 * others have work of their own, or if the one that gives the answer goes on working behind
 * it.  So it is done only where it has been proven that the answer comes soon (a sleep that was
 * short, say), and a turn that took long ends it, for a time of which that turn is a small
 * part; unless it was the first one after many, which anything in the system may have been the
 * reason for. */
#ifndef MPROC_YIELD_H
#define MPROC_YIELD_H

#include "arena/word.h"

G_BEGIN_DECLS

/* Zeros; one for each kind of wait. */
typedef struct
{
  MprocAtomic32 credit;      /* how many may still be in vain until the next proof */
  MprocAtomic32 short_turns; /* since the last that took long */
  MprocAtomic32 setbacks;    /* those that took long, and were no accident */
  MprocAtomic64 not_before;
} MprocYield;

/* The proof; of nothing where there are more processors. */
void mproc_yield_encourage (MprocYield *self);

/* With no lock in hand.  @moved: a count that the others raise with all they do for the
 * caller, which is what a turn may be long for.  TRUE: @look has found what he waits for. */
gboolean mproc_yield_for (MprocYield *self,
                          gboolean (*look) (gpointer),
                          gpointer data,
                          MprocAtomic32 *moved);

/* Around a sleep: one that was short is a proof. */
gint64 mproc_yield_sleep_begin (void);
void mproc_yield_sleep_end (MprocYield *self, gint64 begin);

G_END_DECLS

#endif
