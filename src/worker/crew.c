/* SPDX-License-Identifier: MIT */
#include "worker/crew.h"

#include "process/process.h"
#include "worker/spare.h"
#include "worker/task.h"
#include "worker/worker.h"

#include <mproc/value.h>

#include <string.h>
#include <time.h>

/* So many workers in a row that end before they are ready, with none that is, are as good as an
 * initializer that fails. */
#define MAX_UNREADY 5

/* How long a killed worker may take to be gone before others are looked after. */
#define PATIENCE (G_USEC_PER_SEC / 100)

/* How long workers are started at a stretch: who starts them has results to give out, and limits to keep. */
#define STARTING (G_USEC_PER_SEC / 200)

/* A worker that ends sooner than this after its start, and with no task taken by anyone
 * since then, was no use: the next replacement waits. */
#define SHORT_LIFE (G_USEC_PER_SEC / 10)
#define LONGEST_PAUSE G_USEC_PER_SEC

/* How often, and how long at most, we look whether one who has left is gone. */
#define LOOK_FOR_END (G_USEC_PER_SEC / 4000)
#define HURRY (G_USEC_PER_SEC / 100)

/* How long until there may be room for an event. */
#define PAUSE_FOR_ROOM 1000

typedef struct
{
  MprocProcess *process;
  MprocOffset seat; /* the pool's */
  guint place;
  gint64 started;
  guint32 taken; /* of the task queue's records, at its start */
  gint64 left;   /* when it was seen to have left; 0: not yet */
} Worker;

struct MprocCrew
{
  MprocCrewPlan plan;
  GArray *workers; /* of Worker */
  GArray *lost; /* the same: condemned, and nobody can kill them; others do their work */
  GPtrArray
      *ending; /* of MprocProcess: their ends are told, and the system takes them down */
  MprocSpare spare;
  GByteArray *places; /* whether each is taken */
  guint n_started;
  gint64 not_before; /* the next start */
  gint64 pause;
  gboolean is_short;  /* of workers that can be started at once */
  guint n_unready;    /* ended in a row before they were ready */
  gint32 unready_end; /* the last one's exit code */
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
  self->lost = g_array_new (FALSE, FALSE, sizeof (Worker));
  self->ending = g_ptr_array_new_with_free_func ((GDestroyNotify) mproc_process_unref);
  mproc_spare_init (&self->spare, &self->plan);
  self->places = g_byte_array_new ();
  return self;
}

static MprocPoolControl *
control_of (MprocCrew *self)
{
  return mproc_control_at (self->plan.control);
}

static void
tell_live (MprocCrew *self)
{
  mproc_store32 (&control_of (self)->live, self->workers->len);
}

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

static void
give_place_back (MprocCrew *self, guint place)
{
  self->places->data[place] = FALSE;
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
  try_post (self->plan.events, &event);
}

/* Forks are measured by the time that the processor had with them: others may have been served
 * meanwhile. */
static MprocProcess *
start_process (MprocCrew *self, MprocOffset seat, GError **error)
{
  MprocProcess *process = mproc_spare_call (&self->spare, seat);
  clock_t begin;

  if (process != NULL)
    return process;
  process = make_process (self, seat);
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
  Worker worker = { .seat = make_seat (self, error) };

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
      give_place_back (self, worker.place);
      take_seat_back (self, worker.seat);
      return FALSE;
    }
  MPROC_CRASH_POINT (WORKER_STARTED);
  self->n_started++;
  g_array_append_val (self->workers, worker);
  tell_live (self);
  return TRUE;
}

gboolean
mproc_crew_fill (MprocCrew *self, GError **error)
{
  guint wanted = mproc_load32 (&control_of (self)->wanted);

  while (self->workers->len < wanted)
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
  /* With its death told, its seat is gone. */
  gboolean was_ready = mproc_load64 (&mproc_seat_at (worker->seat)->ready) != 0;

  event.seat = worker->seat;
  event.member = mproc_process_get_member (worker->process);
  event.pid = mproc_process_get_pid (worker->process);
  if (!mproc_process_get_exit_code (worker->process, &event.exit_code))
    mproc_member_get_exit_code (event.member, &event.exit_code);
  if (!post_once (self, &event))
    return FALSE;
  self->n_unready = was_ready ? 0 : self->n_unready + 1;
  self->unready_end = event.exit_code;
  return TRUE;
}

