/* SPDX-License-Identifier: MIT */
/* A chain of chunks, each a ring: what a queue keeps its records in.
 *
 * Producers work in the last chunk, under the producer lock; consumers in the first,
 * under the consumer lock; often it is the same one, and then they go round in it.  A
 * chunk that is full ends with a LINK to the next one.  The consumer that follows it has
 * the old chunk for itself, and keeps it as the spare that the next link uses, or frees
 * it.
 *
 * Each side is written under its lock, and whoever takes that lock over from the dead
 * calls the recover function of the side.  The other side may read it at any time.
 *
 * Model: tests/models/queue.pml */
#ifndef MPROC_CHAIN_H
#define MPROC_CHAIN_H

#include "arena/arena.h"
#include "arena/ring.h"

G_BEGIN_DECLS

/* A place in the chain, one word: the chunk (its offset in the arena in granules of 64
 * bytes, 30 bits, and a serial that each link raises, 16 bits) and the unit in it, 18
 * bits.  No two chunks of a chain have the same serial: 2^16 of them are more than the
 * arena holds. */
typedef guint64 MprocPosition;

#define MPROC_CHUNK_GRANULE 64
#define MPROC_CHUNK_MAX_UNITS ((1u << 18) - 1)

static inline MprocPosition
mproc_position (guint32 granule, guint32 serial, guint32 unit)
{
  return (guint64) granule << 34 | (guint64) (serial & 0xffff) << 18 | unit;
}

#define MPROC_POSITION_GRANULE(position) ((guint32) ((position) >> 34))
#define MPROC_POSITION_SERIAL(position) ((guint32) ((position) >> 18 & 0xffff))
#define MPROC_POSITION_UNIT(position) ((guint32) ((position) &0x3ffff))
#define MPROC_POSITION_CHUNK(position)                                                   \
  ((position) >> 18) /* which chunk, and which life of it */

/* The longest payload that goes into a chunk; what is longer gets a block of its own. */
#define MPROC_CHAIN_MAX_INLINE (16 * 1024)

typedef struct
{
  _Alignas(128) MprocAtomic32 lock;
  MprocAtomic32 put;  /* the sequence of the last record published */
  MprocAtomic64 tail; /* where the next one starts */
  MprocAtomic32
      head_seen; /* a unit the consumer had reached in this chunk; 0: not in it */
  MprocAtomic32 taken_seen; /* a count the consumer had reached */
  MprocAtomic64 link_at;    /* where a LINK is being made, 0 */
  MprocAtomic32 ended;  /* no more puts: set under the lock, so all before it are there */
  MprocAtomic32 notice; /* anything that is not as usual, see queuedata.h */
  MprocAtomic64 bytes[2];   /* where they are counted: see mproc_chain_count_put */
  MprocAtomic64 bytes_seen; /* a count of bytes the consumer had reached */
  MprocAtomic64 giving;     /* a block on its way into the chain, see mproc_chain_give */
  MprocAtomic32 giving_as;  /* the sequence of its record */
} MprocProducer;

typedef struct
{
  _Alignas(128) MprocAtomic32 lock;
  MprocAtomic32 taken;    /* the sequence of the last record taken */
  MprocAtomic64 head;     /* where the next one starts */
  MprocAtomic32 kept;     /* taken before dropping began */
  MprocAtomic32 dropping; /* whatever is left is thrown away; kept is stored before */
  MprocAtomic32 notice;   /* as the producers' */
  MprocAtomic64 bytes[2];
  MprocAtomic64 taking; /* a block on its way out, see mproc_chain_take */
} MprocConsumer;

typedef struct
{
  MprocProducer producer;
  MprocConsumer consumer;
  _Alignas(128) MprocAtomic32 spare; /* a chunk's granule, 0 */
} MprocChain;

/* A process's view of the chunk that one side works in; a cache, guarded by that side's
 * lock. */
typedef struct
{
  guint64 chunk; /* MPROC_POSITION_CHUNK; 0: none yet */
  MprocRing ring;
} MprocView;

/* Room for one record, found and not yet filled. */
typedef struct
{
  gpointer payload;
  guint32 tail;
  guint32 start;
  guint32 need;
} MprocRoom;

/* @chain is zeros.  Makes its first chunk. */
gboolean mproc_chain_init (MprocChain *chain, GError **error);

/* Frees the chunks; the records are the caller's to drop before. */
void mproc_chain_clear (MprocChain *chain);

void mproc_chain_recover_producer (MprocChain *chain, MprocView *view);
void mproc_chain_recover_consumer (MprocChain *chain, MprocView *view);

/* The slow parts of the functions below. */
void mproc_chain_look_at (MprocView *view, MprocPosition position);
gboolean mproc_chain_make_room (MprocChain *chain, MprocView *view, MprocRoom *room);
void mproc_chain_follow_link (MprocChain *chain, guint32 granule);

/* ------------------------------------------------------------- producer lock held */

/* Finds room for a payload of @length, at most MPROC_CHAIN_MAX_INLINE.  FALSE: the last
 * chunk is full. */
static inline gboolean
mproc_chain_find_room (MprocChain *chain, MprocView *view, gsize length, MprocRoom *room)
{
  MprocProducer *producer = &chain->producer;
  MprocPosition tail = atomic_load_explicit (&producer->tail, memory_order_relaxed);
  guint32 head = atomic_load_explicit (&producer->head_seen, memory_order_relaxed);

  if (G_UNLIKELY (view->chunk != MPROC_POSITION_CHUNK (tail)))
    mproc_chain_look_at (view, tail);
  room->tail = MPROC_POSITION_UNIT (tail);
  room->need = mproc_record_units (length);
  room->start = mproc_ring_place (&view->ring, room->tail, head, room->need);
  if (G_UNLIKELY (room->start == MPROC_RING_FULL) &&
      !mproc_chain_make_room (chain, view, room))
    return FALSE;
  room->payload = mproc_ring_unit (&view->ring, room->start + 1);
  return TRUE;
}

