/* SPDX-License-Identifier: MIT */
#ifndef MPROC_TEST_TERMINAL_H
#define MPROC_TEST_TERMINAL_H

#include <glib.h>
#include <stdio.h>

/* A terminal of its own.  What is written to @fd, a descriptor of the C library, comes out at the other
 * end. */
typedef struct
{
  int fd;
  int other_end;
} MprocTestTerminal;

/* FALSE where there is no such thing. */
gboolean mproc_test_terminal_open (MprocTestTerminal *terminal, guint columns);
void mproc_test_terminal_resize (MprocTestTerminal *terminal, guint columns);
void mproc_test_terminal_close (MprocTestTerminal *terminal);

/* What has been written since the last call. g_free. */
char *mproc_test_terminal_read (MprocTestTerminal *terminal);

/* Its descriptor of the C library. */
int mproc_test_fileno (FILE *file);

#endif
