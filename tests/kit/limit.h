/* SPDX-License-Identifier: MIT */
#ifndef MPROC_TEST_LIMIT_H
#define MPROC_TEST_LIMIT_H

#include <glib.h>

/* Lets this process have @n descriptors at most.  Returns how many it was before; 0:
 * there is no such limit here, and nothing has changed. */
guint mproc_test_limit_descriptors (guint n);

#endif
