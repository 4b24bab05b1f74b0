/* SPDX-License-Identifier: MIT */
/* Records in chunks: their order through wraps and links, and what a member leaves
 * behind that dies between two steps. */
#include "chains.h"

#include <string.h>

static void
fill (gpointer payload, guint32 number, gsize size)
{
  for (gsize i = 0; i < size; i++)
    ((guint8 *) payload)[i] = (guint8) (number + i);
}

static void
reserve (Fixture *self, guint32 number, gsize size, MprocRoom *room)
{
  ck_assert (mproc_chain_reserve (self->chain, &self->producer, size, room, NULL));
  fill (room->payload, number, size);
}

static void
put (Fixture *self, guint32 number, gsize size)
{
  MprocRoom room;

  reserve (self, number, size, &room);
  mproc_chain_publish (self->chain, &self->producer, &room, MPROC_RECORD_BYTES, size);
}

static gboolean
is_series (const guint8 *bytes, gsize size, guint32 from)
{
  for (gsize i = 0; i < size; i++)
    if (bytes[i] != (guint8) (from + i))
      return FALSE;
  return TRUE;
}

static void
expect (Fixture *self, guint32 number, gsize size, MprocRecord *record)
{
  ck_assert (mproc_chain_peek (self->chain, &self->consumer, record));
  ck_assert_uint_eq (record->sequence, number);
  ck_assert_uint_eq (record->length, size);
  ck_assert (is_series (record->payload, size, number));
}

static void
get (Fixture *self, guint32 number, gsize size)
{
  MprocRecord record;

  expect (self, number, size, &record);
  mproc_chain_advance (self->chain, &self->consumer, &record);
}

static void
expect_nothing (Fixture *self)
{
  MprocRecord record;

  ck_assert (!mproc_chain_peek (self->chain, &self->consumer, &record));
}

static guint32
granule_of_tail (Fixture *self)
{
  return MPROC_POSITION_GRANULE (mproc_load64 (&self->chain->producer.tail));
}

/* ------------------------------------------------------------------ in good order */

START_TEST (places_records)
{
  guint8 memory[80] = { 0 };
  MprocRing ring = { memory, 10 };

  /* The unit behind the record has to be there and to be free. */
  ck_assert_uint_eq (mproc_ring_place (&ring, 0, 0, 9), 0);
  ck_assert_uint_eq (mproc_ring_place (&ring, 0, 0, 10), MPROC_RING_FULL);
  ck_assert_uint_eq (mproc_ring_place (&ring, 5, 0, 4), 5);
  ck_assert_uint_eq (mproc_ring_place (&ring, 5, 0, 5), MPROC_RING_FULL);
  ck_assert_uint_eq (mproc_ring_place (&ring, 5, 5, 4), 5);
  ck_assert_uint_eq (mproc_ring_place (&ring, 7, 5, 4), 0);
  ck_assert_uint_eq (mproc_ring_place (&ring, 7, 4, 4), MPROC_RING_FULL);
  ck_assert_uint_eq (mproc_ring_place (&ring, 2, 7, 4), 2);
  ck_assert_uint_eq (mproc_ring_place (&ring, 3, 7, 4), MPROC_RING_FULL);
}
END_TEST

START_TEST (keeps_order_round_and_round)
{
  Fixture self;
  guint32 first;
  guint32 n = 0;

  fixture_init (&self);
  first = granule_of_tail (&self);
  expect_nothing (&self);
  for (guint32 i = 1; i <= 20000; i++)
    {
      put (&self, i, (i * 37) % 700);
      if (i > 20)
        {
          n++;
          get (&self, n, (n * 37) % 700);
        }
    }
  ck_assert_uint_eq (mproc_chain_count (self.chain), 20);
  /* It all went round in the first chunk. */
  ck_assert_uint_eq (granule_of_tail (&self), first);
  fixture_clear (&self);
}
END_TEST

START_TEST (grows_by_links)
{
  Fixture self;
  guint32 spare;

  fixture_init (&self);
  for (guint32 i = 1; i <= 10000; i++)
    put (&self, i, 1000);
  ck_assert_uint_eq (mproc_chain_count (self.chain), 10000);
  for (guint32 i = 1; i <= 10000; i++)
    get (&self, i, 1000);
  expect_nothing (&self);
  ck_assert_uint_eq (mproc_chain_count (self.chain), 0);
  spare = mproc_load32 (&self.chain->spare);
  ck_assert_uint_ne (spare, 0);
  /* The next one is that spare. */
  for (guint32 i = 10001; mproc_load32 (&self.chain->spare) != 0; i++)
    put (&self, i, 1000);
  ck_assert_uint_eq (granule_of_tail (&self), spare);
  fixture_clear (&self);
}
END_TEST

