/* SPDX-License-Identifier: MIT */
#include "map/batchrun.h"

#include "family/function.h"
#include "map/batchitems.h"
#include "map/batchvalues.h"
#include "worker/control.h"
#include "worker/task.h"

#include <mproc/poolmap.h>
#include <mproc/shared.h>
#include <mproc/value.h>

#include <string.h>

/* A part that has taken so long is shared out when others have nothing to do. */
#define LONG_PART 100

typedef struct
{
  MprocWorker *worker;
  MprocOffset batch;
  const MprocBatchPlan *plan;
  MprocBatchWalk walk;
  MprocFunc func;
  GError *broken; /* why no part can be run */
  guint64 n_done; /* items */
  gint64 begun;   /* the part */

  /* VALUES */
  MprocBatchItems items;
  MprocBatchValues values;

  /* ARRAY */
  GVariant *args;
  GVariant *given; /* what the function is given */
  guint8 *data;
} Run;

static void
post (Run *self, guint32 item)
{
  MprocPoolEvent event = { .kind = MPROC_EVENT_BATCH, .item = item };

  event.serial = mproc_batch_get_serial (self->batch);
  mproc_pool_event_post (self->worker->events, &event);
}

/* There are too many workers. */
static gboolean
is_to_leave (MprocWorker *worker)
{
  return mproc_load32 (&mproc_control_at (worker->seat->control)->leave) > 0;
}

/* Something of a higher priority waits in the task queue. */
static inline gboolean
is_wanted_elsewhere (MprocWorker *worker)
{
  guint64 urgent = mproc_load64 (&mproc_control_at (worker->seat->control)->urgent);

  return G_UNLIKELY (urgent != 0) &&
         (gint32) (mproc_queue_get_taken (worker->tasks) - (guint32) urgent) < 0;
}

/* With something of a part left to do: lets the others have it, or whoever comes back for it. */
static inline void
look_for_hungry (Run *self, MprocPart *part, guint64 item)
{
  if (part->n_words > 1 &&
      (mproc_batch_is_hungry (self->batch) || is_wanted_elsewhere (self->worker)) &&
      g_get_monotonic_time () - self->begun > LONG_PART &&
      mproc_batch_share_out (self->batch, part, item))
    post (self, MPROC_EVENT_BATCH_SHARED);
}

/* ------------------------------------------------------------------ values */

/* It may be floating, which ends with it all the same. */
static gboolean
append_value (Run *self, GVariant *value, GError **error)
{
  gboolean ok = mproc_batchvalues_append (&self->values, value, error);

  g_variant_unref (value);
  if (!ok)
    g_prefix_error (error, "the task's result cannot be sent: ");
  return ok;
}

static gboolean
run_values (Run *self, MprocPart *part, GError **error)
{
  gconstpointer made;
  gsize size;

  mproc_batchvalues_reset (&self->values);
  for (guint64 i = part->first; i < part->end; i++)
    {
      GVariant *item = mproc_batchitems_get (&self->items, i, part->end);
      GVariant *value = mproc_worker_run (self->func, item, error);
      gboolean ok = value != NULL && append_value (self, value, error);

      g_variant_unref (item);
      if (!ok)
        return FALSE;
      look_for_hungry (self, part, i);
    }
  made = mproc_batchvalues_finish (&self->values, &size);
  return mproc_batch_set_values (&self->walk, part, made, size, error);
}

/* ------------------------------------------------------------------ bytes */

static gboolean
run_bytes (Run *self, MprocPart *part, GError **error)
{
  MprocBytesFunc func = (MprocBytesFunc) (void (*) (void)) self->func;
  gsize item_size = (gsize) self->plan->item_size;
  gsize result_size = (gsize) self->plan->result_size;
  guint64 n = part->end - part->first;
  const guint8 *item = mproc_batch_get_items (self->batch, part->first, n);
  guint8 *result = mproc_batch_get_results (self->batch, part->first, n);

  for (guint64 i = part->first; i < part->end; i++)
    {
      if (!func (item, item_size, result, result_size, error))
        {
          if (*error == NULL)
            mproc_set_silent_failure (error);
          return FALSE;
        }
      item += item_size;
      result += result_size;
      look_for_hungry (self, part, i);
    }
  return TRUE;
}

/* ------------------------------------------------------------------ slices */

gboolean
mproc_batch_open_array (GVariant *args, guint8 **values, GVariant **given, GError **error)
{
  MprocArray *array;
  GVariant *maybe;

  if (!mproc_unpack (args, error, "(&h@mv)", &array, &maybe))
    return FALSE;
  *values = mproc_array_get_data (array, NULL);
  if (g_variant_n_children (maybe) > 0)
    {
      GVariant *inside = g_variant_get_child_value (maybe, 0);

      *given = g_variant_get_variant (inside);
      g_variant_unref (inside);
    }
  g_variant_unref (maybe);
  return TRUE;
}

