/* SPDX-License-Identifier: MIT */
/* Shared memory: blocks without a name, and blocks with one. */
#include "blocks.h"

#include "limit.h"
#include "names.h"

#include <string.h>

#define SIZE 10000

/* ------------------------------------------------------------------ without a name */

START_TEST (an_anonymous_block_is_zeros)
{
  GError *error = NULL;
  MprocSharedMemory *memory = mproc_shared_memory_new (SIZE, &error);
  gsize size;
  guint8 *data = mproc_shared_memory_get_data (memory, &size);

  ck_assert_uint_eq (size, SIZE);
  ck_assert_uint_eq (mproc_shared_memory_get_size (memory), SIZE);
  ck_assert_uint_eq ((guintptr) data % 64, 0);
  ck_assert (data[0] == 0 && memcmp (data, data + 1, SIZE - 1) == 0);
  ck_assert_ptr_null (mproc_shared_memory_get_name (memory));
  ck_assert (!mproc_shared_memory_unlink (memory, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_STATE, "no name");
  memset (data, 0xff, SIZE);
  mproc_shared_memory_unref (memory);

  memory = mproc_shared_memory_new (SIZE, &error); /* the same memory, most likely */
  data = mproc_block_bytes (memory);
  ck_assert (data[0] == 0 && memcmp (data, data + 1, SIZE - 1) == 0);
  mproc_shared_memory_unref (mproc_shared_memory_ref (memory));
  mproc_shared_memory_unref (memory);
  mproc_shared_memory_unref (NULL);
}
END_TEST

START_TEST (impossible_sizes_are_refused)
{
  /* The last is the smallest that is larger than any object can be. */
  const gsize much[] = { G_MAXSIZE, G_MAXSIZE - 100, (gsize) G_MAXSSIZE + 1 };
  char *name = mproc_block_make_name ();
  GError *error = NULL;

  ck_assert_ptr_null (mproc_shared_memory_new (0, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_INVALID, "no bytes");
  ck_assert_ptr_null (mproc_shared_memory_create (name, 0, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_INVALID, "no bytes");
  for (guint i = 0; i < G_N_ELEMENTS (much); i++)
    {
      ck_assert_ptr_null (mproc_shared_memory_new (much[i], &error));
      mproc_test_expect_error (&error, MPROC_ERROR_NO_MEMORY, "");
      ck_assert_ptr_null (mproc_shared_memory_create (name, much[i], &error));
      mproc_test_expect_error (&error, MPROC_ERROR_NO_MEMORY, name);
      ck_assert (!mproc_block_is_there (name));
    }
  g_free (name);
}
END_TEST

/* A target `(h)`: writes its number into every byte. */
static GVariant *
fill (GVariant *args, GError **error)
{
  MprocSharedMemory *memory;
  gsize size;
  guint8 *data;

  if (!mproc_unpack (args, error, "(&h)", &memory))
    return NULL;
  data = mproc_shared_memory_get_data (memory, &size);
  if (data[0] != 1 || data[size - 1] != 1)
    mproc_process_exit (9);
  memset (data, 2, size);
  return NULL;
}

START_TEST (children_share_an_anonymous_block)
{
  MprocSharedMemory *memory = mproc_shared_memory_new (SIZE, NULL);

  memset (mproc_block_bytes (memory), 1, SIZE);
  mproc_test_end_with (mproc_test_start (_i, fill, mproc_pack ("(h)", memory)), 0);
  ck_assert (mproc_block_bytes (memory)[0] == 2 &&
             mproc_block_bytes (memory)[SIZE - 1] == 2);
  mproc_shared_memory_unref (memory);
}
END_TEST

/* ------------------------------------------------------------------ with a name */

START_TEST (a_block_is_opened_by_its_name)
{
  MprocSharedMemory *memory = mproc_block_create (NULL, SIZE);
  const char *name = mproc_shared_memory_get_name (memory);
  MprocSharedMemory *again = mproc_block_open (name);
  const char *prefix = mproc_block_has_unlink () ? "psm_" : "wnsm_";
  guint8 *data = mproc_block_bytes (memory);
  GError *error = NULL;

  ck_assert (g_str_has_prefix (name, prefix) && strlen (name) == strlen (prefix) + 8);
  ck_assert_str_eq (mproc_shared_memory_get_name (again), name);
  ck_assert_uint_eq (mproc_shared_memory_get_size (memory), SIZE);
  if (mproc_block_has_unlink ())
    ck_assert_uint_eq (mproc_shared_memory_get_size (again), SIZE);
  else /* the system counts in pages */
    ck_assert_uint_eq (mproc_shared_memory_get_size (again), 12288);
  ck_assert (data[0] == 0 && memcmp (data, data + 1, SIZE - 1) == 0);
  memcpy (data, "hello", 6);
  ck_assert_str_eq ((char *) mproc_block_bytes (again), "hello");

  mproc_block_unlink (again);
  mproc_block_expect_no_name (memory);
  mproc_block_expect_no_name (again);
  if (mproc_block_has_unlink ())
    {
      ck_assert_ptr_null (mproc_shared_memory_open (name, 0, &error));
      mproc_test_expect_error (&error, MPROC_ERROR_NOT_FOUND, name);
    }
  mproc_block_bytes (again)[SIZE - 1] = 7;
  ck_assert_uint_eq (data[SIZE - 1], 7);
  mproc_shared_memory_unref (again);
  mproc_shared_memory_unref (memory);
}
END_TEST

/* Windows: with the last who has it open; elsewhere it stays, the maker being alive. */
START_TEST (a_name_and_who_has_the_block_open)
{
  char *name = mproc_block_make_name ();

  mproc_shared_memory_unref (mproc_block_create (name, 1));
  ck_assert (mproc_block_is_there (name) == mproc_block_has_unlink ());
  if (mproc_block_has_unlink ())
    {
      MprocSharedMemory *memory = mproc_block_open (name);

      mproc_block_unlink (memory);
      mproc_shared_memory_unref (memory);
      ck_assert (!mproc_block_is_there (name));
    }
  g_free (name);
}
END_TEST

START_TEST (names_that_cannot_be_are_refused)
{
  char *longest = g_strnfill (250, 'x'), *too_long = g_strnfill (251, 'x');
  const char *const names[] = { "", "/", "/psm_1", "a/b", ".", "..", "\xff", too_long };
  MprocSharedMemory *memory;
  GError *error = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      ck_assert_ptr_null (mproc_shared_memory_create (names[i], 1, &error));
      mproc_test_expect_error (&error, MPROC_ERROR_INVALID, "name");
      ck_assert_ptr_null (mproc_shared_memory_open (names[i], 0, &error));
      mproc_test_expect_error (&error, MPROC_ERROR_INVALID, "name");
    }
  memcpy (longest, "mproc-test-", 11);
  memory = mproc_block_create (longest, 1);
  mproc_block_unlink (memory);
  mproc_shared_memory_unref (memory);
  memory = mproc_block_create (mproc_test_is_slow_platform () ? "mproc-test-a b"
                                                              : "mproc-test-ä b",
                               1);
  mproc_block_unlink (memory);
  mproc_shared_memory_unref (memory);
  g_free (too_long);
  g_free (longest);
}
END_TEST

START_TEST (a_name_can_be_taken_once)
{
  char *name = mproc_block_make_name (), *other = mproc_block_make_name ();
  MprocSharedMemory *memory = mproc_block_create (name, 100);
  MprocSharedMemory *second = mproc_block_create (other, 100);
  GError *error = NULL;

  ck_assert_ptr_null (mproc_shared_memory_create (name, 100, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_EXISTS, name);
  ck_assert_ptr_null (mproc_shared_memory_open (name, 5000, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_INVALID, "5000");
  ck_assert (mproc_block_is_there (name)); /* neither of them did it any harm */
  mproc_block_unlink (memory);
  mproc_shared_memory_unref (memory);
  ck_assert (!mproc_block_is_there (name) && mproc_block_is_there (other));
  memory = mproc_block_create (name, 100);
  mproc_block_unlink (memory);
  mproc_shared_memory_unref (memory);
  mproc_block_unlink (second);
  mproc_shared_memory_unref (second);
  g_free (name);
  g_free (other);
}
END_TEST

/* To the byte, as large as the system has made it. */
START_TEST (a_block_smaller_than_asked_is_refused)
{
  char *name = mproc_block_make_name ();
  MprocSharedMemory *memory = mproc_block_create (name, 100);
  MprocSharedMemory *opened = mproc_block_open (name);
  gsize size = mproc_shared_memory_get_size (opened);
  static const gsize more[] = { 1, 2, 4096, G_MAXSIZE / 2 };
  GError *error = NULL;

  mproc_shared_memory_unref (opened);
  for (guint i = 0; i < G_N_ELEMENTS (more); i++)
    {
      ck_assert_ptr_null (mproc_shared_memory_open (name, size + more[i], &error));
      mproc_test_expect_error (&error, MPROC_ERROR_INVALID, "are wanted");
    }
  opened = mproc_shared_memory_open (name, size, &error);
  ck_assert_ptr_nonnull (opened);
  mproc_shared_memory_unref (opened);
  mproc_block_unlink (memory);
  mproc_shared_memory_unref (memory);
  g_free (name);
}
END_TEST

/* An object whose name has been given to another block does not take that away. */
START_TEST (unlink_leaves_a_later_block_alone)
{
  char *name = mproc_block_make_name ();
  MprocSharedMemory *old = mproc_block_create (name, 100),
                    *again = mproc_block_open (name);
  MprocSharedMemory *later;

  if (mproc_block_has_unlink ()) /* else the name is in use until the last one closes it */
    {
      mproc_block_unlink (old);
      later = mproc_block_create (name, 200);
      mproc_block_expect_no_name (again);
      mproc_block_expect_no_name (old);
      mproc_shared_memory_unref (old);
      ck_assert (mproc_block_is_there (name));
      old = later;
    }
  mproc_block_unlink (old);
  mproc_shared_memory_unref (old);
  mproc_shared_memory_unref (again);
  ck_assert (!mproc_block_is_there (name));
  g_free (name);
}
END_TEST

/* Where the room is bounded: never a signal at the first touch. */
START_TEST (a_full_system_is_an_error)
{
  guint64 room = mproc_test_room_for_names (), beyond = room + (1 << 30);
  char *name = mproc_block_make_name ();
  GError *error = NULL;

  /* Windows, which has no such place, was asked for too much above; so was a process with
   * fewer addresses than there is room. */
  if (room != 0 && beyond <= G_MAXSSIZE)
    {
      ck_assert_ptr_null (mproc_shared_memory_create (name, (gsize) beyond, &error));
      mproc_test_expect_error (&error, MPROC_ERROR_NO_MEMORY, "there is room for");
    }
  ck_assert (!mproc_block_is_there (name));
  g_free (name);
}
END_TEST

START_TEST (no_descriptors_are_an_error)
{
  MprocConnection *ends[200] = { NULL };
  guint before = mproc_test_limit_descriptors (64), n = 0;
  char *name = mproc_block_make_name ();
  MprocSharedMemory *memory = NULL;
  GError *error = NULL;

  if (before == 0) /* a system without such a limit: Windows */
    {
      g_free (name);
      return;
    }
  while (n < G_N_ELEMENTS (ends) && mproc_pipe (FALSE, &ends[n], &ends[n + 1], NULL))
    n += 2;
  for (; memory == NULL && n > 0; n -= 2)
    {
      memory = mproc_shared_memory_create (name, SIZE, &error);
      if (memory == NULL &&
          !g_error_matches (error, MPROC_ERROR, MPROC_ERROR_TOO_MANY_FILES))
        break;
      g_clear_error (&error);
      mproc_connection_unref (ends[n - 2]);
      mproc_connection_unref (ends[n - 1]);
    }
  for (; n > 0; n--)
    mproc_connection_unref (ends[n - 1]);
  mproc_test_limit_descriptors (before);
  ck_assert_msg (error == NULL, "%s", error != NULL ? error->message : "");
  ck_assert_ptr_nonnull (memory);
  mproc_block_unlink (memory);
  mproc_shared_memory_unref (memory);
  g_free (name);
}
END_TEST

START_TEST (hundreds_leave_nothing)
{
  MprocSharedMemory *kept[40];

  for (gint i = 0; i < mproc_test_scale (mproc_test_is_slow_platform () ? 40 : 300); i++)
    {
      MprocSharedMemory *memory = mproc_block_create (NULL, 1 + (gsize) i * 50);

      mproc_block_bytes (memory)[i * 50] = 1;
      mproc_block_unlink (memory);
      mproc_shared_memory_unref (memory);
    }
  for (guint i = 0; i < G_N_ELEMENTS (kept); i++)
    kept[i] = mproc_block_create (NULL, SIZE);
  for (guint i = 0; i < G_N_ELEMENTS (kept); i++)
    {
      mproc_block_unlink (kept[i]);
      mproc_shared_memory_unref (kept[i]);
    }
}
END_TEST

static gpointer
make_and_unlink (gpointer failures)
{
  for (gint i = 0; i < 50; i++)
    {
      MprocSharedMemory *memory = mproc_shared_memory_create (NULL, SIZE, NULL);

      if (memory == NULL || !mproc_shared_memory_unlink (memory, NULL))
        g_atomic_int_inc ((gint *) failures);
      mproc_shared_memory_unref (memory);
    }
  return NULL;
}

START_TEST (threads_make_names_side_by_side)
{
  GThread *threads[4];
  gint failures = 0;

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("names", make_and_unlink, &failures);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  ck_assert_int_eq (failures, 0);
}
END_TEST

/* ------------------------------------------------------------------ handed over */

START_TEST (children_share_a_block_with_a_name)
{
  MprocSharedMemory *memory = mproc_block_create (NULL, SIZE);
  const char *name = mproc_shared_memory_get_name (memory);

  memset (mproc_block_bytes (memory), 1, SIZE);
  mproc_test_end_with (mproc_test_start (_i, fill, mproc_pack ("(h)", memory)), 0);
  ck_assert (mproc_block_bytes (memory)[0] == 2 &&
             mproc_block_bytes (memory)[SIZE - 1] == 2);
  ck_assert (mproc_block_is_there (name));
  mproc_block_unlink (memory);
  mproc_shared_memory_unref (memory);
}
END_TEST

/* A target `(h)`. */
static GVariant *
take_name_away (GVariant *args, GError **error)
{
  MprocSharedMemory *memory;

  if (mproc_unpack (args, error, "(&h)", &memory))
    mproc_shared_memory_unlink (memory, error);
  return NULL;
}

START_TEST (any_process_may_take_the_name_away)
{
  char *name = mproc_block_make_name ();
  MprocSharedMemory *memory = mproc_block_create (name, SIZE), *later;

  mproc_test_end_with (mproc_test_start (_i, take_name_away, mproc_pack ("(h)", memory)),
                       0);
  mproc_block_expect_no_name (memory);
  if (mproc_block_has_unlink ())
    {
      /* What has the name now is not what this process has lost. */
      later = mproc_block_create (name, SIZE);
      mproc_shared_memory_unref (memory);
      ck_assert (mproc_block_is_there (name));
      memory = later;
      mproc_block_unlink (memory);
    }
  mproc_shared_memory_unref (memory);
  ck_assert (!mproc_block_is_there (name));
  g_free (name);
}
END_TEST

/* A target `(hh)`: gets blocks out of the first queue, and tells how that went. */
static GVariant *
receive (GVariant *args, GError **error)
{
  MprocQueue *blocks, *answers;

  if (!mproc_unpack (args, error, "(&h&h)", &blocks, &answers))
    return NULL;
  for (;;)
    {
      GError *problem = NULL;
      GVariant *value = mproc_queue_get (blocks, MPROC_FOREVER, &problem);
      MprocSharedMemory *memory;

      if (value != NULL && mproc_unpack (value, &problem, "(&h)", &memory))
        mproc_test_say (answers, mproc_shared_memory_get_data (memory, NULL));
      else if (problem->code == MPROC_ERROR_CLOSED)
        {
          g_error_free (problem);
          return NULL;
        }
      else
        mproc_test_say (answers, problem->code == MPROC_ERROR_NOT_FOUND
                                     ? "not found"
                                     : problem->message);
      g_clear_error (&problem);
      if (value != NULL)
        g_variant_unref (value);
    }
}

START_TEST (a_name_that_is_gone_cannot_be_handed_over)
{
  MprocQueue *blocks = mproc_queue_new (0, NULL), *answers = mproc_queue_new (0, NULL);
  MprocProcess *process =
      mproc_test_start (_i, receive, mproc_pack ("(hh)", blocks, answers));
  char *name = mproc_block_make_name ();
  MprocSharedMemory *memory = mproc_block_create (name, 100), *later = NULL;

  strcpy ((char *) mproc_block_bytes (memory), "good");
  mproc_queue_put (blocks, mproc_pack ("(h)", memory), MPROC_FOREVER, NULL);
  mproc_test_expect_text (answers, "good");
  mproc_block_unlink (memory);
  mproc_queue_put (blocks, mproc_pack ("(h)", memory), MPROC_FOREVER, NULL);
  /* A thread has it open already; on Windows this process does, so the name is there. */
  if (mproc_test_is_thread (_i) || !mproc_block_has_unlink ())
    mproc_test_expect_text (answers, "good");
  else
    {
      mproc_test_expect_text (answers, "not found");
      later = mproc_block_create (name, 200);
      mproc_queue_put (blocks, mproc_pack ("(h)", memory), MPROC_FOREVER, NULL);
      mproc_test_expect_text (answers, "not found");
      mproc_block_unlink (later);
    }
  ck_assert_str_eq ((char *) mproc_block_bytes (memory), "good");
  mproc_queue_shutdown (blocks, FALSE);
  mproc_test_end_with (process, 0);
  mproc_shared_memory_unref (later);
  mproc_shared_memory_unref (memory);
  mproc_queue_unref (blocks);
  mproc_queue_unref (answers);
  g_free (name);
}
END_TEST

Suite *
mproc_test_memory_suite (void)
{
  Suite *suite = suite_create ("memory");
  TCase *tcase = mproc_test_case (suite, "blocks");
  int n_methods = (int) mproc_test_n_methods ();

  tcase_add_test (tcase, an_anonymous_block_is_zeros);
  tcase_add_test (tcase, impossible_sizes_are_refused);
  tcase_add_loop_test (tcase, children_share_an_anonymous_block, 0, n_methods);
  tcase_add_test (tcase, a_block_is_opened_by_its_name);
  tcase_add_test (tcase, a_name_and_who_has_the_block_open);
  tcase_add_test (tcase, names_that_cannot_be_are_refused);
  tcase_add_test (tcase, a_name_can_be_taken_once);
  tcase_add_test (tcase, a_block_smaller_than_asked_is_refused);
  tcase_add_test (tcase, unlink_leaves_a_later_block_alone);
  tcase_add_test (tcase, a_full_system_is_an_error);
  tcase_add_test (tcase, no_descriptors_are_an_error);
  tcase_add_test (tcase, hundreds_leave_nothing);
  tcase_add_test (tcase, threads_make_names_side_by_side);
  tcase_add_loop_test (tcase, children_share_a_block_with_a_name, 0, n_methods);
  tcase_add_loop_test (tcase, any_process_may_take_the_name_away, 0, n_methods);
  tcase_add_loop_test (tcase, a_name_that_is_gone_cannot_be_handed_over, 0, n_methods);
  return suite;
}
