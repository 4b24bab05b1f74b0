/* SPDX-License-Identifier: MIT */
/* Memory with a name.  Against a program of the same user that cuts a block short after we
 * have mapped it there is no help: POSIX has no lock for that. */
#include "crashpoint.h"
#include "posix.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* What st_blocks counts in. */
#define STAT_BLOCK 512

const char *
mproc_os_shared_prefix (void)
{
  return "psm_";
}

/* ---------------------------------------------------------------- names */

/* @path has MPROC_POSIX_NAME_SIZE bytes. */
static gboolean
make_path (const char *name, char *path, GError **error)
{
  if (g_snprintf (path, MPROC_POSIX_NAME_SIZE, "/%s", name) < MPROC_POSIX_NAME_SIZE)
    return TRUE;
  g_set_error (error, MPROC_ERROR, MPROC_ERROR_INVALID,
               "shared memory: a name of %" G_GSIZE_FORMAT " bytes is too long",
               strlen (name));
  return FALSE;
}

static gboolean
refuse (const char *name, int number, GError **error)
{
  const char *what = g_strerror (number);

  switch (number)
    {
    case EEXIST:
      g_set_error (error, MPROC_ERROR, MPROC_ERROR_EXISTS,
                   "shared memory \"%s\": there is a block of that name", name);
      break;
    case ENOENT:
      g_set_error (error, MPROC_ERROR, MPROC_ERROR_NOT_FOUND,
                   "shared memory \"%s\": there is no block of that name (any more)",
                   name);
      break;
    case EINVAL:
    case ENAMETOOLONG:
    case EISDIR:
    case ELOOP:
      g_set_error (error, MPROC_ERROR, MPROC_ERROR_INVALID,
                   "shared memory \"%s\": not a name of a block: %s", name, what);
      break;
    default:
      {
        char *text = g_strdup_printf ("shared memory \"%s\"", name);

        mproc_posix_set_error (error, number, text);
        g_free (text);
      }
    }
  return FALSE;
}

void
mproc_posix_identify_file (const struct stat *about, guint64 *identity)
{
  identity[0] = (guint64) about->st_dev;
  identity[1] = (guint64) about->st_ino;
}

/* A creator that was killed before it could tell what it had made had not given it a
 * size; one that found the name taken is told apart by that, almost always. */
static gboolean
is_same (const struct stat *about, const guint64 *identity)
{
  guint64 found[2];

  mproc_posix_identify_file (about, found);
  if (identity[0] == 0 && identity[1] == 0)
    return about->st_size == 0 && about->st_uid == geteuid ();
  return memcmp (found, identity, sizeof found) == 0;
}

int
mproc_posix_unlink_same (const char *path, const guint64 *identity)
{
  int fd = shm_open (path, O_RDONLY, 0);
  int number = ENOENT;
  struct stat about;

  if (fd < 0)
    return errno;
  if (fstat (fd, &about) != 0)
    number = errno;
  else if (is_same (&about, identity))
    number = shm_unlink (path) == 0 ? 0 : errno;
  close (fd);
  return number;
}

/* ---------------------------------------------------------------- creating */

/* Looked at before the pages are taken: filling up what everybody uses, to find that it
 * does not suffice, would take it from all.  The kernel ends a process that goes beyond
 * RLIMIT_FSIZE. */
