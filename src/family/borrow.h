/* SPDX-License-Identifier: MIT */
/* Blocks of the arena that a process has lent to its caller: memory that the caller reads
 * where it lies, and gives back later, or by dying. */
#ifndef MPROC_BORROW_H
#define MPROC_BORROW_H

#include "family/family.h"

G_BEGIN_DECLS

/* A free place to note one block in, which is this process's until it is filled or given
 * back; NULL with error. */
typedef MprocAtomic64 MprocBorrowCell;

MprocBorrowCell *mproc_borrow_reserve (GError **error);
void mproc_borrow_give_back (MprocBorrowCell *cell);

/* @block, owned by mproc_process_self (), is freed with this process from here on. */
void mproc_borrow_fill (MprocBorrowCell *cell, MprocOffset block);

/* Frees a filled cell's block if it has that owner, this process or a stage of it, and gives the cell
 * back.  FALSE: it has another one, and nothing has changed. */
gboolean mproc_borrow_end (MprocBorrowCell *cell, guint32 owner);

/* The bytes of a filled cell's block.  The last g_bytes_unref frees it; in a process that
 * was forked since, it does nothing. */
GBytes *mproc_borrow_bytes (MprocBorrowCell *cell, gsize size);

/* In the sweep of a dead member. */
void mproc_borrow_sweep (MprocMember dead);

G_END_DECLS

#endif
