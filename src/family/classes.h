/* SPDX-License-Identifier: MIT */
/* The classes of shareable objects, each defined by the file of its name. */
#ifndef MPROC_CLASSES_H
#define MPROC_CLASSES_H

#include "family/object.h"

G_BEGIN_DECLS

const MprocClass *mproc_queue_get_class (void);
const MprocClass *mproc_connection_get_class (void);
const MprocClass *mproc_lock_get_class (void);
const MprocClass *mproc_rlock_get_class (void);
const MprocClass *mproc_semaphore_get_class (void);
const MprocClass *mproc_event_get_class (void);
const MprocClass *mproc_value_get_class (void);
const MprocClass *mproc_array_get_class (void);
const MprocClass *mproc_shared_memory_get_class (void);
const MprocClass *mproc_shareable_list_get_class (void);
const MprocClass *mproc_condition_get_class (void);
const MprocClass *mproc_barrier_get_class (void);

G_END_DECLS

#endif
