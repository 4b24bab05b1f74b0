/* SPDX-License-Identifier: MIT */
/* The process table itself; family.h is what others use of it. */
#ifndef MPROC_SLOT_H
#define MPROC_SLOT_H

#include "family/family.h"

G_BEGIN_DECLS

gboolean mproc_slot_create_table (GError **error);

/* A free slot, raised to its next generation, STARTING, with the caller as its starter
 * (or nobody, if the caller is no member yet). */
MprocMember mproc_slot_claim (GError **error);

/* Writes who the calling process is. */
void mproc_slot_set_identity (MprocMember member);

/* FALSE if the slot's generation or state is another. */
gboolean
mproc_slot_set_state (MprocMember member, MprocMemberState from, MprocMemberState to);

/* STARTING becomes LIVE, by the new process itself, which writes who it is.  FALSE: too
 * late. */
gboolean mproc_slot_enter (MprocMember member);

/* A thread's slot: it bears the identity of its process, word for word, and is buried
 * with it. */
void mproc_slot_set_thread (MprocMember member, MprocMember process);

G_END_DECLS

#endif
