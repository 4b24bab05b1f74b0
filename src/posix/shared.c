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

/* Where names are those of files, one may be that of a pipe, and an open sleep until
 * somebody opens the other end. */
#if defined(__linux__)
#define AT_ONCE O_NONBLOCK
#else
#define AT_ONCE 0
#endif

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
    case ENXIO:
      g_set_error (
          error, MPROC_ERROR, MPROC_ERROR_INVALID,
          "shared memory \"%s\": the name is that of something else, which is no "
          "block; use another name",
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

static int
look_at (const char *path, struct stat *about)
{
  int fd = shm_open (path, O_RDONLY | AT_ONCE, 0);
  int number;

  if (fd < 0)
    return errno;
  number = fstat (fd, about) == 0 ? 0 : errno;
  close (fd);
  return number;
}

/* Some systems have no type for them. */
static gboolean
is_block (const struct stat *about)
{
  return (about->st_mode & S_IFMT) == 0 || S_ISREG (about->st_mode);
}

/* A creator that was killed before it could tell what it had made had not given it a
 * size; one that found the name taken is told apart by that, almost always. */
static gboolean
is_same (const struct stat *about, const guint64 *identity)
{
  guint64 found[2];

  if (!is_block (about))
    return FALSE;
  mproc_posix_identify_file (about, found);
  if (identity[0] == 0 && identity[1] == 0)
    return about->st_size == 0 && about->st_uid == geteuid ();
  return memcmp (found, identity, sizeof found) == 0;
}

gboolean
mproc_posix_is_named (const char *path, const guint64 *identity)
{
  struct stat about;
  int number = look_at (path, &about);

  return number == 0 ? is_same (&about, identity) : number != ENOENT;
}

int
mproc_posix_unlink_same (const char *path, const guint64 *identity)
{
  struct stat about;
  int number = look_at (path, &about);

  if (number != 0)
    return number;
  if (!is_same (&about, identity))
    return ENOENT;
  return shm_unlink (path) == 0 ? 0 : errno;
}

/* ---------------------------------------------------------------- creating */

/* How many bytes there are to be had at most. */
static guint64
room_in (int fd)
{
  guint64 limit = mproc_os_memory_limit ();
  struct statvfs room;

  if (fstatvfs (fd, &room) != 0 || room.f_blocks == 0 || room.f_frsize == 0 ||
      room.f_bavail > limit / room.f_frsize)
    return limit;
  return (guint64) room.f_bavail * room.f_frsize;
}

/* The machine may have room for what the process has no addresses for. */
static gboolean
refuse_addresses (const char *name, guint64 size, GError **error)
{
  g_set_error (error, MPROC_ERROR, MPROC_ERROR_NO_MEMORY,
               "shared memory \"%s\": %" G_GUINT64_FORMAT
               " bytes do not fit into the address space of this process; use a smaller "
               "block, or close others",
               name, size);
  return FALSE;
}

static gboolean
refuse_size (const char *name, int fd, int number, guint64 size, GError **error)
{
  if (number == EOVERFLOW)
    return refuse_addresses (name, size, error);
  if (number != ENOSPC && number != ENOMEM)
    return refuse (name, number, error);
  g_set_error (error, MPROC_ERROR, MPROC_ERROR_NO_MEMORY,
               "shared memory \"%s\": %" G_GUINT64_FORMAT
               " bytes are wanted, there is room "
               "for %" G_GUINT64_FORMAT
               " at most; take away the names of blocks that are not "
               "needed, or make room where the system keeps them: %s",
               name, size, room_in (fd), g_strerror (number));
  return FALSE;
}

/* Looked at before the pages are taken: filling up what everybody uses, to find that it
 * does not suffice, would take it from all. */
static int
check_room (int fd, guint64 size)
{
  return size > room_in (fd) ? ENOSPC : 0;
}

/* The kernel ends a process that goes beyond RLIMIT_FSIZE; C knows no object larger than the
 * largest difference of pointers. */
static int
check_limit (guint64 size)
{
  struct rlimit limit;

  if (size > G_MAXSSIZE)
    return EOVERFLOW;
  if (getrlimit (RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
      size > (guint64) limit.rlim_cur)
    return EFBIG;
  return 0;
}

/* Returns an errno; EOVERFLOW: there are no addresses for it. */
static int
map (int fd, gsize size, MprocOsShared *out)
{
  void *base = mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

  if (base == MAP_FAILED)
    return errno == ENOMEM ? EOVERFLOW : errno;
  out->base = base;
  out->size = size;
  out->handle = MPROC_OS_NONE;
  return 0;
}

static int
give_size (int fd, gsize size)
{
  int number = check_limit (size);

  if (number == 0)
    number = check_room (fd, size);
  if (number == 0 && ftruncate (fd, (off_t) size) != 0)
    number = errno;
  return number;
}

/* Returns an errno.  Mapped first: no page is taken from anybody for a block that finds no
 * addresses. */
static int
map_reserved (int fd, gsize size, MprocOsShared *out)
{
  int number = map (fd, size, out);

  if (number == 0)
    number = mproc_posix_reserve (fd, 0, size);
  if (number != 0)
    mproc_os_shared_clear (NULL, out);
  return number;
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
  return number != 0 ? number : map_reserved (fd, size, out);
}

/* First a look, so that the guardian never hears of a name that somebody else has. */
static gboolean
check_free (const char *name, const char *path, GError **error)
{
  struct stat about;
  int number = look_at (path, &about);

  if ((number == 0 && !is_block (&about)) || number == ENXIO)
    {
      g_set_error (
          error, MPROC_ERROR, MPROC_ERROR_EXISTS,
          "shared memory \"%s\": the name is that of something else, which is no "
          "block; use another name",
          name);
      return FALSE;
    }
  return (number != 0 && number != EACCES) || refuse (name, EEXIST, error);
}

gboolean
mproc_os_shared_create (const char *name, gsize size, MprocOsShared *out, GError **error)
{
  char path[MPROC_POSIX_NAME_SIZE];
  guint64 id;
  int fd, number;

  if (!make_path (name, path, error))
    return FALSE;
  if (!check_free (name, path, error))
    return FALSE;
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
  if (number != 0)
    (void) refuse_size (name, fd, number, size, error);
  if (fd >= 0)
    close (fd);
  return number == 0;
}

/* ---------------------------------------------------------------- opening */

/* Whose block it is is looked at because names are free to be taken by anyone: another
 * user's is a trap, not ours with the same name. */
static gboolean
check_block (const char *name, const struct stat *about, GError **error)
{
  uid_t self = geteuid ();

  if (!is_block (about))
    return refuse (name, ENXIO, error);
  if (about->st_uid != self && self != 0)
    {
      g_set_error (error, MPROC_ERROR, MPROC_ERROR_SYSTEM,
                   "shared memory \"%s\": it belongs to another user", name);
      return FALSE;
    }
  return about->st_size > 0 || refuse (name, ENOENT, error);
}

/* Python does not reserve what it makes.  Where that cannot be done, nothing is wrong. */
static int
reserve_holes (int fd, const struct stat *about)
{
  guint64 size = (guint64) about->st_size;
  guint64 there = (guint64) about->st_blocks * STAT_BLOCK;
  int number = 0;

  if (there < size)
    number = check_room (fd, size - there);
  if (there < size && number == 0)
    number = mproc_posix_reserve (fd, 0, (gsize) size);
  return number == ENOSPC || number == ENOMEM ? number : 0;
}

/* Returns an errno.  Mapped first, as in map_reserved. */
static int
map_existing (int fd, const struct stat *about, MprocOsShared *out)
{
  int number = (guint64) about->st_size > G_MAXSSIZE ? EOVERFLOW : 0;

  if (number == 0)
    number = map (fd, (gsize) about->st_size, out);
  if (number == 0)
    number = reserve_holes (fd, about);
  if (number != 0)
    mproc_os_shared_clear (NULL, out);
  return number;
}

gboolean
mproc_os_shared_open (const char *name, MprocOsShared *out, GError **error)
{
  char path[MPROC_POSIX_NAME_SIZE];
  struct stat about;
  int fd, number;
  gboolean ok;

  if (!make_path (name, path, error))
    return FALSE;
  fd = mproc_posix_above_standard (shm_open (path, O_RDWR | AT_ONCE, 0));
  if (fd < 0)
    return refuse (name, errno, error);
  if (fstat (fd, &about) != 0)
    ok = refuse (name, errno, error);
  else if ((ok = check_block (name, &about, error)))
    {
      mproc_posix_identify_file (&about, out->identity);
      number = map_existing (fd, &about, out);
      ok = number == 0 || refuse_size (name, fd, number, (guint64) about.st_size, error);
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

/* Another process may have taken the name away: then there is nothing to guard. */
void
mproc_os_shared_clear (const char *name, MprocOsShared *shared)
{
  char path[MPROC_POSIX_NAME_SIZE];

  if (shared->base != NULL)
    munmap (shared->base, shared->size);
  shared->base = NULL;
  if (name != NULL && make_path (name, path, NULL) &&
      mproc_posix_guards_block (shared->identity) &&
      !mproc_posix_is_named (path, shared->identity))
    (void) mproc_posix_unguard_block (shared->identity);
}
