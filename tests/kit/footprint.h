/* SPDX-License-Identifier: MIT */
#ifndef MPROC_TEST_FOOTPRINT_H
#define MPROC_TEST_FOOTPRINT_H

#include <glib.h>

/* The bytes that a process has for itself, shared with no other; @pid 0: this one.  0 where the system
 * does not tell. */
guint64 mproc_test_private_memory (gint64 pid);

#endif
