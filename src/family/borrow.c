/* SPDX-License-Identifier: MIT */
/* Each process slot has a list of segments of cells, each cell one word: the block that is
 * lent, or 0.  A segment is prepended by one store, and stays as long as the process, so a
 * sweep can walk the list whenever the process died.  Which cells are free is known to
 * the process alone. */
#include "family/borrow.h"

#include "family/local.h"
#include "family/slotdata.h"

#define N_CELLS 61 /* the segment and the block's header are 512 bytes */

typedef struct
{
  MprocAtomic64 next;
  MprocBorrowCell cells[N_CELLS];
} Segment;

typedef struct
{
  MprocBorrowCell *cell;
  MprocMember process;
} Loan;

/* Under the local lock: free cells, of that process. */
static GPtrArray *free_cells;
static MprocMember owner_of_cells;

static Segment *
segment_at (MprocOffset offset)
{
  return mproc_arena_at (offset, sizeof (Segment));
}

/* Under the local lock.  Killed before the last store: the segment is lost. */
static gboolean
add_segment (MprocMember self, GError **error)
{
  MprocAtomic64 *head = &mproc_slot_of (self)->borrowed;
  MprocOffset offset = mproc_arena_alloc0 (sizeof (Segment), error);
  Segment *segment;

  if (offset == 0)
    return FALSE;
  MPROC_CRASH_POINT (LOAN_CELLS_MADE);
  segment = segment_at (offset);
  mproc_arena_own (offset, self);
  mproc_store64 (&segment->next, mproc_load64 (head));
  mproc_crash_order ();
  mproc_store64 (head, offset);
  MPROC_CRASH_POINT (LOAN_CELLS_LISTED);
  for (guint i = N_CELLS; i > 0; i--)
    g_ptr_array_add (free_cells, &segment->cells[i - 1]);
  return TRUE;
}

/* Under the local lock.  What a fork brought along are its parent's cells. */
static void
forget_others (MprocMember self)
{
  if (owner_of_cells == self)
    return;
  if (free_cells == NULL)
    free_cells = g_ptr_array_new ();
  g_ptr_array_set_size (free_cells, 0);
  owner_of_cells = self;
}

MprocBorrowCell *
mproc_borrow_reserve (GError **error)
{
  MprocMember self = mproc_process_self ();
  MprocBorrowCell *cell = NULL;

  mproc_local_lock ();
  forget_others (self);
  if (free_cells->len > 0 || add_segment (self, error))
    cell = g_ptr_array_remove_index_fast (free_cells, free_cells->len - 1);
  mproc_local_unlock ();
  return cell;
}

void
mproc_borrow_give_back (MprocBorrowCell *cell)
{
  mproc_local_lock ();
  g_ptr_array_add (free_cells, cell);
  mproc_local_unlock ();
}

void
mproc_borrow_fill (MprocBorrowCell *cell, MprocOffset block)
{
  mproc_store64 (cell, block);
  mproc_crash_order ();
}

/* The cell no longer names the block when it is free, and perhaps another thread's.  Killed in between,
 * it is lost. */
static void
clear_cell (MprocBorrowCell *cell)
{
  mproc_store64 (cell, 0);
  mproc_crash_order ();
  MPROC_CRASH_POINT (LOAN_DISOWNED);
}

gboolean
mproc_borrow_end (MprocBorrowCell *cell, guint32 owner)
{
  MprocOffset block = mproc_load64 (cell);

  if (!mproc_arena_disown (block, owner))
    return FALSE;
  clear_cell (cell);
  mproc_arena_free (block);
  mproc_borrow_give_back (cell);
  return TRUE;
}

/* Any thread, at any time, also in a process that has inherited the bytes by a fork: there
 * the block is not its to free. */
static void
end_loan (gpointer data)
{
  Loan *self = data;

  if (mproc_self_or_none () == self->process)
    {
      MprocOffset block = mproc_load64 (self->cell);
      gboolean ours = mproc_arena_disown (block, self->process);

      clear_cell (self->cell);
      if (ours)
        mproc_arena_free (block);
      mproc_borrow_give_back (self->cell);
    }
  g_free (self);
}

GBytes *
mproc_borrow_bytes (MprocBorrowCell *cell, gsize size)
{
  Loan *loan = g_new (Loan, 1);

  loan->cell = cell;
  loan->process = mproc_process_self ();
  return g_bytes_new_with_free_func (mproc_arena_at (mproc_load64 (cell), size), size,
                                     end_loan, loan);
}

static void
sweep_segment (Segment *segment, MprocMember dead)
{
  for (guint i = 0; i < N_CELLS; i++)
    {
      MprocOffset block = mproc_load64 (&segment->cells[i]);

      if (block != 0)
        mproc_arena_free_of (block, dead);
    }
}

/* Can be done again from anywhere: what has been freed has another owner. */
void
mproc_borrow_sweep (MprocMember dead)
{
  MprocAtomic64 *head = &mproc_slot_of (dead)->borrowed;
  MprocOffset offset = mproc_load64 (head);

  while (offset != 0)
    {
      Segment *segment = segment_at (offset);
      MprocOffset next = mproc_load64 (&segment->next);

      sweep_segment (segment, dead);
      MPROC_CRASH_POINT (SWEEP_LOANS_OF_SEGMENT);
      mproc_store64 (head, next);
      mproc_crash_order ();
      MPROC_CRASH_POINT (SWEEP_SEGMENT_TAKEN);
      mproc_arena_free_of (offset, dead);
      offset = next;
    }
}
