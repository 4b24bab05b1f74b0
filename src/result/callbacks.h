/* SPDX-License-Identifier: MIT */
/* What a pool's own thread is to call of its user's: results that have become ready.
 *
 * The thread lives behind the gate, and user code is not for there: it may fork, wait, end the pool.
 * So whatever becomes ready is listed, and the thread calls it between two events, with no lock held
 * and outside of the gate. */
#ifndef MPROC_CALLBACKS_H
#define MPROC_CALLBACKS_H

#include <mproc/queue.h>
#include <mproc/result.h>

G_BEGIN_DECLS

typedef struct MprocCallbacks MprocCallbacks;

/* One function, to be called once. */
typedef struct
{
  MprocResult *result; /* a reference; NULL until it is ready */
  MprocResultFunc func;
  gpointer data;
  GDestroyNotify destroy;
  GMainContext *context; /* NULL: the pool's thread */
} MprocCallback;

/* @events: where the pool's thread waits. */
MprocCallbacks *mproc_callbacks_new (MprocQueue *events);
MprocCallbacks *mproc_callbacks_ref (MprocCallbacks *self);
void mproc_callbacks_unref (MprocCallbacks *self);

/* Its result is ready: takes @callback, and has it called by its context, else by the pool's thread.
 * Any lock may be held.  @self may be NULL where there is a context. */
void mproc_callbacks_add (MprocCallbacks *self, MprocCallback *callback);

/* By the calling thread, now. */
void mproc_callback_call (MprocCallback *callback);

/* By the pool's thread, at its start: it is the one that will run these. */
void mproc_callbacks_serve (MprocCallbacks *self);

/* By the pool's thread, outside of the gate and without locks. */
void mproc_callbacks_run (MprocCallbacks *self);

/* By the pool's thread, as its last act: what becomes due later is called by whoever made it so.  FALSE:
 * something is due. */
gboolean mproc_callbacks_end (MprocCallbacks *self);

/* Whether the calling thread is the one that serves these, which means: in user code, inside of a
 * callback. */
gboolean mproc_callbacks_are_mine (MprocCallbacks *self);

G_END_DECLS

#endif
