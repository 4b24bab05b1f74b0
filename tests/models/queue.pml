/* SPDX-License-Identifier: MIT */
/* The chain of a queue: src/queue/chain.h, src/queue/chain.c, src/arena/ring.h, with the locks of src/queue/queueput.c,
 * src/queue/queueget.c and mproc_queue_lock_slowly.
 *
 *   reserve, make_room, link_chunk, publish, peek, follow_link, advance, finish_link,
 *   recover_producer, recover_consumer     as there
 *   put, get                               try_put, try_get
 *
 * reserve is find_room and extend in one: a producer that is ahead (queuepace.c) gives the lock back
 * between the two and begins again, as if it came only then; all that its first look has changed is
 * head_seen, which is true.  A consumer that goes without the lock, since another has it and nothing
 * is counted (mproc_queue_lock_to_get), has not been here.
 *
 * Each store of a word that others read, and each read of one that others write, is a step; a
 * process may be killed before each.  What only the holder of a lock touches is read along with
 * the next step.  The locks are those of lockword.pml, in one step; the sleep is sleepers.pml's.
 * A record is a header and one unit of payload, which looks like a header; a chunk has five
 * units, room for two records, which may be gone round in when both are taken.  A chunk that has
 * been given back holds anything.  In the end a living one takes both locks and all that is left.
 *
 *   run: one-one       safe holds     -DPRODUCERS=1 -DCONSUMERS=1 -DRECORDS=5 -DDEATHS=1
 *   run: two-producers safe holds     -DPRODUCERS=2 -DCONSUMERS=1 -DRECORDS=2 -DDEATHS=1
 *   run: two-consumers safe holds     -DPRODUCERS=1 -DCONSUMERS=2 -DRECORDS=4 -DDEATHS=1
 *   run: two-two       safe holds     -DPRODUCERS=2 -DCONSUMERS=2 -DRECORDS=2
 *   run: header-first  safe assertion -DPRODUCERS=1 -DCONSUMERS=1 -DRECORDS=2 -DFAULT_HEADER_FIRST
 *   run: not-cleared   safe assertion -DPRODUCERS=1 -DCONSUMERS=1 -DRECORDS=3 -DFAULT_NOT_CLEARED
 *   run: skip-first    safe assertion -DPRODUCERS=1 -DCONSUMERS=1 -DRECORDS=3 -DFAULT_SKIP_FIRST
 *   run: link-first    safe assertion -DPRODUCERS=2 -DCONSUMERS=1 -DRECORDS=2 -DDEATHS=1 -DFAULT_LINK_FIRST
 *   run: unfinished    safe assertion -DPRODUCERS=2 -DCONSUMERS=1 -DRECORDS=2 -DDEATHS=1 -DFAULT_UNFINISHED_LINK
 *   run: intent-late   safe assertion -DPRODUCERS=1 -DCONSUMERS=1 -DRECORDS=3 -DDEATHS=1 -DFAULT_INTENT_LATE
 *   run: not-walked    safe assertion -DPRODUCERS=1 -DCONSUMERS=1 -DRECORDS=2 -DDEATHS=1 -DFAULT_NOT_WALKED
 *   run: tail-first    safe assertion -DPRODUCERS=1 -DCONSUMERS=1 -DRECORDS=2 -DDEATHS=1 -DFAULT_TAIL_FIRST
 *   run: head-first    safe assertion -DPRODUCERS=1 -DCONSUMERS=1 -DRECORDS=2 -DDEATHS=1 -DFAULT_HEAD_FIRST
 *   run: unrecovered   safe assertion -DPRODUCERS=1 -DCONSUMERS=1 -DRECORDS=2 -DDEATHS=1 -DFAULT_UNRECOVERED
 */
#ifndef DEATHS
#define DEATHS 0
#endif
#ifndef LOOKS
#define LOOKS 1
#endif
#define N (PRODUCERS + CONSUMERS)
#define CHUNKS 5
#define UNITS 5
#define NEED 2 /* units of a record */
#define FULL 15

