/* SPDX-License-Identifier: MIT */
/* Handing tasks over. */
#ifndef MPROC_SUBMIT_H
#define MPROC_SUBMIT_H

#include "pool/pool.h"

G_BEGIN_DECLS

/* A task that is to be handed over. */
typedef struct
{
  MprocFunc func;
  GVariant *args;
  guint32 flags;             /* MprocTaskFlags */
  MprocResult *result;       /* NULL: pushed */
  guint part;                /* of the result's */
  MprocTaskOptions *options; /* frozen; NULL: none */
  gint64 deadline;           /* until when it waits for room */
  guint n_items;             /* in the argument; 0: it is one */
} MprocOrder;

/* Consumes the order's args.  FALSE: nobody will settle it; MPROC_ERROR_FULL: there was no room in
 * time. */
gboolean mproc_pool_hand_over (MprocPool *self, const MprocOrder *order, GError **error);

/* The same; what nobody will settle is settled with the error. */
void mproc_pool_submit_part (MprocPool *self, const MprocOrder *order);

/* Whether a task can carry it. */
gboolean mproc_pool_check_message (const MprocMessage *message, GError **error);

/* Drops a value, which may be floating or NULL, that is not handed over. */
void mproc_pool_refuse_value (GVariant *value);

/* Frozen, a full reference; NULL: none. */
MprocTaskOptions *mproc_pool_choose_options (MprocPool *self,
                                             const MprocTaskOptions *given);

/* The initializer's failure, which it takes, broke an inline pool. */
void mproc_pool_break_inline (MprocPool *self, GError *failure);

G_END_DECLS

#endif
