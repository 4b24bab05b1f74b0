/* SPDX-License-Identifier: MIT */
/* Deaths in the code of queues: putting, getting, and the links between chunks. */
#include "items.h"

#include "queue/queuedata.h"

#include <string.h>

/* ------------------------------------------------------------------ without others */

/* Round in the first chunk, past its end and to its start again. */
static GVariant *
take_turns (GVariant *args, GError **error)
{
  CrashPart part;

  if (!crash_begin (args, &part, error))
    return NULL;
  for (guint i = 0; i < 150; i++)
    if (!items_put_next (part.object, part.stage, FALSE) ||
        !items_get_next (part.object, part.stage))
      mproc_process_exit (9);
  return NULL;
}

/* Through several chunks. */
static GVariant *
put_many (GVariant *args, GError **error)
{
  CrashPart part;

  if (!crash_begin (args, &part, error))
    return NULL;
  for (guint i = 0; i < 180; i++)
    if (!items_put_next (part.object, part.stage, TRUE))
      mproc_process_exit (9);
  return NULL;
}

static GVariant *
get_many (GVariant *args, GError **error)
{
  CrashPart part;

  if (!crash_begin (args, &part, error))
    return NULL;
  while (mproc_load32 (&part.stage->taken) < mproc_load32 (&part.stage->sent))
    if (!items_get_next (part.object, part.stage))
      mproc_process_exit (9);
  return NULL;
}

static gboolean
claim_it (gconstpointer payload, gsize size, gpointer data)
{
  memcpy (data, payload, MIN (size, sizeof (guint32)));
  return TRUE;
}

static GVariant *
claim_many (GVariant *args, GError **error)
{
  CrashPart part;
  guint32 claimed;

  if (!crash_begin (args, &part, error))
    return NULL;
  while (mproc_queue_take (part.object, 0, claim_it, &claimed, NULL))
    if (mproc_add32 (&part.stage->taken, 1) != claimed)
      mproc_add32 (&part.stage->n_torn, 1);
  return NULL;
}

static void
make_three (CrashTrial *trial)
{
  items_fill (trial, 0, 3);
}

static void
make_many (CrashTrial *trial)
{
  items_fill (trial, 0, 150);
}

static const CrashScene of_turns = {
  .set_up = make_three,
  .doomed = take_turns,
  .check = items_expect_all,
};
static const CrashScene of_many_puts = {
  .set_up = make_three,
  .doomed = put_many,
  .check = items_expect_all,
};
static const CrashScene of_many_gets = {
  .set_up = make_many,
  .doomed = get_many,
  .check = items_expect_all,
};
static const CrashScene of_claims = {
  .set_up = make_many,
  .doomed = claim_many,
  .check = items_expect_all,
};

/* ------------------------------------------------------------------ with sleepers */

static MprocQueueBody *
body_of (gpointer queue)
{
  return ((MprocQueue *) queue)->body;
}

static GVariant *
get_until_the_end (GVariant *args, GError **error)
{
  CrashPart part;
  gint item;

  if (!crash_begin (args, &part, error))
    return NULL;
  while ((item = items_get (part.object, MPROC_FOREVER)) != -1)
    {
      if (item < 0)
        mproc_add32 (&part.stage->n_torn, 1);
      atomic_fetch_add (&part.stage->a, (guint64) item);
      mproc_add32 (&part.stage->taken, 1);
    }
  return NULL;
}

static GVariant *
put_to_sleepers (GVariant *args, GError **error)
{
  CrashPart part;

  if (!crash_begin (args, &part, error))
    return NULL;
  for (guint i = 0; i < 30; i++)
    {
      crash_wait_for_bits (part.stage, &body_of (part.object)->getters.word, 1);
      if (!items_put_next (part.object, part.stage, FALSE))
        mproc_process_exit (9);
    }
  return NULL;
}

static void
make_empty (CrashTrial *trial)
{
  items_fill (trial, 0, 0);
}

static guint32
count_sent (CrashTrial *trial)
{
  return mproc_load32 (&trial->stage->sent) + (trial->plan->moved == CRASH_PUT_MOVED);
}

static gboolean
all_are_taken (CrashTrial *trial)
{
  return mproc_load32 (&trial->stage->taken) >= count_sent (trial);
}

