/* SPDX-License-Identifier: MIT */
#include "insight/progress.h"

#include "family/local.h"

/* So often it is told at most. */
#define INTERVAL (G_USEC_PER_SEC / 10)

typedef struct
{
  guint64 done;
  guint64 failed;
  guint64 total;
} Numbers;

struct MprocProgress
{
  gint ref_count; /* atomic */
  MprocProgressFunc func;
  gpointer data;
  GDestroyNotify destroy;
  GMainContext *context; /* NULL: the pool's thread */
  guint64 settled_before;
  guint64 failed_before;

  GMutex mutex;     /* over what follows */
  Numbers numbers;  /* the latest */
  gboolean is_due;  /* the context is going to be told */
  gboolean is_over; /* another one has taken its place */

  Numbers told; /* the pool's thread's */
  gint64 last;
};

/* By the pool's thread. */
static MprocProgress *
ref_of (MprocPool *pool)
{
  MprocProgress *self;

  mproc_gate_enter ();
  g_mutex_lock (&pool->mutex);
  self = pool->insight.progress;
  if (self != NULL)
    g_atomic_int_inc (&self->ref_count);
  g_mutex_unlock (&pool->mutex);
  mproc_gate_leave ();
  return self;
}

static MprocProgress *
exchange (MprocPool *pool, MprocProgress *after)
{
  MprocProgress *before;

  g_mutex_lock (&pool->mutex);
  before = pool->insight.progress;
  g_atomic_pointer_set (&pool->insight.progress, after);
  g_mutex_unlock (&pool->mutex);
  return before;
}

void
mproc_progress_unref (MprocProgress *self)
{
  if (self == NULL || !g_atomic_int_dec_and_test (&self->ref_count))
    return;
  if (self->destroy != NULL)
    self->destroy (self->data);
  if (self->context != NULL)
    g_main_context_unref (self->context);
  g_mutex_clear (&self->mutex);
  g_free (self);
}

static void
read_numbers (MprocProgress *self, MprocInsight *insight, Numbers *out)
{
  guint64 failed = mproc_load64 (&insight->n_failed);
  guint64 settled = mproc_load64 (&insight->n_done) + failed;
  guint64 handed = MAX (mproc_load64 (&insight->n_handed), settled);

  out->done = settled - self->settled_before;
  out->failed = failed - self->failed_before;
  out->total = handed - self->settled_before;
}

/* ------------------------------------------------------------------ telling */

/* However many reports have come since, it is told the latest. */
static gboolean
tell_in_context (gpointer data)
{
  MprocProgress *self = data;
  gboolean is_over;
  Numbers numbers;

  g_mutex_lock (&self->mutex);
  numbers = self->numbers;
  is_over = self->is_over;
  self->is_due = FALSE;
  g_mutex_unlock (&self->mutex);
  if (!is_over)
    self->func (numbers.done, numbers.failed, numbers.total, self->data);
  return G_SOURCE_REMOVE;
}

static void
unref_in_context (gpointer data)
{
  mproc_progress_unref (data);
}

/* Under the mutex. */
static void
make_due (MprocProgress *self)
{
  GSource *source = g_idle_source_new ();

  self->is_due = TRUE;
  g_atomic_int_inc (&self->ref_count);
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, tell_in_context, self, unref_in_context);
  g_source_attach (source, self->context);
  g_source_unref (source);
}

/* While it runs its user's code the pool's thread is one of the user's. */
static void
call (MprocProgress *self, MprocPool *pool, const Numbers *numbers)
{
  gboolean is_pools = mproc_callbacks_are_mine (pool->callbacks);

  if (is_pools)
    mproc_own_thread_lend (TRUE);
  self->func (numbers->done, numbers->failed, numbers->total, self->data);
  if (is_pools)
    mproc_own_thread_lend (FALSE);
}

static void
tell (MprocProgress *self, MprocPool *pool, const Numbers *numbers)
{
  if (self->context == NULL)
    {
      call (self, pool, numbers);
      return;
    }
  mproc_gate_enter ();
  g_mutex_lock (&self->mutex);
  self->numbers = *numbers;
  if (!self->is_due)
    make_due (self);
  g_mutex_unlock (&self->mutex);
  mproc_gate_leave ();
}

static void
report (MprocProgress *self, MprocPool *pool, gboolean is_end)
{
  gint64 now = g_get_monotonic_time ();
  Numbers numbers;

  if (now - self->last < INTERVAL && !is_end)
    return;
  read_numbers (self, &pool->insight, &numbers);
  if (numbers.done == self->told.done)
    return;
  self->told = numbers;
  tell (self, pool, &numbers);
  /* From its end: of a function that takes long the pool's thread would have nothing else to do. */
  self->last = g_get_monotonic_time ();
}

/* At the end nobody is told any more: what the function was given goes, outside of the gate as well. */
void
mproc_progress_report (MprocPool *pool, gboolean is_end)
{
  MprocProgress *self;

  if (g_atomic_pointer_get (&pool->insight.progress) == NULL)
    return;
  self = ref_of (pool);
  if (self == NULL)
    return;
  report (self, pool, is_end);
  mproc_progress_unref (self);
  if (is_end)
    mproc_progress_unref (exchange (pool, NULL));
}

/* ------------------------------------------------------------------ asking */

static MprocProgress *
new_progress (MprocInsight *insight,
              MprocProgressFunc func,
              gpointer data,
              GDestroyNotify destroy,
              GMainContext *context)
{
  MprocProgress *self = g_new0 (MprocProgress, 1);

  self->ref_count = 1;
  self->func = func;
  self->data = data;
  self->destroy = destroy;
  self->context = context != NULL ? g_main_context_ref (context) : NULL;
  self->failed_before = mproc_load64 (&insight->n_failed);
  self->settled_before = mproc_load64 (&insight->n_done) + self->failed_before;
  g_mutex_init (&self->mutex);
  return self;
}

static void
put_out (MprocProgress *self)
{
  if (self == NULL)
    return;
  g_mutex_lock (&self->mutex);
  self->is_over = TRUE;
  g_mutex_unlock (&self->mutex);
  mproc_progress_unref (self);
}

void
mproc_pool_set_progress_callback (MprocPool *self,
                                  MprocProgressFunc func,
                                  gpointer data,
                                  GDestroyNotify destroy,
                                  GMainContext *context)
{
  MprocProgress *after = NULL;

  g_return_if_fail (mproc_pool_is_mine (self));
  if (func != NULL)
    after = new_progress (&self->insight, func, data, destroy, context);
  put_out (exchange (self, after));
}
