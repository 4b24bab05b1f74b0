/* SPDX-License-Identifier: MIT */
/* A terminal's interrupt.  Of the system: tests/posix, tests/win32. */
#ifndef MPROC_TEST_GROUP_H
#define MPROC_TEST_GROUP_H

#include <glib.h>

/* The calling process becomes the first of a group of its own, and counts its interrupts.  FALSE where
 * that cannot be done. */
gboolean mproc_test_lead_group (void);

/* The terminal's interrupt, to all of the group. */
void mproc_test_interrupt_group (void);
guint mproc_test_count_interrupts (void);

#endif
