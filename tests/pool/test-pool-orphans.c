/* SPDX-License-Identifier: MIT */
/* Owners of pools that are killed, again and again, in a family that lives on: what they leave is little. */
#include "kill.h"
#include "pools.h"
#include "punch.h"
#include "queues.h"

#include "family/family.h"

#define N_TASKS 10

/* Of its tasks, seats and control block; its queues alone would be sixteen times as much. */
#define MOST_FOR_ONE (8 * 1024)

/* Memory grows by so much at a time. */
#define STEP (1 << 20)

/* Has a pool with work to do, says so, and waits to be killed. */
static GVariant *
own_a_pool (GVariant *args, GError **error)
{
  MprocQueue *ready, *never;
  MprocPool *pool;
  gint method;

  if (!mproc_unpack (args, error, "(&h&hi)", &ready, &never, &method))
    return NULL;
  pool = mproc_test_try_pool (2, (MprocStartMethod) method, error);
  if (pool == NULL)
    return NULL;
  for (guint i = 0; i < N_TASKS; i++)
    mproc_pool_push (pool, mproc_test_wait_in_queue, mproc_pack ("(h)", never), NULL);
  mproc_queue_put_bytes (ready, "r", 1, 0, error);
  mproc_queue_get_bytes_into (never, &method, sizeof method, MPROC_FOREVER, NULL);
  return NULL;
}

static void
lose_owners (int i, gint n)
{
  MprocQueue *ready = make_queue (0);
  MprocQueue *never = make_queue (0);
  gchar letter;

  while (n-- > 0)
    {
      MprocProcess *owner = mproc_test_start (i, own_a_pool,
                                              mproc_pack ("(hhi)", ready, never,
                                                          (gint) mproc_test_method (i)));

      ck_assert_int_eq (mproc_queue_get_bytes_into (ready, &letter, 1, MPROC_SECONDS (30),
                                                    NULL),
                        1);
      ck_assert (mproc_process_kill (owner, NULL));
      ck_assert (mproc_process_join (owner, MPROC_SECONDS (30)));
      mproc_process_unref (owner);
    }
  mproc_queue_unref (ready);
  mproc_queue_unref (never);
}

static gint
count_owners (int i)
{
  if (mproc_test_is_slow_platform ())
    return mproc_test_scale (6);
  return mproc_test_scale (mproc_test_method (i) == MPROC_START_METHOD_FORK ? 60 : 20);
}

/* Their workers end when they do, but nobody waits for these. */
START_TEST (killed_owners_leave_little)
{
  gint n = count_owners (_i);
  guint64 before;
  guint n_slots;

  if (mproc_test_is_thread (_i))
    return; /* no owner that could be killed */
  lose_owners (_i, 10);
  before = mproc_test_memory_in_use ();
  n_slots = mproc_slot_count ();
  lose_owners (_i, n);
  ck_assert_uint_le (mproc_test_memory_in_use (), before + n * MOST_FOR_ONE + STEP);
  ck_assert_uint_le (mproc_slot_count (), 2 * n_slots + 16);
}
END_TEST

Suite *
mproc_test_pool_orphans_suite (void)
{
  Suite *suite = suite_create ("pool-orphans");
  TCase *tcase = mproc_test_case (suite, "orphans");

  tcase_add_loop_test (tcase, killed_owners_leave_little, 0,
                       (int) mproc_test_n_methods ());
  return suite;
}
