/* SPDX-License-Identifier: MIT */
/* Three children talk when they like; their parent waits for whatever comes first: a message, or a
 * child's end. */
#include <mproc.h>
#include <stdio.h>

#define N_CHILDREN 3

typedef struct
{
  MprocProcess *process;
  MprocConnection *connection;
  gint64 sum; /* of what it has sent */
  gboolean has_ended;
} Child;

static GVariant *
count_up (GVariant *args, GError **error)
{
  MprocConnection *connection;
  gint32 last;

  if (!mproc_unpack (args, error, "(&hi)", &connection, &last))
    return NULL;
  for (gint32 i = 1; i <= last; i++)
    if (!mproc_connection_send (connection, g_variant_new_int32 (i), error))
      return NULL;
  mproc_connection_close (connection);
  return NULL;
}

static void
start (Child *self, gint32 last)
{
  GError *error = NULL;
  MprocConnection *theirs;

  if (!mproc_pipe (FALSE, &self->connection, &theirs, &error))
    g_error ("%s", error->message);
  self->process = mproc_process_new (count_up, mproc_pack ("(hi)", theirs, last));
  mproc_connection_unref (theirs);
  if (!mproc_process_start (self->process, &error))
    g_error ("%s", error->message);
}

/* Its end is told apart from its messages: it comes when all of them have been received. */
static void
receive (Child *self)
{
  GError *error = NULL;
  GVariant *number = mproc_connection_recv (self->connection, MPROC_FOREVER, &error);

  if (number != NULL)
    {
      self->sum += g_variant_get_int32 (number);
      g_variant_unref (number);
      return;
    }
  if (!g_error_matches (error, MPROC_ERROR, MPROC_ERROR_CLOSED))
    g_error ("%s", error->message);
  g_error_free (error);
  mproc_connection_close (self->connection);
}

/* The connection comes first, then the process; what is over is not waited for any more. */
static gboolean
wait_for_some (Child *children)
{
  MprocWait waits[2 * N_CHILDREN];
  Child *whose[2 * N_CHILDREN];
  GError *error = NULL;
  guint n = 0;

  for (guint i = 0; i < 2 * N_CHILDREN; i++)
    {
      Child *child = &children[i / 2];
      gboolean is_over =
          i % 2 == 0 ? mproc_connection_is_closed (child->connection) : child->has_ended;

      if (is_over)
        continue;
      waits[n].object = i % 2 == 0 ? (gpointer) child->connection : child->process;
      whose[n++] = child;
    }
  if (mproc_wait (waits, n, MPROC_FOREVER, &error) < 0)
    g_error ("%s", error->message);
  for (guint i = 0; i < n; i++)
    if (waits[i].ready && waits[i].object == whose[i]->connection)
      receive (whose[i]);
    else if (waits[i].ready)
      whose[i]->has_ended = TRUE;
  return n > 0;
}

int
main (int argc, char **argv)
{
  Child children[N_CHILDREN] = { { NULL } };

  mproc_init (&argc, &argv);
  for (guint i = 0; i < N_CHILDREN; i++)
    start (&children[i], 10 * (gint32) (i + 1));
  while (wait_for_some (children))
    ;
  for (guint i = 0; i < N_CHILDREN; i++)
    {
      printf ("child %u has sent %" G_GINT64_FORMAT " in all\n", i, children[i].sum);
      mproc_process_unref (children[i].process);
      mproc_connection_unref (children[i].connection);
    }
  return 0;
}
