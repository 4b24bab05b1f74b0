/* SPDX-License-Identifier: MIT */
#include "family/local.h"

#include "family/object.h"
#include "os.h"

static GMutex local_mutex;
static GMutex gate;
static gint own_threads;
static MprocAtomic64 last_end; /* of one of them */

#define ENDING (G_USEC_PER_SEC / 50)
static _Thread_local MprocMember lend_to;

typedef struct
{
  GThreadFunc func;
  gpointer data;
} Start;

void
mproc_local_lock (void)
{
  g_mutex_lock (&local_mutex);
}

void
mproc_local_unlock (void)
{
  g_mutex_unlock (&local_mutex);
}

void
mproc_gate_enter (void)
{
  g_mutex_lock (&gate);
}

void
mproc_gate_leave (void)
{
  g_mutex_unlock (&gate);
}

void
mproc_local_lend_at_fork (MprocMember child)
{
  lend_to = child;
}

/* The gate first: whoever is inside may still want the mutex. */
static void
before_fork (void)
{
  g_mutex_lock (&gate);
  g_mutex_lock (&local_mutex);
  if (lend_to != 0)
    mproc_object_lend_all (lend_to);
  /* Not after the fork: then its page would have to be copied. */
  lend_to = 0;
}

static void
after_fork_in_parent (void)
{
  g_mutex_unlock (&local_mutex);
  g_mutex_unlock (&gate);
}

static void
after_fork_in_child (void)
{
  g_atomic_int_set (&own_threads, 0);
  g_mutex_unlock (&local_mutex);
  g_mutex_unlock (&gate);
}

void
mproc_local_prepare (void)
{
  mproc_os_at_fork (before_fork, after_fork_in_parent, after_fork_in_child);
}

guint
mproc_own_thread_count (void)
{
  return (guint) g_atomic_int_get (&own_threads);
}

void
mproc_own_thread_lend (gboolean lent)
{
  g_atomic_int_add (&own_threads, lent ? -1 : 1);
}

gboolean
mproc_own_thread_is_ending (void)
{
  gint64 end = (gint64) mproc_load64 (&last_end);

  return end != 0 && g_get_monotonic_time () - end < ENDING;
}

static gpointer
run (gpointer data)
{
  Start start = *(Start *) data;
  gpointer result;

  mproc_gate_enter ();
  g_free (data);
  mproc_gate_leave ();
  result = start.func (start.data);
  mproc_store64 (&last_end, (guint64) g_get_monotonic_time ());
  g_atomic_int_add (&own_threads, -1);
  return result;
}

GThread *
mproc_own_thread_new (const char *name, GThreadFunc func, gpointer data, GError **error)
{
  Start *start = g_new (Start, 1);
  GError *reason = NULL;
  GThread *thread;

  *start = (Start){ func, data };
  g_atomic_int_inc (&own_threads);
  thread = g_thread_try_new (name, run, start, &reason);
  if (thread != NULL)
    return thread;
  g_atomic_int_add (&own_threads, -1);
  g_free (start);
  g_set_error (error, MPROC_ERROR, MPROC_ERROR_SYSTEM, "start of a thread: %s",
               reason->message);
  g_error_free (reason);
  return NULL;
}
