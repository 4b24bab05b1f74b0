/* SPDX-License-Identifier: MIT */
#include "items.h"

#include <string.h>

#define SHORT 3000
#define LONG 20000

static void
fill (guint8 *bytes, gsize size, guint32 number)
{
  for (gsize i = 0; i < size; i++)
    bytes[i] = (guint8) (number * 7 + i * 13 + i / 256);
  memcpy (bytes, &number, sizeof number);
}

static gsize
size_of_item (guint32 number, gboolean all_short)
{
  return number % 4 == 3 && !all_short ? LONG + number % 16 : SHORT + number % 16;
}

gboolean
items_put (MprocQueue *queue, guint32 number, gboolean all_short)
{
  gsize size = size_of_item (number, all_short);
  guint8 bytes[LONG + 16];

  fill (bytes, size, number);
  return mproc_queue_put_bytes (queue, bytes, size, MPROC_SECONDS (20), NULL);
}

static gint
read_item (const guint8 *bytes, gsize size)
{
  guint8 expected[LONG + 16];
  guint32 number;

  if (size < sizeof number || size > sizeof expected)
    return -2;
  memcpy (&number, bytes, sizeof number);
  fill (expected, size, number);
  if (memcmp (bytes, expected, size) != 0 ||
      (size != size_of_item (number, FALSE) && size != size_of_item (number, TRUE)))
    return -2;
  return (gint) number;
}

/* Consumes @item; NULL: there was none. */
static gint
number_of (GBytes *item)
{
  gint number;

  if (item == NULL)
    return -1;
  number = read_item (g_bytes_get_data (item, NULL), g_bytes_get_size (item));
  g_bytes_unref (item);
  return number;
}

gint
items_get (MprocQueue *queue, gint64 timeout)
{
  return number_of (mproc_queue_get_bytes (queue, timeout, NULL));
}

gboolean
items_put_next (MprocQueue *queue, CrashStage *stage, gboolean all_short)
{
  if (!items_put (queue, mproc_load32 (&stage->sent), all_short))
    return FALSE;
  mproc_add32 (&stage->sent, 1);
  return TRUE;
}

/* Reads the next one where it lies. */
static gint
peek_item (MprocQueue *queue)
{
  return number_of (mproc_queue_peek_bytes (queue, MPROC_SECONDS (20), NULL));
}

/* Every other long item is not copied. */
gboolean
items_get_next (MprocQueue *queue, CrashStage *stage)
{
  guint32 number = mproc_load32 (&stage->taken);
  gint got = number % 8 == 7 ? peek_item (queue) : items_get (queue, MPROC_SECONDS (20));

  if (got != (gint) number)
    {
      mproc_add32 (&stage->n_torn, 1);
      return FALSE;
    }
  mproc_add32 (&stage->taken, 1);
  return TRUE;
}

void
items_fill (CrashTrial *trial, guint max_items, guint n)
{
  trial->object = mproc_queue_new (max_items, NULL);
  ck_assert_ptr_nonnull (trial->object);
  for (guint i = 0; i < n; i++)
    items_put_next (trial->object, trial->stage, TRUE);
  ck_assert_uint_eq (mproc_load32 (&trial->stage->sent), n);
}

/* As many tasks are unfinished as items were put. */
static void
expect_tasks (MprocQueue *queue, guint32 n)
{
  guint32 done = 0;

  ck_assert (!mproc_queue_join (queue, 0));
  while (done <= n && mproc_queue_task_done (queue, NULL))
    done++;
  ck_assert_uint_eq (done, n);
  ck_assert (mproc_queue_join (queue, 0));
}

static guint32
count_wrong (MprocQueue *queue, guint32 first, guint32 end)
{
  guint32 wrong = 0;

  for (guint32 i = first; i < end; i++)
    if (items_get (queue, 0) != (gint) i)
      wrong++;
  return wrong;
}

void
items_expect_all (CrashTrial *trial)
{
  CrashMoved moved = trial->plan->moved;
  MprocQueue *queue = trial->object;
  guint32 first = mproc_load32 (&trial->stage->taken) + (moved == CRASH_GET_MOVED);
  guint32 end = mproc_load32 (&trial->stage->sent) + (moved == CRASH_PUT_MOVED);
  guint32 wrong = 0;

  /* Both sides first repair what has to be repaired. */
  ck_assert (items_put (queue, end, FALSE));
  ck_assert_int_eq (items_get (queue, 0), (gint) first);
  crash_has_gone_on (trial);
  ck_assert_uint_eq (mproc_queue_get_size (queue), end - first);
  wrong = count_wrong (queue, first + 1, end + 1);
  ck_assert_msg (wrong == 0, "%s: %u items of %u to %u are not what they should be",
                 mproc_crash_get_name (trial->plan->at), wrong, first, end);
  ck_assert_int_eq (items_get (queue, 0), -1);
  ck_assert_uint_eq (mproc_queue_get_size (queue), 0);
  ck_assert (mproc_queue_is_empty (queue));
  /* And round through several chunks. */
  for (guint32 i = 0; i < 50; i++)
    wrong += items_put (queue, end + 1 + i, TRUE) ? 0 : 1;
  wrong += count_wrong (queue, end + 1, end + 51);
  ck_assert_uint_eq (wrong, 0);
  expect_tasks (queue, end + 51);
}