/* Without any other wake: who slept when the waker died gets everything. */
static void
expect_sleepers_get_all (CrashTrial *trial)
{
  MprocQueue *queue = trial->object;
  guint64 n = count_sent (trial);

  crash_wait_until (trial, all_are_taken);
  mproc_queue_shutdown (queue, FALSE);
  crash_end_survivors (trial);
  ck_assert_uint_eq (mproc_load32 (&trial->stage->taken), n);
  ck_assert_uint_eq (mproc_load64 (&trial->stage->a), n * (n - 1) / 2);
  ck_assert_uint_eq (mproc_queue_get_size (queue), 0);
}

#define ROOM 2

static GVariant *
put_until_the_end (GVariant *args, GError **error)
{
  CrashPart part;

  if (!crash_begin (args, &part, error))
    return NULL;
  while (items_put (part.object, (guint32) part.number, TRUE))
    mproc_add32 (&part.stage->sent, 1);
  return NULL;
}

static GVariant *
get_from_sleepers (GVariant *args, GError **error)
{
  CrashPart part;

  if (!crash_begin (args, &part, error))
    return NULL;
  for (guint i = 0; i < 30; i++)
    {
      crash_wait_for_bits (part.stage, &body_of (part.object)->putters.word, 1);
      if (items_get (part.object, MPROC_SECONDS (20)) < 0)
        mproc_process_exit (9);
      mproc_add32 (&part.stage->taken, 1);
    }
  return NULL;
}

static void
make_small (CrashTrial *trial)
{
  items_fill (trial, ROOM, 0);
}

static gboolean
is_full_again (CrashTrial *trial)
{
  return mproc_load32 (&trial->stage->sent) >=
         mproc_load32 (&trial->stage->taken) + ROOM +
             (trial->plan->moved == CRASH_GET_MOVED);
}

static void
expect_sleepers_put_all (CrashTrial *trial)
{
  MprocQueue *queue = trial->object;
  guint32 taken =
      mproc_load32 (&trial->stage->taken) + (trial->plan->moved == CRASH_GET_MOVED);

  crash_wait_until (trial, is_full_again);
  ck_assert (mproc_queue_is_full (queue));
  mproc_queue_shutdown (queue, FALSE);
  crash_end_survivors (trial);
  ck_assert_uint_eq (mproc_load32 (&trial->stage->sent), taken + ROOM);
  for (guint i = 0; i < ROOM; i++)
    ck_assert_int_ge (items_get (queue, 0), 0);
  ck_assert_int_eq (items_get (queue, 0), -1);
}

static const CrashScene of_getters = {
  .set_up = make_empty,
  .doomed = put_to_sleepers,
  .survivor = get_until_the_end,
  .check = expect_sleepers_get_all,
};
static const CrashScene of_putters = {
  .set_up = make_small,
  .doomed = get_from_sleepers,
  .survivor = put_until_the_end,
  .check = expect_sleepers_put_all,
};

/* ------------------------------------------------------------------ tasks */

static GVariant *
do_task (GVariant *args, GError **error)
{
  CrashPart part;

  if (!crash_begin (args, &part, error))
    return NULL;
  crash_wait_for_bits (part.stage, &body_of (part.object)->joiners.word, 1);
  mproc_queue_task_done (part.object, error);
  return NULL;
}

static GVariant *
join_tasks (GVariant *args, GError **error)
{
  CrashPart part;

  if (!crash_begin (args, &part, error))
    return NULL;
  if (!mproc_queue_join (part.object, MPROC_SECONDS (20)))
    mproc_process_exit (9);
  mproc_add32 (&part.stage->progress[part.number], 1);
  return NULL;
}

static void
make_one (CrashTrial *trial)
{
  items_fill (trial, 0, 1);
}

static gboolean
both_have_joined (CrashTrial *trial)
{
  return mproc_load32 (&trial->stage->progress[0]) > 0 &&
         mproc_load32 (&trial->stage->progress[1]) > 0;
}

static void
expect_joined (CrashTrial *trial)
{
  crash_wait_until (trial, both_have_joined);
  ck_assert (!mproc_queue_task_done (trial->object, NULL));
}

static const CrashScene of_tasks = {
  .set_up = make_one,
  .doomed = do_task,
  .survivor = join_tasks,
  .check = expect_joined,
};

/* ------------------------------------------------------------------ the plans */

#define AT(name) .at = MPROC_CRASH_##name
#define FIRST(name) .first = MPROC_CRASH_##name
#define PUT .moved = CRASH_PUT_MOVED
#define GOT .moved = CRASH_GET_MOVED
#define LOSES_BLOCK .lost_blocks = 1

