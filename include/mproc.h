/* SPDX-License-Identifier: MIT */
#ifndef MPROC_H
#define MPROC_H

#define MPROC_INSIDE

#include <mproc/barrier.h>
#include <mproc/condition.h>
#include <mproc/connection.h>
#include <mproc/error.h>
#include <mproc/event.h>
#include <mproc/init.h>
#include <mproc/insight.h>
#include <mproc/iter.h>
#include <mproc/lock.h>
#include <mproc/memory.h>
#include <mproc/pool.h>
#include <mproc/poolmap.h>
#include <mproc/pooloptions.h>
#include <mproc/process.h>
#include <mproc/queue.h>
#include <mproc/report.h>
#include <mproc/result.h>
#include <mproc/semaphore.h>
#include <mproc/shared.h>
#include <mproc/task.h>
#include <mproc/value.h>
#include <mproc/version.h>
#include <mproc/wait.h>

#undef MPROC_INSIDE

#endif
