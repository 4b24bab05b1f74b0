/* SPDX-License-Identifier: MIT */
#include "queue/chain.h"

#include "family/family.h"

#include <string.h>

/* The first chunk, and the next ones: of a size that the allocator reuses as it is while
 * the backlog is short, so that the ups and downs of a busy queue touch no fresh page;
 * of one whose pages go back to the system when the backlog is gone, once it is long.
 * All a little less, so that the size class is met with the allocator's own header in
 * it. */
#define FIRST_CHUNK (64 * 1024 - 128)
#define SHORT_CHUNK (128 * 1024 - 128)
#define LONG_CHUNK (1024 * 1024 - 128)
#define SHORT_BACKLOG 128 /* chunks */

/* What stands before the units. */
typedef struct
{
  _Alignas(MPROC_CHUNK_GRANULE) MprocOffset block;
  guint32 units;
} Chunk;

G_STATIC_ASSERT (sizeof (Chunk) == MPROC_CHUNK_GRANULE);
G_STATIC_ASSERT (sizeof (MprocChain) == 3 * 128);
/* What each put and get touches is one line. */
G_STATIC_ASSERT (offsetof (MprocProducer, giving) <= 64);
G_STATIC_ASSERT (offsetof (MprocConsumer, taking) <= 64);

static Chunk *
chunk_at (guint32 granule)
{
  return mproc_arena_at ((MprocOffset) granule * MPROC_CHUNK_GRANULE, sizeof (Chunk));
}

static MprocAtomic64 *
unit_of (guint32 granule, guint32 unit)
{
  return (MprocAtomic64 *) (gpointer) ((guint8 *) (chunk_at (granule) + 1) +
                                       (gsize) unit * 8);
}

/* A chunk of about @size bytes, empty.  0 with error. */
static guint32
chunk_new (gsize size, GError **error)
{
  MprocOffset block = mproc_arena_alloc (size, error);
  MprocOffset start =
      (block + MPROC_CHUNK_GRANULE - 1) & ~(MprocOffset) (MPROC_CHUNK_GRANULE - 1);
  Chunk *chunk;
  gsize units;

  if (block == 0)
    return 0;
  chunk = mproc_arena_at (start, size - (start - block));
  units = (mproc_arena_block_size (block) - (start - block) - sizeof (Chunk)) / 8;
  chunk->block = block;
  chunk->units = (guint32) MIN (units, MPROC_CHUNK_MAX_UNITS);
  return (guint32) (start / MPROC_CHUNK_GRANULE);
}

static void
chunk_free (guint32 granule)
{
  if (granule != 0)
    mproc_arena_free (chunk_at (granule)->block);
}

void
mproc_chain_look_at (MprocView *view, MprocPosition position)
{
  MprocOffset at = (MprocOffset) MPROC_POSITION_GRANULE (position) * MPROC_CHUNK_GRANULE;
  Chunk *chunk = mproc_arena_at (at, sizeof (Chunk));

  /* Another thread may fork meanwhile: the child must not find one chunk's name on
   * another's ring. */
  view->chunk = 0;
  mproc_crash_order ();
  view->ring.units = chunk->units;
  view->ring.data = mproc_arena_at (at + sizeof (Chunk), (gsize) chunk->units * 8);
  mproc_crash_order ();
  view->chunk = MPROC_POSITION_CHUNK (position);
}

/* ------------------------------------------------------------------ links */

static gsize
choose_size (MprocChain *chain)
{
  guint32 first = MPROC_POSITION_SERIAL (mproc_load64 (&chain->consumer.head));
  guint32 last = MPROC_POSITION_SERIAL (mproc_load64 (&chain->producer.tail));

  return ((last - first) & 0xffff) < SHORT_BACKLOG ? SHORT_CHUNK : LONG_CHUNK;
}

/* An empty chunk: the spare, unless it is smaller than wanted. */
static guint32
next_chunk (MprocChain *chain, GError **error)
{
  guint32 granule = atomic_exchange_explicit (&chain->spare, 0, memory_order_acq_rel);
  gsize size = choose_size (chain);

  if (granule != 0 && (gsize) chunk_at (granule)->units * 8 < size / 2)
    {
      chunk_free (granule);
      granule = 0;
    }
  return granule != 0 ? granule : chunk_new (size, error);
}

