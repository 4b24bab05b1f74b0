/* SPDX-License-Identifier: MIT */
/* Calls that cannot be right, where and when they are made: each has an error that says so, and
 * nobody waits for what cannot come. */
#include "kit/pools.h"

#include "os.h"

#include <mproc/insight.h>
#include <mproc/iter.h>
#include <mproc/poolmap.h>
#include <mproc/shared.h>

static gboolean
copy_letter (gconstpointer item,
             gsize size,
             gpointer result,
             gsize result_size,
             GError **error)
{
  *(char *) result = *(const char *) item;
  return TRUE;
}

static gboolean
set_to_one (gpointer items, gsize n, gsize first, GVariant *args, GError **error)
{
  for (gsize i = 0; i < n; i++)
    ((gint32 *) items)[i] = 1;
  return TRUE;
}

static GVariant *
next_never (gpointer data, GError **error)
{
  return NULL;
}

/* ------------------------------------------------------------------ every way to hand over */

typedef struct
{
  MprocPool *pool;
  guint n_items;
  gint code; /* that each is to fail with */
  guint n_right;
} Attempt;

/* In children too, so without Check. */
static void
look (Attempt *self, gboolean failed, GError **error)
{
  self->n_right += failed && g_error_matches (*error, MPROC_ERROR, self->code);
  g_clear_error (error);
}

static void
look_at_result (Attempt *self, MprocResult *result)
{
  GError *error = NULL;
  GVariant *value =
      result != NULL ? mproc_result_get (result, MPROC_FOREVER, &error) : NULL;

  look (self, value == NULL, &error);
  if (value != NULL)
    g_variant_unref (value);
  mproc_result_unref (result);
}

static void
look_at_iter (Attempt *self, MprocIter *iter, GError **error)
{
  look (self, iter == NULL, error);
  mproc_iter_unref (iter);
}

static GVariant *
numbers_of (Attempt *self)
{
  return mproc_test_numbers (0, self->n_items);
}

#define N_MAPS 8

static void
try_all_maps (Attempt *self, guint chunk)
{
  MprocPool *pool = self->pool;
  GVariantType *type = g_variant_type_new ("a(i)");
  char letters[4] = "abc";
  GError *error = NULL;
  gboolean ok;

  look_at_result (self, mproc_pool_map_async (pool, mproc_test_square, numbers_of (self),
                                              chunk, NULL));
  look_at_result (self, mproc_pool_starmap_async (
                            pool, mproc_test_square,
                            g_variant_new_array (g_variant_type_element (type), NULL, 0),
                            chunk, NULL));
  look_at_iter (self,
                mproc_pool_imap (pool, mproc_test_square, numbers_of (self), chunk, NULL,
                                 &error),
                &error);
  look_at_iter (self,
                mproc_pool_imap_unordered (pool, mproc_test_square, numbers_of (self),
                                           chunk, NULL, &error),
                &error);
  look_at_iter (self,
                mproc_pool_imap_from (pool, mproc_test_square, next_never, NULL, NULL,
                                      chunk, NULL, &error),
                &error);
  look_at_iter (self,
                mproc_pool_imap_unordered_from (pool, mproc_test_square, next_never, NULL,
                                                NULL, chunk, NULL, &error),
                &error);
  ok = mproc_pool_map_bytes (pool, copy_letter, letters, self->n_items, 1, letters, 1,
                             chunk, &error);
  look (self, !ok, &error);
  look_at_result (self, mproc_pool_map_bytes_async (pool, copy_letter, letters,
                                                    self->n_items, 1, 1, chunk));
  g_variant_type_free (type);
}

#define N_OTHERS 5

static void
try_all_others (Attempt *self, MprocArray *array)
{
  MprocPool *pool = self->pool;
  GError *error = NULL;
  gboolean ok;

  look_at_result (self, mproc_pool_apply_async (pool, mproc_test_square,
                                                g_variant_new_int32 (2), NULL));
  ok = mproc_pool_push (pool, mproc_test_square, g_variant_new_int32 (2), &error);
  look (self, !ok, &error);
  ok = mproc_pool_resize (pool, 2, &error);
  look (self, !ok, &error);
  ok = mproc_pool_map_array (pool, set_to_one, array, 0, g_variant_new_int32 (1), &error);
  look (self, !ok, &error);
  look_at_result (self, mproc_pool_map_array_async (pool, set_to_one, array, 0, NULL));
}