/* A header: nothing, SKIP, LINK to a chunk, a record's sequence. */
#define SKIP 1
#define LINK(chunk) (2 + (chunk))
#define IS_LINK(header) ((header) >= 2 && (header) < 10)
#define LINKED(header) ((header) - 2)
#define RECORD(sequence) (10 + (sequence))
#define SEQUENCE(header) ((header) - 10)

#define POSITION(chunk, serial, at) (((chunk) + 1) * 256 + (serial) * 16 + (at))
#define CHUNK(position) ((position) / 256 - 1)
#define SERIAL(position) (((position) / 16) % 16)
#define UNIT(position) ((position) % 16)
#define SAME_CHUNK(a, b) ((a) / 16 == (b) / 16)

byte units[CHUNKS * UNITS];
bool in_use[CHUNKS];
#define AT(chunk, at) units[(chunk) * UNITS + (at)]

byte producer_lock;
byte put_count;
short tail = POSITION (0, 0, 0);
byte head_seen;
short link_at;
byte consumer_lock;
byte taken_count;
short head = POSITION (0, 0, 0);
byte spare; /* chunk + 1 */

byte intent[N + 1]; /* chunk + 1 */
bool dead[N + 1];
byte n_over;
byte n_producers_over;
byte deaths;

/* What is true, for the assertions only.  Values are 1, 2, ..., those of a producer in a row. */
#define VALUES (PRODUCERS * RECORDS)
#define IN_QUEUE 1
#define GONE 2
byte whereabouts[VALUES + 1];
bool complete[VALUES + 1]; /* its put has returned */
byte last_of[PRODUCERS];   /* taken */
byte n_published;
byte n_taken;

inline allocate ()
{
  atomic
  {
    chunk = 0;
    do
    :: chunk < CHUNKS && in_use[chunk] -> chunk++
    :: else -> break
    od;
    assert (chunk < CHUNKS);
    in_use[chunk] = true
  }
}

inline store (POS, WHERE, WHAT)
{
  atomic
  {
    assert (in_use[CHUNK (POS)]);
    AT (CHUNK (POS), WHERE) = WHAT
  }
}

inline lock (WORD)
{
  atomic
  {
    WORD == 0 || dead[WORD - 1];
    recovered = (WORD != 0);
    WORD = me + 1
  }
}

/* ------------------------------------------------------------------ producer */

inline place (HEAD)
{
  if
  :: HEAD > UNIT (tail) && UNIT (tail) + NEED < HEAD -> start = UNIT (tail)
  :: HEAD <= UNIT (tail) && UNIT (tail) + NEED < UNITS -> start = UNIT (tail)
  :: else ->
     if
     :: HEAD <= UNIT (tail) && NEED < HEAD -> start = 0
     :: else -> start = FULL
     fi
  fi
}

inline link_chunk ()
{
  atomic { chunk = spare; spare = 0; from = tail }
  if
  :: chunk == 0 -> allocate ()
  :: else -> chunk--
  fi;
  intent[me] = chunk + 1;
  to = POSITION (chunk, SERIAL (from) + 1, 0);
  store (to, 0, 0);
  link_at = from;
  head_seen = 0;
#ifndef FAULT_INTENT_LATE
  intent[me] = 0;
#endif
#ifdef FAULT_LINK_FIRST
  store (from, UNIT (from), LINK (chunk));
  tail = to;
#else
  tail = to;
  store (from, UNIT (from), LINK (chunk));
#endif
#ifdef FAULT_INTENT_LATE
  intent[me] = 0;
#endif
  atomic { link_at = 0; from = 0; to = 0; start = 0; chunk = 0 }
}

inline reserve ()
{
  atomic { place (head_seen) }
  if
  :: start == FULL -> /* make_room */
     atomic
     {
       if
       :: SAME_CHUNK (head, tail) -> at = UNIT (head)
       :: else -> at = 0
       fi
     }
     atomic { head_seen = at; place (at); at = 0 }
     if
     :: start == FULL -> link_chunk ()
     :: else
     fi
  :: else
  fi
}

inline published ()
{
  n_published++;
  whereabouts[value] = IN_QUEUE
}

