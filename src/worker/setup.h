/* SPDX-License-Identifier: MIT */
/* How a worker makes itself at home, before anything of its user's runs there: processor, niceness,
 * directory, environment. */
#ifndef MPROC_SETUP_H
#define MPROC_SETUP_H

#include "pool/pooloptions.h"

G_BEGIN_DECLS

/* By the pool: FALSE if workers of that method cannot be set up so. */
gboolean mproc_setup_check (const MprocPoolOptions *options,
                            MprocStartMethod method,
                            GError **error);

/* Adds the keys to a worker's setup that mproc_setup_apply() looks for. */
void mproc_setup_pack (const MprocPoolOptions *options, GVariantBuilder *setup);

/* By the worker at that place, 0 the first.  FALSE with what could not be done. */
gboolean mproc_setup_apply (GVariant *setup, guint place, GError **error);

G_END_DECLS

#endif
