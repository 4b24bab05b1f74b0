/* SPDX-License-Identifier: MIT */
/* How many workers a crew has. */
#include "worker/crewdata.h"

#include "worker/task.h"

/* So many workers in a row that end before they are ready, with none that is, are as good as an
 * initializer that fails. */
#define MAX_UNREADY 5

typedef struct
{
  guint n_staying; /* of the workers, those that are not about to leave */
  guint n_free;    /* of these, those that run nothing */
} Census;

static Census
count (MprocCrew *self)
{
  Census census = { 0, 0 };

  for (guint i = 0; i < self->workers->len; i++)
    {
      const MprocCrewWorker *worker = &g_array_index (self->workers, MprocCrewWorker, i);

      if (mproc_crew_worker_get_phase (worker) >= MPROC_SEAT_LEAVING)
        continue;
      census.n_staying++;
      census.n_free += mproc_load64 (&mproc_seat_at (worker->seat)->word) == 0;
    }
  return census;
}

/* A record without a task: whoever takes it looks around.  Only where no task would wake them. */
static void
nudge (MprocCrew *self, guint n)
{
  const MprocTaskRecord record = { 0, 0, 0 };

  if (mproc_queue_get_size (self->plan.tasks) > 0)
    return;
  while (n-- > 0)
    mproc_queue_put_bytes (self->plan.tasks, &record, sizeof record, 0, NULL);
}

/* The number of those that are to leave is read before the workers are counted: a worker that takes
 * its leave in between makes the exchange fail, and it is tried again at the next look. */
void
mproc_crew_shrink (MprocCrew *self)
{
  MprocPoolControl *control = mproc_crew_get_control (self);
  guint32 before = mproc_load32 (&control->leave);
  guint32 wanted = mproc_load32 (&control->wanted);
  Census census = count (self);
  guint32 surplus = census.n_staying > wanted ? census.n_staying - wanted : 0;

  if (before != surplus && !mproc_cas32 (&control->leave, before, surplus))
    return;
  if (surplus > 0)
    nudge (self, MIN (surplus, census.n_free));
}

/* On demand: one for each task that no worker is free for.  First we say that we are hungry, see
 * mproc_pool_feed_crew(). */
static guint
count_wanted (MprocCrew *self)
{
  MprocPoolControl *control = mproc_crew_get_control (self);
  guint wanted = mproc_load32 (&control->wanted);
  guint n_tasks, n_missing;
  Census census;

  if (!self->plan.starts_on_demand)
    return wanted;
  mproc_store32 (&control->hungry, self->workers->len < wanted);
  atomic_thread_fence (memory_order_seq_cst);
  n_tasks = mproc_queue_get_size (self->plan.tasks);
  census = count (self);
  n_missing = n_tasks > census.n_free ? n_tasks - census.n_free : 0;
  return MIN (wanted, self->workers->len + MIN (n_missing, wanted));
}

static gboolean
has_ready (MprocCrew *self)
{
  for (guint i = 0; i < self->workers->len; i++)
    if (mproc_load64 (&mproc_seat_at (g_array_index (self->workers, MprocCrewWorker, i)
                                          .seat)
                           ->ready) != 0)
      return TRUE;
  return FALSE;
}

/* TRUE: it has been told. */
static gboolean
report_crash_loop (MprocCrew *self)
{
  gint code = self->unready_end;
  const char *signal = code < 0 ? mproc_os_signal_name (-code) : NULL;
  char *end = signal != NULL ? g_strdup_printf ("was killed by %s", signal)
                             : g_strdup_printf ("had exit code %d", code);
  GError *error = g_error_new (
      MPROC_ERROR, MPROC_ERROR_STATE,
      "%u workers in a row ended before the initializer was done; the last %s",
      self->n_unready, end);
  gboolean told = mproc_crew_report (self, MPROC_EVENT_BROKEN, error);

  g_error_free (error);
  g_free (end);
  return told;
}

/* A worker that cannot be replaced is tried again later, as long as another one works. */
gboolean
mproc_crew_replace (MprocCrew *self)
{
  guint wanted = count_wanted (self);
  GError *error = NULL;
  gboolean go_on = TRUE;

  if (self->n_unready >= MAX_UNREADY && !has_ready (self))
    return !report_crash_loop (self);
  if (self->workers->len >= wanted || g_get_monotonic_time () < self->not_before ||
      mproc_crew_start_some (self, wanted, &error))
    return TRUE;
  mproc_crew_take_break (self, TRUE);
  go_on = self->workers->len > 0 || !mproc_crew_report (self, MPROC_EVENT_BROKEN, error);
  g_error_free (error);
  return go_on;
}
