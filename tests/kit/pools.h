/* SPDX-License-Identifier: MIT */
/* Pools for tests; with them what runs in their workers, and what becomes of it. */
#ifndef MPROC_TEST_POOLS_H
#define MPROC_TEST_POOLS_H

#include "results.h"
#include "tasks.h"

/* Options with the @i-th start method. */
MprocPoolOptions *mproc_test_pool_options (int i);

/* A pool by the @i-th method; one with these options, which it takes.  The test fails if it cannot be
 * made. */
MprocPool *mproc_test_pool (guint n_workers, int i);
MprocPool *mproc_test_pool_with (guint n_workers, MprocPoolOptions *options);

/* One by that method, for children, in which nothing is asserted: NULL and the error. */
MprocPool *mproc_test_try_pool (guint n_workers, MprocStartMethod method, GError **error);

/* Closed, joined and gone. */
void mproc_test_end_pool (MprocPool *pool);

/* What the function, which is called without arguments, says: an `x`. */
gint64 mproc_test_ask (MprocPool *pool, MprocFunc func);

/* Whether its workers are started by this process itself: under fork, since its nursery was killed.  For
 * mproc_test_eventually(); one that is just being killed may lose the question. */
gboolean mproc_test_has_no_nursery (gpointer pool);

/* The pool runs @n tasks, one after the other. */
void mproc_test_expect_service (MprocPool *pool, gint n);

/* Waits until so many are alive: one may have to be spawned first, or be at work before it is counted. */
void mproc_test_await_live_workers (MprocPool *pool, guint n);

#endif
