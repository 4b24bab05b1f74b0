/* SPDX-License-Identifier: MIT */
/* Three ways to sleep on shared memory: Linux has the shared futex, macOS its like;
 * elsewhere, and on Linux with MPROC_PARKING to try it, there are semaphores only. */
#include "posix.h"

#include <errno.h>
#include <semaphore.h>
#include <time.h>
#include <unistd.h>

#if defined(MPROC_PARKING)
#define HAVE_WORDS 0
#elif defined(__linux__)
#define HAVE_WORDS 1
#include <linux/futex.h>
#elif defined(__APPLE__)
#define HAVE_WORDS 1
#include <os/os_sync_wait_on_address.h>
#else
#define HAVE_WORDS 0
#endif

#if defined(__linux__)
#include <linux/membarrier.h>
#include <sys/syscall.h>
#endif

gboolean
mproc_os_has_words (void)
{
  return HAVE_WORDS;
}

/* ---------------------------------------------------------------- words */

#if HAVE_WORDS && defined(__linux__)

/* The kernel's time for SYS_futex, which on 32-bit machines is not the C library's. */
#if defined(SYS_futex)
typedef struct
{
  long seconds;
  long nanoseconds;
} FutexTime;
#else
#define SYS_futex SYS_futex_time64
typedef struct
{
  gint64 seconds;
  gint64 nanoseconds;
} FutexTime;
#endif

void
mproc_os_word_wait (const MprocAtomic32 *word, guint32 value, gint64 deadline)
{
  FutexTime time;

  if (deadline == MPROC_OS_NEVER)
    {
      syscall (SYS_futex, word, FUTEX_WAIT, value, NULL, NULL, 0);
      return;
    }
  /* Of the two ways to wait, the one that takes an absolute CLOCK_MONOTONIC time. */
  time.seconds = deadline / G_USEC_PER_SEC;
  time.nanoseconds = (deadline % G_USEC_PER_SEC) * 1000;
  syscall (SYS_futex, word, FUTEX_WAIT_BITSET, value, &time, NULL,
           FUTEX_BITSET_MATCH_ANY);
}

guint
mproc_os_word_wake (const MprocAtomic32 *word, guint n)
{
  long woken = syscall (SYS_futex, word, FUTEX_WAKE, MIN (n, G_MAXINT32), NULL, NULL, 0);

  return woken > 0 ? (guint) woken : 0;
}

#elif HAVE_WORDS

void
mproc_os_word_wait (const MprocAtomic32 *word, guint32 value, gint64 deadline)
{
  gint64 left;

  if (deadline == MPROC_OS_NEVER)
    {
      os_sync_wait_on_address ((void *) word, value, sizeof value,
                               OS_SYNC_WAIT_ON_ADDRESS_SHARED);
      return;
    }
  left = deadline - g_get_monotonic_time ();
  if (left > 0)
    os_sync_wait_on_address_with_timeout ((void *) word, value, sizeof value,
                                          OS_SYNC_WAIT_ON_ADDRESS_SHARED,
                                          OS_CLOCK_MACH_ABSOLUTE_TIME,
                                          (guint64) left * 1000);
}

guint
mproc_os_word_wake (const MprocAtomic32 *word, guint n)
{
  guint woken = 0;

  if (n >= G_MAXINT32)
    return os_sync_wake_by_address_all ((void *) word, sizeof *word,
                                        OS_SYNC_WAKE_BY_ADDRESS_SHARED) == 0;
  while (woken < n && os_sync_wake_by_address_any ((void *) word, sizeof *word,
                                                   OS_SYNC_WAKE_BY_ADDRESS_SHARED) == 0)
    woken++;
  return woken;
}

#else

void
mproc_os_word_wait (const MprocAtomic32 *word, guint32 value, gint64 deadline)
{
  (void) word;
  (void) value;
  (void) deadline;
  g_error ("no words to wait on: ask mproc_os_has_words () first");
}

guint
mproc_os_word_wake (const MprocAtomic32 *word, guint n)
{
  (void) word;
  (void) n;
  g_error ("no words to wake: ask mproc_os_has_words () first");
  return 0;
}

