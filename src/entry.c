/* SPDX-License-Identifier: MIT */
/* An entry's life:
 *
 *   FREE -> MAKING         claimed by its creator, generation raised
 *   MAKING -> LIVE         it has its first holder
 *   LIVE -> DESTROYING     by whoever saw the last reference go; back to LIVE if a holder came in
 *   DESTROYING -> FREE     its body has been destroyed
 *
 * A process killed while MAKING or DESTROYING leaks that entry. */
#include "entry.h"

#include <string.h>

#define ENTRIES_PER_SEGMENT 512
#define N_SEGMENTS 256
#define MAX_ENTRIES (ENTRIES_PER_SEGMENT * N_SEGMENTS)
#define GENERATION_BITS 14
#define GENERATION_MASK ((1u << GENERATION_BITS) - 1)
#define STATE_MASK 0xffu
#define N_INLINE 4
#define N_MORE (8192 / 64 - N_INLINE)

enum
{
  ENTRY_FREE,
  ENTRY_MAKING,
  ENTRY_LIVE,
  ENTRY_DESTROYING
};

typedef struct
{
  MprocAtomic32 word; /* generation << 8 | state */
  MprocAtomic32 kind;
  MprocAtomic64 body;
  MprocAtomic32 in_flight;         /* messages that carry the handle */
  MprocAtomic32 moves;             /* raised when another holder or message has come in */
  MprocAtomic64 holders[N_INLINE]; /* one bit for each member, by slot */
  MprocAtomic64 more; /* offset of the bits of the slots above, made when needed; stays
                                      with the entry, since anybody may be looking at it */
} Entry;

G_STATIC_ASSERT (sizeof (Entry) == 64);

typedef struct
{
  MprocAtomic32 n_entries; /* ever used */
  MprocAtomic32 cursor;
  MprocAtomic64 segments[N_SEGMENTS];
} Table;

static Table *
table (void)
{
  return mproc_arena_at (mproc_load64 (mproc_arena_root (MPROC_ROOT_OBJECTS)),
                         sizeof (Table));
}

gboolean
mproc_object_create_table (GError **error)
{
  MprocOffset offset = mproc_arena_alloc0 (sizeof (Table), error);

  if (offset != 0)
    mproc_store64 (mproc_arena_root (MPROC_ROOT_OBJECTS), offset);
  return offset != 0;
}

static Entry *
entry_at (guint index)
{
  MprocOffset segment = mproc_load64 (&table ()->segments[index / ENTRIES_PER_SEGMENT]);

  return (Entry *) mproc_arena_at (segment, ENTRIES_PER_SEGMENT * sizeof (Entry)) +
         index % ENTRIES_PER_SEGMENT;
}

static guint32
generation_of (MprocHandle handle)
{
  return (guint32) handle & GENERATION_MASK;
}

/* NULL for a handle that cannot be. */
static Entry *
entry_of (MprocHandle handle)
{
  guint index = (guint) handle >> GENERATION_BITS;

  if (handle <= 0 || index >= mproc_load32 (&table ()->n_entries))
    return NULL;
  return entry_at (index);
}

static guint32
make_word (MprocHandle handle, guint32 state)
{
  return generation_of (handle) << 8 | state;
}

gboolean
mproc_entry_is_live (MprocHandle handle)
{
  Entry *entry = entry_of (handle);

  return entry != NULL && atomic_load (&entry->word) == make_word (handle, ENTRY_LIVE);
}

gboolean
mproc_entry_refuse (MprocHandle handle, GError **error)
{
  Entry *entry = entry_of (handle);

  g_set_error (
      error, MPROC_ERROR, MPROC_ERROR_HANDLE, "handle %d is %s", handle,
      entry != NULL && generation_of (handle) != 0
          ? "stale: what it named is gone; keep the object until the value has been sent"
          : "garbage: it names nothing in this family of processes");
  return FALSE;
}

/* ------------------------------------------------------------------ making */

