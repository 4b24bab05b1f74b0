/* SPDX-License-Identifier: MIT */
/* The list of classes: a process may be handed, or have to destroy, objects of a class
 * it has not used itself. */
#include "family/classes.h"

#include "family/entry.h"

static gpointer
prepare (gpointer unused)
{
  (void) unused;
  mproc_object_set_class (mproc_queue_get_class ());
  mproc_object_set_class (mproc_connection_get_class ());
  mproc_object_set_class (mproc_lock_get_class ());
  mproc_object_set_class (mproc_rlock_get_class ());
  mproc_object_set_class (mproc_semaphore_get_class ());
  mproc_object_set_class (mproc_event_get_class ());
  mproc_object_set_class (mproc_value_get_class ());
  mproc_object_set_class (mproc_array_get_class ());
  mproc_object_set_class (mproc_shared_memory_get_class ());
  mproc_object_set_class (mproc_shareable_list_get_class ());
  mproc_object_set_class (mproc_condition_get_class ());
  mproc_object_set_class (mproc_barrier_get_class ());
  return NULL;
}

void
mproc_classes_prepare (void)
{
  static GOnce once = G_ONCE_INIT;

  g_once (&once, prepare, NULL);
}
