/* SPDX-License-Identifier: MIT */
#include "worker/nursery.h"

#include "process/process.h"

#include <string.h>

struct MprocNursery
{
  MprocProcess *process;
  gintptr line; /* orders, a byte each; its end is the order to end */
};

typedef enum
{
  ORDER_END,
  ORDER_TEND /* somebody's seat says something new */
} Order;

/* What the forked process finds in the memory it shares no more. */
typedef struct
{
  const MprocCrewPlan *plan;
  gintptr our_end;
  gintptr its_end;
} Start;

/* How long it may take to end, and after that its workers, to die with it. */
#define PATIENCE (5 * G_USEC_PER_SEC)

/* How often it looks without having been woken, at least. */
#define LOOK (G_USEC_PER_SEC / 2)

/* Between two looks, for each worker: some times what it takes. */
#define PAUSE_FOR_ONE 2

/* All that have been given: one look is enough for all who leave. */
static Order
read_orders (gintptr line)
{
  guint8 orders[256];
  gssize n = mproc_os_channel_read (line, orders, sizeof orders, 0, NULL);

  return n > 0 && memchr (orders, ORDER_END, (gsize) n) == NULL ? ORDER_TEND : ORDER_END;
}

static void
give_order (MprocNursery *self, Order order)
{
  guint8 byte = (guint8) order;

  mproc_os_channel_write (self->line, &byte, 1, 0, NULL);
}

/* Each look goes through all the workers: of thousands that end, hundreds are to have ended since the
 * one before.  What comes after a while without any is seen at once. */
static gint64
take_breath (MprocCrew *crew, gint64 last_look)
{
  gint64 left =
      last_look + mproc_crew_get_size (crew) * PAUSE_FOR_ONE - g_get_monotonic_time ();

  if (left > 0)
    g_usleep ((gulong) left);
  return g_get_monotonic_time ();
}

/* FALSE when the pool has said that it is over, or is gone. */
static gboolean
wait (MprocCrew *crew, gintptr line, GArray *waits)
{
  MprocOsWait first = { line, MPROC_OS_WAIT_CHANNEL, FALSE };
  MprocOsWait *list;

  g_array_set_size (waits, 0);
  g_array_append_val (waits, first);
  mproc_crew_list_waits (crew, waits);
  list = (MprocOsWait *) (gpointer) waits->data;
  if (mproc_os_wait_many (list, waits->len,
                          MIN (g_get_monotonic_time () + LOOK,
                               mproc_crew_get_next_look (crew)),
                          NULL) >= 0)
    mproc_crew_note_waits (crew, list + 1);
  return !list[0].ready || read_orders (line) != ORDER_END;
}

static void
post_start (MprocCrew *crew, MprocQueue *events)
{
  MprocPoolEvent event = { .kind = MPROC_EVENT_READY };
  GError *error = NULL;

  if (!mproc_crew_fill (crew, &error))
    {
      event.kind = MPROC_EVENT_BROKEN;
      g_strlcpy (event.text, error->message, sizeof event.text);
      g_error_free (error);
    }
  mproc_pool_event_post (events, &event);
}

static GVariant *
nursery_main (GVariant *args, GError **error)
{
  Start *start = (Start *) (gsize) g_variant_get_uint64 (args);
  GArray *waits = g_array_new (FALSE, FALSE, sizeof (MprocOsWait));
  gint64 last_look = 0;
  MprocCrew *crew;

  (void) error;
  /* Else the pool's death would leave the line open: by our own copy of its end. */
  mproc_os_channel_close (start->our_end);
  mproc_os_ignore_interrupt (TRUE);
  crew = mproc_crew_new (start->plan);
  post_start (crew, start->plan->events);
  while (wait (crew, start->its_end, waits) && mproc_crew_tend (crew))
    last_look = take_breath (crew, last_look);
  mproc_crew_free (crew);
  g_array_unref (waits);
  return NULL;
}

MprocNursery *
mproc_nursery_new (const MprocCrewPlan *plan, GError **error)
{
  MprocNursery *self = g_new0 (MprocNursery, 1);
  Start start = { .plan = plan };
  gboolean ok;

  if (!mproc_os_channel_pair (FALSE, &start.its_end, &start.our_end, error))
    {
      g_free (self);
      return NULL;
    }
  self->process =
      mproc_process_new (nursery_main, g_variant_new_uint64 ((guint64) (gsize) &start));
  mproc_process_set_internal (self->process, TRUE);
  mproc_process_set_name (self->process, "PoolNursery");
  mproc_process_set_start_method (self->process, MPROC_START_METHOD_FORK);
  self->line = start.our_end;
  ok = mproc_process_start (self->process, error);
  mproc_os_channel_close (start.its_end);
  if (ok)
    return self;
  mproc_os_channel_close (self->line);
  mproc_process_unref (self->process);
  g_free (self);
  return NULL;
}

/* An order that finds the line full is one of many, or is given again. */
void
mproc_nursery_wake (MprocNursery *self)
{
  give_order (self, ORDER_TEND);
}

gboolean
mproc_nursery_is_alive (MprocNursery *self)
{
  return !mproc_process_join (self->process, 0);
}

gboolean
mproc_nursery_is_deserted (MprocNursery *self)
{
  return !mproc_nursery_is_alive (self) &&
         !mproc_member_has_children (mproc_process_get_member (self->process));
}

/* One that was killed has taken its workers with it, but they may need a moment. */
static gboolean
await_end (MprocNursery *self)
{
  gint64 deadline;

  if (!mproc_process_join (self->process, PATIENCE))
    mproc_process_kill (self->process, NULL);
  mproc_process_join (self->process, MPROC_FOREVER);
  deadline = g_get_monotonic_time () + PATIENCE;
  while (!mproc_nursery_is_deserted (self))
    {
      if (g_get_monotonic_time () >= deadline)
        return FALSE;
      g_usleep (1000);
    }
  return TRUE;
}

gboolean
mproc_nursery_free (MprocNursery *self)
{
  gboolean deserted;

  if (self == NULL)
    return TRUE;
  /* The byte, because processes forked since may hold copies of our end. */
  give_order (self, ORDER_END);
  mproc_os_channel_close (self->line);
  deserted = await_end (self);
  mproc_process_unref (self->process);
  g_free (self);
  return deserted;
}
