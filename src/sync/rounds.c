/* SPDX-License-Identifier: MIT */
#include "sync/rounds.h"

#include "family/family.h"

/* The state: generation << 3, whether the one before has passed, and the phase. */
#define PHASE 3u
#define FILLING 0u
#define FULL 1u /* all have come, and one of them says when they may go on */
#define BROKEN 2u
#define PASSED_BEFORE 4u
#define GENERATION_SHIFT 3

#define TOLD_PASSED 1u /* in an entry */
#define LISTENED 1u    /* in a bell */

static inline guint64
generation_of (guint64 state)
{
  return state >> GENERATION_SHIFT;
}

static inline guint32
phase_of (guint64 state)
{
  return (guint32) state & PHASE;
}

static inline MprocMember
member_of (guint64 entry)
{
  return (guint32) entry & ~TOLD_PASSED;
}

static inline gboolean
is_of (guint64 entry, guint64 generation)
{
  return (guint32) (entry >> 32) == (guint32) generation;
}

static inline guint64
make_entry (guint64 generation, MprocMember member)
{
  return generation << 32 | member;
}

static inline MprocAtomic64 *
entries_of (MprocRounds *self)
{
  return (MprocAtomic64 *) (gpointer) (self + 1);
}

/* Each generation starts with another entry, so that none stays unused until the numbers come
 * round again. */
static inline MprocAtomic64 *
entry_at (MprocRounds *self, guint64 generation, guint i)
{
  return &entries_of (self)[(generation % self->parties + i) % self->parties];
}

/* As far as the memory knows.  One who is leaving may have a thread that is in here still. */
static gboolean
is_known_dead (MprocMember member)
{
  MprocMemberState state = mproc_member_get_state (member);

  return state == MPROC_MEMBER_DEAD || state == MPROC_MEMBER_FREE;
}

/* ------------------------------------------------------------------ bells */

/* Listen, look, sleep: a ring in between changes the word.  The listener's mark comes before its
 * look, the ringer's change before its look for the mark, and everything here is in one order. */
static guint32
listen_to (MprocBell *bell)
{
  return atomic_fetch_or (&bell->word, LISTENED) | LISTENED;
}

static void
ring (MprocBell *bell)
{
  guint32 word = atomic_load (&bell->word);

  while (word & LISTENED)
    if (atomic_compare_exchange_weak (&bell->word, &word, (word + 2) & ~LISTENED))
      {
        MPROC_CRASH_POINT (ROUND_RANG);
        mproc_word_wake (&bell->word, G_MAXINT32);
        return;
      }
}

/* ------------------------------------------------------------------ states */

/* Generation 0 is when the entries were last used. */
void
mproc_rounds_init (MprocRounds *self, guint parties)
{
  self->parties = parties;
  atomic_store (&self->state, (guint64) 1 << GENERATION_SHIFT | FILLING);
}

static gboolean
change_state (MprocRounds *self, guint64 from, guint64 to)
{
  if (!atomic_compare_exchange_strong (&self->state, &from, to))
    return FALSE;
  MPROC_CRASH_POINT (ROUND_MOVED);
  ring (&self->end);
  ring (&self->place);
  return TRUE;
}

/* For those of the generation before who have not looked yet: once the next one has begun, the
 * state does not tell any more how theirs ended.  Only that it passed is noted; where nothing is,
 * it did not. */
static void
tell_those_before (MprocRounds *self, guint64 state)
{
  guint64 before = generation_of (state) - 1;

  if (!(state & PASSED_BEFORE))
    return;
  for (guint i = 0; i < self->parties; i++)
    {
      MprocAtomic64 *at = &entries_of (self)[i];
      guint64 entry = atomic_load (at);

      if (is_of (entry, before) && member_of (entry) != 0)
        atomic_compare_exchange_strong (at, &entry, entry | TOLD_PASSED);
    }
}

static gboolean
move_on (MprocRounds *self, guint64 state, gboolean passed)
{
  tell_those_before (self, state);
  MPROC_CRASH_POINT (ROUND_TOLD);
  return change_state (self, state,
                       (generation_of (state) + 1) << GENERATION_SHIFT | FILLING |
                           (passed ? PASSED_BEFORE : 0));
}

/* FALSE: the generation is over, and nothing is broken. */
static gboolean
break_generation (MprocRounds *self, guint64 generation)
{
  guint64 state;

  do
    {
      state = atomic_load (&self->state);
      if (generation_of (state) != generation || phase_of (state) == BROKEN)
        break;
    }
  while (!change_state (self, state, (state & ~(guint64) PHASE) | BROKEN));
  return generation_of (state) == generation;
}

gboolean
mproc_rounds_is_broken (MprocRounds *self)
{
  return phase_of (atomic_load (&self->state)) == BROKEN;
}

void
mproc_rounds_abort (MprocRounds *self)
{
  while (!break_generation (self, generation_of (atomic_load (&self->state))))
    ;
}

static guint
count_inside (MprocRounds *self, guint64 state)
{
  guint n = 0;

  for (guint i = 0; i < self->parties; i++)
    {
      guint64 entry = atomic_load (&entries_of (self)[i]);

      if (is_of (entry, generation_of (state)) && member_of (entry) != 0)
        n++;
    }
  return n;
}

guint
mproc_rounds_count_inside (MprocRounds *self)
{
  guint64 state = atomic_load (&self->state);

  return phase_of (state) == BROKEN ? 0 : count_inside (self, state);
}

void
mproc_rounds_reset (MprocRounds *self)
{
  guint64 state;

  do
    state = atomic_load (&self->state);
  while ((phase_of (state) != FILLING || count_inside (self, state) > 0) &&
         !move_on (self, state, FALSE));
}

