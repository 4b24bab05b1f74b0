/* SPDX-License-Identifier: MIT */
/* What both sides of a queue do: wait for the lock, look for a while before they sleep, sleep,
 * and let those go first who have had too little luck.
 *
 * Locks go to whoever comes first, which is fast, and now and then unjust: one that runs
 * on its processor can take the lock again before another has even woken.  Who has waited
 * for long writes the name of its thread into the notice of that side.  Everybody else
 * who finds it there, with the lock in hand, gives the lock back and stays away until the
 * name is gone, for a moment at most: then it takes the name away itself, since its
 * owner may be dead or stopped.  So nobody can be passed over for long, and nobody waits
 * long for one that does not come. */
#include "queue/queuedata.h"

/* Bad luck is to wait for longer than that, for the lock or asleep, while others were served so
 * often, and each member of the family more than once: where thousands wait, many are served before it
 * is anybody's turn, and would else do nothing but give way to one another. */
#define PATIENCE 2000
#define PASSED_OVER 500
#define TURNS 4

/* The lock is held for instants: to wait that long for it is bad luck whoever was served. */
#define LOCK_PATIENCE 100000

/* How long others stay away: long enough to be woken and to come to a processor. */
#define MOMENT 10000

/* ------------------------------------------------------------------ names */

/* The calling thread's, even, never 0.  Two threads that have the same by accident do not
 * give way to each other, that is all. */
static guint32
name_of_thread (void)
{
  static gint last;
  static _Thread_local guint32 number;
  guint32 name;

  if (number == 0)
    number = (guint32) g_atomic_int_add (&last, 1) + 1;
  name = (mproc_self () + number * 0x9e3779b2u) & ~MPROC_NOTICE;
  return name != 0 ? name : 2;
}

static MprocAtomic32 *
notice_of (MprocQueue *self, const MprocAtomic32 *lock)
{
  MprocChain *chain = &self->body->chain;

  return lock == &chain->producer.lock ? &chain->producer.notice
                                       : &chain->consumer.notice;
}

/* Raised by every success of anybody on that side. */
static MprocAtomic32 *
moved_of (MprocQueue *self, const MprocAtomic32 *lock)
{
  MprocChain *chain = &self->body->chain;

  return lock == &chain->producer.lock ? &chain->producer.put : &chain->consumer.taken;
}

static MprocSleepers *
sleepers_of (MprocQueue *self, const MprocAtomic32 *lock)
{
  return lock == &self->body->chain.producer.lock ? &self->body->putters
                                                  : &self->body->getters;
}

static gboolean
was_passed_over (MprocAtomic32 *moved, guint32 from)
{
  return mproc_load32 (moved) - from >= MAX (PASSED_OVER, TURNS * mproc_slot_count ());
}

/* FALSE: somebody else complains already. */
static gboolean
complain (MprocAtomic32 *notice)
{
  guint32 word = mproc_load32 (notice);

  return (word & ~MPROC_NOTICE) == 0 &&
         mproc_cas32 (notice, word, name_of_thread () | word);
}

static void
take_away (MprocAtomic32 *notice, guint32 name)
{
  guint32 word = mproc_load32 (notice);

  while ((word & ~MPROC_NOTICE) == name)
    {
      if (mproc_cas32 (notice, word, word & MPROC_NOTICE))
        {
          mproc_word_wake (notice, G_MAXINT32);
          return;
        }
      word = mproc_load32 (notice);
    }
}

gboolean
mproc_queue_give_way (MprocQueue *self, MprocAtomic32 *lock, gint64 deadline)
{
  MprocAtomic32 *notice = notice_of (self, lock);
  guint32 word = mproc_load32 (notice);
  guint32 name = word & ~MPROC_NOTICE;
  gint64 until = g_get_monotonic_time () + MOMENT;

  if (name == 0 || name == name_of_thread ())
    return TRUE;
  mproc_lockword_release (lock);
  /* It may be asleep, and not the one that has just been woken. */
  mproc_sleepers_wake (sleepers_of (self, lock), G_MAXINT32);
  while (mproc_load32 (notice) == word && g_get_monotonic_time () < until)
    mproc_word_wait (notice, word, until);
  take_away (notice, name);
  return mproc_queue_lock (self, lock, deadline);
}

/* ------------------------------------------------------------------ the lock */

/* At a queue's end all who wait for it come at the same time, hundreds maybe, and none of them takes
 * anything from another. */
static gboolean
has_bad_luck (MprocQueue *self, MprocAtomic32 *moved, guint32 from, gint64 begin)
{
  return !mproc_load32 (&self->body->chain.producer.ended) &&
         (was_passed_over (moved, from) ||
          g_get_monotonic_time () - begin >= LOCK_PATIENCE);
}

/* After the first look back there is one for each nap only, and the owner's life is asked for only
 * where the word does not change meanwhile: thousands may be waiting. */
static MprocLocked
acquire (MprocQueue *self, MprocAtomic32 *lock, gint64 deadline)
{
  MprocAtomic32 *notice = notice_of (self, lock);
  MprocAtomic32 *moved = moved_of (self, lock);
  guint32 from = mproc_load32 (moved);
  gint64 begin = g_get_monotonic_time ();
  gint64 soon = begin + PATIENCE;
  gboolean complained = FALSE;
  MprocLocked locked = MPROC_LOCKED_NOT;

  for (; locked == MPROC_LOCKED_NOT && soon < deadline; soon += MPROC_NAP)
    {
      locked = mproc_lockword_acquire_soon (lock, soon);
      if (locked == MPROC_LOCKED_NOT && has_bad_luck (self, moved, from, begin))
        complained |= complain (notice);
    }
  if (locked == MPROC_LOCKED_NOT)
    locked = mproc_lockword_acquire_slowly (lock, deadline);
  if (complained)
    take_away (notice, name_of_thread ());
  return locked;
}

