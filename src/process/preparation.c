/* SPDX-License-Identifier: MIT */
#include "process/preparation.h"

#include "family/function.h"
#include "os.h"
#include "pipe/connection.h"

#define DEFAULT_START_TIMEOUT 30

/* ------------------------------------------------------------------ the starter */

static gboolean
is_listed (const GArray *connections, MprocHandle handle)
{
  for (guint i = 0; i < connections->len; i++)
    if (g_array_index (connections, MprocRecordConnection, i).handle == handle)
      return TRUE;
  return FALSE;
}

static gboolean
list_connections (MprocPreparation *self, GError **error)
{
  const GArray *handles = self->message.handles;

  for (guint i = 0; handles != NULL && i < handles->len; i++)
    {
      MprocRecordConnection connection = { g_array_index (handles, MprocHandle, i), 0,
                                           0 };
      gintptr channel;

      if (mproc_handle_get_kind (connection.handle) != MPROC_KIND_CONNECTION ||
          is_listed (self->connections, connection.handle))
        continue;
      if (!mproc_connection_get_channel (connection.handle, &channel, &connection.flags,
                                         error))
        return FALSE;
      connection.channel = channel;
      g_array_append_val (self->connections, connection);
    }
  return TRUE;
}

static gboolean
make_record (MprocPreparation *self, GError **error)
{
  MprocProcess *process = self->source.process;
  GVariant *args = process->args != NULL ? g_variant_ref (process->args) : NULL;
  gboolean ok;

  if (process->func != NULL)
    {
      self->source.function = mproc_function_get_ticket (process->func, error);
      if (self->source.function == 0)
        {
          g_clear_pointer (&args, g_variant_unref);
          return FALSE;
        }
    }
  ok = mproc_message_init (&self->message, args, error);
  /* It has taken a reference of its own: ours was not floating. */
  g_clear_pointer (&args, g_variant_unref);
  if (!ok)
    return FALSE;
  if (list_connections (self, error))
    {
      self->source.message = &self->message;
      self->record = mproc_record_new (&self->source, self->connections, error);
    }
  mproc_message_clear (&self->message, self->record != 0);
  return self->record != 0;
}

gboolean
mproc_preparation_make (MprocPreparation *self,
                        MprocProcess *process,
                        guint32 lifeline_kind,
                        GError **error)
{
  self->source.process = process;
  self->source.parent = mproc_process_current ();
  self->source.lifeline_kind = lifeline_kind;
  self->connections = g_array_new (FALSE, TRUE, sizeof (MprocRecordConnection));
  self->source.member = mproc_member_reserve (error);
  if (self->source.member == 0)
    return FALSE;
  mproc_member_get_identity (mproc_self (), &self->source.parent_identity);
  return make_record (self, error);
}

void
mproc_preparation_clear (MprocPreparation *self)
{
  if (self->record != 0)
    mproc_record_free (self->record);
  self->record = 0;
  g_clear_pointer (&self->connections, g_array_unref);
}

gint64
mproc_start_timeout (void)
{
  const char *text = g_getenv ("MPROC_START_TIMEOUT");
  gdouble seconds =
      text != NULL && !mproc_os_is_elevated () ? g_ascii_strtod (text, NULL) : 0;

  if (!(seconds > 0))
    seconds = DEFAULT_START_TIMEOUT;
  return (gint64) (MIN (seconds, 1e6) * G_USEC_PER_SEC);
}

char *
mproc_preparation_describe_end (gint code)
{
  if (code == MPROC_OS_EXIT_UNKNOWN)
    return g_strdup ("ended without reporting in");
  if (code < 0 && mproc_os_signal_name (-code) != NULL)
    return g_strdup_printf ("was ended by %s without reporting in",
                            mproc_os_signal_name (-code));
  return g_strdup_printf ("ended with exit code %d without reporting in", code);
}

/* ------------------------------------------------------------------ the child */

/* The references are kept: the target may want its connections as long as it runs. */
static gboolean
adopt_connections (MprocOffset record, const gintptr *channels, GError **error)
{
  guint n;
  const MprocRecordConnection *list = mproc_record_get_connections (record, &n);

  for (guint i = 0; i < n; i++)
    {
      gintptr channel = channels != NULL ? channels[i] : (gintptr) list[i].channel;
      MprocObject *connection =
          mproc_connection_adopt (list[i].handle, channel, list[i].flags);

      mproc_os_channel_adopt (channel);
      if (!mproc_object_register (connection, list[i].handle, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
load_target (MprocProcess *self,
             MprocOffset record,
             const gintptr *channels,
             GError **error)
{
  MprocHandle function = mproc_record_get_function (record);

  if (!adopt_connections (record, channels, error))
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
mproc_preparation_run (MprocOffset record, MprocMember member, const gintptr *channels)
{
  MprocProcess *self, *parent;
  GError *error = NULL;

  /* Too late: the starter has given up. */
  if (!mproc_member_enter (member))
    mproc_os_exit (1);
  mproc_record_load (record, &self, &parent);
  if (mproc_start_refuses_interrupt (self))
    mproc_os_refuse_interrupt ();
  if (mproc_start_is_bound (self))
    mproc_os_die_with (&parent->identity, mproc_record_get_lifeline_kind (record));
  self->member = member;
  mproc_process_become (self, parent, mproc_os_pid ());
  if (!load_target (self, record, channels, &error))
    {
      mproc_record_report_error (record, error);
      mproc_member_leave (1);
      mproc_os_exit (1);
    }
  MPROC_CRASH_POINT (BIRTH_LOADED);
  mproc_record_report_running (record);
  mproc_exit_child (mproc_target_run (self));
}
