/* SPDX-License-Identifier: MIT */
#ifndef MPROC_TEST_KILL_H
#define MPROC_TEST_KILL_H

#include <glib.h>

/* Ends that process now, as SIGKILL does. */
void mproc_test_kill_pid (gint64 pid);

#endif