START_TEST (takes_records_of_any_length)
{
  Fixture self;
  guint32 n = 0;

  fixture_init (&self);
  for (gsize size = 0; size <= MPROC_CHAIN_MAX_INLINE; size += size < 40 ? 1 : 1237)
    {
      put (&self, ++n, size);
      put (&self, ++n, size);
      get (&self, n - 1, size);
      get (&self, n, size);
    }
  put (&self, ++n, MPROC_CHAIN_MAX_INLINE);
  get (&self, n, MPROC_CHAIN_MAX_INLINE);
  expect_nothing (&self);
  fixture_clear (&self);
}
END_TEST

/* ------------------------------------------------------------------ after a death */

static void
recover (Fixture *self)
{
  memset (&self->producer, 0, sizeof self->producer);
  memset (&self->consumer, 0, sizeof self->consumer);
  mproc_chain_recover_producer (self->chain, &self->producer);
  mproc_chain_recover_consumer (self->chain, &self->consumer);
}

START_TEST (producer_died_before_publishing)
{
  Fixture self;
  MprocRoom room;

  fixture_init (&self);
  put (&self, 1, 100);
  reserve (&self, 2, 200, &room);
  recover (&self);
  ck_assert_uint_eq (mproc_chain_count (self.chain), 1);
  put (&self, 2, 50);
  get (&self, 1, 100);
  get (&self, 2, 50);
  expect_nothing (&self);
  fixture_clear (&self);
}
END_TEST

/* _i: which of its notes it had made; 2: the record was wrapped. */
START_TEST (producer_died_after_publishing)
{
  Fixture self;
  MprocRoom room;
  guint32 n = 0;

  fixture_init (&self);
  do
    {
      put (&self, ++n, 1000);
      get (&self, n, 1000);
      reserve (&self, n + 1, 1000, &room);
    }
  while (_i == 2 && room.start == room.tail);
  mproc_ring_publish (&self.producer.ring, room.tail, room.start, room.need,
                      mproc_header (n + 1, MPROC_RECORD_BYTES, 1000));
  if (_i == 1)
    mproc_store32 (&self.chain->producer.put, n + 1);
  recover (&self);
  ck_assert_uint_eq (mproc_chain_count (self.chain), 1);
  put (&self, n + 2, 10);
  get (&self, n + 1, 1000);
  get (&self, n + 2, 10);
  expect_nothing (&self);
  ck_assert_uint_eq (mproc_chain_count (self.chain), 0);
  fixture_clear (&self);
}
END_TEST

/* Even if its record is gone already when the next producer comes. */
START_TEST (producer_died_and_was_overtaken)
{
  Fixture self;
  MprocRoom room;

  fixture_init (&self);
  reserve (&self, 1, 1000, &room);
  mproc_ring_publish (&self.producer.ring, room.tail, room.start, room.need,
                      mproc_header (1, MPROC_RECORD_BYTES, 1000));
  get (&self, 1, 1000);
  ck_assert_uint_eq (mproc_chain_count (self.chain), 0);
  recover (&self);
  ck_assert_uint_eq (mproc_chain_count (self.chain), 0);
  put (&self, 2, 10);
  get (&self, 2, 10);
  expect_nothing (&self);
  fixture_clear (&self);
}
END_TEST

/* Fills the chunk and links the next one: the chain as it is then, and where the link
 * stands. */
static guint32
make_link (Fixture *self, MprocPosition *from)
{
  guint32 first = granule_of_tail (self);
  guint32 n = 0;
  MprocRoom room;

  for (;;)
    {
      *from = mproc_load64 (&self->chain->producer.tail);
      reserve (self, n + 1, 1000, &room);
      if (granule_of_tail (self) != first)
        return n;
      mproc_chain_publish (self->chain, &self->producer, &room, MPROC_RECORD_BYTES, 1000);
      n++;
    }
}

static MprocAtomic64 *
unit_at (MprocPosition position)
{
  MprocView view;

  mproc_chain_look_at (&view, position);
  return mproc_ring_unit (&view.ring, MPROC_POSITION_UNIT (position));
}

static void
get_all_and_go_on (Fixture *self, guint32 n)
{
  for (guint32 i = 1; i <= n; i++)
    get (self, i, 1000);
  expect_nothing (self);
  put (self, n + 1, 1000);
  get (self, n + 1, 1000);
  ck_assert_uint_eq (mproc_chain_count (self->chain), 0);
}

