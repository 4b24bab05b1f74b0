/* SPDX-License-Identifier: MIT */
/* Objects at their limits: times without end, no shared memory at all, thousands of each. */
#include "hoard.h"
#include "processes.h"

#include "arena/arena.h"
#include "family/entrydata.h"

#include <string.h>

#define BIG_SIZE 300000
#define N_SMALL 2000

/* What the calls below need beside what they make. */
typedef struct
{
  MprocLock *lock;
  MprocCondition *condition;
  MprocQueue *queue;
  MprocShareableList *list;
  guint8 *big;
} Kit;

static void
kit_init (Kit *self)
{
  self->lock = mproc_lock_new (NULL);
  self->condition = mproc_condition_new (NULL, NULL);
  self->queue = mproc_queue_new (0, NULL);
  self->list = mproc_shareable_list_new (g_variant_new ("(is)", 1, "x"), NULL, NULL);
  self->big = g_malloc0 (BIG_SIZE);
  ck_assert (self->lock != NULL && self->condition != NULL && self->queue != NULL &&
             self->list != NULL);
}

static void
kit_clear (Kit *self)
{
  ck_assert (mproc_queue_is_empty (self->queue));
  mproc_lock_unref (self->lock);
  mproc_condition_unref (self->condition);
  mproc_queue_unref (self->queue);
  mproc_shared_memory_unlink (mproc_shareable_list_get_memory (self->list), NULL);
  mproc_shareable_list_unref (self->list);
  g_free (self->big);
}

/* ------------------------------------------------------------------ what is made */

typedef struct
{
  const char *name;
  gpointer (*make) (Kit *kit, GError **error);
  guint n; /* how many at a time: of those that need much, fewer */
} Kind;

static gpointer
make_lock (Kit *kit, GError **error)
{
  (void) kit;
  return mproc_lock_new (error);
}

static gpointer
make_rlock (Kit *kit, GError **error)
{
  (void) kit;
  return mproc_rlock_new (error);
}

static gpointer
make_semaphore (Kit *kit, GError **error)
{
  (void) kit;
  return mproc_semaphore_new (1, 0, MPROC_SEMAPHORE_DEFAULT, error);
}

static gpointer
make_restoring (Kit *kit, GError **error)
{
  (void) kit;
  return mproc_semaphore_new (1, 0, MPROC_SEMAPHORE_RESTORE, error);
}

static gpointer
make_event (Kit *kit, GError **error)
{
  (void) kit;
  return mproc_event_new (error);
}

static gpointer
make_condition (Kit *kit, GError **error)
{
  (void) kit;
  return mproc_condition_new (MPROC_OWN_LOCK, error);
}

static gpointer
make_condition_of_lock (Kit *kit, GError **error)
{
  return mproc_condition_new (kit->lock, error);
}

static gpointer
make_barrier (Kit *kit, GError **error)
{
  (void) kit;
  return mproc_barrier_new (3, NULL, NULL, MPROC_FOREVER, error);
}

/* It alone holds the lock that its action is given. */
static gpointer
make_barrier_with_action (Kit *kit, GError **error)
{
  MprocLock *lock = mproc_lock_new (error);
  MprocBarrier *barrier = NULL;

  (void) kit;
  if (lock != NULL)
    barrier = mproc_barrier_new (3, mproc_test_do_nothing, mproc_pack ("(h)", lock),
                                 MPROC_FOREVER, error);
  mproc_lock_unref (lock);
  return barrier;
}

static gpointer
make_queue_of_bytes (Kit *kit, GError **error)
{
  (void) kit;
  return mproc_queue_new_full (1, 1, error);
}

/* With an item that alone holds an event. */
static gpointer
make_queue (Kit *kit, GError **error)
{
  MprocEvent *event = mproc_event_new (error);
  MprocQueue *queue = event != NULL ? mproc_queue_new (0, error) : NULL;

  (void) kit;
  if (queue != NULL && !mproc_queue_put (queue, mproc_pack ("(h)", event), 0, error))
    g_clear_pointer (&queue, mproc_queue_unref);
  mproc_event_unref (event);
  return queue;
}

static gpointer
make_value (Kit *kit, GError **error)
{
  (void) kit;
  return mproc_value_new ("(idy)", NULL, MPROC_OWN_LOCK, error);
}

static gpointer
make_array (Kit *kit, GError **error)
{
  return mproc_array_new ("i", 1000, NULL, kit->lock, error);
}

