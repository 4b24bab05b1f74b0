/* SPDX-License-Identifier: MIT */
/* The parking array: src/arena/parking.c.
 *
 *   lease_entry, drain, parking_wait, parking_wake, give_back, sweep      as there
 *
 * Each load and each store of a shared word is a step; a process may be killed before each.  The
 * word that is waited for is a number of units: a waiter sleeps while there are none, a waker adds
 * one and wakes one.
 *
 * TIMEOUTS: the time of the first waiter may be up in any sleep; it looks once more and leaves.
 * NAPS: every sleep may end by itself.  Without both nobody may be left asleep beside a unit.
 *
 *   run: wakes         safe holds     -DWAITERS=2 -DWAKERS=1 -DOPS=2 -DUNITS=1
 *   run: again         safe holds     -DWAITERS=1 -DWAKERS=2 -DOPS=1 -DUNITS=2
 *   run: time-up       safe holds     -DWAITERS=2 -DWAKERS=1 -DOPS=2 -DUNITS=1 -DTIMEOUTS
 *   run: time-up-twice safe holds     -DWAITERS=1 -DWAKERS=2 -DOPS=2 -DNAPS
 *   run: deaths        safe holds     -DWAITERS=2 -DWAKERS=1 -DOPS=1 -DNAPS -DDEATHS=1
 *   run: one-entry     safe holds     -DWAITERS=2 -DWAKERS=1 -DOPS=1 -DNAPS -DDEATHS=1 -DENTRIES=1
 *   run: no-look       safe deadlock  -DWAITERS=1 -DWAKERS=1 -DOPS=1 -DFAULT_NO_LOOK
 *   run: look-first    safe deadlock  -DWAITERS=1 -DWAKERS=1 -DOPS=1 -DFAULT_LOOK_FIRST
 *   run: no-swap       safe deadlock  -DWAITERS=2 -DWAKERS=2 -DOPS=1 -DFAULT_NO_CAS
 *   run: change-late   safe deadlock  -DWAITERS=1 -DWAKERS=1 -DOPS=1 -DFAULT_CHANGE_LATE
 *   run: left-there    safe deadlock  -DWAITERS=2 -DWAKERS=1 -DOPS=2 -DUNITS=1 -DTIMEOUTS -DFAULT_LEFT_THERE
 *   run: leased-twice  safe assertion -DWAITERS=2 -DWAKERS=1 -DOPS=2 -DUNITS=1 -DFAULT_LEASED_TWICE
 *   run: not-eaten     safe assertion -DWAITERS=1 -DWAKERS=1 -DOPS=3 -DNAPS -DFAULT_NOT_EATEN
 */
#ifndef DEATHS
#define DEATHS 0
#endif
#ifndef ENTRIES
#define ENTRIES WAITERS
#endif
#ifndef UNITS
#define UNITS OPS /* that each waiter takes */
#endif
#define N (WAITERS + WAKERS)
#define NONE 9

byte units; /* the word */
byte n_leased;
byte holder[ENTRIES]; /* process + 1 */
bool waits[ENTRIES];  /* waits_for */
byte tokens[ENTRIES]; /* the semaphore */
bool dead[N];
byte deaths;

/* An entry never has more tokens than one for its waiter, and those that wakers who were late for
 * an earlier wait have posted after it was drained: one each. */
inline post (e)
{
  atomic { tokens[e]++; assert (tokens[e] <= WAKERS + 1) }
}

/* ------------------------------------------------------------------ waiter */

inline drain ()
{
  atomic { assert (holder[entry] == me + 1); tokens[entry] = 0 }
}

/* Sets entry; NONE if all are taken. */
inline lease_entry ()
{
  i = 0;
  do
  :: i < ENTRIES ->
#ifdef FAULT_LEASED_TWICE
     if
     :: holder[i] == 0 -> holder[i] = me + 1; entry = i
     :: else
     fi;
#else
     atomic
     {
       if
       :: holder[i] == 0 -> holder[i] = me + 1; entry = i
       :: else
       fi
     }
#endif
     if
     :: entry != NONE ->
        atomic
        {
          if
          :: n_leased <= entry -> n_leased = entry + 1
          :: else
          fi
        }
        waits[entry] = false;
        drain ();
        break
     :: else -> i++
     fi
  :: else -> break
  od;
  i = 0
}

