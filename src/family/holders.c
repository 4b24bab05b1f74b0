/* SPDX-License-Identifier: MIT */
/* Who holds an entry: members by their bits, messages by a count; and its end when nobody does. */
#include "family/entrydata.h"

#define N_MORE (8192 / 64 - MPROC_N_INLINE_HOLDERS)

/* The word with a slot's bit; NULL where there is none (and none shall be or could be
 * made). */
static MprocAtomic64 *
bits_of (MprocEntry *entry, guint slot, gboolean make)
{
  guint which = slot / 64;
  MprocOffset more;

  if (which < MPROC_N_INLINE_HOLDERS)
    return &entry->holders[which];
  more = mproc_load64 (&entry->more);
  if (more == 0 && make)
    {
      MprocOffset fresh = mproc_arena_alloc0 (N_MORE * sizeof (MprocAtomic64), NULL);

      if (fresh != 0 && !mproc_cas64 (&entry->more, 0, fresh))
        mproc_arena_free (fresh);
      more = mproc_load64 (&entry->more);
    }
  if (more == 0)
    return NULL;
  return (MprocAtomic64 *) mproc_arena_at (more, N_MORE * sizeof (MprocAtomic64)) +
         which - MPROC_N_INLINE_HOLDERS;
}

static guint64
bit_of (guint slot)
{
  return G_GUINT64_CONSTANT (1) << slot % 64;
}

gboolean
mproc_entry_set_bit (MprocHandle handle, MprocMember member)
{
  guint slot = MPROC_MEMBER_SLOT (member);
  MprocAtomic64 *bits = bits_of (mproc_entry_of (handle), slot, TRUE);

  if (bits == NULL)
    return FALSE;
  atomic_fetch_or (bits, bit_of (slot));
  MPROC_CRASH_POINT (HOLDER_SET);
  atomic_fetch_add (&mproc_entry_of (handle)->moves, 1);
  return TRUE;
}

/* What the handle names may be gone, and another object in its entry, whose bit is not
 * ours to clear. */
gboolean
mproc_entry_drop_bit (MprocHandle handle, MprocMember member)
{
  MprocEntry *entry = mproc_entry_of (handle);
  guint slot = MPROC_MEMBER_SLOT (member);
  MprocAtomic64 *bits;

  if (mproc_load32 (&entry->word) >> 8 != mproc_handle_generation (handle))
    return FALSE;
  bits = bits_of (entry, slot, FALSE);
  return bits != NULL && (atomic_fetch_and (bits, ~bit_of (slot)) & bit_of (slot)) != 0;
}

void
mproc_entry_clear_bit (MprocHandle handle, MprocMember member)
{
  if (mproc_entry_drop_bit (handle, member))
    mproc_entry_check_last (handle);
}

static gboolean
look_for_holder (MprocEntry *entry)
{
  MprocOffset more = mproc_load64 (&entry->more);

  if (atomic_load (&entry->in_flight) != 0)
    return TRUE;
  for (guint i = 0; i < MPROC_N_INLINE_HOLDERS; i++)
    if (atomic_load (&entry->holders[i]) != 0)
      return TRUE;
  for (guint i = 0; more != 0 && i < N_MORE; i++)
    if (atomic_load ((MprocAtomic64 *) mproc_arena_at (more, N_MORE * 8) + i) != 0)
      return TRUE;
  return FALSE;
}

/* A reference may move behind our back while we look, from a bit to a message to
 * another bit; the one who moves it raises the count of moves before he lets go of the
 * first. */
static gboolean
is_held (MprocEntry *entry)
{
  guint32 moves;
  gboolean held;

  do
    {
      moves = atomic_load (&entry->moves);
      held = look_for_holder (entry);
    }
  while (!held && atomic_load (&entry->moves) != moves);
  return held;
}

static void
destroy (MprocEntry *entry, MprocHandle handle)
{
  const MprocClass *class_ =
      mproc_object_get_class ((MprocKind) mproc_load32 (&entry->kind));
  MprocOffset body = mproc_load64 (&entry->body);

  MPROC_CRASH_POINT (DESTROY_BEGUN);
  if (class_ != NULL && class_->destroy != NULL && body != 0)
    class_->destroy (body);
  MPROC_CRASH_POINT (DESTROY_FREED);
  mproc_store64 (&entry->body, 0);
  mproc_crash_order ();
  MPROC_CRASH_POINT (DESTROY_CLEARED);
  mproc_store32 (&entry->word, mproc_entry_word (handle, MPROC_ENTRY_FREE));
}

void
mproc_entry_check_last (MprocHandle handle)
{
  MprocEntry *entry = mproc_entry_of (handle);
  guint32 live = mproc_entry_word (handle, MPROC_ENTRY_LIVE);
  guint32 destroying = mproc_entry_word (handle, MPROC_ENTRY_DESTROYING);

  mproc_classes_prepare ();
  while (!is_held (entry))
    {
      guint32 expected = live;

      if (!atomic_compare_exchange_strong (&entry->word, &expected, destroying))
        return;
      /* An opener sets its bit, then looks at the state: either it sees ours, or we its
       * bit. */
      if (!is_held (entry))
        {
          destroy (entry, handle);
          return;
        }
      atomic_store (&entry->word, live);
    }
}

gboolean
mproc_handle_send (MprocHandle handle, GError **error)
{
  MprocEntry *entry = mproc_entry_of (handle);

  if (!mproc_entry_is_live (handle))
    return mproc_entry_refuse (handle, error);
  if (mproc_load32 (&entry->kind) == MPROC_KIND_FUNCTION)
    return TRUE;
  atomic_fetch_add (&entry->in_flight, 1);
  MPROC_CRASH_POINT (SEND_COUNTED);
  atomic_fetch_add (&entry->moves, 1);
  MPROC_CRASH_POINT (SEND_MOVED);
  if (mproc_entry_is_live (handle))
    return TRUE;
  atomic_fetch_sub (&entry->in_flight, 1);
  return mproc_entry_refuse (handle, error);
}

void
mproc_handle_drop (MprocHandle handle)
{
  MprocEntry *entry = mproc_entry_of (handle);

  if (entry == NULL || mproc_load32 (&entry->kind) == MPROC_KIND_FUNCTION)
    return;
  if (atomic_fetch_sub (&entry->in_flight, 1) != 1)
    return;
  MPROC_CRASH_POINT (DROP_COUNTED);
  mproc_entry_check_last (handle);
}

void
mproc_object_sweep (MprocMember dead)
{
  guint n = mproc_entry_count ();

  for (guint i = 0; i < n; i++)
    {
      MprocEntry *entry = mproc_entry_at (i);
      guint32 word = mproc_load32 (&entry->word);
      MprocHandle handle = (MprocHandle) (i << MPROC_ENTRY_GENERATION_BITS | word >> 8);

      if ((word & MPROC_ENTRY_STATE) == MPROC_ENTRY_FREE)
        continue;
      if (mproc_entry_drop_bit (handle, dead))
        MPROC_CRASH_POINT (SWEEP_BIT_DROPPED);
      /* Also where it had no bit: it may have died just after it had let go of the last
       * reference, or the sweeper before us did. */
      mproc_entry_check_last (handle);
    }
}