static gpointer
make_array_with_lock (Kit *kit, GError **error)
{
  (void) kit;
  return mproc_array_new ("i", 10, NULL, MPROC_OWN_LOCK, error);
}

static gpointer
make_memory (Kit *kit, GError **error)
{
  (void) kit;
  return mproc_shared_memory_new (100, error);
}

static gpointer
open_memory (Kit *kit, GError **error)
{
  return mproc_shared_memory_open (
      mproc_shared_memory_get_name (mproc_shareable_list_get_memory (kit->list)), 0,
      error);
}

static gpointer
open_list (Kit *kit, GError **error)
{
  return mproc_shareable_list_open (
      mproc_shared_memory_get_name (mproc_shareable_list_get_memory (kit->list)), error);
}

static const Kind kinds[] = {
  { "lock", make_lock, 10000 },
  { "rlock", make_rlock, 10000 },
  { "semaphore", make_semaphore, 10000 },
  { "restoring semaphore", make_restoring, 100 },
  { "event", make_event, 10000 },
  { "condition", make_condition, 10000 },
  { "condition of a lock", make_condition_of_lock, 10000 },
  { "barrier", make_barrier, 10000 },
  { "barrier with an action", make_barrier_with_action, 10000 },
  { "queue of bytes", make_queue_of_bytes, 100 },
  { "queue", make_queue, 100 },
  { "value", make_value, 10000 },
  { "array", make_array, 1000 },
  { "array with a lock", make_array_with_lock, 10000 },
  { "memory", make_memory, 10000 },
  { "opened memory", open_memory, 20 },
  { "opened list", open_list, 20 },
};

/* Whatever it is. */
static void
drop (gpointer object)
{
  mproc_object_unref (object);
}

/* ------------------------------------------------------------------ thousands */

/* Fewer where each takes long. */
static gboolean
are_thousands_slow (void)
{
#ifdef MPROC_TEST_SANITIZED
  return TRUE;
#else
  return mproc_test_is_slow_platform ();
#endif
}

static void
make_and_drop (const Kind *kind, Kit *kit, gpointer *objects, guint n)
{
  for (guint i = 0; i < n; i++)
    {
      GError *error = NULL;

      objects[i] = kind->make (kit, &error);
      if (objects[i] == NULL)
        ck_abort_msg ("%s %u: %s", kind->name, i, error->message);
    }
  for (guint i = 0; i < n; i++)
    drop (objects[i]);
}

/* One block more for each of them in each round could not be hidden in what was there; nor could
 * an entry more for some of them, in the table that tells what there is. */
START_TEST (thousands_of_each_leave_nothing)
{
  gpointer *objects = g_new (gpointer, 10000);
  Kit kit;

  kit_init (&kit);
  for (const Kind *kind = kinds; kind < kinds + G_N_ELEMENTS (kinds); kind++)
    {
      guint n = are_thousands_slow () ? MAX (kind->n / 10, 20) : kind->n;
      guint64 committed;

      make_and_drop (kind, &kit, objects, n);
      committed = mproc_arena_get_committed ();
      for (guint round = 0; round < 5; round++)
        make_and_drop (kind, &kit, objects, n);
      ck_assert_msg (mproc_arena_get_committed () == committed, "%s", kind->name);
    }
  kit_clear (&kit);
  g_free (objects);
}
END_TEST

/* Many lie together, and others come and go. */
START_TEST (the_table_of_objects_does_not_grow_with_time)
{
  const guint n_kept = are_thousands_slow () ? 2000 : 10000;
  gpointer *kept = g_new (gpointer, n_kept);
  guint n_before;

  for (guint i = 0; i < n_kept; i++)
    kept[i] = mproc_lock_new (NULL);
  n_before = mproc_entry_count ();
  for (guint i = 0; i < 60 * n_kept; i++)
    mproc_event_unref (mproc_event_new (NULL));
  /* Four times that, in whole segments. */
  ck_assert_uint_le (mproc_entry_count (), 4 * n_before + 512);
  for (guint i = 0; i < n_kept; i++)
    mproc_lock_unref (kept[i]);
  g_free (kept);
}
END_TEST

/* ------------------------------------------------------------------ no memory */

/* A call that takes shared memory; undone again where it succeeds.  TRUE, or FALSE with error. */
typedef gboolean (*Call) (Kit *kit, GError **error);

static gboolean
never (gpointer data)
{
  (void) data;
  return FALSE;
}

