/* SPDX-License-Identifier: MIT */
/* The waiters of a condition: src/sync/waiters.h, src/sync/waiters.c, with wait_until of src/sync/condition.c.
 *
 *   lock, append, take_out, join, leave, sleep, notify_one, notify, pass_on, bury, bury_all,
 *   find_notified, look_for_dead      as there
 *
 * Each store of a word that others read is a step, and so is a walk along the list, which only
 * reads, under the guard.  A process may be killed before each step, also asleep.  The guard and
 * the caller's lock are those of lockword.pml, in one step, and may be taken over.  Memory may know
 * of a death at once, or not before somebody asks the system for it.  A block is not used again
 * here: whoever meets one that has been freed fails.  The waiters are alike, so that it is the
 * first or the notifier who dies.
 *
 * Who sleeps is woken by the change of its word.  A sleeper naps only where a nap would find a
 * notification of the dead, so that who is left asleep beside one is seen.
 * TIMEOUTS: the time of a waiter may be up at any look.
 *
 *   run: living        safe holds     -DWAITERS=2 -DNOTIFIES=2
 *   run: three         safe holds     -DWAITERS=3 -DNOTIFIES=1
 *   run: time-up       safe holds     -DWAITERS=2 -DNOTIFIES=1 -DTIMEOUTS
 *   run: deaths        safe holds     -DWAITERS=2 -DNOTIFIES=1 -DDEATHS=1
 *   run: late-deaths   safe holds     -DWAITERS=2 -DNOTIFIES=1 -DDEATHS=1 -DTIMEOUTS
 *   run: three-deaths  safe holds     -DWAITERS=3 -DNOTIFIES=1 -DDEATHS=1
 *   run: swallowed     safe assertion -DWAITERS=2 -DNOTIFIES=1 -DDEATHS=1 -DFAULT_NOT_PASSED_ON
 *   run: unasked       safe assertion -DWAITERS=2 -DNOTIFIES=1 -DDEATHS=1 -DFAULT_UNASKED
 *   run: missed        safe assertion -DWAITERS=2 -DNOTIFIES=1 -DDEATHS=1 -DTIMEOUTS -DFAULT_MISSED
 *   run: released-first safe assertion -DWAITERS=2 -DNOTIFIES=1 -DFAULT_RELEASED_FIRST
 *   run: no-limit      safe assertion -DWAITERS=3 -DNOTIFIES=1 -DDEATHS=1 -DFAULT_NO_LIMIT
 *   run: limit-late    safe assertion -DWAITERS=2 -DNOTIFIES=1 -DDEATHS=2 -DFAULT_LIMIT_LATE
 *   run: no-swap       safe assertion -DWAITERS=2 -DNOTIFIES=1 -DTIMEOUTS -DFAULT_NO_CAS
 *   run: last-kept     safe assertion -DWAITERS=2 -DNOTIFIES=1 -DDEATHS=1 -DFAULT_LAST_KEPT
 *   run: out-first     safe assertion -DWAITERS=2 -DNOTIFIES=1 -DDEATHS=1 -DFAULT_OUT_FIRST
 */
#ifndef DEATHS
#define DEATHS 0
#endif
#define N (WAITERS + 1)
#define NOTIFIER WAITERS
#define FRONT WAITERS /* in next: the list's first; as a place before: none */
#define NIL 7

mtype = { WAITING, NOTIFIED, GONE };
mtype state[WAITERS] = WAITING;
byte number[WAITERS];
byte limit[WAITERS];
byte next[WAITERS + 1] = NIL;
byte last = NIL;
byte n_ever;
byte guard;      /* process + 1 */
byte users_lock; /* the same */
bool freed[WAITERS];

#define ALIVE 0
#define DEAD_UNNOTED 1 /* until somebody asks */
#define DEAD_KNOWN 2
byte life[N];
byte deaths;

#define IS_DEAD(i) (life[i] != ALIVE)
#define IS_KNOWN_DEAD(i) (life[i] == DEAD_KNOWN)
#define IS_WAITING(i) (state[i] == WAITING && !IS_KNOWN_DEAD (i))

/* What is true, for the assertions only. */
byte asked[WAITERS];     /* notifications begun while it waited */
byte given[WAITERS];     /* those that somebody was given by a notifier */
bool committed[WAITERS]; /* it has released the caller's lock: whoever notifies now means it */
bool listed[WAITERS];
bool received[WAITERS];  /* it has left the list itself */
bool is_up[WAITERS]; /* it was told that its time was up first */

