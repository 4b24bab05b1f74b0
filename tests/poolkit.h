/* SPDX-License-Identifier: MIT */
/* What the suites about a pool's results and workers share. */
#ifndef MPROC_TEST_POOLKIT_H
#define MPROC_TEST_POOLKIT_H

#include "pools.h"

/* A pool by the @i-th method; takes @options, which may be NULL.  It must be there. */
MprocPool *mproc_test_make_pool (guint n_workers, int i, MprocPoolOptions *options);

/* The number that it is; takes @value. */
gint32 mproc_test_int (GVariant *value);

/* `[first, ..., first + n - 1]`, floating. */
GVariant *mproc_test_numbers (gint32 first, guint n);

/* ------------------------------------------------- functions that run there */

/* `i` to its square; 5 fails with "Invalid value". */
GVariant *mproc_test_square (GVariant *args, GError **error);

/* `(hh)`: says 1 in the first queue, then waits for a number in the second, which it gives. */
GVariant *mproc_test_hold (GVariant *args, GError **error);

/* Kills its process where the argument `i` is 13, else its square. */
GVariant *mproc_test_die_of_13 (GVariant *args, GError **error);

/* Two queues for mproc_test_hold(). */
typedef struct
{
  MprocQueue *begun;
  MprocQueue *go;
} MprocTestHold;

void mproc_test_hold_init (MprocTestHold *hold);
void mproc_test_hold_clear (MprocTestHold *hold);

/* A task of @pool that has begun, and holds its worker until mproc_test_tell (hold->go, number). */
MprocResult *mproc_test_hold_worker (MprocTestHold *hold, MprocPool *pool);

#endif
