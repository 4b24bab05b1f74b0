/* SPDX-License-Identifier: MIT */
#include "forkservers.h"

#include "kill.h"
#include "process/forkserver.h"

MprocProcess *
forkserver_make (MprocFunc func, GVariant *args)
{
  MprocProcess *process = mproc_process_new (func, args);

  mproc_process_set_start_method (process, MPROC_START_METHOD_FORKSERVER);
  return process;
}

void
forkserver_start (MprocProcess *process)
{
  GError *error = NULL;

  mproc_test_default_signals ();
  ck_assert_msg (mproc_process_start (process, &error), "%s",
                 error != NULL ? error->message : "no error");
  ck_assert_ptr_null (error);
}

MprocProcess *
forkserver_started (MprocFunc func, GVariant *args)
{
  MprocProcess *process = forkserver_make (func, args);

  forkserver_start (process);
  return process;
}

static gboolean
has_ended (gpointer identity)
{
  return mproc_os_is_dead (identity);
}

void
forkserver_expect_dead (MprocOsIdentity *who)
{
  ck_assert (mproc_test_eventually (has_ended, who));
}

void
forkserver_kill (void)
{
  gint64 pid = mproc_forkserver_get_pid ();
  MprocOsIdentity who;

  ck_assert_int_ne (pid, 0);
  ck_assert (mproc_member_find (pid, &who));
  mproc_test_kill_pid (pid);
  forkserver_expect_dead (&who);
}
