/* SPDX-License-Identifier: MIT */
/* What other floors need of processes beyond the public API. */
#ifndef MPROC_PROCESS_INTERNAL_H
#define MPROC_PROCESS_INTERNAL_H

#include "family/family.h"
#include "os.h"

#include <mproc/process.h>

G_BEGIN_DECLS

/* A helper process of the library's own (a pool's nursery, its workers): not among the
 * children that list_children shows or that are joined at exit, dies with its parent,
 * may have children, takes no number from the names.  @quiet: an error of the target is
 * not printed. */
void mproc_process_set_internal (MprocProcess *self, gboolean quiet);

/* Which member it is, 0 before start. */
MprocMember mproc_process_get_member (MprocProcess *self);

/* What to wait on for its end.  FALSE with MPROC_ERROR_STATE before its start. */
gboolean mproc_process_get_wait (MprocProcess *self, MprocOsWait *wait, GError **error);

/* What DEFAULT would mean for a start right now: fork while this process has no threads
 * but ours, else forkserver (spawn where that has threads, too) where mproc_init was
 * passed, else MPROC_START_METHOD_DEFAULT
 * with error set. */
MprocStartMethod mproc_start_resolve (MprocStartMethod wanted, GError **error);

/* @func runs first when this process ends in good order (before daemons are terminated
 * and children joined), in forked children of mproc not inherited. */
void mproc_at_exit (void (*func) (void));

G_END_DECLS

#endif
