/* SPDX-License-Identifier: MIT */
/* The start record: what a spawned child has to know, in the arena, and its answer. */
#ifndef MPROC_RECORD_H
#define MPROC_RECORD_H

#include "process/processdata.h"
#include "values/message.h"

G_BEGIN_DECLS

typedef enum
{
  MPROC_RECORD_WAITING, /* the child has not said anything */
  MPROC_RECORD_RUNNING, /* it has all it needs, and runs the target */
  MPROC_RECORD_FAILED   /* it cannot, and has said why */
} MprocRecordStatus;

/* What the starter puts in besides the process itself. */
typedef struct
{
  MprocProcess *process;
  MprocProcess *parent;
  MprocOsIdentity parent_identity;
  MprocMember member;
  guint32 lifeline_kind;
  MprocHandle function; /* a ticket, 0 for none */
  MprocMessage *message;
} MprocRecordSource;

/* A connection among the arguments. */
typedef struct
{
  MprocHandle handle;
  guint32 flags;
  gint64 channel;
} MprocRecordConnection;

/* Writes a record; the message's handles are in flight with it from then on.  0 with
 * error. */
MprocOffset mproc_record_new (const MprocRecordSource *source,
                              const GArray *connections,
                              GError **error);
void mproc_record_free (MprocOffset record);

/* In the starter. */
MprocRecordStatus mproc_record_get_status (MprocOffset record);
void mproc_record_wait (MprocOffset record, gint64 deadline);
void mproc_record_get_error (MprocOffset record, GError **error);

/* Who the child is, once it has reported that it runs. */
void mproc_record_get_identity (MprocOffset record, MprocOsIdentity *out);

/* In the child.  The record is the starter's again after a report. */
gboolean mproc_record_is_valid (MprocOffset record, MprocMember member);
void mproc_record_report_running (MprocOffset record);
void mproc_record_report_error (MprocOffset record, const GError *error);

/* The process that the record tells of, and its parent; not its function and arguments. */
void
mproc_record_load (MprocOffset record, MprocProcess **process, MprocProcess **parent);
guint32 mproc_record_get_lifeline_kind (MprocOffset record);
MprocHandle mproc_record_get_function (MprocOffset record);
const MprocRecordConnection *mproc_record_get_connections (MprocOffset record, guint *n);
GVariant *mproc_record_get_args (MprocOffset record, GError **error);

G_END_DECLS

#endif
