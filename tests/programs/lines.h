/* SPDX-License-Identifier: MIT */
/* What the programs have in common: each tells what it does, a line at a time, in the
 * order in which that happens in all its processes. */
#ifndef MPROC_TEST_LINES_H
#define MPROC_TEST_LINES_H

#include <mproc.h>

void say (const char *format, ...) G_GNUC_PRINTF (1, 2);

/* Starts and joins it, says how that went: "@what: exit code 0", or the error. */
void say_how_it_runs (const char *what, MprocProcess *process);

/* The file of that name beside the program (transfer full). */
char *beside (const char *program, const char *name);

/* A function in a library that is loaded now, and stays: tests/posix and tests/win32. */
gpointer load_symbol (const char *path, const char *name);

/* As chdir. */
void go_to_root (void);

#endif
