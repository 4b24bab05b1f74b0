/* SPDX-License-Identifier: MIT */
/* Functions of another build of this program. */
#ifndef MPROC_TEST_FORGE_H
#define MPROC_TEST_FORGE_H

#include "mproc-test.h"

#include "os.h"

/* The ticket of @func becomes what another build of its @image would have made: its identity is changed
 * where it lies.  @identity: room for MPROC_OS_IDENTITY_SIZE bytes, that one. */
void
mproc_test_forge_ticket (MprocFunc func, const MprocOsImage *image, guint8 *identity);

#endif
