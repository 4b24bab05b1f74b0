/* SPDX-License-Identifier: MIT */
/* The barrier, without a lock: one word has its phase, its generation and how the last
 * generations ended.
 *
 *   FILLING    parties come: each takes the first free entry by compare-and-swap, to the
 *              generation and itself, which is its index too
 *   ACTION     the last one has turned the word to this, and alone runs the action; then it
 *              turns the word to the next generation's FILLING, the old one having passed
 *   BROKEN     by a time that is up, by a member found dead that had come or runs the action,
 *              by abort: a compare-and-swap from FILLING or ACTION of the generation; reset turns
 *              it to the next generation's FILLING, the old one not having passed
 *
 * A waiter learns how its own generation ended from the word: whether that is still the
 * generation, and else from the history.  A process may be killed before each step.
 *
 *   run: two           safe holds     -DN=2 -DROUNDS=2
 *   run: three         safe holds     -DN=3 -DROUNDS=2
 *   run: time-up       safe holds     -DN=2 -DROUNDS=2 -DTIMEOUTS
 *   run: time-up-three safe holds     -DN=3 -DROUNDS=1 -DTIMEOUTS
 *   run: deaths        safe holds     -DN=3 -DROUNDS=2 -DDEATHS=1
 *   run: reset         safe holds     -DN=2 -DROUNDS=2 -DTIMEOUTS -DRESETS=1
 *   run: two-actions   safe assertion -DN=2 -DROUNDS=1 -DFAULT_STORE_ACTION -DTIMEOUTS
 *   run: stale-break   safe assertion -DN=2 -DROUNDS=2 -DTIMEOUTS -DFAULT_STORE_BREAK
 *   run: same-index    safe assertion -DN=2 -DROUNDS=1 -DFAULT_STORE_ENTRY
 *   run: no-history    safe assertion -DN=2 -DROUNDS=2 -DTIMEOUTS -DRESETS=1 -DFAULT_NO_HISTORY
 *   run: unasked       safe assertion  -DN=2 -DROUNDS=1 -DDEATHS=1 -DFAULT_UNASKED
 *   run: one-short     safe assertion -DN=3 -DROUNDS=1 -DFAULT_ONE_SHORT
 */
#ifndef DEATHS
#define DEATHS 0
#endif
#ifndef RESETS
#define RESETS 0
#endif
#define GENERATIONS 5

#define FILLING 0
#define ACTION 1
#define BROKEN 2

/* The word: phase, generation, a bit for each generation that has passed. */
#define WORD(phase, generation, history) ((phase) + 4 * (generation) + 32 * (history))
#define PHASE(w) ((w) % 4)
#define GENERATION(w) (((w) / 4) % 8)
#define HISTORY(w) ((w) / 32)
#define PASSED(w, generation) ((HISTORY (w) >> (generation)) & 1)

short word;
byte entry_generation[N]; /* + 1; with entry_member one word */
byte entry_member[N];
bool dead[N];
byte deaths;
byte waits_in[N]; /* generation + 1 */

/* What is true, for the assertions only. */
byte came[GENERATIONS];    /* entered */
byte actions[GENERATIONS]; /* begun */
byte outcome[GENERATIONS]; /* told to a waiter: 0 none yet, 1 passed, 2 broken */
byte indices[GENERATIONS]; /* a bit for each that was told */

#define IN(i, g) (entry_generation[i] == (g) + 1)
#if N > 2
#define DEAD_INSIDE(g)                                                                           \
  ((IN (0, g) && dead[entry_member[0]]) || (IN (1, g) && dead[entry_member[1]]) ||               \
   (IN (2, g) && dead[entry_member[2]]))
#else
#define DEAD_INSIDE(g)                                                                           \
  ((IN (0, g) && dead[entry_member[0]]) || (IN (1, g) && dead[entry_member[1]]))
#endif

inline told (how)
{
  assert (outcome[mine] == 0 || outcome[mine] == how);
  outcome[mine] = how
}

/* Takes the first entry that is of an older generation, from what it was; index is N if the
 * generation is over. */
inline enter ()
{
  index = 0;
  do
  :: index < N ->
#ifdef FAULT_STORE_ENTRY
     if
     :: entry_generation[index] <= mine ->
        atomic { came[mine]++; entry_generation[index] = mine + 1; entry_member[index] = me; break }
     :: else -> index++
     fi
#else
     atomic
     {
       if
       :: entry_generation[index] <= mine ->
          entry_generation[index] = mine + 1;
          entry_member[index] = me;
          came[mine]++;
          break
       :: entry_generation[index] == mine + 1 -> index++
       :: else -> index = N
       fi
     }
#endif
  :: else -> break
  od
}