static MprocHandle
try_claim (guint index)
{
  Entry *entry = entry_at (index);
  guint32 word = mproc_load32 (&entry->word);
  guint32 generation = ((word >> 8) + 1) & GENERATION_MASK;

  if (generation == 0)
    generation = 1;
  if ((word & STATE_MASK) != ENTRY_FREE ||
      !mproc_cas32 (&entry->word, word, generation << 8 | ENTRY_MAKING))
    return 0;
  return (MprocHandle) (index << GENERATION_BITS | generation);
}

static MprocHandle
claim_some (guint how_many)
{
  guint n = mproc_load32 (&table ()->n_entries);

  for (guint i = 0; i < MIN (how_many, n); i++)
    {
      MprocHandle handle = try_claim (mproc_add32 (&table ()->cursor, 1) % n);

      if (handle != 0)
        return handle;
    }
  return 0;
}

static gboolean
add_segment (guint which, GError **error)
{
  MprocAtomic64 *segment = &table ()->segments[which];
  MprocOffset fresh;

  if (mproc_load64 (segment) != 0)
    return TRUE;
  fresh = mproc_arena_alloc0 (ENTRIES_PER_SEGMENT * sizeof (Entry), error);
  if (fresh == 0)
    return FALSE;
  if (!mproc_cas64 (segment, 0, fresh))
    mproc_arena_free (fresh);
  return TRUE;
}

/* A few looks for a free one, then a new one, and only a full table is searched whole. */
static MprocHandle
claim (GError **error)
{
  guint n;

  for (;;)
    {
      MprocHandle handle = claim_some (8);

      if (handle != 0)
        return handle;
      n = mproc_load32 (&table ()->n_entries);
      if (n >= MAX_ENTRIES)
        break;
      if (!add_segment (n / ENTRIES_PER_SEGMENT, error))
        return 0;
      if (mproc_cas32 (&table ()->n_entries, n, n + 1) && (handle = try_claim (n)) != 0)
        return handle;
    }
  if ((n = (guint) claim_some (MAX_ENTRIES)) == 0)
    g_set_error (error, MPROC_ERROR, MPROC_ERROR_NO_MEMORY,
                 "%d shared objects exist, that is the limit", MAX_ENTRIES);
  return (MprocHandle) n;
}

MprocHandle
mproc_entry_new (MprocKind kind, MprocOffset body, GError **error)
{
  MprocHandle handle = claim (error);
  Entry *entry;

  if (handle == 0)
    return 0;
  entry = entry_of (handle);
  mproc_store32 (&entry->kind, kind);
  mproc_store64 (&entry->body, body);
  mproc_store32 (&entry->in_flight, 0);
  return handle;
}

void
mproc_entry_go_live (MprocHandle handle)
{
  mproc_store32 (&entry_of (handle)->word, make_word (handle, ENTRY_LIVE));
}

void
mproc_entry_give_up (MprocHandle handle)
{
  mproc_store32 (&entry_of (handle)->word, make_word (handle, ENTRY_FREE));
}

MprocHandle
mproc_handle_new_permanent (MprocKind kind, MprocOffset body, GError **error)
{
  MprocHandle handle = mproc_entry_new (kind, body, error);

  if (handle != 0)
    {
      mproc_store32 (&entry_of (handle)->in_flight, 1);
      mproc_entry_go_live (handle);
    }
  return handle;
}

MprocHandle
mproc_handle_find (MprocKind kind,
                   gboolean (*match) (MprocOffset body, gpointer data),
                   gpointer data)
{
  guint n = mproc_load32 (&table ()->n_entries);

  for (guint i = 0; i < n; i++)
    {
      Entry *entry = entry_at (i);
      guint32 word = mproc_load32 (&entry->word);

      if ((word & STATE_MASK) == ENTRY_LIVE &&
          mproc_load32 (&entry->kind) == (guint32) kind &&
          match (mproc_load64 (&entry->body), data) &&
          mproc_load32 (&entry->word) == word)
        return (MprocHandle) (i << GENERATION_BITS | word >> 8);
    }
  return 0;
}

/* ------------------------------------------------------------------ looking */

MprocOffset
mproc_entry_get_body (MprocHandle handle)
{
  return mproc_load64 (&entry_of (handle)->body);
}

