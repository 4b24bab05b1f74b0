/* SPDX-License-Identifier: MIT */
/* What the suites about processes share. */
#ifndef MPROC_TEST_PROCESSES_H
#define MPROC_TEST_PROCESSES_H

#include "mproc-test.h"

/* A process started by the @i-th method, or by this one; the start must succeed. */
MprocProcess *mproc_test_start (int i, MprocFunc func, GVariant *args);
MprocProcess *
mproc_test_start_by (MprocStartMethod method, MprocFunc func, GVariant *args);

/* Starts it by the @i-th method. */
void mproc_test_start_it (int i, MprocProcess *process);

/* Joins it, looks at its exit code, drops it. */
void mproc_test_end_with (MprocProcess *process, int exit_code);

gboolean mproc_test_is_thread (int i);

/* Waits for the next item, a text; it must be this one. */
void mproc_test_expect_text (MprocQueue *queue, const char *text);

/* Puts a text. */
void mproc_test_say (MprocQueue *queue, const char *text);

/* The same with a number. */
void mproc_test_expect_number (MprocQueue *queue, gint number);
void mproc_test_tell (MprocQueue *queue, gint number);

/* The next number, or this: nothing in time. */
#define MPROC_TEST_SILENCE G_MININT16
gint mproc_test_hear (MprocQueue *queue, gint64 timeout_us);

/* A target `(h)`: gets from the queue, and puts nothing.  Waits, that is, until
 * something is put or it is killed. */
GVariant *mproc_test_wait_in_queue (GVariant *args, GError **error);

/* A target that gives nothing. */
GVariant *mproc_test_do_nothing (GVariant *args, GError **error);

/* A target that ends its process by mproc_process_exit (6). */
GVariant *mproc_test_exit_with_six (GVariant *args, GError **error);

/* How many criticals of the library have come since the last call; they are not
 * printed. */
guint mproc_test_count_criticals (void);

/* The error is set, is of that code, and has @text in it; clears it. */
void mproc_test_expect_error (GError **error, gint code, const char *text);

/* ------------------------------------------------- of the system: tests/posix, tests/win32 */

/* Check has handlers for the signals that end a program, which its children would
 * inherit. */
void mproc_test_default_signals (void);

/* Interrupts every system call by a signal that has a handler, 2000 times a second. */
void mproc_test_annoy (gboolean on);

/* The host does not want to know of its children: the system reaps them. */
void mproc_test_ignore_children (gboolean on);

#endif
