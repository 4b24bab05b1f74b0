/* SPDX-License-Identifier: MIT */
/* Nobody is passed over for long, whoever else is faster. */
#include "pipes.h"
#include "processes.h"
#include "queues.h"

#include "family/family.h"
#include "queue/queuedata.h"

#include <string.h>

/* ------------------------------------------------------------------ one that waits */

static gboolean
somebody_complains (gpointer notice)
{
  return (mproc_load32 (notice) & ~MPROC_NOTICE) != 0;
}

static gpointer
get_one (gpointer queue)
{
  gchar letter = 0;

  mproc_queue_get_bytes_into (queue, &letter, 1, MPROC_SECONDS (30), NULL);
  return GINT_TO_POINTER (letter);
}

static gpointer
put_one (gpointer queue)
{
  return GINT_TO_POINTER (mproc_queue_put_bytes (queue, "t", 1, MPROC_SECONDS (30),
                                                 NULL));
}

/* The lock is let go of by one that wants it again at once, and would have it long before
 * the other one wakes. */
START_TEST (who_has_waited_goes_first_to_get)
{
  MprocQueue *queue = make_queue (0);
  MprocConsumer *consumer = &queue->body->chain.consumer;
  GThread *thread;
  gchar letter;

  for (gint i = 0; i < 20; i++)
    {
      ck_assert (mproc_queue_put_bytes (queue, "1", 1, 0, NULL));
      ck_assert (mproc_queue_put_bytes (queue, "2", 1, 0, NULL));
      ck_assert (mproc_queue_lock (queue, &consumer->lock, MPROC_OS_NEVER));
      thread = g_thread_new ("waits", get_one, queue);
      ck_assert (mproc_test_eventually (somebody_complains, &consumer->notice));
      mproc_lockword_release (&consumer->lock);
      ck_assert_int_eq (mproc_queue_get_bytes_into (queue, &letter, 1, 0, NULL), 1);
      ck_assert_int_eq (GPOINTER_TO_INT (g_thread_join (thread)) + letter, '1' + '2');
      if (letter == '2')
        break;
    }
  /* A moment may pass before the other one comes to a processor, but not each time. */
  ck_assert_int_eq (letter, '2');
  ck_assert (!somebody_complains (&consumer->notice));
  mproc_queue_unref (queue);
}
END_TEST

START_TEST (who_has_waited_goes_first_to_put)
{
  MprocQueue *queue = make_queue (0);
  MprocProducer *producer = &queue->body->chain.producer;
  gchar first, second;
  GThread *thread;

  for (gint i = 0; i < 20; i++)
    {
      ck_assert (mproc_queue_lock (queue, &producer->lock, MPROC_OS_NEVER));
      thread = g_thread_new ("waits", put_one, queue);
      ck_assert (mproc_test_eventually (somebody_complains, &producer->notice));
      mproc_lockword_release (&producer->lock);
      ck_assert (mproc_queue_put_bytes (queue, "m", 1, 0, NULL));
      ck_assert (GPOINTER_TO_INT (g_thread_join (thread)));
      first = (gchar) GPOINTER_TO_INT (get_one (queue));
      second = (gchar) GPOINTER_TO_INT (get_one (queue));
      ck_assert_int_eq (first + second, 't' + 'm');
      if (first == 't')
        break;
    }
  ck_assert_int_eq (first, 't');
  mproc_queue_unref (queue);
}
END_TEST

static gboolean
somebody_sleeps (gpointer queue)
{
  return mproc_sleepers_may_be_there (&((MprocQueue *) queue)->body->getters);
}

/* Else hundreds of them would do nothing but hand the lock on.  What comes is got all the same. */
START_TEST (who_sees_nothing_does_not_wait_for_the_lock)
{
  MprocQueue *queue = make_queue (0);
  MprocConsumer *consumer = &queue->body->chain.consumer;
  gint64 best = G_MAXINT64;
  GThread *thread;
  gchar letter;

  ck_assert (mproc_queue_lock (queue, &consumer->lock, MPROC_OS_NEVER));
  for (gint i = 0; i < 3; i++)
    {
      gint64 start = g_get_monotonic_time ();

      ck_assert_int_eq (mproc_queue_get_bytes_into (queue, &letter, 1, 0, NULL), -1);
      best = MIN (best, g_get_monotonic_time () - start);
    }
  ck_assert_int_lt (best, MPROC_QUEUE_GRACE / 2);
  thread = g_thread_new ("waits", get_one, queue);
  ck_assert (mproc_test_eventually (somebody_sleeps, queue));
  ck_assert (mproc_queue_put_bytes (queue, "x", 1, 0, NULL));
  mproc_lockword_release (&consumer->lock);
  ck_assert_int_eq (GPOINTER_TO_INT (g_thread_join (thread)), 'x');
  mproc_queue_unref (queue);
}
END_TEST

/* One that has died, or was stopped, after it had complained. */
START_TEST (nobody_waits_long_for_one_that_does_not_come)
{
  MprocQueue *queue = make_queue (0);
  MprocChain *chain = &queue->body->chain;
  gint64 best = G_MAXINT64;

  for (gint i = 0; i < 10; i++)
    {
      gint64 start = g_get_monotonic_time ();
      gchar letter;

      mproc_store32 (&chain->producer.notice, 0x12345678);
      mproc_store32 (&chain->consumer.notice, 0x12345678);
      ck_assert (mproc_queue_put_bytes (queue, "x", 1, 0, NULL));
      ck_assert_int_eq (mproc_queue_get_bytes_into (queue, &letter, 1, 0, NULL), 1);
      ck_assert (!somebody_complains (&chain->producer.notice));
      ck_assert (!somebody_complains (&chain->consumer.notice));
      best = MIN (best, g_get_monotonic_time () - start);
    }
  ck_assert_int_lt (best, 200000);
  mproc_queue_unref (queue);
}
END_TEST

