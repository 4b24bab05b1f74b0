/* SPDX-License-Identifier: MIT */
/* What the suites about the start method forkserver share. */
#ifndef MPROC_TEST_FORKSERVERS_H
#define MPROC_TEST_FORKSERVERS_H

#include "processes.h"

#include "family/family.h"
#include "os.h"

/* A process of that method; the same, started. */
MprocProcess *forkserver_make (MprocFunc func, GVariant *args);
MprocProcess *forkserver_started (MprocFunc func, GVariant *args);

/* The start must succeed. */
void forkserver_start (MprocProcess *process);

/* Waits for its end. */
void forkserver_expect_dead (MprocOsIdentity *who);

/* Kills the server of this process and waits for its end. */
void forkserver_kill (void);

#endif