#define DEAD_NOTIFIED(i) (listed[i] && state[i] == NOTIFIED && IS_DEAD (i))
#if WAITERS > 2
#define ONE_DEAD_NOTIFIED (DEAD_NOTIFIED (0) || DEAD_NOTIFIED (1) || DEAD_NOTIFIED (2))
#else
#define ONE_DEAD_NOTIFIED (DEAD_NOTIFIED (0) || DEAD_NOTIFIED (1))
#endif

/* ------------------------------------------------------------------ the list */

inline take (WORD)
{
  atomic
  {
    WORD == 0 || IS_DEAD (WORD - 1);
    recovered = (WORD != 0);
    WORD = me + 1
  }
}

inline lock ()
{
  take (guard);
#ifndef FAULT_LAST_KEPT
  atomic
  {
    if
    :: recovered ->
       last = NIL;
       here = next[FRONT];
       do
       :: here != NIL -> assert (!freed[here]); last = here; here = next[here]
       :: else -> break
       od;
       here = 0
    :: else
    fi;
    recovered = false
  }
#else
  recovered = false
#endif
}

inline front ()
{
  before = FRONT;
  here = next[FRONT]
}

inline step ()
{
  before = here;
  here = next[here]
}

inline take_out ()
{
#ifdef FAULT_OUT_FIRST
  freed[here] = true;
#endif
  atomic
  {
    next[before] = next[here];
    listed[here] = false;
    received[here] = (here == me)
  }
  atomic
  {
    if
    :: next[here] == NIL -> last = (before == FRONT -> NIL : before)
    :: else
    fi
  }
  atomic { freed[here] = true; here = next[here] }
}

/* ------------------------------------------------------------------ notifying */

inline note_given (BY_NOTIFIER)
{
  given[0] = given[0] + (BY_NOTIFIER && committed[0] -> 1 : 0);
  given[1] = given[1] + (BY_NOTIFIER && committed[1] -> 1 : 0);
#if WAITERS > 2
  given[2] = given[2] + (BY_NOTIFIER && committed[2] -> 1 : 0)
#endif
}

/* done says whether it has been. */
inline notify_one (i, LIMIT, BY_NOTIFIER)
{
  if
  :: IS_WAITING (i) ->
#ifndef FAULT_LIMIT_LATE
     limit[i] = LIMIT;
#endif
#ifdef FAULT_NO_CAS
     done = true;
     state[i] = NOTIFIED
#else
     atomic
     {
       if
       :: state[i] == WAITING ->
          state[i] = NOTIFIED;
          done = true;
          assert (asked[i] > 0 || IS_DEAD (i));
          note_given (BY_NOTIFIER)
       :: else
       fi
     }
#endif
#ifdef FAULT_LIMIT_LATE
     ;
     limit[i] = LIMIT
#endif
  :: else
  fi
}

/* Of here. */
inline pass_on ()
{
#ifdef FAULT_NO_LIMIT
  most = 255;
#else
  most = limit[here];
#endif
  other = next[FRONT];
  do
  :: !done && other != NIL && number[other] <= most ->
     assert (!freed[other]);
     notify_one (other, most, 0);
     other = next[other]
  :: else -> break
  od;
  atomic { done = false; other = 0; most = 0 }
}

/* Of here, if known to be dead. */
inline bury ()
{
  assert (!freed[here]);
#ifndef FAULT_NOT_PASSED_ON
  if
  :: state[here] == NOTIFIED -> pass_on ()
  :: else
  fi;
#endif
  take_out ()
}

inline bury_all ()
{
  lock ();
  front ();
  do
  :: here != NIL && !IS_WAITING (here) ->
     if
     :: IS_KNOWN_DEAD (here) -> bury ()
     :: else -> step ()
     fi
  :: else -> break
  od;
  atomic { guard = 0; here = 0; before = 0 }
}

/* The first one behind behind_number, which becomes its; found is NIL if there is none. */
inline find_notified ()
{
  lock ();
  atomic
  {
    found = NIL;
    front ();
    do
    :: here != NIL && IS_WAITING (here) -> break
    :: here != NIL && !IS_WAITING (here) ->
       assert (!freed[here]);
       if
       :: state[here] == NOTIFIED && number[here] > behind ->
          behind = number[here];
          found = here;
          break
       :: else -> step ()
       fi
    :: here == NIL -> break
    od;
    here = 0;
    before = 0
  }
  guard = 0
}

