/* SPDX-License-Identifier: MIT */
/* A worker that has been forked ahead: it is no worker until one is missing, whatever dies meanwhile, and
 * nothing of it is left. */
#include "pools.h"

#include "kill.h"
#include "pool/pool.h"
#include "worker/spare.h"

/* Where a spare was killed, the next one comes after a second. */
#define ROUNDS_OF_PATIENCE 12

/* As in a program where every fork takes long. */
static void
set_up (void)
{
  mproc_spare_pays_from = 0;
}

static void
tear_down (void)
{
  mproc_spare_pays_from = 1000;
}

static MprocPool *
new_pool (guint n_workers, MprocPoolOptions *options)
{
  if (options == NULL)
    options = mproc_pool_options_new ();
  mproc_pool_options_set_start_method (options, MPROC_START_METHOD_FORK);
  return mproc_test_pool_with (n_workers, options);
}

/* ------------------------------------------------------------------ who is there */

typedef struct
{
  MprocPool *pool;
  MprocMember before; /* not that one */
  MprocMember member;
  gint64 pid;
} Waiting;

static gboolean
has_spare (gpointer data)
{
  Waiting *self = data;
  MprocOsIdentity who;

  self->member = mproc_load32 (&mproc_control_at (self->pool->control)->spare);
  if (self->member == 0 || self->member == self->before)
    return FALSE;
  mproc_member_get_identity (self->member, &who);
  self->pid = who.pid;
  return self->pid != 0;
}

static gboolean
is_dead (gpointer data)
{
  return mproc_member_is_dead (*(MprocMember *) data);
}

/* FALSE: not in any time that makes sense. */
static gboolean
comes_true (gboolean (*condition) (gpointer), gpointer data)
{
  guint i = 0;

  while (!mproc_test_eventually (condition, data))
    if (++i == ROUNDS_OF_PATIENCE)
      return FALSE;
  return TRUE;
}

static Waiting
await_spare (MprocPool *pool, MprocMember before)
{
  Waiting waiting = { pool, before, 0, 0 };

  ck_assert (comes_true (has_spare, &waiting));
  return waiting;
}

static void
await_death (MprocMember member)
{
  ck_assert (comes_true (is_dead, &member));
}

static guint
ask_number (MprocPool *pool)
{
  GVariant *value =
      mproc_test_value_of (mproc_pool_apply_async (pool, mproc_test_tell_number, NULL,
                                                   NULL));
  guint number = g_variant_get_uint32 (value);

  g_variant_unref (value);
  return number;
}

typedef struct
{
  MprocPool *pool;
  guint first; /* the lowest number of its workers */
  guint n;
} Crowd;

/* So many workers, all of them ready, and none of those that were there before. */
static gboolean
is_complete (gpointer data)
{
  const Crowd *crowd = data;
  MprocPoolStats *stats = mproc_pool_get_stats (crowd->pool);
  gboolean complete = stats->n_workers == crowd->n;

  for (guint i = 0; i < stats->n_workers; i++)
    complete = complete && stats->workers[i].number >= crowd->first &&
               stats->workers[i].state == MPROC_WORKER_IDLE;
  mproc_pool_stats_free (stats);
  return complete && mproc_pool_get_n_live_workers (crowd->pool) == crowd->n;
}

static void
await_crowd (MprocPool *pool, guint first, guint n)
{
  Crowd crowd = { pool, first, n };

  ck_assert (comes_true (is_complete, &crowd));
}

static void
kill_workers (MprocPool *pool)
{
  MprocPoolStats *stats = mproc_pool_get_stats (pool);

  for (guint i = 0; i < stats->n_workers; i++)
    mproc_test_kill_pid (stats->workers[i].pid);
  mproc_pool_stats_free (stats);
}

static guint64
count_lost (MprocPool *pool)
{
  MprocPoolStats *stats = mproc_pool_get_stats (pool);
  guint64 n = stats->n_lost;

  mproc_pool_stats_free (stats);
  return n;
}

/* ------------------------------------------------------------------ what it is, and is not */