static int
check_room (int fd, gsize size)
{
  struct rlimit limit;
  struct statvfs room;

  if (size > (guint64) G_MAXINT64 || size > mproc_os_memory_limit ())
    return ENOMEM;
  if (getrlimit (RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
      size > (guint64) limit.rlim_cur)
    return EFBIG;
  if (fstatvfs (fd, &room) == 0 && room.f_blocks > 0 &&
      size / room.f_frsize > (guint64) room.f_bavail)
    return ENOSPC;
  return 0;
}

/* Returns an errno. */
static int
map (int fd, gsize size, MprocOsShared *out)
{
  void *base = mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

  if (base == MAP_FAILED)
    return errno;
  out->base = base;
  out->size = size;
  out->handle = MPROC_OS_NONE;
  return 0;
}

static int
give_size (int fd, gsize size)
{
  int number = check_room (fd, size);

  if (number == 0 && ftruncate (fd, (off_t) size) != 0)
    number = errno;
  return number != 0 ? number : mproc_posix_reserve (fd, 0, size);
}

/* The name is made.  What it names is told to the guardian before it gets a size, see
 * is_same. */
static int
furnish (int fd, guint64 id, gsize size, MprocOsShared *out)
{
  struct stat about;
  int number;

  (void) fchmod (fd, S_IRUSR | S_IWUSR); /* whatever the umask is */
  if (fstat (fd, &about) != 0)
    return errno;
  mproc_posix_identify_file (&about, out->identity);
  mproc_posix_guard_block (id, out->identity);
  MPROC_CRASH_POINT (SHARED_KNOWN);
  number = give_size (fd, size);
  return number != 0 ? number : map (fd, size, out);
}

static gboolean
is_taken (const char *path)
{
  int fd = shm_open (path, O_RDONLY, 0);

  if (fd >= 0)
    close (fd);
  return fd >= 0 || errno == EACCES;
}

gboolean
mproc_os_shared_create (const char *name, gsize size, MprocOsShared *out, GError **error)
{
  char path[MPROC_POSIX_NAME_SIZE];
  guint64 id;
  int fd, number;

  if (!make_path (name, path, error))
    return FALSE;
  /* First a look, so that the guardian never hears of a name that somebody else has. */
  if (is_taken (path))
    return refuse (name, EEXIST, error);
  id = mproc_posix_guard (path, error);
  if (id == 0)
    return FALSE;
  MPROC_CRASH_POINT (SHARED_NOTED);
  fd = mproc_posix_above_standard (shm_open (path, O_RDWR | O_CREAT | O_EXCL,
                                             S_IRUSR | S_IWUSR));
  MPROC_CRASH_POINT (SHARED_NAMED);
  number = fd < 0 ? errno : furnish (fd, id, size, out);
  MPROC_CRASH_POINT (SHARED_MAPPED);
  if (fd >= 0 && number != 0)
    shm_unlink (path);
  if (number != 0)
    mproc_posix_unguard (id);
  if (fd >= 0)
    close (fd);
  return number == 0 || refuse (name, number, error);
}

/* ---------------------------------------------------------------- opening */

/* Whose block it is is looked at because names are free to be taken by anyone: another
 * user's is a trap, not ours with the same name. */
static gboolean
check_block (const char *name, const struct stat *about, GError **error)
{
  uid_t self = geteuid ();
  const char *problem = NULL;

  if ((about->st_mode & S_IFMT) != 0 && !S_ISREG (about->st_mode))
    return refuse (name, EINVAL, error);
  if (about->st_uid != self && self != 0)
    problem = "it belongs to another user";
  else if ((guint64) about->st_size > G_MAXSIZE)
    problem = "it is larger than the address space";
  if (problem != NULL)
    g_set_error (error, MPROC_ERROR, MPROC_ERROR_SYSTEM, "shared memory \"%s\": %s", name,
                 problem);
  return problem == NULL && (about->st_size > 0 || refuse (name, ENOENT, error));
}

/* Python does not reserve what it makes.  Where that cannot be done, nothing is wrong. */
static int
reserve_holes (int fd, const struct stat *about)
{
  int number = 0;

  if ((guint64) about->st_blocks * STAT_BLOCK < (guint64) about->st_size)
    number = mproc_posix_reserve (fd, 0, (gsize) about->st_size);
  return number == ENOSPC || number == ENOMEM ? number : 0;
}

gboolean
mproc_os_shared_open (const char *name, MprocOsShared *out, GError **error)
{
  char path[MPROC_POSIX_NAME_SIZE];
  struct stat about;
  int fd, number = 0;
  gboolean ok;

  if (!make_path (name, path, error))
    return FALSE;
  fd = mproc_posix_above_standard (shm_open (path, O_RDWR, 0));
  if (fd < 0)
    return refuse (name, errno, error);
  if (fstat (fd, &about) != 0)
    ok = refuse (name, errno, error);
  else if ((ok = check_block (name, &about, error)))
    {
      mproc_posix_identify_file (&about, out->identity);
      number = reserve_holes (fd, &about);
      if (number == 0)
        number = map (fd, (gsize) about.st_size, out);
      ok = number == 0 || refuse (name, number, error);
    }
  close (fd);
  return ok;
}

/* ---------------------------------------------------------------- the end */

gboolean
mproc_os_shared_unlink (const char *name, const MprocOsShared *shared, GError **error)
{
  char path[MPROC_POSIX_NAME_SIZE];
  int number;

  if (!make_path (name, path, error))
    return FALSE;
  number = mproc_posix_unlink_same (path, shared->identity);
  if (number == 0 || number == ENOENT)
    (void) mproc_posix_unguard_block (shared->identity);
  return number == 0 || refuse (name, number, error);
}

static gboolean
has_name (const char *path, const guint64 *identity)
{
  int fd = shm_open (path, O_RDONLY, 0);
  struct stat about;
  gboolean has;

  if (fd < 0)
    return errno != ENOENT;
  has = fstat (fd, &about) != 0 || is_same (&about, identity);
  close (fd);
  return has;
}

/* Another process may have taken the name away: then there is nothing to guard. */
void
mproc_os_shared_clear (const char *name, MprocOsShared *shared)
{
  char path[MPROC_POSIX_NAME_SIZE];

  if (shared->base != NULL)
    munmap (shared->base, shared->size);
  shared->base = NULL;
  if (make_path (name, path, NULL) && mproc_posix_guards_block (shared->identity) &&
      !has_name (path, shared->identity))
    (void) mproc_posix_unguard_block (shared->identity);
}
