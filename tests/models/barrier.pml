/* SPDX-License-Identifier: MIT */
/* The rounds of a barrier: src/sync/rounds.h, src/sync/rounds.c, with mproc_barrier_wait of src/sync/barrier.c.
 *
 *   try_to_arrive, arrive, have_all_come, is_mine_to_finish, finish, is_over, leave,
 *   break_generation, move_on, tell_those_before, look_for_dead, listen_to, ring   as there
 *   Resetter                      mproc_rounds_abort, mproc_rounds_reset
 *
 * Each access to a shared word is a step; so is a loop of compare-and-swap, which has no effect
 * before it succeeds.  A process may be killed before each step, also asleep.  Memory may know of a
 * death at once, some time or not before somebody asks the system for it.  That the first
 * entry is another one each generation is for numbers that come round, which they do not here.
 *
 * While nobody dies, nobody naps: the bells alone have to wake.  Afterwards a sleeper naps where
 * that would find something, so that who is left asleep beside it is seen.
 * The processes are alike, so that it is the first who dies, if one does.
 * TIMEOUTS: the time of the first process may be up at any look.
 * PROCESSES may be more than PARTIES, and each comes ROUNDS times.
 *
 *   run: two           safe holds     -DPROCESSES=2 -DROUNDS=3
 *   run: three         safe holds     -DPROCESSES=3 -DROUNDS=1
 *   run: three-parties safe holds     -DPROCESSES=3 -DPARTIES=3 -DROUNDS=1
 *   run: time-up       safe holds     -DPROCESSES=2 -DROUNDS=2 -DTIMEOUTS
 *   run: reset         safe holds     -DPROCESSES=2 -DROUNDS=2 -DRESETS=1
 *   run: abort         safe holds     -DPROCESSES=2 -DROUNDS=1 -DRESETS=1 -DABORTS
 *   run: deaths        safe holds     -DPROCESSES=2 -DROUNDS=2 -DDEATHS=1
 *   run: late-deaths   safe holds     -DPROCESSES=2 -DROUNDS=1 -DDEATHS=1 -DTIMEOUTS
 *   run: not-told      safe assertion -DPROCESSES=2 -DROUNDS=2 -DRESETS=1 -DFAULT_NOT_TOLD
 *   run: entry-first   safe assertion -DPROCESSES=2 -DROUNDS=2 -DRESETS=1 -DFAULT_ENTRY_FIRST
 *   run: taken-held    safe assertion -DPROCESSES=2 -DROUNDS=2 -DFAULT_TAKEN_HELD
 *   run: any-age       safe assertion -DPROCESSES=3 -DROUNDS=1 -DFAULT_ANY_AGE
 *   run: store-entry   safe assertion -DPROCESSES=2 -DROUNDS=1 -DFAULT_STORE_ENTRY
 *   run: store-break   safe assertion -DPROCESSES=2 -DROUNDS=1 -DTIMEOUTS -DFAULT_STORE_BREAK
 *   run: store-full    safe assertion -DPROCESSES=2 -DROUNDS=1 -DFAULT_STORE_FULL
 *   run: one-short     safe assertion -DPROCESSES=2 -DROUNDS=1 -DFAULT_ONE_SHORT
 *   run: no-count      safe assertion -DPROCESSES=2 -DROUNDS=2 -DFAULT_NO_COUNT
 *   run: no-look       safe assertion -DPROCESSES=2 -DROUNDS=1 -DFAULT_NO_LOOK
 *   run: left-silently safe assertion -DPROCESSES=3 -DROUNDS=1 -DFAULT_LEFT_SILENTLY
 *   run: unasked       safe assertion -DPROCESSES=2 -DROUNDS=1 -DDEATHS=1 -DFAULT_UNASKED
 *   run: unasked-place safe assertion -DPROCESSES=3 -DROUNDS=1 -DDEATHS=1 -DFAULT_PLACE_UNASKED
 */
#ifndef PARTIES
#define PARTIES 2
#endif
#ifndef DEATHS
#define DEATHS 0
#endif
#ifndef RESETS
#define RESETS 0
#endif
#define GENERATIONS (PROCESSES * ROUNDS + RESETS + 2)

#define FILLING 0
#define FULL 1
#define BROKEN 2
#define PASSED_BEFORE 4
#define GENERATION(state) ((state) >> 3)
#define PHASE(state) ((state) & 3)

