/* SPDX-License-Identifier: MIT */
/* What names.c, the list of names, and guardian.c, the process that guards them, call of each
 * other. */
#ifndef MPROC_POSIX_GUARDIAN_H
#define MPROC_POSIX_GUARDIAN_H

#include "posix.h"

/* A name, and the record that tells of it: it is there (again); without a text: it is
 * gone. */
typedef struct
{
  guint64 id;
  guint64 identity[2]; /* zeros: not made yet, as far as we know */
  char path[MPROC_POSIX_NAME_SIZE];
} MprocPosixName;

/* ---------------------------------------------------------------- names.c */

/* On the list of this process; a guardian has a copy of its creator's.  Nothing but system calls. */

/* FALSE: there is no memory for it. */
gboolean mproc_posix_names_note (const MprocPosixName *record);

gsize mproc_posix_names_count (void);

/* The creator takes names away without telling a guardian that it has given up. */
void mproc_posix_names_forget_gone (void);

void mproc_posix_names_unlink (void);

/* ---------------------------------------------------------------- guardian.c */

/* Makes a guardian with a copy of the list, which reads records from @reader.  Returns an
 * errno. */
int mproc_posix_fork_guardian (int reader);

/* Whether this thread is just in there, and has the lock of names.c: a fork is ours then, and leaves
 * everything to the guardian. */
gboolean mproc_posix_is_forking_guardian (void);

#endif
