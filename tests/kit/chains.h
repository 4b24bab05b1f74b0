/* SPDX-License-Identifier: MIT */
/* What the suites about chains share: one of its own for each test, as its producer and its consumer
 * see it. */
#ifndef MPROC_TEST_CHAINS_H
#define MPROC_TEST_CHAINS_H

#include "mproc-test.h"

#include "queue/chain.h"

typedef struct
{
  MprocChain *chain;
  MprocOffset block;
  MprocView producer;
  MprocView consumer;
} Fixture;

void fixture_init (Fixture *self);
void fixture_clear (Fixture *self);

#endif
