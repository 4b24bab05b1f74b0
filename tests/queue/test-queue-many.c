/* SPDX-License-Identifier: MIT */
/* Many who wait at one queue: that costs little, and nothing is overlooked. */
#include "processes.h"
#include "queues.h"

#include "queue/queuedata.h"

#define N_SLEEPERS 48

/* What so many naps of the usual length come to in that time is four times as much. */
#define WINDOW (G_USEC_PER_SEC / 4)
#define MOST_LOOKS (N_SLEEPERS * WINDOW / MPROC_NAP / 4)

static gpointer
get_one (gpointer queue)
{
  gchar letter = 0;

  mproc_queue_get_bytes_into (queue, &letter, 1, MPROC_SECONDS (60), NULL);
  return GINT_TO_POINTER (letter);
}

static void
start_all (MprocQueue *queue, GThread **threads)
{
  for (guint i = 0; i < N_SLEEPERS; i++)
    threads[i] = g_thread_new ("sleeps", get_one, queue);
}

static guint
count_looks (MprocQueue *queue)
{
  guint32 before = mproc_load32 (&queue->body->looks);

  g_usleep (WINDOW);
  return mproc_load32 (&queue->body->looks) - before;
}

/* On a busy machine they may all be late, and then come at the same time. */
static gboolean
some_look (gpointer queue)
{
  guint n = count_looks (queue);

  return n > 0 && n <= MOST_LOOKS;
}

START_TEST (of_many_sleepers_few_look)
{
  MprocQueue *queue = make_queue (0);
  GThread *threads[N_SLEEPERS];

  start_all (queue, threads);
  ck_assert (mproc_test_eventually (some_look, queue));
  for (guint i = 0; i < N_SLEEPERS; i++)
    ck_assert (mproc_queue_put_bytes (queue, "x", 1, 0, NULL));
  for (guint i = 0; i < N_SLEEPERS; i++)
    ck_assert_int_eq (GPOINTER_TO_INT (g_thread_join (threads[i])), 'x');
  mproc_queue_unref (queue);
}
END_TEST

/* As after a producer that was killed between its item and the wake.  Best of some. */
static gint64
time_without_a_wake (MprocQueue *queue)
{
  gint64 start = g_get_monotonic_time ();

  mproc_store32 (&queue->body->getters.word, 0);
  ck_assert (mproc_queue_put_bytes (queue, "y", 1, 0, NULL));
  while (mproc_queue_get_size (queue) > 0 &&
         g_get_monotonic_time () - start < MPROC_SECONDS (10))
    g_usleep (1000);
  return g_get_monotonic_time () - start;
}

START_TEST (a_lost_wake_is_made_up_for_soon)
{
  MprocQueue *queue = make_queue (0);
  GThread *threads[N_SLEEPERS];
  gint64 best = G_MAXINT64;

  start_all (queue, threads);
  ck_assert (mproc_test_eventually (some_look, queue));
  for (guint i = 0; i < N_SLEEPERS; i++)
    if (i < 10)
      {
        gint64 time = time_without_a_wake (queue);

        best = MIN (best, time);
      }
    else
      ck_assert (mproc_queue_put_bytes (queue, "y", 1, 0, NULL));
  for (guint i = 0; i < N_SLEEPERS; i++)
    ck_assert_int_eq (GPOINTER_TO_INT (g_thread_join (threads[i])), 'y');
  ck_assert_int_lt (best, 300000);
  mproc_queue_unref (queue);
}
END_TEST

/* Also when one who held the lock has died in it. */
START_TEST (at_the_end_all_go)
{
  MprocQueue *queue = make_queue (0);
  GThread *threads[N_SLEEPERS];
  gint64 start;

  start_all (queue, threads);
  ck_assert (mproc_test_eventually (some_look, queue));
  mproc_store32 (&queue->body->chain.consumer.lock,
                 (guint32) MPROC_MAX_MEMBERS << 19 | 2);
  start = g_get_monotonic_time ();
  mproc_queue_shutdown (queue, FALSE);
  for (guint i = 0; i < N_SLEEPERS; i++)
    ck_assert_int_eq (GPOINTER_TO_INT (g_thread_join (threads[i])), 0);
  ck_assert_int_lt (g_get_monotonic_time () - start, MPROC_SECONDS (10));
  ck_assert_uint_eq (mproc_load32 (&queue->body->chain.consumer.lock), 0);
  mproc_queue_unref (queue);
}
END_TEST

Suite *
mproc_test_queue_many_suite (void)
{
  Suite *suite = suite_create ("queue-many");
  TCase *tcase = mproc_test_case (suite, "many");

  tcase_add_test (tcase, of_many_sleepers_few_look);
  tcase_add_test (tcase, a_lost_wake_is_made_up_for_soon);
  tcase_add_test (tcase, at_the_end_all_go);
  return suite;
}
