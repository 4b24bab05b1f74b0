/* SPDX-License-Identifier: MIT */
/* What the suites about tasks and their workers share. */
#ifndef MPROC_TEST_POOLS_H
#define MPROC_TEST_POOLS_H

#include "processes.h"

/* By the @i-th method.  The test fails if it cannot be made. */
MprocPool *mproc_test_pool (guint n_workers, int i);

/* Closed, joined and gone. */
void mproc_test_end_pool (MprocPool *pool);

/* Drops a result that must come as an error of that code with @text (NULL: any) in it. */
void mproc_test_expect_failure (MprocResult *result, gint code, const char *text);

/* Drops a result that must come as a value. */
void mproc_test_expect_success (MprocResult *result);

/* The pool runs @n tasks, one after the other. */
void mproc_test_expect_service (MprocPool *pool, gint n);

/* Counters that all processes share, one for each task. */
MprocArray *mproc_test_counters (guint n);
gint mproc_test_count (MprocArray *counters, guint i);
void mproc_test_set_count (MprocArray *counters, guint i, gint count);

/* In a task: one more. */
void mproc_test_count_one (MprocArray *counters, guint i);

/* A task `(hu)`: counts itself in the array, and gives its number. */
GVariant *mproc_test_count_task (GVariant *args, GError **error);

/* A task `(hu)`: the same, and then runs until it is killed.  Where that cannot be done, until the
 * counter is negative. */
GVariant *mproc_test_run_for_ever (GVariant *args, GError **error);

/* Looks until the counter is at least @least. */
void mproc_test_await_count (MprocArray *counters, guint i, gint least);

/* Lets those of mproc_test_run_for_ever that count there go. */
void mproc_test_let_go (MprocArray *counters, guint i);

#endif
