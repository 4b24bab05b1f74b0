/* SPDX-License-Identifier: MIT */
/* An event is one word:
 *
 *   IS_SET       the flag
 *   IS_AWAITED   somebody may be sleeping, which only is while the flag is not set
 *   above        how often the flag was set, so that one who waits sees that it was, even if it
 *                is cleared again before he has woken
 *
 * Who sleeps sleeps on that word: one who is a moment late finds it changed, whatever the others
 * have done meanwhile. */
#include "arena/word.h"
#include "family/classes.h"
#include "family/plain.h"

#include <mproc/event.h>

#define IS_SET 1u
#define IS_AWAITED 2u
#define ONE_MORE 4u

struct MprocEvent
{
  MprocPlain plain;
};

#define IS_EVENT(self) MPROC_OBJECT_IS (self, MPROC_KIND_EVENT)

static inline MprocAtomic32 *
word_of (MprocEvent *self)
{
  return self->plain.body;
}

const MprocClass *
mproc_event_get_class (void)
{
  static const MprocClass event_class = {
    .name = "event",
    .kind = MPROC_KIND_EVENT,
    .open = mproc_plain_open,
    .close = mproc_plain_close,
    .destroy = mproc_arena_free,
  };

  return &event_class;
}

MprocEvent *
mproc_event_new (GError **error)
{
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return mproc_plain_new_zeros (mproc_event_get_class (), sizeof (MprocAtomic32), error);
}

MprocEvent *
mproc_event_ref (MprocEvent *self)
{
  g_return_val_if_fail (IS_EVENT (self), NULL);

  return (MprocEvent *) mproc_object_ref (&self->plain.object);
}

void
mproc_event_unref (MprocEvent *self)
{
  g_return_if_fail (self == NULL || IS_EVENT (self));

  if (self != NULL)
    mproc_object_unref (&self->plain.object);
}

void
mproc_event_set (MprocEvent *self)
{
  MprocAtomic32 *word;
  guint32 before;

  g_return_if_fail (IS_EVENT (self));

  word = word_of (self);
  /* What the caller has done before, for the waiters to find, comes before the look whether it
   * is set already: one who clears it just now and then looks for that must not miss both. */
  atomic_thread_fence (memory_order_seq_cst);
  before = mproc_load32 (word);
  do
    if (before & IS_SET)
      return;
  while (!atomic_compare_exchange_weak (word, &before,
                                        ((before & ~IS_AWAITED) + ONE_MORE) | IS_SET));
  MPROC_CRASH_POINT (EVENT_SET);
  /* Killed here, it has been set, and the sleepers see that after their nap. */
  if (before & IS_AWAITED)
    mproc_word_wake (word, G_MAXINT32);
}

void
mproc_event_clear (MprocEvent *self)
{
  g_return_if_fail (IS_EVENT (self));

  atomic_fetch_and (word_of (self), ~IS_SET);
  atomic_thread_fence (memory_order_seq_cst); /* see mproc_event_set */
}

gboolean
mproc_event_is_set (MprocEvent *self)
{
  g_return_val_if_fail (IS_EVENT (self), FALSE);

  return (mproc_load32 (word_of (self)) & IS_SET) != 0;
}

/* Whether it is set, or has been since the word was @before. */
static gboolean
is_over (guint32 word, guint32 before)
{
  return (word & IS_SET) != 0 || word / ONE_MORE != before / ONE_MORE;
}

static gboolean
wait_slowly (MprocAtomic32 *word, guint32 before, gint64 deadline)
{
  for (;;)
    {
      guint32 now = mproc_load32 (word);

      if (is_over (now, before))
        return TRUE;
      if (deadline != MPROC_OS_NEVER && g_get_monotonic_time () >= deadline)
        return FALSE;
      if ((now & IS_AWAITED) || mproc_cas32 (word, now, now | IS_AWAITED))
        {
          MPROC_CRASH_POINT (EVENT_AWAITED);
          mproc_word_wait (word, now | IS_AWAITED, deadline);
        }
    }
}

gboolean
mproc_event_wait (MprocEvent *self, gint64 timeout_us)
{
  guint32 before;

  g_return_val_if_fail (IS_EVENT (self), FALSE);
  g_return_val_if_fail (MPROC_IS_TIMEOUT (timeout_us), FALSE);

  before = mproc_load32 (word_of (self));
  if (before & IS_SET)
    return TRUE;
  return wait_slowly (word_of (self), before, mproc_deadline (timeout_us));
}