/* With the lock held before and after, whatever comes of it. */
static gboolean
wait_a_moment (Kit *kit, gboolean with_predicate, GError **error)
{
  MprocLockStatus status;

  ck_assert_int_eq (mproc_condition_acquire (kit->condition, 0),
                    MPROC_LOCK_STATUS_ACQUIRED);
  status = with_predicate
               ? mproc_condition_wait_for (kit->condition, never, NULL, 0, error)
               : mproc_condition_wait (kit->condition, 0, error);
  ck_assert_int_eq (status, MPROC_LOCK_STATUS_TIMED_OUT);
  ck_assert (mproc_condition_release (kit->condition, NULL));
  if (g_error_matches (*error, MPROC_ERROR, MPROC_ERROR_TIMED_OUT))
    g_clear_error (error);
  return *error == NULL;
}

static gboolean
call_wait (Kit *kit, GError **error)
{
  return wait_a_moment (kit, FALSE, error);
}

static gboolean
call_wait_for (Kit *kit, GError **error)
{
  return wait_a_moment (kit, TRUE, error);
}

/* More than the chunks that are there take.  What was put before is there. */
static gboolean
call_put (Kit *kit, GError **error)
{
  guint n = 0;

  while (n < 5000 && mproc_queue_put_bytes (kit->queue, kit->big, 50, 0, error))
    n++;
  ck_assert_uint_eq (mproc_queue_get_size (kit->queue), n);
  for (guint i = 0; i < n; i++)
    ck_assert_int_eq (mproc_queue_get_bytes_into (kit->queue, kit->big, 50, 0, NULL), 50);
  return n == 5000;
}

static gboolean
call_put_big (Kit *kit, GError **error)
{
  if (!mproc_queue_put_bytes (kit->queue, kit->big, BIG_SIZE, 0, error))
    return FALSE;
  ck_assert_int_eq (mproc_queue_get_bytes_into (kit->queue, kit->big, BIG_SIZE, 0, NULL),
                    BIG_SIZE);
  return TRUE;
}

/* Where some are put, a call with the rest tells why there are not more. */
static gboolean
call_put_many (Kit *kit, GError **error)
{
  char *text = g_strnfill (20000, 'x');
  GVariant *items[3];
  gssize n_put;

  for (guint i = 0; i < 3; i++)
    items[i] = g_variant_ref_sink (mproc_pack ("(hs)", kit->lock, text));
  n_put = mproc_queue_put_many (kit->queue, items, 3, 0, error);
  ck_assert_uint_eq (mproc_queue_get_size (kit->queue), (guint) MAX (n_put, 0));
  if (n_put == 1 || n_put == 2)
    ck_assert_int_eq (mproc_queue_put_many (kit->queue, items + n_put, 3 - (gsize) n_put,
                                            0, error),
                      -1);
  for (gssize i = 0; i < n_put; i++)
    g_variant_unref (mproc_queue_get (kit->queue, 0, NULL));
  for (guint i = 0; i < 3; i++)
    g_variant_unref (items[i]);
  g_free (text);
  return n_put == 3;
}

static gboolean
call_create_memory (Kit *kit, GError **error)
{
  MprocSharedMemory *memory = mproc_shared_memory_create (NULL, 10, error);

  (void) kit;
  if (memory == NULL)
    return FALSE;
  mproc_shared_memory_unlink (memory, NULL);
  mproc_shared_memory_unref (memory);
  return TRUE;
}

static gboolean
call_new_list (Kit *kit, GError **error)
{
  MprocShareableList *list =
      mproc_shareable_list_new (g_variant_new ("(is)", 1, "x"), NULL, error);

  (void) kit;
  if (list == NULL)
    return FALSE;
  mproc_shared_memory_unlink (mproc_shareable_list_get_memory (list), NULL);
  mproc_shareable_list_unref (list);
  return TRUE;
}

static const struct
{
  const char *name;
  Call call;
} calls[] = {
  { "wait", call_wait },         { "wait_for", call_wait_for },
  { "put", call_put },           { "put, big", call_put_big },
  { "put_many", call_put_many }, { "create memory", call_create_memory },
  { "new list", call_new_list },
};

static gboolean
call_kind (Kit *kit, const Kind *kind, GError **error)
{
  gpointer object = kind->make (kit, error);

  if (object != NULL)
    drop (object);
  return object != NULL;
}

static gboolean
call_numbered (Kit *kit, guint i, GError **error)
{
  return i < G_N_ELEMENTS (kinds) ? call_kind (kit, &kinds[i], error)
                                  : calls[i - G_N_ELEMENTS (kinds)].call (kit, error);
}

