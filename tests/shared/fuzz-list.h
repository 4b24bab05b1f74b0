/* SPDX-License-Identifier: MIT */
#ifndef MPROC_FUZZ_LIST_H
#define MPROC_FUZZ_LIST_H

#include <mproc.h>

/* Opens what may be a list, and reads and writes all of its items. */
void mproc_fuzz_list (guint8 *block, gsize size);

#endif
