/* SPDX-License-Identifier: MIT */
/* The target in its process, and the end of that process. */
#include "family/function.h"
#include "process/processdata.h"

#include <stdio.h>
#include <stdlib.h>

gint
mproc_exit_status (gint code)
{
  return mproc_os_can_fork () ? code & 0xff : code;
}

/* In one piece, so that two children's lines do not mix; and as it is: g_printerr would
 * replace what the locale's charset does not have. */
static void
print_failure (MprocProcess *self, const GError *failure)
{
  char *line = g_strdup_printf ("Process %s: %s\n", self->name, failure->message);

  fputs (line, stderr);
  g_free (line);
}

gboolean
mproc_process_run (MprocProcess *self, GError **error)
{
  GVariant *args;
  gboolean ok;

  g_return_val_if_fail (mproc_object_is (self, MPROC_KIND_PROCESS), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  args = g_variant_ref (mproc_process_peek_args (self));
  ok = mproc_function_call (self->func, args, error);
  g_variant_unref (args);
  return ok;
}

gint
mproc_target_run (MprocProcess *self)
{
  GError *failure = NULL;

  /* The argument is nobody else's here: to count it would cost the child its pages. */
  if (mproc_function_call (self->func, mproc_process_peek_args (self), &failure))
    return 0;
  if (!self->quiet)
    print_failure (self, failure);
  g_error_free (failure);
  return 1;
}

void
mproc_exit_child (gint code)
{
  mproc_exit_tidy (MPROC_OS_NEVER);
  /* Only these two: fflush (NULL) waits for a thread that sits in getc. */
  mproc_os_flush_output ();
  mproc_member_leave (mproc_exit_status (code));
  mproc_os_exit (code);
}

/* Whether this very process was started by mproc, and not forked by the host in such a
 * one. */
static gboolean
is_child (MprocProcess *self)
{
  return self->role == MPROC_PROCESS_CHILD && self->pid == mproc_os_pid ();
}

void
mproc_process_exit (gint code)
{
  mproc_thread_exit (code);
  if (is_child (mproc_process_get_process ()))
    mproc_exit_child (code);
  exit (code);
}
