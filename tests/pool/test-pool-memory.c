/* SPDX-License-Identifier: MIT */
/* Limits of memory. */
#include "pools.h"

#include "os.h"

#include <string.h>

#define MIB ((gsize) 1 << 20)

/* Far more than a worker has of its own when it starts. */
#define LIMIT (96 * MIB)
#define MUCH (160 * MIB)

static gpointer hoard;

/* So that none of it is optimized away. */
static void
touch (gpointer memory, gsize size)
{
  volatile guint8 *bytes = memory;

  for (gsize at = 0; at < size; at += 1024)
    bytes[at] = (guint8) (at / 1024 + 1);
}

static gboolean
can_tell (void)
{
  guint64 bytes;

  return mproc_os_private_memory (NULL, G_MAXUINT64, &bytes);
}

static guint64
measure (void)
{
  guint64 bytes = 0;

  ck_assert (mproc_os_private_memory (NULL, 0, &bytes));
  return bytes;
}

/* ------------------------------------------------------------------ what is measured */

START_TEST (memory_of_ones_own_counts)
{
  guint64 before, with, shared;
  guint64 upper = 0;
  MprocOsIdentity self;
  MprocArray *array;
  gpointer own;

  if (!can_tell ())
    return;
  before = measure ();
  own = g_malloc (64 * MIB);
  touch (own, 64 * MIB);
  with = measure ();
  ck_assert_uint_ge (with, before + 60 * MIB);
  ck_assert_uint_le (with, before + 80 * MIB);
  array = mproc_array_new ("y", 64 * MIB, NULL, NULL, NULL);
  touch (mproc_array_get_data (array, NULL), 64 * MIB);
  shared = measure ();
  ck_assert_uint_le (shared, with + 8 * MIB);
  /* The quick look may say more, never less; and any process can be asked. */
  ck_assert (mproc_os_private_memory (NULL, G_MAXUINT64, &upper));
  ck_assert_uint_ge (upper + 8 * MIB, shared);
  mproc_os_identify (&self);
  ck_assert (mproc_os_private_memory (&self, 0, &upper));
  ck_assert_uint_le (upper, shared + 8 * MIB);
  ck_assert_uint_ge (upper + 8 * MIB, shared);
  mproc_array_unref (array);
  g_free (own);
}
END_TEST

/* In a forked child: what it has from its parent, and what it writes to. */
static GVariant *
look_at_heritage (GVariant *args, GError **error)
{
  guint64 before = 0, after = 0;

  (void) args;
  if (!mproc_os_private_memory (NULL, 0, &before))
    g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_FAILED, "it is not told");
  touch (hoard, 32 * MIB);
  mproc_os_private_memory (NULL, 0, &after);
  if (before > 24 * MIB || after < before + 30 * MIB || after > before + 40 * MIB)
    g_set_error (error, MPROC_ERROR, MPROC_ERROR_FAILED,
                 "%" G_GUINT64_FORMAT " bytes, then %" G_GUINT64_FORMAT, before, after);
  return NULL;
}

START_TEST (what_a_fork_has_left_in_common_does_not_count)
{
  MprocProcess *process;

  if (!can_tell ())
    return;
  hoard = g_malloc (MUCH);
  touch (hoard, MUCH);
  process = mproc_process_new (look_at_heritage, NULL);
  mproc_process_set_start_method (process, MPROC_START_METHOD_FORK);
  ck_assert (mproc_process_start (process, NULL));
  mproc_test_end_with (process, 0);
  g_clear_pointer (&hoard, g_free);
}
END_TEST

/* ------------------------------------------------------------------ limits */

static GVariant *
take_much (GVariant *args, GError **error)
{
  hoard = g_malloc (MUCH);
  touch (hoard, MUCH);
  return mproc_test_tell_pid (args, error);
}

/* Piece by piece, and does not end. */
static GVariant *
take_more_and_more (GVariant *args, GError **error)
{
  (void) args, (void) error;
  for (guint i = 0; i < 32; i++)
    touch (g_malloc (MUCH / 32), MUCH / 32);
  for (;;)
    g_usleep (G_USEC_PER_SEC / 100);
  return NULL;
}

static MprocPool *
make_limited (int i, guint n_workers, guint64 recycle_at, guint64 kill_at)
{
  MprocPoolOptions *options = mproc_test_pool_options (i);

  mproc_pool_options_set_memory_limit (options, recycle_at, kill_at);
  return mproc_test_pool_with (n_workers, options);
}

/* The look may be put off: it has its pace. */
static gboolean
is_replaced (MprocPool *pool, gint64 pid)
{
  for (guint i = 0; i < 1000; i++)
    {
      if (mproc_test_ask (pool, mproc_test_tell_pid) != pid)
        return TRUE;
      g_usleep (1000);
    }
  return FALSE;
}