#define ENTRY(generation, member) (((generation) << 3) | ((member) << 1))
#define TOLD_PASSED 1
#define GENERATION_OF(entry) ((entry) >> 3)
#define MEMBER_OF(entry) (((entry) >> 1) & 3) /* process + 1 */
#define LISTENED 1

byte state = 8; /* generation 1, FILLING */
byte entries[PARTIES];
byte end_bell;
byte place_bell;

#define ON_END 1
#define ON_PLACE 2
byte asleep[PROCESSES];
byte waits_in[PROCESSES]; /* a generation */

#define ALIVE 0
#define DEAD_UNNOTED 1 /* until somebody asks */
#define DEAD_NOTED 2   /* some time */
#define DEAD_KNOWN 3
byte life[PROCESSES];
byte deaths;

#define IS_DEAD(member) (life[(member) - 1] != ALIVE)
#define IS_KNOWN_DEAD(member) (life[(member) - 1] == DEAD_KNOWN)
#define IS_OLD(entry, generation) (GENERATION_OF (entry) < (generation))
#ifdef FAULT_TAKEN_HELD
#define IS_VACANT(entry, generation) IS_OLD (entry, generation)
#elif defined FAULT_ANY_AGE
#define IS_VACANT(entry, generation) (MEMBER_OF (entry) == 0)
#else
#define IS_VACANT(entry, generation)                                                            \
  (IS_OLD (entry, generation) &&                                                                \
   (MEMBER_OF (entry) == 0 || IS_KNOWN_DEAD (MEMBER_OF (entry))))
#endif

/* What is true, for the assertions only. */
byte came[GENERATIONS];
byte actions[GENERATIONS]; /* begun */
byte outcome[GENERATIONS]; /* told to a waiter: 0 none yet, 1 passed, 2 broken */
byte indices[GENERATIONS]; /* a bit for each that was told */
bool may_break[GENERATIONS];

#define DIED_IN(i, g)                                                                           \
  (GENERATION_OF (entries[i]) == (g) && MEMBER_OF (entries[i]) != 0 &&                          \
   IS_DEAD (MEMBER_OF (entries[i])))
#define UNKNOWN_IN(i)                                                                           \
  (MEMBER_OF (entries[i]) != 0 && IS_DEAD (MEMBER_OF (entries[i])) &&                           \
   !IS_KNOWN_DEAD (MEMBER_OF (entries[i])))
#define VACANT(i) IS_VACANT (entries[i], GENERATION (state))
#if PARTIES > 2
#define ONE_DIED_IN(g) (DIED_IN (0, g) || DIED_IN (1, g) || DIED_IN (2, g))
#define ONE_UNKNOWN (UNKNOWN_IN (0) || UNKNOWN_IN (1) || UNKNOWN_IN (2))
#define ONE_VACANT (VACANT (0) || VACANT (1) || VACANT (2))
#else
#define ONE_DIED_IN(g) (DIED_IN (0, g) || DIED_IN (1, g))
#define ONE_UNKNOWN (UNKNOWN_IN (0) || UNKNOWN_IN (1))
#define ONE_VACANT (VACANT (0) || VACANT (1))
#endif

/* What a nap finds: a dead one, or what one who died did not tell. */
#define DEAD_TO_FIND                                                                            \
  (ONE_UNKNOWN || (PHASE (state) != BROKEN && ONE_DIED_IN (GENERATION (state))))
#define NAP_ON_END                                                                              \
  (deaths > 0 && (DEAD_TO_FIND || GENERATION (state) != mine || PHASE (state) == BROKEN))
#define NAP_ON_PLACE                                                                            \
  (deaths > 0 &&                                                                                \
   (DEAD_TO_FIND || PHASE (state) == BROKEN || (PHASE (state) == FILLING && ONE_VACANT)))

/* ------------------------------------------------------------------ bells */

inline listen_to (BELL)
{
  atomic { BELL = BELL | LISTENED; heard = BELL }
}

inline ring (BELL, WHERE)
{
  if
#ifdef FAULT_NO_COUNT
  :: atomic { BELL & LISTENED -> BELL = BELL - 1 }
#else
  :: atomic { BELL & LISTENED -> BELL = BELL + 1 }
#endif
     atomic
     {
       for (k : 0 .. PROCESSES - 1) { asleep[k] = (asleep[k] == WHERE -> 0 : asleep[k]) }
       k = 0
     }
  :: !(BELL & LISTENED)
  fi
}

