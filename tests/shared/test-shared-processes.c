/* SPDX-License-Identifier: MIT */
/* Shared values and arrays between processes, under every start method. */
#include "processes.h"
#include "punch.h"

#include "arena/arena.h"

#include <string.h>

#define N_CHILDREN 3
#define N_THREADS 2

static MprocValue *
make_value (const char *type, GVariant *initial, gpointer lock)
{
  MprocValue *value = mproc_value_new (type, initial, lock, NULL);

  ck_assert_ptr_nonnull (value);
  return value;
}

static MprocArray *
make_array (const char *type, gsize length, gpointer lock)
{
  MprocArray *array = mproc_array_new (type, length, NULL, lock, NULL);

  ck_assert_ptr_nonnull (array);
  return array;
}

static gint32
get_int (MprocValue *value)
{
  GVariant *found = mproc_value_get (value);
  gint32 number = g_variant_get_int32 (found);

  g_variant_unref (found);
  return number;
}

static GVariant *
wrong (GError **error, const char *why)
{
  g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_FAILED, why);
  return NULL;
}

/* ------------------------------------------------------------------ the tutorial */

static GVariant *
negate (GVariant *args, GError **error)
{
  MprocValue *value;
  MprocArray *array;
  gint32 *numbers;
  gsize n;

  if (!mproc_unpack (args, error, "(&h&h)", &value, &array) ||
      !mproc_value_set (value, g_variant_new_double (3.1415927), error))
    return NULL;
  numbers = mproc_array_get_data (array, &n);
  for (gsize i = 0; i < n; i++)
    numbers[i] = -numbers[i];
  return NULL;
}

START_TEST (a_child_changes_them)
{
  MprocValue *value = make_value ("d", g_variant_new_double (0), MPROC_OWN_LOCK);
  MprocArray *array =
      mproc_array_new ("i", 0, g_variant_new_parsed ("[0,1,2,3,4,5,6,7,8,9]"),
                       MPROC_OWN_LOCK, NULL);
  GVariant *wanted =
      g_variant_ref_sink (g_variant_new_parsed ("[0,-1,-2,-3,-4,-5,-6,-7,-8,-9]"));
  GVariant *found;

  mproc_test_end_with (mproc_test_start (_i, negate, mproc_pack ("(hh)", value, array)),
                       0);
  found = mproc_value_get (value);
  ck_assert (g_variant_get_double (found) == 3.1415927);
  g_variant_unref (found);
  found = mproc_array_get_slice (array, 0, MPROC_SLICE_END, 1, NULL);
  ck_assert (g_variant_equal (found, wanted));
  g_variant_unref (found);
  g_variant_unref (wanted);
  mproc_array_unref (array);
  mproc_value_unref (value);
}
END_TEST

/* ------------------------------------------------------------------ adding up */

static gint
n_rounds (void)
{
  return mproc_test_scale (mproc_test_is_slow_platform () ? 100 : 3000);
}

/* By the pointer, by get and set, and without the lock. */
static gboolean
count (MprocValue *locked, MprocValue *word, MprocValue *part, GError **error)
{
  gint32 *number = mproc_value_get_data (locked);

  for (gint i = 0; i < n_rounds (); i++)
    {
      mproc_value_add (word, 1);
      mproc_value_add (part, 1);
      mproc_value_acquire (locked, MPROC_FOREVER);
      if (i % 2 == 0)
        *number += 1;
      else if (!mproc_value_set (locked, g_variant_new_int32 (get_int (locked) + 1),
                                 error))
        return FALSE;
      if (!mproc_value_release (locked, error))
        return FALSE;
    }
  return TRUE;
}

static GVariant *
count_in_child (GVariant *args, GError **error)
{
  MprocValue *locked, *word, *part;

  if (mproc_unpack (args, error, "(&h&h&h)", &locked, &word, &part))
    count (locked, word, part, error);
  return NULL;
}

typedef struct
{
  MprocValue *locked, *word, *part;
} Counters;

static gpointer
count_in_thread (gpointer data)
{
  Counters *self = data;

  return GINT_TO_POINTER (count (self->locked, self->word, self->part, NULL));
}

