/* SPDX-License-Identifier: MIT */
#include "posix.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SMALLEST (1024 * 1024)

/* A signal makes the kernel give up a piece and undo it.  Pieces have to be small
 * enough for one to succeed between two ticks of a profiler. */
#define COMMIT_PIECE (4 * 1024 * 1024)

/* Older C libraries do not know these. */
#if defined(__linux__)
#define POPULATED_STEP ((gsize) 1 << 20)

#ifndef MFD_CLOEXEC
#define MFD_CLOEXEC 0x1U
#define MFD_ALLOW_SEALING 0x2U
#endif
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x8U
#endif
#ifndef F_ADD_SEALS
#define F_ADD_SEALS 1033
#define F_SEAL_SEAL 0x1
#define F_SEAL_SHRINK 0x2
#define F_SEAL_GROW 0x4
#endif
#endif

#ifndef MAP_NORESERVE
#define MAP_NORESERVE 0
#endif

gsize
mproc_os_page_size (void)
{
  return (gsize) sysconf (_SC_PAGESIZE);
}

/* ---------------------------------------------------------------- the object */

/* A name in the file system that nobody can guess, there for a moment only. */
static int
open_named (void)
{
  guint32 random[4];
  char name[40];
  int fd;

  mproc_os_random (random, sizeof random);
  g_snprintf (name, sizeof name, "/mp-%08x%08x%08x", random[0], random[1], random[2]);
  fd = shm_open (name, O_RDWR | O_CREAT | O_EXCL, S_IRUSR | S_IWUSR);
  if (fd >= 0)
    {
      shm_unlink (name);
      (void) fcntl (fd, F_SETFD, FD_CLOEXEC);
    }
  return fd;
}

static int
open_object (void)
{
#if defined(__linux__) && defined(SYS_memfd_create)
  guint flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  /* Some systems insist on the promise never to execute it, older ones do not know it. */
  int fd = (int) syscall (SYS_memfd_create, "mproc", flags | MFD_NOEXEC_SEAL);

  if (fd < 0 && errno == EINVAL)
    fd = (int) syscall (SYS_memfd_create, "mproc", flags);
  if (fd >= 0 || errno == EMFILE || errno == ENFILE)
    return mproc_posix_above_standard (fd);
#endif
  return mproc_posix_above_standard (open_named ());
}

