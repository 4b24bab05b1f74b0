/* SPDX-License-Identifier: MIT */
/* Whoever naps looks at the lives of others.  Where many nap, it is enough that one of them looks
 * each time: to ask the system for each life costs some microseconds, and all asking for all would
 * keep a processor busy. */
#ifndef MPROC_WATCH_H
#define MPROC_WATCH_H

#include "arena/word.h"

G_BEGIN_DECLS

typedef struct
{
  MprocAtomic64 last; /* when somebody last took his turn */
} MprocWatch;

/* Whether it is the caller's turn, about once in half a nap for each object.  One who is killed in
 * his turn delays the next look by a nap.  The clock of another time namespace makes it
 * everybody's turn: in unsigned arithmetic the future is long ago. */
static inline gboolean
mproc_watch_is_due (MprocWatch *self)
{
  guint64 now = (guint64) g_get_monotonic_time ();
  guint64 last = mproc_load64 (&self->last);

  return now - last >= MPROC_NAP / 2 && mproc_cas64 (&self->last, last, now);
}

G_END_DECLS

#endif
