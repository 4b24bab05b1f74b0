/* SPDX-License-Identifier: MIT */
#include "terminal.h"

gboolean
mproc_test_terminal_open (MprocTestTerminal *terminal, guint columns)
{
  (void) terminal, (void) columns;
  return FALSE;
}

void
mproc_test_terminal_resize (MprocTestTerminal *terminal, guint columns)
{
  (void) terminal, (void) columns;
}

void
mproc_test_terminal_close (MprocTestTerminal *terminal)
{
  (void) terminal;
}

char *
mproc_test_terminal_read (MprocTestTerminal *terminal)
{
  (void) terminal;
  return g_strdup ("");
}

int
mproc_test_fileno (FILE *file)
{
  return _fileno (file);
}