inline publish ()
{
#ifndef FAULT_NOT_CLEARED
  store (tail, start + NEED, 0);
#endif
  if
  :: start != UNIT (tail) ->
#ifdef FAULT_SKIP_FIRST
     atomic { store (tail, UNIT (tail), SKIP); published () }
     store (tail, start, RECORD (put_count + 1))
#else
     store (tail, start, RECORD (put_count + 1));
     atomic { store (tail, UNIT (tail), SKIP); published () }
#endif
  :: else ->
     atomic { store (tail, start, RECORD (put_count + 1)); published () }
  fi;
#ifdef FAULT_HEADER_FIRST
  store (tail, start + 1, 10 + value);
#endif
#ifdef FAULT_TAIL_FIRST
  tail = POSITION (CHUNK (tail), SERIAL (tail), start + NEED);
  put_count = put_count + 1
#else
  put_count = put_count + 1;
  tail = POSITION (CHUNK (tail), SERIAL (tail), start + NEED)
#endif
}

inline finish_link ()
{
  if
  :: SAME_CHUNK (head, tail)
  :: else ->
     atomic
     {
       if
       :: in_use[CHUNK (link_at)] -> header = AT (CHUNK (link_at), UNIT (link_at))
       :: !in_use[CHUNK (link_at)] -> header = 0
       :: !in_use[CHUNK (link_at)] -> header = SKIP
       fi
     }
     if
     :: atomic { header == 0 && !SAME_CHUNK (head, tail) -> header = 0 }
        store (link_at, UNIT (link_at), LINK (CHUNK (tail)))
     :: else
     fi;
     header = 0
  fi
}

inline recover_producer ()
{
#ifndef FAULT_UNFINISHED_LINK
  if
  :: link_at != 0 && !SAME_CHUNK (link_at, tail) -> finish_link ()
  :: else
  fi;
#endif
  link_at = 0;
  atomic /* the walk: nobody writes here but us */
  {
    at = UNIT (tail);
    sequence = put_count;
#ifndef FAULT_NOT_WALKED
    do
    :: true ->
       header = AT (CHUNK (tail), at);
       if
       :: header == SKIP -> at = 0; header = AT (CHUNK (tail), at)
       :: else
       fi;
       if
       :: header >= 10 -> sequence = SEQUENCE (header); at = at + NEED
       :: else -> break
       fi
    od;
#endif
    header = 0
  }
  put_count = sequence;
  atomic { tail = POSITION (CHUNK (tail), SERIAL (tail), at); at = 0; sequence = 0 }
  atomic
  {
    if
    :: SAME_CHUNK (head, tail) -> at = UNIT (head)
    :: else -> at = 0
    fi
  }
  atomic { head_seen = at; at = 0 }
}

inline lock_producers ()
{
  lock (producer_lock);
#ifndef FAULT_UNRECOVERED
  if
  :: recovered -> recover_producer ()
  :: else
  fi;
#endif
  atomic { assert (put_count == n_published); recovered = false }
}

inline put ()
{
  lock_producers ();
  reserve ();
#ifndef FAULT_HEADER_FIRST
  store (tail, start + 1, 10 + value);
#endif
  publish ();
  atomic { producer_lock = 0; start = 0; complete[value] = true }
}

/* ------------------------------------------------------------------ consumer */

/* Sets header (0: there is nothing) and at, the record's unit. */
inline peek ()
{
  do
  :: atomic
     {
       assert (in_use[CHUNK (head)]);
       at = UNIT (head);
       header = AT (CHUNK (head), at);
       if
       :: header == SKIP -> at = 0; header = AT (CHUNK (head), at)
       :: else
       fi;
       assert (header != 0 || n_published == n_taken) /* what is there is seen */
     }
     if
     :: IS_LINK (header) -> /* follow_link */
        atomic
        {
          chunk = CHUNK (head);
          head = POSITION (LINKED (header), SERIAL (head) + 1, 0)
        }
        atomic { old = spare; spare = chunk + 1; chunk = 0 }
        atomic
        {
          if
          :: old != 0 -> in_use[old - 1] = false
          :: else
          fi;
          old = 0
        }
     :: else -> break
     fi
  od
}

