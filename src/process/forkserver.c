/* SPDX-License-Identifier: MIT */
/* The server: one thread, one loop.  It opens no objects of the family and keeps no locks:
 * what its children inherit is the program as it was at mproc_init.  It sees its owner's
 * end in the loop; where the kernel can see to that besides, it does. */
#include "process/forkserver.h"

#include "arena/word.h"
#include "os.h"
#include "pipe/connection.h"
#include "process/preparation.h"

#include <mproc/value.h>

typedef struct
{
  MprocConnection *line; /* to its owner */
  gintptr channel;       /* the line's */
  gintptr sentinel;      /* readable when a child has ended */
  MprocOsChild owner;
  GHashTable *notes;      /* pid -> offset of its note */
  MprocMember note_owner; /* as all requests have it: they come from one process */
} Server;

typedef struct
{
  MprocForkRequest request;
  gintptr channels[MPROC_OS_MOST_PASSED];
  guint n_channels;
} Order;

/* ------------------------------------------------------------------ starting a child */

MPROC_NORETURN static void
run_child (Server *server, const Order *order)
{
  MPROC_CRASH_POINT (BIRTH_FORKED);
  /* Else the owner would not see the line end with the server. */
  mproc_connection_close (server->line);
  mproc_os_leave_helper ();
  mproc_os_child_clear (&server->owner);
  mproc_children_forget ();
  mproc_exit_forget ();
  mproc_preparation_run (order->request.record, (MprocMember) order->request.member,
                         order->channels);
}

/* The record first: who finds the note written looks there for the reason. */
static void
refuse (const Order *order, const GError *error)
{
  mproc_record_report_error (order->request.record, error);
  mproc_fork_note_write (order->request.note, order->request.owner, 255);
}

static gboolean
has_all_channels (const Order *order, GError **error)
{
  guint n;

  mproc_record_get_connections (order->request.record, &n);
  if (n == order->n_channels)
    return TRUE;
  g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_TOO_MANY_FILES,
                       "the forkserver cannot have that many descriptors: the child's "
                       "connections do not reach it; raise the limit of open files");
  return FALSE;
}

static void
start_child (Server *server, const Order *order)
{
  MprocMember member = (MprocMember) order->request.member;
  MprocOsChild child;
  GError *error = NULL;
  gint result = -1;

  /* The owner has given up in the meantime, and what it had prepared is gone. */
  if (mproc_member_get_state (member) != MPROC_MEMBER_STARTING ||
      !mproc_record_is_valid (order->request.record, member))
    return;
  if (has_all_channels (order, &error))
    {
      mproc_local_lend_at_fork (member);
      result = mproc_os_fork (&child, &error);
    }
  if (result == 0)
    run_child (server, order);
  server->note_owner = order->request.owner;
  if (result > 0)
    g_hash_table_insert (server->notes, GSIZE_TO_POINTER ((gsize) child.pid),
                         GSIZE_TO_POINTER ((gsize) order->request.note));
  else
    refuse (order, error);
  g_clear_error (&error);
}

/* FALSE: it is over. */
static gboolean
serve (Server *server, GError **error)
{
  Order order;

  if (!mproc_os_channel_take (server->channel, &order.request, sizeof order.request,
                              order.channels, &order.n_channels, error))
    return FALSE;
  if (order.request.kind == MPROC_FORK_START)
    start_child (server, &order);
  for (guint i = 0; i < order.n_channels; i++)
    mproc_os_channel_close (order.channels[i]);
  return order.request.kind == MPROC_FORK_START;
}

/* ------------------------------------------------------------------ the loop */

static void
reap (Server *server)
{
  gint64 pid;
  gint code;

  while (mproc_os_reap_any (&pid, &code))
    {
      gpointer key = GSIZE_TO_POINTER ((gsize) pid);
      gpointer note = g_hash_table_lookup (server->notes, key);

      if (note == NULL)
        continue;
      g_hash_table_remove (server->notes, key);
      mproc_fork_note_write ((MprocOffset) GPOINTER_TO_SIZE (note), server->note_owner,
                             code);
    }
}

/* Of an owner without a sentinel. */
static gboolean
owner_is_dead (void)
{
  return mproc_os_is_dead (&mproc_process_parent ()->identity);
}

static void
loop (Server *server)
{
  gintptr owner = mproc_os_child_sentinel (&server->owner, NULL);
  MprocOsWait waits[3] = { { server->channel, MPROC_OS_WAIT_CHANNEL, FALSE },
                           { server->sentinel, MPROC_OS_WAIT_CHANNEL, FALSE },
                           { owner, MPROC_OS_WAIT_CHILD, FALSE } };
  guint n = owner != MPROC_OS_NONE ? 3 : 2;

  do
    {
      gint64 deadline = n == 3 ? MPROC_OS_NEVER : g_get_monotonic_time () + MPROC_NAP;

      waits[0].ready = FALSE;
      if (mproc_os_wait_many (waits, n, deadline, NULL) < 0)
        return;
      reap (server);
      if (waits[2].ready || (n < 3 && owner_is_dead ()))
        return;
    }
  while (!waits[0].ready || serve (server, NULL));
}

static gboolean
set_up (Server *server, GVariant *args, GError **error)
{
  MprocStream *stream;
  const MprocOsIdentity *owner = &mproc_process_parent ()->identity;
  guint32 n_threads = MAX (mproc_os_thread_count (), 1) - 1;
  guint32 kind;

  if (!mproc_unpack (args, error, "(&hu)", &server->line, &kind))
    return FALSE;
  if (kind == 0)
    mproc_os_die_with (owner, kind);
  mproc_os_child_adopt (owner, &server->owner);
  stream = mproc_connection_get_stream (server->line);
  server->channel = mproc_stream_hold (stream);
  /* Not held any longer: in a child it has to be closed. */
  mproc_stream_release (stream);
  server->sentinel = mproc_os_children_sentinel (error);
  return server->sentinel != MPROC_OS_NONE &&
         mproc_os_channel_write (server->channel, &n_threads, sizeof n_threads,
                                 MPROC_OS_NEVER, error) > 0;
}

GVariant *
mproc_forkserver_main (GVariant *args, GError **error)
{
  Server server = { .notes = NULL };

  if (!set_up (&server, args, error))
    return NULL;
  server.notes = g_hash_table_new (NULL, NULL);
  loop (&server);
  g_hash_table_unref (server.notes);
  return NULL;
}
