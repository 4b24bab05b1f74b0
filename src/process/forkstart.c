/* SPDX-License-Identifier: MIT */
/* The owner's side: its server, and a start by it.  A server that was killed is replaced at
 * the next start; a start that was lost with it is tried again, with a slot and a record of
 * its own: a child that comes too late finds its slot taken away, and goes. */
#include "process/forkserver.h"

#include "os.h"
#include "pipe/connection.h"
#include "process/preparation.h"

#include <mproc/value.h>

/* How often a start is tried whose server is killed meanwhile. */
#define N_ATTEMPTS 3

/* How long a server may take to end. */
#define PATIENCE (2 * G_USEC_PER_SEC)

typedef struct
{
  gint ref_count;
  MprocProcess *process;
  gintptr line;
  gboolean is_single;
} Server;

/* Under the mutex, which belongs to process owner_pid; a fork finds it in any state. */
static Server *server;
static GMutex mutex;
static gint64 owner_pid; /* under the local lock */

/* ------------------------------------------------------------------ the server */

void
mproc_forkserver_forget (void)
{
  if (server == NULL || owner_pid == mproc_os_pid ())
    return;
  mproc_os_channel_close (server->line);
  server = NULL;
}

static void
enter (void)
{
  mproc_local_lock ();
  if (owner_pid != mproc_os_pid ())
    {
      mproc_forkserver_forget ();
      g_mutex_init (&mutex);
      owner_pid = mproc_os_pid ();
    }
  mproc_local_unlock ();
  g_mutex_lock (&mutex);
}

static void
leave (void)
{
  g_mutex_unlock (&mutex);
}

static void
drop (Server *self)
{
  if (self == NULL || !g_atomic_int_dec_and_test (&self->ref_count))
    return;
  if (self->line != MPROC_OS_NONE)
    mproc_os_channel_close (self->line);
  mproc_process_unref (self->process);
  g_free (self);
}

static gintptr
duplicate_line (MprocConnection *connection, GError **error)
{
  MprocStream *stream = mproc_connection_get_stream (connection);
  gintptr line = mproc_os_channel_dup (mproc_stream_hold (stream), error);

  mproc_stream_release (stream);
  return line;
}

static gboolean
read_greeting (Server *self, GError **error)
{
  gint64 deadline = g_get_monotonic_time () + mproc_start_timeout ();
  guint32 n_threads;
  gssize n =
      mproc_os_channel_read (self->line, &n_threads, sizeof n_threads, deadline, error);

  if (n == 0)
    g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_BOOTSTRAP,
                         "the forkserver ended before it was ready");
  self->is_single = n > 0 && n_threads == 0;
  return n > 0;
}

static gboolean
start_server (Server *self, MprocConnection *its, GError **error)
{
  self->process =
      mproc_process_new (mproc_forkserver_main,
                         mproc_pack ("(hu)", its, (guint32) mproc_os_lifeline_kind ()));
  mproc_process_set_internal (self->process, FALSE);
  self->process->watches_parent = TRUE;
  mproc_process_set_name (self->process, "ForkServer");
  mproc_process_set_start_method (self->process, MPROC_START_METHOD_SPAWN);
  if (!mproc_process_start (self->process, error))
    return FALSE;
  /* Ours is the only other end: the server sees our end by it. */
  mproc_connection_close (its);
  if (read_greeting (self, error))
    return TRUE;
  mproc_process_kill (self->process, NULL);
  mproc_process_join (self->process, MPROC_FOREVER);
  return FALSE;
}

static Server *
launch (GError **error)
{
  MprocConnection *ours, *its;
  Server *self;
  gboolean ok;

  if (!mproc_pipe (TRUE, &ours, &its, error))
    return NULL;
  self = g_new0 (Server, 1);
  self->ref_count = 1;
  self->line = duplicate_line (ours, error);
  ok = self->line != MPROC_OS_NONE && start_server (self, its, error);
  mproc_connection_unref (ours);
  mproc_connection_unref (its);
  if (ok)
    return self;
  drop (self);
  return NULL;
}

