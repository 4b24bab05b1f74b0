/* SPDX-License-Identifier: MIT */
/* What the tests about names in the system ask of it. */
#ifndef MPROC_TEST_NAMES_H
#define MPROC_TEST_NAMES_H

#include <glib.h>

/* The process that sees to it that the names made by process @creator go with it; 0: there
 * is none, or this system has no way to find it. */
gint64 mproc_test_find_guardian (gint64 creator);

/* Whether there is a way to find it. */
gboolean mproc_test_can_find_guardians (void);

/* Whether this process has a child that it would see in a wait for any, of which nobody
 * has told it. */
gboolean mproc_test_has_children (void);

/* How many signals have come for the end of a child since the first call. */
guint mproc_test_count_child_signals (void);

/* How many bytes of memory with a name could still be made; 0: nobody knows. */
guint64 mproc_test_room_for_names (void);

/* Other things under the name of a block: a pipe; a block of that size of which nothing is
 * reserved.  FALSE where there are no such things. */
gboolean mproc_test_make_named_pipe (const char *name);
gboolean mproc_test_make_hole (const char *name, guint64 size);

/* A pipe in the place of a file; the same. */
gboolean mproc_test_make_pipe_at (const char *path);

/* How much of it is reserved. */
guint64 mproc_test_count_reserved (const char *name);

/* Without a word to anybody. */
void mproc_test_remove_name (const char *name);

/* @size bytes, a multiple of 8, behind which lies no memory. */
guint8 *mproc_test_edge_new (gsize size);
void mproc_test_edge_free (guint8 *edge, gsize size);

#endif