static MprocArray *
make_array (void)
{
  MprocArray *array = mproc_array_new ("i", 8, NULL, NULL, NULL);

  ck_assert_ptr_nonnull (array);
  return array;
}

/* Also where there is nothing to do. */
START_TEST (a_pool_that_is_not_running_takes_nothing)
{
  MprocArray *array = make_array ();

  for (gint round = 0; round < 4; round++)
    {
      MprocPool *pool = mproc_test_pool (1, _i);
      Attempt attempt = { pool, round < 2 ? 0 : 3, MPROC_ERROR_STATE, 0 };

      if (round % 2 == 0)
        mproc_pool_close (pool);
      else
        mproc_pool_terminate (pool);
      try_all_maps (&attempt, 0);
      try_all_others (&attempt, array);
      ck_assert_uint_eq (attempt.n_right, N_MAPS + N_OTHERS);
      ck_assert (mproc_pool_join (pool, MPROC_SECONDS (30)));
      mproc_pool_unref (pool);
    }
  mproc_array_unref (array);
}
END_TEST

/* As they look when cast. */
START_TEST (no_chunk_is_negative)
{
  MprocPool *pool = mproc_test_pool (1, _i);
  Attempt attempt = { pool, 3, MPROC_ERROR_INVALID, 0 };
  MprocArray *array = make_array ();
  GError *error = NULL;

  try_all_maps (&attempt, (guint) -1);
  try_all_maps (&attempt, (guint) G_MAXINT + 1);
  ck_assert_uint_eq (attempt.n_right, 2 * N_MAPS);
  ck_assert (!mproc_pool_map_array (pool, set_to_one, array, (gsize) -1,
                                    g_variant_new_int32 (1), &error));
  mproc_test_expect_error (&error, MPROC_ERROR_INVALID, "longer than any array");
  ck_assert (mproc_pool_map_array (pool, set_to_one, array, G_MAXSSIZE, NULL, NULL));
  mproc_array_unref (array);
  mproc_test_end_pool (pool);
}
END_TEST

/* Which is told, and not waited for. */
START_TEST (a_pool_that_runs_cannot_be_joined)
{
  MprocPool *pool = mproc_test_pool (1, _i);

  mproc_test_count_criticals ();
  ck_assert (!mproc_pool_join (pool, MPROC_FOREVER));
  ck_assert_uint_eq (mproc_test_count_criticals (), 1);
  mproc_test_expect_service (pool, 3);
  mproc_test_end_pool (pool);
}
END_TEST

/* ------------------------------------------------------------------ in another process */

static gint
use_in_child (MprocPool *pool, MprocArray *array)
{
  Attempt attempt = { pool, 3, MPROC_ERROR_STATE, 0 };

  mproc_test_count_criticals ();
  try_all_maps (&attempt, 0);
  try_all_others (&attempt, array);
  if (mproc_test_count_criticals () != 0)
    return 7;
  mproc_pool_unref (pool);
  return attempt.n_right == N_MAPS + N_OTHERS ? 6 : 8;
}

/* In the middle of a map, but for threads: one of them may be inside of GLib, whose locks stay held in
 * the copy. */
START_TEST (a_forked_process_is_told_whose_pool_it_is)
{
  MprocArray *array;
  MprocPool *pool;

  if (!mproc_test_can_fork ())
    return;
  array = make_array ();
  pool = mproc_test_pool (2, _i);
  for (gint i = 0; i < 5; i++)
    {
      MprocResult *result = mproc_pool_map_async (pool, mproc_test_square,
                                                  mproc_test_numbers (6, 200), 1, NULL);
      MprocOsChild child;
      gint forked;

      if (mproc_test_is_thread (_i))
        ck_assert (mproc_result_wait (result, MPROC_SECONDS (30)));
      forked = mproc_os_fork (&child, NULL);
      if (forked == 0)
        mproc_os_exit (use_in_child (pool, array));
      ck_assert_int_eq (forked, 1);
      ck_assert (mproc_os_child_wait (&child, MPROC_OS_NEVER));
      ck_assert_int_eq (child.exit_code, 6);
      mproc_os_child_clear (&child);
      mproc_test_expect_success (result);
    }
  mproc_test_end_pool (pool);
  mproc_array_unref (array);
}
END_TEST

