/* SPDX-License-Identifier: MIT */
/* A worker's time in a batch. */
#ifndef MPROC_BATCH_RUN_H
#define MPROC_BATCH_RUN_H

#include "map/batch.h"
#include "worker/worker.h"

G_BEGIN_DECLS

/* Runs parts of a batch that has been entered, as long as there are some and the worker takes tasks.
 * FALSE: a part was taken from it, and it must not go on. */
gboolean mproc_worker_run_batch (MprocWorker *self, MprocOffset batch);

/* What a map over an array carries as its argument, `(hmv)`: the array's values, and what else is given to
 * each slice (NULL: nothing; a full reference). */
gboolean mproc_batch_open_array (GVariant *args,
                                 guint8 **values,
                                 GVariant **given,
                                 GError **error);

G_END_DECLS

#endif
