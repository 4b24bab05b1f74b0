/* SPDX-License-Identifier: MIT */
/* What the suites about conditions share. */
#ifndef MPROC_TEST_CONDITIONS_H
#define MPROC_TEST_CONDITIONS_H

#include "processes.h"

#include "arena/arena.h"
#include "arena/word.h"

/* In the arena. */
typedef struct
{
  MprocAtomic32 stage;
  MprocAtomic32 n_put;
  MprocAtomic32 n_taken;
  MprocAtomic32 stop;
  MprocAtomic64 sum;
  guint32 ring[8];
} Shared;

typedef struct
{
  MprocCondition *condition;
  MprocQueue *queue; /* what the children have to say */
  MprocOffset block;
  Shared *shared;
} Fixture;

static inline Fixture
set_up (gpointer lock)
{
  Fixture self;

  self.condition = mproc_condition_new (lock, NULL);
  self.queue = mproc_queue_new (0, NULL);
  self.block = mproc_arena_alloc0 (sizeof (Shared), NULL);
  ck_assert (self.condition != NULL && self.queue != NULL && self.block != 0);
  self.shared = mproc_arena_at (self.block, sizeof (Shared));
  return self;
}

static inline void
tear_down (Fixture *self)
{
  mproc_condition_unref (self->condition);
  mproc_queue_unref (self->queue);
  mproc_arena_free (self->block);
}

static inline MprocProcess *
start (int i, const Fixture *self, MprocFunc func, gint number)
{
  return mproc_test_start (i, func,
                           mproc_pack ("(hhxi)", self->condition, self->queue,
                                       (gint64) self->block, number));
}

static inline gboolean
unpack (GVariant *args, Fixture *self, gint *number, GError **error)
{
  gint64 block;

  if (!mproc_unpack (args, error, "(&h&hxi)", &self->condition, &self->queue, &block,
                     number))
    return FALSE;
  self->block = (MprocOffset) block;
  self->shared = mproc_arena_at (self->block, sizeof (Shared));
  return TRUE;
}

static inline void
acquire (MprocCondition *condition)
{
  ck_assert_int_eq (mproc_condition_acquire (condition, MPROC_SECONDS (30)),
                    MPROC_LOCK_STATUS_ACQUIRED);
}

static inline void
release (MprocCondition *condition)
{
  ck_assert (mproc_condition_release (condition, NULL));
}

static inline void
notify (MprocCondition *condition, guint n)
{
  acquire (condition);
  ck_assert (mproc_condition_notify (condition, n, NULL));
  release (condition);
}

/* Its own number when it is about to wait, which it does before the lock is free again; and then
 * 100 times the stage in which it has the lock again. */
static inline GVariant *
wait_once (GVariant *args, GError **error)
{
  MprocLockStatus status;
  Fixture self;
  gint number;

  if (!unpack (args, &self, &number, error))
    return NULL;
  mproc_condition_acquire (self.condition, MPROC_FOREVER);
  mproc_test_tell (self.queue, number);
  status = mproc_condition_wait (self.condition, MPROC_FOREVER, error);
  if (status == MPROC_LOCK_STATUS_ACQUIRED)
    mproc_test_tell (self.queue,
                     number + 100 * (gint) mproc_load32 (&self.shared->stage));
  mproc_condition_release (self.condition, NULL);
  return NULL;
}

/* It is in the list when this is over. */
static inline MprocProcess *
start_waiter (int i, const Fixture *self, gint number)
{
  MprocProcess *process = start (i, self, wait_once, number);

  mproc_test_expect_number (self->queue, number);
  acquire (self->condition);
  release (self->condition);
  return process;
}

static inline void
kill_one (MprocProcess *process, gboolean join)
{
  ck_assert (mproc_process_kill (process, NULL));
  if (join)
    ck_assert (mproc_process_join (process, MPROC_FOREVER));
}

static inline void
bury (MprocProcess *process)
{
  mproc_process_join (process, MPROC_FOREVER);
  mproc_process_unref (process);
}

/* Two of the numbers, in any order: they race for the lock. */
static inline void
expect_two (MprocQueue *queue, gint a, gint b)
{
  gint first = mproc_test_hear (queue, MPROC_SECONDS (30));

  ck_assert (first == a || first == b);
  mproc_test_expect_number (queue, a + b - first);
}

static inline gboolean
is_positive (gpointer data)
{
  return --*(gint *) data >= 0;
}

static inline MprocLockStatus
wait_for_asks (MprocCondition *condition, gint *asks, gint64 timeout_us, GError **error)
{
  return mproc_condition_wait_for (condition, is_positive, asks, timeout_us, error);
}

#endif
