/* SPDX-License-Identifier: MIT */
/* Deaths around the notes of a forkserver's children: of the server, which writes them, and of their owner,
 * whose they are. */
#include "crash.h"

#include "forkservers.h"
#include "kill.h"

#include "process/forkserver.h"

#define PATIENCE MPROC_SECONDS (50)
#define N_CHILDREN 5

/* ------------------------------------------------------------------ the server's death */

/* A server of its own, which dies there when its first child ends. */
static void
launch_doomed (MprocCrash at)
{
  mproc_forkserver_end ();
  g_setenv ("MPROC_CRASH_AT", mproc_crash_get_name (at), TRUE);
  ck_assert (mproc_forkserver_is_single ());
  g_unsetenv ("MPROC_CRASH_AT");
}

/* Whoever joins the first one hears of its end as soon as of any other's, from the note or from the slot. */
static void
end_children (MprocCrash at)
{
  MprocQueue *queue = mproc_queue_new (0, NULL);
  MprocProcess *first, *second;
  gint64 begin;

  launch_doomed (at);
  first = forkserver_started (mproc_test_wait_in_queue, mproc_pack ("(h)", queue));
  mproc_test_say (queue, "go on");
  begin = g_get_monotonic_time ();
  mproc_test_end_with (first, 0);
  ck_assert_int_lt (g_get_monotonic_time () - begin, 3 * G_USEC_PER_SEC);
  /* There is another server for the next one. */
  second = forkserver_started (mproc_test_exit_with_six, NULL);
  mproc_test_end_with (second, 6);
  mproc_forkserver_end ();
  mproc_queue_unref (queue);
}

static void
try_server (MprocCrash at)
{
  CrashFigures before;

  end_children (MPROC_CRASH_NOWHERE);
  crash_sweep ();
  before = crash_count ();
  for (guint i = 0; i < 3; i++)
    end_children (at);
  crash_check_figures (&before, 0);
}

START_TEST (NOTE_TAKEN) { try_server (MPROC_CRASH_NOTE_TAKEN); }
END_TEST

START_TEST (NOTE_WRITTEN) { try_server (MPROC_CRASH_NOTE_WRITTEN); }
END_TEST

START_TEST (NOTE_PASSED_ON) { try_server (MPROC_CRASH_NOTE_PASSED_ON); }
END_TEST

/* ------------------------------------------------------------------ the owner's death */

/* The last one carries nothing, ends at once, and is not joined. */
static MprocProcess *
make_child (guint i, MprocQueue *idle)
{
  return i < N_CHILDREN - 1
             ? forkserver_make (mproc_test_wait_in_queue, mproc_pack ("(h)", idle))
             : forkserver_make (mproc_test_exit_with_six, NULL);
}

/* A target `(hhu)`: says on the first queue that it has children which wait in the second one, and dies,
 * or waits for that. */
static GVariant *
own_children (GVariant *args, GError **error)
{
  MprocQueue *queue, *idle;
  guint32 at;

  if (!mproc_unpack (args, error, "(&h&hu)", &queue, &idle, &at))
    return NULL;
  mproc_crash_arm ((MprocCrash) at, N_CHILDREN);
  for (guint i = 0; i < N_CHILDREN; i++)
    if (!mproc_process_start (make_child (i, idle), error))
      return NULL;
  mproc_test_tell (queue, 1);
  for (;;)
    g_usleep (G_USEC_PER_SEC);
  return NULL;
}

static gboolean
has_one_less (gpointer n_slots)
{
  crash_sweep ();
  return crash_count ().n_slots <= *(guint *) n_slots;
}

static void
await_slots (guint n)
{
  gboolean reached = FALSE;

  for (guint tries = 0; tries < 10 && !reached; tries++)
    reached = mproc_test_eventually (has_one_less, &n);
  ck_assert (reached);
}

/* One of its children has ended, and it has not joined that; the others live on. */
static void
kill_owner (int method, MprocCrash at)
{
  MprocQueue *queue = mproc_queue_new (0, NULL), *idle = mproc_queue_new (0, NULL);
  guint n_slots = crash_count ().n_slots;
  MprocProcess *owner =
      mproc_test_start (method, own_children,
                        mproc_pack ("(hhu)", queue, idle, (guint32) at));

  if (at == MPROC_CRASH_NOWHERE)
    {
      mproc_test_expect_number (queue, 1);
      await_slots (n_slots + 2 + N_CHILDREN - 1); /* the owner and its server, too */
      ck_assert (mproc_process_kill (owner, NULL));
    }
  mproc_test_end_with (owner, -9);
  await_slots (n_slots + N_CHILDREN - 1);
  for (guint i = 1; i < N_CHILDREN; i++)
    mproc_test_say (idle, "go on");
  await_slots (n_slots);
  mproc_queue_unref (queue);
  mproc_queue_unref (idle);
}

static void
try_owner (int method, MprocCrash at, guint lost_blocks)
{
  CrashFigures before;

  if (mproc_test_is_thread (method))
    return; /* a thread cannot be killed */
  /* Our own server is there before and after. */
  if (mproc_test_method (method) == MPROC_START_METHOD_FORKSERVER)
    ck_assert (mproc_forkserver_is_single ());
  kill_owner (method, MPROC_CRASH_NOWHERE);
  before = crash_count ();
  kill_owner (method, at);
  crash_check_figures (&before, lost_blocks);
}

START_TEST (all_notes_go_with_their_owner) { try_owner (_i, MPROC_CRASH_NOWHERE, 0); }
END_TEST

/* The record of the start is lost as well. */
START_TEST (NOTE_MADE)
{
  for (int method = 0; method < (int) mproc_test_n_methods (); method++)
    try_owner (method, MPROC_CRASH_NOTE_MADE, 2);
}
END_TEST

/* ------------------------------------------------------------------ the suite */

/* Where there is no fork there are no notes. */
START_TEST (not_here) { ck_assert_int_eq (mproc_forkserver_get_pid (), 0); }
END_TEST

#undef CRASH_ADD
#define CRASH_ADD(name, state)                                                           \
  if (mproc_test_can_fork ())                                                            \
    tcase_add_test (tcase, name);                                                        \
  crash_n_points++;

Suite *
mproc_test_crash_note_suite (void)
{
  Suite *suite = suite_create ("crash-note");
  TCase *tcase = mproc_test_case (suite, "crash-note");

  MPROC_CRASH_NOTE_POINTS (CRASH_ADD)
  if (mproc_test_can_fork ())
    tcase_add_loop_test (tcase, all_notes_go_with_their_owner, 0,
                         (int) mproc_test_n_methods ());
  else
    tcase_add_test (tcase, not_here);
  return suite;
}