START_TEST (increments_add_up)
{
  static const char *const words[] = { "i", "u", "x", "t" };
  static const char *const parts[] = { "y", "n", "q", "y" };
  guint k = (guint) _i % 4;
  Counters all = { make_value ("i", NULL, MPROC_OWN_LOCK),
                   make_value (words[k], NULL, NULL), make_value (parts[k], NULL, NULL) };
  gint sum = (N_CHILDREN + N_THREADS) * n_rounds ();
  MprocProcess *children[N_CHILDREN];
  GThread *threads[N_THREADS];

  for (guint i = 0; i < N_CHILDREN; i++)
    children[i] = mproc_test_start (_i / 4, count_in_child,
                                    mproc_pack ("(hhh)", all.locked, all.word, all.part));
  for (guint i = 0; i < N_THREADS; i++)
    threads[i] = g_thread_new ("count", count_in_thread, &all);
  for (guint i = 0; i < N_THREADS; i++)
    ck_assert_ptr_nonnull (g_thread_join (threads[i]));
  for (guint i = 0; i < N_CHILDREN; i++)
    mproc_test_end_with (children[i], 0);
  ck_assert_int_eq (get_int (all.locked), sum);
  ck_assert_int_eq (mproc_value_add (all.word, 0), sum);
  ck_assert_int_eq (mproc_value_add (all.part, 0),
                    *parts[k] == 'y' ? sum % 256 : sum % 65536);
  mproc_value_unref (all.locked);
  mproc_value_unref (all.word);
  mproc_value_unref (all.part);
}
END_TEST

/* ------------------------------------------------------------------ under the lock */

/* All of a structure's or an array's numbers are the same, or somebody was not alone. */
static gboolean
is_even (GVariant *value)
{
  gsize n = g_variant_get_size (value) / sizeof (gint64);
  const gint64 *numbers = g_variant_get_data (value);

  for (gsize i = 1; i < n; i++)
    if (numbers[i] != numbers[0])
      return FALSE;
  return TRUE;
}

#define N_NUMBERS 500

static GVariant *
make_even (gint64 number)
{
  gint64 numbers[N_NUMBERS];

  for (guint i = 0; i < N_NUMBERS; i++)
    numbers[i] = number;
  return g_variant_new_fixed_array (G_VARIANT_TYPE_INT64, numbers, N_NUMBERS, 8);
}

static gboolean
write_and_look (MprocValue *value, MprocArray *array, gint64 i, GError **error)
{
  gssize step = i % 2 == 0 ? 1 : -1;
  GVariant *pair;
  GVariant *items;
  gboolean ok;

  if (!mproc_value_set (value, g_variant_new ("(xxxx)", i, i, i, i), error) ||
      !mproc_array_set_slice (array, step > 0 ? 0 : -1,
                              step > 0 ? MPROC_SLICE_END : G_MINSSIZE, step,
                              make_even (i), error))
    return FALSE;
  pair = mproc_value_get (value);
  items = mproc_array_get_slice (array, 0, MPROC_SLICE_END, 1, error);
  ok = items != NULL && is_even (pair) && is_even (items);
  g_variant_unref (pair);
  if (items != NULL)
    g_variant_unref (items);
  return ok;
}

static GVariant *
write_even (GVariant *args, GError **error)
{
  MprocValue *value;
  MprocArray *array;
  gint64 number;

  if (!mproc_unpack (args, error, "(&h&hx)", &value, &array, &number))
    return NULL;
  for (gint i = 0; i < n_rounds () / 3; i++)
    if (!write_and_look (value, array, number * 1000000 + i, error))
      return error == NULL || *error == NULL ? wrong (error, "half of it") : NULL;
  return NULL;
}

START_TEST (nobody_sees_half_of_it)
{
  MprocLock *lock = mproc_lock_new (NULL);
  MprocValue *value = make_value ("(xxxx)", NULL, MPROC_OWN_LOCK);
  MprocArray *array = make_array ("x", N_NUMBERS, lock);
  MprocProcess *children[N_CHILDREN];

  for (guint i = 0; i < N_CHILDREN; i++)
    children[i] =
        mproc_test_start (_i, write_even, mproc_pack ("(hhx)", value, array, (gint64) i));
  for (guint i = 0; i < N_CHILDREN; i++)
    mproc_test_end_with (children[i], 0);
  mproc_array_unref (array);
  mproc_value_unref (value);
  mproc_lock_unref (lock);
}
END_TEST

