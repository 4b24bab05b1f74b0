/* SPDX-License-Identifier: MIT */
/* What starting a process, and waiting, need of connections. */
#ifndef MPROC_CONNECTION_INTERNAL_H
#define MPROC_CONNECTION_INTERNAL_H

#include "family/object.h"
#include "pipe/stream.h"

#include <mproc/connection.h>

G_BEGIN_DECLS

/* The channel behind a connection that this process holds, and what the other process
 * needs to know of it besides (directions, family). */
gboolean mproc_connection_get_channel (MprocHandle handle,
                                       gintptr *channel,
                                       guint32 *flags,
                                       GError **error);

/* A connection over an inherited or duplicated channel, which it takes.  Not
 * registered. */
MprocObject *mproc_connection_adopt (MprocHandle handle, gintptr channel, guint32 flags);

MprocStream *mproc_connection_get_stream (MprocConnection *self);

G_END_DECLS

#endif
