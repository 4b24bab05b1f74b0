/* SPDX-License-Identifier: MIT */
/* All of the family's shared memory, so that nobody else has any. */
#ifndef MPROC_TEST_HOARD_H
#define MPROC_TEST_HOARD_H

#include <glib.h>

/* Blocks of every size, taken until there were none. */
typedef struct
{
  GArray *blocks;
} MprocTestHoard;

/* Allows no more memory than there is, and takes all that is free. */
void mproc_test_hoard_init (MprocTestHoard *self);

/* What has become free since then, too; how many bytes. */
guint64 mproc_test_hoard_rest (MprocTestHoard *self);

/* Gives one back; how many bytes it has. */
gsize mproc_test_hoard_give_back (MprocTestHoard *self, guint i);

/* Gives all back, and allows more. */
void mproc_test_hoard_clear (MprocTestHoard *self);

#endif