/* mproc_word_wait: what follows is the sleep. */
inline fall_asleep (BELL, WHERE)
{
  atomic { asleep[me] = (BELL == heard -> WHERE : 0); heard = 0 }
}

/* ------------------------------------------------------------------ states */

inline ring_both ()
{
  ring (end_bell, ON_END);
  ring (place_bell, ON_PLACE)
}

#define IS_UNBROKEN(state, G) (GENERATION (state) == (G) && PHASE (state) != BROKEN)

/* was_of says whether the generation is not over. */
inline break_generation (G)
{
#ifdef FAULT_STORE_BREAK
  seen = state;
  if
  :: IS_UNBROKEN (seen, G) -> was_of = true; state = (seen & ~3) | BROKEN; seen = 0; ring_both ()
  :: else -> was_of = (GENERATION (seen) == G); seen = 0
  fi
#else
  if
  :: atomic { IS_UNBROKEN (state, G) -> was_of = true; state = (state & ~3) | BROKEN }
     ring_both ()
  :: atomic { !IS_UNBROKEN (state, G) -> was_of = (GENERATION (state) == G) }
  fi
#endif
}

/* From seen. */
inline move_on (PASSED)
{
#ifndef FAULT_NOT_TOLD
  if
  :: seen & PASSED_BEFORE ->
     do
     :: atomic
        {
          i < PARTIES ->
          if
          :: GENERATION_OF (entries[i]) == GENERATION (seen) - 1 && MEMBER_OF (entries[i]) != 0 ->
             entries[i] = entries[i] | TOLD_PASSED
          :: else
          fi;
          i++
        }
     :: atomic { i == PARTIES -> i = 0; break }
     od
  :: else
  fi;
#endif
  if
  :: atomic
     {
       state == seen ->
       state = ((GENERATION (seen) + 1) << 3) | FILLING | (PASSED -> PASSED_BEFORE : 0);
       seen = 0
     }
     ring_both ()
  :: atomic { state != seen -> seen = 0 }
  fi
}

inline look_for_dead ()
{
  do
  :: i < PARTIES ->
     entry = entries[i];
     generation = GENERATION (state);
     atomic
     {
       if
       :: MEMBER_OF (entry) != 0 && IS_DEAD (MEMBER_OF (entry)) ->
          life[MEMBER_OF (entry) - 1] = DEAD_KNOWN
       :: else -> entry = 0
       fi
     }
     if
     :: entry == 0
     :: entry != 0 && GENERATION_OF (entry) == generation -> break_generation (generation)
     :: entry != 0 && GENERATION_OF (entry) != generation -> ring (place_bell, ON_PLACE)
     fi;
     atomic { entry = 0; generation = 0; was_of = false; i++ }
  :: atomic { i == PARTIES -> i = 0; break }
  od
}

/* ------------------------------------------------------------------ arriving */

#define AT(i) ((mine + (i)) % PARTIES)

/* mine says the generation, 0 if there was no place. */
inline try_to_arrive ()
{
  atomic { mine = (PHASE (state) == FILLING -> GENERATION (state) : 0); index = 0 }
  do
  :: mine != 0 && index < PARTIES ->
     /* Nobody but a newcomer changes a vacant one, unless it is one of the dead. */
#if DEATHS > 0 || defined FAULT_STORE_ENTRY
     entry = entries[AT (index)];
#endif
     atomic
     {
#if DEATHS == 0 && !defined FAULT_STORE_ENTRY
       entry = entries[AT (index)];
#endif
       if
#ifdef FAULT_STORE_ENTRY
       :: IS_VACANT (entry, mine) ->
#else
       :: IS_VACANT (entry, mine) && entries[AT (index)] == entry ->
#endif
          entries[AT (index)] = ENTRY (mine, me + 1);
          came[mine]++;
          entry = 0;
          break
       :: else -> entry = 0; index++
       fi
     }
  :: atomic { mine != 0 && index == PARTIES -> mine = 0; index = 0 }
  :: mine == 0 -> break
  od
}

inline give_up_in_time ()
{
  atomic { may_break[begun] = true }
  break_generation (begun);
  atomic
  {
    if
    :: was_of -> was_of = false; goto failed
    :: else
    fi
  }
}

/* ------------------------------------------------------------------ the end of a round */

