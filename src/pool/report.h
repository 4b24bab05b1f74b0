/* SPDX-License-Identifier: MIT */
/* What a pool's shutdown counts. */
#ifndef MPROC_REPORT_INTERNAL_H
#define MPROC_REPORT_INTERNAL_H

#include <glib.h>
#include <mproc/report.h>

G_BEGIN_DECLS

struct MprocPoolReport
{
  guint n_done;
  guint n_cancelled;
  guint n_stopped;
  GPtrArray *killed; /* their names, a NULL behind them once it is complete */
  gboolean has_ended;
};

MprocPoolReport *mproc_pool_report_new (void);

/* There is no more to come. */
void mproc_pool_report_complete (MprocPoolReport *self);

G_END_DECLS

#endif
