/* SPDX-License-Identifier: MIT */
/* What the system says of a process: tests/posix, tests/win32. */
#ifndef MPROC_TEST_SETUPS_H
#define MPROC_TEST_SETUPS_H

#include <glib.h>

/* Up to @n of the processors on which the calling process may run; 0 where it cannot choose. */
guint mproc_test_list_processors (guint *cpus, guint n);

/* The one on which the calling thread runs. */
gint mproc_test_get_processor (void);

/* The calling process and its children have one processor from here on, where it can choose. */
void mproc_test_keep_to_one_processor (void);

/* In a process of its own: what the system says of control groups is made up from here on.  FALSE where
 * that is not allowed, or there are none. */
gboolean mproc_test_fake_groups (void);

/* Their quota of processor time; "max": none. */
void mproc_test_set_quota (const char *quota, const char *period);

/* How nice the calling process is, and how nice one is that was as nice as @before and became nicer
 * by @added. */
gint mproc_test_get_niceness (void);
gint mproc_test_expect_niceness (gint before, gint added);

#endif