static guint32
phase_of (const Worker *worker)
{
  return mproc_load32 (&mproc_seat_at (worker->seat)->phase);
}

static gboolean
was_no_use (MprocCrew *self, const Worker *worker, gboolean left)
{
  return !left && g_get_monotonic_time () - worker->started < SHORT_LIFE &&
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

/* Those whose task has been taken from them.  Such a one takes no other, so it does not matter what it
 * does just now.  A thread is left alone, and ends when its task does. */
static void
kill_condemned (MprocCrew *self)
{
  for (guint i = 0; i < self->workers->len;)
    {
      Worker worker = g_array_index (self->workers, Worker, i);

      if (mproc_load64 (&mproc_seat_at (worker.seat)->kill) == 0)
        i++;
      else if (mproc_process_kill (worker.process, NULL))
        {
          mproc_process_join (worker.process, PATIENCE);
          MPROC_CRASH_POINT (CONDEMNED_KILLED);
          i++;
        }
      else
        {
          g_array_append_val (self->lost, worker);
          g_array_remove_index_fast (self->workers, i);
        }
    }
}

/* One that has left in good order has ended for us when it has written its exit code, the last thing
 * that it does: to take down what it had of our memory takes the system as long as the fork did. */
static gboolean
has_ended (Worker *worker)
{
  if (mproc_process_join (worker->process, 0))
    return TRUE;
  if (phase_of (worker) != MPROC_SEAT_LEFT)
    return FALSE;
  if (worker->left == 0)
    worker->left = g_get_monotonic_time ();
  return mproc_member_get_state (mproc_process_get_member (worker->process)) ==
         MPROC_MEMBER_LEAVING;
}

static void
put_away (MprocCrew *self, MprocProcess *process)
{
  if (mproc_process_join (process, 0))
    mproc_process_unref (process);
  else
    g_ptr_array_add (self->ending, process);
}

static void
reap_ending (MprocCrew *self)
{
  for (guint i = 0; i < self->ending->len;)
    if (mproc_process_join (g_ptr_array_index (self->ending, i), 0))
      g_ptr_array_remove_index_fast (self->ending, i);
    else
      i++;
}

/* Takes those that have ended, and have been reported, out of the list. */
static void
reap (MprocCrew *self, GArray *workers)
{
  for (guint i = 0; i < workers->len;)
    {
      Worker *worker = &g_array_index (workers, Worker, i);
      gboolean left = phase_of (worker) >= MPROC_SEAT_LEAVING;

      if (!has_ended (worker) || !report_death (self, worker))
        {
          i++;
          continue;
        }
      MPROC_CRASH_POINT (DEATH_TOLD);
      if (!mproc_queue_is_finished (self->plan.tasks))
        take_break (self, was_no_use (self, worker, left));
      put_away (self, worker->process);
      give_place_back (self, worker->place);
      g_array_remove_index_fast (workers, i);
    }
  tell_live (self);
}

static gboolean
report (MprocCrew *self, MprocEventKind kind, const GError *error)
{
  MprocPoolEvent event = { .kind = kind };

  if (error != NULL)
    g_strlcpy (event.text, error->message, sizeof event.text);
  return post_once (self, &event);
}

/* ------------------------------------------------------------------ how many */

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
      const Worker *worker = &g_array_index (self->workers, Worker, i);

      if (phase_of (worker) >= MPROC_SEAT_LEAVING)
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
static void
shrink (MprocCrew *self)
{
  MprocPoolControl *control = control_of (self);
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
  MprocPoolControl *control = control_of (self);
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
    if (mproc_load64 (&mproc_seat_at (g_array_index (self->workers, Worker, i).seat)
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
  gboolean told = report (self, MPROC_EVENT_BROKEN, error);

  g_error_free (error);
  g_free (end);
  return told;
}

/* FALSE with error: no more can be started now. */
static gboolean
start_some (MprocCrew *self, guint wanted, GError **error)
{
  gint64 enough = g_get_monotonic_time () + STARTING;

  while (self->workers->len < wanted && g_get_monotonic_time () < enough)
    if (!start_one (self, error))
      return FALSE;
  self->is_short = self->workers->len < wanted;
  return TRUE;
}

/* A worker that cannot be replaced is tried again later, as long as another one works. */
static gboolean
replace (MprocCrew *self)
{
  guint wanted = count_wanted (self);
  GError *error = NULL;
  gboolean go_on = TRUE;

  if (self->n_unready >= MAX_UNREADY && !has_ready (self))
    return !report_crash_loop (self);
  if (g_get_monotonic_time () < self->not_before || start_some (self, wanted, &error))
    return TRUE;
  take_break (self, TRUE);
  go_on = self->workers->len > 0 || !report (self, MPROC_EVENT_BROKEN, error);
  g_error_free (error);
  return go_on;
}

gboolean
mproc_crew_tend (MprocCrew *self)
{
  gboolean go_on;

  self->is_short = FALSE;
  kill_condemned (self);
  reap (self, self->workers);
  reap (self, self->lost);
  reap_ending (self);
  if (!mproc_queue_is_finished (self->plan.tasks))
    {
      shrink (self);
      go_on = replace (self);
      /* Both go through the same pages, and the new worker is to have a processor. */
      if (self->ending->len == 0)
        mproc_spare_tend (&self->spare);
      return go_on;
    }
  mproc_spare_end (&self->spare);
  if (self->workers->len > 0 || self->lost->len > 0 || self->ending->len > 0)
    return TRUE;
  return !report (self, MPROC_EVENT_FINISHED, NULL);
}

/* ------------------------------------------------------------------ until the next look */

gboolean
mproc_crew_is_short (const MprocCrew *self)
{
  return self->is_short;
}

static void
list_wait (GArray *waits, MprocProcess *process)
{
  MprocOsWait wait;

  if (mproc_process_get_wait (process, &wait, NULL))
    g_array_append_val (waits, wait);
}

void
mproc_crew_list_waits (MprocCrew *self, GArray *waits)
{
  for (guint i = 0; i < self->workers->len; i++)
    list_wait (waits, g_array_index (self->workers, Worker, i).process);
  for (guint i = 0; i < self->ending->len; i++)
    list_wait (waits, g_ptr_array_index (self->ending, i));
  mproc_spare_list_waits (&self->spare, waits);
}

/* The last that a process does tells nobody: so we look, and, if that takes it long, wait for its end. */
gint64
mproc_crew_get_next_look (MprocCrew *self)
{
  gint64 next =
      self->ending->len == 0 ? mproc_spare_get_next_look (&self->spare) : MPROC_OS_NEVER;
  gint64 now = g_get_monotonic_time ();

  if (self->is_short)
    return now;
  if (self->not_before > now)
    next = MIN (next, self->not_before);
  for (guint i = 0; i < self->workers->len; i++)
    {
      gint64 left = g_array_index (self->workers, Worker, i).left;

      if (left != 0 && now < left + HURRY)
        next = MIN (next, now + LOOK_FOR_END);
    }
  return next;
}

/* ------------------------------------------------------------------ the end */

static void
await_end (GArray *workers)
{
  for (guint i = 0; i < workers->len; i++)
    {
      MprocProcess *process = g_array_index (workers, Worker, i).process;

      mproc_process_join (process, MPROC_FOREVER);
      mproc_process_unref (process);
    }
  g_array_set_size (workers, 0);
}

void
mproc_crew_kill (MprocCrew *self)
{
  /* Threads have to be told.  Otherwise the queue is the pool's to end: as long as that has not heard that it
   * is broken, and why, it takes tasks. */
  if (self->plan.method == MPROC_START_METHOD_THREAD)
    mproc_queue_shutdown (self->plan.tasks, TRUE);
  for (guint i = 0; i < self->workers->len; i++)
    mproc_process_kill (g_array_index (self->workers, Worker, i).process, NULL);
  mproc_spare_end (&self->spare);
  await_end (self->workers);
  await_end (self->lost);
  for (guint i = 0; i < self->ending->len; i++)
    mproc_process_join (g_ptr_array_index (self->ending, i), MPROC_FOREVER);
  g_ptr_array_set_size (self->ending, 0);
}

void
mproc_crew_free (MprocCrew *self)
{
  if (self == NULL)
    return;
  mproc_crew_kill (self);
  g_array_unref (self->workers);
  g_array_unref (self->lost);
  g_ptr_array_unref (self->ending);
  g_byte_array_unref (self->places);
  g_variant_unref (self->plan.setup);
  mproc_queue_unref (self->plan.tasks);
  mproc_queue_unref (self->plan.events);
  g_free (self->plan.name);
  g_free (self);
}
