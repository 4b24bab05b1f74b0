/* SPDX-License-Identifier: MIT */
/* The re-entry guard: how a spawned child is told apart from the program that started
 * it.
 *
 * Its starter puts a mark into the child's environment, which names the start record in
 * the arena.  mproc_init takes the mark and runs the target.  Whoever comes to the
 * library before that has forgotten mproc_init, or called it too late; the child's call
 * fails, and the starter is told, so that a program never starts itself over and over. */
#ifndef MPROC_GUARD_H
#define MPROC_GUARD_H

#include "arena/arena.h"
#include "family/family.h"

G_BEGIN_DECLS

#define MPROC_MARK_NAME "MPROC_START"

typedef struct
{
  gintptr arena_handle;
  guint64 arena_size;
  guint64 arena_nonce;
  MprocMember member;
  MprocOffset record;
  gint64 starter; /* pid */
} MprocMark;

/* The text of a mark for a child that runs this program, or, if @any_program, another
 * one that has this version of the library.  NULL with error; g_free. */
char *mproc_mark_format (const MprocMark *mark, gboolean any_program, GError **error);

/* For every entry point, by way of mproc_family_ensure: FALSE with
 * MPROC_ERROR_BOOTSTRAP in a spawned child that has not passed mproc_init. */
gboolean mproc_guard_check (GError **error);

/* mproc_init is here.  TRUE: this is a spawned child, *mark is its mark, and the arena
 * has been adopted.  Ends the process if it is one that cannot run its target. */
gboolean mproc_guard_pass (MprocMark *mark);

/* Whether this process has passed mproc_init. */
gboolean mproc_guard_is_passed (void);

/* What to do about it: "add `mproc_init (&argc, &argv);` ...". */
#define MPROC_GUARD_ADVICE "add `mproc_init (&argc, &argv);` as the first line of main()"

G_END_DECLS

#endif
