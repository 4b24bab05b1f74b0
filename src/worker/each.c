/* SPDX-License-Identifier: MIT */
/* Items that travel together, and fail each for itself. */
#include "worker/worker.h"

#include "values/message.h"
#include "worker/task.h"

static void
add_one (GVariantBuilder *all, MprocFunc func, GVariant *item)
{
  GError *error = NULL;
  GVariant *value = mproc_worker_run (func, item, &error);

  if (value == NULL)
    value = mproc_error_to_value (error);
  value = g_variant_take_ref (value);
  g_variant_builder_add (all, "(bv)", error == NULL, value);
  g_variant_unref (value);
  g_clear_error (&error);
}

GVariant *
mproc_worker_run_all (MprocFunc func, GVariant *items)
{
  gsize n = g_variant_n_children (items);
  GVariantBuilder all;

  g_variant_builder_init (&all, G_VARIANT_TYPE ("a(bv)"));
  for (gsize i = 0; i < n; i++)
    {
      GVariant *item = mproc_get_item (items, i);

      add_one (&all, func, item);
      g_variant_unref (item);
    }
  return g_variant_builder_end (&all);
}

GVariant *
mproc_worker_get_one (GVariant *all, gsize i, GError **error)
{
  gboolean is_value;
  GVariant *value;

  g_variant_get_child (all, i, "(bv)", &is_value, &value);
  if (is_value)
    return value;
  g_propagate_error (error, mproc_error_from_value (value));
  g_variant_unref (value);
  return NULL;
}
