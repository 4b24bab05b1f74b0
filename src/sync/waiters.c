/* SPDX-License-Identifier: MIT */
#include "sync/waiters.h"

#include "family/lockword.h"

/* WAITING   sleeps, or is about to
 * NOTIFIED  by a notifier's compare-and-swap from WAITING
 * GONE      its time was up first, by its own compare-and-swap from WAITING */
#define WAITING 0u
#define NOTIFIED 1u
#define GONE 2u

typedef struct
{
  MprocAtomic64 next;
  MprocAtomic32 state;
  MprocAtomic32 member;
  MprocAtomic64 number;
  MprocAtomic64
      limit; /* NOTIFIED: the last one who waited when the notification was given */
} Waiter;

/* Where somebody is in the list, under the guard. */
typedef struct
{
  MprocOffset before; /* 0: at the front */
  MprocOffset here;   /* 0: past the end */
} Place;

/* Words to be woken once the guard is free, so that the woken do not run into it. */
typedef struct
{
  guint n;
  MprocAtomic32 *words[16];
} Calls;

static inline Waiter *
at (MprocOffset offset)
{
  return mproc_arena_at (offset, sizeof (Waiter));
}

/* ------------------------------------------------------------------ the list */

/* One who was killed under the guard has left the links whole, since each step of a change is
 * one store; but the end may be another one than the list says. */
static void
lock (MprocWaiters *self)
{
  MprocOffset last = 0;

  if (mproc_lockword_acquire (&self->guard, MPROC_OS_NEVER) != MPROC_LOCKED_RECOVERED)
    return;
  for (MprocOffset i = mproc_load64 (&self->first); i != 0;
       i = mproc_load64 (&at (i)->next))
    last = i;
  mproc_store64 (&self->last, last);
}

static void
unlock (MprocWaiters *self)
{
  mproc_lockword_release (&self->guard);
}

static Place
front (MprocWaiters *self)
{
  return (Place){ 0, mproc_load64 (&self->first) };
}

static void
step (Place *place)
{
  place->before = place->here;
  place->here = mproc_load64 (&at (place->here)->next);
}

static void
append (MprocWaiters *self, MprocOffset waiter)
{
  MprocOffset last = mproc_load64 (&self->last);

  mproc_store64 (last != 0 ? &at (last)->next : &self->first, waiter);
  mproc_crash_order ();
  MPROC_CRASH_POINT (WAITER_LINKED);
  mproc_store64 (&self->last, waiter);
}

/* The place is then that of the next one.  Who is killed after the unlinking loses the block: that
 * is better than two who free it. */
static void
take_out (MprocWaiters *self, Place *place)
{
  MprocOffset out = place->here;
  MprocOffset next = mproc_load64 (&at (out)->next);

  mproc_store64 (place->before != 0 ? &at (place->before)->next : &self->first, next);
  mproc_crash_order ();
  MPROC_CRASH_POINT (WAITER_UNLINKED);
  if (next == 0)
    mproc_store64 (&self->last, place->before);
  mproc_crash_order ();
  MPROC_CRASH_POINT (WAITER_OUT);
  mproc_arena_free (out);
  MPROC_CRASH_POINT (WAITER_FREED);
  place->here = next;
}

MprocOffset
mproc_waiters_join (MprocWaiters *self, GError **error)
{
  MprocOffset offset = mproc_arena_alloc0 (sizeof (Waiter), error);
  gboolean guarded;
  guint64 number;

  if (offset == 0)
    return 0;
  guarded = mproc_intent_begin (offset);
  mproc_store32 (&at (offset)->member, mproc_self ());
  MPROC_CRASH_POINT (WAITER_GUARDED);
  lock (self);
  number = mproc_load64 (&self->n_ever) + 1;
  mproc_store64 (&self->n_ever, number);
  mproc_store64 (&at (offset)->number, number);
  mproc_crash_order ();
  MPROC_CRASH_POINT (WAITER_NUMBERED);
  /* The intent never names a block that others can see: killed here, it is lost. */
  if (guarded)
    mproc_intent_end (offset);
  mproc_crash_order ();
  MPROC_CRASH_POINT (WAITER_UNGUARDED);
  append (self, offset);
  MPROC_CRASH_POINT (WAITER_LISTED);
  unlock (self);
  MPROC_CRASH_POINT (WAITER_JOINED);
  return offset;
}

void
mproc_waiters_leave (MprocWaiters *self, MprocOffset waiter)
{
  Place place;

  lock (self);
  for (place = front (self); place.here != waiter; step (&place))
    ;
  take_out (self, &place);
  unlock (self);
}

void
mproc_waiters_clear (MprocWaiters *self)
{
  Place place;

  lock (self);
  for (place = front (self); place.here != 0;)
    take_out (self, &place);
  unlock (self);
}

/* ------------------------------------------------------------------ notifying */

static void
call_later (Calls *calls, MprocAtomic32 *word)
{
  if (calls->n < G_N_ELEMENTS (calls->words))
    calls->words[calls->n++] = word;
  else
    mproc_word_wake (word, 1);
}

