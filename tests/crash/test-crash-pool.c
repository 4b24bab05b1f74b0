/* SPDX-License-Identifier: MIT */
/* Deaths in a pool's workers, and in the nursery that starts them: every result comes, nothing runs more
 * often than it may, and nothing is left behind. */
#include "crash.h"

#include "pools.h"

#include "pool/pool.h"
#include "worker/spare.h"

#define N_WORKERS 2
#define N_TASKS 30
#define LARGE 10000 /* more than a task has room for */

typedef struct
{
  MprocCrash at;
  gboolean in_crew;
  guint n_failed;    /* of tasks with one attempt */
  guint lost_blocks; /* of the arena */
  gboolean at_start; /* also while the first workers are started */
  gboolean by_spare; /* a worker is forked ahead */
} Plan;

static const Plan plans[] = {
  /* Not begun: another worker has it, at no cost. */
  { MPROC_CRASH_TASK_CLAIMED, FALSE, 0, 0, FALSE, FALSE },
  { MPROC_CRASH_TASK_TAKEN, FALSE, 0, 0, FALSE, FALSE },
  { MPROC_CRASH_TASK_BEGUN, FALSE, 1, 0, FALSE, FALSE },
  { MPROC_CRASH_TASK_LEFT, FALSE, 1, 0, FALSE, FALSE },
  { MPROC_CRASH_OUTCOME_STORED, FALSE, 1, 0, FALSE, FALSE },
  { MPROC_CRASH_TASK_TOLD, FALSE, 0, 0, FALSE, FALSE },
  { MPROC_CRASH_SEAT_MADE, TRUE, N_WORKERS, 1, TRUE, FALSE },
  { MPROC_CRASH_SEAT_TOLD, TRUE, N_WORKERS, 0, TRUE, FALSE },
  { MPROC_CRASH_WORKER_STARTED, TRUE, N_WORKERS, 0, TRUE, FALSE },
  { MPROC_CRASH_CONDEMNED_KILLED, TRUE, N_WORKERS, 0, FALSE, FALSE },
  { MPROC_CRASH_DEATH_TOLD, TRUE, N_WORKERS, 0, FALSE, FALSE },
  { MPROC_CRASH_SPARE_STARTED, TRUE, N_WORKERS, 0, FALSE, TRUE },
  { MPROC_CRASH_SPARE_SEATED, TRUE, N_WORKERS, 0, FALSE, TRUE },
  { MPROC_CRASH_SPARE_CALLED, TRUE, N_WORKERS, 0, FALSE, TRUE },
};

static const Plan rehearsal = { MPROC_CRASH_NOWHERE, FALSE, 0, 0, FALSE, FALSE };

static const Plan *
find_plan (MprocCrash at)
{
  for (guint i = 0; i < G_N_ELEMENTS (plans); i++)
    if (plans[i].at == at)
      return &plans[i];
  ck_abort_msg ("%s: no plan leads there", mproc_crash_get_name (at));
  return NULL;
}

/* ------------------------------------------------------------------ in workers */

/* `(uu)`: at its first attempt its worker is to mproc_test_die there, in this task or in the next one. */
static GVariant *
arm (GVariant *args, GError **error)
{
  guint32 at, size;
  guint8 *bytes;
  GVariant *value;

  (void) error;
  g_variant_get (args, "(uu)", &at, &size);
  if (mproc_task_get_attempt () == 1)
    mproc_crash_arm ((MprocCrash) at, 1);
  bytes = g_malloc0 (size);
  value = g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, bytes, size, 1);
  g_free (bytes);
  return value;
}

static GVariant *
own_number (GVariant *args, GError **error)
{
  (void) args, (void) error;
  return g_variant_new_int64 (mproc_worker_get_number ());
}

/* ------------------------------------------------------------------ what is left */

/* TRUE: it has failed, because its worker died. */
static gboolean
has_failed (MprocResult *result)
{
  GVariant *value = mproc_test_value_or_death (result);

  if (value == NULL)
    return TRUE;
  g_variant_unref (value);
  return FALSE;
}

/* ------------------------------------------------------------------ a worker's death */

/* There is one, so that it comes to the point. */
static void
run_in_worker (const Plan *plan, int method, guint attempts, guint size)
{
  MprocPool *pool = mproc_test_pool (1, method);
  MprocArray *counters = mproc_test_counters (N_TASKS);
  MprocTaskOptions *options = mproc_task_options_new ();
  MprocResult *results[N_TASKS + 1];
  guint n_failed = 0;

  mproc_task_options_set_attempts (options, attempts);
  results[N_TASKS] =
      mproc_pool_apply_async (pool, arm, g_variant_new ("(uu)", (guint32) plan->at, size),
                              options);
  for (guint32 i = 0; i < N_TASKS; i++)
    results[i] = mproc_pool_apply_async (pool, mproc_test_count_task,
                                         mproc_pack ("(hu)", counters, i), options);
  for (guint i = 0; i <= N_TASKS; i++)
    n_failed += has_failed (results[i]);
  ck_assert_uint_eq (n_failed, attempts == 1 ? plan->n_failed : 0);
  for (guint i = 0; i < N_TASKS; i++)
    ck_assert_int_le (mproc_test_count (counters, i), (gint) attempts);
  mproc_test_expect_service (pool, 10);
  /* The first one has died, and no other. */
  ck_assert_int_eq (mproc_test_ask (pool, own_number),
                    plan->at != MPROC_CRASH_NOWHERE ? 2 : 1);
  mproc_test_end_pool (pool);
  mproc_task_options_free (options);
  mproc_array_unref (counters);
}

