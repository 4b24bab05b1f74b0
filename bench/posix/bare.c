/* SPDX-License-Identifier: MIT */
#include "bare.h"

#include <sys/mman.h>
#include <unistd.h>

#if defined(__linux__)
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>
#endif

gboolean
bare_can_share (void)
{
  return mproc_get_start_method () == MPROC_START_METHOD_FORK;
}

gpointer
bare_share (gsize size)
{
  gpointer data = mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANON, -1, 0);

  if (data == MAP_FAILED)
    bench_fail ("mmap", NULL);
  return data;
}

void
bare_unshare (gpointer data, gsize size)
{
  munmap (data, size);
}

#if defined(__linux__) && defined(SYS_futex)

gboolean
bare_can_sleep (void)
{
  return TRUE;
}

void
bare_sleep (BareWord *word, guint32 value)
{
  syscall (SYS_futex, word, FUTEX_WAIT, value, NULL, NULL, 0);
}

void
bare_wake (BareWord *word)
{
  syscall (SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

gboolean
bare_register_barrier (void)
{
  return syscall (SYS_membarrier, MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED, 0, 0) == 0;
}

void
bare_barrier (void)
{
  syscall (SYS_membarrier, MEMBARRIER_CMD_GLOBAL_EXPEDITED, 0, 0);
}

#else

gboolean
bare_can_sleep (void)
{
  return FALSE;
}

void
bare_sleep (BareWord *word, guint32 value)
{
  (void) word;
  (void) value;
}

void
bare_wake (BareWord *word)
{
  (void) word;
}

gboolean
bare_register_barrier (void)
{
  return FALSE;
}

void
bare_barrier (void)
{
}

#endif

#define LOOKS 8
#define LONGEST_PAUSE 256

void
bare_lock_slowly (BareWord *word)
{
  guint pause = 1;

  for (guint i = 0; i < LOOKS; i++)
    {
      guint32 seen = atomic_load_explicit (word, memory_order_relaxed);

      if (seen == 0 &&
          atomic_compare_exchange_strong_explicit (word, &seen, 1, memory_order_acquire,
                                                   memory_order_relaxed))
        return;
      for (guint relaxed = 0; relaxed < pause; relaxed++)
        bare_relax ();
      pause = MIN (4 * pause, LONGEST_PAUSE);
    }
  while (atomic_exchange_explicit (word, 2, memory_order_acquire) != 0)
    bare_sleep (word, 2);
}
