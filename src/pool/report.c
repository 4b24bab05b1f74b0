/* SPDX-License-Identifier: MIT */
#include "pool/report.h"

MprocPoolReport *
mproc_pool_report_new (void)
{
  MprocPoolReport *self = g_new0 (MprocPoolReport, 1);

  self->killed = g_ptr_array_new_with_free_func (g_free);
  return self;
}

void
mproc_pool_report_complete (MprocPoolReport *self)
{
  g_ptr_array_add (self->killed, NULL);
}

void
mproc_pool_report_free (MprocPoolReport *self)
{
  if (self == NULL)
    return;
  g_ptr_array_unref (self->killed);
  g_free (self);
}

guint
mproc_pool_report_get_n_done (const MprocPoolReport *self)
{
  g_return_val_if_fail (self != NULL, 0);
  return self->n_done;
}

guint
mproc_pool_report_get_n_cancelled (const MprocPoolReport *self)
{
  g_return_val_if_fail (self != NULL, 0);
  return self->n_cancelled;
}

guint
mproc_pool_report_get_n_stopped (const MprocPoolReport *self)
{
  g_return_val_if_fail (self != NULL, 0);
  return self->n_stopped;
}

guint
mproc_pool_report_get_n_killed (const MprocPoolReport *self)
{
  g_return_val_if_fail (self != NULL, 0);
  return self->killed->len - 1;
}

const char *const *
mproc_pool_report_get_killed (const MprocPoolReport *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return (const char *const *) self->killed->pdata;
}

gboolean
mproc_pool_report_has_ended (const MprocPoolReport *self)
{
  g_return_val_if_fail (self != NULL, FALSE);
  return self->has_ended;
}

char *
mproc_pool_report_to_string (const MprocPoolReport *self)
{
  GString *text;

  g_return_val_if_fail (self != NULL, NULL);
  text = g_string_new (NULL);
  g_string_printf (text, "%u tasks done, %u cancelled, %u stopped, %u killed",
                   self->n_done, self->n_cancelled, self->n_stopped,
                   mproc_pool_report_get_n_killed (self));
  for (guint i = 0; i + 1 < self->killed->len; i++)
    g_string_append_printf (text, "%s%s", i == 0 ? ": " : ", ",
                            (const char *) g_ptr_array_index (self->killed, i));
  if (!self->has_ended)
    g_string_append (text, "; not all workers have ended");
  return g_string_free (text, FALSE);
}