/* `(h)`: says who begins. */
static GVariant *
tell_begin (GVariant *args, GError **error)
{
  MprocQueue *log;

  if (mproc_unpack (args, error, "(&h)", &log))
    mproc_test_tell (log, (gint) mproc_worker_get_number ());
  return NULL;
}

static MprocPool *
new_talkative_pool (guint n_workers, MprocQueue *log)
{
  MprocPoolOptions *options = mproc_pool_options_new ();

  mproc_pool_options_set_initializer (options, tell_begin, mproc_pack ("(h)", log));
  mproc_pool_options_set_name (options, "Crowd");
  return new_pool (n_workers, options);
}

static GVariant *
tell_name (GVariant *args, GError **error)
{
  (void) args, (void) error;
  return g_variant_new_string (mproc_process_get_name (mproc_process_current ()));
}

static void
expect_name (MprocPool *pool, const char *name)
{
  GVariant *value =
      mproc_test_value_of (mproc_pool_apply_async (pool, tell_name, NULL, NULL));

  ck_assert_str_eq (g_variant_get_string (value, NULL), name);
  g_variant_unref (value);
}

START_TEST (a_spare_is_no_worker)
{
  MprocQueue *log = mproc_queue_new (0, NULL);
  MprocPool *pool = new_talkative_pool (2, log);
  Waiting spare = await_spare (pool, 0);
  MprocPoolStats *stats;
  gint sum;

  await_crowd (pool, 1, 2);
  stats = mproc_pool_get_stats (pool);
  ck_assert_uint_eq (stats->n_workers, 2);
  for (guint i = 0; i < 2; i++)
    ck_assert_int_ne (stats->workers[i].pid, spare.pid);
  mproc_pool_stats_free (stats);
  ck_assert_uint_eq (mproc_pool_get_n_workers (pool), 2);
  sum = mproc_test_hear (log, MPROC_SECONDS (20));
  sum += mproc_test_hear (log, MPROC_SECONDS (20));
  ck_assert_int_eq (sum, 1 + 2);
  for (guint i = 0; i < 20; i++)
    ck_assert_int_ne (mproc_test_ask (pool, mproc_test_tell_pid), spare.pid);
  mproc_test_end_pool (pool);
  /* Nor has the spare begun at its end. */
  ck_assert_int_eq (mproc_test_hear (log, 0), MPROC_TEST_SILENCE);
  await_death (spare.member);
  mproc_queue_unref (log);
}
END_TEST

START_TEST (it_takes_the_place_of_the_dead)
{
  MprocQueue *log = mproc_queue_new (0, NULL);
  MprocPool *pool = new_talkative_pool (1, log);
  guint n = (guint) mproc_test_scale (8);
  MprocMember before = 0;
  gint64 worker = mproc_test_ask (pool, mproc_test_tell_pid);

  mproc_test_expect_number (log, 1);
  for (guint i = 2; i < 2 + n; i++)
    {
      Waiting spare = await_spare (pool, before);
      char *name = g_strdup_printf ("Crowd-%u", i);

      mproc_test_kill_pid (worker);
      mproc_test_expect_number (log, (gint) i);
      worker = mproc_test_ask (pool, mproc_test_tell_pid);
      ck_assert_int_eq (worker, spare.pid);
      ck_assert_uint_eq (ask_number (pool), i);
      expect_name (pool, name);
      mproc_test_await_live_workers (pool, 1);
      g_free (name);
      before = spare.member;
    }
  ck_assert_uint_eq (count_lost (pool), n);
  mproc_test_end_pool (pool);
  ck_assert_int_eq (mproc_test_hear (log, 0), MPROC_TEST_SILENCE);
  mproc_queue_unref (log);
}
END_TEST

START_TEST (workers_that_have_had_their_tasks)
{
  MprocPoolOptions *options = mproc_pool_options_new ();
  MprocPool *pool;
  guint last = 0;

  mproc_pool_options_set_max_tasks_per_worker (options, 1);
  pool = new_pool (1, options);
  for (gint i = mproc_test_scale (30); i > 0; i--)
    {
      guint number = ask_number (pool);

      ck_assert_uint_eq (number, last + 1);
      last = number;
      /* With a spare or without one. */
      if (i % 3 == 0)
        await_spare (pool, 0);
    }
  await_crowd (pool, last + 1, 1);
  ck_assert_uint_eq (count_lost (pool), 0);
  mproc_test_end_pool (pool);
}
END_TEST