/* Nobody, not even a member gone mad, can pull the memory away under the others. */
static void
seal (int fd)
{
#if defined(F_ADD_SEALS)
  (void) fcntl (fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
#else
  (void) fd;
#endif
}

/* The largest size worth trying: the kernel ends a process that goes beyond
 * RLIMIT_FSIZE, and the program wants some address space for itself. */
static gsize
within_limits (gsize wanted)
{
  struct rlimit limit;
  guint64 size = wanted;

  if (getrlimit (RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
    size = MIN (size, (guint64) limit.rlim_cur);
  if (getrlimit (RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
    size = MIN (size, (guint64) limit.rlim_cur / 4);
  return (gsize) size & ~(mproc_os_page_size () - 1);
}

/* ---------------------------------------------------------------- the mapping */

static gboolean
map (int fd, gsize size, MprocOsMemory *out)
{
  void *base = mmap (NULL, size, PROT_NONE, MAP_SHARED | MAP_NORESERVE, fd, 0);

  if (base == MAP_FAILED)
    return FALSE;
    /* A dump would fault in the whole range. */
#if defined(MADV_DONTDUMP)
  (void) madvise (base, size, MADV_DONTDUMP);
#elif defined(MADV_NOCORE)
  (void) madvise (base, size, MADV_NOCORE);
#endif
  out->base = base;
  out->size = size;
  out->handle = fd;
  return TRUE;
}

gboolean
mproc_os_memory_create (gsize wanted, MprocOsMemory *out, GError **error)
{
  gsize size, page = mproc_os_page_size ();
  gsize least = MIN (wanted & ~(page - 1), SMALLEST);
  int number = ENOMEM, fd = open_object ();

  if (fd < 0)
    {
      mproc_posix_set_error (error, errno, "shared memory");
      return FALSE;
    }

  for (size = within_limits (wanted); size >= least && size > 0;
       size = size / 2 & ~(page - 1))
    {
      if (ftruncate (fd, (off_t) size) == 0 && map (fd, size, out))
        {
          seal (fd);
          return TRUE;
        }
      number = errno;
    }

  close (fd);
  mproc_posix_set_error (error, number, "shared memory");
  return FALSE;
}

gboolean
mproc_os_memory_adopt (gintptr handle, gsize size, MprocOsMemory *out, GError **error)
{
  int fd = (int) handle;
  struct stat about;

  if (fstat (fd, &about) != 0)
    mproc_posix_set_error (error, errno, "inherited memory");
  else if (size == 0 || about.st_size < 0 || (guint64) about.st_size < size)
    mproc_posix_set_error (error, EINVAL, "inherited memory");
  else if (fcntl (fd, F_SETFD, FD_CLOEXEC) != 0 || !map (fd, size, out))
    mproc_posix_set_error (error, errno, "inherited memory");
  else
    return TRUE;
  return FALSE;
}

void
mproc_os_memory_clear (MprocOsMemory *memory)
{
  if (memory->base != NULL)
    {
      munmap (memory->base, memory->size);
      close ((int) memory->handle);
    }
  memory->base = NULL;
  memory->size = 0;
  memory->handle = MPROC_OS_NONE;
}

/* ---------------------------------------------------------------- its pages */

/* Returns an errno.  Where a system cannot reserve (macOS), its shared memory is backed
 * by swap space as it is touched, and running out of that is the system's end, not
 * ours. */
static int
reserve (int fd, gsize offset, gsize size)
{
#if defined(__APPLE__) || defined(__OpenBSD__)
  (void) fd;
  (void) offset;
  (void) size;
  return 0;
#else
  int number;

  do
    number = posix_fallocate (fd, (off_t) offset, (off_t) size);
  while (number == EINTR);
#if !defined(__linux__)
  if (number == EINVAL || number == EOPNOTSUPP || number == ENODEV)
    number = 0;
#endif
  return number;
#endif
}

int
mproc_posix_reserve (int fd, gsize offset, gsize size)
{
  int number = 0;

  while (size > 0 && number == 0)
    {
      gsize piece = MIN (size, COMMIT_PIECE);

      number = reserve (fd, offset, piece);
      offset += piece;
      size -= piece;
    }
  return number;
}

gboolean
mproc_os_memory_commit (MprocOsMemory *memory, gsize offset, gsize size, GError **error)
{
  int number = mproc_posix_reserve ((int) memory->handle, offset, size);

  if (number != 0)
    mproc_posix_set_error (error, number, "shared memory");
  return number == 0;
}

gboolean
mproc_os_memory_open (MprocOsMemory *memory, gsize offset, gsize size, GError **error)
{
  if (mprotect (memory->base + offset, size, PROT_READ | PROT_WRITE) != 0)
    {
      mproc_posix_set_error (error, errno, "mprotect");
      return FALSE;
    }
#ifdef MADV_POPULATE_WRITE
  /* The arena grows in small steps, which are used at once: one call instead of a fault
   * a page. A newcomer that opens all there is touches little of it. */
  if (size <= POPULATED_STEP)
    (void) madvise (memory->base + offset, size, MADV_POPULATE_WRITE);
#endif
  return TRUE;
}

gboolean
mproc_os_memory_punch (MprocOsMemory *memory, gsize offset, gsize size)
{
#if defined(FALLOC_FL_PUNCH_HOLE)
  /* What MADV_REMOVE does, but also for pages that this process has not opened. */
  return fallocate ((int) memory->handle, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                    (off_t) offset, (off_t) size) == 0;
#else
  (void) memory;
  (void) offset;
  (void) size;
  return FALSE;
#endif
}