#endif

/* ---------------------------------------------------------------- semaphores */

#if defined(__APPLE__)

/* macOS has no unnamed semaphores.  It has words. */
gboolean
mproc_os_sem_init (MprocOsSem *sem, GError **error)
{
  (void) sem;
  g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_NOT_SUPPORTED,
                       "sem_init: not on this system");
  return FALSE;
}

gboolean
mproc_os_sem_wait (MprocOsSem *sem, gint64 deadline)
{
  (void) sem;
  (void) deadline;
  return FALSE;
}

void
mproc_os_sem_post (MprocOsSem *sem)
{
  (void) sem;
}

#else

G_STATIC_ASSERT (sizeof (sem_t) <= sizeof (MprocOsSem));
G_STATIC_ASSERT (_Alignof(sem_t) <= _Alignof(MprocOsSem));

#if defined(__GLIBC__)
#if __GLIBC_PREREQ(2, 30)
#define HAVE_SEM_CLOCKWAIT 1
#endif
#endif

/* Where only the wall clock can be waited for, it is asked again this often, so that
 * setting the clock cannot turn a short wait into a long one. */
#define WALL_CLOCK_TRUST (G_USEC_PER_SEC / 10)

gboolean
mproc_os_sem_init (MprocOsSem *sem, GError **error)
{
  if (sem_init ((sem_t *) sem, 1, 0) != 0)
    {
      mproc_posix_set_error (error, errno, "sem_init");
      return FALSE;
    }
  return TRUE;
}

/* sem_timedwait () until @deadline or earlier. */
static int
wait_until (sem_t *sem, gint64 deadline)
{
  struct timespec time;

#ifndef HAVE_SEM_CLOCKWAIT
  gint64 left = deadline - g_get_monotonic_time ();

  deadline = g_get_real_time () + CLAMP (left, 0, WALL_CLOCK_TRUST);
#endif
  time.tv_sec = (time_t) (deadline / G_USEC_PER_SEC);
  time.tv_nsec = (long) (deadline % G_USEC_PER_SEC) * 1000;
#ifdef HAVE_SEM_CLOCKWAIT
  return sem_clockwait (sem, CLOCK_MONOTONIC, &time);
#else
  return sem_timedwait (sem, &time);
#endif
}

gboolean
mproc_os_sem_wait (MprocOsSem *sem, gint64 deadline)
{
  sem_t *system = (sem_t *) sem;

  for (;;)
    {
      int result = deadline == MPROC_OS_NEVER ? sem_wait (system)
                   : deadline <= 0            ? sem_trywait (system)
                                              : wait_until (system, deadline);

      if (result == 0)
        return TRUE;
      if (errno != EINTR && g_get_monotonic_time () >= deadline)
        return FALSE;
    }
}

void
mproc_os_sem_post (MprocOsSem *sem)
{
  if (sem_post ((sem_t *) sem) != 0)
    g_error ("sem_post: %s", g_strerror (errno));
}

#endif

/* The memory is all that a semaphore needs. */
gintptr
mproc_os_sem_handle (const MprocOsSem *sem)
{
  (void) sem;
  return MPROC_OS_NONE;
}

/* ---------------------------------------------------------------- barriers */

gboolean
mproc_os_barrier_register (void)
{
#if defined(__linux__)
  return syscall (SYS_membarrier, MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED, 0) == 0;
#else
  return FALSE;
#endif
}

void
mproc_os_process_barrier (void)
{
#if defined(__linux__)
  /* A full barrier here as well.  Where it is refused, nobody could register either. */
  if (syscall (SYS_membarrier, MEMBARRIER_CMD_GLOBAL_EXPEDITED, 0) == 0)
    return;
#endif
  atomic_thread_fence (memory_order_seq_cst);
}

void
mproc_os_relax (void)
{
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause ();
#elif defined(__aarch64__) || (defined(__arm__) && __ARM_ARCH >= 7)
  __asm__ volatile("yield");
#endif
}
