/* SPDX-License-Identifier: MIT */
#include "pool/memorywatch.h"

#include "map/poolbatch.h"
#include "pool/warden.h"

/* How often a worker looks at itself, at most, and the pool at all of them: each time that its thread
 * looks around, which is not quite so often. */
#define OWN_PERIOD 10000
#define POOL_PERIOD 40000

/* Looking at each page of a large process takes a while: no more than this part of the time. */
#define SHARE 20

gboolean
mproc_memory_check (const MprocPoolOptions *options,
                    MprocStartMethod method,
                    GError **error)
{
  guint64 bytes;

  if (options->recycle_at == 0 && options->kill_at == 0)
    return TRUE;
  if (method == MPROC_START_METHOD_THREAD)
    g_set_error_literal (
        error, MPROC_ERROR, MPROC_ERROR_NOT_SUPPORTED,
        "a worker that is a thread has no memory of its own that could be "
        "limited: use another start method");
  else if (!mproc_os_private_memory (NULL, G_MAXUINT64, &bytes))
    g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_NOT_SUPPORTED,
                         "this system does not tell how much memory a worker has for "
                         "itself, so that it cannot be limited");
  else
    return TRUE;
  return FALSE;
}

/* Whether it is time; if so, the look's start is in *start. */
static gboolean
is_due (gint64 next, gint64 *start)
{
  *start = g_get_monotonic_time ();
  return *start >= next;
}

static gint64
choose_next (gint64 start, gint64 period)
{
  gint64 now = g_get_monotonic_time ();

  return now + MAX (period, (now - start) * SHARE);
}

/* ------------------------------------------------------------------ the pool's look */

/* A task that runs, and the worker that has it. */
typedef struct
{
  guint32 serial;
  MprocMember member;
  guint64 bytes;
} Running;

/* Nobody is stopped for what is read here: the word decides. */
static GArray *
list_running (MprocPool *self)
{
  GArray *list = g_array_new (FALSE, FALSE, sizeof (Running));

  g_mutex_lock (&self->mutex);
  for (guint i = 0; i < self->seats->len; i++)
    {
      MprocSeat *seat = mproc_seat_at (g_array_index (self->seats, MprocOffset, i));
      Running running = { 0 };

      running.serial = (guint32) (mproc_load64 (&seat->running) >> 32);
      running.member = mproc_load32 (&seat->member);
      if (mproc_load64 (&seat->word) != 0)
        g_array_append_val (list, running);
    }
  g_mutex_unlock (&self->mutex);
  return list;
}

static gboolean
is_over (Running *running, guint64 limit)
{
  MprocOsIdentity who = { 0 };

  mproc_member_get_identity (running->member, &who);
  return mproc_os_private_memory (&who, limit, &running->bytes) && running->bytes > limit;
}

/* It may have finished the task meanwhile, and have begun another one: that is looked at next time. */
static void
condemn (MprocPool *self, const Running *running)
{
  const MprocPartLoss loss = { MPROC_FATE_NO_MEMORY, running->bytes };
  MprocJob *job;

  g_mutex_lock (&self->mutex);
  job = g_hash_table_lookup (self->jobs, GUINT_TO_POINTER (running->serial));
  if (job != NULL && job->fate == MPROC_FATE_OPEN)
    {
      job->bytes_used = running->bytes;
      job->bytes_allowed = self->options->kill_at;
      mproc_warden_condemn (self, job, running->member, MPROC_FATE_NO_MEMORY);
    }
  else if (job == NULL)
    mproc_pool_condemn_part (self, running->serial, running->member, &loss);
  g_mutex_unlock (&self->mutex);
}

void
mproc_memory_look (MprocPool *self)
{
  guint64 limit = self->options->kill_at;
  GArray *list;
  gint64 start;

  if (limit == 0 || !is_due (self->next_memory_look, &start))
    return;
  list = list_running (self);
  for (guint i = 0; i < list->len; i++)
    {
      Running *running = &g_array_index (list, Running, i);

      if (is_over (running, limit))
        condemn (self, running);
    }
  g_array_unref (list);
  self->next_memory_look = choose_next (start, POOL_PERIOD);
}

/* ------------------------------------------------------------------ a worker's own */

gboolean
mproc_worker_is_bloated (MprocWorker *self)
{
  guint64 bytes;
  gboolean is_over;
  gint64 start;

  if (self->recycle_at == 0 || !is_due (self->next_memory_look, &start))
    return FALSE;
  is_over = mproc_os_private_memory (NULL, self->recycle_at, &bytes) &&
            bytes > self->recycle_at;
  self->next_memory_look = choose_next (start, OWN_PERIOD);
  return is_over;
}