/* Under the mutex. */
static void
drop_dead (void)
{
  if (server == NULL || !mproc_process_join (server->process, 0))
    return;
  drop (server);
  server = NULL;
}

void
mproc_forkserver_look (void)
{
  if (owner_pid != mproc_os_pid () || !g_mutex_trylock (&mutex))
    return;
  drop_dead ();
  leave ();
}

/* A reference; NULL with error. */
static Server *
get_server (GError **error)
{
  Server *result;

  enter ();
  drop_dead ();
  if (server == NULL)
    server = launch (error);
  result = server;
  if (result != NULL)
    g_atomic_int_inc (&result->ref_count);
  leave ();
  return result;
}

gboolean
mproc_forkserver_is_single (void)
{
  Server *self = get_server (NULL);
  gboolean is_single = self != NULL && self->is_single;

  drop (self);
  return is_single;
}

void
mproc_forkserver_end (void)
{
  const MprocForkRequest order = { MPROC_FORK_END, 0, 0, 0, 0, 0 };
  Server *self;

  if (g_atomic_pointer_get (&server) == NULL)
    return;
  enter ();
  self = server;
  server = NULL;
  if (self != NULL)
    mproc_os_channel_pass (self->line, &order, sizeof order, NULL, 0, 0, NULL);
  leave ();
  if (self == NULL)
    return;
  if (!mproc_process_join (self->process, PATIENCE))
    mproc_process_kill (self->process, NULL);
  mproc_process_join (self->process, MPROC_FOREVER);
  drop (self);
}

gint64
mproc_forkserver_get_pid (void)
{
  gint64 pid;

  enter ();
  pid = server != NULL ? mproc_process_get_pid (server->process) : 0;
  leave ();
  return pid;
}

/* ------------------------------------------------------------------ a start */

typedef struct
{
  MprocPreparation given;
  Server *server; /* a reference */
  MprocMember server_member;
  MprocBorrowCell *note;
  gboolean is_lost; /* with its server, and never was */
} Start;

static gboolean
prepare (Start *start, MprocProcess *process, GError **error)
{
  guint32 kind = mproc_start_is_bound (process) ? mproc_os_lifeline_kind_adopted () : 0;

  if (!mproc_preparation_make (&start->given, process, kind, error))
    return FALSE;
  if (start->given.connections->len > MPROC_OS_MOST_PASSED)
    {
      g_set_error (
          error, MPROC_ERROR, MPROC_ERROR_NOT_SUPPORTED,
          "%u connections are too many for one start by forkserver, which can hand over "
          "%d: use spawn or fork",
          start->given.connections->len, MPROC_OS_MOST_PASSED);
      return FALSE;
    }
  start->server = get_server (error);
  if (start->server == NULL)
    return FALSE;
  start->server_member = mproc_process_get_member (start->server->process);
  start->note = mproc_fork_note_new (error);
  return start->note != NULL;
}

static gboolean
send_request (Start *start, GError **error)
{
  const MprocForkRequest request = { MPROC_FORK_START,      start->given.source.member,
                                     start->given.record,   mproc_load64 (start->note),
                                     mproc_process_self (), 0 };
  const GArray *connections = start->given.connections;
  gint64 deadline = g_get_monotonic_time () + mproc_start_timeout ();
  GError *reason = NULL;
  gintptr channels[MPROC_OS_MOST_PASSED];

  for (guint i = 0; i < connections->len; i++)
    channels[i] = (gintptr) g_array_index (connections, MprocRecordConnection, i).channel;
  enter ();
  mproc_os_channel_pass (start->server->line, &request, sizeof request, channels,
                         connections->len, deadline, &reason);
  leave ();
  if (reason == NULL)
    return TRUE;
  start->is_lost = g_error_matches (reason, MPROC_ERROR, MPROC_ERROR_CLOSED);
  g_propagate_error (error, reason);
  return FALSE;
}

