/* SPDX-License-Identifier: MIT */
/* The condition: waiters in a list under an internal lock, each with a word of its own.
 *
 *   wait      links its node, releases the caller's lock, sleeps on its word, takes the caller's
 *             lock again, unlinks its node
 *   notify    turns the first living WAITING node to NOTIFIED, by compare-and-swap, with the
 *             number of the last waiter there was (the limit)
 *   time up   turns WAITING to GONE, by compare-and-swap
 *   pass_on   a NOTIFIED node whose owner is dead: the first living WAITING node up to its limit
 *             gets the notify; then the dead one's is unlinked
 *
 * The locks are those of lockword.pml, in one step, and may be taken over.  Each change of the
 * list is one store, so that whoever takes the internal lock over from a dead one finds a list
 * that can be walked.  A process may be killed before each step.  A sleeper naps only where a
 * nap would find a notify of the dead, so that who is left asleep beside one is seen.
 *
 *   run: living        safe holds     -DWAITERS=2 -DNOTIFIES=2
 *   run: three         safe holds     -DWAITERS=3 -DNOTIFIES=1
 *   run: time-up       safe holds     -DWAITERS=2 -DNOTIFIES=1 -DTIMEOUTS
 *   run: deaths        safe holds     -DWAITERS=2 -DNOTIFIES=1 -DDEATHS=1
 *   run: three-deaths  safe holds     -DWAITERS=3 -DNOTIFIES=1 -DDEATHS=1
 *   run: swallowed     safe assertion -DWAITERS=2 -DNOTIFIES=1 -DDEATHS=1 -DFAULT_NOT_PASSED_ON
 *   run: to-the-dead   safe assertion -DWAITERS=3 -DNOTIFIES=1 -DDEATHS=2 -DFAULT_GONE_FIRST
 *   run: released-first safe assertion -DWAITERS=2 -DNOTIFIES=1 -DFAULT_RELEASED_FIRST
 *   run: no-limit      safe assertion -DWAITERS=3 -DNOTIFIES=1 -DDEATHS=1 -DFAULT_NO_LIMIT
 *   run: no-swap       safe assertion -DWAITERS=2 -DNOTIFIES=1 -DTIMEOUTS -DFAULT_NO_CAS
 *   run: linked-early  safe assertion -DWAITERS=2 -DNOTIFIES=1 -DDEATHS=1 -DFAULT_LINKED_EARLY
 */
#ifndef DEATHS
#define DEATHS 0
#endif
#define N (WAITERS + 1)
#define NOTIFIER WAITERS
#define HEAD WAITERS /* of the list: node WAITERS is nobody's */
#define NIL 15

mtype = { FREE, WAITING, NOTIFIED, GONE };
mtype word[WAITERS] = FREE;
byte number[WAITERS];
byte limit[WAITERS]; /* in the word, beside NOTIFIED */
byte next[WAITERS + 1] = NIL;
byte last_number;
byte lock_word;  /* the internal lock; process + 1 */
byte users_lock; /* the caller's */
bool dead[N];
byte deaths;

/* What is true, for the assertions only. */
byte asked[WAITERS]; /* notifies made while it waited, its own among them */
byte n_notified;     /* nodes turned NOTIFIED by a notify */
byte n_notifies;     /* made */
bool committed[WAITERS]; /* it has released the caller's lock: whoever notifies now means it */

#define DEAD_NOTIFIED(i) (word[i] == NOTIFIED && dead[i])
#if WAITERS > 2
#define SOME_DEAD_NOTIFIED (DEAD_NOTIFIED (0) || DEAD_NOTIFIED (1) || DEAD_NOTIFIED (2))
#else
#define SOME_DEAD_NOTIFIED (DEAD_NOTIFIED (0) || DEAD_NOTIFIED (1))
#endif

inline lock (WORD)
{
  atomic { WORD == 0 || dead[WORD - 1] -> WORD = me + 1 }
}

/* Sets before to the node that stands before NODE, or to the last one; the list has an end. */
inline find (NODE)
{
  atomic
  {
    before = HEAD;
    steps = 0;
    do
    :: next[before] != NIL && next[before] != NODE ->
       before = next[before];
       steps++;
       assert (steps <= WAITERS)
    :: else -> break
    od;
    steps = 0
  }
}

inline unlink (NODE)
{
  find (NODE);
  atomic
  {
    if
    :: next[before] == NODE -> next[before] = next[NODE]
    :: else
    fi;
    before = 0
  }
}

/* The first living one that waits, up to number MOST; woken says whether there was one.  One
 * whose time is up meanwhile is not there any more. */
