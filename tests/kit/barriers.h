/* SPDX-License-Identifier: MIT */
/* What the suites about barriers share. */
#ifndef MPROC_TEST_BARRIERS_H
#define MPROC_TEST_BARRIERS_H

#include "processes.h"

#include "arena/arena.h"
#include "arena/word.h"
#include "sync/rounds.h"

#define MAX_PARTIES 8

/* In the arena. */
typedef struct
{
  MprocAtomic32 n_actions;
  MprocAtomic32 n_wrong;
  MprocAtomic32 stop;
  MprocAtomic32 n_passed;
  MprocAtomic32 indices[MAX_PARTIES]; /* how often each was given */
} Shared;

typedef struct
{
  MprocBarrier *barrier;
  MprocQueue *queue; /* what the children have to say */
  MprocOffset block;
  Shared *shared;
} Fixture;

/* What is said instead of an index. */
enum
{
  SAYS_BROKEN = -1,
  SAYS_ACTION_FAILED = -2,
  SAYS_ELSE = -3,
  SAYS_RUNS = -4
};

static inline Fixture
set_up_with (guint parties, MprocFunc action, gint64 timeout_us)
{
  GError *error = NULL;
  Fixture self;

  self.queue = mproc_queue_new (0, NULL);
  self.block = mproc_arena_alloc0 (sizeof (Shared), NULL);
  ck_assert (self.queue != NULL && self.block != 0);
  self.shared = mproc_arena_at (self.block, sizeof (Shared));
  self.barrier = mproc_barrier_new (parties, action,
                                    mproc_pack ("(hx)", self.queue, (gint64) self.block),
                                    timeout_us, &error);
  ck_assert_msg (self.barrier != NULL, "%s", error != NULL ? error->message : "");
  return self;
}

static inline Fixture
set_up (guint parties)
{
  return set_up_with (parties, NULL, MPROC_FOREVER);
}

static inline void
tear_down (Fixture *self)
{
  mproc_barrier_unref (self->barrier);
  mproc_queue_unref (self->queue);
  mproc_arena_free (self->block);
}

/* The index, or one of the above. */
static inline gint
wait_at (MprocBarrier *barrier, gint64 timeout_us)
{
  GError *error = NULL;
  gint index = mproc_barrier_wait (barrier, timeout_us, &error);

  if (index >= 0 && error == NULL)
    return index;
  if (g_error_matches (error, MPROC_ERROR, MPROC_ERROR_BROKEN_BARRIER))
    index = SAYS_BROKEN;
  else if (g_error_matches (error, MPROC_ERROR, MPROC_ERROR_FAILED))
    index = SAYS_ACTION_FAILED;
  else
    index = SAYS_ELSE;
  g_clear_error (&error);
  return index;
}

static inline MprocProcess *
start (int i, const Fixture *self, MprocFunc func, gint64 number)
{
  return mproc_test_start (i, func,
                           mproc_pack ("(hhxx)", self->barrier, self->queue,
                                       (gint64) self->block, number));
}

static inline gboolean
unpack (GVariant *args, Fixture *self, gint64 *number, GError **error)
{
  gint64 block;

  if (!mproc_unpack (args, error, "(&h&hxx)", &self->barrier, &self->queue, &block,
                     number))
    return FALSE;
  self->block = (MprocOffset) block;
  self->shared = mproc_arena_at (self->block, sizeof (Shared));
  return TRUE;
}

/* Waits once, and says what came of it. */
static inline GVariant *
wait_once (GVariant *args, GError **error)
{
  gint64 timeout_us;
  Fixture self;

  if (unpack (args, &self, &timeout_us, error))
    mproc_test_tell (self.queue, wait_at (self.barrier, timeout_us));
  return NULL;
}

typedef struct
{
  MprocBarrier *barrier;
  guint n;
} Expected;

static inline gboolean
are_so_many (gpointer data)
{
  Expected *expected = data;

  return mproc_barrier_get_n_waiting (expected->barrier) == expected->n;
}

static inline void
expect_n_waiting (MprocBarrier *barrier, guint n)
{
  Expected expected = { barrier, n };

  /* Twice the patience, for slow machines. */
  ck_assert (mproc_test_eventually (are_so_many, &expected) ||
             mproc_test_eventually (are_so_many, &expected));
}

static inline MprocProcess *
start_waiter (int i, const Fixture *self, gint64 timeout_us)
{
  guint n = mproc_barrier_get_n_waiting (self->barrier);
  MprocProcess *process = start (i, self, wait_once, timeout_us);

  expect_n_waiting (self->barrier, n + 1);
  return process;
}

static inline void
kill_one (MprocProcess *process)
{
  ck_assert (mproc_process_kill (process, NULL));
  ck_assert (mproc_process_join (process, MPROC_FOREVER));
  mproc_process_unref (process);
}

static inline GVariant *
count_actions (GVariant *args, GError **error)
{
  MprocQueue *queue;
  gint64 block;

  if (!mproc_unpack (args, error, "(&hx)", &queue, &block))
    return NULL;
  mproc_add32 (&((Shared *) mproc_arena_at ((MprocOffset) block, sizeof (Shared)))
                    ->n_actions,
               1);
  return g_variant_new_string ("dropped");
}

static inline guint
n_rounds (guint normal)
{
  return (guint) mproc_test_scale ((gint) (mproc_test_is_slow_platform () ? normal / 50
                                                                          : normal));
}

/* Says that it runs, and ends when it is told to. */
static inline GVariant *
run_until_stopped (GVariant *args, GError **error)
{
  MprocQueue *queue;
  Shared *shared;
  gint64 block;

  if (!mproc_unpack (args, error, "(&hx)", &queue, &block))
    return NULL;
  shared = mproc_arena_at ((MprocOffset) block, sizeof (Shared));
  mproc_test_tell (queue, SAYS_RUNS);
  while (mproc_load32 (&shared->stop) == 0)
    mproc_word_wait (&shared->stop, 0, MPROC_OS_NEVER);
  return NULL;
}

#endif
