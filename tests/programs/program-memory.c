/* SPDX-License-Identifier: MIT */
/* program-memory HOW PREFIX: makes names that begin so, the only process of its family, and ends
 * without taking them away.  HOW: return, kill (many names, one of them unlinked), child (a forked
 * child of it lives on, and looks for the name). */
#include "lines.h"

#include "kill.h"
#include "os.h"

#include <string.h>

#define MANY 60

static MprocSharedMemory *
create (const char *prefix, guint i)
{
  char *name = g_strdup_printf ("%s%u", prefix, i);
  GError *error = NULL;
  MprocSharedMemory *memory = mproc_shared_memory_create (name, 100, &error);

  if (memory == NULL)
    say ("%s", error->message);
  g_free (name);
  return memory;
}

static gboolean
is_there (const char *prefix, guint i)
{
  char *name = g_strdup_printf ("%s%u", prefix, i);
  MprocSharedMemory *memory = mproc_shared_memory_open (name, 100, NULL);

  g_free (name);
  mproc_shared_memory_unref (memory);
  return memory != NULL;
}

static void
kill_myself (void)
{
  mproc_test_kill_pid (mproc_os_pid ());
}

/* A target `(hs)`: outlives its parent. */
static GVariant *
look (GVariant *args, GError **error)
{
  MprocConnection *connection;
  const char *prefix;

  if (!mproc_unpack (args, error, "(&h&s)", &connection, &prefix))
    return NULL;
  mproc_connection_send (connection, mproc_pack ("b", is_there (prefix, 0)), NULL);
  for (guint i = 0; i < 1000 && is_there (prefix, 0); i++)
    g_usleep (2000);
  say ("%s", is_there (prefix, 0) ? "the name has stayed" : "the name is gone");
  mproc_process_exit (0);
}

static void
leave_child (const char *prefix)
{
  MprocConnection *here, *there;
  MprocProcess *process;
  GVariant *value;

  mproc_pipe (TRUE, &here, &there, NULL);
  process = mproc_process_new (look, mproc_pack ("(hs)", there, prefix));
  mproc_process_set_start_method (process, MPROC_START_METHOD_FORK);
  if (!mproc_process_start (process, NULL))
    return;
  mproc_connection_unref (there);
  value = mproc_connection_recv (here, MPROC_FOREVER, NULL);
  if (value != NULL)
    say ("%s", g_variant_get_boolean (value) ? "the name is there" : "no name");
  kill_myself ();
}

int
main (int argc, char **argv)
{
  guint n = 1;

  mproc_init (&argc, &argv);
  if (argc != 3)
    return 2;
  if (strcmp (argv[1], "kill") == 0)
    n = MANY;
  for (guint i = 0; i < n; i++)
    {
      MprocSharedMemory *memory = create (argv[2], i);

      if (memory == NULL)
        return 1;
      if (i == 1)
        mproc_shared_memory_unlink (memory, NULL);
      if (i % 2 == 1)
        mproc_shared_memory_unref (memory);
    }
  if (strcmp (argv[1], "child") == 0)
    leave_child (argv[2]);
  if (strcmp (argv[1], "kill") == 0)
    kill_myself ();
  return 0;
}
