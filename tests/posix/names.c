/* SPDX-License-Identifier: MIT */
#include "names.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

gboolean
mproc_test_can_find_guardians (void)
{
  return g_file_test ("/proc/self/stat", G_FILE_TEST_EXISTS);
}

static gboolean
guards (const char *pid, gint64 creator)
{
  char *path = g_build_filename ("/proc", pid, "stat", NULL);
  char *text = NULL;
  int whose = 0;
  char state = 'Z';

  if (g_file_get_contents (path, &text, NULL, NULL) &&
      sscanf (text, "%*d (mproc:%d) %c", &whose, &state) != 2)
    whose = 0;
  g_free (text);
  g_free (path);
  return whose == creator && state != 'Z';
}

gint64
mproc_test_find_guardian (gint64 creator)
{
  GDir *folder = g_dir_open ("/proc", 0, NULL);
  const char *name;
  gint64 found = 0;

  while (folder != NULL && found == 0 && (name = g_dir_read_name (folder)) != NULL)
    if (g_ascii_isdigit (name[0]) && guards (name, creator))
      found = atoi (name);
  if (folder != NULL)
    g_dir_close (folder);
  return found;
}

gboolean
mproc_test_has_children (void)
{
  siginfo_t unused;

  return waitid (P_ALL, 0, &unused, WEXITED | WNOHANG | WNOWAIT) == 0 || errno != ECHILD;
}

static volatile sig_atomic_t n_signals;

static void
count_signal (int number)
{
  (void) number;
  n_signals++;
}

guint
mproc_test_count_child_signals (void)
{
  struct sigaction action;

  memset (&action, 0, sizeof action);
  action.sa_handler = count_signal;
  sigaction (SIGCHLD, &action, NULL);
  return (guint) n_signals;
}

guint64
mproc_test_room_for_names (void)
{
  struct statvfs room;

  return statvfs ("/dev/shm", &room) == 0 ? (guint64) room.f_bavail * room.f_frsize : 0;
}

/* ------------------------------------------------------------------ what is no block */

gboolean
mproc_test_make_pipe_at (const char *path)
{
  return mkfifo (path, S_IRUSR | S_IWUSR) == 0;
}

gboolean
mproc_test_make_named_pipe (const char *name)
{
  char *path = g_build_filename ("/dev/shm", name, NULL);
  gboolean ok = mproc_test_make_pipe_at (path);

  g_free (path);
  return ok;
}

static int
open_name (const char *name, int flags)
{
  char *path = g_strconcat ("/", name, NULL);
  int fd = shm_open (path, flags, S_IRUSR | S_IWUSR);

  g_free (path);
  return fd;
}

gboolean
mproc_test_make_hole (const char *name, guint64 size)
{
  int fd = open_name (name, O_RDWR | O_CREAT | O_EXCL);
  gboolean ok = fd >= 0 && ftruncate (fd, (off_t) size) == 0;

  if (fd >= 0)
    close (fd);
  return ok;
}

guint64
mproc_test_count_reserved (const char *name)
{
  int fd = open_name (name, O_RDONLY);
  struct stat about;
  guint64 reserved = 0;

  if (fd >= 0 && fstat (fd, &about) == 0)
    reserved = (guint64) about.st_blocks * 512;
  if (fd >= 0)
    close (fd);
  return reserved;
}

void
mproc_test_remove_name (const char *name)
{
  char *path = g_strconcat ("/", name, NULL);

  shm_unlink (path);
  g_free (path);
}

/* ------------------------------------------------------------------ the edge */

static gsize
pages (gsize size)
{
  gsize page = (gsize) sysconf (_SC_PAGESIZE);

  return (size + page - 1) / page * page;
}

guint8 *
mproc_test_edge_new (gsize size)
{
  gsize whole = pages (size), page = pages (1);
  guint8 *start = mmap (NULL, whole + page, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  if (start == MAP_FAILED || mprotect (start + whole, page, PROT_NONE) != 0)
    g_error ("no memory");
  return start + whole - size;
}

void
mproc_test_edge_free (guint8 *edge, gsize size)
{
  munmap (edge + size - pages (size), pages (size) + pages (1));
}
