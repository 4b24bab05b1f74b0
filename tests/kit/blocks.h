/* SPDX-License-Identifier: MIT */
/* What the suites about shared memory have in common. */
#ifndef MPROC_TEST_BLOCKS_H
#define MPROC_TEST_BLOCKS_H

#include "processes.h"

/* Whether a name stays as long as its maker does, rather than as long as somebody has the
 * block open: everywhere but on Windows. */
gboolean mproc_block_has_unlink (void);

/* A name that this run alone uses (transfer full). */
char *mproc_block_make_name (void);

/* These must succeed. */
MprocSharedMemory *mproc_block_create (const char *name, gsize size);
MprocSharedMemory *mproc_block_open (const char *name);
void mproc_block_unlink (MprocSharedMemory *memory);

guint8 *mproc_block_bytes (MprocSharedMemory *memory);

gboolean mproc_block_is_there (const char *name);

/* For mproc_test_eventually. */
gboolean mproc_block_is_gone (gpointer name);

/* There is nothing to unlink any more. */
void mproc_block_expect_no_name (MprocSharedMemory *memory);

#endif
