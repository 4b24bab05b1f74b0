/* SPDX-License-Identifier: MIT */
/* Queues that are shut down while others are at work with them, and the work of the dead. */
#include "processes.h"
#include "queues.h"

#define N_EACH 3
#define SMALL 60
#define BIG 40000 /* in a block of its own */

/* One who puts or gets until the queue's end, how, and what came of it. */
typedef struct
{
  MprocQueue *queue;
  gint32 way;
  gint64 n_put;
  gint64 n_got;
  gboolean failed;
} Worker;

enum
{
  SMALL_ONES,
  BIG_ONES,
  BATCHES
};

/* FALSE: it is the end, or something has failed. */
static gboolean
goes_on (Worker *self, GError **error)
{
  gboolean ended = g_error_matches (*error, MPROC_ERROR, MPROC_ERROR_CLOSED);

  self->failed |= *error != NULL && !ended &&
                  !g_error_matches (*error, MPROC_ERROR, MPROC_ERROR_FULL) &&
                  !g_error_matches (*error, MPROC_ERROR, MPROC_ERROR_EMPTY);
  g_clear_error (error);
  return !ended && !self->failed;
}

static gint64
put_some (Worker *self, const guint8 *data, GError **error)
{
  GVariant *items[5];
  gssize n_put;

  if (self->way != BATCHES)
    return mproc_queue_put_bytes (self->queue, data, self->way == BIG_ONES ? BIG : SMALL,
                                  5000, error);
  for (guint i = 0; i < G_N_ELEMENTS (items); i++)
    items[i] = g_variant_new_uint32 (i);
  n_put = mproc_queue_put_many (self->queue, items, G_N_ELEMENTS (items), 5000, error);
  return n_put > 0 ? n_put : 0;
}

static gint64
get_some (Worker *self, GError **error)
{
  GPtrArray *items;
  GVariant *item;
  gint64 n;

  if (self->way != BATCHES)
    {
      item = mproc_queue_get (self->queue, self->way == BIG_ONES ? 5000 : 0, error);
      g_clear_pointer (&item, g_variant_unref);
      return *error == NULL;
    }
  items = mproc_queue_get_many (self->queue, 7, 5000, error);
  n = items != NULL ? items->len : 0;
  g_clear_pointer (&items, g_ptr_array_unref);
  return n;
}

/* Each item that is taken is done. */
static gint64
get_and_do_some (Worker *self, GError **error)
{
  gint64 n = get_some (self, error);

  for (gint64 i = 0; i < n; i++)
    self->failed |= !mproc_queue_task_done (self->queue, NULL);
  return n;
}

/* A target: tells how many it has put and got, and whether all was well. */
static GVariant *
work_until_end (GVariant *args, GError **error)
{
  Worker self = { .failed = FALSE };
  guint8 *data = g_malloc0 (BIG);
  GError *reason = NULL;
  MprocQueue *says;
  gboolean puts;

  if (!mproc_unpack (args, error, "(&h&hib)", &self.queue, &says, &self.way, &puts))
    return NULL;
  do
    if (puts)
      self.n_put += put_some (&self, data, &reason);
    else
      self.n_got += get_and_do_some (&self, &reason);
  while (goes_on (&self, &reason));
  g_free (data);
  mproc_queue_put_packed (says, MPROC_FOREVER, error, "(xxb)", self.n_put, self.n_got,
                          self.failed);
  return NULL;
}

static void
add_up (MprocQueue *says, guint n_workers, gint64 *n_put, gint64 *n_got)
{
  *n_put = *n_got = 0;
  for (guint i = 0; i < n_workers; i++)
    {
      gint64 put, got;
      gboolean failed;

      ck_assert (mproc_queue_get_unpacked (says, MPROC_TEST_PATIENCE, NULL, "(xxb)", &put,
                                           &got, &failed));
      ck_assert (!failed);
      *n_put += put;
      *n_got += got;
    }
}

