/* SPDX-License-Identifier: MIT */
/* Functions across processes: an address means nothing in another image, so a function
 * is named by module, offset and the module's identity as loaded, in a ticket that
 * lives in the arena as long as the family. */
#ifndef MPROC_FUNCTION_H
#define MPROC_FUNCTION_H

#include "family/object.h"

#include <mproc/process.h>

G_BEGIN_DECLS

/* The ticket for @func, the same one each time.  0 with MPROC_ERROR_FUNCTION where the
 * address lies in no loaded module's code. */
MprocHandle mproc_function_get_ticket (MprocFunc func, GError **error);

/* The function in this process.  NULL with MPROC_ERROR_FUNCTION: this program (or the
 * library of that name here) is of another build, the message has both identities; or
 * MPROC_ERROR_HANDLE. */
MprocFunc mproc_function_resolve (MprocHandle ticket, GError **error);

/* The function's name, for messages; where that cannot be told where it is: "program+0x12a0".  Full. */
char *mproc_function_describe (MprocHandle ticket);

/* Calls it, if it is not NULL.  FALSE if it failed; what it returns is nobody's. */
gboolean mproc_function_call (MprocFunc func, GVariant *args, GError **error);

G_END_DECLS

#endif
