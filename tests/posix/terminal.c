/* SPDX-License-Identifier: MIT */
#include "terminal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

/* Lines come out as they were written, without carriage returns of the terminal's own. */
static void
make_raw (int fd)
{
  struct termios how;

  if (tcgetattr (fd, &how) != 0)
    return;
  how.c_oflag &= (tcflag_t) ~OPOST;
  how.c_lflag &= (tcflag_t) ~ECHO;
  (void) tcsetattr (fd, TCSANOW, &how);
}

gboolean
mproc_test_terminal_open (MprocTestTerminal *terminal, guint columns)
{
  const char *name;

  terminal->other_end = posix_openpt (O_RDWR | O_NOCTTY);
  if (terminal->other_end < 0)
    return FALSE;
  terminal->fd = -1;
  if (grantpt (terminal->other_end) == 0 && unlockpt (terminal->other_end) == 0)
    {
      name = ptsname (terminal->other_end);
      if (name != NULL)
        terminal->fd = open (name, O_RDWR | O_NOCTTY);
    }
  if (terminal->fd < 0)
    {
      close (terminal->other_end);
      return FALSE;
    }
  make_raw (terminal->fd);
  (void) fcntl (terminal->other_end, F_SETFL, O_NONBLOCK);
  mproc_test_terminal_resize (terminal, columns);
  return TRUE;
}

void
mproc_test_terminal_resize (MprocTestTerminal *terminal, guint columns)
{
  struct winsize size = { .ws_row = 24, .ws_col = (unsigned short) columns };

  (void) ioctl (terminal->fd, TIOCSWINSZ, &size);
}

void
mproc_test_terminal_close (MprocTestTerminal *terminal)
{
  close (terminal->fd);
  close (terminal->other_end);
}

char *
mproc_test_terminal_read (MprocTestTerminal *terminal)
{
  GString *text = g_string_new (NULL);
  char piece[1024];
  ssize_t n;

  while ((n = read (terminal->other_end, piece, sizeof piece)) > 0)
    g_string_append_len (text, piece, n);
  return g_string_free (text, FALSE);
}

int
mproc_test_fileno (FILE *file)
{
  return fileno (file);
}