/* Where the consumer is, if it is in the chunk of @tail; else at its start. */
static guint32
head_in_chunk (MprocChain *chain, MprocPosition tail)
{
  MprocPosition head = mproc_load64 (&chain->consumer.head);

  return MPROC_POSITION_CHUNK (head) == MPROC_POSITION_CHUNK (tail)
             ? MPROC_POSITION_UNIT (head)
             : 0;
}

static void
publish_link (MprocPosition at, MprocPosition to)
{
  mproc_store64 (unit_of (MPROC_POSITION_GRANULE (at), MPROC_POSITION_UNIT (at)),
                 mproc_header (MPROC_POSITION_GRANULE (to), MPROC_RECORD_LINK, 0));
  mproc_crash_order ();
}

/* Goes on in a new chunk.  The tail leaves the old one before the LINK is published:
 * after that the old chunk is the consumer's, who may free it, and a tail that named it
 * would send the next producer into memory that is something else by then. */
static gboolean
link_chunk (MprocChain *chain, MprocView *view, GError **error)
{
  MprocProducer *producer = &chain->producer;
  MprocPosition from = atomic_load_explicit (&producer->tail, memory_order_relaxed);
  guint32 granule = next_chunk (chain, error);
  MprocPosition to = mproc_position (granule, MPROC_POSITION_SERIAL (from) + 1, 0);
  gboolean guarded;

  if (granule == 0)
    return FALSE;
  MPROC_CRASH_POINT (LINK_CHUNK_MADE);
  /* Killed from here on: the sweep frees the chunk. */
  guarded = mproc_intent_begin (chunk_at (granule)->block);
  MPROC_CRASH_POINT (LINK_GUARDED);
  atomic_store_explicit (unit_of (granule, 0), 0, memory_order_relaxed);
  mproc_store64 (&producer->link_at, from);
  atomic_store_explicit (&producer->head_seen, 0, memory_order_relaxed);
  mproc_crash_order ();
  MPROC_CRASH_POINT (LINK_NOTED);
  /* Killed from here on: the chunk is lost (a few instructions). */
  if (guarded)
    mproc_intent_end (chunk_at (granule)->block);
  mproc_crash_order ();
  MPROC_CRASH_POINT (LINK_UNGUARDED);
  mproc_store64 (&producer->tail, to);
  mproc_crash_order ();
  MPROC_CRASH_POINT (LINK_MOVED);
  /* Killed from here on: the next producer finds link_at in another chunk than tail. */
  publish_link (from, to);
  MPROC_CRASH_POINT (LINK_PUBLISHED);
  mproc_store64 (&producer->link_at, 0);
  MPROC_CRASH_POINT (LINK_DONE);
  mproc_chain_look_at (view, to);
  return TRUE;
}

gboolean
mproc_chain_make_room (MprocChain *chain, MprocView *view, MprocRoom *room)
{
  MprocProducer *producer = &chain->producer;
  MprocPosition tail = atomic_load_explicit (&producer->tail, memory_order_relaxed);
  guint32 head = head_in_chunk (chain, tail);

  atomic_store_explicit (&producer->head_seen, head, memory_order_relaxed);
  room->start = mproc_ring_place (&view->ring, room->tail, head, room->need);
  return room->start != MPROC_RING_FULL;
}

gboolean
mproc_chain_extend (MprocChain *chain, MprocView *view, MprocRoom *room, GError **error)
{
  if (!link_chunk (chain, view, error))
    return FALSE;
  room->tail = 0;
  room->start = 0;
  room->payload = mproc_ring_unit (&view->ring, 1);
  return TRUE;
}

/* The consumer's half: the head leaves the old chunk, which then is nobody's.  Killed
 * before it is the spare: it is lost. */
void
mproc_chain_follow_link (MprocChain *chain, guint32 granule)
{
  MprocPosition from = atomic_load_explicit (&chain->consumer.head, memory_order_relaxed);
  guint32 serial = MPROC_POSITION_SERIAL (from) + 1;
  guint32 spare;

  mproc_store64 (&chain->consumer.head, mproc_position (granule, serial, 0));
  mproc_crash_order ();
  MPROC_CRASH_POINT (FOLLOW_MOVED);
  spare = atomic_exchange_explicit (&chain->spare, MPROC_POSITION_GRANULE (from),
                                    memory_order_acq_rel);
  MPROC_CRASH_POINT (FOLLOW_SPARED);
  chunk_free (spare);
}

