/* SPDX-License-Identifier: MIT */
#include "pool/resize.h"

#define MAX_WORKERS 4096

guint
mproc_pool_get_n_workers (MprocPool *self)
{
  g_return_val_if_fail (mproc_object_is (self, MPROC_KIND_POOL), 0);
  return mproc_load32 (&mproc_control_at (self->control)->wanted);
}

guint
mproc_pool_get_n_live_workers (MprocPool *self)
{
  g_return_val_if_fail (mproc_object_is (self, MPROC_KIND_POOL), 0);
  return mproc_load32 (&mproc_control_at (self->control)->live);
}

/* Without room for it, the crew looks by itself a little later.  Under the mutex. */
static void
wake_crew (MprocPool *self)
{
  MprocPoolEvent event = { .kind = MPROC_EVENT_TEND };

  if (self->nursery != NULL)
    mproc_nursery_wake (self->nursery);
  else if (self->events != NULL) /* not inline */
    mproc_queue_put_bytes (self->events, &event, MPROC_EVENT_BASE_SIZE, 0, NULL);
}

/* The crew says that it is hungry, and looks at the queue once more; we put the task, and look whether
 * it is: one of the two sees the other. */
void
mproc_pool_feed_crew (MprocPool *self)
{
  MprocPoolControl *control;

  if (self->options->idle_timeout == MPROC_FOREVER)
    return;
  control = mproc_control_at (self->control);
  atomic_thread_fence (memory_order_seq_cst);
  if (mproc_load32 (&control->hungry) != 0 && mproc_cas32 (&control->hungry, 1, 0))
    wake_crew (self);
}

gboolean
mproc_pool_check_size (guint n_workers, GError **error)
{
  if (n_workers <= MAX_WORKERS)
    return TRUE;
  g_set_error (error, MPROC_ERROR, MPROC_ERROR_INVALID,
               "%u workers are more than a pool can have (%d)", n_workers, MAX_WORKERS);
  return FALSE;
}

gboolean
mproc_pool_resize (MprocPool *self, guint n_workers, GError **error)
{
  gboolean ok;

  g_return_val_if_fail (mproc_object_is (self, MPROC_KIND_POOL), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (!mproc_pool_check_owner (self, error) || !mproc_pool_check_size (n_workers, error))
    return FALSE;
  if (n_workers == 0)
    n_workers = mproc_cpu_count ();
  g_mutex_lock (&self->mutex);
  ok = mproc_pool_check_running (self, error);
  if (ok)
    {
      mproc_store32 (&mproc_control_at (self->control)->wanted, n_workers);
      wake_crew (self);
    }
  g_mutex_unlock (&self->mutex);
  return ok;
}