MprocKind
mproc_handle_get_kind (MprocHandle handle)
{
  return mproc_entry_is_live (handle)
             ? (MprocKind) mproc_load32 (&entry_of (handle)->kind)
             : MPROC_KIND_NONE;
}

MprocOffset
mproc_handle_get_body (MprocHandle handle, MprocKind kind, GError **error)
{
  MprocKind found = mproc_handle_get_kind (handle);

  if (found == kind)
    return mproc_entry_get_body (handle);
  if (found == MPROC_KIND_NONE)
    mproc_entry_refuse (handle, error);
  else
    g_set_error (error, MPROC_ERROR, MPROC_ERROR_HANDLE, "handle %d names no %s", handle,
                 kind == MPROC_KIND_FUNCTION ? "function" : "object of that kind");
  return 0;
}

/* ------------------------------------------------------------------ references */

/* The word with a slot's bit; NULL where there is none (and none shall be or could be
 * made). */
static MprocAtomic64 *
bits_of (Entry *entry, guint slot, gboolean make)
{
  guint which = slot / 64;
  MprocOffset more;

  if (which < N_INLINE)
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
         which - N_INLINE;
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
  MprocAtomic64 *bits = bits_of (entry_of (handle), slot, TRUE);

  if (bits == NULL)
    return FALSE;
  atomic_fetch_or (bits, bit_of (slot));
  atomic_fetch_add (&entry_of (handle)->moves, 1);
  return TRUE;
}

/* What the handle names may be gone, and another object in its entry, whose bit is not
 * ours to clear. */
gboolean
mproc_entry_drop_bit (MprocHandle handle, MprocMember member)
{
  Entry *entry = entry_of (handle);
  guint slot = MPROC_MEMBER_SLOT (member);
  MprocAtomic64 *bits;

  if (mproc_load32 (&entry->word) >> 8 != generation_of (handle))
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
look_for_holder (Entry *entry)
{
  MprocOffset more = mproc_load64 (&entry->more);

  if (atomic_load (&entry->in_flight) != 0)
    return TRUE;
  for (guint i = 0; i < N_INLINE; i++)
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
is_held (Entry *entry)
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
destroy (Entry *entry, MprocHandle handle)
{
  const MprocClass *class_ =
      mproc_object_get_class ((MprocKind) mproc_load32 (&entry->kind));
  MprocOffset body = mproc_load64 (&entry->body);

  if (class_ != NULL && class_->destroy != NULL && body != 0)
    class_->destroy (body);
  mproc_store64 (&entry->body, 0);
  mproc_crash_order ();
  mproc_store32 (&entry->word, make_word (handle, ENTRY_FREE));
}

void
mproc_entry_check_last (MprocHandle handle)
{
  Entry *entry = entry_of (handle);
  guint32 live = make_word (handle, ENTRY_LIVE);
  guint32 destroying = make_word (handle, ENTRY_DESTROYING);

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
  Entry *entry = entry_of (handle);

  if (!mproc_entry_is_live (handle))
    return mproc_entry_refuse (handle, error);
  if (mproc_load32 (&entry->kind) == MPROC_KIND_FUNCTION)
    return TRUE;
  atomic_fetch_add (&entry->in_flight, 1);
  atomic_fetch_add (&entry->moves, 1);
  if (mproc_entry_is_live (handle))
    return TRUE;
  atomic_fetch_sub (&entry->in_flight, 1);
  return mproc_entry_refuse (handle, error);
}

void
mproc_handle_drop (MprocHandle handle)
{
  Entry *entry = entry_of (handle);

  if (entry == NULL || mproc_load32 (&entry->kind) == MPROC_KIND_FUNCTION)
    return;
  if (atomic_fetch_sub (&entry->in_flight, 1) == 1)
    mproc_entry_check_last (handle);
}

void
mproc_object_sweep (MprocMember dead)
{
  guint n = mproc_load32 (&table ()->n_entries);

  for (guint i = 0; i < n; i++)
    {
      Entry *entry = entry_at (i);
      guint32 word = mproc_load32 (&entry->word);

      if ((word & STATE_MASK) != ENTRY_FREE)
        mproc_entry_clear_bit ((MprocHandle) (i << GENERATION_BITS | word >> 8), dead);
    }
}
