/* SPDX-License-Identifier: MIT */
/* The family: who is in it, and what becomes of the places and things of the dead. */
#include "processes.h"

#include "arena/arena.h"
#include "family/entry.h"
#include "kill.h"
#include "process/process.h"

static MprocProcess *
start (MprocFunc func, GVariant *args, MprocStartMethod method)
{
  MprocProcess *process = mproc_process_new (func, args);
  GError *error = NULL;

  mproc_process_set_start_method (process, method);
  if (!mproc_process_start (process, &error))
    ck_abort_msg ("%s", error->message);
  return process;
}

START_TEST (slots_and_memory_are_used_again)
{
  MprocStartMethod method = mproc_test_method (_i);
  gint n =
      mproc_test_is_slow_platform () || method == MPROC_START_METHOD_SPAWN ? 20 : 300;
  guint64 committed = 0;
  guint highest = 0;

  for (gint i = 0; i < n; i++)
    {
      MprocProcess *process = start (mproc_test_do_nothing, NULL, method);

      highest = MAX (highest, MPROC_MEMBER_SLOT (mproc_process_get_member (process)));
      ck_assert (mproc_process_join (process, MPROC_SECONDS (30)));
      mproc_process_unref (process);
      if (i == n / 2)
        committed = mproc_arena_get_committed ();
    }
  ck_assert_uint_lt (highest, 60);
  ck_assert_uint_eq (mproc_arena_get_committed (), committed);
}
END_TEST

/* fork () as the host calls it, without a word to the library. */
START_TEST (a_child_forked_by_hand_is_a_member_of_its_own)
{
  MprocQueue *to = mproc_queue_new (0, NULL);
  MprocQueue *from = mproc_queue_new (0, NULL);
  MprocMember self = mproc_self ();
  MprocOsChild child;
  GVariant *value;
  gint forked;

  ck_assert (mproc_queue_put (to, g_variant_new_int32 (20), 0, NULL));
  forked = mproc_os_fork (&child, NULL);
  if (forked == 0)
    {
      value = mproc_queue_get (to, MPROC_SECONDS (30), NULL);
      if (value != NULL && mproc_self () != self)
        mproc_queue_put (from, g_variant_new_int32 (g_variant_get_int32 (value) + 1),
                         MPROC_FOREVER, NULL);
      mproc_os_exit (0);
    }
  ck_assert_int_eq (forked, 1);
  value = mproc_queue_get (from, MPROC_SECONDS (30), NULL);
  ck_assert_ptr_nonnull (value);
  ck_assert_int_eq (g_variant_get_int32 (value), 21);
  g_variant_unref (value);
  ck_assert (mproc_os_child_wait (&child, MPROC_OS_NEVER));
  ck_assert_int_eq (child.exit_code, 0);
  mproc_os_child_clear (&child);
  mproc_queue_unref (to);
  mproc_queue_unref (from);
}
END_TEST

/* A slot is @member's no more: its starter has given it up, and another one is to come
 * there. */
static MprocMember
give_to_another (MprocMember member)
{
  MprocMember other;

  mproc_member_bury (member);
  while (MPROC_MEMBER_SLOT (other = mproc_member_reserve (NULL)) !=
         MPROC_MEMBER_SLOT (member))
    mproc_member_bury (other);
  return other;
}

START_TEST (a_child_that_comes_too_late_leaves_its_slot_alone)
{
  MprocMember late = mproc_family_ensure (NULL) ? mproc_member_reserve (NULL) : 0;
  MprocMember other = give_to_another (late);
  MprocOsIdentity who;
  MprocOsChild child;
  gint forked = mproc_os_fork (&child, NULL);

  if (forked == 0)
    mproc_os_exit (mproc_member_enter (late) ? 1 : 0);
  ck_assert_int_eq (forked, 1);
  ck_assert (mproc_os_child_wait (&child, MPROC_OS_NEVER));
  ck_assert_int_eq (child.exit_code, 0);
  mproc_os_child_clear (&child);
  mproc_member_get_identity (other, &who);
  ck_assert_int_eq (who.pid, 0);
  ck_assert (!mproc_member_is_dead (other));
  mproc_member_bury (other);
}
END_TEST

START_TEST (starters_are_asked_for_their_children)
{
  MprocMember child = mproc_family_ensure (NULL) ? mproc_member_reserve (NULL) : 0;

  ck_assert_uint_ne (child, 0);
  mproc_member_enter_thread (child);
  ck_assert (mproc_member_has_children (mproc_process_self ()));
  mproc_member_leave_thread (child, 0);
  ck_assert (!mproc_member_has_children (mproc_process_self ()));
}
END_TEST

