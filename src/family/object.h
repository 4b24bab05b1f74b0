/* SPDX-License-Identifier: MIT */
/* Objects that processes share, and the handles that name them.
 *
 * An entry of the object table has a kind, a body in the arena, and its references: one
 * bit for each member that has it open, and a count of the messages that carry it.
 * When both are gone the body is destroyed, by whoever saw the last one go.  A handle
 * (index and generation, 31 bits) is what travels in values.
 *
 * Each process has at most one local object for a handle, counted with ordinary
 * atomics; it is what the public API's pointers point at. */
#ifndef MPROC_OBJECT_H
#define MPROC_OBJECT_H

#include "family/family.h"
#include "family/local.h"

G_BEGIN_DECLS

typedef enum
{
  MPROC_KIND_NONE, /* any kind, where one is asked for */
  MPROC_KIND_FUNCTION,
  MPROC_KIND_QUEUE,
  MPROC_KIND_CONNECTION,
  MPROC_KIND_LOCK,
  MPROC_KIND_RLOCK,
  MPROC_KIND_SEMAPHORE,
  MPROC_KIND_EVENT,
  MPROC_KIND_CONDITION,
  MPROC_KIND_BARRIER,
  MPROC_KIND_VALUE,
  MPROC_KIND_ARRAY,
  MPROC_KIND_MEMORY,
  MPROC_KIND_LIST,
  MPROC_KIND_PROCESS, /* local only, as what follows: never in the table */
  MPROC_KIND_POOL,
  MPROC_KIND_RESULT,
  MPROC_KIND_ITER,
  MPROC_N_KINDS
} MprocKind;

typedef gint32 MprocHandle; /* > 0 */

typedef struct MprocObject MprocObject;

typedef struct MprocClass MprocClass;

struct MprocClass
{
  const char *name; /* "queue", for messages */
  MprocKind kind;

  /* A local object for the body, or NULL with error; called under the local lock.  Is NULL
   * where an object cannot be opened unless it was handed over (connections). */
  MprocObject *(*open) (const MprocClass *self, MprocOffset body, GError **error);
  void (*close) (MprocObject *object); /* frees the local object */
  void (*destroy) (MprocOffset body);  /* frees the body; any member may be asked to */
};

/* The first member of every public object struct. */
struct MprocObject
{
  gint ref_count;
  MprocKind kind;
  MprocHandle handle; /* 0: has no entry in the table (yet) */
};

/* Set at load time by each class's file, once, before the first object. */
void mproc_object_set_class (const MprocClass *class_);

/* Fills in ref_count 1 and kind. */
void mproc_object_init (MprocObject *object, MprocKind kind);

/* Gives a local object an entry in the table, held by this member. Idempotent. */
gboolean mproc_object_publish (MprocObject *object, MprocOffset body, GError **error);

/* The local object for a handle, a new reference (transfer full); opens it if need be.
 * MPROC_ERROR_HANDLE: garbage, stale, or of another kind. */
MprocObject *mproc_object_open (MprocHandle handle, MprocKind kind, GError **error);

/* Makes a local object, built around something this process inherited, the one that
 * @handle opens to here; takes the member's bit. */
gboolean mproc_object_register (MprocObject *object, MprocHandle handle, GError **error);

MprocObject *mproc_object_ref (MprocObject *object);
void mproc_object_unref (MprocObject *object); /* NULL is fine */

/* Whether @object is a local object of that kind; for g_return_if_fail. */
gboolean mproc_object_is (gconstpointer object, MprocKind kind);

/* The same without the call, for hot paths. */
#define MPROC_OBJECT_IS(object, which)                                                   \
  ((object) != NULL && ((const MprocObject *) (object))->kind == (which) &&              \
   g_atomic_int_get ((gint *) &((const MprocObject *) (object))->ref_count) > 0)

/* Whether it is one of the kinds that values carry to other processes. */
gboolean mproc_object_is_shareable (gconstpointer object);

/* The kind of a valid handle, MPROC_KIND_NONE otherwise. */
MprocKind mproc_handle_get_kind (MprocHandle handle);

/* A message holds / no longer holds what @handle names.  Functions are never dropped. */
gboolean mproc_handle_send (MprocHandle handle, GError **error);
void mproc_handle_drop (MprocHandle handle);

/* For handles without a local object of their own (functions): the entry's body, 0 with
 * error. */
MprocOffset mproc_handle_get_body (MprocHandle handle, MprocKind kind, GError **error);

/* An entry that lives as long as the arena. */
MprocHandle mproc_handle_new_permanent (MprocKind kind, MprocOffset body, GError **error);

/* Walks all entries of a kind: for find-or-create tables. */
MprocHandle mproc_handle_find (MprocKind kind,
                               gboolean (*match) (MprocOffset body, gpointer data),
                               gpointer data);

/* Overrides, for the calling thread, what a handle opens to: the connections handed to a
 * thread-method child are duplicates of its own.  NULL ends it. */
void mproc_object_set_thread_table (GHashTable *handle_to_object);

/* The table in the arena, made with it. */
gboolean mproc_object_create_table (GError **error);

/* A dead member's references are dropped. */
void mproc_object_sweep (MprocMember dead);

/* Gives @member a bit for everything that is open here; under the local lock. */
void mproc_object_lend_all (MprocMember member);

G_END_DECLS

#endif