gboolean
mproc_queue_lock_slowly (MprocQueue *self, MprocAtomic32 *lock, gint64 deadline)
{
  MprocChain *chain = &self->body->chain;
  MprocLocked locked;

  if (deadline != MPROC_OS_NEVER)
    deadline = MAX (deadline, g_get_monotonic_time () + MPROC_QUEUE_GRACE);
  locked = acquire (self, lock, deadline);
  if (locked == MPROC_LOCKED_RECOVERED && lock == &chain->producer.lock)
    mproc_chain_recover_producer (chain, &self->put.view);
  else if (locked == MPROC_LOCKED_RECOVERED)
    mproc_chain_recover_consumer (chain, &self->get.view);
  return locked != MPROC_LOCKED_NOT;
}

/* ------------------------------------------------------------------ patience */

void
mproc_patience_begin (MprocPatience *patience, MprocQueue *self, gboolean to_put)
{
  MprocChain *chain = &self->body->chain;

  patience->lock = to_put ? &chain->producer.lock : &chain->consumer.lock;
  patience->moved = moved_of (self, patience->lock);
  patience->from = mproc_load32 (patience->moved);
  patience->holder = 0;
  patience->begin = g_get_monotonic_time ();
  patience->complained = FALSE;
}

void
mproc_patience_look (MprocPatience *patience, MprocQueue *self)
{
  if (was_passed_over (patience->moved, patience->from) &&
      g_get_monotonic_time () - patience->begin >= PATIENCE)
    patience->complained |= complain (notice_of (self, patience->lock));
}

void
mproc_patience_end (MprocPatience *patience, MprocQueue *self)
{
  if (patience->complained)
    take_away (notice_of (self, patience->lock), name_of_thread ());
}

gboolean
mproc_patience_insists (MprocPatience *patience)
{
  guint32 before = patience->holder;

  patience->holder = mproc_load32 (patience->lock) & ~1u;
  return patience->complained || (patience->holder != 0 && patience->holder == before);
}

/* ------------------------------------------------------------------ looking */

gboolean
mproc_queue_spin (MprocSpin *spin,
                  MprocAtomic32 *lock,
                  gboolean (*look) (gpointer),
                  gpointer data)
{
  gint looks = mproc_spin_budget (spin);
  gint pause = 2;

  /* First an answer is looked for, which comes as fast as the other side can give it; then
   * the looks get rarer, so that more than one item can come meanwhile. */
  for (gint done = 0; done < looks; done += pause)
    {
      if (done >= 100)
        pause = MIN (pause * 2, 64);
      for (gint i = 0; i < pause; i++)
        mproc_os_relax ();
      if (look (data))
        {
          mproc_spin_result (spin, TRUE);
          return TRUE;
        }
      if (atomic_load_explicit (lock, memory_order_relaxed) & 1)
        return FALSE;
    }
  if (looks > 0)
    mproc_spin_result (spin, FALSE);
  return FALSE;
}

/* ------------------------------------------------------------------ sleeping */

/* Of thousands who sleep at an empty queue it is enough that one looks, about thirty times in a second,
 * whether the one that was to be woken has been killed: each sleeps the longer, the more of them
 * have looked while it slept. */
#define LOOKS_PER_NAP 3
#define LONGEST_NAP (10 * (gint64) MPROC_NAP)

static void
choose_nap (MprocQueueBody *body, MprocSleep *sleep)
{
  guint32 n = mproc_add32 (&body->looks, 1) + 1;
  gint64 nap = (gint64) (n - sleep->looks) * (MPROC_NAP / LOOKS_PER_NAP);

  sleep->looks = n;
  sleep->nap = CLAMP (nap, MPROC_NAP, LONGEST_NAP);
}

static gboolean
sleep_to_get (MprocQueueBody *body,
              MprocSleep *sleep,
              gboolean (*look) (gpointer),
              gpointer data,
              gint64 deadline)
{
  gint64 begin = g_get_monotonic_time ();

  if (sleep->nap == 0)
    {
      sleep->looks = mproc_load32 (&body->looks);
      sleep->nap = MPROC_NAP;
    }
  if (!mproc_sleepers_wait (&body->getters, sleep, look, data, deadline))
    return FALSE;
  if (g_get_monotonic_time () - begin >= sleep->nap)
    choose_nap (body, sleep);
  return TRUE;
}

gboolean
mproc_queue_sleep (MprocQueue *self,
                   gboolean to_put,
                   MprocSleep *sleep,
                   gboolean (*look) (gpointer),
                   gpointer data,
                   gint64 deadline)
{
  MprocQueueBody *body = self->body;
  MprocAtomic32 *moved = to_put ? &body->chain.consumer.taken : &body->chain.producer.put;
  MprocYield *yield = to_put ? &self->put.yield : &self->get.yield;
  gint64 begin;
  gboolean slept;

  if (deadline != 0 && !sleep->announced && mproc_yield_for (yield, look, data, moved))
    return TRUE;
  begin = mproc_yield_sleep_begin ();
  slept = to_put ? mproc_sleepers_wait (&body->putters, sleep, look, data, deadline)
                 : sleep_to_get (body, sleep, look, data, deadline);
  mproc_yield_sleep_end (yield, begin);
  return slept;
}