/* One who died inside breaks the barrier; one who died after the end of its generation, before it
 * gave its entry back, is in the way of those who have none. */
static void
look_for_dead (MprocRounds *self)
{
  for (guint i = 0; i < self->parties; i++)
    {
      guint64 entry = atomic_load (&entries_of (self)[i]);
      guint64 generation = generation_of (atomic_load (&self->state));

      if (member_of (entry) == 0 || !mproc_member_is_dead (member_of (entry)))
        continue;
      if (is_of (entry, generation))
        break_generation (self, generation);
      else
        ring (&self->place);
    }
}

/* ------------------------------------------------------------------ arriving */

/* Used last in an earlier generation, and given back, unless its member is dead. */
static gboolean
is_vacant (guint64 entry, guint64 generation)
{
  guint32 age = (guint32) generation - (guint32) (entry >> 32);

  return age != 0 && age < G_MAXUINT32 / 2 &&
         (member_of (entry) == 0 || is_known_dead (member_of (entry)));
}

static gboolean
try_to_arrive (MprocRounds *self, MprocArrival *arrival)
{
  guint64 state = atomic_load (&self->state);
  guint64 generation = generation_of (state);

  if (phase_of (state) != FILLING)
    return FALSE;
  for (guint i = 0; i < self->parties; i++)
    {
      MprocAtomic64 *at = entry_at (self, generation, i);
      guint64 entry = atomic_load (at);

      if (is_vacant (entry, generation) &&
          atomic_compare_exchange_strong (at, &entry,
                                          make_entry (generation, mproc_self ())))
        {
          MPROC_CRASH_POINT (ROUND_ARRIVED);
          *arrival = (MprocArrival){ self, generation, at, i };
          return TRUE;
        }
    }
  return FALSE;
}

gboolean
mproc_rounds_arrive (MprocRounds *self, MprocArrival *arrival, gint64 deadline)
{
  while (!try_to_arrive (self, arrival))
    {
      guint32 heard = listen_to (&self->place);
      guint64 generation = generation_of (atomic_load (&self->state));
      gboolean late = g_get_monotonic_time () >= deadline;

      if (mproc_rounds_is_broken (self))
        return FALSE;
      /* One whose place is free for anyone who knows of his death must not cost a caller
       * without time the barrier. */
      if (late || mproc_watch_is_due (&self->watch))
        look_for_dead (self);
      if (try_to_arrive (self, arrival))
        return TRUE;
      if (late && break_generation (self, generation))
        return FALSE;
      if (!late)
        mproc_word_wait (&self->place.word, heard, deadline);
    }
  return TRUE;
}

static void
leave (MprocArrival *self)
{
  guint64 entry = atomic_load (self->entry);

  /* Somebody may just be telling us what we know already. */
  while (!atomic_compare_exchange_weak (self->entry, &entry,
                                        make_entry (self->generation, 0)))
    ;
  MPROC_CRASH_POINT (ROUND_LEFT);
  ring (&self->rounds->place);
}

/* ------------------------------------------------------------------ the end of a round */

/* From behind, where the empty ones are.  One whose death is known has come, but is not there any
 * more. */
static gboolean
have_all_come (MprocArrival *self)
{
  MprocRounds *rounds = self->rounds;

  for (guint i = rounds->parties; i-- > 0;)
    {
      guint64 entry = atomic_load (entry_at (rounds, self->generation, i));

      if (!is_of (entry, self->generation))
        return FALSE;
      if (is_known_dead (member_of (entry)))
        {
          break_generation (rounds, self->generation);
          return FALSE;
        }
    }
  return TRUE;
}

/* Of several who see that all have come one gets it.  Nobody waits for that, so no bell rings. */
gboolean
mproc_rounds_is_mine_to_finish (MprocArrival *self)
{
  guint64 state;

  if (!have_all_come (self))
    return FALSE;
  state = atomic_load (&self->rounds->state);
  return generation_of (state) == self->generation && phase_of (state) == FILLING &&
         atomic_compare_exchange_strong (&self->rounds->state, &state, state | FULL);
}

void
mproc_rounds_finish (MprocArrival *self, gboolean passed)
{
  guint64 state = atomic_load (&self->rounds->state);

  if (!passed)
    break_generation (self->rounds, self->generation);
  else if (generation_of (state) == self->generation && phase_of (state) == FULL)
    move_on (self->rounds, state, TRUE);
}

/* The state first: if two generations have begun since, the entry says what it ever will. */
static gboolean
is_over (MprocArrival *self, gboolean *passed)
{
  guint64 state = atomic_load (&self->rounds->state);
  guint64 generation = generation_of (state);

  if (generation == self->generation)
    *passed = FALSE;
  else if (generation == self->generation + 1)
    *passed = (state & PASSED_BEFORE) != 0;
  else
    *passed = (atomic_load (self->entry) & TOLD_PASSED) != 0;
  return generation != self->generation || phase_of (state) == BROKEN;
}

gboolean
mproc_rounds_wait (MprocArrival *self, gint64 deadline)
{
  MprocRounds *rounds = self->rounds;
  gboolean passed;

  while (!is_over (self, &passed))
    {
      guint32 heard = listen_to (&rounds->end);

      if (is_over (self, &passed))
        break;
      if (g_get_monotonic_time () >= deadline)
        {
          break_generation (rounds, self->generation);
          continue;
        }
      mproc_word_wait (&rounds->end.word, heard, deadline);
      if (!is_over (self, &passed) && mproc_watch_is_due (&rounds->watch))
        look_for_dead (rounds);
    }
  MPROC_CRASH_POINT (ROUND_PASSED);
  leave (self);
  return passed;
}
