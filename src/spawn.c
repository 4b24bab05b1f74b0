/* SPDX-License-Identifier: MIT */
/* The start method spawn: the program is started afresh, with a mark in its environment
 * that leads mproc_init to the start record.  The starter waits until the child has
 * reported, or ended, or the time is up: so that every failure is known where the start
 * was asked for, and no child that does not know its part goes on running. */
#include "processdata.h"

#include "connection.h"
#include "function.h"
#include "guard.h"
#include "os.h"
#include "record.h"
#include "word.h"

#define DEFAULT_START_TIMEOUT 30

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
  MprocRecordSource source;
  MprocMessage message;
  GArray *connections; /* of MprocRecordConnection */
  GArray *handles;     /* of gintptr, which the child inherits */
  MprocOffset record;
  char *executable;
  char *mark;
  MprocOsChild child;
} Start;

static gboolean
is_listed (const GArray *connections, MprocHandle handle)
{
  for (guint i = 0; i < connections->len; i++)
    if (g_array_index (connections, MprocRecordConnection, i).handle == handle)
      return TRUE;
  return FALSE;
}

static gboolean
list_connections (Start *start, GError **error)
{
  const GArray *handles = start->message.handles;

  for (guint i = 0; handles != NULL && i < handles->len; i++)
    {
      MprocRecordConnection connection = { g_array_index (handles, MprocHandle, i), 0,
                                           0 };
      gintptr channel;

      if (mproc_handle_get_kind (connection.handle) != MPROC_KIND_CONNECTION ||
          is_listed (start->connections, connection.handle))
        continue;
      if (!mproc_connection_get_channel (connection.handle, &channel, &connection.flags,
                                         error))
        return FALSE;
      connection.channel = channel;
      g_array_append_val (start->connections, connection);
      g_array_append_val (start->handles, channel);
    }
  return TRUE;
}

static gboolean
prepare_record (Start *start, GError **error)
{
  MprocProcess *self = start->source.process;
  GVariant *args = self->args != NULL ? g_variant_ref (self->args) : NULL;
  gboolean ok;

  if (self->func != NULL)
    {
      start->source.function = mproc_function_get_ticket (self->func, error);
      if (start->source.function == 0)
        {
          g_clear_pointer (&args, g_variant_unref);
          return FALSE;
        }
    }
  ok = mproc_message_init (&start->message, args, error);
  /* It has taken a reference of its own: ours was not floating. */
  g_clear_pointer (&args, g_variant_unref);
  if (!ok)
    return FALSE;
  if (list_connections (start, error))
    {
      start->source.message = &start->message;
      start->record = mproc_record_new (&start->source, start->connections, error);
    }
  mproc_message_clear (&start->message, start->record != 0);
  return start->record != 0;
}

static gboolean
prepare_mark (Start *start, GError **error)
{
  MprocMark mark = { mproc_arena_get_handle (), mproc_arena_get_size (),
                     mproc_arena_get_nonce (), start->source.member, start->record };

  start->executable = get_executable ();
  start->mark = mproc_mark_format (&mark, start->executable != NULL, error);
  return start->mark != NULL;
}

static gboolean
prepare (Start *start, GError **error)
{
  MprocProcess *self = start->source.process;
  gintptr arena = mproc_arena_get_handle ();

  start->connections = g_array_new (FALSE, TRUE, sizeof (MprocRecordConnection));
  start->handles = g_array_new (FALSE, FALSE, sizeof (gintptr));
  g_array_append_val (start->handles, arena);
  mproc_parking_list_handles (start->handles);

  start->source.member = mproc_member_reserve (error);
  if (start->source.member == 0)
    return FALSE;
  mproc_member_get_identity (mproc_self (), &start->source.parent_identity);
  if (mproc_start_is_bound (self))
    start->source.lifeline_kind = mproc_os_lifeline_kind ();
  return prepare_record (start, error) && prepare_mark (start, error);
}

static gint64
start_timeout (void)
{
  const char *text = g_getenv ("MPROC_START_TIMEOUT");
  gdouble seconds =
      text != NULL && !mproc_os_is_elevated () ? g_ascii_strtod (text, NULL) : 0;

  if (!(seconds > 0))
    seconds = DEFAULT_START_TIMEOUT;
  return (gint64) (MIN (seconds, 1e6) * G_USEC_PER_SEC);
}

static gboolean
refuse_child (const Start *start, const char *what, GError **error)
{
  g_set_error (
      error, MPROC_ERROR, MPROC_ERROR_BOOTSTRAP,
      "the spawned process %s %s: does %s call mproc_init()? If not, " MPROC_GUARD_ADVICE,
      start->source.process->name, what,
      start->executable != NULL ? start->executable : "this program");
  return FALSE;
}

