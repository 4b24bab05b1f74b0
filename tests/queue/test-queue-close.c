/* SPDX-License-Identifier: MIT */
/* Who closes a queue closes it for itself: not for its children, nor for its starter, even
 * where one of them is a thread of the other or was forked from it. */
#include "pipes.h"
#include "queues.h"

#define METHOD mproc_test_method (_i)

/* ------------------------------------------------------------------ what a side can do */

/* In children too: no assertions. */
static gboolean
is_closed_error (GError **error)
{
  gboolean result = g_error_matches (*error, MPROC_ERROR, MPROC_ERROR_CLOSED);

  g_clear_error (error);
  return result;
}

static gboolean
is_closed (MprocQueue *queue)
{
  GVariant *item = g_variant_ref_sink (g_variant_new_int32 (7));
  GError *error = NULL;
  gchar byte;
  gboolean result;

  result = !mproc_queue_put (queue, item, 0, &error) && is_closed_error (&error) &&
           mproc_queue_put_many (queue, &item, 1, 0, &error) == -1 &&
           is_closed_error (&error) && mproc_queue_get (queue, 0, &error) == NULL &&
           is_closed_error (&error) &&
           mproc_queue_get_many (queue, 1, 0, &error) == NULL &&
           is_closed_error (&error) &&
           mproc_queue_get_bytes_into (queue, &byte, 1, 0, &error) == -1 &&
           is_closed_error (&error) &&
           mproc_queue_peek_bytes (queue, 0, &error) == NULL && is_closed_error (&error);
  g_clear_error (&error);
  g_variant_unref (item);
  return result;
}

/* Nobody else uses it meanwhile, and there is nothing in it. */
static gboolean
is_open (MprocQueue *queue)
{
  gchar byte = 0;

  return mproc_queue_put_bytes (queue, "x", 1, 0, NULL) &&
         mproc_queue_get_bytes_into (queue, &byte, 1, 0, NULL) == 1 && byte == 'x' &&
         mproc_queue_task_done (queue, NULL);
}

static gboolean
expect_that (gboolean condition, const char *what, GError **error)
{
  if (!condition && error != NULL && *error == NULL)
    g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_FAILED, what);
  return condition;
}

/* One says to the other that it may go on. */
static gboolean
give_turn (MprocQueue *turns)
{
  return mproc_queue_put_bytes (turns, "", 0, 0, NULL);
}

static gboolean
await_turn (MprocQueue *turns)
{
  gchar nothing;

  return mproc_queue_get_bytes_into (turns, &nothing, 1, MPROC_SECONDS (30), NULL) == 0;
}

/* ------------------------------------------------------------------ the tests */

/* Closes it, and finds that so, also after its starter has used it. */
static GVariant *
close_it (GVariant *args, GError **error)
{
  MprocQueue *queue, *closed, *turns;

  if (!mproc_unpack (args, error, "(&h&h&h)", &queue, &closed, &turns) ||
      !expect_that (is_open (queue), "closed before its time", error))
    return NULL;
  mproc_queue_close (queue);
  mproc_queue_close (queue);
  expect_that (is_closed (queue), "open after closing", error);
  give_turn (closed);
  expect_that (await_turn (turns) && is_closed (queue), "open again", error);
  return NULL;
}

static void
let_child_close (MprocStartMethod method, MprocQueue *queue)
{
  MprocQueue *closed = make_queue (0);
  MprocQueue *turns = make_queue (0);
  MprocProcess *child =
      mproc_test_start_by (method, close_it, mproc_pack ("(hhh)", queue, closed, turns));

  ck_assert (await_turn (closed));
  ck_assert (is_open (queue));
  ck_assert (give_turn (turns));
  mproc_test_end_with (child, 0);
  mproc_queue_unref (closed);
  mproc_queue_unref (turns);
}

/* One after the other: what a child has closed is not closed for the next, even if that is
 * given the same place in the family. */
START_TEST (a_child_closes_for_itself)
{
  MprocQueue *queue = make_queue (0);

  for (gint i = 0; i < 3; i++)
    let_child_close (METHOD, queue);
  ck_assert (is_open (queue));
  mproc_queue_close (queue);
  ck_assert (is_closed (queue));
  mproc_queue_unref (queue);
}
END_TEST

