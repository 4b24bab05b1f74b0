/* SPDX-License-Identifier: MIT */
/* The same thing again and again: the last takes no longer than the first, and nothing is left over. */
#include "pools.h"
#include "punch.h"
#include "queues.h"

#include "family/family.h"

#define N_ROUNDS 6

/* What of the arena may be in use besides: it grows by so much at a time. */
#define STEP (1 << 20)

typedef void (*Repeat) (int method, gint n);

static gint64
time_round (Repeat repeat, int method, gint n)
{
  gint64 start = g_get_monotonic_time ();

  repeat (method, n);
  return g_get_monotonic_time () - start;
}

/* The best of three rounds each, because others use the machine too. */
static gint64
time_rounds (Repeat repeat, int method, gint n)
{
  gint64 best = G_MAXINT64;

  for (gint i = 0; i < N_ROUNDS / 2; i++)
    {
      gint64 time = time_round (repeat, method, n);

      best = MIN (best, time);
    }
  return best;
}

/* What grows does not get faster again, so a slow round that is one of a busy machine is followed by
 * better ones. */
static gboolean
gets_slower (Repeat repeat, int method, gint n, gint64 first)
{
  for (gint i = 0; i < 5; i++)
    if (time_rounds (repeat, method, n) < 4 * first + 10000)
      return FALSE;
  return TRUE;
}

/* @n in all.  After the first round all is there that stays. */
static void
expect_no_trace (Repeat repeat, int method, gint n)
{
  gint each = MAX (n / (N_ROUNDS + 1), 1);
  guint64 memory;
  guint n_slots;
  gint64 first;

  repeat (method, each);
  memory = mproc_test_memory_in_use ();
  n_slots = mproc_slot_count ();
  first = time_rounds (repeat, method, each);
  ck_assert (!gets_slower (repeat, method, each, first));
  ck_assert_uint_le (mproc_test_memory_in_use (), memory + STEP);
  /* A search for a free slot gives up before it has looked at all. */
  ck_assert_uint_le (mproc_slot_count (), n_slots + n_slots / 4 + 32);
}

static void
run_processes (int method, gint n)
{
  while (n-- > 0)
    mproc_test_end_with (mproc_test_start (method, mproc_test_do_nothing, NULL), 0);
}

START_TEST (processes_one_after_the_other)
{
  expect_no_trace (run_processes, _i,
                   mproc_test_scale (mproc_test_is_slow_platform () ? 7 : 140));
}
END_TEST

static void
run_processes_at_once (int method, gint n)
{
  MprocProcess **all = g_new (MprocProcess *, (gsize) n);
  MprocQueue *queue = make_queue (0);

  for (gint i = 0; i < n; i++)
    all[i] =
        mproc_test_start (method, mproc_test_wait_in_queue, mproc_pack ("(h)", queue));
  for (gint i = 0; i < n; i++)
    mproc_test_tell (queue, i);
  for (gint i = 0; i < n; i++)
    mproc_test_end_with (all[i], 0);
  mproc_queue_unref (queue);
  g_free (all);
}

START_TEST (processes_at_once)
{
  expect_no_trace (run_processes_at_once, _i,
                   mproc_test_scale (mproc_test_is_slow_platform () ? 14 : 210));
}
END_TEST

static void
run_pools (int method, gint n)
{
  while (n-- > 0)
    {
      MprocPool *pool = mproc_test_pool (2, method);

      mproc_test_expect_service (pool, 2);
      mproc_test_end_pool (pool);
    }
}

START_TEST (pools_one_after_the_other)
{
  expect_no_trace (run_pools, _i,
                   mproc_test_scale (mproc_test_is_slow_platform () ? 7 : 56));
}
END_TEST

static void
make_queues (int method, gint n)
{
  (void) method;
  while (n-- > 0)
    mproc_queue_unref (make_queue (0));
}

START_TEST (queues_one_after_the_other)
{
  expect_no_trace (make_queues, 0, mproc_test_scale (10000));
}
END_TEST

Suite *
mproc_test_pool_repeat_suite (void)
{
  Suite *suite = suite_create ("pool-repeat");
  TCase *tcase = mproc_test_case (suite, "repeat");
  int n = (int) mproc_test_n_methods ();

  tcase_add_loop_test (tcase, processes_one_after_the_other, 0, n);
  tcase_add_loop_test (tcase, processes_at_once, 0, n);
  tcase_add_loop_test (tcase, pools_one_after_the_other, 0, n);
  tcase_add_test (tcase, queues_one_after_the_other);
  return suite;
}