/* ------------------------------------------------------------------ deaths */

START_TEST (several_die_at_once)
{
  MprocPool *pool = new_pool (3, NULL);

  for (guint first = 1; first <= 4; first += 3)
    {
      await_spare (pool, 0);
      await_crowd (pool, first, 3);
      kill_workers (pool);
    }
  await_crowd (pool, 7, 3);
  mproc_test_expect_service (pool, 20);
  ck_assert_uint_eq (count_lost (pool), 6);
  mproc_test_end_pool (pool);
}
END_TEST

START_TEST (a_killed_spare_is_nobodys_loss)
{
  MprocPool *pool = new_pool (1, NULL);
  gint64 worker = mproc_test_ask (pool, mproc_test_tell_pid);
  Waiting spare = await_spare (pool, 0), next;

  mproc_test_kill_pid (spare.pid);
  mproc_test_expect_service (pool, 20);
  next = await_spare (pool, spare.member);
  ck_assert_int_eq (mproc_test_ask (pool, mproc_test_tell_pid), worker);
  ck_assert_uint_eq (ask_number (pool), 1);
  ck_assert_uint_eq (count_lost (pool), 0);
  mproc_test_kill_pid (worker);
  ck_assert_int_eq (mproc_test_ask (pool, mproc_test_tell_pid), next.pid);
  ck_assert_uint_eq (ask_number (pool), 2);
  mproc_test_end_pool (pool);
}
END_TEST

/* Whichever the crew sees first. */
START_TEST (the_spare_dies_with_the_worker)
{
  MprocPool *pool = new_pool (1, NULL);

  for (guint i = 0; i < 2; i++)
    {
      Waiting spare = await_spare (pool, 0);
      gint64 worker = mproc_test_ask (pool, mproc_test_tell_pid);

      mproc_test_kill_pid (i % 2 == 0 ? spare.pid : worker);
      mproc_test_kill_pid (i % 2 == 0 ? worker : spare.pid);
      mproc_test_expect_service (pool, 5);
      ck_assert_uint_eq (mproc_pool_get_n_live_workers (pool), 1);
    }
  mproc_test_end_pool (pool);
}
END_TEST

/* `(hu)`: dies once the counter says so. */
static GVariant *
die_if_told (GVariant *args, GError **error)
{
  MprocArray *counters;
  guint32 i;

  if (mproc_unpack (args, error, "(&hu)", &counters, &i) &&
      mproc_test_count (counters, i) != 0)
    mproc_process_exit (3);
  return NULL;
}

