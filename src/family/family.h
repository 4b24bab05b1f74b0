/* SPDX-License-Identifier: MIT */
/* The family: every process (and every thread started with the method thread) that
 * shares the arena has a slot in the process table.  A member is named by slot and
 * generation: a slot is reused only after its dead occupant has been swept, with the
 * generation raised. */
#ifndef MPROC_FAMILY_H
#define MPROC_FAMILY_H

#include "arena/arena.h"
#include "atomic.h"
#include "os.h"

G_BEGIN_DECLS

/* slot: 13 bits, generation: 18 bits, 1 bit left to the lock word.  Never 0. */
typedef guint32 MprocMember;

#define MPROC_MEMBER_SLOT(member) ((member) >> 19)
#define MPROC_MEMBER_GENERATION(member) (((member) >> 1) & 0x3ffffu)
#define MPROC_MAX_MEMBERS 8191

typedef enum
{
  MPROC_MEMBER_FREE,
  MPROC_MEMBER_STARTING, /* reserved by its starter; alive while the starter lives */
  MPROC_MEMBER_LIVE,
  MPROC_MEMBER_LEAVING, /* has written its exit code and is about to end */
  MPROC_MEMBER_DEAD     /* has ended; being swept */
} MprocMemberState;

/* Makes the arena and enters this process as a member, if that has not happened.  Every
 * function that makes an object calls it first.  In a spawned child that has not passed
 * mproc_init it fails with MPROC_ERROR_BOOTSTRAP (mproc_guard_check of guard.h says
 * so). */
gboolean mproc_family_ensure (GError **error);

/* Makes sure the calling process is a member; a child that the host forked by itself
 * becomes one here, at its first call.  Never 0. */
MprocMember mproc_self_slowly (void);

/* The first word lies on a page that a fork wipes. */
typedef struct
{
  MprocAtomic32 self;
} MprocIdentityPage;

extern MprocIdentityPage *mproc_identity;      /* never NULL */
extern gboolean mproc_identity_checks_pid;     /* no such page here: compare pids */
extern MprocAtomic32 mproc_has_thread_members; /* some thread has a slot of its own */

static inline MprocMember
mproc_self (void)
{
  guint32 self = atomic_load_explicit (&mproc_identity->self, memory_order_relaxed);

  if (G_UNLIKELY (self == 0 || mproc_identity_checks_pid ||
                  atomic_load_explicit (&mproc_has_thread_members, memory_order_relaxed)))
    return mproc_self_slowly ();
  return self;
}

/* This process's own slot, also in a thread that has one of its own: holds the objects. */
MprocMember mproc_process_self (void);

/* As mproc_self, but 0 in a process that is no member (yet): for exit handlers. */
MprocMember mproc_self_or_none (void);

/* A slot for one about to be started by the caller, STARTING.  0 with error. */
MprocMember mproc_member_reserve (GError **error);

/* In the new process, after the arena is there: STARTING becomes LIVE, and it writes
 * who it is. FALSE: too late, the starter has given up; the process must end.  (For a
 * forked child its starter has called mproc_local_lend_at_fork, so that it holds what
 * its parent held.) */
gboolean mproc_member_enter (MprocMember member);

/* The same for a thread of this process; leave ends it. */
void mproc_member_enter_thread (MprocMember member);
void mproc_member_leave_thread (MprocMember member, gint exit_code);

/* The last thing a process does as a member: its exit code is known from here on. */
void mproc_member_leave (gint exit_code);

/* STARTING becomes DEAD, or, for a child certainly ended, anything does; then it is
 * swept. */
void mproc_member_bury (MprocMember member);

/* STARTING becomes DEAD, so that the new process comes too late.  FALSE: it has entered
 * already. */
gboolean mproc_member_give_up (MprocMember member);

/* Certainly dead: another generation lives in the slot, it was marked, or its process has
 * ended.  Costs system calls; sweeps what it finds dead. */
gboolean mproc_member_is_dead (MprocMember member);

/* Whether somebody that @starter started may be alive, which itself is dead. */
gboolean mproc_member_has_children (MprocMember starter);

/* Cheap: of that generation and STARTING or LIVE as far as memory tells. */
gboolean mproc_member_is_current (MprocMember member);

MprocMemberState mproc_member_get_state (MprocMember member);

/* FALSE while it is not known (or the slot has been reused: ask before you bury). */
gboolean mproc_member_get_exit_code (MprocMember member, gint *exit_code);
void mproc_member_set_exit_code (MprocMember member, gint exit_code);

void mproc_member_get_identity (MprocMember member, MprocOsIdentity *out);

/* The identity of the member whose process has that pid.  FALSE if there is none. */
gboolean mproc_member_find (gint64 pid, MprocOsIdentity *out);

/* Changes with every change of state: to sleep on with mproc_word_wait. */
MprocAtomic32 *mproc_member_word (MprocMember member);

/* How many slots have ever been used: there have been as many members at a time. */
guint mproc_slot_count (void);

/* A block this member is just moving, which becomes its own (mproc_arena_own): freed by
 * its sweep if it dies meanwhile.  FALSE (and no protection) where another thread of the
 * member uses the word. */
gboolean mproc_intent_begin (MprocOffset block);
void mproc_intent_end (MprocOffset block);

G_END_DECLS

#endif
