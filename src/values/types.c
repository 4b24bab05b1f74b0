/* SPDX-License-Identifier: MIT */
#include "values/types.h"

#include <string.h>

#define N_KEPT 32
#define LONGEST 64

/* Written once each, from the front, and never taken out: who reads needs no lock.  Two threads may
 * keep the same one. */
static GVariant *kept[N_KEPT];

const GVariantType *
mproc_types_find (const char *string, gsize length)
{
  for (guint i = 0; i < N_KEPT; i++)
    {
      GVariant *value = g_atomic_pointer_get (&kept[i]);
      const GVariantType *type;

      if (value == NULL)
        return NULL;
      type = g_variant_get_type (value);
      if (g_variant_type_get_string_length (type) == length &&
          memcmp (type, string, length) == 0)
        return type;
    }
  return NULL;
}

static gboolean
is_kept (const GVariantType *type)
{
  for (guint i = 0; i < N_KEPT; i++)
    {
      GVariant *value = g_atomic_pointer_get (&kept[i]);

      if (value == NULL)
        return FALSE;
      /* GLib has each type's string once, as long as it knows the type. */
      if (g_variant_get_type (value) == type)
        return TRUE;
    }
  return FALSE;
}

void
mproc_types_keep (const GVariantType *type)
{
  GVariant *value;

  if (g_variant_type_get_string_length (type) > LONGEST || is_kept (type) ||
      g_atomic_pointer_get (&kept[N_KEPT - 1]) != NULL)
    return;
  value = g_variant_new_from_data (type, NULL, 0, FALSE, NULL, NULL);
  g_variant_ref_sink (value);
  for (guint i = 0; i < N_KEPT; i++)
    if (g_atomic_pointer_compare_and_exchange (&kept[i], NULL, value))
      return;
  g_variant_unref (value);
}
