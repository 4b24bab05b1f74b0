/* SPDX-License-Identifier: MIT */
/* A process (or thread) that does to a lock, semaphore or event what it is told, and says what
 * came of it. */
#ifndef MPROC_TEST_REMOTE_H
#define MPROC_TEST_REMOTE_H

#include "processes.h"

typedef struct
{
  MprocProcess *process;
  MprocQueue *orders;
  MprocQueue *answers;
} Remote;

/* Started by the @i-th method, with @object among its arguments. */
Remote remote_start (int i, gpointer object);

/* An order, whose answer is waited for or not.  The orders and their answers:
 *
 *   acquire      acquired, recovered, timed out
 *   release      released, or the error: over-release, not owner
 *   is-locked, is-mine, is-set   yes, no
 *   value        a number
 *   set, clear   done
 *   wait         set, timed out
 */
void remote_tell (Remote *self, const char *order, gint64 timeout);
void remote_expect (Remote *self, const char *answer);
void remote_ask (Remote *self, const char *order, gint64 timeout, const char *answer);

/* Whether its next answer is there already. */
gboolean remote_has_answered (Remote *self);

/* From here on it works on this object, which it gets through a queue. */
void remote_give (Remote *self, gpointer object);

/* Returns from its target; is killed; the same, but it is not joined yet. */
void remote_end (Remote *self);
void remote_kill (Remote *self);
void remote_kill_only (Remote *self);

/* After remote_kill_only. */
void remote_bury (Remote *self);

/* The same orders for the caller itself. */
void local_ask (gpointer object, const char *order, gint64 timeout, const char *answer);

/* In a thread of its own, which the host has made, and which ends with that. */
void thread_ask (gpointer object, const char *order, gint64 timeout, const char *answer);

#endif
