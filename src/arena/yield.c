/* SPDX-License-Identifier: MIT */
#include "arena/yield.h"

#define CREDIT 8

/* How long a sleep may be that another one has ended who was ready already. */
#define SHORT_SLEEP 20

/* How long a turn may be: for one answer; and for more, a microsecond each. */
#define SHORT_TURN 200
#define LONG_TURN 2000

/* One turn that took too long may be an accident, and there is none for 16 times as long; where
 * one is like the other, for up to 2048 times. */
#define RARELY 16
#define MOST_SETBACKS 7
#define FORGET (10 * G_USEC_PER_SEC)

void
mproc_yield_encourage (MprocYield *self)
{
  if (mproc_load32 (&self->credit) < CREDIT)
    mproc_store32 (&self->credit, CREDIT);
}

static void
set_back (MprocYield *self, gint64 begin, gint64 end)
{
  guint32 setbacks = mproc_load32 (&self->setbacks);

  if (begin - (gint64) mproc_load64 (&self->not_before) > FORGET)
    setbacks = 0;
  mproc_store64 (&self->not_before,
                 (guint64) (end + (MIN (end - begin, FORGET) * RARELY << setbacks)));
  mproc_store32 (&self->setbacks, MIN (setbacks + 1, MOST_SETBACKS));
  mproc_store32 (&self->credit, 0);
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
  guint32 credit = mproc_load32 (&self->credit);
  guint32 before = mproc_load32 (moved);
  gint64 begin, end;
  gboolean found;

  if (credit == 0 || !mproc_has_one_processor ())
    return FALSE;
  begin = g_get_monotonic_time ();
  if (begin < (gint64) mproc_load64 (&self->not_before))
    return FALSE;
  g_thread_yield ();
  found = look (data);
  end = g_get_monotonic_time ();
  if (end - begin > choose_patience (mproc_load32 (moved) - before))
    set_back (self, begin, end);
  else
    mproc_store32 (&self->credit, found ? CREDIT : credit - 1);
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