/* ------------------------------------------------------------------ in a task */

/* Only a worker that is a thread can reach its own pool. */
static MprocPool *own_pool;

static GVariant *
join_own (GVariant *args, GError **error)
{
  mproc_pool_close (own_pool);
  return g_variant_new_boolean (mproc_pool_join (own_pool, MPROC_FOREVER));
}

static GVariant *
shut_own_down (GVariant *args, GError **error)
{
  MprocPoolReport *report = mproc_pool_shutdown (own_pool, MPROC_FOREVER, MPROC_FOREVER);

  mproc_pool_report_free (report);
  return NULL;
}

static GVariant *
drop_own (GVariant *args, GError **error)
{
  mproc_pool_unref (own_pool);
  return NULL;
}

static void
make_own_pool (void)
{
  own_pool = mproc_test_try_pool (2, MPROC_START_METHOD_THREAD, NULL);
  ck_assert_ptr_nonnull (own_pool);
}

START_TEST (a_task_cannot_wait_for_its_own_pools_end)
{
  GVariant *value;

  make_own_pool ();
  value = mproc_pool_apply (own_pool, join_own, NULL, NULL);
  ck_assert_ptr_nonnull (value);
  ck_assert (!g_variant_get_boolean (value));
  g_variant_unref (value);
  ck_assert (mproc_pool_join (own_pool, MPROC_SECONDS (30)));
  mproc_pool_unref (own_pool);
}
END_TEST

START_TEST (a_task_may_shut_its_own_pool_down)
{
  MprocResult *result;

  make_own_pool ();
  result = mproc_pool_apply_async (own_pool, shut_own_down, NULL, NULL);
  ck_assert (mproc_result_wait (result, MPROC_SECONDS (30)));
  mproc_result_unref (result);
  ck_assert (mproc_pool_join (own_pool, MPROC_SECONDS (30)));
  mproc_pool_unref (own_pool);
}
END_TEST

/* The pool ends in the background: the leak check of the test case sees that it does. */
START_TEST (a_task_may_drop_the_last_reference_to_its_pool)
{
  MprocResult *result;

  make_own_pool ();
  result = mproc_pool_apply_async (own_pool, drop_own, NULL, NULL);
  ck_assert (mproc_result_wait (result, MPROC_SECONDS (30)));
  mproc_result_unref (result);
}
END_TEST

/* ------------------------------------------------------------------ after the end */

START_TEST (a_pool_that_has_ended_has_no_workers)
{
  for (gint round = 0; round < 3; round++)
    {
      MprocPool *pool = mproc_test_pool (3, _i);
      MprocPoolStats *stats;

      mproc_test_expect_service (pool, 3);
      if (round == 0)
        mproc_pool_close (pool);
      else if (round == 1)
        mproc_pool_terminate (pool);
      else
        mproc_pool_report_free (mproc_pool_shutdown (pool, 0, 0));
      ck_assert (mproc_pool_join (pool, MPROC_SECONDS (30)));
      stats = mproc_pool_get_stats (pool);
      ck_assert_uint_eq (stats->n_workers, 0);
      ck_assert_uint_eq (stats->n_running, 0);
      ck_assert_uint_eq (mproc_pool_get_n_live_workers (pool), 0);
      mproc_pool_stats_free (stats);
      mproc_pool_unref (pool);
    }
}
END_TEST

Suite *
mproc_test_pool_misuse_suite (void)
{
  Suite *suite = suite_create ("pool-misuse");
  TCase *tcase = mproc_test_case (suite, "misuse");
  int n = (int) mproc_test_n_methods ();

  tcase_add_loop_test (tcase, a_pool_that_is_not_running_takes_nothing, 0, n);
  tcase_add_loop_test (tcase, no_chunk_is_negative, 0, n);
  tcase_add_loop_test (tcase, a_pool_that_runs_cannot_be_joined, 0, n);
  tcase_add_loop_test (tcase, a_forked_process_is_told_whose_pool_it_is, 0, n);
  tcase_add_test (tcase, a_task_cannot_wait_for_its_own_pools_end);
  tcase_add_test (tcase, a_task_may_shut_its_own_pool_down);
  tcase_add_test (tcase, a_task_may_drop_the_last_reference_to_its_pool);
  tcase_add_loop_test (tcase, a_pool_that_has_ended_has_no_workers, 0, n);
  return suite;
}
