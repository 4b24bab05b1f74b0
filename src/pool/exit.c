/* SPDX-License-Identifier: MIT */
#include "pool/exit.h"

#include "family/local.h"
#include "process/process.h"

static GPtrArray *pools; /* under the local lock; holds no references */

/* A thread that is a worker and calls exit () is waited for by its pool, and cannot
 * wait for it. */
static gint64
patience_with (MprocPool *pool)
{
  gboolean is_thread = mproc_self () != mproc_process_self ();

  return is_thread && pool->method == MPROC_START_METHOD_THREAD ? 0 : MPROC_FOREVER;
}

static void
terminate_pools (void)
{
  for (;;)
    {
      MprocPool *pool = NULL;

      mproc_local_lock ();
      if (pools != NULL && pools->len > 0)
        pool = g_ptr_array_remove_index_fast (pools, pools->len - 1);
      if (pool != NULL && mproc_pool_is_mine (pool))
        mproc_pool_ref (pool);
      mproc_local_unlock ();
      if (pool == NULL)
        return;
      if (!mproc_pool_is_mine (pool))
        continue;
      mproc_pool_terminate (pool);
      mproc_pool_join (pool, patience_with (pool));
      mproc_pool_unref (pool);
    }
}

void
mproc_pool_remember (MprocPool *self)
{
  static gint64 hooked_for;
  gboolean hooked;

  mproc_local_lock ();
  if (pools == NULL)
    pools = g_ptr_array_new ();
  g_ptr_array_add (pools, self);
  hooked = hooked_for == self->creator;
  hooked_for = self->creator;
  mproc_local_unlock ();
  if (!hooked)
    mproc_at_exit (terminate_pools);
}

/* Under the lock under which an exit looks for pools. */
gboolean
mproc_pool_drop (MprocPool *self)
{
  gboolean last;

  mproc_local_lock ();
  last = g_atomic_int_dec_and_test (&self->base.ref_count);
  if (last && pools != NULL)
    g_ptr_array_remove_fast (pools, self);
  mproc_local_unlock ();
  return last;
}
