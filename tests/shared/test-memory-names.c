/* SPDX-License-Identifier: MIT */
/* Names that mean something else than a good block, and who looks at them when. */
#include "blocks.h"

#include "kill.h"
#include "names.h"
#include "os.h"

#define SIZE 10000

START_TEST (a_pipe_of_that_name_is_refused)
{
  char *name = mproc_block_make_name ();
  MprocSharedMemory *memory;
  GError *error = NULL;

  if (mproc_test_make_named_pipe (name))
    {
      ck_assert_ptr_null (mproc_shared_memory_create (name, SIZE, &error));
      mproc_test_expect_error (&error, MPROC_ERROR_EXISTS, "something else");
      ck_assert_ptr_null (mproc_shared_memory_open (name, 0, &error));
      mproc_test_expect_error (&error, MPROC_ERROR_INVALID, "something else");
      mproc_test_remove_name (name);

      memory = mproc_block_create (name, SIZE);
      mproc_test_remove_name (name);
      ck_assert (mproc_test_make_named_pipe (name));
      mproc_block_expect_no_name (memory);
      mproc_shared_memory_unref (memory);
      ck_assert (!mproc_test_make_named_pipe (name)); /* it was left alone */
      mproc_test_remove_name (name);
    }
  g_free (name);
}
END_TEST

START_TEST (a_hole_larger_than_the_room_takes_nothing)
{
  guint64 room = mproc_test_room_for_names (), beyond = room + (1 << 30);
  char *name = mproc_block_make_name ();
  GError *error = NULL;

  /* Where there is more room than a process has addresses, those are missing first. */
  if (room != 0 && mproc_test_make_hole (name, beyond))
    {
      ck_assert_ptr_null (mproc_shared_memory_open (name, 0, &error));
      mproc_test_expect_error (&error, MPROC_ERROR_NO_MEMORY,
                               beyond <= G_MAXSSIZE ? "there is room for"
                                                    : "address space");
      ck_assert_uint_eq (mproc_test_count_reserved (name), 0);
      mproc_test_remove_name (name);
      ck_assert (mproc_test_make_hole (name, SIZE));
      mproc_shared_memory_unref (mproc_block_open (name));
      ck_assert_uint_ge (mproc_test_count_reserved (name), SIZE);
      mproc_test_remove_name (name);
    }
  g_free (name);
}
END_TEST

START_TEST (a_hole_larger_than_the_address_space_takes_nothing)
{
  guint64 size = MAX ((guint64) G_MAXSSIZE, (guint64) 1 << 33);
  char *name = mproc_block_make_name ();
  GError *error = NULL;

  if (mproc_test_make_hole (name, size))
    {
      ck_assert_ptr_null (mproc_shared_memory_open (name, 0, &error));
      mproc_test_expect_error (&error, MPROC_ERROR_NO_MEMORY, "address space");
      ck_assert_uint_eq (mproc_test_count_reserved (name), 0);
    }
  mproc_test_remove_name (name);
  g_free (name);
}
END_TEST

/* ------------------------------------------------------------------ a guardian that sleeps */

/* Names are made until the guardian does not take in what it is told, is waited for, and
 * given up. */
static gboolean
overfeed (void)
{
  for (guint i = 0; i < 5000; i++)
    {
      gint64 start = g_get_monotonic_time ();
      MprocSharedMemory *memory = mproc_block_create (NULL, 1);

      mproc_block_unlink (memory);
      mproc_shared_memory_unref (memory);
      if (g_get_monotonic_time () - start > G_USEC_PER_SEC)
        return TRUE;
    }
  return FALSE;
}

static gboolean
has_guardian (gpointer pid)
{
  return mproc_test_find_guardian (*(gint64 *) pid) != 0;
}

static gboolean
has_no_guardian (gpointer pid)
{
  return !has_guardian (pid);
}

START_TEST (a_guardian_that_was_given_up_takes_no_name_of_the_living)
{
  gint64 self = mproc_os_pid (), guardian, end;
  MprocSharedMemory *memory;

  if (!mproc_test_can_find_guardians ())
    return;
  ck_assert (mproc_test_eventually (has_no_guardian, &self));
  memory = mproc_block_create (NULL, SIZE);
  ck_assert (mproc_test_eventually (has_guardian, &self));
  guardian = mproc_test_find_guardian (self);
  ck_assert (mproc_test_stop_pid (guardian, TRUE));
  ck_assert (overfeed ());
  ck_assert (mproc_test_stop_pid (guardian, FALSE));
  end = g_get_monotonic_time () + G_USEC_PER_SEC / 2;
  while (g_get_monotonic_time () < end)
    {
      ck_assert (mproc_block_is_there (mproc_shared_memory_get_name (memory)));
      g_usleep (5000);
    }
  mproc_block_unlink (memory);
  mproc_shared_memory_unref (memory);
  ck_assert (mproc_test_eventually (has_no_guardian, &self)); /* neither of them */
}
END_TEST

/* ------------------------------------------------------------------ forks */

/* Is handed blocks whose names are those of others by now: what opens them gives up half
 * way, which must not want what a fork holds. */
static gpointer
receive_wrong_ones (gpointer data)
{
  gint *stop = data;
  MprocQueue *queue = mproc_queue_new (0, NULL);
  char *name = mproc_block_make_name ();

  while (!g_atomic_int_get (stop))
    {
      MprocSharedMemory *memory = mproc_block_create (name, SIZE), *received = NULL;
      GVariant *value;

      mproc_queue_put (queue, mproc_pack ("(h)", memory), MPROC_FOREVER, NULL);
      mproc_block_unlink (memory);
      mproc_shared_memory_unref (memory);
      memory = mproc_block_create (name, SIZE);
      value = mproc_queue_get (queue, MPROC_FOREVER, NULL);
      if (value != NULL)
        {
          if (mproc_unpack (value, NULL, "(h)", &received))
            mproc_shared_memory_unref (received);
          g_variant_unref (value);
        }
      mproc_block_unlink (memory);
      mproc_shared_memory_unref (memory);
    }
  mproc_queue_unref (queue);
  g_free (name);
  return NULL;
}

START_TEST (forks_and_blocks_that_do_not_open)
{
  gint stop = 0, rounds = mproc_test_scale (400);
  gint64 end = g_get_monotonic_time () + MPROC_SECONDS (2); /* forks can be slow */
  GThread *thread;

  if (!mproc_test_can_fork ())
    return;
  thread = g_thread_new ("receiver", receive_wrong_ones, &stop);
  for (gint i = 0; i < rounds && g_get_monotonic_time () < end; i++)
    mproc_test_end_with (mproc_test_start (0, mproc_test_do_nothing, mproc_pack ("()")),
                         0);
  g_atomic_int_set (&stop, 1);
  g_thread_join (thread);
}
END_TEST

Suite *
mproc_test_memory_names_suite (void)
{
  Suite *suite = suite_create ("memory-names");
  TCase *tcase = mproc_test_case (suite, "names");

  tcase_add_test (tcase, a_pipe_of_that_name_is_refused);
  tcase = mproc_test_case (suite, "holes");
  tcase_add_test (tcase, a_hole_larger_than_the_room_takes_nothing);
  tcase_add_test (tcase, a_hole_larger_than_the_address_space_takes_nothing);
  tcase = mproc_test_case (suite, "guardian");
  tcase_add_test (tcase, a_guardian_that_was_given_up_takes_no_name_of_the_living);
  tcase = mproc_test_case (suite, "forks");
  tcase_add_test (tcase, forks_and_blocks_that_do_not_open);
  return suite;
}
