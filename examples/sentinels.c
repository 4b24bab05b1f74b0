/* SPDX-License-Identifier: MIT */
/* Four workers and one queue; a last item for each, a "nothing", says that there is no more.  Each
 * worker takes exactly one of those and then no more, and it counts as no result. */
#include <mproc.h>
#include <stdio.h>

#define N_WORKERS 4
#define N_ITEMS 100

static GVariant *
nothing (void)
{
  return g_variant_new_maybe (G_VARIANT_TYPE_VARIANT, NULL);
}

static GVariant *
work (GVariant *args, GError **error)
{
  MprocQueue *items;
  MprocQueue *sums;
  gint64 sum = 0;
  GVariant *item;

  if (!mproc_unpack (args, error, "(&h&h)", &items, &sums))
    return NULL;
  while ((item = mproc_queue_get (items, MPROC_FOREVER, error)) != NULL &&
         !mproc_is_nothing (item))
    {
      sum += g_variant_get_int32 (item);
      g_variant_unref (item);
    }
  if (item == NULL)
    return NULL;
  g_variant_unref (item);
  mproc_queue_put (sums, g_variant_new_int64 (sum), MPROC_FOREVER, error);
  return NULL;
}

static void
put (MprocQueue *queue, GVariant *value)
{
  GError *error = NULL;

  if (!mproc_queue_put (queue, value, MPROC_FOREVER, &error))
    g_error ("%s", error->message);
}

int
main (int argc, char **argv)
{
  MprocProcess *workers[N_WORKERS];
  GError *error = NULL;
  MprocQueue *items;
  MprocQueue *sums;
  gint64 sum = 0;

  mproc_init (&argc, &argv);
  items = mproc_queue_new (0, NULL);
  sums = mproc_queue_new (0, NULL);
  for (guint i = 0; i < N_WORKERS; i++)
    {
      workers[i] = mproc_process_new (work, mproc_pack ("(hh)", items, sums));
      if (!mproc_process_start (workers[i], &error))
        g_error ("%s", error->message);
    }
  for (gint32 i = 1; i <= N_ITEMS; i++)
    put (items, g_variant_new_int32 (i));
  for (guint i = 0; i < N_WORKERS; i++)
    put (items, nothing ());
  for (guint i = 0; i < N_WORKERS; i++)
    {
      GVariant *part = mproc_queue_get (sums, MPROC_FOREVER, &error);

      if (part == NULL)
        g_error ("%s", error->message);
      sum += g_variant_get_int64 (part);
      g_variant_unref (part);
      mproc_process_join (workers[i], MPROC_FOREVER);
      mproc_process_unref (workers[i]);
    }
  printf ("%d workers, the sum is %d\n", N_WORKERS, (int) sum);
  mproc_queue_unref (sums);
  mproc_queue_unref (items);
  return 0;
}
