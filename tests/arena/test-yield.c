/* SPDX-License-Identifier: MIT */
/* Who waits on one processor lets others run only while that is known to be quick. */
#include "arena/yield.h"
#include "mproc-test.h"

/* What happens while the others run, as it shows in what they have done. */
typedef struct
{
  MprocYield yield;
  MprocAtomic32 moved;
  guint looks;
  gint64 usec;   /* the turn takes */
  guint n_moved; /* in it */
  gboolean found;
} Fixture;

static gboolean
look (gpointer data)
{
  Fixture *self = data;
  gint64 until = g_get_monotonic_time () + self->usec;

  while (g_get_monotonic_time () < until)
    ;
  mproc_store32 (&self->moved, mproc_load32 (&self->moved) + self->n_moved);
  self->looks++;
  return self->found;
}

/* As mproc_yield_encourage() where there is one processor. */
static void
encourage (Fixture *self)
{
  mproc_store32 (&self->yield.credit, 8);
}

static gboolean
wait (Fixture *self)
{
  return mproc_yield_for (&self->yield, look, self, &self->moved);
}

/* Whether it yields, as far as proofs go. */
static gboolean
is_willing (Fixture *self)
{
  guint before = self->looks;

  encourage (self);
  wait (self);
  return self->looks > before;
}

START_TEST (nothing_is_done_without_a_proof)
{
  Fixture self = { .found = TRUE };

  ck_assert (!wait (&self));
  ck_assert_uint_eq (self.looks, 0);
  encourage (&self);
  ck_assert (wait (&self));
  ck_assert_uint_eq (self.looks, 1);
}
END_TEST

START_TEST (only_one_processor_can_prove_it)
{
  Fixture self = { .found = TRUE };

  mproc_yield_encourage (&self.yield);
  ck_assert (wait (&self) == mproc_has_one_processor ());
  mproc_yield_sleep_end (&self.yield, mproc_yield_sleep_begin ());
  ck_assert (mproc_has_one_processor () || !wait (&self));
}
END_TEST

START_TEST (it_stops_when_nothing_comes)
{
  Fixture self = { .found = FALSE };

  encourage (&self);
  for (guint i = 0; i < 100; i++)
    ck_assert (!wait (&self));
  ck_assert_uint_ge (self.looks, 1);
  ck_assert_uint_le (self.looks, 8);
}
END_TEST

START_TEST (a_long_turn_ends_it)
{
  Fixture self = { .found = TRUE, .usec = 5000 };

  encourage (&self);
  ck_assert (wait (&self));
  ck_assert (!wait (&self));
  ck_assert (!is_willing (&self));
}
END_TEST

/* One long turn in a row of short ones says nothing of the next.  The row is made up: on a busy machine
 * there would be none. */
START_TEST (one_long_turn_after_many_short_ones_does_not)
{
  Fixture self = { .found = TRUE, .usec = 5000 };

  encourage (&self);
  mproc_store32 (&self.yield.short_turns, 64);
  ck_assert (wait (&self));
  ck_assert (is_willing (&self));
}
END_TEST

/* The others may be others yet, who do nothing for us: tried until they are not. */
START_TEST (a_turn_may_be_long_in_which_much_is_done)
{
  gint64 end = g_get_monotonic_time () + MPROC_SECONDS (20);
  gboolean willing = FALSE;

  while (!willing && g_get_monotonic_time () < end)
    {
      Fixture self = { .found = TRUE, .usec = 500, .n_moved = 2000 };

      encourage (&self);
      ck_assert (wait (&self));
      willing = is_willing (&self);
    }
  ck_assert (willing);
}
END_TEST

Suite *
mproc_test_yield_suite (void)
{
  Suite *suite = suite_create ("yield");
  TCase *tcase = mproc_test_case (suite, "turns");

  tcase_add_test (tcase, nothing_is_done_without_a_proof);
  tcase_add_test (tcase, only_one_processor_can_prove_it);
  tcase_add_test (tcase, it_stops_when_nothing_comes);
  tcase_add_test (tcase, a_long_turn_ends_it);
  tcase_add_test (tcase, one_long_turn_after_many_short_ones_does_not);
  tcase_add_test (tcase, a_turn_may_be_long_in_which_much_is_done);
  return suite;
}
