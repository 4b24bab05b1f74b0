/* SPDX-License-Identifier: MIT */
/* Items that are read where they lie, in shared memory. */
#include "pipes.h"
#include "queues.h"

#include "arena/alloc.h"
#include "family/family.h"

#include <string.h>

#define LARGE 100000

static gboolean
put (MprocQueue *queue, guint8 letter, gsize size, GError **error)
{
  guint8 *data = g_malloc (size + 1);
  gboolean ok;

  memset (data, letter, size);
  ok = mproc_queue_put_bytes (queue, data, size, MPROC_FOREVER, error);
  g_free (data);
  return ok;
}

static gboolean
is_filled (GBytes *bytes, guint8 letter, gsize size)
{
  const guint8 *data = g_bytes_get_data (bytes, NULL);

  if (bytes == NULL || g_bytes_get_size (bytes) != size)
    return FALSE;
  for (gsize i = 0; i < size; i++)
    if (data[i] != letter)
      return FALSE;
  return TRUE;
}

static gboolean
is_shared (GBytes *bytes)
{
  const guint8 *start = mproc_arena_at (0, 1);
  const guint8 *data = g_bytes_get_data (bytes, NULL);

  return data >= start && data < start + mproc_arena_get_committed ();
}

static GBytes *
borrow (MprocQueue *queue)
{
  GError *error = NULL;
  GBytes *bytes = mproc_queue_peek_bytes (queue, MPROC_SECONDS (30), &error);

  ck_assert_msg (bytes != NULL, "%s", error != NULL ? error->message : "no error");
  return bytes;
}

/* The next block of that size is the one that was freed last. */
static gboolean
was_freed_last (gconstpointer data)
{
  MprocOffset block = mproc_arena_alloc (LARGE, NULL);
  gboolean same = mproc_arena_at (block, LARGE) == data;

  mproc_arena_free (block);
  return same;
}

/* ------------------------------------------------------------------ in one process */

START_TEST (large_items_are_not_copied)
{
  MprocQueue *queue = make_queue (0);
  gconstpointer data;
  GBytes *bytes;

  ck_assert (put (queue, 'a', LARGE, NULL));
  ck_assert (put (queue, 'b', 100, NULL));
  ck_assert (put (queue, 'c', 0, NULL));
  bytes = borrow (queue);
  ck_assert (is_shared (bytes));
  ck_assert (is_filled (bytes, 'a', LARGE));
  ck_assert_uint_eq (mproc_queue_get_size (queue), 2);
  data = g_bytes_get_data (bytes, NULL);
  ck_assert (!was_freed_last (data));
  g_bytes_unref (bytes);
  ck_assert (was_freed_last (data));
  bytes = borrow (queue);
  ck_assert (!is_shared (bytes));
  ck_assert (is_filled (bytes, 'b', 100));
  g_bytes_unref (bytes);
  bytes = borrow (queue);
  ck_assert_uint_eq (g_bytes_get_size (bytes), 0);
  g_bytes_unref (bytes);
  mproc_queue_unref (queue);
}
END_TEST

