/* SPDX-License-Identifier: MIT */
/* When the names of shared memory go: with the process that made them, however it ends. */
#include "blocks.h"

#include "kill.h"
#include "names.h"
#include "os.h"

#include <string.h>

#define SIZE 10000

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
  maker->name = mproc_block_make_name ();
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
  ck_assert (mproc_test_eventually (mproc_block_is_gone, maker->name));
  ck_assert (mproc_test_eventually (mproc_block_is_gone, maker->other));
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
  memory = mproc_block_open (maker.name);
  ck_assert (mproc_block_is_there (maker.other));
  if (!mproc_block_has_unlink ()) /* there it lasts as long as we have it open */
    {
      mproc_shared_memory_unref (memory);
      memory = mproc_shared_memory_ref (mproc_shared_memory_new (SIZE, NULL));
      mproc_shared_memory_unref (memory);
    }
  end_maker (&maker, by_kill);
  memset (mproc_block_bytes (memory), 1, SIZE); /* who has it open keeps it */
  mproc_shared_memory_unref (memory);
}

START_TEST (names_go_when_their_maker_ends) { names_go_with_their_maker (_i, FALSE); }
END_TEST

START_TEST (names_go_when_their_maker_is_killed) { names_go_with_their_maker (_i, TRUE); }
END_TEST

/* A target `(hs)`: opens it, tries to make it too, says so, waits. */
static GVariant *
open_and_wait (GVariant *args, GError **error)
{
  MprocQueue *answers;
  MprocSharedMemory *memory;
  const char *name;

  if (!mproc_unpack (args, error, "(&h&s)", &answers, &name))
    return NULL;
  memory = mproc_shared_memory_open (name, SIZE, error);
  if (mproc_shared_memory_create (name, SIZE, NULL) != NULL)
    mproc_process_exit (9);
  mproc_test_say (answers, memory != NULL ? "open" : (*error)->message);
  mproc_queue_join (answers, MPROC_FOREVER); /* never */
  mproc_shared_memory_unref (memory);
  return NULL;
}

START_TEST (who_opened_a_block_takes_no_name_along)
{
  MprocQueue *answers = mproc_queue_new (0, NULL);
  char *name = mproc_block_make_name ();
  MprocSharedMemory *memory = mproc_block_create (name, SIZE);
  MprocProcess *process;

  if (!mproc_test_is_thread (_i)) /* which cannot be killed */
    {
      process = mproc_test_start (_i, open_and_wait, mproc_pack ("(hs)", answers, name));
      mproc_test_expect_text (answers, "open");
      mproc_process_kill (process, NULL);
      ck_assert (mproc_process_join (process, MPROC_FOREVER));
      mproc_process_unref (process);
    }
  ck_assert (mproc_block_is_there (name));
  mproc_block_unlink (memory);
  mproc_shared_memory_unref (memory);
  ck_assert (!mproc_block_is_there (name));
  mproc_queue_unref (answers);
  g_free (name);
}
END_TEST

/* A target `(hs)`: makes names and takes some of them away, for ever. */
static GVariant *
make_and_unmake (GVariant *args, GError **error)
{
  MprocQueue *answers;
  const char *prefix;

  if (!mproc_unpack (args, error, "(&h&s)", &answers, &prefix))
    return NULL;
  for (guint i = 0;; i++)
    {
      char *name = g_strdup_printf ("%s-%u", prefix, i);
      MprocSharedMemory *memory = mproc_shared_memory_create (name, SIZE, NULL);

      if (i == 0)
        mproc_test_say (answers, memory != NULL ? "made" : "not made");
      if (i > 100 || i % 4 != 0)
        mproc_shared_memory_unlink (memory, NULL);
      mproc_shared_memory_unref (memory);
      g_free (name);
    }
}

