/* SPDX-License-Identifier: MIT */
/* The holdings of a semaphore: src/sync/holdings.c.
 *
 *   lock, unlock, restore_own_slot, take, give, restore    as there; find_taken is in give
 *   set_taken                                              one store of slot's holder and count
 *
 * Each store of a shared word is a step, and a process may be killed before each.  The lock is
 * that of lockword.pml, in one step.  A newcomer may get a dead one's slot.
 *
 *   run: two           safe holds     -DN=2 -DOPS=3 -DDEATHS=1
 *   run: two-deaths    safe holds     -DN=2 -DOPS=2 -DDEATHS=2
 *   run: three         safe holds     -DN=3 -DOPS=1 -DDEATHS=1
 *   run: not-recovered safe assertion -DN=2 -DOPS=2 -DDEATHS=1 -DFAULT_NOT_RECOVERED
 *   run: of-the-living safe assertion -DN=2 -DOPS=2 -DDEATHS=1 -DFAULT_OF_THE_LIVING
 *   run: late-count    safe assertion -DN=2 -DOPS=2 -DDEATHS=1 -DFAULT_LATE_COUNT
 *   run: slot-only     safe assertion -DN=2 -DOPS=3 -DDEATHS=1 -DFAULT_SLOT_ONLY
 */
#define MAX 2
#define MEMBER(slot, generation) (1 + (slot) + N * (generation))
#define SLOT(member) (((member) - 1) % N)

byte lock_word;
byte total = 1;
byte value = 1;
byte n_used;
byte holder[N]; /* with count, one word */
byte count[N];

byte members[N]; /* who has the slot */
bool dead[N];
byte generation[N];
byte deaths;

#define IS_DEAD(member) (dead[SLOT (member)] || members[SLOT (member)] != (member))
#if N > 2
#define ALL_TAKEN (count[0] + count[1] + count[2])
#else
#define ALL_TAKEN (count[0] + count[1])
#endif
#define SLOT_LEFT_UNITS(s) (count[s] > 0 && IS_DEAD (holder[s]))

inline lock ()
{
  atomic
  {
    lock_word == 0 || IS_DEAD (lock_word);
    recovered = (lock_word != 0);
    lock_word = mine
  }
#ifndef FAULT_NOT_RECOVERED
  if
  :: recovered ->
     atomic
     {
       i = 0;
       n = 0;
       do
       :: i < n_used -> n = n + count[i]; i++
       :: else -> break
       od;
       value = total - n;
       i = 0;
       n = 0
     }
  :: else
  fi;
#endif
  atomic { assert (value == total - ALL_TAKEN && value <= MAX); recovered = false }
}

inline unlock ()
{
  atomic { assert (value == total - ALL_TAKEN && value <= MAX); lock_word = 0 }
}

inline set_taken (slot, member, n_units)
{
  atomic { holder[slot] = member; count[slot] = n_units }
}

inline raise_n_used ()
{
  atomic
  {
    if
    :: me >= n_used -> n_used = me + 1
    :: else
    fi
  }
}

inline restore_own_slot ()
{
  if
  :: atomic { holder[me] != mine -> n = count[me] }
#ifndef FAULT_LATE_COUNT
     raise_n_used ();
#endif
     set_taken (me, mine, 0);
     atomic { value = value + n; n = 0 }
  :: else
  fi
}

inline take ()
{
  lock ();
  restore_own_slot ();
  if
  :: value > 0 ->
     set_taken (me, mine, count[me] + 1);
     value--
  :: else
  fi;
#ifdef FAULT_LATE_COUNT
  raise_n_used ();
#endif
  unlock ()
}

inline give ()
{
  lock ();
  restore_own_slot ();
  if
  :: value < MAX ->
     if
     :: count[me] > 0 -> set_taken (me, mine, count[me] - 1)
     :: else ->
        i = 0;
        do
        :: i < n_used && count[i] == 0 -> i++
        :: else -> break
        od;
        if
        :: i < n_used -> set_taken (i, holder[i], count[i] - 1)
        :: else -> total++
        fi;
        i = 0
     fi;
     value++
  :: else
  fi;
  unlock ()
}

inline restore ()
{
  lock ();
  i = 0;
  do
  :: i < n_used ->
     atomic
     {
       n = count[i];
#ifdef FAULT_OF_THE_LIVING
       ask = (n > 0);
#elif defined(FAULT_SLOT_ONLY)
       ask = (n > 0 && dead[SLOT (holder[i])]);
#else
       ask = (n > 0 && IS_DEAD (holder[i]));
#endif
       seen[0] = SLOT_LEFT_UNITS (0);
       seen[1] = SLOT_LEFT_UNITS (1)
     }
     if
     :: ask ->
        assert (IS_DEAD (holder[i]));
        set_taken (i, holder[i], 0);
        value = value + n
     :: else ->
        /* What one who was dead by then had taken is not passed over. */
        assert (i > 1 || !seen[i])
     fi;
     atomic { i++; n = 0; ask = false; seen[0] = false; seen[1] = false }
  :: else -> break
  od;
  i = 0;
  unlock ()
}

inline forget ()
{
  i = 0;
  n = 0;
  ask = false;
  recovered = false;
  seen[0] = false;
  seen[1] = false
}

proctype User (byte me)
{
  byte mine, op, i, n;
  bool recovered, ask;
  bool seen[2];

life:
  {
    atomic { mine = MEMBER (me, generation[me]); members[me] = mine }
    do
    :: atomic { op < OPS -> op++ }
       if
       :: take ()
       :: give ()
       :: restore ()
       fi
    :: op == OPS -> break
    od
  }
  unless
  {
    dead[me]
  }
  if
  :: atomic
     {
       dead[me] && generation[me] == 0 ->
       generation[me]++;
       members[me] = 0;
       dead[me] = false;
       forget ();
       goto life
     }
  :: atomic { true -> forget () }
  fi
}

inline kill (s)
{
  atomic { members[s] != 0 && !dead[s] && deaths < DEATHS -> dead[s] = true; deaths++ }
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
  atomic
  {
    run User (0);
    run User (1);
#if N > 2
    run User (2)
#endif
  }
}