/* Checks that the locks are what it was handed, and holds both of them until it is told. */
static GVariant *
hold_locks (GVariant *args, GError **error)
{
  MprocValue *own, *given;
  MprocLock *lock;
  MprocQueue *in, *out;

  if (!mproc_unpack (args, error, "(&h&h&h&h&h)", &own, &given, &lock, &in, &out))
    return NULL;
  if (mproc_value_get_lock (given) != lock)
    return wrong (error, "another lock");
  mproc_rlock_acquire (mproc_value_get_lock (own), MPROC_FOREVER);
  mproc_lock_acquire (lock, MPROC_FOREVER);
  mproc_test_say (out, "held");
  g_variant_unref (mproc_queue_get (in, MPROC_FOREVER, NULL));
  if (mproc_value_release (own, error))
    mproc_value_release (given, error);
  return NULL;
}

START_TEST (a_child_has_the_same_lock)
{
  MprocLock *lock = mproc_lock_new (NULL);
  MprocValue *own = make_value ("i", NULL, MPROC_OWN_LOCK);
  MprocValue *given = make_value ("i", NULL, lock);
  MprocQueue *in = mproc_queue_new (0, NULL);
  MprocQueue *out = mproc_queue_new (0, NULL);
  MprocProcess *child =
      mproc_test_start (_i, hold_locks,
                        mproc_pack ("(hhhhh)", own, given, lock, in, out));

  mproc_test_expect_text (out, "held");
  ck_assert_int_eq (mproc_value_acquire (own, 0), MPROC_LOCK_STATUS_TIMED_OUT);
  ck_assert_int_eq (mproc_value_acquire (given, 1000), MPROC_LOCK_STATUS_TIMED_OUT);
  ck_assert (mproc_lock_is_locked (lock));
  mproc_test_say (in, "go");
  ck_assert_int_eq (mproc_value_acquire (own, MPROC_FOREVER), MPROC_LOCK_STATUS_ACQUIRED);
  ck_assert_int_eq (mproc_value_acquire (given, MPROC_FOREVER),
                    MPROC_LOCK_STATUS_ACQUIRED);
  ck_assert (mproc_value_release (own, NULL));
  ck_assert (mproc_value_release (given, NULL));
  mproc_test_end_with (child, 0);
  mproc_queue_unref (out);
  mproc_queue_unref (in);
  mproc_value_unref (given);
  mproc_value_unref (own);
  mproc_lock_unref (lock);
}
END_TEST

/* ------------------------------------------------------------------ killed */

static GVariant *
hold_for_ever (GVariant *args, GError **error)
{
  MprocValue *value;
  MprocQueue *in, *out;

  if (!mproc_unpack (args, error, "(&h&h&h)", &value, &in, &out))
    return NULL;
  mproc_value_acquire (value, MPROC_FOREVER);
  mproc_test_say (out, "held");
  g_variant_unref (mproc_queue_get (in, MPROC_FOREVER, NULL));
  return NULL;
}

static void
kill_it (MprocProcess *child)
{
  ck_assert (mproc_process_kill (child, NULL));
  ck_assert (mproc_process_join (child, MPROC_FOREVER));
  mproc_process_unref (child);
}

/* A process that holds the lock, killed. */
static void
leave_locked (int i, MprocValue *value)
{
  MprocQueue *in = mproc_queue_new (0, NULL);
  MprocQueue *out = mproc_queue_new (0, NULL);
  MprocProcess *child =
      mproc_test_start (i, hold_for_ever, mproc_pack ("(hhh)", value, in, out));

  mproc_test_expect_text (out, "held");
  kill_it (child);
  mproc_queue_unref (in);
  mproc_queue_unref (out);
}

static void
expect_recovery (int i, gpointer lock)
{
  MprocValue *value = make_value ("i", NULL, lock);
  gint64 best = G_MAXINT64;

  for (guint k = 0; k < 4; k++)
    {
      gint64 start;

      leave_locked (i, value);
      start = g_get_monotonic_time ();
      ck_assert_int_eq (get_int (value), (gint32) k);
      best = MIN (best, g_get_monotonic_time () - start);
      ck_assert (mproc_value_set (value, g_variant_new_int32 ((gint32) k + 1), NULL));
    }
  ck_assert_int_lt (best, 300000);
  leave_locked (i, value);
  ck_assert_int_eq (mproc_value_acquire (value, MPROC_FOREVER),
                    MPROC_LOCK_STATUS_RECOVERED);
  ck_assert (mproc_value_release (value, NULL));
  mproc_value_unref (value);
}