START_TEST (errors_are_those_of_get)
{
  MprocQueue *queue = make_queue (0);
  GError *error = NULL;

  ck_assert_ptr_null (mproc_queue_peek_bytes (queue, 0, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_EMPTY, "");
  ck_assert_ptr_null (mproc_queue_peek_bytes (queue, 10000, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_EMPTY, "");
  ck_assert (mproc_queue_put (queue, g_variant_new_string ("value"), 0, NULL));
  ck_assert_ptr_null (mproc_queue_peek_bytes (queue, 0, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_INVALID, "value");
  ck_assert_uint_eq (mproc_queue_get_size (queue), 1);
  g_variant_unref (mproc_queue_get (queue, 0, NULL));
  mproc_queue_shutdown (queue, FALSE);
  ck_assert_ptr_null (mproc_queue_peek_bytes (queue, MPROC_FOREVER, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_CLOSED, "");
  mproc_queue_close (queue);
  ck_assert_ptr_null (mproc_queue_peek_bytes (queue, MPROC_FOREVER, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_CLOSED, "");
  mproc_queue_unref (queue);
}
END_TEST

static gpointer
unref (gpointer bytes)
{
  g_bytes_unref (bytes);
  return NULL;
}

START_TEST (bytes_outlive_the_queue)
{
  MprocQueue *queue = make_queue (0);
  gconstpointer data;
  GBytes *bytes;

  ck_assert (put (queue, 'q', LARGE, NULL));
  bytes = borrow (queue);
  mproc_queue_unref (queue);
  ck_assert (is_filled (bytes, 'q', LARGE));
  data = g_bytes_get_data (bytes, NULL);
  g_thread_join (g_thread_new ("unref", unref, bytes));
  ck_assert (was_freed_last (data));
}
END_TEST

/* More than a segment has room for; given back in another order. */
START_TEST (many_can_be_borrowed)
{
  enum
  {
    N = 200
  };
  MprocQueue *queue = make_queue (0);
  GBytes *bytes[N];

  for (guint round = 0; round < 3; round++)
    {
      for (guint i = 0; i < N; i++)
        {
          ck_assert (put (queue, (guint8) i, 17000, NULL));
          bytes[i] = borrow (queue);
        }
      for (guint i = 0; i < N; i++)
        {
          guint k = i * 37 % N;

          ck_assert (is_filled (bytes[k], (guint8) k, 17000));
          g_bytes_unref (bytes[k]);
        }
    }
  mproc_queue_unref (queue);
}
END_TEST

/* ------------------------------------------------------------------ processes */

static GBytes *inherited;

/* Gives back what its parent has borrowed, and borrows something itself. */
static GVariant *
unref_inherited (GVariant *args, GError **error)
{
  MprocQueue *queue;
  GBytes *own;

  if (!mproc_unpack (args, error, "(&h)", &queue))
    return NULL;
  own = mproc_queue_peek_bytes (queue, MPROC_FOREVER, error);
  if (own == NULL)
    return NULL;
  if (!is_filled (inherited, 'p', LARGE) || !is_filled (own, 'c', LARGE))
    g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_FAILED, "the bytes differ");
  g_bytes_unref (inherited);
  g_bytes_unref (own);
  return NULL;
}

START_TEST (a_forked_child_frees_nothing_of_its_parents)
{
  MprocQueue *queue;
  gconstpointer data;

  if (!mproc_test_can_fork ())
    return;
  queue = make_queue (0);
  ck_assert (put (queue, 'p', LARGE, NULL));
  ck_assert (put (queue, 'c', LARGE, NULL));
  inherited = borrow (queue);
  data = g_bytes_get_data (inherited, NULL);
  mproc_test_end_with (mproc_test_start_by (MPROC_START_METHOD_FORK, unref_inherited,
                                            mproc_pack ("(h)", queue)),
                       0);
  ck_assert (!was_freed_last (data));
  for (guint i = 0; i < 5; i++)
    ck_assert (put (queue, 'x', LARGE, NULL));
  ck_assert (is_filled (inherited, 'p', LARGE));
  g_bytes_unref (inherited);
  mproc_queue_unref (queue);
}
END_TEST

/* Borrows all it can get and gives nothing back.  At the end of the queue it ends in good
 * order, or waits to be killed. */
static GVariant *
keep_all (GVariant *args, GError **error)
{
  MprocQueue *queue;
  MprocQueue *reports;
  guint n;

  if (!mproc_unpack (args, error, "(&h&hu)", &queue, &reports, &n))
    return NULL;
  for (guint i = 0; i < n; i++)
    if (mproc_queue_peek_bytes (queue, MPROC_FOREVER, error) == NULL)
      return NULL;
  mproc_queue_put (reports, g_variant_new_boolean (TRUE), MPROC_FOREVER, error);
  mproc_queue_get (queue, MPROC_FOREVER, NULL);
  return NULL;
}

/* _i: the way it ends.  Were a borrower's blocks lost, the memory would not do. */
START_TEST (the_end_of_a_borrower_gives_all_back)
{
  MprocStartMethod method =
      mproc_test_can_fork () ? MPROC_START_METHOD_FORK : MPROC_START_METHOD_SPAWN;
  gint rounds = mproc_test_scale (mproc_test_is_slow_platform () ? 10 : 40);
  guint each = 30;
  gsize size = ((gsize) 32 << 20) / (gsize) rounds / each * 2;
  MprocQueue *queue = make_queue (0);
  MprocQueue *reports = make_queue (0);
  GError *error = NULL;

  ck_assert (mproc_set_memory_limit (mproc_arena_get_committed () + (24 << 20), NULL));
  for (gint round = 0; round < rounds; round++)
    {
      MprocProcess *child;
      GVariant *report;

      for (guint i = 0; i < each; i++)
        ck_assert_msg (put (queue, 'k', MAX (size, 20000), &error), "round %d: %s", round,
                       error->message);
      child = mproc_test_start_by (method, keep_all,
                                   mproc_pack ("(hhu)", queue, reports, each));
      report = mproc_queue_get (reports, MPROC_SECONDS (30), NULL);
      ck_assert_ptr_nonnull (report);
      g_variant_unref (report);
      if (_i == 0)
        ck_assert (mproc_process_kill (child, NULL));
      else
        ck_assert (put (queue, 'e', 1, NULL));
      ck_assert (mproc_process_join (child, MPROC_FOREVER));
      mproc_process_unref (child);
    }
  ck_assert (mproc_set_memory_limit (G_MAXUINT64, NULL));
  mproc_queue_unref (queue);
  mproc_queue_unref (reports);
}
END_TEST

/* ------------------------------------------------------------------ backlogs */

/* Not every system can. */
static gboolean
takes_pages_back (void)
{
  MprocOffset block = mproc_arena_alloc (1 << 20, NULL);
  gsize page = mproc_os_page_size ();
  MprocOffset inside = (block + page - 1) / page * page;
  gboolean can = mproc_arena_punch (inside, page);

  ck_assert (!can || mproc_arena_recommit (inside, page, NULL));
  mproc_arena_free (block);
  return can;
}

/* Whatever its items are like.  The blocks are larger than what lies in them: half of the
 * arena has room. */
START_TEST (a_drained_backlog_is_given_back)
{
  MprocQueue *queue = make_queue (0);
  gsize most = mproc_test_is_slow_platform () ? 32 << 20 : 200 << 20;
  gsize size = (gsize) MIN (most, mproc_arena_get_budget () / 2);

  for (gsize n = 0; n < size; n += 1 << 20)
    {
      ck_assert (put (queue, 'b', 1 << 19, NULL));
      for (guint i = 0; i < 64; i++)
        ck_assert (put (queue, 's', 1 << 13, NULL));
    }
  while (!mproc_queue_is_empty (queue))
    g_bytes_unref (borrow (queue));
  ck_assert_uint_ge (mproc_arena_get_committed (), size);
  if (takes_pages_back ())
    ck_assert_uint_le (mproc_arena_get_committed () - mproc_arena_get_punched (),
                       size / 4);
  mproc_queue_unref (queue);
}
END_TEST

Suite *
mproc_test_queue_borrow_suite (void)
{
  Suite *suite = suite_create ("queue-borrow");
  TCase *tcase = mproc_test_case (suite, "borrow");

  tcase_add_test (tcase, large_items_are_not_copied);
  tcase_add_test (tcase, errors_are_those_of_get);
  tcase_add_test (tcase, bytes_outlive_the_queue);
  tcase_add_test (tcase, many_can_be_borrowed);
  tcase_add_test (tcase, a_forked_child_frees_nothing_of_its_parents);
  tcase_add_loop_test (tcase, the_end_of_a_borrower_gives_all_back, 0, 2);
  tcase_add_test (tcase, a_drained_backlog_is_given_back);
  return suite;
}