static const char *
name_numbered (guint i)
{
  return i < G_N_ELEMENTS (kinds) ? kinds[i].name : calls[i - G_N_ELEMENTS (kinds)].name;
}

/* With one small block more each time, until it succeeds or there are many.  Nothing that a failed
 * call has taken is missing afterwards.  How often it failed. */
static guint
call_with_little (Kit *kit, guint i)
{
  gboolean ok = FALSE;
  guint n_failed = 0;

  for (guint n = 0; n < 40 && !ok; n++)
    {
      GError *error = NULL;
      gsize given = 0;
      MprocTestHoard hoard;

      mproc_test_hoard_init (&hoard);
      for (guint k = 0; k < n && hoard.blocks->len > 0; k++)
        given += mproc_test_hoard_give_back (&hoard, hoard.blocks->len - 1 -
                                                         k % 2 * (hoard.blocks->len / 4));
      ok = call_numbered (kit, i, &error);
      if (ok != (error == NULL) ||
          (!ok && !g_error_matches (error, MPROC_ERROR, MPROC_ERROR_NO_MEMORY)))
        ck_abort_msg ("%s: %s", name_numbered (i), error ? error->message : "no error");
      g_clear_error (&error);
      n_failed += !ok;
      if (!ok && mproc_test_hoard_rest (&hoard) != given)
        ck_abort_msg ("%s has kept some of %u blocks", name_numbered (i), n);
      mproc_test_hoard_clear (&hoard);
    }
  return n_failed;
}

START_TEST (without_memory_calls_fail_and_take_nothing)
{
  const guint n_calls = G_N_ELEMENTS (kinds) + G_N_ELEMENTS (calls);
  GError *error = NULL;
  Kit kit;

  kit_init (&kit);
  for (guint i = 0; i < n_calls; i++)
    {
      /* What a process makes only once is there then. */
      ck_assert (call_numbered (&kit, i, &error));
      if (call_with_little (&kit, i) == 0)
        ck_abort_msg ("%s needs no memory", name_numbered (i));
      ck_assert (call_numbered (&kit, i, &error));
    }
  kit_clear (&kit);
}
END_TEST

/* Free blocks as small as a lock needs. */
static void
make_small_blocks (guint n)
{
  MprocOffset *blocks = g_new (MprocOffset, n);

  for (guint i = 0; i < n; i++)
    blocks[i] = mproc_arena_alloc (1, NULL);
  for (guint i = 0; i < n; i++)
    mproc_arena_free (blocks[i]);
  g_free (blocks);
}

/* Where no memory is left to make the table of objects larger, what one object gives back is enough
 * for another, wherever it lies in the table. */
START_TEST (without_memory_a_free_place_is_found)
{
  GPtrArray *locks = g_ptr_array_new ();
  MprocLock *lock = mproc_lock_new (NULL);
  GError *error = NULL;
  MprocTestHoard hoard;

  make_small_blocks (N_SMALL);
  mproc_test_hoard_init (&hoard);
  g_ptr_array_add (locks, lock);
  for (guint i = 0; i < N_SMALL; i++)
    mproc_test_hoard_give_back (&hoard, hoard.blocks->len - 1);
  while ((lock = mproc_lock_new (&error)) != NULL)
    g_ptr_array_add (locks, lock);
  ck_assert_uint_lt (locks->len, N_SMALL); /* it was the table */
  mproc_test_expect_error (&error, MPROC_ERROR_NO_MEMORY, "");
  for (guint i = 0; i < locks->len; i++)
    {
      mproc_lock_unref (locks->pdata[i]);
      locks->pdata[i] = mproc_lock_new (&error);
      ck_assert_msg (locks->pdata[i] != NULL, "%u: %s", i,
                     error != NULL ? error->message : "");
    }
  for (guint i = 0; i < locks->len; i++)
    mproc_lock_unref (locks->pdata[i]);
  g_ptr_array_unref (locks);
  mproc_test_hoard_clear (&hoard);
}
END_TEST

Suite *
mproc_test_limits_suite (void)
{
  Suite *suite = suite_create ("limits");
  TCase *tcase = mproc_test_case (suite, "limits");

  /* First, while there are few blocks to be taken. */
  tcase_add_test (tcase, without_memory_calls_fail_and_take_nothing);
  tcase_add_test (tcase, without_memory_a_free_place_is_found);
  tcase_add_test (tcase, the_table_of_objects_does_not_grow_with_time);
  tcase_add_test (tcase, thousands_of_each_leave_nothing);
  return suite;
}
