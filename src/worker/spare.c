/* SPDX-License-Identifier: MIT */
#include "worker/spare.h"

#include "arena/word.h"
#include "process/process.h"
#include "worker/worker.h"

/* After a worker was missing: another one may be dying just then, and comes first. */
#define PAUSE (G_USEC_PER_SEC / 200)

/* At the beginning: a pool that has just been made may have nothing but a few quick tasks to do. */
#define FIRST_PAUSE (G_USEC_PER_SEC / 10)

/* After a spare was killed, or could not be forked: as a rule that is for want of memory. */
#define LONG_PAUSE G_USEC_PER_SEC

gint64 mproc_spare_pays_from = 1000;

static MprocPoolControl *
control_of (const MprocSpare *self)
{
  return mproc_control_at (self->plan->control);
}

/* ------------------------------------------------------------------ in the spare */

/* Whoever forked us kills us, or takes us along when it dies: there is nobody to look for. */
static MprocOffset
await_call (const MprocSpare *self)
{
  MprocPoolControl *control = control_of (self);
  MprocMember me = mproc_self ();
  guint32 called;

  while ((called = mproc_load32 (&control->called)) != me)
    mproc_word_wait (&control->called, called, MPROC_OS_NEVER);
  return mproc_load64 (&control->called_seat);
}

/* It finds what its crew has in the memory that it was forked with. */
static GVariant *
spare_main (GVariant *args, GError **error)
{
  const MprocSpare *self = (const MprocSpare *) (gsize) g_variant_get_uint64 (args);
  MprocOffset seat = await_call (self);
  char *name = g_strdup_printf ("%s-%u", self->plan->name, mproc_seat_at (seat)->number);

  mproc_process_set_name (mproc_process_current (), name);
  g_free (name);
  mproc_worker_serve (self->plan->tasks, self->plan->events, seat, self->plan->setup,
                      error);
  return NULL;
}

/* ------------------------------------------------------------------ in the crew */

void
mproc_spare_init (MprocSpare *self, const MprocCrewPlan *plan)
{
  self->plan = plan;
  self->process = NULL;
  self->fork_time = MPROC_OS_NEVER;
  self->not_before = g_get_monotonic_time () + FIRST_PAUSE;
}

static void
pause_for (MprocSpare *self, gint64 pause)
{
  self->not_before = MAX (self->not_before, g_get_monotonic_time () + pause);
}

void
mproc_spare_note_start (MprocSpare *self, gint64 took)
{
  self->fork_time = MIN (self->fork_time, took);
  pause_for (self, PAUSE);
}

/* Workers that are not to be there as long as there is nothing to do would be no use as spares
 * either. */
static gboolean
is_wanted (const MprocSpare *self)
{
  return self->plan->method == MPROC_START_METHOD_FORK && !self->plan->starts_on_demand &&
         self->fork_time != MPROC_OS_NEVER && self->fork_time >= mproc_spare_pays_from;
}

static void
forget (MprocSpare *self)
{
  mproc_store32 (&control_of (self)->spare, 0);
  g_clear_pointer (&self->process, mproc_process_unref);
}

/* TRUE: it waits, as far as can be told. */
static gboolean
is_there (MprocSpare *self)
{
  if (self->process == NULL)
    return FALSE;
  if (!mproc_process_join (self->process, 0))
    return TRUE;
  forget (self);
  pause_for (self, LONG_PAUSE);
  return FALSE;
}

/* The seat is stored first: who sees the call sees its seat.  Killed in between, we take the spare with
 * us. */
MprocProcess *
mproc_spare_call (MprocSpare *self, MprocOffset seat)
{
  MprocPoolControl *control = control_of (self);
  MprocProcess *process;

  if (!is_there (self))
    return NULL;
  process = mproc_process_ref (self->process);
  mproc_store64 (&control->called_seat, seat);
  mproc_crash_order ();
  MPROC_CRASH_POINT (SPARE_SEATED);
  mproc_store32 (&control->called, mproc_process_get_member (process));
  MPROC_CRASH_POINT (SPARE_CALLED);
  mproc_word_wake (&control->called, G_MAXINT32);
  forget (self);
  pause_for (self, PAUSE);
  return process;
}

static MprocProcess *
make_process (MprocSpare *self)
{
  char *name = g_strdup_printf ("%s-spare", self->plan->name);
  MprocProcess *process =
      mproc_process_new (spare_main, g_variant_new_uint64 ((guint64) (gsize) self));

  mproc_process_set_internal (process, TRUE);
  mproc_process_set_name (process, name);
  mproc_process_set_start_method (process, MPROC_START_METHOD_FORK);
  g_free (name);
  return process;
}

static void
start (MprocSpare *self)
{
  self->process = make_process (self);
  if (mproc_process_start (self->process, NULL))
    {
      MPROC_CRASH_POINT (SPARE_STARTED);
      mproc_store32 (&control_of (self)->spare, mproc_process_get_member (self->process));
      return;
    }
  g_clear_pointer (&self->process, mproc_process_unref);
  pause_for (self, LONG_PAUSE);
}

void
mproc_spare_tend (MprocSpare *self)
{
  if (!is_there (self) && is_wanted (self) && g_get_monotonic_time () >= self->not_before)
    start (self);
}

gint64
mproc_spare_get_next_look (const MprocSpare *self)
{
  return self->process == NULL && is_wanted (self) ? self->not_before : MPROC_OS_NEVER;
}

void
mproc_spare_list_waits (MprocSpare *self, GArray *waits)
{
  MprocOsWait wait;

  if (self->process != NULL && mproc_process_get_wait (self->process, &wait, NULL))
    g_array_append_val (waits, wait);
}

void
mproc_spare_end (MprocSpare *self)
{
  if (self->process == NULL)
    return;
  mproc_process_kill (self->process, NULL);
  mproc_process_join (self->process, MPROC_FOREVER);
  forget (self);
}
