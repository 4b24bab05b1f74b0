/* SPDX-License-Identifier: MIT */
/* Functions for the tests' workers, and what they share with the test. */
#ifndef MPROC_TEST_TASKS_H
#define MPROC_TEST_TASKS_H

#include "processes.h"

/* `i`, to its square.  The second one fails for 5 with "Invalid value", the third one's worker dies of 13. */
GVariant *mproc_test_square (GVariant *x, GError **error);
GVariant *mproc_test_square_but_five (GVariant *x, GError **error);
GVariant *mproc_test_die_of_13 (GVariant *x, GError **error);

/* Its square, 200 microseconds later. */
GVariant *mproc_test_pause_and_square (GVariant *x, GError **error);

/* `i`: gives nothing if it is even, and fails with "odd" if it is not. */
GVariant *mproc_test_refuse_odd (GVariant *x, GError **error);

/* `x`: sleeps so many microseconds, then gives its process's pid, `x`. */
GVariant *mproc_test_nap (GVariant *us, GError **error);

/* Any: its process's pid, `x`; the pid of the process that has started it, `x` (under fork the nursery);
 * its worker's number, `u`. */
GVariant *mproc_test_tell_pid (GVariant *args, GError **error);
GVariant *mproc_test_tell_parent (GVariant *args, GError **error);
GVariant *mproc_test_tell_number (GVariant *args, GError **error);

/* Any: gives a connection, `(h)`, which cannot be sent. */
GVariant *mproc_test_give_connection (GVariant *args, GError **error);

/* Any: its worker is killed. */
GVariant *mproc_test_die (GVariant *args, GError **error);

/* ------------------------------------------------------------------ counters */

/* All processes share them, one for each task. */
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

/* Lets those of mproc_test_run_for_ever() that count there go. */
void mproc_test_let_go (MprocArray *counters, guint i);

/* ------------------------------------------------------------------ the gate */

/* Tasks that hold their workers until they are let go. */
typedef struct
{
  MprocQueue *begun; /* pids */
  MprocQueue *go;    /* numbers */
} MprocTestGate;

/* Tasks `(hh)` of a gate: say that they have begun, then wait for a number, which they give.  The second
 * one fails if it is asked to stop meanwhile. */
GVariant *mproc_test_be_stuck (GVariant *args, GError **error);
GVariant *mproc_test_occupy (GVariant *args, GError **error);

void mproc_test_gate_init (MprocTestGate *gate);
void mproc_test_gate_clear (MprocTestGate *gate);

/* Hands such a task over. */
MprocResult *mproc_test_gate_submit (MprocTestGate *gate,
                                     MprocPool *pool,
                                     MprocFunc how,
                                     const MprocTaskOptions *options);

/* Waits until one more has begun; the pid of its worker. */
gint64 mproc_test_gate_await (MprocTestGate *gate);

/* Both: such a task, which has begun. */
MprocResult *mproc_test_gate_occupy (MprocTestGate *gate, MprocPool *pool, MprocFunc how);

/* Lets @n of them go, each with that number; without assertions, for children. */
void mproc_test_gate_open (MprocTestGate *gate, guint n, gint number);

#endif
