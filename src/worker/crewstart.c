/* SPDX-License-Identifier: MIT */
/* A crew's new workers. */
#include "worker/crewdata.h"

#include "process/process.h"
#include "worker/worker.h"

#include <mproc/value.h>

#include <time.h>

/* How long workers are started at a stretch: who starts them has results to give out, and limits to keep. */
#define STARTING (G_USEC_PER_SEC / 200)

static guint
take_place (MprocCrew *self)
{
  const guint8 taken = TRUE;
  guint place = 0;

  while (place < self->places->len && self->places->data[place])
    place++;
  if (place == self->places->len)
    g_byte_array_append (self->places, &taken, 1);
  self->places->data[place] = taken;
  return place;
}

void
mproc_crew_give_place_back (MprocCrew *self, guint place)
{
  self->places->data[place] = FALSE;
}

typedef struct
{
  const MprocCrewPlan *plan;
  MprocOffset seat;
} Birth;

/* It finds what its crew has in the memory that it was forked with: nothing has to be put together and
 * taken apart again, for which each of them would have pages of its own. */
static GVariant *
forked_main (GVariant *args, GError **error)
{
  const Birth *birth = (const Birth *) (gsize) g_variant_get_uint64 (args);
  const MprocCrewPlan *plan = birth->plan;

  mproc_worker_serve (plan->tasks, plan->events, birth->seat, plan->setup, error);
  return NULL;
}

static GVariant *
pack_birth (const Birth *birth)
{
  const MprocCrewPlan *plan = birth->plan;

  return mproc_pack ("(hht@v)", plan->tasks, plan->events, (guint64) birth->seat,
                     g_variant_new_variant (plan->setup));
}

/* @birth lives until it has been started. */
static MprocProcess *
make_process (MprocCrew *self, const Birth *birth)
{
  char *name = g_strdup_printf ("%s-%u", self->plan.name, self->n_started + 1);
  MprocProcess *process;

  if (self->plan.method == MPROC_START_METHOD_FORK)
    process =
        mproc_process_new (forked_main, g_variant_new_uint64 ((guint64) (gsize) birth));
  else
    process = mproc_process_new (mproc_worker_main, pack_birth (birth));
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
  MPROC_CRASH_POINT (SEAT_MADE);
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
  mproc_pool_event_try_post (self->plan.events, &event);
}

/* Forks are measured by the time that the processor had with them: others may have been served
 * meanwhile. */
static MprocProcess *
start_process (MprocCrew *self, MprocOffset seat, GError **error)
{
  MprocProcess *process = mproc_spare_call (&self->spare, seat);
  const Birth birth = { &self->plan, seat };
  clock_t begin;

  if (process != NULL)
    return process;
  process = make_process (self, &birth);
  begin = clock ();
  if (mproc_process_start (process, error))
    {
      mproc_spare_note_start (&self->spare, (gint64) (clock () - begin) * G_USEC_PER_SEC /
                                                CLOCKS_PER_SEC);
      return process;
    }
  mproc_process_unref (process);
  return NULL;
}

static gboolean
start_one (MprocCrew *self, GError **error)
{
  MprocCrewWorker worker = { .seat = make_seat (self, error) };

  if (worker.seat == 0)
    return FALSE;
  worker.place = take_place (self);
  mproc_seat_at (worker.seat)->place = worker.place;
  mproc_seat_at (worker.seat)->control = self->plan.control;
  MPROC_CRASH_POINT (SEAT_TOLD);
  worker.started = g_get_monotonic_time ();
  worker.taken = mproc_queue_get_taken (self->plan.tasks);
  worker.process = start_process (self, worker.seat, error);
  if (worker.process == NULL)
    {
      mproc_crew_give_place_back (self, worker.place);
      take_seat_back (self, worker.seat);
      return FALSE;
    }
  MPROC_CRASH_POINT (WORKER_STARTED);
  self->n_started++;
  g_array_append_val (self->workers, worker);
  mproc_crew_tell_live (self);
  return TRUE;
}

gboolean
mproc_crew_start_some (MprocCrew *self, guint n, GError **error)
{
  gint64 enough = g_get_monotonic_time () + STARTING;

  while (self->workers->len < n && g_get_monotonic_time () < enough)
    if (!start_one (self, error))
      return FALSE;
  self->is_short = self->workers->len < n;
  return TRUE;
}

gboolean
mproc_crew_fill (MprocCrew *self, GError **error)
{
  guint wanted = mproc_load32 (&mproc_crew_get_control (self)->wanted);

  while (self->workers->len < wanted)
    if (!start_one (self, error))
      return FALSE;
  return TRUE;
}