inline look_for_dead ()
{
  do
  :: find_notified ();
     if
     :: found == NIL -> break
     :: found != NIL && IS_DEAD (found) -> atomic { life[found] = DEAD_KNOWN; found = 0 } bury_all ()
     :: found != NIL && !IS_DEAD (found) -> found = 0
     fi
  od;
  atomic { behind = 0; found = 0 }
}

/* ------------------------------------------------------------------ waiting */

proctype Waiter (byte me)
{
  byte here, before, other, most, found, behind;
  bool recovered, done, due;

  {
    take (users_lock);
    recovered = false;
#ifdef FAULT_RELEASED_FIRST
    atomic { users_lock = 0; committed[me] = true }
#endif
    lock ();
    n_ever = n_ever + 1;
    number[me] = n_ever;
    atomic
    {
      assert (last == NIL || listed[last]);
      next[(last == NIL -> FRONT : last)] = me;
      listed[me] = true
    }
    last = me;
    guard = 0;
#ifndef FAULT_RELEASED_FIRST
    atomic { users_lock = 0; committed[me] = true }
#endif
  end_asleep:
    do
    :: state[me] != WAITING -> break
#ifndef FAULT_UNASKED
    :: state[me] == WAITING && ONE_DEAD_NOTIFIED -> look_for_dead ()
#endif
#ifdef TIMEOUTS
    :: atomic
       {
         state[me] == WAITING ->
#if WAITERS == 2
         due = (DEAD_NOTIFIED (1 - me) && number[me] <= limit[1 - me])
#endif
       }
#ifndef FAULT_MISSED
       if
       :: deaths > 0 -> look_for_dead ()
       :: else
       fi;
#endif
       atomic
       {
         if
         :: state[me] == WAITING ->
            state[me] = GONE;
            is_up[me] = true;
            committed[me] = false;
            assert (!due) /* a notification that it could have had */
         :: else
         fi;
         due = false;
         break
       }
#endif
    od;
    take (users_lock);
    recovered = false;
    lock ();
    assert (!is_up[me] || state[me] == GONE); /* no notification was spent on it */
    front ();
    do
    :: here != me -> assert (here != NIL && !freed[here]); step ()
    :: else -> break
    od;
    take_out ();
    atomic { guard = 0; here = 0; before = 0 }
    users_lock = 0
  }
  unless
  {
    IS_DEAD (me)
  }
  atomic
  {
    here = 0; before = 0; other = 0; most = 0; found = 0; behind = 0;
    recovered = false; done = false; due = false
  }
}

proctype Notifier (byte me)
{
  byte here, before, other, most, up_to, n, i;
  bool recovered, done;

  {
    do
    :: n < NOTIFIES ->
       n++;
       take (users_lock);
       recovered = false;
       lock ();
       atomic
       {
         for (i : 0 .. WAITERS - 1) { asked[i] = asked[i] + (committed[i] -> 1 : 0) }
         i = 0
       }
       up_to = n_ever;
       front ();
       do
       :: here != NIL && !done ->
          assert (!freed[here]);
          if
          :: IS_KNOWN_DEAD (here) -> bury ()
          :: else -> notify_one (here, up_to, 1); step ()
          fi
       :: else -> break
       od;
       atomic { guard = 0; done = false; here = 0; before = 0; up_to = 0 }
       users_lock = 0
    :: else -> break
    od
  }
  unless
  {
    IS_DEAD (me)
  }
  atomic
  {
    here = 0; before = 0; other = 0; most = 0; up_to = 0; i = 0;
    recovered = false; done = false
  }
}

#if DEATHS > 0
inline kill (p)
{
  atomic
  {
    life[p] == ALIVE && deaths < DEATHS ->
    deaths++;
    if
    :: life[p] = DEAD_UNNOTED
    :: life[p] = DEAD_KNOWN
    fi
  }
}

active proctype Killer ()
{
end:
  do
  :: kill (0)
  :: kill (NOTIFIER)
  od
}
#endif

/* When nothing moves any more: for each notification that was given while one waited who sleeps
 * still, there is one who got it. */
active proctype Watcher ()
{
  byte i, n_got;

end:
  timeout;
  atomic
  {
    for (i : 0 .. WAITERS - 1) {
      n_got = n_got + (state[i] == NOTIFIED && (!IS_DEAD (i) || received[i]) -> 1 : 0)
    }
    assert (deaths > 0 || n_got <= NOTIFIES);
    for (i : 0 .. WAITERS - 1) {
      if
      :: state[i] == WAITING && !IS_DEAD (i) ->
         assert (listed[i]);
         assert (given[i] <= n_got);
         assert (IS_DEAD (NOTIFIER) || asked[i] <= n_got)
      :: else
      fi
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