static const CrashPlan plans[] = {
  { AT (PUT_BLOCK_MADE), &of_turns, 3, LOSES_BLOCK },
  { AT (PUT_BLOCK_GUARDED), &of_turns, 3 },
  { AT (PUT_LOCKED), &of_turns, 3 },
  { AT (PUT_ROOM_FOUND), &of_turns, 5 },
  { AT (GIVE_NUMBERED), &of_turns, 3 },
  { AT (GIVE_NOTED), &of_turns, 3 },
  { AT (GIVE_OWNED), &of_turns, 3 },
  { AT (PUT_CLEARED), &of_turns, 5 },
  { AT (PUT_WRAPPED), &of_turns, 3 },
  { AT (PUT_PUBLISHED), &of_turns, 5, PUT },
  { AT (PUT_COUNTED), &of_turns, 5, PUT },
  { AT (GIVE_CLEARED), &of_turns, 3, PUT },
  { AT (GIVE_FINISHED), &of_turns, FIRST (GIVE_OWNED) },
  { AT (PUT_DONE), &of_turns, 3, PUT },
  { AT (PUT_RELEASED), &of_getters, 3, PUT },
  { AT (PUT_WOKE), &of_getters, 3, PUT },
  { AT (TASK_DONE), &of_tasks },
  { AT (LINK_CHUNK_MADE), &of_many_puts, 2, LOSES_BLOCK },
  { AT (LINK_GUARDED), &of_many_puts, 2 },
  { AT (LINK_NOTED), &of_many_puts, 2 },
  { AT (LINK_UNGUARDED), &of_many_puts, 2, LOSES_BLOCK },
  { AT (LINK_MOVED), &of_many_puts, 2 },
  { AT (LINK_PUBLISHED), &of_many_puts, 2 },
  { AT (LINK_DONE), &of_many_puts, 2 },
  { AT (LINK_REPAIRED), &of_many_puts, FIRST (LINK_MOVED) },
  { AT (LINK_FORGOTTEN), &of_many_puts, FIRST (LINK_MOVED) },
  { AT (PUT_RECOUNTED), &of_turns, FIRST (PUT_PUBLISHED) },
  { AT (PUT_REPAIRED), &of_turns, FIRST (PUT_PUBLISHED) },
  { AT (FOLLOW_MOVED), &of_many_gets, 2, LOSES_BLOCK },
  { AT (FOLLOW_SPARED), &of_many_gets, 2, LOSES_BLOCK },
  { AT (GET_LOCKED), &of_turns, 3 },
  { AT (GET_PEEKED), &of_turns, 3 },
  { AT (GET_COPIED), &of_turns, 3 },
  { AT (GET_CLAIMED), &of_claims, 3 },
  { AT (GET_COUNTED), &of_turns, 5 },
  { AT (TAKE_OWNED), &of_turns, 3 },
  { AT (TAKE_NOTED), &of_turns, 3 },
  { AT (TAKE_MOVED), &of_turns, 3, GOT },
  { AT (TAKE_GUARDED), &of_turns, 3, GOT },
  { AT (TAKE_CLEARED), &of_turns, 3, GOT },
  { AT (TAKE_FINISHED), &of_turns, FIRST (TAKE_MOVED) },
  { AT (GET_MOVED), &of_turns, 3, GOT },
  { AT (GET_RELEASED), &of_putters, 3, GOT },
  { AT (GET_BLOCK_COPIED), &of_turns, 3, GOT },
  { AT (GET_BLOCK_DISOWNED), &of_turns, 3, GOT, LOSES_BLOCK },
  { AT (LOAN_CELLS_MADE), &of_turns, LOSES_BLOCK },
  { AT (LOAN_CELLS_LISTED), &of_turns },
  { AT (LOAN_DISOWNED), &of_turns, 3, GOT, LOSES_BLOCK },
  { AT (GET_REPAIRED), &of_turns, FIRST (GET_COUNTED) },
};

#define POINTS(POINT)                                                                    \
  MPROC_CRASH_PUT_POINTS (POINT)                                                         \
  MPROC_CRASH_LINK_POINTS (POINT) MPROC_CRASH_GET_POINTS (POINT)

CRASH_SUITE (crash_queue, "crash-queue", POINTS)
