/* SPDX-License-Identifier: MIT */
/* What the suites about iterators share. */
#ifndef MPROC_TEST_ITERS_H
#define MPROC_TEST_ITERS_H

#include "pools.h"

/* The next outcome; -1: an error of that code; -2: the end. */
#define FAILED -1
#define END -2

static inline gint32
take (MprocIter *iter, gint code)
{
  GError *error = NULL;
  GVariant *value = mproc_iter_next (iter, MPROC_SECONDS (50), &error);

  if (value != NULL)
    {
      ck_assert_ptr_null (error);
      return mproc_test_int (value);
    }
  if (error == NULL)
    return END;
  ck_assert_msg (g_error_matches (error, MPROC_ERROR, code), "%s", error->message);
  g_error_free (error);
  return FAILED;
}

static inline MprocIter *
imap (MprocPool *pool, gboolean is_ordered, GVariant *items, guint chunk)
{
  GError *error = NULL;
  MprocIter *iter =
      is_ordered
          ? mproc_pool_imap (pool, mproc_test_square_but_five, items, chunk, NULL, &error)
          : mproc_pool_imap_unordered (pool, mproc_test_square_but_five, items, chunk,
                                       NULL, &error);

  ck_assert_msg (iter != NULL, "%s", error != NULL ? error->message : "no error");
  return iter;
}

/* Squares of first to first + n - 1, 5's not being among them. */
static inline void
expect_squares (MprocIter *iter, gint32 first, gint32 n, gboolean is_ordered)
{
  GArray *seen = g_array_new (FALSE, TRUE, 1);

  g_array_set_size (seen, (guint) n);
  for (gint32 i = 0; i < n; i++)
    {
      gint32 value = take (iter, MPROC_ERROR_FAILED);
      gint32 root = first;

      while (root < first + n && root * root != value)
        root++;
      ck_assert_int_lt (root, first + n);
      ck_assert (!is_ordered || root == first + i);
      ck_assert_int_eq (seen->data[root - first]++, 0);
    }
  g_array_unref (seen);
  ck_assert_int_eq (take (iter, 0), END);
  ck_assert_int_eq (take (iter, 0), END);
}

/* Counts from `i`, up to `n` numbers, then ends or fails. */
typedef struct
{
  gint32 i;
  gint32 n;
  gboolean fails;
  GThread *thread;
  gint n_destroyed;
  MprocIter *iter;  /* what it comes from, to ask there */
  MprocPool *pool;  /* to be closed by the way */
  MprocQueue *sent; /* cannot be sent: every tenth item is one of a connection */
} Input;

static inline GVariant *
next_number (gpointer data, GError **error)
{
  Input *input = data;

  input->thread = g_thread_self ();
  if (input->n-- > 0)
    return g_variant_new_int32 (input->i++);
  if (input->fails)
    g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_NOT_FOUND, "no such line");
  return NULL;
}

static inline void
input_gone (gpointer data)
{
  ((Input *) data)->n_destroyed++;
}

static inline MprocIter *
imap_from (MprocPool *pool,
           gboolean is_ordered,
           MprocNextFunc next,
           Input *input,
           guint chunk)
{
  return is_ordered
             ? mproc_pool_imap_from (pool, mproc_test_square_but_five, next, input,
                                     input_gone, chunk, NULL, NULL)
             : mproc_pool_imap_unordered_from (pool, mproc_test_square_but_five, next,
                                               input, input_gone, chunk, NULL, NULL);
}

#endif