static gboolean
refuse_ended (const Start *start, GError **error)
{
  gint code = start->child.exit_code;
  char *what;

  if (code == MPROC_OS_EXIT_UNKNOWN)
    what = g_strdup ("ended without reporting in");
  else if (code < 0 && mproc_os_signal_name (-code) != NULL)
    what = g_strdup_printf ("was ended by %s without reporting in",
                            mproc_os_signal_name (-code));
  else
    what = g_strdup_printf ("ended with exit code %d without reporting in", code);
  refuse_child (start, what, error);
  g_free (what);
  return FALSE;
}

static gboolean
wait_for_report (Start *start, GError **error)
{
  gint64 deadline = g_get_monotonic_time () + start_timeout ();

  for (;;)
    {
      /* First whether it has ended: what it has said is then complete. */
      gboolean ended = mproc_os_child_wait (&start->child, 0);
      MprocRecordStatus status = mproc_record_get_status (start->record);

      if (status == MPROC_RECORD_RUNNING)
        return TRUE;
      if (status == MPROC_RECORD_FAILED)
        {
          mproc_record_get_error (start->record, error);
          return FALSE;
        }
      if (ended)
        return refuse_ended (start, error);
      if (g_get_monotonic_time () >= deadline)
        return refuse_child (start, "has not reported in for MPROC_START_TIMEOUT seconds",
                             error);
      mproc_record_wait (start->record, deadline);
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
  how.die_with_parent = mproc_start_is_bound (start->source.process);
  how.refuses_interrupt = start->source.process->internal;
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
  if (start->record != 0)
    mproc_record_free (start->record);
  g_array_unref (start->connections);
  g_array_unref (start->handles);
  g_free (start->executable);
  g_free (start->mark);
}

gboolean
mproc_start_by_spawn (MprocProcess *self, GError **error)
{
  Start start = { 0 };
  gboolean ok;

  if (!mproc_spawn_is_possible ())
    {
      g_set_error_literal (
          error, MPROC_ERROR, MPROC_ERROR_BOOTSTRAP,
          "this program has not called mproc_init(), without which its spawned "
          "children would not know what to do: " MPROC_GUARD_ADVICE);
      return FALSE;
    }
  start.source.process = self;
  start.source.parent = mproc_process_current ();
  ok = prepare (&start, error) && run (&start, error);
  if (ok)
    mproc_start_done (self, start.source.member, &start.child);
  else if (start.source.member != 0)
    mproc_member_bury (start.source.member);
  clear (&start);
  return ok;
}

/* ------------------------------------------------------------------ the child */

/* The references are kept: the target may want its connections as long as it runs. */
static gboolean
adopt_connections (MprocOffset record, GError **error)
{
  guint n;
  const MprocRecordConnection *list = mproc_record_get_connections (record, &n);

  for (guint i = 0; i < n; i++)
    {
      MprocObject *connection =
          mproc_connection_adopt (list[i].handle, (gintptr) list[i].channel,
                                  list[i].flags);

      mproc_os_channel_adopt ((gintptr) list[i].channel);
      if (!mproc_object_register (connection, list[i].handle, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
load_target (MprocProcess *self, MprocOffset record, GError **error)
{
  MprocHandle function = mproc_record_get_function (record);

  if (!adopt_connections (record, error))
    return FALSE;
  if (function != 0)
    {
      self->func = mproc_function_resolve (function, error);
      if (self->func == NULL)
        return FALSE;
    }
  self->args = mproc_record_get_args (record, error);
  return self->args != NULL;
}

void
mproc_spawn_run_child (MprocOffset record, MprocMember member)
{
  MprocProcess *self, *parent;
  GError *error = NULL;

  /* Too late: the starter has given up. */
  if (!mproc_member_enter (member))
    mproc_os_exit (1);
  mproc_record_load (record, &self, &parent);
  if (self->internal)
    mproc_os_refuse_interrupt ();
  if (mproc_start_is_bound (self))
    mproc_os_die_with (&parent->identity, mproc_record_get_lifeline_kind (record));
  self->member = member;
  mproc_process_become (self, parent, mproc_os_pid ());
  if (!load_target (self, record, &error))
    {
      mproc_record_report_error (record, error);
      mproc_member_leave (1);
      mproc_os_exit (1);
    }
  MPROC_CRASH_POINT (BIRTH_LOADED);
  mproc_record_report_running (record);
  mproc_exit_child (mproc_target_run (self));
}
