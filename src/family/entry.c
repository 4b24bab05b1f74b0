/* SPDX-License-Identifier: MIT */
/* An entry's life:
 *
 *   FREE -> MAKING         claimed by its creator, generation raised
 *   MAKING -> LIVE         it has its first holder
 *   LIVE -> DESTROYING     by whoever saw the last reference go; back to LIVE if a holder came in
 *   DESTROYING -> FREE     its body has been destroyed
 *
 * A process killed while MAKING or DESTROYING leaks that entry. */
#include "family/entrydata.h"

#include "arena/table.h"

#define ENTRIES_PER_SEGMENT 512
#define N_SEGMENTS 256
#define MAX_ENTRIES (ENTRIES_PER_SEGMENT * N_SEGMENTS)

static const MprocTable table = { MPROC_ROOT_OBJECTS, sizeof (MprocEntry),
                                  ENTRIES_PER_SEGMENT, N_SEGMENTS };

gboolean
mproc_object_create_table (GError **error)
{
  return mproc_table_create (&table, error);
}

guint
mproc_entry_count (void)
{
  return mproc_table_count (&table);
}

MprocEntry *
mproc_entry_at (guint index)
{
  return mproc_table_at (&table, index);
}

MprocEntry *
mproc_entry_of (MprocHandle handle)
{
  guint index = (guint) handle >> MPROC_ENTRY_GENERATION_BITS;

  if (handle <= 0 || index >= mproc_entry_count ())
    return NULL;
  return mproc_entry_at (index);
}

/* Of a handle that does name an entry. */
static MprocEntry *
known (MprocHandle handle)
{
  return mproc_entry_at ((guint) handle >> MPROC_ENTRY_GENERATION_BITS);
}

gboolean
mproc_entry_is_live (MprocHandle handle)
{
  MprocEntry *entry = mproc_entry_of (handle);

  return entry != NULL &&
         atomic_load (&entry->word) == mproc_entry_word (handle, MPROC_ENTRY_LIVE);
}

gboolean
mproc_entry_refuse (MprocHandle handle, GError **error)
{
  MprocEntry *entry = mproc_entry_of (handle);

  g_set_error (
      error, MPROC_ERROR, MPROC_ERROR_HANDLE, "handle %d is %s", handle,
      entry != NULL && mproc_handle_generation (handle) != 0
          ? "stale: what it named is gone; keep the object until the value has been sent"
          : "garbage: it names nothing in this family of processes");
  return FALSE;
}

/* ------------------------------------------------------------------ making */

static MprocHandle
try_claim (guint index)
{
  MprocEntry *entry = mproc_entry_at (index);
  guint32 word = mproc_load32 (&entry->word);
  guint32 generation = ((word >> 8) + 1) & MPROC_ENTRY_GENERATION;

  if (generation == 0)
    generation = 1;
  if ((word & MPROC_ENTRY_STATE) != MPROC_ENTRY_FREE ||
      !mproc_cas32 (&entry->word, word, generation << 8 | MPROC_ENTRY_MAKING))
    return 0;
  return (MprocHandle) (index << MPROC_ENTRY_GENERATION_BITS | generation);
}

static MprocHandle
claim_some (guint how_many)
{
  guint n = mproc_entry_count ();

  for (guint i = 0; i < MIN (how_many, n); i++)
    {
      MprocHandle handle = try_claim (mproc_table_next (&table, n));

      if (handle != 0)
        return handle;
    }
  return 0;
}

/* How often to look for a free one before there is a new one.  Where a new one takes memory that
 * is not given back, so often that the table gets no larger than four times what was in use at
 * once, even if all of that lies together. */
static guint
choose_looks (guint n)
{
  return n % ENTRIES_PER_SEGMENT == 0 ? MAX (n / 4, 8) : 8;
}

/* A full table is searched whole, and so is one that cannot grow. */
static MprocHandle
claim (GError **error)
{
  GError *reason = NULL;
  MprocHandle handle;

  for (;;)
    {
      guint n = mproc_entry_count ();

      if ((handle = claim_some (choose_looks (n))) != 0)
        return handle;
      if (n >= MAX_ENTRIES || !mproc_table_grow (&table, n, &reason))
        break;
      if ((handle = try_claim (n)) != 0)
        return handle;
    }
  if ((handle = claim_some (MAX_ENTRIES)) != 0)
    g_clear_error (&reason);
  else if (reason != NULL)
    g_propagate_error (error, reason);
  else
    g_set_error (
        error, MPROC_ERROR, MPROC_ERROR_NO_MEMORY,
        "%d shared objects exist, that is the limit; unref those that are not needed",
        MAX_ENTRIES);
  return handle;
}

MprocHandle
mproc_entry_new (MprocKind kind, MprocOffset body, GError **error)
{
  MprocHandle handle = claim (error);
  MprocEntry *entry;

  if (handle == 0)
    return 0;
  MPROC_CRASH_POINT (ENTRY_CLAIMED);
  entry = mproc_entry_of (handle);
  mproc_store32 (&entry->kind, kind);
  mproc_store64 (&entry->body, body);
  mproc_store32 (&entry->in_flight, 0);
  MPROC_CRASH_POINT (ENTRY_FILLED);
  return handle;
}

void
mproc_entry_go_live (MprocHandle handle)
{
  mproc_store32 (&known (handle)->word, mproc_entry_word (handle, MPROC_ENTRY_LIVE));
}

void
mproc_entry_give_up (MprocHandle handle)
{
  mproc_store32 (&known (handle)->word, mproc_entry_word (handle, MPROC_ENTRY_FREE));
}

MprocHandle
mproc_handle_new_permanent (MprocKind kind, MprocOffset body, GError **error)
{
  MprocHandle handle = mproc_entry_new (kind, body, error);

  if (handle != 0)
    {
      mproc_store32 (&known (handle)->in_flight, 1);
      MPROC_CRASH_POINT (TICKET_COUNTED);
      mproc_entry_go_live (handle);
      MPROC_CRASH_POINT (TICKET_LIVE);
    }
  return handle;
}

MprocHandle
mproc_handle_find (MprocKind kind,
                   gboolean (*match) (MprocOffset body, gpointer data),
                   gpointer data)
{
  guint n = mproc_entry_count ();

  for (guint i = 0; i < n; i++)
    {
      MprocEntry *entry = mproc_entry_at (i);
      guint32 word = mproc_load32 (&entry->word);

      if ((word & MPROC_ENTRY_STATE) == MPROC_ENTRY_LIVE &&
          mproc_load32 (&entry->kind) == (guint32) kind &&
          match (mproc_load64 (&entry->body), data) &&
          mproc_load32 (&entry->word) == word)
        return (MprocHandle) (i << MPROC_ENTRY_GENERATION_BITS | word >> 8);
    }
  return 0;
}

/* ------------------------------------------------------------------ looking */

MprocOffset
mproc_entry_get_body (MprocHandle handle)
{
  return mproc_load64 (&known (handle)->body);
}

MprocKind
mproc_handle_get_kind (MprocHandle handle)
{
  return mproc_entry_is_live (handle) ? (MprocKind) mproc_load32 (&known (handle)->kind)
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