START_TEST (the_lock_of_the_dead_is_free)
{
  MprocLock *lock;

  if (mproc_test_is_thread (_i)) /* threads cannot be killed */
    return;
  lock = mproc_lock_new (NULL);
  expect_recovery (_i, lock);
  expect_recovery (_i, MPROC_OWN_LOCK);
  mproc_lock_unref (lock);
}
END_TEST

static GVariant *
write_for_ever (GVariant *args, GError **error)
{
  MprocValue *value;
  MprocArray *array;
  MprocQueue *out;

  if (!mproc_unpack (args, error, "(&h&h&h)", &value, &array, &out))
    return NULL;
  mproc_test_say (out, "writing");
  for (gint64 i = 0;; i++)
    {
      GVariant *found;

      if (!mproc_value_set (value, g_variant_new ("(xxxx)", i, i, i, i), error) ||
          !mproc_array_set_slice (array, 0, MPROC_SLICE_END, 1, make_even (i), error))
        return NULL;
      found = mproc_array_get_slice (array, 0, MPROC_SLICE_END, 2, error);
      if (found == NULL)
        return NULL;
      g_variant_unref (found);
    }
}

START_TEST (writers_are_killed)
{
  gint n_kills = mproc_test_scale (mproc_test_is_slow_platform () ? 3 : 30);
  MprocValue *value;
  MprocArray *array;
  MprocQueue *out;

  if (mproc_test_is_thread (_i)) /* threads cannot be killed */
    return;
  value = make_value ("(xxxx)", NULL, MPROC_OWN_LOCK);
  array = make_array ("x", N_NUMBERS, MPROC_OWN_LOCK);
  out = mproc_queue_new (0, NULL);
  for (gint i = 0; i < n_kills; i++)
    {
      MprocProcess *child =
          mproc_test_start (_i, write_for_ever, mproc_pack ("(hhh)", value, array, out));

      mproc_test_expect_text (out, "writing");
      g_usleep ((gulong) (i * 97 % 1000)); /* any instant */
      kill_it (child);
      ck_assert (write_and_look (value, array, i, NULL));
    }
  mproc_queue_unref (out);
  mproc_array_unref (array);
  mproc_value_unref (value);
}
END_TEST

/* ------------------------------------------------------------------ on their way */

/* Makes an array and a value, and is gone before anybody looks at them. */
static GVariant *
make_and_send (GVariant *args, GError **error)
{
  MprocQueue *queue;
  MprocArray *array;
  MprocValue *value;

  if (!mproc_unpack (args, error, "(&h)", &queue))
    return NULL;
  array = mproc_array_new ("q", 0, g_variant_new_parsed ("[uint16 1, 2, 3]"),
                           MPROC_OWN_LOCK, error);
  value = mproc_value_new ("(ib)", g_variant_new ("(ib)", 4, TRUE), NULL, error);
  if (array != NULL && value != NULL)
    mproc_queue_put (queue, mproc_pack ("(hh)", array, value), MPROC_FOREVER, error);
  mproc_array_unref (array);
  mproc_value_unref (value);
  return NULL;
}

START_TEST (a_message_keeps_them)
{
  MprocQueue *queue = mproc_queue_new (0, NULL);
  GVariant *message, *found;
  MprocArray *array;
  MprocValue *value;
  gboolean truth;
  gint32 number;

  mproc_test_end_with (mproc_test_start (_i, make_and_send, mproc_pack ("(h)", queue)),
                       0);
  message = mproc_queue_get (queue, MPROC_SECONDS (30), NULL);
  ck_assert_ptr_nonnull (message);
  ck_assert (mproc_unpack (message, NULL, "(hh)", &array, &value));
  g_variant_unref (message);
  ck_assert_uint_eq (mproc_array_get_length (array), 3);
  ck_assert_int_eq (mproc_array_acquire (array, 0), MPROC_LOCK_STATUS_ACQUIRED);
  ck_assert (mproc_array_release (array, NULL));
  found = mproc_array_get (array, -1, NULL);
  ck_assert_int_eq (g_variant_get_uint16 (found), 3);
  g_variant_unref (found);
  found = mproc_value_get (value);
  g_variant_get (found, "(ib)", &number, &truth);
  ck_assert (number == 4 && truth);
  g_variant_unref (found);
  mproc_array_unref (array);
  mproc_value_unref (value);
  mproc_queue_unref (queue);
}
END_TEST