START_TEST (linker_died_before_the_tail_moved)
{
  Fixture self;
  MprocPosition from;

  fixture_init (&self);
  for (guint32 i = 1; i <= 20; i++)
    put (&self, i, 1000);
  from = mproc_load64 (&self.chain->producer.tail);
  mproc_store64 (&self.chain->producer.link_at, from);
  mproc_store32 (&self.chain->producer.head_seen, 0);
  recover (&self);
  ck_assert_uint_eq (mproc_load64 (&self.chain->producer.link_at), 0);
  get_all_and_go_on (&self, 20);
  fixture_clear (&self);
}
END_TEST

/* _i: whether the LINK had been published. */
START_TEST (linker_died_after_the_tail_moved)
{
  Fixture self;
  MprocPosition from;
  guint32 n;

  fixture_init (&self);
  n = make_link (&self, &from);
  mproc_store64 (&self.chain->producer.link_at, from);
  if (!_i)
    mproc_store64 (unit_at (from), 0);
  recover (&self);
  ck_assert_uint_ne (mproc_load64 (unit_at (from)), 0);
  get_all_and_go_on (&self, n);
  fixture_clear (&self);
}
END_TEST

/* The old chunk may be anything by now. */
START_TEST (linker_died_and_the_chunk_is_gone)
{
  Fixture self;
  MprocPosition from;
  guint32 n;

  fixture_init (&self);
  n = make_link (&self, &from);
  mproc_store64 (&self.chain->producer.link_at, from);
  get_all_and_go_on (&self, n);
  mproc_store64 (&self.chain->producer.link_at, from);
  mproc_store64 (unit_at (from), 0);
  recover (&self);
  ck_assert_uint_eq (mproc_load64 (unit_at (from)), 0);
  put (&self, n + 2, 10);
  get (&self, n + 2, 10);
  fixture_clear (&self);
}
END_TEST

/* The consumer is several chunks behind: nothing to be concluded from its not being in
 * the old one. */
START_TEST (linker_died_far_ahead)
{
  Fixture self;
  MprocPosition from = 0;
  guint32 n = 0;
  guint links = 0;

  fixture_init (&self);
  while (links < 3)
    {
      guint32 granule = granule_of_tail (&self);
      MprocPosition tail = mproc_load64 (&self.chain->producer.tail);
      MprocRoom room;

      reserve (&self, n + 1, 1000, &room);
      if (granule_of_tail (&self) != granule)
        {
          from = tail;
          links++;
        }
      if (links == 3)
        break;
      mproc_chain_publish (self.chain, &self.producer, &room, MPROC_RECORD_BYTES, 1000);
      n++;
    }
  mproc_store64 (&self.chain->producer.link_at, from);
  mproc_store64 (unit_at (from), 0);
  recover (&self);
  get_all_and_go_on (&self, n);
  fixture_clear (&self);
}
END_TEST

START_TEST (consumer_died_between_count_and_move)
{
  Fixture self;
  MprocRecord record;

  fixture_init (&self);
  put (&self, 1, 10);
  put (&self, 2, 20);
  get (&self, 1, 10);
  expect (&self, 2, 20, &record);
  mproc_store32 (&self.chain->consumer.taken, record.sequence);
  ck_assert_uint_eq (mproc_chain_count (self.chain), 0);
  recover (&self);
  ck_assert_uint_eq (mproc_chain_count (self.chain), 1);
  get (&self, 2, 20);
  recover (&self);
  ck_assert_uint_eq (mproc_chain_count (self.chain), 0);
  fixture_clear (&self);
}
END_TEST

Suite *
mproc_test_ring_suite (void)
{
  Suite *suite = suite_create ("ring");
  TCase *order = mproc_test_case (suite, "order");
  TCase *death = mproc_test_case (suite, "death");

  tcase_add_test (order, places_records);
  tcase_add_test (order, keeps_order_round_and_round);
  tcase_add_test (order, grows_by_links);
  tcase_add_test (order, takes_records_of_any_length);
  tcase_add_test (death, producer_died_before_publishing);
  tcase_add_loop_test (death, producer_died_after_publishing, 0, 3);
  tcase_add_test (death, producer_died_and_was_overtaken);
  tcase_add_test (death, linker_died_before_the_tail_moved);
  tcase_add_loop_test (death, linker_died_after_the_tail_moved, 0, 2);
  tcase_add_test (death, linker_died_and_the_chunk_is_gone);
  tcase_add_test (death, linker_died_far_ahead);
  tcase_add_test (death, consumer_died_between_count_and_move);
  return suite;
}
