/* SPDX-License-Identifier: MIT */
/* Shared memory: blocks without a name, blocks with one, and when names go. */
#include "processes.h"

#include "kill.h"
#include "limit.h"
#include "names.h"
#include "os.h"

#include <string.h>

#define SIZE 10000

/* Whether a name stays as long as its maker does, rather than as long as somebody has the
 * block open: everywhere but on Windows. */
static gboolean
has_unlink (void)
{
  return mproc_test_can_fork ();
}

/* A name that this run alone uses (transfer full). */
static char *
make_name (void)
{
  static gint serial;

  return g_strdup_printf ("mproc-test-%d-%d", (int) mproc_os_pid (),
                          g_atomic_int_add (&serial, 1));
}

static MprocSharedMemory *
create (const char *name, gsize size)
{
  GError *error = NULL;
  MprocSharedMemory *memory = mproc_shared_memory_create (name, size, &error);

  ck_assert_msg (memory != NULL, "%s", error != NULL ? error->message : "no error");
  return memory;
}

static MprocSharedMemory *
open_it (const char *name)
{
  GError *error = NULL;
  MprocSharedMemory *memory = mproc_shared_memory_open (name, 0, &error);

  ck_assert_msg (memory != NULL, "%s", error != NULL ? error->message : "no error");
  return memory;
}

static gboolean
is_there (const char *name)
{
  MprocSharedMemory *memory = mproc_shared_memory_open (name, 0, NULL);

  mproc_shared_memory_unref (memory);
  return memory != NULL;
}

static gboolean
is_gone (gpointer name)
{
  return !is_there (name);
}

static guint8 *
bytes_of (MprocSharedMemory *memory)
{
  return mproc_shared_memory_get_data (memory, NULL);
}

static void
unlink_it (MprocSharedMemory *memory)
{
  GError *error = NULL;

  ck_assert_msg (mproc_shared_memory_unlink (memory, &error), "%s",
                 error != NULL ? error->message : "no error");
}

/* On Windows there is nothing to unlink, now or later. */
static void
expect_no_name_left (MprocSharedMemory *memory)
{
  GError *error = NULL;

  if (has_unlink ())
    {
      ck_assert (!mproc_shared_memory_unlink (memory, &error));
      mproc_test_expect_error (&error, MPROC_ERROR_NOT_FOUND, "no block of that name");
    }
  else
    unlink_it (memory);
}

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
  data = bytes_of (memory);
  ck_assert (data[0] == 0 && memcmp (data, data + 1, SIZE - 1) == 0);
  mproc_shared_memory_unref (mproc_shared_memory_ref (memory));
  mproc_shared_memory_unref (memory);
  mproc_shared_memory_unref (NULL);
}
END_TEST

START_TEST (impossible_sizes_are_refused)
{
  const gsize much[] = { G_MAXSIZE, G_MAXSIZE - 100, G_MAXSIZE / 4 };
  char *name = make_name ();
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
      ck_assert (!is_there (name));
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

  memset (bytes_of (memory), 1, SIZE);
  mproc_test_end_with (mproc_test_start (_i, fill, mproc_pack ("(h)", memory)), 0);
  ck_assert (bytes_of (memory)[0] == 2 && bytes_of (memory)[SIZE - 1] == 2);
  mproc_shared_memory_unref (memory);
}
END_TEST

/* ------------------------------------------------------------------ with a name */

START_TEST (a_block_is_opened_by_its_name)
{
  MprocSharedMemory *memory = create (NULL, SIZE);
  const char *name = mproc_shared_memory_get_name (memory);
  MprocSharedMemory *again = open_it (name);
  const char *prefix = has_unlink () ? "psm_" : "wnsm_";
  guint8 *data = bytes_of (memory);
  GError *error = NULL;

  ck_assert (g_str_has_prefix (name, prefix) && strlen (name) == strlen (prefix) + 8);
  ck_assert_str_eq (mproc_shared_memory_get_name (again), name);
  ck_assert_uint_eq (mproc_shared_memory_get_size (memory), SIZE);
  if (has_unlink ())
    ck_assert_uint_eq (mproc_shared_memory_get_size (again), SIZE);
  else /* the system counts in pages */
    ck_assert_uint_eq (mproc_shared_memory_get_size (again), 12288);
  ck_assert (data[0] == 0 && memcmp (data, data + 1, SIZE - 1) == 0);
  memcpy (data, "hello", 6);
  ck_assert_str_eq ((char *) bytes_of (again), "hello");

  unlink_it (again);
  expect_no_name_left (memory);
  expect_no_name_left (again);
  if (has_unlink ())
    {
      ck_assert_ptr_null (mproc_shared_memory_open (name, 0, &error));
      mproc_test_expect_error (&error, MPROC_ERROR_NOT_FOUND, name);
    }
  bytes_of (again)[SIZE - 1] = 7;
  ck_assert_uint_eq (data[SIZE - 1], 7);
  mproc_shared_memory_unref (again);
  mproc_shared_memory_unref (memory);
}
END_TEST

