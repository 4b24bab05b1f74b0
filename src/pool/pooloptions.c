/* SPDX-License-Identifier: MIT */
#include "pool/pooloptions.h"

#include "family/family.h"
#include "family/function.h"
#include "worker/setup.h"

#include <string.h>

MprocPoolOptions *
mproc_pool_options_new (void)
{
  MprocPoolOptions *self = g_new0 (MprocPoolOptions, 1);

  self->name = g_strdup ("PoolWorker");
  self->idle_timeout = MPROC_FOREVER;
  self->cpus = g_array_new (FALSE, FALSE, sizeof (guint));
  self->environment = g_ptr_array_new_with_free_func (g_free);
  return self;
}

static void
copy_call (MprocCall *to, const MprocCall *from)
{
  to->func = from->func;
  to->args = from->args != NULL ? g_variant_ref (from->args) : NULL;
}

MprocPoolOptions *
mproc_pool_options_copy (const MprocPoolOptions *self)
{
  MprocPoolOptions *copy = g_new (MprocPoolOptions, 1);

  *copy = *self;
  copy->name = g_strdup (self->name);
  copy->directory = g_strdup (self->directory);
  copy->task_options = mproc_task_options_copy (self->task_options);
  copy_call (&copy->initializer, &self->initializer);
  copy_call (&copy->finalizer, &self->finalizer);
  copy->cpus = g_array_ref (self->cpus);
  copy->environment = g_ptr_array_ref (self->environment);
  return copy;
}

static void
clear_call (MprocCall *self)
{
  if (self->args != NULL)
    g_variant_unref (self->args);
  self->func = NULL;
  self->args = NULL;
}

void
mproc_pool_options_free (MprocPoolOptions *self)
{
  if (self == NULL)
    return;
  clear_call (&self->initializer);
  clear_call (&self->finalizer);
  mproc_task_options_free (self->task_options);
  g_array_unref (self->cpus);
  g_ptr_array_unref (self->environment);
  g_free (self->directory);
  g_free (self->name);
  g_free (self);
}

void
mproc_pool_options_set_start_method (MprocPoolOptions *self, MprocStartMethod method)
{
  g_return_if_fail (self != NULL);
  self->method = method;
}

void
mproc_pool_options_set_name (MprocPoolOptions *self, const char *name)
{
  g_return_if_fail (self != NULL && name != NULL && g_utf8_validate (name, -1, NULL));
  g_free (self->name);
  self->name = g_strdup (name);
}

void
mproc_pool_options_set_inline (MprocPoolOptions *self, gboolean is_inline)
{
  g_return_if_fail (self != NULL);
  self->is_inline = is_inline != FALSE;
}

void
mproc_pool_options_set_max_pending (MprocPoolOptions *self, guint n)
{
  g_return_if_fail (self != NULL);
  self->max_pending = n;
}

void
mproc_pool_options_set_idle_timeout (MprocPoolOptions *self, gint64 timeout_us)
{
  g_return_if_fail (self != NULL && timeout_us >= MPROC_FOREVER);
  self->idle_timeout = timeout_us;
}

void
mproc_pool_options_set_jobserver (MprocPoolOptions *self, gboolean use)
{
  g_return_if_fail (self != NULL);
  self->uses_jobserver = use != FALSE;
}

void
mproc_pool_options_set_task_options (MprocPoolOptions *self,
                                     const MprocTaskOptions *options)
{
  g_return_if_fail (self != NULL);
  mproc_task_options_free (self->task_options);
  self->task_options = mproc_task_options_copy (options);
}

/* ------------------------------------------------------------------ for the workers */

static void
set_call (MprocCall *self, MprocFunc func, GVariant *args)
{
  if (args == NULL)
    args = g_variant_new_tuple (NULL, 0);
  g_variant_ref_sink (args);
  clear_call (self);
  self->func = func;
  self->args = args;
}

