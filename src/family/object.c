/* SPDX-License-Identifier: MIT */
/* Local objects: what the public pointers point at, at most one for each handle. */
#include "family/object.h"

#include "family/entry.h"
#include "os.h"

static const MprocClass *classes[MPROC_N_KINDS];
static GHashTable
    *opened; /* handle -> MprocObject, under the local lock; holds no reference */
static _Thread_local GHashTable *thread_table;

void
mproc_object_set_class (const MprocClass *class_)
{
  /* As a rule it is set: a page that is written for nothing is one for each child to come. */
  if (g_atomic_pointer_get (&classes[class_->kind]) != class_)
    g_atomic_pointer_set (&classes[class_->kind], (gpointer) class_);
}

const MprocClass *
mproc_object_get_class (MprocKind kind)
{
  return g_atomic_pointer_get (&classes[kind]);
}

void
mproc_object_init (MprocObject *object, MprocKind kind)
{
  object->ref_count = 1;
  object->kind = kind;
  object->handle = 0;
}

gboolean
mproc_object_is (gconstpointer object, MprocKind kind)
{
  return MPROC_OBJECT_IS (object, kind);
}

gboolean
mproc_object_is_shareable (gconstpointer object)
{
  const MprocObject *self = object;

  return self != NULL && self->kind > MPROC_KIND_FUNCTION &&
         self->kind < MPROC_KIND_PROCESS &&
         g_atomic_int_get ((gint *) &self->ref_count) > 0;
}

void
mproc_object_set_thread_table (GHashTable *handle_to_object)
{
  thread_table = handle_to_object;
}

/* Under the local lock. */
static void
remember (MprocObject *object, MprocHandle handle)
{
  if (opened == NULL)
    opened = g_hash_table_new (NULL, NULL);
  object->handle = handle;
  g_hash_table_insert (opened, GINT_TO_POINTER (handle), object);
}

/* Under the local lock. */
static MprocObject *
find_open (MprocHandle handle)
{
  MprocObject *found = NULL;

  if (thread_table != NULL)
    found = g_hash_table_lookup (thread_table, GINT_TO_POINTER (handle));
  if (found == NULL && opened != NULL)
    found = g_hash_table_lookup (opened, GINT_TO_POINTER (handle));
  return found;
}

/* Under the local lock. */
static gboolean
make_entry (MprocObject *object, MprocOffset body, MprocMember self, GError **error)
{
  MprocHandle handle = mproc_entry_new (object->kind, body, error);

  if (handle == 0)
    return FALSE;
  if (!mproc_entry_set_bit (handle, self))
    {
      mproc_entry_give_up (handle);
      g_set_error_literal (
          error, MPROC_ERROR, MPROC_ERROR_NO_MEMORY,
          "shared memory is used up: there is none to note who holds an object");
      return FALSE;
    }
  remember (object, handle);
  MPROC_CRASH_POINT (ENTRY_HELD);
  mproc_entry_go_live (handle);
  MPROC_CRASH_POINT (ENTRY_LIVE);
  return TRUE;
}

gboolean
mproc_object_publish (MprocObject *object, MprocOffset body, GError **error)
{
  MprocMember self = mproc_process_self ();
  gboolean ok;

  mproc_local_lock ();
  ok = object->handle != 0 || make_entry (object, body, self, error);
  mproc_local_unlock ();
  return ok;
}

/* The bit first, then a look whether the entry is still there: whoever destroys it
 * looks at the bits after having said so. */
static gboolean
take_bit (MprocHandle handle, MprocMember self, GError **error)
{
  if (mproc_entry_is_live (handle) && mproc_entry_set_bit (handle, self))
    {
      MPROC_CRASH_POINT (HOLDER_TAKEN);
      if (mproc_entry_is_live (handle))
        return TRUE;
      mproc_entry_clear_bit (handle, self);
    }
  return mproc_entry_refuse (handle, error);
}

gboolean
mproc_object_register (MprocObject *object, MprocHandle handle, GError **error)
{
  MprocMember self = mproc_process_self ();
  gboolean ok;

  mproc_local_lock ();
  ok = take_bit (handle, self, error);
  if (ok)
    remember (object, handle);
  mproc_local_unlock ();
  return ok;
}

