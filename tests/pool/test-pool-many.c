/* SPDX-License-Identifier: MIT */
/* Pools of many workers, and what they cost. */
#include "pools.h"

#include "atomic.h"
#include "footprint.h"
#include "os.h"

/* Notes its pid, and looks until all have noted theirs; so each worker has one of the slices. */
static gboolean
meet (gpointer items, gsize n, gsize first, GVariant *args, GError **error)
{
  MprocAtomic64 *pids = items;
  gsize n_all = g_variant_get_uint32 (args);

  (void) n, (void) error;
  mproc_store64 (pids, (guint64) mproc_process_get_pid (mproc_process_current ()));
  for (gsize i = 0; i < n_all;)
    if (mproc_load64 (pids - first + i) != 0)
      i++;
    else
      g_usleep (20000);
  return TRUE;
}

/* The pids, or NULL. */
static MprocArray *
let_all_meet (MprocPool *pool, guint n, GError **error)
{
  MprocArray *pids = mproc_array_new ("x", n, NULL, NULL, NULL);

  if (!mproc_pool_map_array (pool, meet, pids, 1, g_variant_new_uint32 (n), error))
    g_clear_pointer (&pids, mproc_array_unref);
  return pids;
}

/* 500; on Windows 200, where no more than 63 handles can be waited for at a time.  Where they are not
 * forked that many take a while: fewer, unless the scale is 5. */
static guint
count_many (MprocStartMethod method)
{
  if (mproc_test_is_slow_platform ())
    return (guint) MIN (mproc_test_scale (70), 200);
  if (method != MPROC_START_METHOD_FORK)
    return (guint) MIN (mproc_test_scale (100), 500);
  return 500;
}

START_TEST (hundreds_of_workers_work)
{
  MprocStartMethod method = mproc_test_method (_i);
  guint n = count_many (method);
  MprocPool *pool = mproc_test_pool (n, _i);
  GError *error = NULL;
  MprocArray *pids = let_all_meet (pool, n, &error);
  const gint64 *data;

  ck_assert_msg (pids != NULL, "%s", error != NULL ? error->message : "");
  data = mproc_array_get_data (pids, NULL);
  for (guint i = 0; i < n; i++)
    ck_assert_int_gt (data[i], 0);
  mproc_array_unref (pids);
  mproc_test_expect_service (pool, 100);
  mproc_test_end_pool (pool);
}
END_TEST

#ifndef MPROC_TEST_SANITIZED

/* 4096, the most there can be, from scale 6 on. */
#define MANY MIN (mproc_test_scale (800), 4096)
#define FEW 200

/* For each of them, in microseconds: to start, to come to a map, and to end; or @best, if that is less. */
static double
time_workers (guint n, int method, double best)
{
  gint64 start = g_get_monotonic_time ();
  MprocPool *pool = mproc_test_pool (n, method);
  double each;

  mproc_test_expect_service (pool, 10);
  mproc_test_end_pool (pool);
  each = (double) (g_get_monotonic_time () - start) / n;
  return MIN (best, each);
}

/* A thousand take no longer, each, than a few do.  Others use the machine too: the best of some.  Where
 * each is an image of its own that many take a while, and so they do where no more than 256 can be
 * woken. */
START_TEST (the_last_worker_costs_what_the_first_does)
{
  MprocStartMethod method = mproc_test_method (_i);
  double few = G_MAXDOUBLE, many = G_MAXDOUBLE;
  gint n = 0;

  if (mproc_test_is_slow_platform () || !mproc_os_has_words () ||
      (method != MPROC_START_METHOD_FORK && method != MPROC_START_METHOD_THREAD))
    return;
  if (method == MPROC_START_METHOD_THREAD && sizeof (gpointer) < 8)
    return; /* there is no room for so many stacks */
  do
    {
      few = time_workers (FEW, _i, few);
      many = time_workers ((guint) MANY, _i, many);
    }
  while (many > 4 * few && ++n < 4);
  ck_assert_double_le (many, 4 * few);
}
END_TEST

#define MOST_FOR_ONE (100 * 1024)

/* The larger one of before and after a task.  In a program of its own: what the nursery has inherited of
 * this one's heap would be counted too. */
static guint64
measure_idle_worker (const char *n_workers)
{
  char *path = g_strconcat (MPROC_TEST_PROGRAMS "/program-idle", MPROC_TEST_SUFFIX, NULL);
  char *argv[] = { path, (char *) n_workers, NULL };
  guint64 before, after;
  char *out = NULL;
  char *rest;

  ck_assert (g_spawn_sync (NULL, argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &out, NULL,
                           NULL, NULL));
  before = g_ascii_strtoull (out, &rest, 10);
  after = g_ascii_strtoull (rest, NULL, 10);
  ck_assert_uint_gt (before, 0);
  ck_assert_uint_gt (after, 0);
  g_free (out);
  g_free (path);
  return MAX (before, after);
}

/* Who had to wait for a lock on a busy machine has used a few pages more: the best of three. */
START_TEST (idle_forked_workers_cost_little)
{
  const char *n_workers = _i == 0 ? "100" : "500";
  guint64 size = measure_idle_worker (n_workers);

  for (guint i = 0; i < 2 && size >= MOST_FOR_ONE; i++)
    {
      guint64 again = measure_idle_worker (n_workers);

      size = MIN (size, again);
    }
  ck_assert_uint_lt (size, MOST_FOR_ONE);
}
END_TEST

#endif

Suite *
mproc_test_pool_many_suite (void)
{
  Suite *suite = suite_create ("pool-many");
  TCase *tcase = mproc_test_case (suite, "pool-many");

  tcase_add_loop_test (tcase, hundreds_of_workers_work, 0, (int) mproc_test_n_methods ());
#ifndef MPROC_TEST_SANITIZED /* a sanitizer's own memory would be counted, and its time */
  tcase_add_loop_test (tcase, the_last_worker_costs_what_the_first_does, 0,
                       (int) mproc_test_n_methods ());
  if (mproc_test_can_fork () && mproc_test_private_memory (0) != 0)
    tcase_add_loop_test (tcase, idle_forked_workers_cost_little, 0, 2);
#endif
  return suite;
}