static GVariant *
use_and_close (GVariant *args, GError **error)
{
  MprocQueue *queue;

  if (mproc_unpack (args, error, "(&h)", &queue) &&
      expect_that (is_open (queue), "closed by another", error))
    {
      mproc_queue_close (queue);
      expect_that (is_closed (queue), "open after closing", error);
    }
  return NULL;
}

START_TEST (a_starter_closes_for_itself)
{
  MprocQueue *queue = make_queue (0);

  mproc_queue_close (queue);
  mproc_queue_close (queue);
  for (gint i = 0; i < 3; i++)
    {
      mproc_test_end_with (mproc_test_start_by (METHOD, use_and_close,
                                                mproc_pack ("(h)", queue)),
                           0);
      ck_assert (is_closed (queue));
    }
  mproc_queue_unref (queue);
}
END_TEST

/* A child whose starter has closed starts one itself. */
static GVariant *
close_and_start (GVariant *args, GError **error)
{
  MprocQueue *queue;
  MprocProcess *child;
  guint method;
  gint code = -1;

  if (!mproc_unpack (args, error, "(&hu)", &queue, &method))
    return NULL;
  mproc_queue_close (queue);
  child = mproc_process_new (use_and_close, mproc_pack ("(h)", queue));
  mproc_process_set_start_method (child, (MprocStartMethod) method);
  if (mproc_process_start (child, error))
    {
      mproc_process_join (child, MPROC_FOREVER);
      mproc_process_get_exit_code (child, &code);
      expect_that (code == 0, "the grandchild failed", error);
      expect_that (is_closed (queue), "open again", error);
    }
  mproc_process_unref (child);
  return NULL;
}

START_TEST (each_generation_closes_for_itself)
{
  MprocQueue *queue = make_queue (0);

  mproc_test_end_with (mproc_test_start_by (METHOD, close_and_start,
                                            mproc_pack ("(hu)", queue, (guint) METHOD)),
                       0);
  ck_assert (is_open (queue));
  mproc_queue_unref (queue);
}
END_TEST

static gpointer
close_in_thread (gpointer queue)
{
  mproc_queue_close (queue);
  return NULL;
}

static gpointer
look_in_thread (gpointer queue)
{
  return GINT_TO_POINTER (is_closed (queue));
}

START_TEST (plain_threads_close_for_their_process)
{
  MprocQueue *queue = make_queue (0);

  g_thread_join (g_thread_new ("close", close_in_thread, queue));
  ck_assert (is_closed (queue));
  ck_assert (GPOINTER_TO_INT (g_thread_join (g_thread_new ("look", look_in_thread,
                                                           queue))));
  mproc_queue_unref (queue);
}
END_TEST

START_TEST (counts_go_on_after_closing)
{
  MprocQueue *queue = make_queue (2);

  for (gint i = 0; i < 2; i++)
    ck_assert (mproc_queue_put_bytes (queue, "x", 1, 0, NULL));
  mproc_queue_close (queue);
  ck_assert_uint_eq (mproc_queue_get_size (queue), 2);
  ck_assert (!mproc_queue_is_empty (queue));
  ck_assert (mproc_queue_is_full (queue));
  ck_assert (!mproc_queue_join (queue, 0));
  for (gint i = 0; i < 2; i++)
    ck_assert (mproc_queue_task_done (queue, NULL));
  ck_assert (mproc_queue_join (queue, 0));
  mproc_queue_unref (queue);
}
END_TEST

Suite *
mproc_test_queue_close_suite (void)
{
  Suite *suite = suite_create ("queue-close");
  TCase *tcase = mproc_test_case (suite, "close");
  int n = (int) mproc_test_n_methods ();

  tcase_add_loop_test (tcase, a_child_closes_for_itself, 0, n);
  tcase_add_loop_test (tcase, a_starter_closes_for_itself, 0, n);
  tcase_add_loop_test (tcase, each_generation_closes_for_itself, 0, n);
  tcase_add_test (tcase, plain_threads_close_for_their_process);
  tcase_add_test (tcase, counts_go_on_after_closing);
  return suite;
}