/* ------------------------------------------------------------------ blocks */

/* Blocks are 16-aligned in an arena of at most 64 GiB. */
static guint64
transfer (MprocOffset block, guint32 owner)
{
  return (guint64) owner << 32 | block >> 4;
}

#define TRANSFER_BLOCK(word) (((word) &0xffffffff) << 4)
#define TRANSFER_OWNER(word) ((guint32) ((word) >> 32))

/* From here on the sweep of the owner keeps its hands off the block. */
void
mproc_chain_give (MprocChain *chain, MprocOffset block, guint32 owner)
{
  MprocProducer *producer = &chain->producer;

  mproc_store32 (&producer->giving_as, mproc_load32 (&producer->put) + 1);
  mproc_crash_order ();
  MPROC_CRASH_POINT (GIVE_NUMBERED);
  mproc_store64 (&producer->giving, transfer (block, owner));
  mproc_crash_order ();
  MPROC_CRASH_POINT (GIVE_NOTED);
  mproc_arena_own (block, owner | 1);
  MPROC_CRASH_POINT (GIVE_OWNED);
}

void
mproc_chain_given (MprocChain *chain)
{
  mproc_store64 (&chain->producer.giving, 0);
  mproc_crash_order ();
  MPROC_CRASH_POINT (GIVE_CLEARED);
}

void
mproc_chain_take (MprocChain *chain, MprocOffset block, guint32 owner)
{
  mproc_arena_own (block, owner);
  MPROC_CRASH_POINT (TAKE_OWNED);
  mproc_store64 (&chain->consumer.taking, transfer (block, owner));
  mproc_crash_order ();
  MPROC_CRASH_POINT (TAKE_NOTED);
}

void
mproc_chain_taken (MprocChain *chain)
{
  mproc_crash_order ();
  mproc_store64 (&chain->consumer.taking, 0);
  mproc_crash_order ();
  MPROC_CRASH_POINT (TAKE_CLEARED);
}

/* After the walk: put is the last that was published.  Not published, the block is still
 * the dead one's, or half given; its sweep may have freed it. */
static void
finish_giving (MprocChain *chain)
{
  MprocProducer *producer = &chain->producer;
  guint64 giving = mproc_load64 (&producer->giving);
  MprocOffset block = TRANSFER_BLOCK (giving);

  if (giving == 0)
    return;
  if (mproc_load32 (&producer->put) != mproc_load32 (&producer->giving_as) &&
      !mproc_arena_free_of (block, TRANSFER_OWNER (giving)))
    mproc_arena_free_of (block, TRANSFER_OWNER (giving) | 1);
  MPROC_CRASH_POINT (GIVE_FINISHED);
  mproc_chain_given (chain);
}

static gboolean
names_block (const MprocRecord *record, MprocOffset block)
{
  MprocBigRecord big;

  if (record->kind < MPROC_RECORD_BIG_BYTES)
    return FALSE;
  memcpy (&big, record->payload, sizeof big);
  return big.block == block;
}

/* @record: at the head, NULL if there is none. */
static void
finish_taking (MprocChain *chain, const MprocRecord *record)
{
  guint64 taking = mproc_load64 (&chain->consumer.taking);
  MprocOffset block = TRANSFER_BLOCK (taking);

  if (taking == 0)
    return;
  if (record == NULL || !names_block (record, block))
    mproc_arena_free_of (block, TRANSFER_OWNER (taking));
  MPROC_CRASH_POINT (TAKE_FINISHED);
  mproc_chain_taken (chain);
}

/* ------------------------------------------------------------------ counts */

/* The word of a sequence stays right until the one after the next: so if the sequence is
 * still the same afterwards, what was read belongs to it. */
static guint64
read_bytes (MprocAtomic32 *last, MprocAtomic64 bytes[2])
{
  guint32 sequence;
  guint64 result;

  do
    {
      sequence = mproc_load32 (last);
      result = mproc_load64 (&bytes[sequence & 1]);
    }
  while (mproc_load32 (last) != sequence);
  return result;
}

