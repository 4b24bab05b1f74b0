/* SPDX-License-Identifier: MIT */
/* A jobserver as GNU make has it: tests/posix, tests/win32. */
#ifndef MPROC_TEST_SLOTS_H
#define MPROC_TEST_SLOTS_H

#include <glib.h>

/* Makes one with those tokens.  Returns what make would say of it in MAKEFLAGS, g_free. */
char *mproc_test_slots_open (const char *tokens);

/* How many are there. */
guint mproc_test_slots_count (void);

void mproc_test_slots_close (void);

/* Runs make with that file and so many jobs.  Its output, g_free; NULL: there is no make here. */
char *mproc_test_make (const char *makefile, guint n_jobs, gint *exit_code);

#endif
