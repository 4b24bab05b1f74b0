/* SPDX-License-Identifier: MIT */
/* Those who sleep: src/sync/sleepers.h, src/sync/sleepers.c, with the getters and putters of a queue, as
 * far as they sleep: try_get and sleep_and_get of src/queue/queueget.c, mproc_queue_wake_others of
 * src/queue/queuetake.h, and try_put of src/queue/queueput.c.  (A semaphore's acquire and release take the
 * same steps.)
 *
 *   announce, sleepers_wait, wake      as in sleepers.[ch]
 *   word_wait                          mproc_word_wait without naps
 *
 * A turn that is given to others instead of a sleep (mproc_queue_sleep) is nothing here: it is before
 * the announcement, and ends with a look.  Nor is it one that a getter which sees nothing may do so without
 * the lock (mproc_queue_lock_to_get).
 *
 * Nobody naps and nobody dies here: when nothing moves any more, nobody may be asleep who could
 * go on.  TIMEOUTS: the time of the first getter may be up at any look.  The queue itself is a
 * count that is changed in one step, under a lock that is no more than that step (queue.pml,
 * lockword.pml).  The announcement is seen by whoever looks later: that is what the barriers are
 * for, and no part of this model.
 *
 *   run: getters       safe holds     -DGETTERS=3 -DPUTTERS=2 -DOPS=1 -DGETS=1
 *   run: one-putter    safe holds     -DGETTERS=2 -DPUTTERS=1 -DOPS=4 -DGETS=2
 *   run: bounded       safe holds     -DGETTERS=2 -DPUTTERS=2 -DOPS=1 -DGETS=1 -DMAX_ITEMS=1
 *   run: two-putters   safe holds     -DGETTERS=1 -DPUTTERS=2 -DOPS=2 -DGETS=4 -DMAX_ITEMS=1
 *   run: time-up       safe holds     -DGETTERS=3 -DPUTTERS=2 -DOPS=1 -DGETS=1 -DTIMEOUTS
 *   run: no-look       safe assertion -DGETTERS=2 -DPUTTERS=1 -DOPS=2 -DGETS=2 -DFAULT_NO_LOOK
 *   run: not-again     safe assertion -DGETTERS=3 -DPUTTERS=2 -DOPS=1 -DGETS=1 -DFAULT_NOT_AGAIN
 *   run: not-passed-on safe assertion -DGETTERS=3 -DPUTTERS=2 -DOPS=1 -DGETS=1 -DFAULT_NOT_PASSED_ON
 *   run: wake-first    safe assertion -DGETTERS=2 -DPUTTERS=1 -DOPS=2 -DGETS=2 -DFAULT_WAKE_FIRST
 *   run: left-early    safe assertion -DGETTERS=3 -DPUTTERS=2 -DOPS=1 -DGETS=1 -DTIMEOUTS -DFAULT_LEFT_EARLY
 */
#define N (GETTERS + PUTTERS)
#define TO_GET 0
#define TO_PUT 1
#ifndef MAX_ITEMS
#define MAX_ITEMS (PUTTERS * OPS)
#endif

bit flag[2]; /* MprocSleepers */
byte items;
byte n_over; /* putters */

mtype = { AWAKE, ON_GET, ON_PUT };
mtype asleep[N] = AWAKE;

#define MAY_GET (items > 0)
#define MAY_PUT (items < MAX_ITEMS)

inline wake_one (where)
{
  if
  :: asleep[0] == where -> asleep[0] = AWAKE
  :: asleep[1] == where -> asleep[1] = AWAKE
#if GETTERS + PUTTERS > 2
  :: asleep[2] == where -> asleep[2] = AWAKE
#endif
#if GETTERS + PUTTERS > 3
  :: asleep[3] == where -> asleep[3] = AWAKE
#endif
#if GETTERS + PUTTERS > 4
  :: asleep[4] == where -> asleep[4] = AWAKE
#endif
  :: else
  fi
}

/* mproc_sleepers_wake: a look, an exchange, a wake. */
inline wake (which, where)
{
  if
  :: flag[which] == 1 ->
     atomic { woken = flag[which]; flag[which] = 0 }
     atomic
     {
       if
       :: woken -> wake_one (where)
       :: else
       fi;
       woken = false
     }
  :: else
  fi
}

/* Goes to the caller's label given_up when the time is up. */
inline sleepers_wait (which, where, IS_OVER)
{
#ifdef TIMEOUTS
  if
  :: me == 0 -> goto given_up
  :: true
  fi;
#endif
  if
  :: atomic { !announced -> flag[which] = 1; announced = true }
#ifndef FAULT_NO_LOOK
     atomic
     {
       if
       :: IS_OVER -> looked = true
       :: else
       fi
     }
#endif
  :: announced
  fi;
  if
  :: atomic { looked -> looked = false }
  :: atomic
     {
       !looked ->
       if
       :: flag[which] == 1 -> asleep[me] = where
       :: else
       fi
     }
  end_asleep:
     if
     :: asleep[me] == AWAKE
#ifdef TIMEOUTS
     :: atomic { me == 0 && asleep[me] == where -> asleep[me] = AWAKE }
#endif
     fi;
#ifdef FAULT_LEFT_EARLY
     if
     :: me == 0 -> goto given_up
     :: true
     fi;
#endif
#ifndef FAULT_NOT_AGAIN
     if
     :: flag[which] == 0 -> atomic { flag[which] = 1; announced = false }
     :: else
     fi
#else
     if
     :: flag[which] == 0 -> announced = false
     :: else
     fi
#endif
  fi
}

inline wake_others ()
{
  skip;
#if MAX_ITEMS < PUTTERS * OPS
  wake (TO_PUT, ON_PUT);
#endif
#ifndef FAULT_NOT_PASSED_ON
  if
  :: flag[TO_GET] == 1 ->
     if
     :: MAY_GET -> wake (TO_GET, ON_GET)
     :: else
     fi
  :: else
  fi
#endif
}

/* A getter may wait for ever when all has been put and taken. */
proctype Getter (byte me)
{
  bool announced, looked, woken;

  byte op;

  do
  :: op < GETS ->
     do
     :: atomic { items > 0 -> items--; op++; announced = false }
        wake_others ();
        break
     :: items == 0 -> sleepers_wait (TO_GET, ON_GET, MAY_GET)
     od
  :: op == GETS -> break
  od;
given_up:
  skip
}

proctype Putter (byte me)
{
  bool announced, looked, woken;
  byte op;

  do
  :: op < OPS ->
     do
     ::
#ifdef FAULT_WAKE_FIRST
        if
        :: MAY_PUT -> wake (TO_GET, ON_GET)
        :: else
        fi;
#endif
        if
        :: atomic { MAY_PUT -> items++; op++; announced = false }
#ifndef FAULT_WAKE_FIRST
           wake (TO_GET, ON_GET);
#endif
           if
           :: flag[TO_PUT] == 1 ->
              if
              :: MAY_PUT -> wake (TO_PUT, ON_PUT)
              :: else
              fi
           :: else
           fi;
           break
        :: !(MAY_PUT) -> sleepers_wait (TO_PUT, ON_PUT, MAY_PUT)
        fi
     od
  :: op == OPS -> break
  od;
  n_over++;
given_up:
  skip
}

active proctype Watcher ()
{
end:
  timeout;
  assert (items == 0);
  assert (n_over == PUTTERS)
}

init
{
  byte i;
  atomic
  {
    for (i : 0 .. GETTERS - 1) { run Getter (i) }
    for (i : GETTERS .. N - 1) { run Putter (i) }
  }
}
