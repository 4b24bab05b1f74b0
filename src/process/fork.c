/* SPDX-License-Identifier: MIT */
/* The start method fork: the child goes on from the memory of its starter, and needs no
 * word with it. */
#include "process/forkserver.h"

#include "os.h"

typedef struct
{
  MprocMember member;
  MprocProcess *parent;
  MprocOsIdentity parent_identity;
  guint32 lifeline_kind;
} Birth;

/* A child's first touch of a page costs it a microsecond or two, much of what a fork
 * costs at all: what can be found out before the fork is not left to the child. */

static void
see_as_parent (MprocProcess *parent, const MprocOsIdentity *identity)
{
  parent->role = MPROC_PROCESS_PARENT;
  parent->identity = *identity;
  parent->pid = identity->pid;
}

MPROC_NORETURN static void
run_child (MprocProcess *self, const Birth *birth)
{
  MPROC_CRASH_POINT (BIRTH_FORKED);
  mproc_os_close_stdin ();
  if (!mproc_member_enter (birth->member))
    mproc_os_exit (1);
  if (mproc_start_is_bound (self))
    mproc_os_die_with (&birth->parent_identity, birth->lifeline_kind);
  mproc_children_forget ();
  mproc_exit_forget ();
  mproc_forkserver_forget ();
  see_as_parent (birth->parent, &birth->parent_identity);
  mproc_process_become (self, birth->parent, mproc_os_pid ());
  mproc_exit_child (mproc_target_run (self));
}

gboolean
mproc_start_by_fork (MprocProcess *self, GError **error)
{
  MprocOsChild child;
  Birth birth = { 0 };
  gint result;

  birth.member = mproc_member_reserve (error);
  if (birth.member == 0)
    return FALSE;
  birth.parent = mproc_process_current ();
  mproc_member_get_identity (mproc_self (), &birth.parent_identity);
  if (mproc_start_is_bound (self))
    birth.lifeline_kind = mproc_os_lifeline_kind ();
  mproc_os_flush_output ();
  mproc_local_lend_at_fork (birth.member);
  result = mproc_os_fork (&child, error);
  if (result == 0)
    run_child (self, &birth);
  if (result < 0)
    {
      mproc_member_bury (birth.member);
      return FALSE;
    }
  mproc_start_done (self, birth.member, &child);
  return TRUE;
}