/* Windows: with the last who has it open; elsewhere it stays, the maker being alive. */
START_TEST (a_name_and_who_has_the_block_open)
{
  char *name = make_name ();

  mproc_shared_memory_unref (create (name, 1));
  ck_assert (is_there (name) == has_unlink ());
  if (has_unlink ())
    {
      MprocSharedMemory *memory = open_it (name);

      unlink_it (memory);
      mproc_shared_memory_unref (memory);
      ck_assert (!is_there (name));
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
  memory = create (longest, 1);
  unlink_it (memory);
  mproc_shared_memory_unref (memory);
  memory =
      create (mproc_test_is_slow_platform () ? "mproc-test-a b" : "mproc-test-ä b", 1);
  unlink_it (memory);
  mproc_shared_memory_unref (memory);
  g_free (too_long);
  g_free (longest);
}
END_TEST

START_TEST (a_name_can_be_taken_once)
{
  char *name = make_name (), *other = make_name ();
  MprocSharedMemory *memory = create (name, 100);
  MprocSharedMemory *second = create (other, 100);
  GError *error = NULL;

  ck_assert_ptr_null (mproc_shared_memory_create (name, 100, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_EXISTS, name);
  ck_assert_ptr_null (mproc_shared_memory_open (name, 5000, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_INVALID, "5000");
  ck_assert (is_there (name)); /* neither of them did it any harm */
  unlink_it (memory);
  mproc_shared_memory_unref (memory);
  ck_assert (!is_there (name) && is_there (other));
  memory = create (name, 100);
  unlink_it (memory);
  mproc_shared_memory_unref (memory);
  unlink_it (second);
  mproc_shared_memory_unref (second);
  g_free (name);
  g_free (other);
}
END_TEST

/* An object whose name has been given to another block does not take that away. */
START_TEST (unlink_leaves_a_later_block_alone)
{
  char *name = make_name ();
  MprocSharedMemory *old = create (name, 100), *again = open_it (name);
  MprocSharedMemory *later;

  if (has_unlink ()) /* else the name is in use until the last one closes it */
    {
      unlink_it (old);
      later = create (name, 200);
      expect_no_name_left (again);
      expect_no_name_left (old);
      mproc_shared_memory_unref (old);
      ck_assert (is_there (name));
      old = later;
    }
  unlink_it (old);
  mproc_shared_memory_unref (old);
  mproc_shared_memory_unref (again);
  ck_assert (!is_there (name));
  g_free (name);
}
END_TEST

/* Where the room is bounded: never a signal at the first touch. */
START_TEST (a_full_system_is_an_error)
{
  guint64 room = mproc_test_room_for_names ();
  char *name = make_name ();
  GError *error = NULL;

  if (room != 0) /* Windows, which has no such place, was asked for too much above */
    {
      ck_assert_ptr_null (mproc_shared_memory_create (name, room + (1 << 30), &error));
      mproc_test_expect_error (&error, MPROC_ERROR_NO_MEMORY, name);
    }
  ck_assert (!is_there (name));
  g_free (name);
}
END_TEST

START_TEST (no_descriptors_are_an_error)
{
  MprocConnection *ends[200] = { NULL };
  guint before = mproc_test_limit_descriptors (64), n = 0;
  char *name = make_name ();
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
  unlink_it (memory);
  mproc_shared_memory_unref (memory);
  g_free (name);
}
END_TEST

START_TEST (hundreds_leave_nothing)
{
  MprocSharedMemory *kept[40];

  for (gint i = 0; i < mproc_test_scale (mproc_test_is_slow_platform () ? 40 : 300); i++)
    {
      MprocSharedMemory *memory = create (NULL, 1 + (gsize) i * 50);

      bytes_of (memory)[i * 50] = 1;
      unlink_it (memory);
      mproc_shared_memory_unref (memory);
    }
  for (guint i = 0; i < G_N_ELEMENTS (kept); i++)
    kept[i] = create (NULL, SIZE);
  for (guint i = 0; i < G_N_ELEMENTS (kept); i++)
    {
      unlink_it (kept[i]);
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
  MprocSharedMemory *memory = create (NULL, SIZE);
  const char *name = mproc_shared_memory_get_name (memory);

  memset (bytes_of (memory), 1, SIZE);
  mproc_test_end_with (mproc_test_start (_i, fill, mproc_pack ("(h)", memory)), 0);
  ck_assert (bytes_of (memory)[0] == 2 && bytes_of (memory)[SIZE - 1] == 2);
  ck_assert (is_there (name));
  unlink_it (memory);
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
  char *name = make_name ();
  MprocSharedMemory *memory = create (name, SIZE), *later;

  mproc_test_end_with (mproc_test_start (_i, take_name_away, mproc_pack ("(h)", memory)),
                       0);
  expect_no_name_left (memory);
  if (has_unlink ())
    {
      /* What has the name now is not what this process has lost. */
      later = create (name, SIZE);
      mproc_shared_memory_unref (memory);
      ck_assert (is_there (name));
      memory = later;
      unlink_it (memory);
    }
  mproc_shared_memory_unref (memory);
  ck_assert (!is_there (name));
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
  char *name = make_name ();
  MprocSharedMemory *memory = create (name, 100), *later = NULL;

  strcpy ((char *) bytes_of (memory), "good");
  mproc_queue_put (blocks, mproc_pack ("(h)", memory), MPROC_FOREVER, NULL);
  mproc_test_expect_text (answers, "good");
  unlink_it (memory);
  mproc_queue_put (blocks, mproc_pack ("(h)", memory), MPROC_FOREVER, NULL);
  /* A thread has it open already; on Windows this process does, so the name is there. */
  if (mproc_test_is_thread (_i) || !has_unlink ())
    mproc_test_expect_text (answers, "good");
  else
    {
      mproc_test_expect_text (answers, "not found");
      later = create (name, 200);
      mproc_queue_put (blocks, mproc_pack ("(h)", memory), MPROC_FOREVER, NULL);
      mproc_test_expect_text (answers, "not found");
      unlink_it (later);
    }
  ck_assert_str_eq ((char *) bytes_of (memory), "good");
  mproc_queue_shutdown (blocks, FALSE);
  mproc_test_end_with (process, 0);
  mproc_shared_memory_unref (later);
  mproc_shared_memory_unref (memory);
  mproc_queue_unref (blocks);
  mproc_queue_unref (answers);
  g_free (name);
}
END_TEST

/* ------------------------------------------------------------------ the end of processes */

/* A target `(hhs)`: makes the name; says so; makes it with a 2 at its end at the next word,
 * and goes at the one after that. */
static GVariant *
make_names (GVariant *args, GError **error)
{
  MprocQueue *words, *answers;
  MprocSharedMemory *first, *second;
  const char *name;
  char *other;

  if (!mproc_unpack (args, error, "(&h&h&s)", &words, &answers, &name))
    return NULL;
  first = mproc_shared_memory_create (name, SIZE, error);
  mproc_test_say (answers, first != NULL ? "made" : (*error)->message);
  g_variant_unref (mproc_queue_get (words, MPROC_FOREVER, NULL));
  other = g_strconcat (name, "2", NULL);
  second = mproc_shared_memory_create (other, SIZE, error);
  mproc_test_say (answers, second != NULL ? "made" : (*error)->message);
  g_variant_unref (mproc_queue_get (words, MPROC_FOREVER, NULL));
  mproc_shared_memory_unref (second);
  mproc_shared_memory_unref (first);
  g_free (other);
  return NULL;
}

typedef struct
{
  MprocQueue *words;
  MprocQueue *answers;
  MprocProcess *process;
  char *name;
  char *other;
} Maker;

static void
start_maker (Maker *maker, int i)
{
  maker->words = mproc_queue_new (0, NULL);
  maker->answers = mproc_queue_new (0, NULL);
  maker->name = make_name ();
  maker->other = g_strconcat (maker->name, "2", NULL);
  maker->process =
      mproc_test_start (i, make_names,
                        mproc_pack ("(hhs)", maker->words, maker->answers, maker->name));
  mproc_test_expect_text (maker->answers, "made");
}

static void
make_other (Maker *maker)
{
  mproc_test_say (maker->words, "the other");
  mproc_test_expect_text (maker->answers, "made");
}

static void
end_maker (Maker *maker, gboolean by_kill)
{
  if (by_kill)
    mproc_process_kill (maker->process, NULL);
  else
    mproc_test_say (maker->words, "go");
  ck_assert (mproc_process_join (maker->process, MPROC_FOREVER));
  mproc_process_unref (maker->process);
  ck_assert (mproc_test_eventually (is_gone, maker->name));
  ck_assert (mproc_test_eventually (is_gone, maker->other));
  mproc_queue_unref (maker->words);
  mproc_queue_unref (maker->answers);
  g_free (maker->name);
  g_free (maker->other);
}

static void
names_go_with_their_maker (int i, gboolean by_kill)
{
  MprocSharedMemory *memory;
  Maker maker;

  /* A thread makes names in our name; and we go on. */
  if (mproc_test_is_thread (i))
    return;
  start_maker (&maker, i);
  make_other (&maker);
  memory = open_it (maker.name);
  ck_assert (is_there (maker.other));
  if (!has_unlink ()) /* there it lasts as long as we have it open */
    {
      mproc_shared_memory_unref (memory);
      memory = mproc_shared_memory_ref (mproc_shared_memory_new (SIZE, NULL));
      mproc_shared_memory_unref (memory);
    }
  end_maker (&maker, by_kill);
  memset (bytes_of (memory), 1, SIZE); /* who has it open keeps it */
  mproc_shared_memory_unref (memory);
}

START_TEST (names_go_when_their_maker_ends) { names_go_with_their_maker (_i, FALSE); }
END_TEST

START_TEST (names_go_when_their_maker_is_killed) { names_go_with_their_maker (_i, TRUE); }
END_TEST

/* A target `(hs)`: opens it, says so, waits. */
static GVariant *
open_and_wait (GVariant *args, GError **error)
{
  MprocQueue *answers;
  MprocSharedMemory *memory;
  const char *name;

  if (!mproc_unpack (args, error, "(&h&s)", &answers, &name))
    return NULL;
  memory = mproc_shared_memory_open (name, SIZE, error);
  mproc_test_say (answers, memory != NULL ? "open" : (*error)->message);
  mproc_queue_join (answers, MPROC_FOREVER); /* never */
  mproc_shared_memory_unref (memory);
  return NULL;
}

START_TEST (who_opened_a_block_takes_no_name_along)
{
  MprocQueue *answers = mproc_queue_new (0, NULL);
  char *name = make_name ();
  MprocSharedMemory *memory = create (name, SIZE);
  MprocProcess *process;

  if (!mproc_test_is_thread (_i)) /* which cannot be killed */
    {
      process = mproc_test_start (_i, open_and_wait, mproc_pack ("(hs)", answers, name));
      mproc_test_expect_text (answers, "open");
      mproc_process_kill (process, NULL);
      ck_assert (mproc_process_join (process, MPROC_FOREVER));
      mproc_process_unref (process);
    }
  ck_assert (is_there (name));
  unlink_it (memory);
  mproc_shared_memory_unref (memory);
  ck_assert (!is_there (name));
  mproc_queue_unref (answers);
  g_free (name);
}
END_TEST

/* ------------------------------------------------------------------ the guardian */

static gboolean
has_no_guardian (gpointer pid)
{
  return mproc_test_find_guardian (*(gint64 *) pid) == 0;
}

static gboolean
has_guardian (gpointer pid)
{
  return !has_no_guardian (pid);
}

/* It takes it a moment to be what it is. */
static gint64
find_guardian (gint64 pid)
{
  ck_assert (mproc_test_eventually (has_guardian, &pid));
  return mproc_test_find_guardian (pid);
}

START_TEST (there_is_a_guardian_while_there_are_names)
{
  gint64 self = mproc_os_pid ();
  MprocSharedMemory *first, *second;
  gint64 guardian;

  if (!mproc_test_can_find_guardians ()) /* on Windows there are none */
    return;
  ck_assert (mproc_test_eventually (has_no_guardian, &self));
  first = create (NULL, 1);
  guardian = find_guardian (self);
  second = create (NULL, 1);
  ck_assert_int_eq (mproc_test_find_guardian (self), guardian);
  unlink_it (first);
  ck_assert_int_eq (mproc_test_find_guardian (self), guardian);
  unlink_it (second);
  ck_assert (mproc_test_eventually (has_no_guardian, &self));
  mproc_shared_memory_unref (first);
  mproc_shared_memory_unref (second);
}
END_TEST

START_TEST (a_killed_guardian_is_replaced)
{
  Maker maker;
  gint64 pid, guardian;

  if (mproc_test_is_thread (_i) || !mproc_test_can_find_guardians ())
    return;
  start_maker (&maker, _i);
  pid = mproc_process_get_pid (maker.process);
  guardian = find_guardian (pid);
  mproc_test_kill_pid (guardian);
  ck_assert (mproc_test_eventually (has_no_guardian, &pid));
  make_other (&maker); /* the new one hears of both */
  find_guardian (pid);
  end_maker (&maker, TRUE);
}
END_TEST

START_TEST (the_host_sees_no_child)
{
  guint before = mproc_test_count_child_signals ();
  MprocSharedMemory *memory = create (NULL, 1);

  ck_assert (!mproc_test_has_children ());
  unlink_it (memory);
  mproc_shared_memory_unref (memory);
  ck_assert (!mproc_test_has_children ());
  if (mproc_test_can_find_guardians ()) /* Linux; elsewhere one signal does come */
    ck_assert_uint_eq (mproc_test_count_child_signals (), before);
  mproc_test_ignore_children (TRUE);
  memory = create (NULL, 1);
  unlink_it (memory);
  mproc_shared_memory_unref (memory);
  mproc_test_ignore_children (FALSE);
}
END_TEST

START_TEST (signals_do_not_disturb)
{
  MprocSharedMemory *memory;

  mproc_test_annoy (TRUE);
  for (gint i = 0; i < 20; i++)
    {
      memory = create (NULL, 4 << 20);
      unlink_it (memory);
      mproc_shared_memory_unref (memory);
    }
  mproc_test_annoy (FALSE);
}
END_TEST

/* ------------------------------------------------------------------ alone */

/* Runs it, which prints @wanted. */
static void
run_program (const char *how, const char *prefix, const char *wanted)
{
  char *path =
      g_strconcat (MPROC_TEST_PROGRAMS "/program-memory", MPROC_TEST_SUFFIX, NULL);
  char *argv[] = { path, (char *) how, (char *) prefix, NULL };
  char *out = NULL;

  ck_assert (g_spawn_sync (NULL, argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &out, NULL,
                           NULL, NULL));
  ck_assert_str_eq (out, wanted);
  g_free (out);
  g_free (path);
}

START_TEST (names_go_with_the_last_process)
{
  char *prefix = make_name ();

  for (guint i = 0; i < 2; i++)
    {
      run_program (i == 0 ? "return" : "kill", prefix, "");
      for (guint k = 0; k < 60; k++)
        {
          char *name = g_strdup_printf ("%s%u", prefix, k);

          ck_assert (mproc_test_eventually (is_gone, name));
          g_free (name);
        }
    }
  if (mproc_test_can_fork ())
    run_program ("child", prefix, "the name is there\nthe name is gone\n");
  g_free (prefix);
}
END_TEST

Suite *
mproc_test_memory_suite (void)
{
  Suite *suite = suite_create ("memory");
  TCase *tcase = mproc_test_case (suite, "memory");
  int n_methods = (int) mproc_test_n_methods ();

  tcase_add_test (tcase, an_anonymous_block_is_zeros);
  tcase_add_test (tcase, impossible_sizes_are_refused);
  tcase_add_loop_test (tcase, children_share_an_anonymous_block, 0, n_methods);
  tcase_add_test (tcase, a_block_is_opened_by_its_name);
  tcase_add_test (tcase, a_name_and_who_has_the_block_open);
  tcase_add_test (tcase, names_that_cannot_be_are_refused);
  tcase_add_test (tcase, a_name_can_be_taken_once);
  tcase_add_test (tcase, unlink_leaves_a_later_block_alone);
  tcase_add_test (tcase, a_full_system_is_an_error);
  tcase_add_test (tcase, no_descriptors_are_an_error);
  tcase_add_test (tcase, hundreds_leave_nothing);
  tcase_add_test (tcase, threads_make_names_side_by_side);
  tcase_add_loop_test (tcase, children_share_a_block_with_a_name, 0, n_methods);
  tcase_add_loop_test (tcase, any_process_may_take_the_name_away, 0, n_methods);
  tcase_add_loop_test (tcase, a_name_that_is_gone_cannot_be_handed_over, 0, n_methods);
  tcase_add_loop_test (tcase, names_go_when_their_maker_ends, 0, n_methods);
  tcase_add_loop_test (tcase, names_go_when_their_maker_is_killed, 0, n_methods);
  tcase_add_loop_test (tcase, who_opened_a_block_takes_no_name_along, 0, n_methods);
  tcase_add_test (tcase, there_is_a_guardian_while_there_are_names);
  tcase_add_loop_test (tcase, a_killed_guardian_is_replaced, 0, n_methods);
  tcase_add_test (tcase, the_host_sees_no_child);
  tcase_add_test (tcase, signals_do_not_disturb);
  tcase_add_test (tcase, names_go_with_the_last_process);
  return suite;
}
