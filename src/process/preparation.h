/* SPDX-License-Identifier: MIT */
/* What a new process is given that does not go on from its starter's memory (spawn,
 * forkserver): the start record, and the connections among its arguments. */
#ifndef MPROC_PREPARATION_H
#define MPROC_PREPARATION_H

#include "process/record.h"

G_BEGIN_DECLS

typedef struct
{
  MprocRecordSource source; /* its member is reserved, and the caller's to bury */
  MprocMessage message;
  GArray *connections; /* of MprocRecordConnection */
  MprocOffset record;
} MprocPreparation;

/* In the starter.  To be cleared also after a failure. */
gboolean mproc_preparation_make (MprocPreparation *self,
                                 MprocProcess *process,
                                 guint32 lifeline_kind,
                                 GError **error);
void mproc_preparation_clear (MprocPreparation *self);

/* How long a child may take to report, by MPROC_START_TIMEOUT. */
gint64 mproc_start_timeout (void);

/* What has become of a child that ended before it had reported (transfer full). */
char *mproc_preparation_describe_end (gint code);

/* In the child: it is @member from now on, and runs the target.  @channels: its
 * connections' channels, one for each in the record; NULL: the record has their numbers. */
MPROC_NORETURN void
mproc_preparation_run (MprocOffset record, MprocMember member, const gintptr *channels);

G_END_DECLS

#endif
