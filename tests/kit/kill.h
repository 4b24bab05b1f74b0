/* SPDX-License-Identifier: MIT */
#ifndef MPROC_TEST_KILL_H
#define MPROC_TEST_KILL_H

#include <glib.h>

/* Ends that process now, as SIGKILL does. */
void mproc_test_kill_pid (gint64 pid);

/* Stops it, as SIGSTOP does, or lets it go on.  FALSE where that cannot be done. */
gboolean mproc_test_stop_pid (gint64 pid, gboolean stop);

/* Sends it what a terminal's Ctrl-C sends.  FALSE where that cannot be done. */
gboolean mproc_test_interrupt_pid (gint64 pid);

#endif