guint64
mproc_chain_bytes_taken (MprocChain *chain)
{
  return read_bytes (&chain->consumer.taken, chain->consumer.bytes);
}

guint64
mproc_chain_bytes_put (MprocChain *chain)
{
  return read_bytes (&chain->producer.put, chain->producer.bytes);
}

/* ------------------------------------------------------------------ recovery */

/* Finishes a link whose tail has moved already.  A consumer that is in the tail's chunk
 * has seen the LINK, and the old chunk is gone.  Otherwise it is looked at, then the
 * consumer once more: if it has still not come over, the old chunk was in the chain
 * while we looked, and if there was no LINK it stays there until we have written one. */
static void
finish_link (MprocChain *chain, MprocPosition from, MprocPosition to)
{
  MprocAtomic64 *head = &chain->consumer.head;
  guint64 header;

  if (MPROC_POSITION_CHUNK (mproc_load64 (head)) == MPROC_POSITION_CHUNK (to))
    return;
  header =
      mproc_load64 (unit_of (MPROC_POSITION_GRANULE (from), MPROC_POSITION_UNIT (from)));
  if (header == 0 &&
      MPROC_POSITION_CHUNK (mproc_load64 (head)) != MPROC_POSITION_CHUNK (to))
    publish_link (from, to);
}

void
mproc_chain_recover_producer (MprocChain *chain, MprocView *view)
{
  MprocProducer *producer = &chain->producer;
  MprocPosition tail = mproc_load64 (&producer->tail);
  MprocPosition from = mproc_load64 (&producer->link_at);
  guint32 sequence = mproc_load32 (&producer->put);
  guint32 unit;

  if (from != 0 && MPROC_POSITION_CHUNK (from) != MPROC_POSITION_CHUNK (tail))
    finish_link (chain, from, tail);
  MPROC_CRASH_POINT (LINK_REPAIRED);
  mproc_store64 (&producer->link_at, 0);
  MPROC_CRASH_POINT (LINK_FORGOTTEN);
  mproc_chain_look_at (view, tail);
  unit = mproc_ring_walk (&view->ring, MPROC_POSITION_UNIT (tail), &sequence);
  /* In this order, as when publishing: killed in between, the walk is done again. */
  mproc_store32 (&producer->put, sequence);
  mproc_crash_order ();
  MPROC_CRASH_POINT (PUT_RECOUNTED);
  mproc_store64 (&producer->tail, view->chunk << 18 | unit);
  MPROC_CRASH_POINT (PUT_REPAIRED);
  mproc_store32 (&producer->taken_seen, mproc_load32 (&chain->consumer.taken));
  mproc_store64 (&producer->bytes_seen, mproc_chain_bytes_taken (chain));
  mproc_store32 (&producer->head_seen, head_in_chunk (chain, tail));
  finish_giving (chain);
}

void
mproc_chain_recover_consumer (MprocChain *chain, MprocView *view)
{
  MprocRecord record;
  gboolean found = mproc_chain_peek (chain, view, &record);

  /* Nothing at the head: the count was stored before the head moved, and is right. */
  if (found)
    mproc_store32 (&chain->consumer.taken, record.sequence - 1);
  MPROC_CRASH_POINT (GET_REPAIRED);
  finish_taking (chain, found ? &record : NULL);
}

/* ------------------------------------------------------------------ life */

gboolean
mproc_chain_init (MprocChain *chain, GError **error)
{
  guint32 granule = chunk_new (FIRST_CHUNK, error);
  MprocPosition start = mproc_position (granule, 0, 0);

  if (granule == 0)
    return FALSE;
  atomic_store_explicit (unit_of (granule, 0), 0, memory_order_relaxed);
  mproc_store64 (&chain->consumer.head, start);
  mproc_store64 (&chain->producer.tail, start);
  return TRUE;
}

void
mproc_chain_clear (MprocChain *chain)
{
  MprocPosition head = mproc_load64 (&chain->consumer.head);

  if (head != 0)
    chunk_free (MPROC_POSITION_GRANULE (head));
  chunk_free (mproc_load32 (&chain->spare));
}