/* Under the local lock. */
static MprocObject *
open_entry (MprocHandle handle, MprocMember self, GError **error)
{
  const MprocClass *class_;
  MprocObject *object;

  if (!take_bit (handle, self, error))
    return NULL;
  class_ = mproc_object_get_class (mproc_handle_get_kind (handle));
  if (class_ == NULL || class_->open == NULL)
    {
      mproc_entry_clear_bit (handle, self);
      g_set_error (error, MPROC_ERROR, MPROC_ERROR_HANDLE,
                   "handle %d: this %s was not handed to this process; only arguments of "
                   "mproc_process_start carry one",
                   handle, class_ != NULL ? class_->name : "object");
      return NULL;
    }
  object = class_->open (class_, mproc_entry_get_body (handle), error);
  if (object == NULL)
    mproc_entry_clear_bit (handle, self);
  else
    remember (object, handle);
  return object;
}

static gboolean
check_kind (MprocHandle handle, MprocKind wanted, GError **error)
{
  MprocKind kind = mproc_handle_get_kind (handle);

  if (kind == MPROC_KIND_NONE)
    return mproc_entry_refuse (handle, error);
  if (wanted == MPROC_KIND_NONE || wanted == kind)
    return TRUE;
  g_set_error (error, MPROC_ERROR, MPROC_ERROR_HANDLE,
               "handle %d names a %s, not what was asked for", handle,
               kind == MPROC_KIND_FUNCTION ? "function"
                                           : mproc_object_get_class (kind)->name);
  return FALSE;
}

MprocObject *
mproc_object_open (MprocHandle handle, MprocKind kind, GError **error)
{
  MprocMember self = mproc_process_self ();
  MprocObject *object = NULL;

  mproc_classes_prepare ();
  if (!check_kind (handle, kind, error))
    return NULL;
  mproc_local_lock ();
  object = find_open (handle);
  if (object != NULL)
    mproc_object_ref (object);
  else
    object = open_entry (handle, self, error);
  mproc_local_unlock ();
  return object;
}

MprocObject *
mproc_object_ref (MprocObject *object)
{
  g_atomic_int_inc (&object->ref_count);
  return object;
}

/* TRUE unless it was the last reference, which only goes under the local lock: there
 * nobody can be just about to find the object in the table. */
static gboolean
drop_unless_last (MprocObject *object)
{
  gint count = g_atomic_int_get (&object->ref_count);

  while (count > 1)
    {
      if (g_atomic_int_compare_and_exchange (&object->ref_count, count, count - 1))
        return TRUE;
      count = g_atomic_int_get (&object->ref_count);
    }
  return FALSE;
}

static gboolean
drop_last (MprocObject *object, MprocMember self, gboolean *held_bit)
{
  gboolean last;

  *held_bit = FALSE;
  mproc_local_lock ();
  last = g_atomic_int_dec_and_test (&object->ref_count);
  /* A duplicate made for a thread is not the one in the table. */
  if (last && object->handle != 0 && opened != NULL &&
      g_hash_table_lookup (opened, GINT_TO_POINTER (object->handle)) == object)
    {
      g_hash_table_remove (opened, GINT_TO_POINTER (object->handle));
      *held_bit = mproc_entry_drop_bit (object->handle, self);
    }
  mproc_local_unlock ();
  return last;
}

void
mproc_object_unref (MprocObject *object)
{
  MprocHandle handle;
  gboolean held_bit;

  if (object == NULL || drop_unless_last (object))
    return;
  handle = object->handle;
  if (!drop_last (object, handle != 0 ? mproc_process_self () : 0, &held_bit))
    return;
  mproc_object_get_class (object->kind)->close (object);
  if (!held_bit)
    return;
  MPROC_CRASH_POINT (HOLDER_DROPPED);
  mproc_entry_check_last (handle);
}

void
mproc_object_lend_all (MprocMember member)
{
  GHashTableIter iter;
  gpointer handle;

  if (opened == NULL)
    return;
  g_hash_table_iter_init (&iter, opened);
  while (g_hash_table_iter_next (&iter, &handle, NULL))
    take_bit (GPOINTER_TO_INT (handle), member, NULL);
}
