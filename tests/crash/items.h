/* SPDX-License-Identifier: MIT */
/* Numbered items in queues, for the suites about them: stage->sent and stage->taken count those
 * whose put or get has come back. */
#ifndef MPROC_TEST_CRASH_ITEMS_H
#define MPROC_TEST_CRASH_ITEMS_H

#include "crash.h"

/* Puts the item of that number: every fourth is so long that it gets a block of its own, unless
 * @all_short. */
gboolean items_put (MprocQueue *queue, guint32 number, gboolean all_short);

/* Takes the next one; its number, or -1: there is none, -2: it is torn. */
gint items_get (MprocQueue *queue, gint64 timeout);

/* Puts and gets the next ones, in a doomed process. */
gboolean items_put_next (MprocQueue *queue, CrashStage *stage, gboolean all_short);
gboolean items_get_next (MprocQueue *queue, CrashStage *stage);

/* A check: all items are there, in order and once, but what the dead one had its hands on; and so
 * the queue's counts say.  Then the queue goes on. */
void items_expect_all (CrashTrial *trial);

/* A queue with that many short items. */
void items_fill (CrashTrial *trial, guint max_items, guint n);

#endif