/* For what found no room: it goes into a new chunk.  FALSE with MPROC_ERROR_NO_MEMORY. */
gboolean
mproc_chain_extend (MprocChain *chain, MprocView *view, MprocRoom *room, GError **error);

/* The two of them. */
static inline gboolean
mproc_chain_reserve (MprocChain *chain,
                     MprocView *view,
                     gsize length,
                     MprocRoom *room,
                     GError **error)
{
  return mproc_chain_find_room (chain, view, length, room) ||
         mproc_chain_extend (chain, view, room, error);
}

/* The record in @room is there for all.  Killed after the header: the next producer
 * finds it by walking from the tail, and takes the sequence from it.  The sequence is
 * stored before the tail, because behind the tail there is nothing to read it from. */
static inline void
mproc_chain_publish (MprocChain *chain,
                     const MprocView *view,
                     const MprocRoom *room,
                     MprocRecordKind kind,
                     gsize length)
{
  MprocProducer *producer = &chain->producer;
  guint32 sequence = atomic_load_explicit (&producer->put, memory_order_relaxed) + 1;

  mproc_ring_publish (&view->ring, room->tail, room->start, room->need,
                      mproc_header (sequence, kind, length));
  MPROC_CRASH_POINT (PUT_PUBLISHED);
  mproc_store32 (&producer->put, sequence);
  mproc_crash_order ();
  MPROC_CRASH_POINT (PUT_COUNTED);
  mproc_store64 (&producer->tail, view->chunk << 18 | (room->start + room->need));
  mproc_crash_order ();
}

/* Where payloads are counted, before a record of @length is published.  There are two
 * words, so that the one of the last sequence is right whether or not the next one has
 * come to be: nothing has to be made good after a death. */
static inline void
mproc_chain_count_put (MprocChain *chain, guint64 length)
{
  MprocProducer *producer = &chain->producer;
  guint32 last = mproc_load32 (&producer->put);

  mproc_store64 (&producer->bytes[(last + 1) & 1],
                 mproc_load64 (&producer->bytes[last & 1]) + length);
  mproc_crash_order ();
}

/* A block that is @owner's goes into the chain with the next record: between the two
 * calls it is published.  Killed in between: the next producer frees the block if it has
 * not been. */
void mproc_chain_give (MprocChain *chain, MprocOffset block, guint32 owner);
void mproc_chain_given (MprocChain *chain);

/* ------------------------------------------------------------- consumer lock held */

/* The next record, which stays where it is. */
static inline gboolean
mproc_chain_peek (MprocChain *chain, MprocView *view, MprocRecord *record)
{
  for (;;)
    {
      MprocPosition head =
          atomic_load_explicit (&chain->consumer.head, memory_order_relaxed);
      MprocRecordKind kind;

      if (G_UNLIKELY (view->chunk != MPROC_POSITION_CHUNK (head)))
        mproc_chain_look_at (view, head);
      kind = mproc_ring_peek (&view->ring, MPROC_POSITION_UNIT (head), record);
      if (G_LIKELY (kind != MPROC_RECORD_LINK))
        return kind != MPROC_RECORD_NONE;
      mproc_chain_follow_link (chain, record->sequence);
    }
}

/* Moves behind @record, as peeked.  Killed between the two stores: the record is still
 * at the head, and the next consumer counts from its sequence.  The count is stored
 * first, because behind the head there may be nothing to count from. */
static inline void
mproc_chain_advance (MprocChain *chain, const MprocView *view, const MprocRecord *record)
{
  mproc_store32 (&chain->consumer.taken, record->sequence);
  mproc_crash_order ();
  MPROC_CRASH_POINT (GET_COUNTED);
  mproc_store64 (&chain->consumer.head, view->chunk << 18 | record->next);
  mproc_crash_order ();
}

/* The same for a record that is about to be taken. */
static inline void
mproc_chain_count_taken (MprocChain *chain, guint32 sequence, guint64 length)
{
  MprocConsumer *consumer = &chain->consumer;

  mproc_store64 (&consumer->bytes[sequence & 1],
                 mproc_load64 (&consumer->bytes[(sequence - 1) & 1]) + length);
  mproc_crash_order ();
}

/* A block becomes @owner's with the record that names it, which is the next one: between
 * the two calls the head moves.  Killed in between: the next consumer frees the block if
 * the head had moved and the sweep has not freed it. */
void mproc_chain_take (MprocChain *chain, MprocOffset block, guint32 owner);
void mproc_chain_taken (MprocChain *chain);

/* ------------------------------------------------------------------ anyone */

/* The bytes of all that have been taken, or put, so far, where they are counted. */
guint64 mproc_chain_bytes_taken (MprocChain *chain);
guint64 mproc_chain_bytes_put (MprocChain *chain);

/* How many records there are.  A member that died may have left it one off until the next
 * put or get. */
static inline guint32
mproc_chain_count (MprocChain *chain)
{
  guint32 taken = mproc_load32 (&chain->consumer.taken);
  guint32 n = mproc_load32 (&chain->producer.put) - taken;

  /* Taken while its producer had not noted it yet. */
  return n == G_MAXUINT32 ? 0 : n;
}

G_END_DECLS

#endif