static gboolean
open_array (Run *self, GError **error)
{
  gsize size;
  gconstpointer bytes = mproc_batch_get_args (self->batch, &size);

  self->args = mproc_message_peek (bytes, size, error);
  return self->args != NULL &&
         mproc_batch_open_array (self->args, &self->data, &self->given, error);
}

static gboolean
run_slice (Run *self, const MprocPart *part, GError **error)
{
  MprocArrayFunc func = (MprocArrayFunc) (void (*) (void)) self->func;
  gpointer items = self->data + part->first * self->plan->item_size;

  if (func (items, (gsize) (part->end - part->first), (gsize) part->first, self->given,
            error))
    return TRUE;
  if (*error == NULL)
    mproc_set_silent_failure (error);
  return FALSE;
}

/* ------------------------------------------------------------------ all kinds */

static void
begin (Run *self)
{
  gboolean ok = TRUE;

  self->func = mproc_function_resolve (self->plan->function, &self->broken);
  if (self->func != NULL && self->plan->kind == MPROC_BATCH_VALUES)
    ok = mproc_batchitems_open (&self->items, self->batch, &self->broken);
  else if (self->func != NULL && self->plan->kind == MPROC_BATCH_ARRAY)
    ok = open_array (self, &self->broken);
  g_assert (ok || self->broken != NULL);
}

static void
end (Run *self)
{
  g_clear_error (&self->broken);
  mproc_batchitems_close (&self->items);
  mproc_batchvalues_clear (&self->values);
  g_clear_pointer (&self->given, g_variant_unref);
  g_clear_pointer (&self->args, g_variant_unref);
}

static gboolean
run (Run *self, MprocPart *part, GError **error)
{
  if (self->broken != NULL)
    {
      g_propagate_error (error, g_error_copy (self->broken));
      return FALSE;
    }
  switch (self->plan->kind)
    {
    case MPROC_BATCH_VALUES:
      return run_values (self, part, error);
    case MPROC_BATCH_BYTES:
      return run_bytes (self, part, error);
    default:
      return run_slice (self, part, error);
    }
}

/* FALSE: it has been condemned meanwhile. */
static gboolean
do_part (Run *self, MprocPart *part)
{
  MprocWorker *worker = self->worker;
  GError *error = NULL;
  gboolean ok;

  mproc_worker_take_slot (worker);
  self->begun =
      mproc_seat_begin (worker->seat, mproc_batch_word_at (self->batch, part->word),
                        mproc_seat_name (mproc_batch_get_serial (self->batch),
                                         part->word),
                        &self->plan->limits);
  MPROC_CRASH_POINT (PART_BEGUN);
  worker->attempt = 1;
  ok = run (self, part, &error);
  worker->attempt = 0;
  mproc_seat_end (worker->seat);
  mproc_worker_give_slot (worker);
  MPROC_CRASH_POINT (PART_LEFT);
  if (!ok)
    mproc_batch_set_error (self->batch, error);
  g_clear_error (&error);
  if (!mproc_batch_finish (self->batch, part))
    return FALSE;
  MPROC_CRASH_POINT (PART_FINISHED);
  self->n_done += part->end - part->first;
  worker->n_tasks++;
  return TRUE;
}

/* Whether it is to begin another part: what it would have done is for another one, or for itself when it
 * comes back. */
static gboolean
goes_on (MprocWorker *worker, guint32 *why_not)
{
  if (!mproc_worker_takes_another (worker) || is_to_leave (worker))
    *why_not = MPROC_EVENT_BATCH_EARLY;
  else if (is_wanted_elsewhere (worker))
    *why_not = MPROC_EVENT_BATCH_AWAY;
  else
    return TRUE;
  return FALSE;
}

gboolean
mproc_worker_run_batch (MprocWorker *worker, MprocOffset batch)
{
  guint32 serial = mproc_batch_get_serial (batch);
  MprocPoolEvent event = { .kind = MPROC_EVENT_BATCH, .serial = serial };
  Run self = { .worker = worker, .batch = batch };
  gboolean wanted = TRUE;
  MprocPart part;

  self.plan = mproc_batch_get_plan (batch);
  begin (&self);
  mproc_batch_walk_init (&self.walk, batch);
  while (wanted && goes_on (worker, &event.item) &&
         mproc_batch_walk_next (&self.walk, &part))
    wanted = do_part (&self, &part);
  end (&self);
  if (mproc_batch_leave (batch, self.n_done, worker->seat) ||
      event.item != MPROC_EVENT_BATCH_LEFT)
    mproc_pool_event_post (worker->events, &event);
  return wanted;
}
