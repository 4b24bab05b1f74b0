/* SPDX-License-Identifier: MIT */
#include <mproc/wait.h>

#include "arena/word.h"
#include "family/object.h"
#include "os.h"
#include "pipe/connection.h"
#include "process/process.h"

/* How often a process is looked at where the system has no handle for it. */
#define LOOK_INTERVAL 10000

/* One of the things that are waited for, while they are. */
typedef struct
{
  MprocStream *stream;   /* of a connection, whose channel is held */
  MprocProcess *process; /* else */
  MprocOsWait system;    /* its handle is MPROC_OS_NONE where there is none */
} Watch;

static gboolean
watch_connection (Watch *self, MprocConnection *connection, GError **error)
{
  if (!mproc_connection_is_readable (connection))
    {
      g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_STATE,
                           "a connection that only sends cannot be waited for");
      return FALSE;
    }
  self->stream = mproc_connection_get_stream (connection);
  self->system.handle = mproc_stream_hold (self->stream);
  self->system.kind = MPROC_OS_WAIT_CHANNEL;
  return TRUE;
}

static gboolean
watch_process (Watch *self, MprocProcess *process, GError **error)
{
  GError *local_error = NULL;

  self->process = process;
  self->system.handle = MPROC_OS_NONE;
  if (mproc_process_get_wait (process, &self->system, &local_error))
    return TRUE;
  if (!g_error_matches (local_error, MPROC_ERROR, MPROC_ERROR_NOT_SUPPORTED))
    {
      g_propagate_error (error, local_error);
      return FALSE;
    }
  g_error_free (local_error);
  return TRUE;
}

static gboolean
watch (Watch *self, gpointer object, GError **error)
{
  if (mproc_object_is (object, MPROC_KIND_CONNECTION))
    return watch_connection (self, object, error);
  if (mproc_object_is (object, MPROC_KIND_PROCESS))
    return watch_process (self, object, error);
  g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_NOT_SUPPORTED,
                       "only processes and connections can be waited for");
  return FALSE;
}

static void
unwatch (Watch *watches, guint n)
{
  for (guint i = 0; i < n; i++)
    if (watches[i].stream != NULL && watches[i].system.handle != MPROC_OS_NONE)
      mproc_stream_release (watches[i].stream);
}

/* What can be told without asking the system about the handle. */
static gboolean
is_ready (const Watch *self)
{
  if (self->stream != NULL)
    return mproc_stream_is_ready (self->stream);
  return self->system.handle == MPROC_OS_NONE && !mproc_process_is_alive (self->process);
}

/* Looks at all of them, for a nap at most.  Returns how many are ready, -1 with error. */
static gint
look (const Watch *watches,
      MprocWait *waits,
      MprocOsWait *system,
      guint n,
      gint64 deadline,
      GError **error)
{
  gint64 nap = MPROC_NAP;
  guint n_system = 0;
  gint ready = 0;

  for (guint i = 0; i < n; i++)
    {
      waits[i].ready = is_ready (&watches[i]);
      if (waits[i].ready)
        ready++;
      else if (watches[i].system.handle == MPROC_OS_NONE)
        nap = LOOK_INTERVAL;
      else
        system[n_system++] = watches[i].system;
    }

  deadline = ready > 0 ? 0 : MIN (deadline, g_get_monotonic_time () + nap);
  if (mproc_os_wait_many (system, n_system, deadline, error) < 0)
    return -1;
  n_system = 0;
  for (guint i = 0; i < n; i++)
    if (!waits[i].ready && watches[i].system.handle != MPROC_OS_NONE &&
        system[n_system++].ready)
      {
        waits[i].ready = TRUE;
        ready++;
      }
  return ready;
}

static gint
wait_for_all (const Watch *watches,
              MprocWait *waits,
              guint n,
              gint64 deadline,
              GError **error)
{
  MprocOsWait *system = g_new0 (MprocOsWait, n);
  gint ready;

  do
    ready = look (watches, waits, system, n, deadline, error);
  while (ready == 0 && g_get_monotonic_time () < deadline);
  g_free (system);
  return ready;
}

gint
mproc_wait (MprocWait *waits, guint n, gint64 timeout_us, GError **error)
{
  gint64 deadline = mproc_deadline (timeout_us);
  Watch *watches;
  guint n_watched = 0;
  gint ready = -1;

  g_return_val_if_fail (waits != NULL || n == 0, -1);
  g_return_val_if_fail (MPROC_IS_TIMEOUT (timeout_us), -1);
  g_return_val_if_fail (error == NULL || *error == NULL, -1);

  if (n == 0)
    return 0;
  watches = g_new0 (Watch, n);
  while (n_watched < n && watch (&watches[n_watched], waits[n_watched].object, error))
    n_watched++;
  if (n_watched == n)
    ready = wait_for_all (watches, waits, n, deadline, error);
  unwatch (watches, n_watched);
  g_free (watches);
  return ready;
}
