/* SPDX-License-Identifier: MIT */
/* The word of something that one worker runs: the serial above, below it
 *
 *   QUEUED      nobody has it
 *   a member    that worker runs it (always even and not 0)
 *   DONE        the outcome is there
 *   CONDEMNED   it was taken from its worker, which is killed: a limit, or cancelled; or it was
 *               cancelled before anyone had it
 *
 * A worker claims it by one compare-and-swap, and gives it back by another.  So at any instant exactly
 * those whose word names a worker are that worker's, and when it dies those fail, and only those; and
 * a worker finds out by giving back that it has been condemned, before it takes anything else. */
#ifndef MPROC_TASK_WORD_H
#define MPROC_TASK_WORD_H

#include "family/family.h"

G_BEGIN_DECLS

#define MPROC_TASK_QUEUED 0u
#define MPROC_TASK_DONE 1u
#define MPROC_TASK_CONDEMNED 3u

static inline guint64
mproc_taskword_make (guint32 serial, guint32 state)
{
  return (guint64) serial << 32 | state;
}

static inline guint32
mproc_taskword_serial (guint64 word)
{
  return (guint32) (word >> 32);
}

static inline guint32
mproc_taskword_state (guint64 word)
{
  return (guint32) word;
}

/* FALSE: it is not (any more) to be had under that serial. */
static inline gboolean
mproc_taskword_claim (MprocAtomic64 *word, guint32 serial, MprocMember member)
{
  return mproc_cas64 (word, mproc_taskword_make (serial, MPROC_TASK_QUEUED),
                      mproc_taskword_make (serial, member));
}

/* FALSE: @member has been condemned for it. */
static inline gboolean
mproc_taskword_finish (MprocAtomic64 *word, guint32 serial, MprocMember member)
{
  return mproc_cas64 (word, mproc_taskword_make (serial, member),
                      mproc_taskword_make (serial, MPROC_TASK_DONE));
}

/* From @state, QUEUED or a member.  FALSE: it is not in that state any more. */
static inline gboolean
mproc_taskword_condemn (MprocAtomic64 *word, guint32 serial, guint32 state)
{
  return mproc_cas64 (word, mproc_taskword_make (serial, state),
                      mproc_taskword_make (serial, MPROC_TASK_CONDEMNED));
}

G_END_DECLS

#endif