/* ok: a token was taken, and not only a while. */
inline sem_wait ()
{
  if
  :: atomic { tokens[entry] > 0 -> tokens[entry]--; ok = true }
#ifdef NAPS
  :: atomic { tokens[entry] == 0 -> ok = false }
#elif defined(TIMEOUTS)
  :: atomic { me == 0 && tokens[entry] == 0 -> ok = false; up = true }
#endif
  fi
}

inline parking_wait ()
{
  if
  :: entry == NONE -> lease_entry ()
  :: else
  fi;
  if
  :: entry == NONE /* a short nap */
  :: else ->
     if
     :: token_may_come -> drain (); token_may_come = false
     :: else
     fi;
     ok = false;
#ifdef FAULT_LOOK_FIRST
     same = (units == 0);
     waits[entry] = true;
#elif defined(FAULT_NO_LOOK)
     waits[entry] = true;
     same = true;
#else
     waits[entry] = true;
     same = (units == 0);
#endif
     if
     :: same -> sem_wait ()
     :: else
     fi;
     if
     :: ok ->
        if
        :: waits[entry] -> waits[entry] = false
        :: else
        fi
     :: else ->
#ifndef FAULT_LEFT_THERE
        atomic { taken_out = !waits[entry]; waits[entry] = false }
        if
        :: taken_out ->
#ifdef FAULT_NOT_EATEN
           skip
#else
           /* for a short time only */
           if
           :: atomic { tokens[entry] > 0 -> tokens[entry]-- }
           :: atomic { tokens[entry] == 0 -> token_may_come = true }
           fi
#endif
        :: else
        fi
#else
        skip
#endif
     fi
  fi;
  atomic { ok = false; same = false; taken_out = false }
}

proctype Waiter (byte me)
{
  byte entry, i, n;
  bool token_may_come, ok, same, taken_out, up;

  {
    entry = NONE;
    do
    :: n < UNITS ->
       do
       :: atomic { units > 0 -> units--; break }
       :: atomic { units == 0 && !up }
          parking_wait ()
       :: atomic { units == 0 && up -> goto gone }
#ifdef NAPS
       :: atomic { units == 0 && true -> goto gone }
#endif
       od;
       n++
    :: else -> break
    od;
  gone:
    if /* give_back */
    :: entry != NONE ->
       atomic { assert (holder[entry] == me + 1); holder[entry] = 0 }
    :: else
    fi
  }
  unless
  {
    dead[me]
  }
  atomic
  {
    entry = NONE; i = 0; token_may_come = false; ok = false; same = false;
    taken_out = false
  }
}

/* ------------------------------------------------------------------ waker */

inline parking_wake ()
{
  atomic { i = 0; woken = false; end = n_leased }
  do
  :: i < end && !woken ->
#ifdef FAULT_NO_CAS
     if
     :: waits[i] -> waits[i] = false; woken = true
     :: else
     fi;
#else
     atomic
     {
       if
       :: waits[i] -> waits[i] = false; woken = true
       :: else
       fi
     }
#endif
     if
     :: woken -> post (i)
     :: else
     fi;
     i++
  :: else -> break
  od;
  atomic { i = 0; end = 0; woken = false }
}

proctype Waker (byte me)
{
  byte i, n, end;
  bool woken;

  {
    do
    :: n < OPS ->
#ifdef FAULT_CHANGE_LATE
       parking_wake ();
       units++;
#else
       units++;
       parking_wake ();
#endif
       n++
    :: else -> break
    od
  }
  unless
  {
    dead[me]
  }
  atomic { i = 0; end = 0; woken = false }
}

/* ------------------------------------------------------------------ death */

inline kill (p)
{
  atomic { !dead[p] && deaths < DEATHS -> dead[p] = true; deaths++ }
}

/* One sweeper at a time, as slow as may be; each of its steps can be done again by the next. */
active proctype Sweeper ()
{
  byte e;

end:
  do
  :: kill (0)
  :: kill (1)
#if WAITERS + WAKERS > 2
  :: kill (2)
#endif
  :: atomic { holder[0] != 0 && dead[holder[0] - 1] -> e = 0 }
     waits[e] = false;
     holder[e] = 0
#if ENTRIES > 1
  :: atomic { holder[1] != 0 && dead[holder[1] - 1] -> e = 1 }
     waits[e] = false;
     holder[e] = 0
#endif
  od
}

init
{
  byte i;
  atomic
  {
    for (i : 0 .. WAITERS - 1) { run Waiter (i) }
    for (i : WAITERS .. N - 1) { run Waker (i) }
    i = 0
  }
}