/* What a process remembers of an object that is gone says mproc_test_do_nothing of the next one in
 * its entry. */
START_TEST (a_stale_handle_clears_no_bit)
{
  MprocQueue *queue = mproc_queue_new (0, NULL);
  MprocHandle old = ((MprocObject *) queue)->handle;
  MprocHandle fresh;

  do
    {
      mproc_queue_unref (queue);
      queue = mproc_queue_new (0, NULL);
      fresh = ((MprocObject *) queue)->handle;
    }
  while (fresh >> 14 != old >> 14);
  ck_assert (!mproc_entry_drop_bit (old, mproc_process_self ()));
  mproc_entry_check_last (fresh);
  ck_assert (mproc_entry_is_live (fresh));
  mproc_queue_unref (queue);
  ck_assert (!mproc_entry_is_live (fresh));
}
END_TEST

static GVariant *
report_and_stay (GVariant *args, GError **error)
{
  MprocQueue *pids;

  if (!mproc_unpack (args, error, "(&h)", &pids))
    return NULL;
  mproc_queue_put (pids,
                   g_variant_new_int64 (mproc_process_get_pid (mproc_process_current ())),
                   MPROC_FOREVER, error);
  for (;;)
    g_usleep (G_USEC_PER_SEC);
  return NULL;
}

/* A program in the program: a pool at work and a daemon. */
static GVariant *
be_busy (GVariant *args, GError **error)
{
  MprocQueue *pids;
  MprocPoolOptions *options;
  MprocPool *pool;
  MprocProcess *daemon;
  gint32 method;

  if (!mproc_unpack (args, error, "(&hi)", &pids, &method))
    return NULL;
  options = mproc_pool_options_new ();
  mproc_pool_options_set_start_method (options, (MprocStartMethod) method);
  pool = mproc_pool_new_full (2, options, error);
  if (pool == NULL)
    return NULL;
  mproc_pool_push (pool, report_and_stay, mproc_pack ("(h)", pids), error);
  mproc_pool_push (pool, report_and_stay, mproc_pack ("(h)", pids), error);
  daemon = mproc_process_new (report_and_stay, mproc_pack ("(h)", pids));
  mproc_process_set_daemon (daemon, TRUE);
  mproc_process_set_start_method (daemon, (MprocStartMethod) method);
  if (mproc_process_start (daemon, error))
    mproc_process_join (daemon, MPROC_FOREVER);
  return NULL;
}

static gboolean
is_gone (gpointer data)
{
  return mproc_os_is_dead (data);
}

/* Killed, it takes with it whatever was to die with it, however deep. */
START_TEST (a_killed_process_leaves_nobody_behind)
{
  MprocStartMethod method = mproc_test_method (_i);
  MprocQueue *pids = mproc_queue_new (0, NULL);
  MprocOsIdentity who[3];
  MprocProcess *process;

  if (method == MPROC_START_METHOD_THREAD)
    {
      mproc_queue_unref (pids);
      return; /* a thread cannot be killed */
    }
  process = start (be_busy, mproc_pack ("(hi)", pids, (gint32) method), method);
  for (guint i = 0; i < 3; i++)
    {
      GVariant *pid = mproc_queue_get (pids, MPROC_SECONDS (30), NULL);

      ck_assert_ptr_nonnull (pid);
      ck_assert (mproc_member_find (g_variant_get_int64 (pid), &who[i]));
      ck_assert (!mproc_os_is_dead (&who[i]));
      g_variant_unref (pid);
    }
  ck_assert (mproc_process_kill (process, NULL));
  ck_assert (mproc_process_join (process, MPROC_SECONDS (30)));
  for (guint i = 0; i < 3; i++)
    ck_assert (mproc_test_eventually (is_gone, &who[i]));
  mproc_process_unref (process);
  mproc_queue_unref (pids);
}
END_TEST

Suite *
mproc_test_family_suite (void)
{
  Suite *suite = suite_create ("family");
  TCase *tcase = mproc_test_case (suite, "family");
  int n = (int) mproc_test_n_methods ();

  tcase_add_loop_test (tcase, slots_and_memory_are_used_again, 0, n);
  if (mproc_os_can_fork ())
    {
      tcase_add_test (tcase, a_child_forked_by_hand_is_a_member_of_its_own);
      tcase_add_test (tcase, a_child_that_comes_too_late_leaves_its_slot_alone);
    }
  tcase_add_test (tcase, starters_are_asked_for_their_children);
  tcase_add_test (tcase, a_stale_handle_clears_no_bit);
  tcase_add_loop_test (tcase, a_killed_process_leaves_nobody_behind, 0, n);
  return suite;
}
