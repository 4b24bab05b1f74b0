/* SPDX-License-Identifier: MIT */
#include "arena/yield.h"

#define CREDIT 8

/* How long a sleep may be that another one has ended who was ready already. */
#define SHORT_SLEEP 20

/* How long a turn may be: for one answer; and for more, a microsecond each. */
#define SHORT_TURN 200
#define LONG_TURN 2000

/* After so many short turns a long one is an accident.  Else there is none for 64 times as long,
 * and where one is like the other for up to 2048 times. */
#define ACCIDENT 64
#define RARELY 64
#define MOST_SETBACKS 5
#define LONGEST (10 * G_USEC_PER_SEC)

void
mproc_yield_encourage (MprocYield *self)
{
  if (mproc_has_one_processor () && mproc_load32 (&self->credit) < CREDIT)
    mproc_store32 (&self->credit, CREDIT);
}

static void
note_long_turn (MprocYield *self, gint64 end, gint64 usec)
{
  guint32 setbacks = mproc_load32 (&self->setbacks);
  guint32 short_turns = mproc_load32 (&self->short_turns);
  gint64 pause = MIN (MIN (usec, LONGEST) * RARELY << setbacks, LONGEST);

  mproc_store32 (&self->short_turns, 0);
  mproc_store32 (&self->setbacks,
                 short_turns >= ACCIDENT ? 0 : MIN (setbacks + 1, MOST_SETBACKS));
  if (short_turns < ACCIDENT)
    {
      mproc_store64 (&self->not_before, (guint64) (end + pause));
      mproc_store32 (&self->credit, 0);
    }
}

static void
note_short_turn (MprocYield *self, gboolean found)
{
  guint32 credit = mproc_load32 (&self->credit);

  if (found)
    mproc_store32 (&self->short_turns, mproc_load32 (&self->short_turns) + 1);
  if (found)
    mproc_store32 (&self->credit, CREDIT);
  else if (credit > 0)
    mproc_store32 (&self->credit, credit - 1);
}

/* Microseconds. */
static gint64
choose_patience (guint32 n_moved)
{
  return SHORT_TURN + MIN (n_moved, LONG_TURN);
}

gboolean
mproc_yield_for (MprocYield *self,
                 gboolean (*look) (gpointer),
                 gpointer data,
                 MprocAtomic32 *moved)
{
  guint32 before = mproc_load32 (moved);
  gint64 begin, end;
  gboolean found;

  if (mproc_load32 (&self->credit) == 0)
    return FALSE;
  begin = g_get_monotonic_time ();
  if (begin < (gint64) mproc_load64 (&self->not_before))
    return FALSE;
  g_thread_yield ();
  found = look (data);
  end = g_get_monotonic_time ();
  if (end - begin > choose_patience (mproc_load32 (moved) - before))
    note_long_turn (self, end, end - begin);
  else
    note_short_turn (self, found);
  return found;
}

gint64
mproc_yield_sleep_begin (void)
{
  return mproc_has_one_processor () ? g_get_monotonic_time () : 0;
}

void
mproc_yield_sleep_end (MprocYield *self, gint64 begin)
{
  if (begin != 0 && g_get_monotonic_time () - begin <= SHORT_SLEEP)
    mproc_yield_encourage (self);
}
