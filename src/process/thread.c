/* SPDX-License-Identifier: MIT */
/* The start method thread: a member of the family without a process of its own.  It
 * shares the starter's objects, but for its connections: closing one must not close the
 * starter's. */
#include "process/processdata.h"

#include "os.h"
#include "pipe/connection.h"
#include "values/message.h"

typedef struct
{
  MprocProcess *self;
  GHashTable *connections; /* handle -> the thread's own; NULL if none */
} Run;

static GPrivate current_run;

/* ------------------------------------------------------------------ in the thread */

/* Everything that is the thread's, in the order in which others may look: once it is
 * said to have ended, it has let go of what its target was given. */
static void
end_run (Run *run, gint code)
{
  MprocProcess *self = run->self;
  MprocMember member = self->member;

  mproc_children_end (member, MPROC_OS_NEVER);
  self->func = NULL;
  g_clear_pointer (&self->args, g_variant_unref);
  mproc_object_set_thread_table (NULL);
  g_clear_pointer (&run->connections, g_hash_table_unref);
  g_private_set (&current_run, NULL);
  mproc_process_become_thread (NULL);
  g_free (run);

  mproc_child_thread_ended (self, code);
  mproc_member_leave_thread (member, code);
  mproc_process_unref (self);
}

static gpointer
run_thread (gpointer data)
{
  Run *run = data;

  mproc_member_enter_thread (run->self->member);
  mproc_process_become_thread (run->self);
  mproc_object_set_thread_table (run->connections);
  g_private_set (&current_run, run);
  end_run (run, mproc_target_run (run->self));
  return NULL;
}

void
mproc_thread_exit (gint code)
{
  Run *run = g_private_get (&current_run);

  if (run == NULL)
    return;
  end_run (run, mproc_exit_status (code));
  g_thread_exit (NULL);
}

/* ------------------------------------------------------------------ in the starter */

static gboolean
duplicate_connection (GHashTable *table, MprocHandle handle, GError **error)
{
  gintptr channel;
  guint32 flags;

  if (g_hash_table_contains (table, GINT_TO_POINTER (handle)))
    return TRUE;
  if (!mproc_connection_get_channel (handle, &channel, &flags, error))
    return FALSE;
  channel = mproc_os_channel_dup (channel, error);
  if (channel == MPROC_OS_NONE)
    return FALSE;
  g_hash_table_insert (table, GINT_TO_POINTER (handle),
                       mproc_connection_adopt (handle, channel, flags));
  return TRUE;
}

/* All or none; *table stays NULL where there is no connection in @args. */
static gboolean
duplicate_connections (GVariant *args, GHashTable **table, GError **error)
{
  GArray *handles = g_array_new (FALSE, FALSE, sizeof (MprocHandle));
  gboolean ok = TRUE;

  if (args != NULL)
    mproc_value_collect_handles (args, handles);
  for (guint i = 0; ok && i < handles->len; i++)
    {
      MprocHandle handle = g_array_index (handles, MprocHandle, i);

      if (mproc_handle_get_kind (handle) != MPROC_KIND_CONNECTION)
        continue;
      if (*table == NULL)
        *table =
            g_hash_table_new_full (NULL, NULL, NULL, (GDestroyNotify) mproc_object_unref);
      ok = duplicate_connection (*table, handle, error);
    }
  g_array_unref (handles);
  if (!ok)
    g_clear_pointer (table, g_hash_table_unref);
  return ok;
}

static GThread *
start_thread (Run *run, GError **error)
{
  GError *reason = NULL;
  GThread *thread = g_thread_try_new ("mproc", run_thread, run, &reason);

  if (thread == NULL)
    {
      g_set_error (error, MPROC_ERROR, MPROC_ERROR_SYSTEM, "start of a thread: %s",
                   reason->message);
      g_error_free (reason);
    }
  return thread;
}

static void
give_up (Run *run)
{
  mproc_member_bury (run->self->member);
  if (run->connections != NULL)
    g_hash_table_unref (run->connections);
  mproc_process_unref (run->self);
  g_free (run);
}

gboolean
mproc_start_by_thread (MprocProcess *self, GError **error)
{
  GHashTable *connections = NULL;
  MprocMember member;
  GThread *thread;
  Run *run;

  if (!duplicate_connections (self->args, &connections, error))
    return FALSE;
  member = mproc_member_reserve (error);
  if (member == 0)
    {
      if (connections != NULL)
        g_hash_table_unref (connections);
      return FALSE;
    }
  run = g_new0 (Run, 1);
  run->self = mproc_process_ref (self);
  run->connections = connections;
  if (self->parent == NULL)
    self->parent = mproc_process_ref (mproc_process_current ());
  /* Before it runs: it may have ended by the time that we hear of it again. */
  mproc_start_done (self, member, NULL);
  thread = start_thread (run, error);
  if (thread == NULL)
    {
      give_up (run);
      return FALSE;
    }
  mproc_local_lock ();
  self->thread = thread;
  mproc_local_unlock ();
  return TRUE;
}
