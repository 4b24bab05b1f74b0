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

/* Waiting for longer than that for a lock, which is held for instants, is bad luck. */
#define LOCK_PATIENCE 2000

/* As is being asleep for longer than that while others were served so often. */
#define SLEEP_PATIENCE 2000
#define PASSED_OVER 500

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

static MprocSleepers *
sleepers_of (MprocQueue *self, const MprocAtomic32 *lock)
{
  return lock == &self->body->chain.producer.lock ? &self->body->putters
                                                  : &self->body->getters;
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

static MprocLocked
acquire (MprocQueue *self, MprocAtomic32 *lock, gint64 deadline)
{
  MprocAtomic32 *notice = notice_of (self, lock);
  gboolean complained = FALSE;
  MprocLocked locked;

  do
    {
      gint64 soon = g_get_monotonic_time () + LOCK_PATIENCE;

      locked = mproc_lockword_acquire_slowly (lock, MIN (deadline, soon));
      if (locked != MPROC_LOCKED_NOT || soon > deadline)
        break;
      /* At a queue's end all who wait for it come at the same time, hundreds maybe, and none of
       * them takes anything from another. */
      if (!mproc_load32 (&self->body->chain.producer.ended))
        complained |= complain (notice);
    }
  while (TRUE);
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
  patience->moved = to_put ? &chain->producer.put : &chain->consumer.taken;
  patience->from = mproc_load32 (patience->moved);
  patience->holder = 0;
  patience->begin = g_get_monotonic_time ();
  patience->complained = FALSE;
}

void
mproc_patience_look (MprocPatience *patience, MprocQueue *self)
{
  if (mproc_load32 (patience->moved) - patience->from >= PASSED_OVER &&
      g_get_monotonic_time () - patience->begin >= SLEEP_PATIENCE)
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

gboolean
mproc_queue_sleep (MprocQueue *self,
                   gboolean to_put,
                   MprocSleep *sleep,
                   gboolean (*look) (gpointer),
                   gpointer data,
                   gint64 deadline)
{
  MprocChain *chain = &self->body->chain;
  MprocSleepers *sleepers = to_put ? &self->body->putters : &self->body->getters;
  MprocAtomic32 *moved = to_put ? &chain->consumer.taken : &chain->producer.put;
  MprocYield *yield = to_put ? &self->put.yield : &self->get.yield;
  gint64 begin;
  gboolean slept;

  if (deadline != 0 && !sleep->announced && mproc_yield_for (yield, look, data, moved))
    return TRUE;
  begin = mproc_yield_sleep_begin ();
  slept = mproc_sleepers_wait (sleepers, sleep, look, data, deadline);
  mproc_yield_sleep_end (yield, begin);
  return slept;
}
