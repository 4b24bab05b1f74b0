/* SPDX-License-Identifier: MIT */
#ifndef MPROC_TEST_PUNCH_H
#define MPROC_TEST_PUNCH_H

#include <glib.h>

/* Whether the system takes pages of the arena back, which not every one does. */
gboolean mproc_test_can_punch (void);

/* The bytes of the arena that the system has to have memory for. */
guint64 mproc_test_memory_in_use (void);

#endif