void
mproc_pool_options_set_initializer (MprocPoolOptions *self,
                                    MprocFunc func,
                                    GVariant *args)
{
  g_return_if_fail (self != NULL);
  set_call (&self->initializer, func, args);
}

void
mproc_pool_options_set_finalizer (MprocPoolOptions *self, MprocFunc func, GVariant *args)
{
  g_return_if_fail (self != NULL);
  set_call (&self->finalizer, func, args);
}

void
mproc_pool_options_set_max_tasks_per_worker (MprocPoolOptions *self, guint n)
{
  g_return_if_fail (self != NULL);
  self->max_tasks = n;
}

void
mproc_pool_options_set_memory_limit (MprocPoolOptions *self,
                                     guint64 recycle_at,
                                     guint64 kill_at)
{
  g_return_if_fail (self != NULL);
  self->recycle_at = recycle_at;
  self->kill_at = kill_at;
}

void
mproc_pool_options_set_cpus (MprocPoolOptions *self, const guint *cpus, guint n)
{
  g_return_if_fail (self != NULL && (cpus != NULL || n == 0));
  g_array_unref (self->cpus);
  self->cpus = g_array_new (FALSE, FALSE, sizeof (guint));
  g_array_append_vals (self->cpus, cpus, n);
}

void
mproc_pool_options_set_niceness (MprocPoolOptions *self, gint niceness)
{
  g_return_if_fail (self != NULL && niceness >= 0 && niceness <= 19);
  self->niceness = niceness;
}

void
mproc_pool_options_set_directory (MprocPoolOptions *self, const char *directory)
{
  g_return_if_fail (self != NULL);
  g_free (self->directory);
  self->directory = g_strdup (directory);
}

/* A copy of these options has the old array. */
void
mproc_pool_options_set_environment (MprocPoolOptions *self,
                                    const char *name,
                                    const char *value)
{
  GPtrArray *longer;

  g_return_if_fail (self != NULL && name != NULL);
  g_return_if_fail (*name != '\0' && strchr (name, '=') == NULL);
  longer = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < self->environment->len; i++)
    g_ptr_array_add (longer, g_strdup (g_ptr_array_index (self->environment, i)));
  g_ptr_array_add (longer, g_strdup (name));
  g_ptr_array_add (longer, g_strdup (value));
  g_ptr_array_unref (self->environment);
  self->environment = longer;
}

static gboolean
add_call (GVariantBuilder *setup, const char *key, const MprocCall *call, GError **error)
{
  MprocHandle ticket;

  if (call->func == NULL)
    return TRUE;
  ticket = mproc_function_get_ticket (call->func, error);
  if (ticket != 0)
    g_variant_builder_add (setup, "{sv}", key,
                           g_variant_new ("(hv)", ticket, call->args));
  return ticket != 0;
}

GVariant *
mproc_pool_options_pack_setup (const MprocPoolOptions *self,
                               const char *jobserver,
                               GError **error)
{
  GVariantBuilder setup;

  g_variant_builder_init (&setup, G_VARIANT_TYPE_VARDICT);
  if (!add_call (&setup, "initializer", &self->initializer, error) ||
      !add_call (&setup, "finalizer", &self->finalizer, error))
    {
      g_variant_builder_clear (&setup);
      return NULL;
    }
  if (self->max_tasks != 0)
    g_variant_builder_add (&setup, "{sv}", "max-tasks",
                           g_variant_new_uint32 (self->max_tasks));
  if (jobserver != NULL)
    g_variant_builder_add (&setup, "{sv}", "jobserver",
                           g_variant_new_bytestring (jobserver));
  if (self->recycle_at != 0)
    g_variant_builder_add (&setup, "{sv}", "recycle-at",
                           g_variant_new_uint64 (self->recycle_at));
  if (self->idle_timeout != MPROC_FOREVER)
    g_variant_builder_add (&setup, "{sv}", "idle-timeout",
                           g_variant_new_int64 (self->idle_timeout));
  mproc_setup_pack (self, &setup);
  return g_variant_ref_sink (g_variant_builder_end (&setup));
}