/* Between which steps it is, nobody knows; the census that follows finds what is left. */
START_TEST (a_maker_killed_at_any_instant_leaves_nothing)
{
  gint rounds = mproc_test_scale (mproc_test_is_slow_platform () ? 3 : 25);

  if (mproc_test_is_thread (_i)) /* which cannot be killed */
    return;
  for (gint i = 0; i < rounds; i++)
    {
      MprocQueue *answers = mproc_queue_new (0, NULL);
      char *name = mproc_block_make_name ();
      MprocProcess *process =
          mproc_test_start (_i, make_and_unmake, mproc_pack ("(hs)", answers, name));

      mproc_test_expect_text (answers, "made");
      mproc_process_join (process, g_random_int_range (0, 10000));
      mproc_process_kill (process, NULL);
      ck_assert (mproc_process_join (process, MPROC_FOREVER));
      mproc_process_unref (process);
      mproc_queue_unref (answers);
      g_free (name);
    }
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
  first = mproc_block_create (NULL, 1);
  guardian = find_guardian (self);
  second = mproc_block_create (NULL, 1);
  ck_assert_int_eq (mproc_test_find_guardian (self), guardian);
  mproc_block_unlink (first);
  ck_assert_int_eq (mproc_test_find_guardian (self), guardian);
  mproc_block_unlink (second);
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
  MprocSharedMemory *memory = mproc_block_create (NULL, 1);

  ck_assert (!mproc_test_has_children ());
  mproc_block_unlink (memory);
  mproc_shared_memory_unref (memory);
  ck_assert (!mproc_test_has_children ());
  if (mproc_test_can_find_guardians ()) /* Linux; elsewhere one signal does come */
    ck_assert_uint_eq (mproc_test_count_child_signals (), before);
  mproc_test_ignore_children (TRUE);
  memory = mproc_block_create (NULL, 1);
  mproc_block_unlink (memory);
  mproc_shared_memory_unref (memory);
  mproc_test_ignore_children (FALSE);
}
END_TEST

/* What the guardian has inherited it has let go of: whoever waits for the end of something of
 * ours does not wait for it. */
START_TEST (the_guardian_holds_nothing_of_ours)
{
  MprocConnection *reader, *writer;
  MprocSharedMemory *memory;
  GError *error = NULL;

  mproc_pipe (FALSE, &reader, &writer, NULL);
  memory = mproc_block_create (NULL, 1);
  mproc_connection_unref (writer);
  ck_assert_ptr_null (mproc_connection_recv (reader, MPROC_SECONDS (20), &error));
  mproc_test_expect_error (&error, MPROC_ERROR_CLOSED, "");
  mproc_connection_unref (reader);
  mproc_block_unlink (memory);
  mproc_shared_memory_unref (memory);
}
END_TEST

START_TEST (signals_do_not_disturb)
{
  MprocSharedMemory *memory;

  mproc_test_annoy (TRUE);
  for (gint i = 0; i < 20; i++)
    {
      memory = mproc_block_create (NULL, 4 << 20);
      mproc_block_unlink (memory);
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
  char *prefix = mproc_block_make_name ();

  for (guint i = 0; i < 2; i++)
    {
      run_program (i == 0 ? "return" : "kill", prefix, "");
      for (guint k = 0; k < 60; k++)
        {
          char *name = g_strdup_printf ("%s%u", prefix, k);

          ck_assert (mproc_test_eventually (mproc_block_is_gone, name));
          g_free (name);
        }
    }
  if (mproc_test_can_fork ())
    run_program ("child", prefix, "the name is there\nthe name is gone\n");
  g_free (prefix);
}
END_TEST

Suite *
mproc_test_memory_end_suite (void)
{
  Suite *suite = suite_create ("memory-end");
  TCase *tcase = mproc_test_case (suite, "names");
  int n_methods = (int) mproc_test_n_methods ();

  tcase_add_loop_test (tcase, names_go_when_their_maker_ends, 0, n_methods);
  tcase_add_loop_test (tcase, names_go_when_their_maker_is_killed, 0, n_methods);
  tcase_add_loop_test (tcase, who_opened_a_block_takes_no_name_along, 0, n_methods);
  tcase_add_loop_test (tcase, a_maker_killed_at_any_instant_leaves_nothing, 0, n_methods);
  tcase_add_test (tcase, there_is_a_guardian_while_there_are_names);
  tcase_add_loop_test (tcase, a_killed_guardian_is_replaced, 0, n_methods);
  tcase_add_test (tcase, the_host_sees_no_child);
  tcase_add_test (tcase, the_guardian_holds_nothing_of_ours);
  tcase_add_test (tcase, signals_do_not_disturb);
  tcase_add_test (tcase, names_go_with_the_last_process);
  return suite;
}
