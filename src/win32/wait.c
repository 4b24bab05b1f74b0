/* SPDX-License-Identifier: MIT */
#include "win32.h"

/* WaitOnAddress works inside one process only, so there are no wait words here: the
 * parking array sleeps on semaphores.  These are unnamed, made by the first process of
 * the family and inherited by all others, where the same number names the same
 * semaphore. */

gboolean
mproc_os_has_words (void)
{
  return FALSE;
}

/* Allowed to return for no reason, so that a caller who did not ask first is slow, not
 * stuck. */
void
mproc_os_word_wait (const MprocAtomic32 *word, guint32 value, gint64 deadline)
{
  if (mproc_load32 (word) == value)
    Sleep (MIN (mproc_win32_timeout (deadline), 1));
}

guint
mproc_os_word_wake (const MprocAtomic32 *word, guint n)
{
  (void) word;
  (void) n;
  return 0;
}

static HANDLE
sem_handle (const MprocOsSem *sem)
{
  return (HANDLE) (guintptr) sem->handle;
}

gboolean
mproc_os_sem_init (MprocOsSem *sem, GError **error)
{
  HANDLE handle = CreateSemaphoreW (NULL, 0, G_MAXINT32, NULL);

  if (handle == NULL)
    return mproc_win32_fail (error, "semaphore", GetLastError ());

  memset (sem, 0, sizeof *sem);
  sem->handle = (guintptr) handle;
  return TRUE;
}

gboolean
mproc_os_sem_wait (MprocOsSem *sem, gint64 deadline)
{
  return mproc_win32_wait (sem_handle (sem), deadline);
}

void
mproc_os_sem_post (MprocOsSem *sem)
{
  /* At its greatest value nobody can be asleep on it: that post may be lost. */
  if (!ReleaseSemaphore (sem_handle (sem), 1, NULL) &&
      GetLastError () != ERROR_TOO_MANY_POSTS)
    g_error ("ReleaseSemaphore: error %lu", (gulong) GetLastError ());
}

gintptr
mproc_os_sem_handle (const MprocOsSem *sem)
{
  return (gintptr) sem_handle (sem);
}

/* FlushProcessWriteBuffers reaches the threads of its own process only. */
gboolean
mproc_os_barrier_register (void)
{
  return FALSE;
}

void
mproc_os_process_barrier (void)
{
  atomic_thread_fence (memory_order_seq_cst);
}

void
mproc_os_relax (void)
{
  YieldProcessor ();
}
