/* SPDX-License-Identifier: MIT */
#include "process/processdata.h"

#include "os.h"
#include "process/guard.h"
#include "process/preparation.h"

void
mproc_init (int *argc, char ***argv)
{
  MprocMark mark;

  (void) argc;
  (void) argv;
  mproc_os_pin_library ((gconstpointer) (guintptr) mproc_init);
  if (mproc_guard_pass (&mark))
    mproc_preparation_run (mark.record, mark.member, NULL);
}

guint
mproc_cpu_count (void)
{
  return mproc_os_cpu_count ();
}

gboolean
mproc_set_memory_limit (guint64 bytes, GError **error)
{
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (!mproc_family_ensure (error))
    return FALSE;
  mproc_arena_set_budget (bytes);
  return TRUE;
}
