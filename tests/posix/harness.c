/* SPDX-License-Identifier: MIT */
/* What the test program needs of a POSIX system.  Where there is no /proc only
 * descriptors are counted. */
#include "mproc-test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

gboolean
mproc_test_can_fork (void)
{
  return TRUE;
}

gboolean
mproc_test_is_slow_platform (void)
{
  return FALSE;
}

/* ------------------------------------------------------------------ census */

static void
add_descriptors (GPtrArray *things)
{
  long limit = sysconf (_SC_OPEN_MAX);

  if (limit < 0 || limit > 4096)
    limit = 4096;

  for (int fd = 0; fd < limit; fd++)
    {
      char *link;
      char *target;

      if (fcntl (fd, F_GETFD) < 0)
        continue;
      link = g_strdup_printf ("/proc/self/fd/%d", fd);
      target = g_file_read_link (link, NULL);
      g_ptr_array_add (things, g_strdup_printf ("descriptor %d %s", fd,
                                                target != NULL ? target : ""));
      g_free (target);
      g_free (link);
    }
}

static void
add_threads (GPtrArray *things)
{
  GDir *folder = g_dir_open ("/proc/self/task", 0, NULL);
  const char *name;

  if (folder == NULL)
    return;
  while ((name = g_dir_read_name (folder)) != NULL)
    g_ptr_array_add (things, g_strdup_printf ("thread %s", name));
  g_dir_close (folder);
}

/* Every other process of our group: children, and orphans that outlived theirs.  An
 * orphan's corpse is its new parent's business. */
static void
add_process (GPtrArray *things, const char *pid)
{
  char *path = g_build_filename ("/proc", pid, "stat", NULL);
  char *text = NULL;
  char *rest;
  char state;
  int parent;
  int group;

  if (g_file_get_contents (path, &text, NULL, NULL) &&
      (rest = strrchr (text, ')')) != NULL &&
      sscanf (rest, ") %c %d %d", &state, &parent, &group) == 3 && group == getpgrp () &&
      atoi (pid) != getpid () && (state != 'Z' || parent == getpid ()))
    g_ptr_array_add (things, g_strdup_printf ("process %s state %c parent %d", pid, state,
                                              parent));
  g_free (text);
  g_free (path);
}

/* A guardian of names, which is in no group of ours: our own, or one whose creator has
 * ended. */
static void
add_guardian (GPtrArray *things, const char *pid)
{
  char *path = g_build_filename ("/proc", pid, "stat", NULL);
  char *text = NULL;
  int creator;
  char state;

  if (g_file_get_contents (path, &text, NULL, NULL) &&
      sscanf (text, "%*d (mproc:%d) %c", &creator, &state) == 2 && state != 'Z' &&
      (creator == getpid () || (kill (creator, 0) != 0 && errno == ESRCH)))
    g_ptr_array_add (things, g_strdup_printf ("guardian %s of %d", pid, creator));
  g_free (text);
  g_free (path);
}

static void
add_processes (GPtrArray *things)
{
  GDir *folder = g_dir_open ("/proc", 0, NULL);
  const char *name;

  if (folder == NULL)
    return;
  while ((name = g_dir_read_name (folder)) != NULL)
    if (g_ascii_isdigit (name[0]))
      {
        add_process (things, name);
        add_guardian (things, name);
      }
  g_dir_close (folder);
}

/* Other runs of the tests make names too: mproc-test-<pid>-... */
static void
add_shared_memory (GPtrArray *things)
{
  GDir *folder = g_dir_open ("/dev/shm", 0, NULL);
  const char *name;
  char ours[40];

  if (folder == NULL)
    return;
  g_snprintf (ours, sizeof ours, "mproc-test-%d-", (int) getpid ());
  while ((name = g_dir_read_name (folder)) != NULL)
    if (strstr (name, "mproc") != NULL &&
        (!g_str_has_prefix (name, "mproc-test-") || g_str_has_prefix (name, ours)))
      g_ptr_array_add (things, g_strdup_printf ("memory /dev/shm/%s", name));
  g_dir_close (folder);
}

/* Sockets with a name of ours; those without are descriptors. */
static void
add_sockets (GPtrArray *things)
{
  char *text = NULL;
  char **lines;

  if (!g_file_get_contents ("/proc/net/unix", &text, NULL, NULL))
    return;
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    if (strstr (lines[i], "mproc") != NULL)
      g_ptr_array_add (things, g_strdup_printf ("socket %s", lines[i]));
  g_strfreev (lines);
  g_free (text);
}

GPtrArray *
mproc_test_census (void)
{
  GPtrArray *things = g_ptr_array_new_with_free_func (g_free);

  add_descriptors (things);
  add_threads (things);
  add_processes (things);
  add_shared_memory (things);
  add_sockets (things);
  return things;
}

/* ------------------------------------------------------------------ limits */

/* A group of our own: what is in it was started by us. */
void
mproc_test_contain (void)
{
  setpgid (0, 0);
}

static const char *limit_text = "";

/* No thread watches: the start method DEFAULT does not fork in a program that has one. */
static void
on_alarm (int number)
{
  const char *const texts[] = { "\ntime is up: ", limit_text, "\n" };

  (void) number;
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    if (write (STDERR_FILENO, texts[i], strlen (texts[i])) < 0)
      break;
  signal (SIGABRT, SIG_DFL);
  if (getpgrp () == getpid ())
    {
      struct sigaction ignore = { .sa_handler = SIG_IGN };

      sigaction (SIGTERM, &ignore, NULL);
      kill (0, SIGTERM);
    }
  abort ();
}

void
mproc_test_limit (guint seconds, const char *text)
{
  struct sigaction action = { .sa_handler = on_alarm };

  limit_text = text != NULL ? text : "";
  sigaction (SIGALRM, &action, NULL);
  alarm (seconds);
}
