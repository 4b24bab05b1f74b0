/* SPDX-License-Identifier: MIT */
#ifndef MPROC_FUZZ_TRACE_H
#define MPROC_FUZZ_TRACE_H

#include <glib.h>

/* Reads what may be a trace, and draws it.  The picture is XML whatever was in there. */
void mproc_fuzz_trace (const char *text, gsize size);

#endif
