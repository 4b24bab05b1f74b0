/* SPDX-License-Identifier: MIT */
#include "pool/taskoptions.h"

MprocTaskOptions *
mproc_task_options_new (void)
{
  MprocTaskOptions *self = g_new0 (MprocTaskOptions, 1);

  self->ref_count = 1;
  self->attempts = 1;
  return self;
}

MprocTaskOptions *
mproc_task_options_copy (const MprocTaskOptions *self)
{
  MprocTaskOptions *copy;

  if (self == NULL)
    return NULL;
  copy = g_new (MprocTaskOptions, 1);
  *copy = *self;
  copy->ref_count = 1;
  copy->name = g_strdup (self->name);
  return copy;
}

MprocTaskOptions *
mproc_task_options_freeze (const MprocTaskOptions *self)
{
  return mproc_task_options_copy (self);
}

/* A negative number, as it looks when cast, would be a task that is begun for ever. */
gboolean
mproc_task_options_check (const MprocTaskOptions *self, GError **error)
{
  if (self == NULL || self->attempts <= G_MAXINT)
    return TRUE;
  g_set_error (error, MPROC_ERROR, MPROC_ERROR_INVALID,
               "a task has at most %d attempts, and not %u", G_MAXINT, self->attempts);
  return FALSE;
}

MprocTaskOptions *
mproc_task_options_ref (MprocTaskOptions *self)
{
  if (self != NULL)
    g_atomic_int_inc (&self->ref_count);
  return self;
}

void
mproc_task_options_free (MprocTaskOptions *self)
{
  if (self == NULL || !g_atomic_int_dec_and_test (&self->ref_count))
    return;
  g_free (self->name);
  g_free (self);
}

void
mproc_task_options_set_soft_limit (MprocTaskOptions *self, gint64 limit_us)
{
  g_return_if_fail (self != NULL && limit_us >= 0);
  self->limits.soft = limit_us;
}

void
mproc_task_options_set_hard_limit (MprocTaskOptions *self, gint64 limit_us)
{
  g_return_if_fail (self != NULL && limit_us >= 0);
  self->limits.hard = limit_us;
}

void
mproc_task_options_set_attempts (MprocTaskOptions *self, guint n)
{
  g_return_if_fail (self != NULL && n > 0);
  self->attempts = n;
}

void
mproc_task_options_set_priority (MprocTaskOptions *self, gint priority)
{
  g_return_if_fail (self != NULL);
  self->priority = priority;
}

void
mproc_task_options_set_capture_output (MprocTaskOptions *self, gboolean capture)
{
  g_return_if_fail (self != NULL);
  self->captures_output = capture != FALSE;
}

void
mproc_task_options_set_name (MprocTaskOptions *self, const char *name)
{
  g_return_if_fail (self != NULL);
  g_return_if_fail (name == NULL || g_utf8_validate (name, -1, NULL));
  g_free (self->name);
  self->name = g_strdup (name);
}