/* ------------------------------------------------------------------ many */

#define N_CONSUMERS 4
#define N_PRODUCERS 2
#define MAX_SHARES (N_CONSUMERS + N_PRODUCERS)

typedef struct
{
  MprocAtomic32 go;
  MprocAtomic32 stop;
  MprocAtomic32 n_disordered;
  MprocAtomic32 shares[MAX_SHARES];
} Board;

typedef struct
{
  guint32 producer;
  guint32 number;
  guint64 filling[6];
} Item;

static Board *
board_of (GVariant *args, MprocQueue **queue, guint32 *number, GError **error)
{
  gint64 offset;

  if (!mproc_unpack (args, error, "(&hxu)", queue, &offset, number))
    return NULL;
  return mproc_arena_at ((MprocOffset) offset, sizeof (Board));
}

/* As fast as it can, and never satisfied. */
static GVariant *
produce (GVariant *args, GError **error)
{
  Item item = { 0 };
  MprocQueue *queue;
  guint32 number;
  Board *board = board_of (args, &queue, &number, error);

  if (board == NULL)
    return NULL;
  item.producer = number;
  while (!mproc_load32 (&board->stop))
    {
      item.number++;
      if (!mproc_queue_put_bytes (queue, &item, sizeof item, MPROC_FOREVER, error))
        return NULL;
      mproc_add32 (&board->shares[N_CONSUMERS + number], 1);
    }
  return NULL;
}

static GVariant *
consume (GVariant *args, GError **error)
{
  guint32 last[N_PRODUCERS] = { 0 };
  MprocQueue *queue;
  guint32 number;
  Board *board = board_of (args, &queue, &number, error);
  Item item;

  if (board == NULL)
    return NULL;
  while (mproc_queue_get_bytes_into (queue, &item, sizeof item, MPROC_FOREVER, NULL) > 0)
    {
      if (item.producer >= N_PRODUCERS || item.number <= last[item.producer])
        mproc_add32 (&board->n_disordered, 1);
      else
        last[item.producer] = item.number;
      mproc_add32 (&board->shares[number], 1);
    }
  return NULL;
}

/* Everybody has got (or put) that much since the last look. */
typedef struct
{
  Board *board;
  guint32 seen[MAX_SHARES];
} Watch;

static gboolean
all_went_on (gpointer data)
{
  Watch *self = data;

  for (guint i = 0; i < MAX_SHARES; i++)
    if (mproc_load32 (&self->board->shares[i]) - self->seen[i] < 20)
      return FALSE;
  return TRUE;
}

/* All the time under full load, each of them goes on, again and again. */
static void
run_all (MprocStartMethod method, guint max_items)
{
  MprocQueue *queue = make_queue (max_items);
  MprocOffset block = mproc_arena_alloc0 (sizeof (Board), NULL);
  MprocProcess *children[MAX_SHARES];
  gint n_looks = mproc_test_is_slow_platform () ? 5 : 20;
  Watch watch = { .board = mproc_arena_at (block, sizeof (Board)) };

  for (guint i = 0; i < MAX_SHARES; i++)
    children[i] =
        mproc_test_start_by (method, i < N_CONSUMERS ? consume : produce,
                             mproc_pack ("(hxu)", queue, (gint64) block,
                                         i < N_CONSUMERS ? i : i - N_CONSUMERS));
  for (gint look = 0; look < n_looks; look++)
    {
      for (guint i = 0; i < MAX_SHARES; i++)
        watch.seen[i] = mproc_load32 (&watch.board->shares[i]);
      ck_assert (mproc_test_eventually (all_went_on, &watch));
    }
  mproc_store32 (&watch.board->stop, 1);
  for (guint i = N_CONSUMERS; i < MAX_SHARES; i++)
    mproc_test_end_with (children[i], 0);
  mproc_queue_shutdown (queue, FALSE);
  for (guint i = 0; i < N_CONSUMERS; i++)
    mproc_test_end_with (children[i], 0);
  ck_assert_uint_eq (mproc_load32 (&watch.board->n_disordered), 0);
  mproc_arena_free (block);
  mproc_queue_unref (queue);
}

START_TEST (all_get_their_share) { run_all (mproc_test_method (_i), 1000); }
END_TEST

START_TEST (all_get_their_share_of_little_room) { run_all (mproc_test_method (_i), 3); }
END_TEST

Suite *
mproc_test_queue_fair_suite (void)
{
  Suite *suite = suite_create ("queue-fair");
  TCase *tcase = mproc_test_case (suite, "fair");
  int n = (int) mproc_test_n_methods ();

  tcase_add_test (tcase, who_has_waited_goes_first_to_get);
  tcase_add_test (tcase, who_has_waited_goes_first_to_put);
  tcase_add_test (tcase, who_sees_nothing_does_not_wait_for_the_lock);
  tcase_add_test (tcase, nobody_waits_long_for_one_that_does_not_come);
  tcase_add_loop_test (tcase, all_get_their_share, 0, n);
  tcase_add_loop_test (tcase, all_get_their_share_of_little_room, 0, n);
  return suite;
}
