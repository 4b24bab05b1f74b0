/* SPDX-License-Identifier: MIT */
#include "pool/obituary.h"

#include "family/function.h"
#include "pool/taskoptions.h"

guint
mproc_job_get_attempts (const MprocJob *job)
{
  return job->options != NULL ? job->options->attempts : 1;
}

char *
mproc_job_name (const MprocJob *job)
{
  char *function;
  char *text;

  if (job->options != NULL && job->options->name != NULL)
    return g_strdup_printf ("task %u (%s)", job->number, job->options->name);
  function = mproc_function_describe (mproc_task_get_plan (job->task)->function);
  text = g_strdup_printf ("task %u (%s)", job->number, function);
  g_free (function);
  return text;
}

static char *
tell_end (const MprocPoolEvent *death)
{
  const char *signal =
      death->exit_code < 0 ? mproc_os_signal_name (-death->exit_code) : NULL;

  return signal != NULL ? g_strdup_printf ("was killed by %s", signal)
                        : g_strdup_printf ("ended with exit code %d", death->exit_code);
}

GError *
mproc_describe_death (const MprocPoolEvent *death, const char *what)
{
  char *end = tell_end (death);
  GError *error = g_error_new (MPROC_ERROR, MPROC_ERROR_WORKER_DIED,
                               "the worker (pid %" G_GINT64_FORMAT ") that ran %s %s",
                               death->pid, what, end);

  g_free (end);
  return error;
}

GError *
mproc_job_describe_death (const MprocJob *job, const MprocPoolEvent *death)
{
  guint attempts = mproc_job_get_attempts (job);
  char *name = mproc_job_name (job);
  char *end = tell_end (death);
  GError *error = g_error_new (MPROC_ERROR, MPROC_ERROR_WORKER_DIED,
                               "the worker (pid %" G_GINT64_FORMAT
                               ") that ran %s %s, attempt %u of %u",
                               death->pid, name, end,
                               mproc_task_count_attempts (job->task), attempts);

  if (attempts > 1)
    {
      char *whole =
          g_strdup_printf ("%s: the task is taken for poison, and is not begun again",
                           error->message);

      g_free (error->message);
      error->message = whole;
    }
  g_free (name);
  g_free (end);
  return error;
}

static GError *
describe_limit (const MprocJob *job, gint64 pid)
{
  char *name = mproc_job_name (job);
  GError *error =
      g_error_new (MPROC_ERROR, MPROC_ERROR_TIMED_OUT,
                   "%s ran longer than its hard limit of %.3f s in the worker with pid "
                   "%" G_GINT64_FORMAT,
                   name,
                   (double) mproc_task_get_plan (job->task)->limits.hard / G_USEC_PER_SEC,
                   pid);

  g_free (name);
  return error;
}

static GError *
describe_memory (const MprocJob *job, gint64 pid)
{
  char *name = mproc_job_name (job);
  GError *error =
      g_error_new (MPROC_ERROR, MPROC_ERROR_NO_MEMORY,
                   "%s was ended: its worker, pid %" G_GINT64_FORMAT
                   ", had %" G_GUINT64_FORMAT
                   " bytes of memory for itself, where the limit is %" G_GUINT64_FORMAT,
                   name, pid, job->bytes_used, job->bytes_allowed);

  g_free (name);
  return error;
}

GError *
mproc_job_describe_fate (const MprocJob *job, gint64 pid)
{
  char *name;
  GError *error;

  if (job->fate == MPROC_FATE_TIMED_OUT)
    return describe_limit (job, pid);
  if (job->fate == MPROC_FATE_NO_MEMORY)
    return describe_memory (job, pid);
  name = mproc_job_name (job);
  error = g_error_new (MPROC_ERROR, MPROC_ERROR_CANCELLED,
                       "%s was cancelled while the worker with pid %" G_GINT64_FORMAT
                       " ran it",
                       name, pid);
  g_free (name);
  return error;
}

GError *
mproc_job_describe_cancel (const MprocJob *job)
{
  char *name = mproc_job_name (job);
  GError *error = g_error_new (MPROC_ERROR, MPROC_ERROR_CANCELLED,
                               "%s was cancelled before it was begun", name);

  g_free (name);
  return error;
}
