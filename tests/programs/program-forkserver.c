/* SPDX-License-Identifier: MIT */
/* program-forkserver none|early|late: a process by forkserver in a program that never passes
 * mproc_init; one by DEFAULT where a thread is there before mproc_init, and so in a server,
 * too, or only after it. */
#include "lines.h"

#include <string.h>

static GVariant *
target (GVariant *args, GError **error)
{
  (void) args;
  (void) error;
  say ("target");
  return NULL;
}

static gpointer
stay (gpointer queue)
{
  return g_async_queue_pop (queue);
}

int
main (int argc, char **argv)
{
  gboolean has_guard = strcmp (argv[1], "none") != 0;
  gboolean is_early = strcmp (argv[1], "early") == 0;
  GAsyncQueue *queue = g_async_queue_new ();
  GThread *thread = is_early ? g_thread_new ("early", stay, queue) : NULL;
  MprocProcess *process;

  if (has_guard)
    mproc_init (&argc, &argv);
  say ("main");
  if (has_guard && !is_early)
    thread = g_thread_new ("late", stay, queue);
  process = mproc_process_new (target, NULL);
  if (!has_guard)
    mproc_process_set_start_method (process, MPROC_START_METHOD_FORKSERVER);
  mproc_process_ref (process);
  say_how_it_runs ("start", process);
  if (has_guard)
    say ("method %d", (int) mproc_process_get_start_method (process));
  mproc_process_unref (process);
  if (thread != NULL)
    {
      g_async_queue_push (queue, queue);
      g_thread_join (thread);
    }
  g_async_queue_unref (queue);
  return 0;
}
