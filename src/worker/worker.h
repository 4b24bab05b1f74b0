/* SPDX-License-Identifier: MIT */
/* A worker: what it is told at its start, and what it keeps between its tasks. */
#ifndef MPROC_WORKER_H
#define MPROC_WORKER_H

#include "worker/poolevent.h"
#include "worker/seat.h"

#include <mproc/task.h>

G_BEGIN_DECLS

typedef struct
{
  MprocMember member; /* whose this is: not one's that was forked in a task */
  MprocQueue *tasks;
  MprocQueue *events;
  MprocSeat *seat;
  GVariant *setup; /* `a{sv}`, see mproc_pool_options_pack_setup() */
  guint n_tasks;
  guint max_tasks; /* 0: any number */
  gint64 idle_timeout;
  guint64 recycle_at; /* bytes; 0: never */
  gint64 next_memory_look;
  gintptr jobserver; /* GNU make's; MPROC_OS_NONE: none */
  guint attempt;     /* of the task that runs; 0: none does */
  MprocOffset seat_offset;
  gintptr output; /* where captured output goes, once has_output; see capture.h */
  gboolean has_output;

  gpointer data; /* mproc_worker_set_data() */
  GDestroyNotify free_data;
} MprocWorker;

/* A worker's target: @args is `(hhtv)`, the task queue, the event queue, its seat's offset and its
 * setup. */
GVariant *mproc_worker_main (GVariant *args, GError **error);

/* What it does there: takes its seat, and works until there is no more to do for it. */
void mproc_worker_serve (MprocQueue *tasks,
                         MprocQueue *events,
                         MprocOffset seat,
                         GVariant *setup,
                         GError **error);

/* What the calling thread is, or NULL; and what it becomes. */
MprocWorker *mproc_worker_current (void);
void mproc_worker_become (MprocWorker *self);

/* Whether the calling thread is a worker of the pool that has this task queue. */
gboolean mproc_worker_serves (MprocQueue *tasks);

/* A function and its argument under @key of the setup.  Called if it is there; FALSE with what it failed
 * with. */
gboolean mproc_worker_call (MprocWorker *self, const char *key, GError **error);

/* Drops what mproc_worker_set_data() was given. */
void mproc_worker_clear_data (MprocWorker *self);

/* A task's function under @plan flags, as its worker runs it: a full reference, or NULL with error. */
GVariant *
mproc_worker_run_task (MprocFunc func, guint32 flags, GVariant *args, GError **error);

/* Says on standard error what a pushed task has failed with. */
void mproc_worker_print_error (const GError *error);

/* Whether it may begin another task. */
gboolean mproc_worker_takes_another (MprocWorker *self);

/* A slot of GNU make's, if the pool asks for one, around each task. */
void mproc_worker_take_slot (MprocWorker *self);
void mproc_worker_give_slot (MprocWorker *self);

/* What a function of bytes or of a slice has failed with that did not say it. */
void mproc_set_silent_failure (GError **error);

/* @func (@args), and a value for none.  NULL with error. */
GVariant *mproc_worker_run (MprocFunc func, GVariant *args, GError **error);

/* each.c: for each of @items, as `a(bv)`: TRUE and its value, or FALSE and its error's. */
GVariant *mproc_worker_run_all (MprocFunc func, GVariant *items);

/* Item @i of such a value: what it gave, or NULL with error. */
GVariant *mproc_worker_get_one (GVariant *all, gsize i, GError **error);

G_END_DECLS

#endif
