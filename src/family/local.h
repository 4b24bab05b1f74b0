/* SPDX-License-Identifier: MIT */
/* What is local to one process and shared by its threads, and what a fork does to it. */
#ifndef MPROC_LOCAL_H
#define MPROC_LOCAL_H

#include "family/family.h"

G_BEGIN_DECLS

/* Registers the atfork handlers.  Once. */
void mproc_local_prepare (void);

/* The one mutex over everything process-local that several files keep (tables of
 * objects and children).  Held across a fork by the atfork handlers, so that no child
 * finds it locked. */
void mproc_local_lock (void);
void mproc_local_unlock (void);

/* Our own threads touch GLib only between these two: the atfork prepare handler waits
 * at the same gate, so no forked child finds a lock of GLib's held by one of ours. */
void mproc_gate_enter (void);
void mproc_gate_leave (void);

/* The next fork by this thread makes @child: the handlers give it bits of its own for
 * all the objects that are open here, at the instant of the fork. */
void mproc_local_lend_at_fork (MprocMember child);

/* Threads of the library itself in this process, the ones that live behind the gate. */
guint mproc_own_thread_count (void);

/* By such a thread: it runs code of the host's, outside of the gate, and does not count as ours; or no
 * longer. */
void mproc_own_thread_lend (gboolean lent);

/* Whether one of them ended so lately that the system may not have noticed. */
gboolean mproc_own_thread_is_ending (void);

GThread *
mproc_own_thread_new (const char *name, GThreadFunc func, gpointer data, GError **error);

G_END_DECLS

#endif