/* What a put said is in the queue has been got, or dropped; nothing else has. */
static void
end_in_the_middle (int i, guint max_items, guint64 max_bytes, gboolean immediate)
{
  MprocQueue *queue = mproc_queue_new_full (max_items, max_bytes, NULL);
  MprocQueue *says = make_queue (0);
  MprocProcess *workers[2 * N_EACH];
  gint64 n_put, n_got;

  for (gint32 k = 0; k < 2 * N_EACH; k++)
    workers[k] = mproc_test_start (i, work_until_end,
                                   mproc_pack ("(hhib)", queue, says, k / 2, k % 2));
  g_usleep ((gulong) g_random_int_range (0, 10000));
  mproc_queue_shutdown (queue, immediate);
  add_up (says, 2 * N_EACH, &n_put, &n_got);
  for (guint k = 0; k < 2 * N_EACH; k++)
    mproc_test_end_with (workers[k], 0);
  ck_assert (immediate ? n_got <= n_put : n_got == n_put);
  ck_assert (mproc_queue_is_empty (queue));
  ck_assert_uint_eq (mproc_queue_get_n_bytes (queue), 0);
  ck_assert (mproc_queue_join (queue, 0));
  ck_assert (!mproc_queue_task_done (queue, NULL));
  mproc_queue_unref (queue);
  mproc_queue_unref (says);
}

START_TEST (what_was_put_is_got_whenever_the_end_comes)
{
  gboolean is_slow = mproc_test_is_slow_platform ();
  gint n = is_slow ? 1 : mproc_test_scale (3);

  for (gint k = 0; k < n; k++)
    {
      end_in_the_middle (_i, 0, 50000, FALSE);
      end_in_the_middle (_i, 100, 0, TRUE);
      if (is_slow)
        continue;
      end_in_the_middle (_i, 0, 0, FALSE);
      end_in_the_middle (_i, 2, 0, FALSE);
      end_in_the_middle (_i, 0, 50000, TRUE);
    }
}
END_TEST

/* A target: takes one, says so, and waits for another one. */
static GVariant *
take_and_wait (GVariant *args, GError **error)
{
  MprocQueue *tasks, *says;

  if (!mproc_unpack (args, error, "(&h&h)", &tasks, &says))
    return NULL;
  for (guint i = 0; i < 2; i++)
    {
      GVariant *task = mproc_queue_get (tasks, MPROC_FOREVER, NULL);

      g_clear_pointer (&task, g_variant_unref);
      mproc_test_say (says, "taken");
    }
  return NULL;
}

/* Whoever joins waits as long as he wants to, and can do the dead one's part. */
START_TEST (a_dead_workers_task_stays_undone)
{
  MprocQueue *tasks = make_queue (0);
  MprocQueue *says = make_queue (0);
  MprocProcess *worker;
  gint64 before;

  if (!mproc_test_is_thread (_i)) /* which cannot be killed */
    {
      worker = mproc_test_start (_i, take_and_wait, mproc_pack ("(hh)", tasks, says));
      ck_assert (mproc_queue_put (tasks, g_variant_new_int32 (1), 0, NULL));
      mproc_test_expect_text (says, "taken");
      ck_assert (mproc_process_kill (worker, NULL));
      ck_assert (mproc_process_join (worker, MPROC_FOREVER));
      mproc_process_unref (worker);
      before = g_get_monotonic_time ();
      ck_assert (!mproc_queue_join (tasks, 150000));
      ck_assert_int_ge (g_get_monotonic_time () - before, 150000);
      ck_assert (mproc_queue_task_done (tasks, NULL));
      ck_assert (mproc_queue_join (tasks, 0));
      ck_assert (!mproc_queue_task_done (tasks, NULL));
    }
  mproc_queue_unref (tasks);
  mproc_queue_unref (says);
}
END_TEST

Suite *
mproc_test_queue_end_suite (void)
{
  Suite *suite = suite_create ("queue-end");
  TCase *tcase = mproc_test_case (suite, "end");
  int n = (int) mproc_test_n_methods ();

  tcase_add_loop_test (tcase, what_was_put_is_got_whenever_the_end_comes, 0, n);
  tcase_add_loop_test (tcase, a_dead_workers_task_stays_undone, 0, n);
  return suite;
}
