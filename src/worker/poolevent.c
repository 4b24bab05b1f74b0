/* SPDX-License-Identifier: MIT */
#include "worker/poolevent.h"

#include <string.h>

gboolean
mproc_pool_event_try_post (MprocQueue *events, const MprocPoolEvent *event)
{
  gsize size = MPROC_EVENT_BASE_SIZE;

  if (event->kind == MPROC_EVENT_BROKEN)
    size += strlen (event->text) + 1;
  /* A queue that was shut down wants no more events. */
  return mproc_queue_put_bytes (events, event, size, MPROC_FOREVER, NULL) ||
         mproc_queue_is_shut_down (events);
}

/* The queue has no bound of its own: what can be missing is memory, and the pool, by
 * reading, gives some back. */
void
mproc_pool_event_post (MprocQueue *events, const MprocPoolEvent *event)
{
  while (!mproc_pool_event_try_post (events, event))
    g_usleep (MPROC_EVENT_PAUSE);
}

gboolean
mproc_pool_event_copy (gconstpointer payload, gsize size, gpointer data)
{
  memset (data, 0, sizeof (MprocPoolEvent));
  memcpy (data, payload, MIN (size, sizeof (MprocPoolEvent) - 1));
  return TRUE;
}
