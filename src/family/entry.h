/* SPDX-License-Identifier: MIT */
/* The object table in the arena: entries, their references, their end. */
#ifndef MPROC_ENTRY_H
#define MPROC_ENTRY_H

#include "family/object.h"

G_BEGIN_DECLS

/* Not live yet: give it its first holder, then go live. 0 with error. */
MprocHandle mproc_entry_new (MprocKind kind, MprocOffset body, GError **error);
void mproc_entry_go_live (MprocHandle handle);

/* Instead of that: it is free again. */
void mproc_entry_give_up (MprocHandle handle);

gboolean mproc_entry_is_live (MprocHandle handle);
MprocOffset mproc_entry_get_body (MprocHandle handle);

/* FALSE: no memory for one more holder. */
gboolean mproc_entry_set_bit (MprocHandle handle, MprocMember member);

/* TRUE if it was set.  clear also looks whether that was the last reference. */
gboolean mproc_entry_drop_bit (MprocHandle handle, MprocMember member);
void mproc_entry_clear_bit (MprocHandle handle, MprocMember member);

/* Destroys the body if nobody holds the entry any more. */
void mproc_entry_check_last (MprocHandle handle);

/* Sets MPROC_ERROR_HANDLE; FALSE. */
gboolean mproc_entry_refuse (MprocHandle handle, GError **error);

const MprocClass *mproc_object_get_class (MprocKind kind);

/* Makes every class known, whatever this process has used so far. */
void mproc_classes_prepare (void);

G_END_DECLS

#endif