static gboolean
refuse (const Start *start, const char *what, GError **error)
{
  g_set_error (error, MPROC_ERROR, MPROC_ERROR_BOOTSTRAP,
               "the process %s, forked by the forkserver, %s",
               start->given.source.process->name, what);
  return FALSE;
}

static gboolean
refuse_ended (const Start *start, gint exit_code, GError **error)
{
  char *what = mproc_preparation_describe_end (exit_code);

  refuse (start, what, error);
  g_free (what);
  return FALSE;
}

/* The server is dead.  A child that has come as far as its slot goes on without it. */
static gboolean
is_lost (const Start *start)
{
  MprocOsIdentity who;

  if (mproc_member_give_up (start->given.source.member))
    return TRUE;
  mproc_member_get_identity (start->given.source.member, &who);
  return who.pid != 0 && mproc_os_is_dead (&who);
}

static gboolean
wait_for_report (Start *start, GError **error)
{
  gint64 deadline = g_get_monotonic_time () + mproc_start_timeout ();

  for (;;)
    {
      /* First whether it has ended: what it has said is then complete. */
      gint code;
      gboolean ended = mproc_fork_note_read (start->note, &code);
      MprocRecordStatus status = mproc_record_get_status (start->given.record);

      if (status == MPROC_RECORD_RUNNING)
        return TRUE;
      if (status == MPROC_RECORD_FAILED)
        {
          mproc_record_get_error (start->given.record, error);
          return FALSE;
        }
      if (ended)
        return refuse_ended (start, code, error);
      if (mproc_process_join (start->server->process, 0) && is_lost (start) &&
          mproc_record_get_status (start->given.record) == MPROC_RECORD_WAITING)
        {
          start->is_lost = TRUE;
          return refuse (start, "was lost with it: it has been killed", error);
        }
      if (g_get_monotonic_time () >= deadline)
        return refuse (start, "has not reported in for MPROC_START_TIMEOUT seconds",
                       error);
      mproc_record_wait (start->given.record, deadline);
    }
}

/* Whatever there is of the child ends. */
static void
undo (Start *start)
{
  MprocMember member = start->given.source.member;
  MprocOsIdentity who;
  MprocOsChild child;

  if (member != 0 && !mproc_member_give_up (member))
    {
      mproc_member_get_identity (member, &who);
      mproc_os_child_adopt (&who, &child);
      if (who.pid != 0)
        mproc_os_child_signal (&child, MPROC_OS_KILL, NULL);
    }
  if (start->note != NULL)
    mproc_fork_note_settle (start->note, start->server_member);
  if (member != 0)
    mproc_member_bury (member);
}

static void
done (Start *start, MprocProcess *self)
{
  MprocOsIdentity who;
  MprocOsChild child;

  mproc_record_get_identity (start->given.record, &who);
  mproc_os_child_adopt (&who, &child);
  self->note = start->note;
  self->server = start->server_member;
  self->looked = g_get_monotonic_time ();
  mproc_start_done (self, start->given.source.member, &child);
}

/* *lost: it may be tried again. */
static gboolean
try_once (MprocProcess *self, gboolean *lost, GError **error)
{
  Start start = { .note = NULL };
  gboolean ok = prepare (&start, self, error) && send_request (&start, error) &&
                wait_for_report (&start, error);

  if (ok)
    done (&start, self);
  else
    undo (&start);
  *lost = start.is_lost;
  mproc_preparation_clear (&start.given);
  drop (start.server);
  return ok;
}

gboolean
mproc_start_by_forkserver (MprocProcess *self, GError **error)
{
  gboolean lost;

  if (!mproc_spawn_check (error))
    return FALSE;
  mproc_os_flush_output ();
  for (guint i = 1;; i++)
    {
      GError *reason = NULL;

      if (try_once (self, &lost, &reason))
        return TRUE;
      if (!lost || i == N_ATTEMPTS)
        {
          g_propagate_error (error, reason);
          return FALSE;
        }
      g_error_free (reason);
    }
}
