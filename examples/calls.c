/* SPDX-License-Identifier: MIT */
/* Two functions through one pool, their tasks by turns; one of several arguments. */
#include <mproc.h>
#include <stdio.h>

static GVariant *
power (GVariant *args, GError **error)
{
  gint32 base, exponent;
  gint64 value = 1;

  (void) error;
  g_variant_get (args, "(ii)", &base, &exponent);
  while (exponent-- > 0)
    value *= base;
  return g_variant_new_int64 (value);
}

static GVariant *
greet (GVariant *args, GError **error)
{
  char *text = g_strdup_printf ("hello %s", g_variant_get_string (args, NULL));

  (void) error;
  return g_variant_new_take_string (text);
}

static void
show (GVariant *value)
{
  char *text = g_variant_print (value, FALSE);

  puts (text);
  g_free (text);
  g_variant_unref (value);
}

int
main (int argc, char **argv)
{
  const char *const names[] = { "alice", "bob", "carol" };
  MprocResult *results[2 * G_N_ELEMENTS (names)];
  GError *error = NULL;
  MprocPool *pool;

  mproc_init (&argc, &argv);
  pool = mproc_pool_new (2, &error);
  if (pool == NULL)
    g_error ("%s", error->message);

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      results[2 * i] =
          mproc_pool_apply_async (pool, power, g_variant_new ("(ii)", 2, 10 * (gint) i),
                                  NULL);
      results[2 * i + 1] =
          mproc_pool_apply_async (pool, greet, g_variant_new_string (names[i]), NULL);
    }
  for (guint i = 0; i < G_N_ELEMENTS (results); i++)
    {
      show (mproc_result_get (results[i], MPROC_FOREVER, NULL));
      mproc_result_unref (results[i]);
    }
  show (mproc_pool_starmap (pool, power,
                            g_variant_new_parsed ("[(3, 2), (3, 3), (3, 4)]"), 0, NULL));

  mproc_pool_close (pool);
  mproc_pool_join (pool, MPROC_FOREVER);
  mproc_pool_unref (pool);
  return 0;
}
