/* SPDX-License-Identifier: MIT */
/* What the suites about a pool's workers share. */
#ifndef MPROC_TEST_WORKERS_H
#define MPROC_TEST_WORKERS_H

#include "pools.h"

/* Options with the @i-th start method; what the pool cannot be made with fails the test.  Takes
 * @options. */
MprocPoolOptions *mproc_test_pool_options (int i);
MprocPool *mproc_test_pool_with (guint n_workers, MprocPoolOptions *options);

/* Its value, which it must have; drops it. */
GVariant *mproc_test_value_of (MprocResult *result);

/* A task that begins: `(hh)`, it says its number by the first queue, then waits for an item in the
 * second, or until it is asked to stop: then it fails. */
GVariant *mproc_test_occupy (GVariant *args, GError **error);

/* A task `(hh)` that says its number as well and then waits for an item, whatever it is asked. */
GVariant *mproc_test_be_stuck (GVariant *args, GError **error);

/* A task that gives its process's pid, `x`; its worker's number, `u`. */
GVariant *mproc_test_tell_pid (GVariant *args, GError **error);
GVariant *mproc_test_tell_number (GVariant *args, GError **error);

/* Occupies @n workers, all of which have begun when it returns; an item in @go for each lets them
 * end. */
typedef struct
{
  MprocQueue *begun;
  MprocQueue *go;
} MprocTestGate;

void mproc_test_gate_init (MprocTestGate *gate);
MprocResult *mproc_test_gate_occupy (MprocTestGate *gate, MprocPool *pool, MprocFunc how);
void mproc_test_gate_open (MprocTestGate *gate, guint n);
void mproc_test_gate_clear (MprocTestGate *gate);

/* ------------------------------------------------- of the system: tests/posix, tests/win32 */

/* The calling process becomes the first of a group of its own, and counts its interrupts.  FALSE where
 * that cannot be done. */
gboolean mproc_test_lead_group (void);

/* The terminal's interrupt, to all of the group. */
void mproc_test_interrupt_group (void);
guint mproc_test_count_interrupts (void);

#endif
