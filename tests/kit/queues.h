/* SPDX-License-Identifier: MIT */
/* What the suites about queues share. */
#ifndef MPROC_TEST_QUEUES_H
#define MPROC_TEST_QUEUES_H

#include "mproc-test.h"

/* @max_items: 0 for no bound.  The test fails if it cannot be made. */
MprocQueue *make_queue (guint max_items);

#endif
