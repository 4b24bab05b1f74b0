/* SPDX-License-Identifier: MIT */
/* The end in good order: what registered itself for it (pools), then daemons, then the
 * other children.  A child comes here on its way out, the program by way of atexit. */
#include "process/forkserver.h"

#include "arena/word.h"

#include <stdlib.h>

typedef struct Hook Hook;

struct Hook
{
  Hook *next;
  void (*func) (void);
};

/* Under the local lock. */
static Hook *hooks;
static gint64 exit_pid; /* whose end it is: a process that the host forked has none */
static gboolean is_registered;

static void
at_exit (void)
{
  if (exit_pid == mproc_os_pid ())
    mproc_exit_tidy (MPROC_OS_NEVER);
}

/* Under the local lock.  The handler itself is inherited by a fork. */
static void
prepare (void)
{
  if (exit_pid != mproc_os_pid ())
    {
      exit_pid = mproc_os_pid ();
      hooks = NULL;
    }
  if (!is_registered)
    is_registered = atexit (at_exit) == 0;
}

void
mproc_exit_prepare (void)
{
  mproc_local_lock ();
  prepare ();
  mproc_local_unlock ();
}

void
mproc_exit_forget (void)
{
  mproc_local_lock ();
  exit_pid = mproc_os_pid ();
  hooks = NULL;
  mproc_local_unlock ();
}

void
mproc_at_exit (void (*func) (void))
{
  Hook *hook;

  mproc_local_lock ();
  prepare ();
  hook = hooks;
  while (hook != NULL && hook->func != func)
    hook = hook->next;
  if (hook == NULL)
    {
      hook = g_new (Hook, 1);
      hook->next = hooks;
      hook->func = func;
      hooks = hook;
    }
  mproc_local_unlock ();
}

/* The last one first.  They stay: a process may go on after mproc_shutdown. */
static void
run_hooks (void)
{
  Hook *hook;

  mproc_local_lock ();
  hook = hooks;
  mproc_local_unlock ();
  for (; hook != NULL; hook = hook->next)
    hook->func ();
}

gboolean
mproc_exit_tidy (gint64 deadline)
{
  run_hooks ();
  if (!mproc_children_end (0, deadline))
    return FALSE;
  mproc_forkserver_end ();
  return TRUE;
}

gboolean
mproc_shutdown (gint64 timeout_us)
{
  g_return_val_if_fail (timeout_us >= MPROC_FOREVER, FALSE);

  return mproc_exit_tidy (mproc_deadline (timeout_us));
}
