/* SPDX-License-Identifier: MIT */
/* A pool of four processes; an error comes back as the function set it. */
#include <mproc.h>
#include <stdio.h>

static GVariant *
square (GVariant *args, GError **error)
{
  gint32 n = g_variant_get_int32 (args);

  if (n == 5)
    {
      g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_FAILED, "Invalid value");
      return NULL;
    }
  return g_variant_new_int32 (n * n);
}

int
main (int argc, char **argv)
{
  GError *error = NULL;
  MprocPool *pool;

  mproc_init (&argc, &argv);
  pool = mproc_pool_new (4, &error);
  if (pool == NULL)
    g_error ("%s", error->message);

  for (gint32 i = 0; i < 10; i++)
    {
      GVariant *result = mproc_pool_apply (pool, square, g_variant_new_int32 (i), &error);

      if (result != NULL)
        printf ("%d\n", g_variant_get_int32 (result));
      else
        printf ("Caught exception: %s\n", error->message);
      g_clear_pointer (&result, g_variant_unref);
      g_clear_error (&error);
    }

  mproc_pool_close (pool);
  mproc_pool_join (pool, MPROC_FOREVER);
  mproc_pool_unref (pool);
  return 0;
}
