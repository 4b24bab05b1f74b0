/* SPDX-License-Identifier: MIT */
/* The lock word: src/family/lockword.h, src/family/lockword.c, and the release of src/sync/lock.c.
 *
 *   acquire, acquire_slowly, take_over, announce, release, wake    as in lockword.[ch]
 *   public_release                                                 mproc_lock_release
 *   word_wait                                                      mproc_word_wait
 *
 * A line that touches the shared word is one step.  A process may be killed before each of its
 * steps, also asleep; what the dead held is theirs until it is taken over.  A newcomer may get a
 * dead one's slot, with the next generation.
 *
 * NAPS: a sleep may end by itself.  Without them nobody may be left asleep who could go on.
 * TIMEOUTS: the time of a waiter may be up at any look.
 *
 *   run: living        safe holds     -DN=3 -DOPS=2
 *   run: timeouts      safe holds     -DN=3 -DOPS=2 -DTIMEOUTS
 *   run: naps          safe holds     -DN=3 -DOPS=2 -DNAPS
 *   run: deaths        safe holds     -DN=3 -DOPS=1 -DNAPS -DDEATHS=2
 *   run: newcomers     safe holds     -DN=2 -DOPS=2 -DNAPS -DDEATHS=2 -DTIMEOUTS -DNEWCOMERS
 *   run: stray         safe holds     -DN=2 -DOPS=2 -DNAPS -DDEATHS=1 -DSTRAY
 *   run: all-get-it    live holds     -DN=2 -DOPS=2 -DNAPS -DDEATHS=2 -DNEWCOMERS
 *   run: three-get-it  live holds     -DN=3 -DOPS=1 -DNAPS -DDEATHS=1
 *   run: public        safe holds     -DN=3 -DOPS=1 -DPUBLIC
 *   run: public-again  safe holds     -DN=2 -DOPS=2 -DPUBLIC
 *   run: two-steps     safe assertion -DN=2 -DOPS=1 -DFAULT_TWO_STEPS
 *   run: bit-dropped   safe deadlock  -DN=3 -DOPS=2 -DFAULT_BIT_DROPPED
 *   run: bit-unseen    safe deadlock  -DN=3 -DOPS=2 -DFAULT_STORE_RELEASE
 *   run: left-silently safe deadlock  -DN=3 -DOPS=2 -DTIMEOUTS -DFAULT_LEFT_SILENTLY
 *   run: store         safe assertion -DN=3 -DOPS=1 -DNAPS -DDEATHS=1 -DFAULT_STORE_TAKEOVER
 *   run: not-told      safe assertion -DN=2 -DOPS=1 -DNAPS -DDEATHS=1 -DFAULT_NOT_TOLD
 *   run: slot-only     live cycle     -DN=2 -DOPS=2 -DNAPS -DDEATHS=1 -DNEWCOMERS -DFAULT_SLOT_ONLY
 *   run: unasked       live cycle     -DN=2 -DOPS=1 -DNAPS -DDEATHS=1 -DFAULT_UNASKED
 *   run: stray-store   safe assertion -DN=2 -DOPS=2 -DSTRAY -DFAULT_STORE_RELEASE
 *   run: public-store  safe assertion -DN=2 -DOPS=1 -DPUBLIC -DFAULT_STORE_RELEASE
 *   run: public-quiet  safe deadlock  -DN=3 -DOPS=2 -DPUBLIC -DFAULT_QUIET_RELEASE
 */
#ifndef DEATHS
#define DEATHS 0
#endif

/* slot and generation; the lowest bit is the contended bit */
#ifdef FAULT_SLOT_ONLY
#define MEMBER(slot, generation) (2 * (1 + (slot)))
#else
#define MEMBER(slot, generation) (2 * (1 + (slot) + N * (generation)))
#endif
#define SLOT(member) (((member) / 2 - 1) % N)
#define CONTENDED(word) ((word) % 2 == 1)
#define OWNER(word) ((word) - (word) % 2)

#define NOT 0
#define LOCKED 1
#define RECOVERED 2

byte word;
bool asleep[N]; /* in the kernel's list of the word's sleepers */

bool dead[N];
byte generation[N];
byte members[N]; /* the member that has the slot */
byte n_over;
byte deaths;

/* What is true, for the assertions only. */
byte inside; /* the living member that holds the lock, or 0 */
bool half;   /* somebody died holding it, and nobody has been told */
bool taken;  /* public: acquired and not yet released */

/* mproc_member_is_dead: the truth */
#define IS_DEAD(member) (dead[SLOT (member)] || members[SLOT (member)] != (member))

inline entered (how)
{
  result = how;
#ifdef PUBLIC
  assert (!taken);
  taken = true;
#else
  assert (inside == 0);
  inside = mine;
  if
  :: result == RECOVERED ->
     assert (half);
     half = false
  :: else ->
     assert (!half)
  fi
#endif
}

/* ------------------------------------------------------------------ lockword.c */

inline wake ()
{
  atomic
  {
    if
    :: asleep[0] -> asleep[0] = false
    :: asleep[1] -> asleep[1] = false
#if N > 2
    :: asleep[2] -> asleep[2] = false
#endif
    :: else
    fi
  }
}

/* The compare-and-swap from @held; goes to @otherwise if the word has changed. */
inline take (expected, wanted, told, otherwise)
{
  atomic
  {
    if
    :: word == expected -> word = wanted; entered (told); goto done
    :: else -> goto otherwise
    fi
  }
}

/* Ends at the label done.  Spinning is a few more looks at a word that is 0.  Who is dead stays
 * dead, so that asking for it belongs to the step before. */