START_TEST (workers_that_cannot_begin)
{
  MprocPoolOptions *options = mproc_pool_options_new ();
  MprocArray *counters = mproc_test_counters (1);
  GError *error = NULL;
  MprocPool *pool;

  mproc_pool_options_set_initializer (options, die_if_told,
                                      mproc_pack ("(hu)", counters, 0u));
  pool = new_pool (1, options);
  await_spare (pool, 0);
  await_crowd (pool, 1, 1);
  mproc_test_set_count (counters, 0, 1);
  kill_workers (pool);
  ck_assert_ptr_null (mproc_pool_apply (pool, mproc_test_tell_pid, NULL, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_STATE, "in a row ended before");
  mproc_test_end_pool (pool);
  mproc_array_unref (counters);
}
END_TEST

/* ------------------------------------------------------------------ ends */

START_TEST (a_pool_that_is_terminated)
{
  MprocPool *pool = new_pool (2, NULL);
  Waiting spare = await_spare (pool, 0);

  mproc_pool_terminate (pool);
  ck_assert (mproc_pool_join (pool, MPROC_SECONDS (50)));
  ck_assert (mproc_member_is_dead (spare.member));
  mproc_pool_unref (pool);
}
END_TEST

START_TEST (a_pool_that_is_closed)
{
  MprocPool *pool = new_pool (2, NULL);
  Waiting spare = await_spare (pool, 0);

  mproc_pool_close (pool);
  ck_assert (mproc_pool_join (pool, MPROC_SECONDS (50)));
  ck_assert (mproc_member_is_dead (spare.member));
  mproc_pool_unref (pool);
}
END_TEST

START_TEST (a_nursery_that_is_killed)
{
  MprocPool *pool = new_pool (2, NULL);
  Waiting spare = await_spare (pool, 0);
  gint64 nursery = mproc_test_ask (pool, mproc_test_tell_parent);

  mproc_test_kill_pid (nursery);
  await_death (spare.member);
  /* By workers that this process has started. */
  mproc_test_expect_service (pool, 20);
  ck_assert_uint_eq (mproc_pool_get_n_live_workers (pool), 2);
  mproc_test_end_pool (pool);
}
END_TEST

/* `(h)`: makes a pool, says who its spare is, and waits for its own end. */
static GVariant *
have_a_pool (GVariant *args, GError **error)
{
  MprocPool *pool = mproc_pool_new (1, error);
  Waiting spare = { pool, 0, 0, 0 };
  MprocQueue *said;

  if (pool == NULL || !mproc_unpack (args, error, "(&h)", &said))
    return NULL;
  while (!has_spare (&spare))
    g_usleep (1000);
  mproc_queue_put (said, g_variant_new_uint32 (spare.member), MPROC_FOREVER, NULL);
  for (;;)
    g_usleep (G_USEC_PER_SEC);
  return NULL;
}

START_TEST (a_program_that_is_killed)
{
  MprocQueue *said = mproc_queue_new (0, NULL);
  MprocProcess *program = mproc_process_new (have_a_pool, mproc_pack ("(h)", said));
  GVariant *member;

  mproc_process_set_start_method (program, MPROC_START_METHOD_FORK);
  ck_assert (mproc_process_start (program, NULL));
  member = mproc_queue_get (said, MPROC_SECONDS (50), NULL);
  ck_assert_ptr_nonnull (member);
  mproc_process_kill (program, NULL);
  await_death (g_variant_get_uint32 (member));
  g_variant_unref (member);
  mproc_test_end_with (program, -9);
  mproc_queue_unref (said);
}
END_TEST

/* ------------------------------------------------------------------ none */

START_TEST (other_methods_have_none)
{
  gboolean is_fork = mproc_test_method (_i) == MPROC_START_METHOD_FORK;
  MprocPool *pool = mproc_test_pool (1, _i);

  mproc_test_expect_service (pool, 5);
  if (!is_fork)
    ck_assert_uint_eq (mproc_load32 (&mproc_control_at (pool->control)->spare), 0);
  mproc_test_end_pool (pool);
}
END_TEST

/* ------------------------------------------------------------------ the suite */

Suite *
mproc_test_pool_spare_suite (void)
{
  Suite *suite = suite_create ("pool-spare");
  TCase *tcase = mproc_test_case (suite, "spare");

  tcase_add_checked_fixture (tcase, set_up, tear_down);
  tcase_add_loop_test (tcase, other_methods_have_none, 0, (int) mproc_test_n_methods ());
  /* Only a fork takes the program along. */
  if (!mproc_test_can_fork ())
    return suite;
  tcase_add_test (tcase, a_spare_is_no_worker);
  tcase_add_test (tcase, it_takes_the_place_of_the_dead);
  tcase_add_test (tcase, workers_that_have_had_their_tasks);
  tcase_add_test (tcase, several_die_at_once);
  tcase_add_test (tcase, a_killed_spare_is_nobodys_loss);
  tcase_add_test (tcase, the_spare_dies_with_the_worker);
  tcase_add_test (tcase, workers_that_cannot_begin);
  tcase_add_test (tcase, a_pool_that_is_terminated);
  tcase_add_test (tcase, a_pool_that_is_closed);
  tcase_add_test (tcase, a_nursery_that_is_killed);
  tcase_add_test (tcase, a_program_that_is_killed);
  return suite;
}