static void
try_in_worker (const Plan *plan, int method)
{
  CrashFigures before;

  run_in_worker (&rehearsal, method, 1, 1);
  crash_sweep ();
  before = crash_count ();
  for (guint attempts = 1; attempts <= 2; attempts++)
    {
      run_in_worker (plan, method, attempts, 1);
      run_in_worker (plan, method, attempts, LARGE);
    }
  crash_check_figures (&before, plan->lost_blocks);
}

/* ------------------------------------------------------------------ the nursery's death */

/* Workers end by themselves and by their limits, and are replaced. */
static void
run_in_crew (MprocPool *pool, guint n_failed_at_most)
{
  MprocArray *counters = mproc_test_counters (N_TASKS + 1);
  MprocTaskOptions *limits = mproc_task_options_new ();
  MprocResult *results[N_TASKS], *killed, *dead;
  GError *error = NULL;
  guint n_failed = 0;

  mproc_task_options_set_hard_limit (limits, 20000);
  killed =
      mproc_pool_apply_async (pool, mproc_test_run_for_ever,
                              mproc_pack ("(hu)", counters, (guint32) N_TASKS), limits);
  dead = mproc_pool_apply_async (pool, mproc_test_die, NULL, NULL);
  for (guint32 i = 0; i < N_TASKS; i++)
    results[i] = mproc_pool_apply_async (pool, mproc_test_count_task,
                                         mproc_pack ("(hu)", counters, i), NULL);
  for (guint i = 0; i < N_TASKS; i++)
    n_failed += has_failed (results[i]);
  ck_assert_uint_le (n_failed, n_failed_at_most);
  ck_assert (has_failed (dead));
  ck_assert_ptr_null (mproc_result_get (killed, MPROC_SECONDS (50), &error));
  ck_assert (g_error_matches (error, MPROC_ERROR, MPROC_ERROR_WORKER_DIED) ||
             g_error_matches (error, MPROC_ERROR, MPROC_ERROR_TIMED_OUT));
  g_error_free (error);
  mproc_result_unref (killed);
  for (guint i = 0; i < N_TASKS; i++)
    ck_assert_int_le (mproc_test_count (counters, i), 1);
  mproc_test_expect_service (pool, 10);
  mproc_task_options_free (limits);
  mproc_array_unref (counters);
}

/* NULL: it could not be made, because the nursery died. */
static MprocPool *
make_pool (void)
{
  MprocPoolOptions *options = mproc_pool_options_new ();
  GError *error = NULL;
  MprocPool *pool;

  mproc_pool_options_set_start_method (options, MPROC_START_METHOD_FORK);
  pool = mproc_pool_new_full (N_WORKERS, options, &error);
  mproc_pool_options_free (options);
  if (pool == NULL)
    ck_assert_msg (g_error_matches (error, MPROC_ERROR, MPROC_ERROR_STATE), "%s",
                   error->message);
  g_clear_error (&error);
  return pool;
}

typedef struct
{
  MprocPool *pool;
  MprocCrash at;
} Advance;

/* There is a spare; or the nursery, which has forked it, is dead. */
static gboolean
has_spare (gpointer data)
{
  const Advance *advance = data;

  if (advance->at == MPROC_CRASH_SPARE_STARTED)
    return mproc_test_has_no_nursery (advance->pool);
  return mproc_load32 (&mproc_control_at (advance->pool->control)->spare) != 0;
}

static void
await_spare (MprocPool *pool, MprocCrash at)
{
  Advance advance = { pool, at };
  guint n = 0;

  while (!mproc_test_eventually (has_spare, &advance))
    ck_assert_uint_lt (++n, 10);
}

static void
try_passing (const Plan *plan, guint passing)
{
  gint64 pays_from = mproc_spare_pays_from;
  MprocPool *pool;
  gint64 parent;

  /* The nursery is forked with that. */
  mproc_crash_arm (plan->at, passing);
  mproc_spare_pays_from = plan->by_spare ? 0 : MPROC_OS_NEVER;
  pool = make_pool ();
  mproc_spare_pays_from = pays_from;
  mproc_crash_arm (MPROC_CRASH_NOWHERE, 1);
  if (pool == NULL)
    {
      ck_assert_uint_le (passing, N_WORKERS);
      return;
    }
  if (plan->by_spare)
    await_spare (pool, plan->at);
  run_in_crew (pool, plan->n_failed);
  /* Workers that are left have been spawned by this process. */
  parent = mproc_test_ask (pool, mproc_test_tell_parent);
  if (plan->at != MPROC_CRASH_NOWHERE)
    ck_assert_int_eq (parent, mproc_process_get_pid (mproc_process_current ()));
  mproc_test_end_pool (pool);
}

static void
try_in_crew (const Plan *plan)
{
  CrashFigures before;

  try_passing (&rehearsal, 1);
  /* Once by spawned workers as well. */
  run_in_worker (&rehearsal, 1, 1, 1);
  crash_sweep ();
  before = crash_count ();
  try_passing (plan, 1);
  if (plan->at_start)
    try_passing (plan, N_WORKERS + 1);
  crash_check_figures (&before, plan->lost_blocks * 2);
}

/* ------------------------------------------------------------------ the suite */

static void
try_point (MprocCrash at)
{
  const Plan *plan = find_plan (at);
  int n = (int) mproc_test_n_methods ();

  for (int method = 0; !plan->in_crew && method < n; method++)
    if (!mproc_test_is_thread (method))
      try_in_worker (plan, method);
  if (plan->in_crew && mproc_test_method (0) == MPROC_START_METHOD_FORK)
    try_in_crew (plan);
}

#undef CRASH_TEST
#define CRASH_TEST(name, state)                                                          \
  START_TEST (name) { try_point (MPROC_CRASH_##name); }                                  \
  END_TEST

CRASH_SUITE (crash_pool, "crash-pool", MPROC_CRASH_POOL_POINTS)
