/* SPDX-License-Identifier: MIT */
/* The start method spawn: the program is started afresh, with a mark in its environment
 * that leads mproc_init to the start record.  The starter waits until the child has
 * reported, or ended, or the time is up: so that every failure is known where the start
 * was asked for, and no child that does not know its part goes on running. */
#include "process/processdata.h"

#include "arena/word.h"
#include "os.h"
#include "process/guard.h"
#include "process/preparation.h"

static char *executable; /* under the local lock; NULL: this program */

/* ------------------------------------------------------------------ the program */

gboolean
mproc_set_executable (const char *path, GError **error)
{
  char *folder, *absolute, *old;

  g_return_val_if_fail (path != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (!g_file_test (path, G_FILE_TEST_IS_REGULAR) ||
      !g_file_test (path, G_FILE_TEST_IS_EXECUTABLE))
    {
      g_set_error (error, MPROC_ERROR, MPROC_ERROR_NOT_FOUND,
                   "%s: there is no such program", path);
      return FALSE;
    }
  folder = g_get_current_dir ();
  absolute =
      g_path_is_absolute (path) ? g_strdup (path) : g_build_filename (folder, path, NULL);
  g_free (folder);
  mproc_local_lock ();
  old = executable;
  executable = absolute;
  mproc_local_unlock ();
  g_free (old);
  return TRUE;
}

static char *
get_executable (void)
{
  char *path;

  mproc_local_lock ();
  path = g_strdup (executable);
  mproc_local_unlock ();
  return path;
}

gboolean
mproc_spawn_is_possible (void)
{
  gboolean is_set;

  mproc_local_lock ();
  is_set = executable != NULL;
  mproc_local_unlock ();
  return is_set || mproc_guard_is_passed ();
}

/* ------------------------------------------------------------------ the starter */

/* Everything that one start needs until the child has reported. */
typedef struct
{
  MprocPreparation given;
  GArray *handles; /* of gintptr, which the child inherits */
  char *executable;
  char *mark;
  MprocOsChild child;
} Start;

static gboolean
prepare_mark (Start *start, GError **error)
{
  MprocMark mark = { mproc_arena_get_handle (), mproc_arena_get_size (),
                     mproc_arena_get_nonce (),  start->given.source.member,
                     start->given.record,       mproc_os_pid () };

  start->executable = get_executable ();
  start->mark = mproc_mark_format (&mark, start->executable != NULL, error);
  return start->mark != NULL;
}

static void
list_handles (Start *start)
{
  gintptr arena = mproc_arena_get_handle ();
  const GArray *connections = start->given.connections;

  g_array_append_val (start->handles, arena);
  mproc_parking_list_handles (start->handles);
  for (guint i = 0; i < connections->len; i++)
    {
      gintptr channel =
          (gintptr) g_array_index (connections, MprocRecordConnection, i).channel;

      g_array_append_val (start->handles, channel);
    }
}

static gboolean
prepare (Start *start, MprocProcess *process, GError **error)
{
  guint32 kind = mproc_start_is_bound (process) ? mproc_os_lifeline_kind () : 0;

  start->handles = g_array_new (FALSE, FALSE, sizeof (gintptr));
  if (!mproc_preparation_make (&start->given, process, kind, error))
    return FALSE;
  list_handles (start);
  return prepare_mark (start, error);
}

static gboolean
refuse_child (const Start *start, const char *what, GError **error)
{
  g_set_error (
      error, MPROC_ERROR, MPROC_ERROR_BOOTSTRAP,
      "the spawned process %s %s: does %s call mproc_init()? If not, " MPROC_GUARD_ADVICE,
      start->given.source.process->name, what,
      start->executable != NULL ? start->executable : "this program");
  return FALSE;
}

static gboolean
refuse_ended (const Start *start, GError **error)
{
  char *what = mproc_preparation_describe_end (start->child.exit_code);

  refuse_child (start, what, error);
  g_free (what);
  return FALSE;
}

static gboolean
wait_for_report (Start *start, GError **error)
{
  gint64 deadline = g_get_monotonic_time () + mproc_start_timeout ();

  for (;;)
    {
      /* First whether it has ended: what it has said is then complete. */
      gboolean ended = mproc_os_child_wait (&start->child, 0);
      MprocRecordStatus status = mproc_record_get_status (start->given.record);

      if (status == MPROC_RECORD_RUNNING)
        return TRUE;
      if (status == MPROC_RECORD_FAILED)
        {
          mproc_record_get_error (start->given.record, error);
          return FALSE;
        }
      if (ended)
        return refuse_ended (start, error);
      if (g_get_monotonic_time () >= deadline)
        return refuse_child (start, "has not reported in for MPROC_START_TIMEOUT seconds",
                             error);
      mproc_record_wait (start->given.record, deadline);
    }
}

static gboolean
run (Start *start, GError **error)
{
  MprocOsSpawn how = { 0 };

  how.executable = start->executable;
  how.mark_name = MPROC_MARK_NAME;
  how.mark = start->mark;
  how.handles = (const gintptr *) (gpointer) start->handles->data;
  how.n_handles = start->handles->len;
  how.die_with_parent = mproc_start_is_bound (start->given.source.process);
  how.refuses_interrupt = mproc_start_refuses_interrupt (start->given.source.process);
  mproc_os_flush_output ();
  MPROC_CRASH_POINT (START_RECORDED);
  if (!mproc_os_spawn (&how, &start->child, error))
    return FALSE;
  MPROC_CRASH_POINT (START_SPAWNED);
  if (wait_for_report (start, error))
    return TRUE;
  mproc_os_child_signal (&start->child, MPROC_OS_KILL, NULL);
  mproc_os_child_wait (&start->child, MPROC_OS_NEVER);
  mproc_os_child_clear (&start->child);
  return FALSE;
}

static void
clear (Start *start)
{
  mproc_preparation_clear (&start->given);
  g_array_unref (start->handles);
  g_free (start->executable);
  g_free (start->mark);
}

gboolean
mproc_spawn_check (GError **error)
{
  if (mproc_spawn_is_possible ())
    return TRUE;
  g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_BOOTSTRAP,
                       "this program has not called mproc_init(), without which its "
                       "spawned children would not know what to do: " MPROC_GUARD_ADVICE);
  return FALSE;
}

gboolean
mproc_start_by_spawn (MprocProcess *self, GError **error)
{
  Start start = { 0 };
  gboolean ok;

  if (!mproc_spawn_check (error))
    return FALSE;
  ok = prepare (&start, self, error) && run (&start, error);
  if (ok)
    mproc_start_done (self, start.given.source.member, &start.child);
  else if (start.given.source.member != 0)
    mproc_member_bury (start.given.source.member);
  clear (&start);
  return ok;
}
