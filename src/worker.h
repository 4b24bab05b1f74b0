/* SPDX-License-Identifier: MIT */
#ifndef MPROC_WORKER_H
#define MPROC_WORKER_H

#include <glib.h>

G_BEGIN_DECLS

/* A worker's target: @args is `(hh)`, the task queue and the event queue. */
GVariant *mproc_worker_main (GVariant *args, GError **error);

G_END_DECLS

#endif
