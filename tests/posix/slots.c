/* SPDX-License-Identifier: MIT */
#include "slots.h"

#include "mproc-test.h"

#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char *path;
static int fifo = -1;

char *
mproc_test_slots_open (const char *tokens)
{
  path = mproc_test_temporary ("slots");
  ck_assert_int_eq (mkfifo (path, 0600), 0);
  fifo = open (path, O_RDWR | O_CLOEXEC);
  ck_assert_int_ge (fifo, 0);
  ck_assert_int_eq (write (fifo, tokens, strlen (tokens)), strlen (tokens));
  return g_strconcat (" -j9 --jobserver-auth=fifo:", path, " -k", NULL);
}

#if defined(__linux__)
static int inherited[2] = { -1, -1 };

char *
mproc_test_slots_inherit (const char *tokens)
{
  ck_assert_int_eq (pipe (inherited), 0);
  fifo = fcntl (inherited[0], F_DUPFD_CLOEXEC, 0);
  ck_assert_int_ge (fifo, 0);
  ck_assert_int_eq (write (inherited[1], tokens, strlen (tokens)), strlen (tokens));
  return g_strdup_printf (" -j9 --jobserver-auth=%d,%d -k", inherited[0], inherited[1]);
}

void
mproc_test_slots_disinherit (void)
{
  close (inherited[0]);
  close (inherited[1]);
}
#else
char *
mproc_test_slots_inherit (const char *tokens)
{
  return mproc_test_slots_open (tokens);
}

void
mproc_test_slots_disinherit (void)
{
}
#endif

guint
mproc_test_slots_count (void)
{
  int n = 0;

  ck_assert_int_eq (ioctl (fifo, FIONREAD, &n), 0);
  return (guint) n;
}

void
mproc_test_slots_close (void)
{
  close (fifo);
  if (path != NULL)
    unlink (path);
  g_clear_pointer (&path, g_free);
}

char *
mproc_test_make (const char *makefile, guint n_jobs, gint *exit_code)
{
  char *program = g_find_program_in_path ("make");
  char *jobs = g_strdup_printf ("-j%u", n_jobs);
  char *argv[] = { program, jobs, "-f", (char *) makefile, NULL };
  char **environment = g_environ_unsetenv (g_get_environ (), "MAKEFLAGS");
  char *output = NULL;
  char *complaints = NULL;
  char *all = NULL;
  gint status = 0;

  if (program != NULL && g_spawn_sync (NULL, argv, environment, 0, NULL, NULL, &output,
                                       &complaints, &status, NULL))
    {
      all = g_strconcat (output, complaints, NULL);
      *exit_code = WIFEXITED (status) ? WEXITSTATUS (status) : -1;
    }
  g_free (output);
  g_free (complaints);
  g_strfreev (environment);
  g_free (jobs);
  g_free (program);
  return all;
}
