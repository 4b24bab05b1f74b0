/* SPDX-License-Identifier: MIT */
/* Records in one chunk of shared memory: a ring of 8-byte units.
 *
 *   header | payload, padded to 8 | header | payload | ... | 0
 *
 * The header is the flag: the consumer polls the unit where the next record will start,
 * so flag and payload travel in one cache line and no index is shared.  The producer
 * fills in the payload, clears the unit after the record, then publishes by one store of
 * the header; old bytes are never read as a header, and whoever walks the headers from a
 * position that was true once stops exactly behind the last published record.
 *
 * A record never wraps, and the unit behind it always exists: the producer stands on a
 * free unit, so it can always write a header without a payload there (SKIP, LINK).
 * Units are counted from the chunk's start; producer and consumer on the same unit means
 * empty. */
#ifndef MPROC_RING_H
#define MPROC_RING_H

#include "atomic.h"

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  MPROC_RECORD_NONE, /* nothing there yet */
  MPROC_RECORD_SKIP, /* the record is at the chunk's start */
  MPROC_RECORD_LINK, /* the next one is at the start of the chunk named by the sequence */
  MPROC_RECORD_BYTES,
  MPROC_RECORD_VALUE,     /* a message, see message.h */
  MPROC_RECORD_BIG_BYTES, /* the payload names an arena block: MprocBigRecord */
  MPROC_RECORD_BIG_VALUE
} MprocRecordKind;

typedef struct
{
  guint64 block;
  guint64 size;
} MprocBigRecord;

typedef struct
{
  guint8 *data;
  guint32 units;
} MprocRing;

/* A record as the consumer sees it. */
typedef struct
{
  MprocRecordKind kind;
  guint32 sequence;
  gsize length;
  gpointer payload;
  guint32 next; /* the unit after it */
} MprocRecord;

#define MPROC_RING_FULL G_MAXUINT32

/* sequence: 32 bits, kind: 4, length in bytes: 28. */
static inline guint64
mproc_header (guint32 sequence, MprocRecordKind kind, gsize length)
{
  return (guint64) sequence << 32 | (guint64) kind << 28 | length;
}

static inline guint32
mproc_header_sequence (guint64 header)
{
  return (guint32) (header >> 32);
}

static inline MprocRecordKind
mproc_header_kind (guint64 header)
{
  return (MprocRecordKind) (header >> 28 & 0xf);
}

static inline gsize
mproc_header_length (guint64 header)
{
  return header & 0xfffffff;
}

/* The units that a payload takes with its header. */
static inline guint32
mproc_record_units (gsize length)
{
  return 1 + (guint32) ((length + 7) / 8);
}

static inline MprocAtomic64 *
mproc_ring_unit (const MprocRing *ring, guint32 unit)
{
  return (MprocAtomic64 *) (gpointer) (ring->data + (gsize) unit * 8);
}

/* ------------------------------------------------------------------ producer */

/* Where a record of @need units can start: at the tail, at the chunk's start, or
 * MPROC_RING_FULL.  One unit stays free for the header after it. */
static inline guint32
mproc_ring_place (const MprocRing *ring, guint32 tail, guint32 head, guint32 need)
{
  guint32 end = head > tail ? head : ring->units;

  if (G_LIKELY (tail + need < end))
    return tail;
  if (head <= tail && need < head)
    return 0;
  return MPROC_RING_FULL;
}

/* Makes a record visible whose payload stands behind unit @start.  Killed before the last
 * store: nothing happened; after it: the record is there, and only the producer's own
 * position is behind. */
static inline void
mproc_ring_publish (const MprocRing *ring,
                    guint32 tail,
                    guint32 start,
                    guint32 need,
                    guint64 header)
{
  atomic_store_explicit (mproc_ring_unit (ring, start + need), 0, memory_order_relaxed);
  MPROC_CRASH_POINT (PUT_CLEARED);
  if (G_UNLIKELY (start != tail))
    {
      atomic_store_explicit (mproc_ring_unit (ring, start), header, memory_order_relaxed);
      MPROC_CRASH_POINT (PUT_WRAPPED);
      header = mproc_header (0, MPROC_RECORD_SKIP, 0);
    }
  atomic_store_explicit (mproc_ring_unit (ring, tail), header, memory_order_release);
  mproc_crash_order ();
}

/* The unit behind the last record published from @tail on, and its sequence if there is
 * one: what a producer finds that died between publishing and noting it. */
guint32 mproc_ring_walk (const MprocRing *ring, guint32 tail, guint32 *sequence);

/* ------------------------------------------------------------------ consumer */

/* What is at @head; fills in @record (for LINK only its kind and sequence) unless there
 * is nothing. */
static inline MprocRecordKind
mproc_ring_peek (const MprocRing *ring, guint32 head, MprocRecord *record)
{
  guint64 header = mproc_load64 (mproc_ring_unit (ring, head));

  if (header == 0)
    return MPROC_RECORD_NONE;
  if (G_UNLIKELY (mproc_header_kind (header) == MPROC_RECORD_SKIP))
    {
      /* Written before the SKIP was: it is there. */
      head = 0;
      header = mproc_load64 (mproc_ring_unit (ring, head));
    }
  record->kind = mproc_header_kind (header);
  record->sequence = mproc_header_sequence (header);
  record->length = mproc_header_length (header);
  record->payload = mproc_ring_unit (ring, head + 1);
  record->next = head + mproc_record_units (record->length);
  return record->kind;
}

G_END_DECLS

#endif
