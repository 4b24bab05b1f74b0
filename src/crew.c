/* SPDX-License-Identifier: MIT */
#include "crew.h"

#include "process.h"
#include "worker.h"

#include <mproc/value.h>

#include <string.h>

/* A worker that ends sooner than this after its start, and with no task taken by anyone
 * since then, was no use: the next replacement waits. */
#define SHORT_LIFE (G_USEC_PER_SEC / 10)
#define LONGEST_PAUSE G_USEC_PER_SEC

/* How long until there may be room for an event. */
#define PAUSE_FOR_ROOM 1000

typedef struct
{
  MprocProcess *process;
  MprocOffset seat; /* the pool's */
  gint64 started;
  guint32 taken; /* of the task queue's records, at its start */
} Worker;

struct MprocCrew
{
  MprocCrewPlan plan;
  GArray *workers; /* of Worker */
  guint n_started;
  gint64 not_before; /* the next start */
  gint64 pause;
};

/* FALSE: there is no memory for it now. */
static gboolean
try_post (MprocQueue *events, const MprocPoolEvent *event)
{
  gsize size = MPROC_EVENT_BASE_SIZE;

  if (event->kind == MPROC_EVENT_BROKEN)
    size += strlen (event->text) + 1;
  /* A queue that was shut down wants no more events. */
  return mproc_queue_put_bytes (events, event, size, MPROC_FOREVER, NULL) ||
         mproc_queue_is_shut_down (events);
}

/* The queue has no bound of its own: what can be missing is memory, and the pool, by
 * reading, gives some back. */
void
mproc_event_post (MprocQueue *events, const MprocPoolEvent *event)
{
  while (!try_post (events, event))
    g_usleep (PAUSE_FOR_ROOM);
}

gboolean
mproc_event_copy (gconstpointer payload, gsize size, gpointer data)
{
  memset (data, 0, sizeof (MprocPoolEvent));
  memcpy (data, payload, MIN (size, sizeof (MprocPoolEvent) - 1));
  return TRUE;
}

MprocCrew *
mproc_crew_new (const MprocCrewPlan *plan)
{
  MprocCrew *self = g_new0 (MprocCrew, 1);

  self->plan = *plan;
  self->plan.name = g_strdup (plan->name);
  self->plan.setup = g_variant_ref (plan->setup);
  mproc_queue_ref (plan->tasks);
  mproc_queue_ref (plan->events);
  self->workers = g_array_new (FALSE, FALSE, sizeof (Worker));
  return self;
}

static MprocProcess *
make_process (MprocCrew *self, MprocOffset seat)
{
  char *name = g_strdup_printf ("%s-%u", self->plan.name, self->n_started + 1);
  MprocProcess *process =
      mproc_process_new (mproc_worker_main,
                         mproc_pack ("(hht@v)", self->plan.tasks, self->plan.events,
                                     (guint64) seat,
                                     g_variant_new_variant (self->plan.setup)));

  mproc_process_set_internal (process, TRUE);
  mproc_process_set_name (process, name);
  mproc_process_set_start_method (process, self->plan.method);
  g_free (name);
  return process;
}

/* The pool hears of the seat first: whatever happens to us, it frees it. */
static MprocOffset
make_seat (MprocCrew *self, GError **error)
{
  MprocPoolEvent event = { .kind = MPROC_EVENT_SEAT };

  event.seat = mproc_seat_new (self->n_started + 1, error);
  if (event.seat == 0 ||
      mproc_queue_put_bytes (self->plan.events, &event, MPROC_EVENT_BASE_SIZE, 0, error))
    return event.seat;
  mproc_arena_free (event.seat);
  return 0;
}

static void
take_seat_back (MprocCrew *self, MprocOffset seat)
{
  MprocPoolEvent event = { .kind = MPROC_EVENT_DEATH, .seat = seat };

  /* Without room for it the pool keeps the seat until its own end. */
  try_post (self->plan.events, &event);
}

static gboolean
start_one (MprocCrew *self, GError **error)
{
  Worker worker = { .seat = make_seat (self, error) };

  if (worker.seat == 0)
    return FALSE;
  worker.process = make_process (self, worker.seat);
  worker.started = g_get_monotonic_time ();
  worker.taken = mproc_queue_get_taken (self->plan.tasks);
  if (!mproc_process_start (worker.process, error))
    {
      mproc_process_unref (worker.process);
      take_seat_back (self, worker.seat);
      return FALSE;
    }
  self->n_started++;
  g_array_append_val (self->workers, worker);
  return TRUE;
}

