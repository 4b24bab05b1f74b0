/* SPDX-License-Identifier: MIT */
/* What is loaded, as the loader sees it.  Files are never asked: the one of that name may be newer than
 * what runs. */
#ifndef MPROC_POSIX_MODULE_H
#define MPROC_POSIX_MODULE_H

#include "posix.h"

/* A loaded module, as long as the loader's lock is held or nobody unloads it. */
typedef struct
{
  guintptr base;
  const char *name;
  gboolean is_program;
  const void *headers; /* of its segments */
  guint n_headers;
} MprocPosixModule;

/* One piece of a module in memory. */
typedef struct
{
  guintptr start;
  gsize size;
  gboolean is_code;
  gboolean is_constant; /* readable, not writable: the same in every process */
} MprocPosixSegment;

/* Not 0: enough seen. */
typedef int (*MprocPosixVisitFunc) (const MprocPosixModule *module, gpointer data);

/* The program itself is the first. */
void mproc_posix_visit_modules (MprocPosixVisitFunc visit, gpointer data);

/* Goes to the next segment; *at is 0 before the first.  FALSE after the last. */
gboolean mproc_posix_module_next_segment (const MprocPosixModule *module,
                                          guint *at,
                                          MprocPosixSegment *segment);

/* Copies the linker's id of the module, at most MPROC_OS_IDENTITY_SIZE bytes.  0 if it has none. */
guint mproc_posix_module_copy_build_id (const MprocPosixModule *module, guint8 *out);

/* Absolute where it can be told; g_free().  NULL: it has none. */
char *mproc_posix_module_get_path (const MprocPosixModule *module);

#endif
