/* SPDX-License-Identifier: MIT */
/* What the setters of MprocPoolOptions leave for the pool. */
#ifndef MPROC_POOL_OPTIONS_INTERNAL_H
#define MPROC_POOL_OPTIONS_INTERNAL_H

#include "pool/taskoptions.h"

#include <mproc/pooloptions.h>

G_BEGIN_DECLS

/* A function to call in each worker. */
typedef struct
{
  MprocFunc func; /* NULL: none */
  GVariant *args;
} MprocCall;

struct MprocPoolOptions
{
  MprocStartMethod method;
  char *name;
  gboolean is_inline;
  gboolean uses_jobserver;
  guint max_pending;   /* 0: any number */
  gint64 idle_timeout; /* MPROC_FOREVER: never */
  MprocTaskOptions *task_options;

  /* For the workers. */
  MprocCall initializer;
  MprocCall finalizer;
  guint max_tasks; /* 0: any number */
  guint64 recycle_at;
  guint64 kill_at;
  GArray *cpus; /* of guint */
  gint niceness;
  char *directory;
  GPtrArray *environment; /* names and values by turns */
};

MprocPoolOptions *mproc_pool_options_copy (const MprocPoolOptions *self);

/* What a worker is told, `a{sv}`, a full reference:
 *
 *   initializer, finalizer  (hv)  a function's ticket and its argument
 *   max-tasks               u
 *   idle-timeout            x        microseconds
 *   recycle-at              t        bytes
 *   jobserver               ay       where GNU make's is
 *   cpus                    au       numbers of processors
 *   niceness                i        added
 *   directory               ay       absolute
 *   environment             a(bayay) whether it is set, name, value
 *
 * A key is there only where there is something to say.  NULL with error. */
GVariant *mproc_pool_options_pack_setup (const MprocPoolOptions *self,
                                         const char *jobserver,
                                         GError **error);

G_END_DECLS

#endif
