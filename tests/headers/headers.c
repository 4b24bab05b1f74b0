/* SPDX-License-Identifier: MIT */
/* Compiled as C11 and, through headers.cpp, as C++17. */
#include <mproc.h>

#if !MPROC_CHECK_VERSION(0, 1, 0) || MPROC_CHECK_VERSION(1000, 0, 0)
#error MPROC_CHECK_VERSION is wrong
#endif

/* Every macro that is more than a name, once. */
static gboolean
use_macros (void)
{
  const gint64 second = MPROC_SECONDS (1), half = MPROC_SECONDS (0.5);
  MprocCondition *condition = mproc_condition_new (MPROC_OWN_LOCK, NULL);
  MprocArray *array = mproc_array_new ("i", 3, NULL, MPROC_OWN_LOCK, NULL);
  MprocSemaphore *semaphore = mproc_semaphore_new (1, 1, MPROC_SEMAPHORE_RESTORE, NULL);
  MprocBarrier *barrier = mproc_barrier_new (1, NULL, NULL, MPROC_FOREVER, NULL);
  GVariant *slice = mproc_array_get_slice (array, 1, MPROC_SLICE_END, 1, NULL);
  gboolean right = second == 2 * half && g_variant_n_children (slice) == 2 &&
                   mproc_barrier_wait (barrier, MPROC_BARRIER_TIMEOUT, NULL) == 0 &&
                   mproc_semaphore_acquire (semaphore, 0);

  g_variant_unref (slice);
  mproc_barrier_unref (barrier);
  mproc_semaphore_unref (semaphore);
  mproc_array_unref (array);
  mproc_condition_unref (condition);
  return right;
}

#ifdef g_autoptr
/* Where the compiler can clean up, it can for every class. */
static gboolean
use_autoptrs (void)
{
  g_autoptr (MprocBarrier) barrier =
      mproc_barrier_new (1, NULL, NULL, MPROC_FOREVER, NULL);
  g_autoptr (MprocCondition) condition = mproc_condition_new (MPROC_OWN_LOCK, NULL);
  g_autoptr (MprocEvent) event = mproc_event_new (NULL);
  g_autoptr (MprocLock) lock = mproc_lock_new (NULL);
  g_autoptr (MprocRLock) rlock = mproc_rlock_new (NULL);
  g_autoptr (MprocSemaphore) semaphore =
      mproc_semaphore_new (1, 1, MPROC_SEMAPHORE_DEFAULT, NULL);
  g_autoptr (MprocValue) value = mproc_value_new ("i", NULL, lock, NULL);
  g_autoptr (MprocArray) array = mproc_array_new ("i", 1, NULL, NULL, NULL);
  g_autoptr (MprocQueue) queue = mproc_queue_new (0, NULL);
  g_autoptr (MprocSharedMemory) memory = mproc_shared_memory_new (1, NULL);
  g_autoptr (MprocShareableList) list = NULL;
  g_autoptr (MprocConnection) connection = NULL;
  g_autoptr (MprocProcess) process = NULL;
  g_autoptr (MprocPool) pool = NULL;
  g_autoptr (MprocPoolOptions) options = mproc_pool_options_new ();
  g_autoptr (MprocResult) result = NULL;
  g_autoptr (MprocPoolStats) stats = NULL;
  g_autoptr (MprocProgressBar) bar = mproc_progress_bar_new (NULL, 2);

  return barrier != NULL && condition != NULL && event != NULL && lock != NULL &&
         rlock != NULL && semaphore != NULL && value != NULL && array != NULL &&
         queue != NULL && memory != NULL && options != NULL && list == NULL &&
         connection == NULL && process == NULL && pool == NULL && result == NULL &&
         stats == NULL && bar != NULL;
}
#else
static gboolean
use_autoptrs (void)
{
  return TRUE;
}
#endif

int
main (void)
{
  if (mproc_check_version (MPROC_MAJOR_VERSION, MPROC_MINOR_VERSION, MPROC_MICRO_VERSION))
    return 1;
  if (!use_macros () || !use_autoptrs ())
    return 2;
  return mproc_check_version (1000, 0, 0) == NULL;
}
