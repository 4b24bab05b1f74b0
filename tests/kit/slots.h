/* SPDX-License-Identifier: MIT */
/* A jobserver as GNU make has it: tests/posix, tests/win32. */
#ifndef MPROC_TEST_SLOTS_H
#define MPROC_TEST_SLOTS_H

#include <glib.h>

/* Makes one with those tokens.  Returns what make would say of it in MAKEFLAGS, g_free. */
char *mproc_test_slots_open (const char *tokens);

/* The same, as descriptors that this process has inherited, where there is such a thing; and the end of
 * these, so that they are nobody's but the test's. */
char *mproc_test_slots_inherit (const char *tokens);
void mproc_test_slots_disinherit (void);

/* How many are there. */
guint mproc_test_slots_count (void);

void mproc_test_slots_close (void);

/* Runs make with that file and so many jobs.  Its output, g_free; NULL: there is no make here. */
char *mproc_test_make (const char *makefile, guint n_jobs, gint *exit_code);

#endif