inline moved_behind ()
{
  assert (SEQUENCE (header) == n_taken + 1);
  n_taken++;
  assert (value >= 1 && value <= VALUES);
  assert (whereabouts[value] == IN_QUEUE);
  whereabouts[value] = GONE;
  assert (last_of[(value - 1) / RECORDS] < value);
  last_of[(value - 1) / RECORDS] = value
}

inline take ()
{
  atomic { value = AT (CHUNK (head), at + 1) - 10 }
#ifdef FAULT_HEAD_FIRST
  atomic { head = POSITION (CHUNK (head), SERIAL (head), at + NEED); moved_behind () }
  taken_count = SEQUENCE (header)
#else
  taken_count = SEQUENCE (header);
  atomic { head = POSITION (CHUNK (head), SERIAL (head), at + NEED); moved_behind () }
#endif
}

inline lock_consumers ()
{
  lock (consumer_lock);
#ifndef FAULT_UNRECOVERED
  if
  :: recovered ->
     peek ();
     if
     :: header != 0 -> taken_count = SEQUENCE (header) - 1
     :: else
     fi
  :: else
  fi;
#endif
  atomic { assert (taken_count == n_taken); recovered = false; header = 0; at = 0 }
}

inline get ()
{
  lock_consumers ();
  peek ();
  if
  :: header != 0 -> take ()
  :: else
  fi;
  atomic { consumer_lock = 0; header = 0; at = 0; value = 0 }
}

/* ------------------------------------------------------------------ processes */

inline forget ()
{
  recovered = false;
  start = 0;
  at = 0;
  header = 0;
  sequence = 0;
  chunk = 0;
  old = 0;
  from = 0;
  to = 0;
  value = 0;
  n = 0
}

proctype Producer (byte me)
{
  bool recovered;
  byte start, at, header, sequence, chunk, old, value, n;
  short from, to;
  {
    do
    :: atomic { n < RECORDS -> n++; value = me * RECORDS + n }
       put ()
    :: n == RECORDS -> break
    od
  }
  unless
  {
    dead[me]
  }
  atomic { forget (); n_producers_over++; n_over++ }
}

proctype Consumer (byte me)
{
  bool recovered;
  byte start, at, header, sequence, chunk, old, value, n;
  short from, to;
  {
    do
    :: n_published > n_taken -> get ()
    :: atomic { n < LOOKS -> n++ } get () /* in vain, or not by then */
    :: n_published == n_taken && n_producers_over == PRODUCERS -> break
    od
  }
  unless
  {
    dead[me]
  }
  atomic { forget (); n_over++ }
}

proctype Last (byte me)
{
  bool recovered;
  byte start, at, header, sequence, chunk, old, value, n;
  short from, to;

  n_over == N;
  lock_producers ();
  producer_lock = 0;
  lock_consumers ();
  consumer_lock = 0;
  atomic
  {
    assert (put_count - taken_count == n_published - n_taken);
    assert (link_at == 0);
    n = n_published - n_taken
  }
  do
  :: n > 0 -> get (); n--
  :: else -> break
  od;
  lock_consumers ();
  peek ();
  assert (header == 0);
  atomic
  {
    for (n : 1 .. VALUES) {
      assert (whereabouts[n] != IN_QUEUE);
      assert (!complete[n] || whereabouts[n] == GONE)
    }
  }
}

inline kill (i)
{
  atomic { !dead[i] && deaths < DEATHS && n_over < N -> dead[i] = true; deaths++ }
}

inline sweep (i)
{
  atomic { dead[i] && intent[i] != 0 -> in_use[intent[i] - 1] = false; intent[i] = 0 }
}

active proctype Killer ()
{
end:
  do
  :: kill (0)
  :: kill (1)
  :: sweep (0)
  :: sweep (1)
#if PRODUCERS + CONSUMERS > 2
  :: kill (2)
  :: sweep (2)
#endif
#if PRODUCERS + CONSUMERS > 3
  :: kill (3)
  :: sweep (3)
#endif
  od
}

init
{
  byte i;
  atomic
  {
    in_use[0] = true;
    for (i : 0 .. PRODUCERS - 1) { run Producer (i) }
    for (i : PRODUCERS .. N - 1) { run Consumer (i) }
    run Last (N);
    i = 0
  }
}