/* Also is_mine_to_finish. */
inline have_all_come ()
{
  atomic { i = PARTIES; all = true }
  do
  :: all && i > 0 ->
     atomic
     {
       i--;
       entry = entries[AT (i)];
#ifdef FAULT_ONE_SHORT
       if
       :: i == PARTIES - 1 -> entry = ENTRY (mine, me + 1)
       :: else
       fi;
#endif
       if
       :: GENERATION_OF (entry) != mine -> all = false; entry = 0
       :: GENERATION_OF (entry) == mine && MEMBER_OF (entry) != 0 && IS_KNOWN_DEAD (MEMBER_OF (entry)) ->
          all = false
       :: else -> entry = 0
       fi
     }
     if
     :: entry != 0 -> break_generation (mine); was_of = false; entry = 0
     :: else
     fi
  :: else -> break
  od;
  i = 0;
#ifdef FAULT_STORE_FULL
  atomic { seen = state; all = all && seen == ((seen & ~3) | FILLING) && GENERATION (seen) == mine }
#endif
  atomic
  {
    if
#ifdef FAULT_STORE_FULL
    :: all ->
#else
    :: all && GENERATION (state) == mine && PHASE (state) == FILLING ->
#endif
       state = state | FULL;
       actions[mine]++;
       assert (actions[mine] == 1);
       assert (outcome[mine] == 0);
       assert (came[mine] == PARTIES)
    :: else -> all = false
    fi;
    seen = 0
  }
}

inline is_over ()
{
#ifdef FAULT_ENTRY_FIRST
  passed = (entries[AT (index)] & TOLD_PASSED) != 0;
#endif
  if
  :: atomic { GENERATION (state) == mine -> passed = false; over = (PHASE (state) == BROKEN) }
  :: atomic
     {
       GENERATION (state) == mine + 1 ->
       passed = (state & PASSED_BEFORE) != 0;
       over = true
     }
  :: GENERATION (state) > mine + 1 ->
#ifdef FAULT_ENTRY_FIRST
     over = true
#else
     atomic { passed = (entries[AT (index)] & TOLD_PASSED) != 0; over = true }
#endif
  fi
}

inline leave ()
{
  atomic
  {
    waits_in[me] = 0;
    assert (outcome[mine] == 0 || outcome[mine] == (passed -> 1 : 2));
    outcome[mine] = (passed -> 1 : 2);
    if
    :: passed ->
       assert (came[mine] == PARTIES);
       assert (actions[mine] == 1);
       assert (!((indices[mine] >> index) & 1));
       indices[mine] = indices[mine] | (1 << index)
    :: else -> assert (may_break[mine])
    fi;
    /* nobody else has it */
    assert ((entries[AT (index)] & ~TOLD_PASSED) == ENTRY (mine, me + 1));
    entries[AT (index)] = ENTRY (mine, 0);
    passed = false;
    over = false;
    index = 0;
    mine = 0
  }
#ifndef FAULT_LEFT_SILENTLY
  ring (place_bell, ON_PLACE)
#endif
}