gboolean
mproc_crew_fill (MprocCrew *self, GError **error)
{
  while (self->workers->len < self->plan.n_workers)
    if (!start_one (self, error))
      return FALSE;
  return TRUE;
}

/* FALSE: not now.  The caller may be the one who makes room, and comes again. */
static gboolean
post_once (MprocCrew *self, const MprocPoolEvent *event)
{
  if (try_post (self->plan.events, event))
    return TRUE;
  g_usleep (PAUSE_FOR_ROOM);
  return FALSE;
}

static gboolean
report_death (MprocCrew *self, Worker *worker)
{
  MprocPoolEvent event = { .kind = MPROC_EVENT_DEATH };

  event.seat = worker->seat;
  event.member = mproc_process_get_member (worker->process);
  event.pid = mproc_process_get_pid (worker->process);
  mproc_process_get_exit_code (worker->process, &event.exit_code);
  return post_once (self, &event);
}

static gboolean
was_no_use (MprocCrew *self, const Worker *worker)
{
  return g_get_monotonic_time () - worker->started < SHORT_LIFE &&
         mproc_queue_get_taken (self->plan.tasks) == worker->taken;
}

static void
take_break (MprocCrew *self, gboolean was_short)
{
  gint64 now = g_get_monotonic_time ();

  if (!was_short)
    self->pause = 0;
  else
    self->pause = CLAMP (self->pause * 2, G_USEC_PER_SEC / 100, LONGEST_PAUSE);
  self->not_before = now + self->pause;
}

/* Takes those that have ended, and have been reported, out of the list. */
static void
reap (MprocCrew *self)
{
  for (guint i = 0; i < self->workers->len;)
    {
      Worker *worker = &g_array_index (self->workers, Worker, i);

      if (!mproc_process_join (worker->process, 0) || !report_death (self, worker))
        {
          i++;
          continue;
        }
      if (!mproc_queue_is_finished (self->plan.tasks))
        take_break (self, was_no_use (self, worker));
      mproc_process_unref (worker->process);
      g_array_remove_index_fast (self->workers, i);
    }
}

static gboolean
report (MprocCrew *self, MprocEventKind kind, const GError *error)
{
  MprocPoolEvent event = { .kind = kind };

  if (error != NULL)
    g_strlcpy (event.text, error->message, sizeof event.text);
  return post_once (self, &event);
}

/* A worker that cannot be replaced is tried again later, as long as another one works. */
static gboolean
replace (MprocCrew *self)
{
  GError *error = NULL;
  gboolean go_on = TRUE;

  if (self->workers->len == self->plan.n_workers ||
      g_get_monotonic_time () < self->not_before || mproc_crew_fill (self, &error))
    return TRUE;
  take_break (self, TRUE);
  go_on = self->workers->len > 0 || !report (self, MPROC_EVENT_BROKEN, error);
  g_error_free (error);
  return go_on;
}

gboolean
mproc_crew_tend (MprocCrew *self)
{
  reap (self);
  if (!mproc_queue_is_finished (self->plan.tasks))
    return replace (self);
  if (self->workers->len > 0)
    return TRUE;
  return !report (self, MPROC_EVENT_FINISHED, NULL);
}

void
mproc_crew_list_waits (MprocCrew *self, GArray *waits)
{
  for (guint i = 0; i < self->workers->len; i++)
    {
      MprocOsWait wait;

      if (mproc_process_get_wait (g_array_index (self->workers, Worker, i).process, &wait,
                                  NULL))
        g_array_append_val (waits, wait);
    }
}

void
mproc_crew_kill (MprocCrew *self)
{
  mproc_queue_shutdown (self->plan.tasks, TRUE);
  for (guint i = 0; i < self->workers->len; i++)
    mproc_process_kill (g_array_index (self->workers, Worker, i).process, NULL);
  for (guint i = 0; i < self->workers->len; i++)
    {
      MprocProcess *process = g_array_index (self->workers, Worker, i).process;

      mproc_process_join (process, MPROC_FOREVER);
      mproc_process_unref (process);
    }
  g_array_set_size (self->workers, 0);
}

void
mproc_crew_free (MprocCrew *self)
{
  if (self == NULL)
    return;
  mproc_crew_kill (self);
  g_array_unref (self->workers);
  g_variant_unref (self->plan.setup);
  mproc_queue_unref (self->plan.tasks);
  mproc_queue_unref (self->plan.events);
  g_free (self->plan.name);
  g_free (self);
}