/* In a message that nobody has fetched, and in none. */
START_TEST (nothing_keeps_them_for_ever)
{
  gsize size = (gsize) 24 << 20;
  guint64 before;

  if (!mproc_test_can_punch ())
    return;
  before = mproc_test_memory_in_use ();
  for (guint i = 0; i < 4; i++)
    {
      MprocQueue *queue = mproc_queue_new (0, NULL);
      MprocArray *array = make_array ("y", size - i * (size / 16), MPROC_OWN_LOCK);

      ck_assert (mproc_queue_put (queue, mproc_pack ("(h)", array), MPROC_FOREVER, NULL));
      mproc_array_unref (array);
      ck_assert_uint_ge (mproc_test_memory_in_use (), before + size / 2);
      mproc_queue_unref (queue);
      ck_assert_uint_le (mproc_test_memory_in_use (), before + (4 << 20));
    }
}
END_TEST

/* ------------------------------------------------------------------ large */

static guint64
add_up (const guint32 *numbers, gsize n)
{
  guint64 sum = 0;

  for (gsize i = 0; i < n; i++)
    sum += numbers[i];
  return sum;
}

/* Sums it, where it lies, and turns the last one around. */
static GVariant *
sum_in_child (GVariant *args, GError **error)
{
  MprocArray *array;
  MprocValue *sum;
  guint32 *numbers;
  gsize n;

  if (!mproc_unpack (args, error, "(&h&h)", &array, &sum))
    return NULL;
  numbers = mproc_array_get_data (array, &n);
  mproc_value_set (sum, g_variant_new_uint64 (add_up (numbers, n)), error);
  numbers[n - 1] = ~numbers[n - 1];
  return NULL;
}

/* A quarter of a gigabyte, where there is so much. */
static gsize
large_size (void)
{
  gboolean enough = mproc_arena_get_budget () >= (gsize) 1 << 30;

  return enough && !mproc_test_is_slow_platform () ? (gsize) 256 << 20 : (gsize) 32 << 20;
}

START_TEST (a_large_one_is_not_copied)
{
  guint64 before = mproc_test_memory_in_use ();
  gsize size = large_size ();
  gsize n = size / sizeof (guint32);
  MprocArray *array = make_array ("u", n, NULL);
  MprocValue *sum = make_value ("t", NULL, NULL);
  guint32 *numbers = mproc_array_get_data (array, NULL);
  guint64 with_it = mproc_test_memory_in_use ();
  GVariant *found;
  guint32 last;

  ck_assert_uint_le (with_it, before + size + (4 << 20));
  for (gsize i = 0; i < n; i++)
    numbers[i] = (guint32) (i * 2654435761u);
  last = numbers[n - 1];
  mproc_test_end_with (mproc_test_start (_i, sum_in_child,
                                         mproc_pack ("(hh)", array, sum)),
                       0);
  ck_assert_uint_eq (numbers[n - 1], (guint32) ~last);
  numbers[n - 1] = last;
  found = mproc_value_get (sum);
  ck_assert_uint_eq (g_variant_get_uint64 (found), add_up (numbers, n));
  g_variant_unref (found);
  ck_assert_uint_le (mproc_test_memory_in_use (), with_it + (4 << 20));
  mproc_array_unref (array);
  mproc_value_unref (sum);
  if (mproc_test_can_punch ())
    ck_assert_uint_le (mproc_test_memory_in_use (), before + (4 << 20));
}
END_TEST

Suite *
mproc_test_shared_processes_suite (void)
{
  Suite *suite = suite_create ("shared-processes");
  TCase *change = mproc_test_case (suite, "change");
  TCase *locks = mproc_test_case (suite, "locks");
  TCase *life = mproc_test_case (suite, "life");
  int n = (int) mproc_test_n_methods ();

  tcase_add_loop_test (change, a_child_changes_them, 0, n);
  tcase_add_loop_test (change, increments_add_up, 0, 4 * n);
  tcase_add_loop_test (locks, nobody_sees_half_of_it, 0, n);
  tcase_add_loop_test (locks, a_child_has_the_same_lock, 0, n);
  tcase_add_loop_test (locks, the_lock_of_the_dead_is_free, 0, n);
  tcase_add_loop_test (locks, writers_are_killed, 0, n);
  tcase_add_loop_test (life, a_message_keeps_them, 0, n);
  tcase_add_test (life, nothing_keeps_them_for_ever);
  tcase_add_loop_test (life, a_large_one_is_not_copied, 0, n);
  return suite;
}