proctype Party (byte me)
{
  byte round, mine, index, i, k, seen, entry, heard, generation, begun;
  bool was_of, all, over, passed, late;

  {
    do
    :: round < ROUNDS ->
       round++;
       try_to_arrive ();
       do
       :: mine != 0 -> break
       :: mine == 0 ->
          listen_to (place_bell);
#ifdef TIMEOUTS
          begun = GENERATION (state);
          if
          :: me == 0 -> late = true
          :: begun = 0
          fi;
#endif
          atomic
          {
            if
            :: PHASE (state) == BROKEN -> goto failed
            :: else
            fi
          }
          if
          :: deaths > 0 -> look_for_dead ()
          :: true
          fi;
          try_to_arrive ();
          if
          :: mine == 0 && late -> late = false; give_up_in_time ()
          :: mine == 0 && !late ->
             fall_asleep (place_bell, ON_PLACE);
          end_place:
             if
             :: asleep[me] == 0
#ifndef FAULT_PLACE_UNASKED
             :: atomic { asleep[me] != 0 && NAP_ON_PLACE -> asleep[me] = 0 }
#endif
             fi
          :: mine != 0 -> break
          fi
       od;
       atomic { late = false; heard = 0; begun = 0; waits_in[me] = mine }

       have_all_come ();
       /* the action is here */
       if
       :: all ->
          all = false;
          seen = state;
          if
          :: GENERATION (seen) == mine && PHASE (seen) == FULL -> move_on (true)
          :: else -> seen = 0
          fi
       :: else
       fi;

       is_over ();
       do
       :: over -> break
       :: !over ->
          listen_to (end_bell);
#ifndef FAULT_NO_LOOK
          is_over ();
#endif
          if
          :: over
#ifdef TIMEOUTS
          :: !over && me == 0 ->
             heard = 0;
             may_break[mine] = true;
             break_generation (mine);
             was_of = false;
             is_over ()
#endif
          :: !over ->
             fall_asleep (end_bell, ON_END);
          end_end:
             if
             :: asleep[me] == 0
#ifndef FAULT_UNASKED
             :: atomic { asleep[me] != 0 && NAP_ON_END -> asleep[me] = 0 }
#endif
             fi;
             is_over ();
             if
             :: !over && deaths > 0 -> look_for_dead (); is_over ()
             :: else
             fi
          fi
       od;
       heard = 0;
       leave ();
       goto next;
    failed:
       atomic { late = false; heard = 0; begun = 0; mine = 0; index = 0 }
    next:
       skip
    :: round == ROUNDS -> break
    od
  }
  unless
  {
    life[me] != ALIVE
  }
  atomic
  {
    round = 0; mine = 0; index = 0; i = 0; k = 0; seen = 0; entry = 0; heard = 0;
    generation = 0; begun = 0; was_of = false; all = false;
    over = false; passed = false; late = false
  }
}

/* When nothing moves any more: nobody waits for a place, and who waits for the others waits for
 * some who have not come, in the generation that there is. */
active proctype Watcher ()
{
  byte i;

end:
  timeout;
  atomic
  {
    for (i : 0 .. PROCESSES - 1) {
      if
      :: life[i] == ALIVE ->
         assert (asleep[i] != ON_PLACE);
         if
         :: asleep[i] == ON_END ->
            assert (GENERATION (state) == waits_in[i]);
            assert (PHASE (state) == FILLING);
            assert (!ONE_DIED_IN (waits_in[i]));
            assert (came[waits_in[i]] < PARTIES)
         :: else
         fi
      :: else
      fi
    }
  }
}

#if RESETS > 0
active proctype Resetter ()
{
  byte n, i, k, seen, generation;
  bool was_of;

end:
  do
  :: n < RESETS ->
     n++;
#ifdef ABORTS
     /* abort, and then reset */
     generation = GENERATION (state);
     atomic { may_break[generation] = true }
     do
     :: break_generation (generation);
        if
        :: was_of -> break
        :: else -> generation = GENERATION (state); may_break[generation] = true
        fi
     od;
     was_of = false;
#endif
     /* reset; one that fails looks again: there are enough of these */
     atomic { seen = state; may_break[GENERATION (seen)] = true }
     if
     :: PHASE (seen) != FILLING -> move_on (false)
     :: PHASE (seen) == FILLING ->
        if
        :: atomic
           {
             GENERATION_OF (entries[0]) == GENERATION (seen) ||
             GENERATION_OF (entries[1]) == GENERATION (seen) ->
             skip
           }
           move_on (false)
        :: else -> seen = 0
        fi
     fi;
     generation = 0
  :: else -> break
  od
}
#endif

#if DEATHS > 0
/* One who has died may be the end of the generation that it was in. */
inline kill (p)
{
  atomic
  {
    life[p] == ALIVE && deaths < DEATHS ->
    deaths++;
    asleep[p] = 0;
    if
    :: life[p] = DEAD_UNNOTED
    :: life[p] = DEAD_NOTED
    :: life[p] = DEAD_KNOWN
    fi;
    for (i : 0 .. PARTIES - 1) {
      if
      :: MEMBER_OF (entries[i]) == p + 1 -> may_break[GENERATION_OF (entries[i])] = true
      :: else
      fi
    }
    i = 0
  }
}

inline note (p)
{
  atomic { life[p] == DEAD_NOTED -> life[p] = DEAD_KNOWN }
}

active proctype Killer ()
{
  byte i;

end:
  do
  :: kill (0)
  :: note (0)
#if DEATHS > 1 || defined TIMEOUTS
  :: kill (1)
  :: note (1)
#endif
  od
}
#endif

init
{
  byte i;
  atomic
  {
    for (i : 0 .. PROCESSES - 1) { run Party (i) }
    i = 0
  }
}