/* A block may have been freed meanwhile, and be another waiter's: that one wakes for nothing. */
static void
call (Calls *calls)
{
  for (guint i = 0; i < calls->n; i++)
    mproc_word_wake (calls->words[i], 1);
}

/* As far as the memory knows; where it does not, the system is asked in look_for_dead.  One who is
 * leaving is not dead: a thread of it may still be asleep on its word. */
static gboolean
is_dead (Waiter *waiter)
{
  MprocMemberState state = mproc_member_get_state (mproc_load32 (&waiter->member));

  return state == MPROC_MEMBER_DEAD || state == MPROC_MEMBER_FREE;
}

static gboolean
is_waiting (Waiter *waiter)
{
  return mproc_load32 (&waiter->state) == WAITING &&
         mproc_member_is_current (mproc_load32 (&waiter->member));
}

/* The limit first: whoever sees NOTIFIED may need it. */
static gboolean
notify_one (Waiter *waiter, guint64 limit, Calls *calls)
{
  if (!is_waiting (waiter))
    return FALSE;
  mproc_store64 (&waiter->limit, limit);
  MPROC_CRASH_POINT (NOTIFY_LIMITED);
  if (!mproc_cas32 (&waiter->state, WAITING, NOTIFIED))
    return FALSE;
  MPROC_CRASH_POINT (NOTIFY_MARKED);
  call_later (calls, &waiter->state);
  return TRUE;
}

static void
pass_on (MprocWaiters *self, Waiter *dead, Calls *calls)
{
  guint64 limit = mproc_load64 (&dead->limit);

  for (Place place = front (self);
       place.here != 0 && mproc_load64 (&at (place.here)->number) <= limit; step (&place))
    if (notify_one (at (place.here), limit, calls))
      return;
}

/* Takes out one who is dead.  Killed between the two steps, its notification is passed on twice:
 * better one who wakes for nothing than one who sleeps for ever. */
static gboolean
bury (MprocWaiters *self, Place *place, Calls *calls)
{
  Waiter *waiter = at (place->here);

  if (!is_dead (waiter))
    return FALSE;
  if (mproc_load32 (&waiter->state) == NOTIFIED)
    pass_on (self, waiter, calls);
  mproc_crash_order ();
  MPROC_CRASH_POINT (NOTIFY_PASSED_ON);
  take_out (self, place);
  return TRUE;
}

void
mproc_waiters_notify (MprocWaiters *self, guint n)
{
  Calls calls = { 0 };
  guint64 limit;
  Place place;

  lock (self);
  limit = mproc_load64 (&self->n_ever);
  for (place = front (self); place.here != 0 && n > 0;)
    if (!bury (self, &place, &calls))
      {
        if (notify_one (at (place.here), limit, &calls))
          n--;
        step (&place);
      }
  MPROC_CRASH_POINT (NOTIFY_DONE);
  unlock (self);
  MPROC_CRASH_POINT (NOTIFY_RELEASED);
  call (&calls);
}

/* ------------------------------------------------------------------ the dead */

/* Everyone before the first who waits has been notified or is gone, and nobody behind has been
 * notified: notifications are given from the front, and so are they passed on. */
static void
bury_all (MprocWaiters *self)
{
  Calls calls = { 0 };
  Place place;

  lock (self);
  for (place = front (self); place.here != 0 && !is_waiting (at (place.here));)
    if (!bury (self, &place, &calls))
      step (&place);
  unlock (self);
  call (&calls);
}

/* The first one behind @number who was notified and has not left yet. */
static gboolean
find_notified (MprocWaiters *self, guint64 *number, MprocMember *member)
{
  gboolean found = FALSE;
  Place place;

  lock (self);
  for (place = front (self); place.here != 0 && !is_waiting (at (place.here)) && !found;
       step (&place))
    {
      Waiter *waiter = at (place.here);

      if (mproc_load32 (&waiter->state) == NOTIFIED &&
          mproc_load64 (&waiter->number) > *number)
        {
          *number = mproc_load64 (&waiter->number);
          *member = mproc_load32 (&waiter->member);
          found = TRUE;
        }
    }
  unlock (self);
  return found;
}

/* Not under the guard: to ask the system for a life takes its time, and may lead to all that a
 * death brings with it.  A notification that is passed on goes to somebody behind, who is looked
 * at next. */
static void
look_for_dead (MprocWaiters *self)
{
  guint64 number = 0;
  MprocMember member = 0;

  while (find_notified (self, &number, &member))
    if (mproc_member_is_dead (member))
      bury_all (self);
}

gboolean
mproc_waiters_sleep (MprocWaiters *self, MprocOffset waiter, gint64 deadline)
{
  MprocAtomic32 *state = &at (waiter)->state;

  while (mproc_load32 (state) == WAITING)
    {
      if (g_get_monotonic_time () >= deadline)
        {
          /* One who never waits as long as a nap must not miss what a dead one was given. */
          look_for_dead (self);
          return !mproc_cas32 (state, WAITING, GONE);
        }
      mproc_word_wait (state, WAITING, deadline);
      MPROC_CRASH_POINT (WAITER_WOKEN);
      if (mproc_load32 (state) == WAITING && mproc_watch_is_due (&self->watch))
        look_for_dead (self);
    }
  return TRUE;
}
