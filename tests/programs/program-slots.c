/* SPDX-License-Identifier: MIT */
/* program-slots: a job of GNU make's, with a pool of four workers that asks make for slots.  Says how many
 * of its tasks ran at the same time. */
#include <mproc.h>
#include <stdio.h>

static GVariant *
count (GVariant *args, GError **error)
{
  MprocArray *counters;
  gint *data;
  gint n;

  if (!mproc_unpack (args, error, "(&h)", &counters))
    return NULL;
  data = mproc_array_get_data (counters, NULL);
  n = g_atomic_int_add (&data[0], 1) + 1;
  for (gint most = g_atomic_int_get (&data[1]); n > most;
       most = g_atomic_int_get (&data[1]))
    g_atomic_int_compare_and_exchange (&data[1], most, n);
  g_usleep (G_USEC_PER_SEC / 50);
  g_atomic_int_add (&data[0], -1);
  return NULL;
}

int
main (int argc, char **argv)
{
  MprocPoolOptions *options;
  MprocResult *results[16];
  MprocArray *counters;
  GError *error = NULL;
  MprocPool *pool;

  mproc_init (&argc, &argv);
  options = mproc_pool_options_new ();
  mproc_pool_options_set_jobserver (options, TRUE);
  pool = mproc_pool_new_full (4, options, &error);
  mproc_pool_options_free (options);
  if (pool == NULL)
    {
      fprintf (stderr, "%s\n", error->message);
      return 1;
    }
  counters = mproc_array_new ("i", 2, NULL, NULL, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (results); i++)
    results[i] = mproc_pool_apply_async (pool, count, mproc_pack ("(h)", counters), NULL);
  for (guint i = 0; i < G_N_ELEMENTS (results); i++)
    {
      mproc_result_wait (results[i], MPROC_FOREVER);
      mproc_result_unref (results[i]);
    }
  printf ("most at a time: %d\n", ((gint *) mproc_array_get_data (counters, NULL))[1]);
  mproc_pool_close (pool);
  mproc_pool_join (pool, MPROC_FOREVER);
  mproc_pool_unref (pool);
  mproc_array_unref (counters);
  return 0;
}
