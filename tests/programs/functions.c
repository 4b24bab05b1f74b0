/* SPDX-License-Identifier: MIT */
#include <glib.h>
#include <stdio.h>

GVariant *library_function (GVariant *args, GError **error);

GVariant *
library_function (GVariant *args, GError **error)
{
  (void) error;
  printf ("library function got %d\n", g_variant_get_int32 (args));
  return NULL;
}
