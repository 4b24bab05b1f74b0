/* SPDX-License-Identifier: MIT */
/* Files to append to, and where standard output goes. */
#include "posix.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <unistd.h>

#if defined(__linux__)
#include <linux/falloc.h>
#include <sys/syscall.h>
#include <termios.h>
#endif

#if defined(__linux__) && !defined(MFD_CLOEXEC)
#define MFD_CLOEXEC 1u
#endif

static const int standard[] = { STDOUT_FILENO, STDERR_FILENO };

static gboolean
write_all (int fd, gconstpointer data, gsize size)
{
  const char *at = data;

  while (size > 0)
    {
      gssize n = write (fd, at, size);

      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        return FALSE;
      at += n;
      size -= (gsize) n;
    }
  return TRUE;
}

/* ---------------------------------------------------------------- files to append to */

/* Whoever comes at the same time waits until the head is there.  A file system without locks leaves two
 * heads at worst. */
static gboolean
write_head (int fd, const char *head)
{
  struct stat about;
  gboolean ok = TRUE;

  while (flock (fd, LOCK_EX) != 0 && errno == EINTR)
    continue;
  if (fstat (fd, &about) == 0 && S_ISREG (about.st_mode) && about.st_size == 0)
    ok = write_all (fd, head, strlen (head));
  (void) flock (fd, LOCK_UN);
  return ok;
}

gintptr
mproc_os_append_open (const char *path, const char *head, GError **error)
{
  /* A pipe with a name that nobody reads from is an error: we would wait for a reader. */
  int fd = mproc_posix_above_standard (open (path,
                                             O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC |
                                                 O_NOCTTY | O_NONBLOCK,
                                             0666));

  if (fd >= 0 && fcntl (fd, F_SETFL, O_APPEND) == 0 && write_head (fd, head))
    return fd;
  mproc_posix_set_error (error, errno, path);
  if (fd >= 0)
    close (fd);
  return MPROC_OS_NONE;
}

/* The place is the system's to choose and the text one write, so that it stands together. */
gboolean
mproc_os_append (gintptr file, gconstpointer data, gsize size)
{
  return write_all ((int) file, data, size);
}

/* ---------------------------------------------------------------- files without a name */

static int
open_nameless (void)
{
  char *path = g_build_filename (g_get_tmp_dir (), "mproc-XXXXXX", NULL);
  int fd = -1, number;

#if defined(__linux__) && defined(SYS_memfd_create)
  fd = (int) syscall (SYS_memfd_create, "mproc-output", MFD_CLOEXEC);
#endif
  if (fd < 0)
    {
      fd = mkstemp (path);
      number = errno;
      if (fd >= 0)
        {
          unlink (path);
          (void) fcntl (fd, F_SETFD, FD_CLOEXEC);
        }
      errno = number;
    }
  g_free (path);
  return mproc_posix_above_standard (fd);
}

gintptr
mproc_os_file_new (GError **error)
{
  int fd = open_nameless ();

  if (fd >= 0 && fcntl (fd, F_SETFL, O_APPEND) == 0)
    return fd;
  mproc_posix_set_error (error, errno, "a file for the output");
  if (fd >= 0)
    close (fd);
  return MPROC_OS_NONE;
}

#if defined(__linux__)

gintptr
mproc_os_file_borrow (gint64 pid, gintptr file, GError **error)
{
  char path[64];
  int fd;

  g_snprintf (path, sizeof path, "/proc/%" G_GINT64_FORMAT "/fd/%d", pid, (int) file);
  fd = mproc_posix_above_standard (open (path, O_RDWR | O_CLOEXEC));
  if (fd >= 0)
    return fd;
  mproc_posix_set_error (error, errno, path);
  return MPROC_OS_NONE;
}

#else

gintptr
mproc_os_file_borrow (gint64 pid, gintptr file, GError **error)
{
  (void) pid, (void) file;
  g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_NOT_SUPPORTED,
                       "this system does not show a process the files of another");
  return MPROC_OS_NONE;
}

#endif

gsize
mproc_os_file_read (gintptr file, guint64 offset, gpointer buffer, gsize size)
{
  gssize n;

  do
    n = pread ((int) file, buffer, size, (off_t) offset);
  while (n < 0 && errno == EINTR);
  return n > 0 ? (gsize) n : 0;
}

guint64
mproc_os_file_size (gintptr file)
{
  struct stat about;

  return fstat ((int) file, &about) == 0 ? (guint64) about.st_size : 0;
}

void
mproc_os_file_empty (gintptr file)
{
  while (ftruncate ((int) file, 0) != 0 && errno == EINTR)
    continue;
}

void
mproc_os_file_trim (gintptr file, guint64 keep)
{
#if defined(FALLOC_FL_PUNCH_HOLE)
  guint64 size = mproc_os_file_size (file);

  if (size > keep)
    (void) fallocate ((int) file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
                      (off_t) (size - keep));
#else
  (void) file, (void) keep;
#endif
}

void
mproc_os_file_close (gintptr file)
{
  close ((int) file);
}

/* ---------------------------------------------------------------- standard output */

static gboolean
set_descriptor (int from, int to)
{
  int result;

  do
    result = dup2 (from, to);
  while (result < 0 && (errno == EINTR || errno == EBUSY));
  return result >= 0;
}

/* One that was closed is closed again at the end. */
gboolean
mproc_os_redirect_output (gintptr file, MprocOsRedirection *out, GError **error)
{
  guint i;

  mproc_os_flush_output ();
  for (i = 0; i < G_N_ELEMENTS (standard); i++)
    {
      out->saved[i] = fcntl (standard[i], F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
      if (out->saved[i] < 0 && errno != EBADF)
        break;
      if (!set_descriptor ((int) file, standard[i]))
        {
          close ((int) out->saved[i]);
          break;
        }
    }
  if (i == G_N_ELEMENTS (standard))
    return TRUE;
  mproc_posix_set_error (error, errno, "standard output");
  while (i-- > 0)
    {
      (void) set_descriptor ((int) out->saved[i], standard[i]);
      close ((int) out->saved[i]);
    }
  return FALSE;
}

void
mproc_os_restore_output (MprocOsRedirection *redirection)
{
  guint i;

  mproc_os_flush_output ();
  for (i = 0; i < G_N_ELEMENTS (standard); i++)
    if (redirection->saved[i] < 0)
      close (standard[i]);
    else
      {
        (void) set_descriptor ((int) redirection->saved[i], standard[i]);
        close ((int) redirection->saved[i]);
      }
}

/* ---------------------------------------------------------------- terminals */

gboolean
mproc_os_is_terminal (gint fd, guint *columns)
{
  struct winsize size;

  if (!isatty (fd))
    return FALSE;
  *columns = ioctl (fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
  return TRUE;
}

void
mproc_os_write_text (gint fd, const char *text, gsize size)
{
  (void) write_all (fd, text, size);
}