/* From what was seen, while the generation has not ended. */
inline break_it ()
{
  atomic
  {
    if
#ifdef FAULT_STORE_BREAK
    :: true -> word = WORD (BROKEN, mine, HISTORY (seen))
#else
    :: word == seen -> word = WORD (BROKEN, mine, HISTORY (seen))
    :: else
#endif
    fi
  }
}

proctype Party (byte me)
{
  byte mine, index, round;
  short seen;

  {
    do
    :: round < ROUNDS ->
       round++;
       /* The entry and the phase are not one word: an entry may be taken for a generation that
        * has ended meanwhile; it counts for nothing then. */
       atomic { seen = word; mine = GENERATION (seen) }
       if
       :: PHASE (seen) == BROKEN -> goto out
       :: else
       fi;
       enter ();
       if
       :: index == N -> round--; goto again
       :: else
       fi;
#ifdef FAULT_ONE_SHORT
       if
       :: index >= N - 2 ->
#else
       if
       :: index == N - 1 ->
#endif
          atomic
          {
            if
#ifdef FAULT_STORE_ACTION
            :: true ->
#else
            :: GENERATION (word) == mine && PHASE (word) == FILLING ->
#endif
               word = WORD (ACTION, mine, HISTORY (word));
               actions[mine]++;
               assert (actions[mine] == 1 && outcome[mine] == 0);
               assert (came[mine] == N);
               seen = word
            :: else -> goto wait
            fi
          }
          atomic
          {
            if
            :: word == seen -> word = WORD (FILLING, mine + 1, HISTORY (word) | (1 << mine))
            :: else
            fi
          }
       :: else
       fi;
    wait:
       waits_in[me] = mine + 1;
    end_waiting:
       do
       :: atomic
          {
            GENERATION (word) != mine || PHASE (word) == BROKEN -> seen = word;
            if
#ifdef FAULT_NO_HISTORY
            :: GENERATION (seen) != mine ->
#else
            :: GENERATION (seen) != mine && PASSED (seen, mine) ->
#endif
               told (1);
               assert (came[mine] == N && actions[mine] == 1);
               assert (!((indices[mine] >> index) & 1));
               indices[mine] = indices[mine] | (1 << index)
            :: else -> told (2)
            fi;
            break
          }
#ifndef FAULT_UNASKED
       :: atomic
          {
            GENERATION (word) == mine && PHASE (word) != BROKEN && DEAD_INSIDE (mine) ->
            seen = word
          }
          break_it ()
#endif
#ifdef TIMEOUTS
       :: atomic { me == 0 && GENERATION (word) == mine && PHASE (word) != BROKEN -> seen = word }
          break_it ()
#endif
       od;
    again:
       atomic { seen = 0; index = 0; mine = 0; waits_in[me] = 0 }
    :: round == ROUNDS -> break
    od;
  out:
    skip
  }
  unless
  {
    dead[me]
  }
  atomic { seen = 0; index = 0; mine = 0 }
}

/* When nothing moves any more: who waits still waits for somebody who has not come, and may. */
active proctype Watcher ()
{
  byte i;

end:
  timeout;
  atomic
  {
    for (i : 0 .. N - 1) {
      if
      :: waits_in[i] != 0 && !dead[i] ->
         assert (GENERATION (word) == waits_in[i] - 1 && PHASE (word) == FILLING);
         assert (!DEAD_INSIDE (GENERATION (word)));
         assert (came[GENERATION (word)] < N)
      :: else
      fi
    }
  }
}

/* reset: a broken barrier, or one that is being filled, begins anew. */
active proctype Resetter ()
{
  byte n;
  short seen;

end:
  do
  :: n < RESETS ->
     seen = word;
     atomic
     {
       if
       :: word == seen && PHASE (seen) != ACTION && GENERATION (seen) < GENERATIONS - 2 ->
          word = WORD (FILLING, GENERATION (seen) + 1, HISTORY (seen));
          n++
       :: else -> n++
       fi;
       seen = 0
     }
  :: else -> break
  od
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
    for (i : 0 .. N - 1) { run Party (i) }
    i = 0
  }
}