inline acquire_slowly ()
{
  slept = false;
look:
  atomic
  {
    held = word;
    if
    :: held == 0 -> goto is_free
#ifdef TIMEOUTS
    :: held != 0 -> goto time_is_up
#endif
    :: held != 0 && IS_DEAD (OWNER (held)) -> goto is_dead /* memory may know it, */
    :: held != 0                                           /* or not yet */
    fi;
    if
    :: CONTENDED (held) -> goto sleep
    :: else
    fi
  }
  atomic /* announce */
  {
    if
    :: word == held -> word = held + 1; held = held + 1
    :: else -> goto look
    fi
  }

sleep: /* mproc_word_wait */
  atomic
  {
    slept = true;
    if
    :: word == held -> asleep[me] = true
    :: else -> goto look
    fi
  }
  atomic
  {
    if
    :: !asleep[me] -> goto look
#ifdef NAPS
    :: asleep[me] ->
       asleep[me] = false;
#ifndef FAULT_UNASKED
       if
       :: word == held && IS_DEAD (OWNER (held)) -> goto is_dead
       :: else -> goto look
       fi
#else
       goto look
#endif
#endif
    fi
  }

is_free:
#ifdef FAULT_BIT_DROPPED
  take (0, mine, LOCKED, look)
#else
  take (0, mine + slept, LOCKED, look)
#endif

is_dead: /* take_over */
#ifdef FAULT_STORE_TAKEOVER
  take (word, mine + 1, RECOVERED, look)
#elif defined(FAULT_NOT_TOLD)
  take (held, mine + 1, LOCKED, look)
#else
  take (held, mine + 1, RECOVERED, look)
#endif

time_is_up:
  atomic
  {
    if
    :: IS_DEAD (OWNER (held)) -> goto is_dead
    :: !IS_DEAD (OWNER (held)) && word != held -> goto look
    :: else ->
#ifndef FAULT_LEFT_SILENTLY
       if
       :: slept && !CONTENDED (word) -> word = word + 1
       :: else
       fi;
#endif
       result = NOT
    fi
  }
}

/* ------------------------------------------------------------------ lockword.h */

inline acquire ()
{
#ifdef FAULT_TWO_STEPS
  held = word;
  if
  :: atomic { held == 0 -> word = mine; entered (LOCKED); goto done }
  :: held != 0
  fi;
#else
  atomic
  {
    if
    :: word == 0 -> word = mine; entered (LOCKED); goto done
    :: else
    fi
  }
#endif
  acquire_slowly ()
}

/* Sets released to whether the caller held it. */
inline release ()
{
  released = true;
  atomic
  {
    if
#ifdef FAULT_STORE_RELEASE
    :: true ->
#else
    :: word == mine ->
#endif
       assert (inside == mine);
       word = 0;
       inside = 0;
       goto was_released
    :: word == mine + 1
    :: else ->
       released = false;
       goto was_released
    fi
  }
  atomic
  {
    word = 0;
    inside = 0
  }
  wake ();
was_released:
  skip
}

/* ------------------------------------------------------------------ lock.c */

inline public_release ()
{
  released = true;
  held = word;
again:
  atomic
  {
    if
    :: held == 0 -> released = false; goto was_released
#ifdef FAULT_STORE_RELEASE
    :: held != 0 ->
#else
    :: held != 0 && word == held ->
#endif
       word = 0;
       assert (taken);
       taken = false
    :: else ->
       held = word;
       goto again
    fi;
    if
#ifdef FAULT_QUIET_RELEASE
    :: CONTENDED (held) -> goto was_released
#endif
    :: !CONTENDED (held) -> goto was_released
    :: else
    fi
  }
  wake ();
was_released:
  skip
}

/* ------------------------------------------------------------------ processes */

proctype User (byte me)
{
  byte mine, held, op, result;
  bool slept, released;

life:
  {
    atomic { mine = MEMBER (me, generation[me]); members[me] = mine }
    do
    :: atomic { op < OPS -> op++ }
       acquire ();
    done:
       atomic { held = 0; slept = false }
#ifndef PUBLIC
       if
       :: result != NOT ->
          assert (inside == mine);
          release ();
          assert (released)
       :: else
       fi;
#endif
#ifdef STRAY
       release ();
       assert (!released);
#endif
       atomic { held = 0; released = false; result = NOT }
    :: op == OPS -> break
    od
  }
  unless
  {
    dead[me]
  }
  atomic
  {
    if
#ifdef NEWCOMERS
    :: dead[me] && generation[me] == 0 ->
       generation[me]++;
       members[me] = 0;
       dead[me] = false;
       held = 0;
       slept = false;
       released = false;
       result = NOT;
       goto life
#endif
    :: n_over++
    fi
  }
}

proctype Releaser (byte quota)
{
  byte held;
  bool released;

  do
  :: quota > 0 ->
     word != 0;
     public_release ();
     atomic { quota = quota - released; released = false; held = 0 }
  :: else -> break
  od
}

/* In one step: the kernel takes a dead one out of its lists. */
inline kill (i)
{
  atomic
  {
    members[i] != 0 && !dead[i] && deaths < DEATHS ->
    dead[i] = true;
    asleep[i] = false;
    deaths++;
    if
    :: inside == members[i] -> inside = 0; half = true
    :: else
    fi
  }
}

active proctype Killer ()
{
end:
  do
  :: kill (0)
  :: kill (1)
#if N > 2
  :: kill (2)
#endif
  od
}

init
{
  byte i;
  atomic
  {
    for (i : 0 .. N - 1) { run User (i) }
#ifdef PUBLIC
    run Releaser (OPS);
    run Releaser ((N - 1) * OPS)
#endif
  }
}

#ifdef LIVE
ltl everybody_is_over { <> (n_over == N) }
#endif