START_TEST (a_worker_that_has_grown_is_replaced)
{
  MprocPool *pool;
  gint64 pid;

  if (!can_tell ())
    return;
  pool = make_limited (_i, 1, LIMIT, 0);
  pid = mproc_test_ask (pool, mproc_test_tell_pid);
  for (guint i = 0; i < 20; i++)
    {
      ck_assert_int_eq (mproc_test_ask (pool, mproc_test_tell_pid), pid);
      g_usleep (1000);
    }
  ck_assert_int_eq (mproc_test_ask (pool, take_much), pid);
  ck_assert (is_replaced (pool, pid));
  mproc_test_end_pool (pool);
}
END_TEST

START_TEST (a_task_that_takes_too_much_is_ended_alone)
{
  MprocResult *greedy, *others[10];
  MprocPool *pool;
  MprocTestGate gate;
  MprocResult *running;
  char *limit;

  if (!can_tell ())
    return;
  pool = make_limited (_i, 2, 0, LIMIT);
  mproc_test_gate_init (&gate);
  running = mproc_test_gate_occupy (&gate, pool, mproc_test_be_stuck);
  greedy = mproc_pool_apply_async (pool, take_more_and_more, NULL, NULL);
  for (guint i = 0; i < 10; i++)
    others[i] = mproc_pool_apply_async (pool, mproc_test_tell_pid, NULL, NULL);
  limit = g_strdup_printf ("limit is %u", (guint) LIMIT);
  mproc_test_expect_failure (greedy, MPROC_ERROR_NO_MEMORY, limit);
  for (guint i = 0; i < 10; i++)
    mproc_test_expect_success (others[i]);
  mproc_test_gate_open (&gate, 1, 0);
  mproc_test_expect_success (running);
  mproc_test_end_pool (pool);
  mproc_test_gate_clear (&gate);
  g_free (limit);
}
END_TEST

static GVariant *
wait_a_while (GVariant *args, GError **error)
{
  g_usleep (G_USEC_PER_SEC / 4);
  return mproc_test_tell_pid (args, error);
}

/* The nursery has it as well. */
START_TEST (memory_of_the_program_is_not_its_workers)
{
  MprocPoolOptions *options = mproc_pool_options_new ();
  MprocPool *pool;
  gint64 pid;

  if (!can_tell ())
    {
      mproc_pool_options_free (options);
      return;
    }
  hoard = g_malloc (MUCH);
  touch (hoard, MUCH);
  mproc_pool_options_set_start_method (options, MPROC_START_METHOD_FORK);
  mproc_pool_options_set_memory_limit (options, LIMIT, LIMIT);
  pool = mproc_test_pool_with (1, options);
  pid = mproc_test_ask (pool, wait_a_while);
  ck_assert_int_eq (mproc_test_ask (pool, wait_a_while), pid);
  mproc_test_end_pool (pool);
  g_clear_pointer (&hoard, g_free);
}
END_TEST

START_TEST (threads_have_no_memory_of_their_own)
{
  MprocPoolOptions *options = mproc_pool_options_new ();
  GError *error = NULL;

  mproc_pool_options_set_start_method (options, MPROC_START_METHOD_THREAD);
  mproc_pool_options_set_memory_limit (options, 0, LIMIT);
  ck_assert_ptr_null (mproc_pool_new_full (1, options, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_NOT_SUPPORTED, "thread");
  mproc_pool_options_free (options);
}
END_TEST

Suite *
mproc_test_pool_memory_suite (void)
{
  Suite *suite = suite_create ("pool-memory");
  TCase *tcase = mproc_test_case (suite, "pool-memory");

  tcase_add_test (tcase, threads_have_no_memory_of_their_own);
  for (int i = 0; i < (int) mproc_test_n_methods (); i++)
    if (mproc_test_method (i) != MPROC_START_METHOD_THREAD)
      {
        tcase_add_loop_test (tcase, a_worker_that_has_grown_is_replaced, i, i + 1);
        tcase_add_loop_test (tcase, a_task_that_takes_too_much_is_ended_alone, i, i + 1);
        if (i == 0) /* not where every byte has some more that watch it */
          tcase_add_test (tcase, memory_of_ones_own_counts);
        if (mproc_test_method (i) != MPROC_START_METHOD_FORK)
          continue;
        tcase_add_test (tcase, what_a_fork_has_left_in_common_does_not_count);
        tcase_add_test (tcase, memory_of_the_program_is_not_its_workers);
      }
  return suite;
}
