/* SPDX-License-Identifier: MIT */
/* What the suites about locks share. */
#ifndef MPROC_TEST_LOCKS_H
#define MPROC_TEST_LOCKS_H

#include "remote.h"

/* Each test that is the same for locks (0) and recursive locks (1) runs with both. */
#define FOR_EACH_KIND(kind) for (guint kind = 0; kind < 2; kind++)

static inline gpointer
make (guint kind)
{
  GError *error = NULL;
  gpointer lock = kind == 0 ? (gpointer) mproc_lock_new (&error)
                            : (gpointer) mproc_rlock_new (&error);

  ck_assert_msg (lock != NULL, "%s", error != NULL ? error->message : "no error");
  return lock;
}

static inline void
drop (guint kind, gpointer lock)
{
  if (kind == 0)
    mproc_lock_unref (lock);
  else
    mproc_rlock_unref (lock);
}

#endif