inline wake_first (MOST)
{
  at = next[HEAD];
  woken = false;
  do
  :: at != NIL && !woken ->
#ifdef FAULT_NO_CAS
     if
     :: word[at] == WAITING && !dead[at] && number[at] <= MOST -> word[at] = NOTIFIED; woken = true
     :: else
     fi;
#else
     atomic
     {
       if
       :: word[at] == WAITING && !dead[at] && number[at] <= MOST ->
          word[at] = NOTIFIED;
          limit[at] = MOST;
          woken = true;
          assert (asked[at] > 0)
       :: else
       fi
     }
#endif
     at = next[at]
  :: else -> break
  od;
  at = 0
}

/* Under the internal lock. */
inline pass_on ()
{
  i = 0;
  do
  :: i < WAITERS ->
     if
     :: DEAD_NOTIFIED (i) ->
#ifdef FAULT_GONE_FIRST
        word[i] = GONE;
#endif
#ifdef FAULT_NO_LIMIT
        wake_first (255);
#else
        wake_first (limit[i]);
#endif
        word[i] = GONE;
        unlink (i)
     :: else
     fi;
     i++
  :: else -> break
  od;
  i = 0
}

proctype Waiter (byte me)
{
  byte i, at, before, steps;
  bool woken, is_up;

  {
    lock (users_lock);
#ifdef FAULT_RELEASED_FIRST
    atomic { users_lock = 0; committed[me] = true }
#endif
    lock (lock_word);
    find (NIL); /* the last one */
#ifdef FAULT_LINKED_EARLY
    atomic { next[before] = me; next[me] = me }
    before = 0;
    atomic { last_number++; number[me] = last_number; word[me] = WAITING }
    next[me] = NIL;
#else
    atomic { last_number++; number[me] = last_number; word[me] = WAITING; next[me] = NIL }
    atomic { next[before] = me; before = 0 }
#endif
    lock_word = 0;
#ifndef FAULT_RELEASED_FIRST
    atomic { users_lock = 0; committed[me] = true }
#endif
  end_asleep:
    do
    :: word[me] != WAITING -> break
#ifndef FAULT_NOT_PASSED_ON
    :: word[me] == WAITING && SOME_DEAD_NOTIFIED ->
       lock (lock_word);
       pass_on ();
       lock_word = 0
#endif
#ifdef TIMEOUTS
    :: atomic { word[me] == WAITING -> word[me] = GONE; committed[me] = false; is_up = true }
#endif
    od;
    lock (users_lock);
    lock (lock_word);
    assert (!is_up || word[me] == GONE); /* nobody's notify was spent on it */
    unlink (me);
    lock_word = 0;
    users_lock = 0
  }
  unless
  {
    dead[me]
  }
  atomic { i = 0; at = 0; before = 0; steps = 0; woken = false }
}

proctype Notifier (byte me)
{
  byte i, at, before, steps, n;
  bool woken;

  {
    do
    :: n < NOTIFIES ->
       n++;
       lock (users_lock);
       lock (lock_word);
       pass_on ();
       atomic
       {
         for (i : 0 .. WAITERS - 1) { asked[i] = asked[i] + (committed[i] -> 1 : 0) }
         i = 0;
         n_notifies++
       }
       wake_first (last_number);
       atomic { n_notified = n_notified + woken; woken = false; lock_word = 0 }
       users_lock = 0
    :: else -> break
    od
  }
  unless
  {
    dead[me]
  }
  atomic { i = 0; at = 0; before = 0; steps = 0; woken = false }
}

inline kill (p)
{
  atomic { !dead[p] && deaths < DEATHS -> dead[p] = true; deaths++ }
}

active proctype Killer ()
{
end:
  do
  :: kill (0)
  :: kill (1)
#if WAITERS > 2
  :: kill (2)
#endif
  od
}

/* When nothing moves any more: whoever sleeps still was asked for by no more notifies than have
 * woken others. */
active proctype Watcher ()
{
  byte i, n_left, n_got;

end:
  timeout;
  atomic
  {
    n_got = 0;
    for (i : 0 .. WAITERS - 1) {
      assert (!(DEAD_NOTIFIED (i) && word[(i + 1) % WAITERS] == WAITING &&
                !dead[(i + 1) % WAITERS] && committed[(i + 1) % WAITERS] &&
                number[(i + 1) % WAITERS] <= limit[i]));
      n_got = n_got + (word[i] == NOTIFIED && !dead[i] -> 1 : 0)
    }
    assert (deaths > 0 || n_got <= n_notifies);
    for (i : 0 .. WAITERS - 1) {
      assert (!(word[i] == WAITING && !dead[i] && asked[i] > n_got));
      assert (!(word[i] == FREE && !dead[i]))
    }
  }
}

init
{
  byte i;
  atomic
  {
    for (i : 0 .. WAITERS - 1) { run Waiter (i) }
    run Notifier (NOTIFIER);
    i = 0
  }
}
