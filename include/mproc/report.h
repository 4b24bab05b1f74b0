/* SPDX-License-Identifier: MIT */
#ifndef MPROC_REPORT_H
#define MPROC_REPORT_H

#include <mproc/macros.h>

G_BEGIN_DECLS

/**
 * MprocPoolReport:
 *
 * What mproc_pool_shutdown() has come to: how many of the tasks that were waiting or running when it
 * was called have met which end.
 */
typedef struct MprocPoolReport MprocPoolReport;

/**
 * mproc_pool_report_free:
 * @self: (nullable): a report
 */
MPROC_API void mproc_pool_report_free (MprocPoolReport *self);

/**
 * mproc_pool_report_get_n_done:
 * @self: a report
 *
 * Returns: how many tasks came to their end, as value or as error, before anything was asked to stop
 */
MPROC_API guint mproc_pool_report_get_n_done (const MprocPoolReport *self);

/**
 * mproc_pool_report_get_n_cancelled:
 * @self: a report
 *
 * Returns: how many tasks were never begun
 */
MPROC_API guint mproc_pool_report_get_n_cancelled (const MprocPoolReport *self);

/**
 * mproc_pool_report_get_n_stopped:
 * @self: a report
 *
 * Returns: how many tasks were asked to stop and came to their end in time, whether or not they
 *   looked: see mproc_task_should_stop()
 */
MPROC_API guint mproc_pool_report_get_n_stopped (const MprocPoolReport *self);

/**
 * mproc_pool_report_get_n_killed:
 * @self: a report
 *
 * Under %MPROC_START_METHOD_THREAD nothing is killed: these are the tasks whose result is given up,
 * while their function runs on.
 *
 * Returns: how many tasks were ended together with their worker
 */
MPROC_API guint mproc_pool_report_get_n_killed (const MprocPoolReport *self);

/**
 * mproc_pool_report_get_killed:
 * @self: a report
 *
 * Returns: (transfer none) (array zero-terminated=1): what the killed tasks are called: "task 17", or
 *   "task 17 (resize)" for one that mproc_task_options_set_name() has given a name
 */
MPROC_API const char *const *mproc_pool_report_get_killed (const MprocPoolReport *self);

/**
 * mproc_pool_report_has_ended:
 * @self: a report
 *
 * Returns: whether no worker is left.  %FALSE: a thread runs on, or the system takes its time to end
 *   a killed process; mproc_pool_join() waits for it
 */
MPROC_API gboolean mproc_pool_report_has_ended (const MprocPoolReport *self);

/**
 * mproc_pool_report_to_string:
 * @self: a report
 *
 * Returns: (transfer full): one line for people: "12 tasks done, 3 cancelled, 1 stopped, 1 killed:
 *   task 17 (resize)"
 */
MPROC_API char *mproc_pool_report_to_string (const MprocPoolReport *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MprocPoolReport, mproc_pool_report_free)

G_END_DECLS

#endif
