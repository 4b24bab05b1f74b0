/* SPDX-License-Identifier: MIT */
/* Deaths while a queue is shut down, and everything in it dropped. */
#include "items.h"

#include "queue/queuedata.h"

#define ITEMS 4

static MprocQueueBody *
body_of (gpointer queue)
{
  return ((MprocQueue *) queue)->body;
}

/* A long item, a value with an object, and short ones; no room for more. */
static void
make_full (CrashTrial *trial)
{
  MprocLock *lock = mproc_lock_new (NULL);
  MprocQueue *queue = mproc_queue_new (ITEMS, NULL);

  trial->object = queue;
  ck_assert (items_put (queue, 3, FALSE));
  ck_assert (mproc_queue_put (queue, mproc_pack ("(h)", lock), 0, NULL));
  ck_assert (items_put (queue, 0, FALSE) && items_put (queue, 1, FALSE));
  mproc_lock_unref (lock);
}

static GVariant *
end_it (GVariant *args, GError **error)
{
  CrashPart part;

  if (!crash_begin (args, &part, error))
    return NULL;
  crash_wait_for_bits (part.stage, &body_of (part.object)->joiners.word, 1);
  crash_wait_for_bits (part.stage, &body_of (part.object)->putters.word, 1);
  mproc_queue_shutdown (part.object, TRUE);
  return NULL;
}

/* One joins, one puts. */
static GVariant *
wait_for_its_end (GVariant *args, GError **error)
{
  CrashPart part;

  if (!crash_begin (args, &part, error))
    return NULL;
  if (part.number == 0 ? !mproc_queue_join (part.object, MPROC_SECONDS (20))
                       : items_put (part.object, 2, FALSE))
    mproc_process_exit (9);
  mproc_add32 (&part.stage->progress[part.number], 1);
  return NULL;
}

static gboolean
putter_has_ended (CrashTrial *trial)
{
  return mproc_load32 (&trial->stage->progress[1]) > 0;
}

static gboolean
joiner_has_ended (CrashTrial *trial)
{
  return mproc_load32 (&trial->stage->progress[0]) > 0;
}

static void
expect_end (CrashTrial *trial)
{
  MprocQueue *queue = trial->object;
  GError *error = NULL;

  crash_wait_until (trial, putter_has_ended);
  /* It had not come to dropping: somebody has to do it again. */
  if (trial->plan->at != MPROC_CRASH_NOWHERE && trial->plan->moved == CRASH_NOTHING_MOVED)
    mproc_queue_shutdown (queue, TRUE);
  crash_wait_until (trial, joiner_has_ended);
  ck_assert_ptr_null (mproc_queue_get (queue, 0, &error));
  ck_assert (g_error_matches (error, MPROC_ERROR, MPROC_ERROR_CLOSED));
  g_clear_error (&error);
  ck_assert_uint_eq (mproc_queue_get_size (queue), 0);
  ck_assert (!mproc_queue_task_done (queue, NULL));
}

static const CrashScene of_end = {
  .set_up = make_full,
  .doomed = end_it,
  .survivor = wait_for_its_end,
  .check = expect_end,
};

#define AT(name) .at = MPROC_CRASH_##name
#define DROPS .moved = CRASH_OTHER_MOVED

static const CrashPlan plans[] = {
  { AT (SHUTDOWN_ENDED), &of_end },
  { AT (SHUTDOWN_RELEASED), &of_end },
  { AT (SHUTDOWN_KEPT), &of_end },
  { AT (SHUTDOWN_DROPPING), &of_end, DROPS },
  { AT (SHUTDOWN_MOVED), &of_end, 3, DROPS, .lost_blocks = 1, .lost_entries = 1 },
  { AT (SHUTDOWN_DROPPED), &of_end, DROPS },
  { AT (SHUTDOWN_WOKE_SOME), &of_end, DROPS },
};

CRASH_SUITE (crash_end, "crash-end", MPROC_CRASH_SHUTDOWN_POINTS)
